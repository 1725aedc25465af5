"""The receiver, asked as Meta and as strangers would ask it."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress

import httpx
import pytest

from tests.campaign import SETTINGS, says
from tests.deliveries import SECRET, VERIFY, Receiver, deliver, receipts
from tests.deliveries import signed as signature
from tests.postgres import ledger_url, postgres  # noqa: F401  # fixtures
from wa_products.errors import SettingsError
from wa_products.ledger import Ledger
from wa_products.receiver import BODY_LIMIT, app, writers
from wa_products.settings import Settings

RECEIVING = Settings(app_secret=SECRET, verify_token=VERIFY)


@pytest.fixture
def ledger(ledger_url):  # noqa: F811  # the fixture
    """Return an empty ledger, on SQLite and on PostgreSQL."""
    with Ledger(ledger_url) as made:
        yield made


@pytest.fixture
def small(tmp_path):
    """Return an empty ledger in a file."""
    with Ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as made:
        yield made


def raw(n=0, text="hello"):
    """Return the bytes of a webhook of the n-th customer."""
    return json.dumps(says(n, text)).encode()


def signed(body, secret=SECRET):
    """Return the headers of a body."""
    return {"X-Hub-Signature-256": signature(body, secret)}


def posting(ledger, work, counts=None):
    """Run `work(client)` against a receiver of `ledger` in process; return what it returns."""

    async def run():
        made = app(RECEIVING, ledger)
        transport = httpx.ASGITransport(made)
        async with (
            made.router.lifespan_context(made),
            httpx.AsyncClient(transport=transport, base_url="http://receiver") as client,
        ):
            found = await work(client)
        if counts is not None:
            counts.append((made.state.counts.stored, made.state.counts.refused))
        return found

    return asyncio.run(run())


async def post(client, body):
    """Return the answer to a body rightly signed."""
    return await client.post("/", content=body, headers=signed(body))


def test_the_handshake(small):
    """The challenge comes back, bare, to whoever knows the verify token, and to nobody else."""
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": VERIFY}

    async def work(client):
        answer = await client.get("/webhook", params=asked)
        assert (answer.status_code, answer.text) == (200, "1158201444")
        for wrong in ({"hub.verify_token": "other"}, {"hub.verify_token": "\u00e9"}, {"hub.mode": "unsubscribe"}):
            assert (await client.get("/webhook", params=asked | wrong)).status_code == 403
        assert (await client.get("/webhook")).status_code == 403
        assert (await client.get("/health")).status_code == 200

    posting(small, work)


def test_what_was_answered_is_committed(ledger, ledger_url):  # noqa: F811  # the fixture
    """Whatever is answered with 200 is in the database, raw and read, before the answer; twice is once."""

    async def work(client):
        with Ledger(ledger_url) as reader:
            for _ in range(2):
                assert (await post(client, raw())).status_code == 200
                assert reader.events()["text"].tolist() == ["hello"]
                assert list(reader.webhooks()) == [raw()]

    posting(ledger, work)


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (raw(), {}, 403),
        (raw(), signed(raw(), "other"), 403),
        (raw(), signed(raw(1)), 403),
        (raw() + b" ", signed(raw()), 403),
        (raw(), {"X-Hub-Signature-256": "sha256="}, 403),
        (raw(), {"X-Hub-Signature": signed(raw())["X-Hub-Signature-256"]}, 403),
        (b"", signed(b""), 400),
        (b"{", signed(b"{"), 400),
        (b"\xff\xfe", signed(b"\xff\xfe"), 400),
        (b"x" * (BODY_LIMIT + 1), signed(b"x" * (BODY_LIMIT + 1)), 413),
    ],
    ids=range(10),
)
def test_what_is_refused_changes_nothing(small, body, headers, status):
    """A forged, malformed or oversized request is refused, and the ledger stays as it was."""
    counts = []

    async def work(client):
        assert (await client.post("/", content=body, headers=headers)).status_code == status
        assert (await client.put("/", content=raw(), headers=signed(raw()))).status_code == 405

    posting(small, work, counts)
    assert list(small.webhooks()) == []
    assert counts == [(0, 1)]


def test_what_is_signed_is_kept_whatever_it_says(small):
    """Any JSON under our secret is stored, that of no known shape, and too deep to be read, too."""
    bodies = [b"[]", b"7", b'{"entry": 7}', b"[" * 100_000 + b"]" * 100_000]

    async def work(client):
        assert [(await post(client, body)).status_code for body in bodies] == [200] * 4

    posting(small, work)
    assert list(small.webhooks()) == bodies
    assert set(small.events()["kind"]) == {"unsupported"}


def test_a_stream_that_never_says_its_length_is_cut_off(small):
    """A body without a length is read no further than the limit."""
    read = []

    async def endless():
        for _ in range(BODY_LIMIT // 65536 * 5):
            read.append(65536)
            yield b"x" * 65536

    async def work(client):
        answer = await client.post("/", content=endless(), headers={"X-Hub-Signature-256": "x"})
        assert answer.status_code == 413

    posting(small, work)
    assert sum(read) <= BODY_LIMIT + 2 * 65536


def test_settings_are_asked_for():
    """Without the app secret and the verify token there is no receiver: anybody could fill the ledger."""
    with Ledger("sqlite://") as ledger, pytest.raises(SettingsError, match=r"WA_APP_SECRET.*WA_VERIFY_TOKEN"):
        app(SETTINGS, ledger)


class Stuck:
    """A ledger whose commits end when they are told to, well or badly."""

    def __init__(self):
        self.commits, self.error = [], None
        self.begun, self.go = threading.Event(), threading.Event()

    def store(self, bodies):
        """Remember a commit, and wait until it may end."""
        self.commits.append(len(bodies))
        self.begun.set()
        self.go.wait()
        if self.error:
            raise self.error


def test_what_comes_meanwhile_is_of_the_next_commit():
    """While one commit is under way, all that comes is gathered into the next."""
    ledger = Stuck()

    async def work(client):
        first = asyncio.create_task(post(client, raw(0)))
        await asyncio.to_thread(ledger.begun.wait)
        others = [asyncio.create_task(post(client, raw(n))) for n in range(1, 30)]
        await asyncio.sleep(0.2)
        assert not first.done()
        ledger.go.set()
        return [(await each).status_code for each in (first, *others)]

    assert posting(ledger, work) == [200] * 30
    assert ledger.commits == [1, 29]


def test_too_much_is_put_off(monkeypatch):
    """Where as much waits as may, the next is answered 503 at once, and taken when there is room again."""
    monkeypatch.setattr(writers, "WAITING", 3)
    ledger = Stuck()

    async def work(client):
        waiting = [asyncio.create_task(post(client, raw(n))) for n in range(3)]
        await asyncio.sleep(0.1)
        put_off = await post(client, raw(3))
        ledger.go.set()
        done = [(await each).status_code for each in waiting]
        return put_off, [*done, (await post(client, raw(3))).status_code]

    put_off, codes = posting(ledger, work)
    assert (put_off.status_code, put_off.headers["retry-after"]) == (503, "1")
    assert codes == [200] * 4


def test_a_ledger_that_fails_is_told(caplog):
    """Where the ledger cannot be written to, 503 is answered, nothing personal is logged, and health says so."""
    ledger = Stuck()
    ledger.error = OSError("disk full, with +44 7700 900000 in it")
    ledger.go.set()

    async def work(client):
        failed = [await post(client, raw()), await client.get("/health")]
        ledger.error = None
        return [each.status_code for each in (*failed, await post(client, raw()), await client.get("/health"))]

    assert posting(ledger, work) == [503, 503, 200, 200]
    assert "7700" not in caplog.text
    assert "OSError" in caplog.text


def test_who_goes_away_loses_nothing(small):
    """A body whose sender hangs up while it is written is written all the same."""

    async def work(client):
        task = asyncio.create_task(post(client, raw()))
        await asyncio.sleep(0.01)
        task.cancel()
        return (await post(client, raw(1))).status_code

    assert posting(small, work) == 200
    assert len(list(small.webhooks())) in (1, 2)


# Over real sockets, as a command.


@contextmanager
def receiving(url, cwd, **environment):
    """Run the command; yield the port it took and the process."""
    names = {"WA_APP_SECRET": SECRET, "WA_VERIFY_TOKEN": VERIFY, "WA_LEDGER": url, "PYTHONUNBUFFERED": "1"}
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WA_")}
    command = [sys.executable, "-m", "wa_products", "receive", "--port", "0"]
    with subprocess.Popen(
        command, cwd=cwd, env=clean | names | environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            said = process.stdout.readline()
            assert said, process.stderr.read()
            yield int(said.split("127.0.0.1:")[1].split()[0]), process
        finally:
            process.kill()


def hung_up(line):
    """Return whether the other side hangs up within 20 seconds."""
    line.settimeout(20)
    with suppress(ConnectionError):
        while line.recv(1000):
            pass
    return True


def test_the_command(tmp_path):
    """The command says where it receives, stores what comes, refuses what dawdles, and counts when it is stopped."""
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    with receiving(url, tmp_path) as (port, process):
        address = f"http://127.0.0.1:{port}/"
        assert httpx.post(address, content=raw(), headers=signed(raw())).status_code == 200
        assert httpx.post(address, content=raw(1), headers=signed(raw())).status_code == 403
        with socket.create_connection(("127.0.0.1", port)) as line:
            line.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000)
            line.settimeout(20)
            assert hung_up(line)
        taken = subprocess.run(
            [sys.executable, "-m", "wa_products", "receive", "--port", str(port)],
            env=os.environ | {"WA_APP_SECRET": "a", "WA_VERIFY_TOKEN": "b", "WA_LEDGER": url},
            capture_output=True, text=True, cwd=tmp_path, check=False,
        )  # fmt: skip
        assert taken.returncode == 2
        assert f"port {port}" in taken.stderr
        process.send_signal(2)
        told, wrong = process.communicate(timeout=30)
    assert process.returncode == 0, wrong
    assert "1 webhooks stored, 1 refused" in told
    assert wrong == ""
    for said in (told, wrong):
        assert VERIFY not in said
        assert SECRET not in said
    with Ledger(url) as ledger:
        assert len(ledger.events()) == 1


@pytest.mark.slow
def test_who_dawdles_is_hung_up_on(tmp_path):
    """Headers and bodies that do not arrive in time are given up, and others are served meanwhile."""
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    with receiving(url, tmp_path) as (port, _):
        heads = [b"POST / HT", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{"]
        lines = [socket.create_connection(("127.0.0.1", port)) for _ in heads]
        for line, head in zip(lines, heads, strict=True):
            line.sendall(head)
        assert httpx.post(f"http://127.0.0.1:{port}/", content=raw(), headers=signed(raw())).status_code == 200
        answers = []
        for line in lines:
            line.settimeout(60)
            try:
                answers.append(line.recv(1000))
            except ConnectionError:
                answers.append(b"")
            line.close()
        assert answers[0] == b""
        assert answers[1].startswith(b"HTTP/1.1 408")
    with Ledger(url) as ledger:
        assert len(ledger.events()) == 1


def test_without_secrets_the_command_says_what_to_set(tmp_path):
    """What is missing is named, and nothing is made."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WA_")}
    told = subprocess.run(
        [sys.executable, "-m", "wa_products", "receive"], env=clean, capture_output=True, text=True, cwd=tmp_path,
        check=False,
    )  # fmt: skip
    assert told.returncode == 2
    assert "WA_APP_SECRET" in told.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_nothing_is_lost_when_it_is_killed(ledger_url, tmp_path):  # noqa: F811  # the fixture
    """Killed again and again under load, it loses no event that it answered with 200, and stores none twice."""
    receiver = Receiver(ledger_url, tmp_path)
    receiver.begin()
    bodies, ids = receipts(1500)
    try:
        told = deliver(receiver, bodies, lines=32, kills=3)
    finally:
        receiver.end()
    assert receiver.kills == 3
    assert told.attempts > len(bodies)
    with Ledger(ledger_url) as ledger:
        assert sorted(ledger.events()["event_id"]) == sorted(ids)
        assert sorted(ledger.webhooks()) == sorted(bodies)
