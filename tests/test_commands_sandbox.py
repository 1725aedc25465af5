"""`wa-products sandbox`, as typed: served on a port, its page, its log, its webhooks to a receiver."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tests.test_sandbox_http import served
from wa_products.commands import main
from wa_products.sandbox import APP_SECRET, VERIFY_TOKEN

ROOT = Path(__file__).parent.parent


@contextmanager
def running(*options):
    """Run the command on a free port until the block ends; yield a client of it and what it told to export."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "wa_products", "sandbox", "--port", str(port), *options]
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path}, **pipes) as process:
        try:
            told = dict(re.findall(r"export (\w+)=(\S+)", "".join(iter(process.stdout.readline, "\n"))))
            told |= dict(re.findall(r"export (\w+)=(\S+)", "".join(iter(process.stdout.readline, "\n"))))
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", transport=httpx.HTTPTransport(retries=8)) as http:
                yield http, told
        finally:
            process.send_signal(signal.SIGINT)
            rest = process.stdout.read()
            process.wait(30)
    assert (process.returncode, rest) == (0, "")


def until(holds, seconds=60):
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.2)


@pytest.mark.slow
def test_it_serves_a_shop(tmp_path):
    """It tells how to reach it, takes messages, shows the page, and ends with Ctrl-C; its log can be read on."""
    log = tmp_path / "log.jsonl"
    with running("--data", str(ROOT / "data" / "demo"), "--speed", "600", "--log", str(log)) as (http, told):
        assert told["WA_GRAPH_URL"] == str(http.base_url).rstrip("/")
        assert "Sandbox" in http.get("/").text
        numbers = f"/v25.0/{told['WA_BUSINESS_ACCOUNT_ID']}/phone_numbers"
        found = http.get(numbers, headers={"authorization": f"Bearer {told['WA_TOKEN']}"}).json()["data"]
        assert found[0]["id"] == told["WA_PHONE_NUMBER_ID"]
        who = http.get("/sandbox/state").json()["chats"][0]["id"]
        http.post("/sandbox/act", json={"customer_id": who, "what": "write", "text": "Anybody there?"})
        until(lambda: b"Anybody there?" in log.read_bytes())
    assert all(json.loads(line)["object"] for line in log.read_bytes().splitlines())


@pytest.mark.slow
def test_it_posts_to_a_receiver():
    """A receiver that answers the challenge gets the webhooks, signed, as they come."""
    kept = []

    async def hook(request):
        if request.method == "GET":
            asked = request.query_params
            known = asked["hub.verify_token"] == VERIFY_TOKEN
            return PlainTextResponse(asked["hub.challenge"] if known else "", status_code=200 if known else 403)
        kept.append(request.headers["x-hub-signature-256"])
        return PlainTextResponse("")

    app = Starlette(routes=[Route("/hook", hook, methods=["GET", "POST"])])
    with served(app) as url, running("--speed", "3600", "--webhooks", f"{url}/hook") as (_, told):
        assert told["WA_APP_SECRET"] == APP_SECRET
        until(lambda: kept)
    assert kept[0].startswith("sha256=")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--speed", "0"], "--speed is above 0"),
        (["--throughput", "0"], "--throughput is a whole number"),
        (["--data", "no-such-folder"], "no-such-folder"),
        (["--as-of", "yesterday-ish"], "yesterday-ish"),
        (["--webhooks", "http://127.0.0.1:9/hook"], "is no receiver"),
    ],
)
def test_what_it_cannot_do(options, words, capsys):
    """What cannot be served is refused in a sentence with exit code 2."""
    assert main(["sandbox", "--port", "0", *options]) == 2
    assert words in capsys.readouterr().err
