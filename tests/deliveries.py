"""A client that delivers webhooks as Meta does: many at once, some twice, each again and again until 200."""

import asyncio
import hashlib
import hmac
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

SECRET, VERIFY = "app-secret", "verify-token"  # made up
PATIENCE = 30.0


def signed(body, secret=SECRET):
    """Return the value of the signature header of a body."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def receipts(count):
    """Return the bodies of `count` receipts, one each, and the ids of their events."""
    bodies, ids = [], []
    for n in range(count):
        status = ("sent", "delivered", "read")[n % 3]
        told = {"id": f"wamid.{n // 3:032x}", "status": status, "timestamp": str(1_795_334_400 + n // 80)}
        told |= {"recipient_id": f"1555{n // 300 % 1000:03d}01{n // 3 % 100:02d}", "biz_opaque_callback_data": f"{n}"}
        change = {"field": "messages", "value": {"metadata": {"phone_number_id": "1067"}, "statuses": [told]}}
        body = {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}
        bodies.append(json.dumps(body).encode())
        ids.append(f"{told['id']}:{status}")
    return bodies, ids


async def nothing(scope, receive, send):
    """Answer 200 and keep nothing: an ASGI app to measure the receiver by."""
    if scope["type"] == "http":
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


class Receiver:
    """
    The command `wa-products receive` on a port of its own, that can be killed and begun again.

    With `app` (``module:name``) that is served by uvicorn instead.
    """

    def __init__(self, url, folder, *, app=""):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("WA_")}
        self._env = clean | {"WA_APP_SECRET": SECRET, "WA_VERIFY_TOKEN": VERIFY, "WA_LEDGER": url}
        self._command = [sys.executable, "-m", "wa_products", "receive", "--port", str(self.port)]
        if app:
            self._command = [sys.executable, "-m", "uvicorn", app, "--port", str(self.port), "--no-access-log"]
        self._folder, self.kills, self.process = folder, 0, None

    def begin(self):
        """Start it, and wait until it listens."""
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(self._command, env=self._env, cwd=self._folder, **quiet)
        until = time.monotonic() + 120
        while time.monotonic() < until and self.process.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.02)
        raise RuntimeError("the receiver did not begin")

    def kill(self):
        """End it as a crash would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.kills += 1

    def end(self):
        """End it as an operator would."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)

    def used(self):
        """Return the seconds of processor time it used so far."""
        told = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


@dataclass
class Delivery:
    """What came of a delivery: the seconds it took, how many attempts there were, and the answers that were not 200."""

    seconds: float = 0.0
    attempts: int = 0
    others: dict = field(default_factory=dict)


def deliver(receiver, bodies, *, lines=64, repeats=0.1, kills=0, seed=7):
    """Deliver `bodies` in any order over `lines` connections; kill the receiver `kills` times on the way."""
    chance = random.Random(seed)  # noqa: S311  # seeded, not secret
    queue = bodies + chance.sample(bodies, int(len(bodies) * repeats))
    chance.shuffle(queue)
    with ThreadPoolExecutor(1) as own:  # a browser's loop may be going on in this thread
        return own.submit(asyncio.run, _delivered(receiver, queue, lines, kills)).result()


async def _delivered(receiver, queue, lines, kills):
    told, total = Delivery(), len(queue)
    waiting = list(queue)
    marks = {total * (kills - n) // (kills + 1): asyncio.Event() for n in range(kills)}

    async def killer():
        for mark in sorted(marks, reverse=True):
            await marks[mark].wait()
            await asyncio.to_thread(receiver.kill)
            await asyncio.to_thread(receiver.begin)

    async def line():
        open_line = None
        while waiting:
            body = waiting.pop()
            if len(waiting) in marks:
                marks[len(waiting)].set()
            open_line = await _until_taken(receiver.port, open_line, body, told)
        if open_line is not None:
            open_line[1].close()

    began = time.perf_counter()
    await asyncio.gather(killer(), *(line() for _ in range(lines)))
    told.seconds = time.perf_counter() - began
    return told


async def _until_taken(port, open_line, body, told):
    """Deliver a body until it is answered with 200; return the connection to go on with."""
    while True:
        told.attempts += 1
        try:
            open_line = open_line or await asyncio.open_connection("127.0.0.1", port)
            status = await asyncio.wait_for(_post(*open_line, body), PATIENCE)
        except (OSError, EOFError, TimeoutError):
            status = "broken"
        if status == 200:
            return open_line
        told.others[status] = told.others.get(status, 0) + 1
        if open_line is not None:
            open_line[1].close()
        open_line = None
        await asyncio.sleep(0.05)


async def _post(reader, writer, body):
    head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\nX-Hub-Signature-256: {signed(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    told = await reader.readuntil(b"\r\n\r\n")
    size = int(told.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
    await reader.readexactly(size)
    return int(told.split(b" ", 2)[1])
