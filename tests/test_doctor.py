"""The doctor: what this machine has and lacks, told without a secret and without a change."""

import sqlite3
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pandas as pd
import pytest

from tests import campaign
from tests.ledger_step_1 import SQLITE
from wa_products.ledger import Ledger
from wa_products.ledger.health import health
from wa_products.ledger.migrations import MIGRATIONS
from wa_products.preflight.machine import doctor

TOKEN = "EAAB-secret-token-of-nobody"  # noqa: S105  # made up
IDS = {"WA_PHONE_NUMBER_ID": "106700000000001", "WA_CATALOG_ID": "194836987003835"}


def told(environ, name, clock=None):
    """Return state, what and what to do of the last finding of that name."""
    every = doctor(environ, clock or campaign.Clock())
    found = every[every["name"] == name].iloc[-1]
    return found["state"], found["what"], found["what_to_do"]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_settings_are_shown_masked(tmp_path):
    """Of a secret its length and where it came from, of an id its end, of a ledger no password; nothing more."""
    path = tmp_path / "token"
    path.write_text(TOKEN)
    path.chmod(0o644)
    environ = {
        **IDS,
        "WA_TOKEN_FILE": str(path),
        "WA_APP_SECRET": "secret-of-the-app",
        "WA_GRAPH_URL": "http://127.0.0.1:9",
    }
    found = doctor(environ, campaign.Clock())
    assert told(environ, "WA_TOKEN") == ("ok", "27 characters, by WA_TOKEN_FILE", "")
    assert told(environ, "WA_CATALOG_ID")[1] == "…3835"
    assert told(environ, "WA_TOKEN_FILE")[::2] == ("warn", f"chmod 600 {path}")
    text = found.to_csv()
    assert not [secret for secret in (TOKEN, "secret-of-the-app", *IDS.values()) if secret in text]


def test_what_is_missing_for_what():
    """Each task has its line: ready, or the settings that it lacks by name."""
    assert told({}, "to send")[:2] == ("warn", "not set: WA_TOKEN, WA_PHONE_NUMBER_ID, WA_CATALOG_ID")
    assert told({"WA_APP_SECRET": "a", "WA_VERIFY_TOKEN": "b"}, "to receive")[0] == "ok"
    assert told({"WA_DRY_RUN": "1"}, "dry run")[0] == "warn"


def test_a_misspelled_setting_is_found():
    """A variable that looks like a setting and is none is told by name."""
    assert told({"WA_PHONE_NUMER_ID": "1"}, "WA_PHONE_NUMER_ID")[0] == "warn"


def test_a_malformed_setting_fails():
    """It is told by name, and everything else is looked at all the same."""
    state, what, _ = told({"WA_RATE": "fast"}, "settings")
    assert (state, "WA_RATE" in what, "fast" in what) == ("fail", True, False)
    assert told({"WA_RATE": "fast"}, "disk")[0] == "ok"


def test_a_ledger_that_is_well(tmp_path):
    """Its size, what it holds and whether others can read it; looking makes none and changes none."""
    url = f"sqlite:///{tmp_path / 'l.db'}"
    assert health(url) is None
    assert not (tmp_path / "l.db").exists()
    with Ledger(url) as ledger:
        ledger.register(campaign.plan(3), campaign.NOW)
    state, what, _ = told({"WA_LEDGER": url}, "ledger")
    assert state == "ok"
    assert "sound" in what
    assert "1 campaigns, 0 messages, 0 webhooks" in what
    (tmp_path / "l.db").chmod(0o644)
    assert told({"WA_LEDGER": url}, "ledger")[0] == "warn"


def test_a_ledger_of_an_earlier_step(tmp_path):
    """It says that it will climb, and does not climb by being looked at."""
    url = f"sqlite:///{tmp_path / 'l.db'}"
    with sqlite3.connect(tmp_path / "l.db") as connection:
        connection.executescript(SQLITE)
        connection.execute("INSERT INTO wa_migrations VALUES (1, 'the first tables', 0)")
    connection.close()
    (tmp_path / "l.db").chmod(0o600)
    for _ in range(2):
        assert f"at step 1, and climbs to {MIGRATIONS[-1].number}" in told({"WA_LEDGER": url}, "ledger")[1]


def test_a_ledger_that_is_damaged_or_something_else(tmp_path):
    """A page that was overwritten is found by the database's own check; another database is told apart."""
    path = tmp_path / "l.db"
    url = f"sqlite:///{path}"
    with Ledger(url) as ledger:
        ledger.register(campaign.plan(300), campaign.NOW)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    content = bytearray(path.read_bytes())
    content[-20_000:] = b"\xff" * 20_000
    path.write_bytes(content)
    state, what, todo = told({"WA_LEDGER": url}, "ledger")
    assert (state, "damaged" in what or "malformed" in what) == ("fail", True)
    assert todo
    with sqlite3.connect(tmp_path / "other.db") as connection:
        connection.execute("CREATE TABLE t (a)")
    connection.close()
    assert "something else" in told({"WA_LEDGER": f"sqlite:///{tmp_path / 'other.db'}"}, "ledger")[1]


class Dated(BaseHTTPRequestHandler):
    """A server that says what time it is."""

    at, asked = campaign.NOW, []

    def do_HEAD(self):  # the name that the server calls
        """Answer as Meta does without a path: some error, and the time."""
        self.asked.append(dict(self.headers))
        self.send_response_only(400)
        self.send_header("Date", format_datetime(self.at.to_pydatetime(), usegmt=True))
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


@pytest.mark.parametrize(("seconds", "state"), [(0, "ok"), (9, "ok"), (-60, "warn"), (600, "fail")])
def test_a_clock_that_is_off(seconds, state):
    """The clock is held against the server's, without the token; how far it is off is said."""
    server = HTTPServer(("127.0.0.1", 0), Dated)
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    environ = {"WA_TOKEN": TOKEN, "WA_GRAPH_URL": f"http://127.0.0.1:{server.server_port}"}
    clock = campaign.Clock(campaign.NOW + pd.Timedelta(seconds=seconds))
    assert told(environ, "clock", clock)[:2] == (state, f"{abs(seconds)} seconds from that of 127.0.0.1")
    server.shutdown()
    server.server_close()
    assert TOKEN not in str(Dated.asked)


def test_without_a_token_nobody_is_asked():
    """No token, no question: the time of this machine is shown as it is."""
    assert "not compared" in told({"WA_GRAPH_URL": "http://127.0.0.1:9"}, "clock")[1]


def test_a_server_that_does_not_answer():
    """That the time cannot be asked is a warning, with what to do."""
    environ = {"WA_TOKEN": TOKEN, "WA_GRAPH_URL": "http://127.0.0.1:9"}
    assert told(environ, "clock") == (
        "warn", "the time of 127.0.0.1 cannot be asked: ConnectError", "mend the network or WA_GRAPH_URL",
    )  # fmt: skip


def test_the_command(tmp_path, typed):
    """It ends with 0 where nothing fails, with 1 where something does, and shows no secret."""
    fine = typed(tmp_path, "doctor", WA_APP_SECRET="secret-of-the-app")  # noqa: S106  # made up
    wrong = typed(tmp_path, "doctor", WA_GRAPH_VERSION="25")
    assert (fine[0], wrong[0]) == (0, 1), fine[1]
    assert "WA_GRAPH_VERSION" in wrong[1]
    assert "secret-of-the-app" not in fine[1]
