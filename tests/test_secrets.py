"""The token is nowhere but in the request: not in a repr, log, warning, traceback, ledger, report or notebook."""

import json
import logging
import traceback
from pathlib import Path

import httpx
import pytest
from IPython.core.interactiveshell import InteractiveShell

from tests.campaign import NOW, Clock, plan
from tests.faulty_server import coded, serving
from wa_products import sandbox
from wa_products.campaigns import measure, send
from wa_products.client import Client
from wa_products.errors import WaProductsError
from wa_products.ledger import Ledger
from wa_products.preflight import check
from wa_products.reports import report
from wa_products.settings import Settings

ROOT = Path(__file__).parent.parent
TOKEN = "EAAB/secret|token+of=mine"  # noqa: S105  # made up, with what encodings change
FORMS = (TOKEN, json.dumps(TOKEN)[1:-1], TOKEN.replace("/", "\\/"), "secret|token", "secret%7Ctoken", "secret\\u007c")
SETTINGS = Settings(token=TOKEN, phone_number_id="1067", catalog_id="194836987003835")
ECHO = f"Malformed access token {TOKEN}"
PHP = (
    json.dumps({"error": {"code": 190, "message": ECHO, "error_data": {"details": ECHO}}}).replace("/", "\\/").encode()
)


def leaks(*texts):
    """Return every form of the token that stands in `texts`."""
    whole = "\n".join(text if isinstance(text, str) else text.decode("utf-8", "replace") for text in texts)
    return [form for form in FORMS if form in whole]


def test_the_search_finds_a_token():
    """The search of these tests finds a token that is there, however it is written."""
    assert leaks(f"Bearer {TOKEN}") != []
    assert leaks(str(httpx.URL("https://x/", params={"t": TOKEN}))) != []
    assert leaks(PHP) != []


@pytest.mark.filterwarnings("ignore:the campaign")
@pytest.mark.parametrize(
    "order",
    ["ok", "lost", "bad json", coded(131026, ECHO), coded(190, ECHO), (401, PHP, {})],
    ids=["ok", "lost", "bad json", "refused", "stopped", "escaped"],
)
def test_a_campaign_leaves_no_token_behind(tmp_path, caplog, capfd, order):
    """Whatever the server answers, even the token itself, a campaign and all its files and words are free of it."""
    caplog.set_level(logging.DEBUG)
    with (
        serving(lambda n, _payload: order if n == 2 else "ok") as server,
        Client(SETTINGS, base_url=server.url, clock=Clock()) as client,
        Ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger,
    ):
        outcomes = send(plan(6), ledger=ledger, client=client, dry_run=False, progress=True)
        found = check(client, plan(6))
        results = measure(ledger, campaign="c1")
        report(results, tmp_path / "report.html")
        plan(6).save(tmp_path / "plan.jsonl")
        shown = [repr(each) for each in (client, vars(client), client._http, SETTINGS, ledger, results, outcomes.attrs)]
        assert any(TOKEN in headers["Authorization"] for headers in server.headers)
        files = [path.read_bytes() for path in tmp_path.iterdir()]
    assert len(files) >= 3
    printed = capfd.readouterr()
    assert leaks(*shown, outcomes.to_csv(), found.to_csv(), caplog.text, *printed, *files) == []


BROKEN = """
from tests.test_secrets import SETTINGS, ECHO, failing
client = failing()
client
client.send({"to": "+447700900123"})
client.token_facts()
client.get("1067", fields="id")
client.limit()
SETTINGS
"""


def failing():
    """Return a client whose every request is refused with the token in the answer, or breaks inside httpx."""

    def answer(request):
        if request.method == "POST":
            raise httpx.ReadError(f"lost {request.headers['Authorization']}", request=request)
        return httpx.Response(401, content=PHP)

    return Client(SETTINGS, transport=httpx.MockTransport(answer), clock=Clock(NOW))


def test_no_traceback_shows_it(caplog):
    """Raised inside the client, no error of ours has the token in its words, its chain or its variables."""
    caplog.set_level(logging.DEBUG)
    with failing() as client:
        for call in (lambda: client.send({}), client.token_facts, lambda: client.get("1067")):
            with pytest.raises(WaProductsError) as caught:
                call()
            error = caught.value.with_traceback(caught.value.__traceback__.tb_next.tb_next)
            told = traceback.TracebackException.from_exception(error, capture_locals=True)
            assert leaks("".join(told.format()), str(error), repr(error), repr(vars(error))) == []
    assert leaks(caplog.text) == []
    assert "debug_token" in caplog.text


def test_no_notebook_shows_it(capsys):
    """In a notebook with the most talkative tracebacks, cells that show or break a client print no token."""
    shell = InteractiveShell.instance()
    try:
        shell.run_line_magic("xmode", "Verbose")
        results = [shell.run_cell(line) for line in BROKEN.strip().splitlines()]
    finally:
        InteractiveShell.clear_instance()
    printed = capsys.readouterr()
    assert sum(not result.success for result in results) == 3
    assert "Traceback" in printed.out
    assert "AuthError" in printed.out
    assert "OutcomeUnknown" in printed.out
    assert leaks(printed.out, printed.err) == []


def test_nothing_committed_holds_one():
    """No notebook, document or plan of the repository holds anything like a token, the sandbox's own aside."""
    files = [
        path
        for pattern in ("*.md", "notebooks/*.ipynb", "docs/**/*.md", "data/**/*.toml")
        for path in ROOT.glob(pattern)
    ]
    assert len(files) >= 4
    for path in files:
        text = path.read_text("utf-8")
        assert "Bearer " not in text, path
        assert "EAA" not in text, path
        assert sandbox.TOKEN not in text, path
