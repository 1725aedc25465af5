import gzip
import json
import logging
import socket
import sys
import threading
import time
import traceback

import httpx
import pytest

from tests import campaign
from tests.campaign import plan
from tests.faulty_server import coded, serving
from tests.postgres import ledger_url, postgres  # noqa: F401  # fixtures
from tests.test_client import MESSAGE, SETTINGS, TOKEN
from wa_products import client as client_module
from wa_products import transports
from wa_products.campaigns import send
from wa_products.client import Accepted, Client
from wa_products.errors import CloudAPIError, NotSent, OutcomeUnknown, SettingsError
from wa_products.ledger import Ledger
from wa_products.transports import Fast


@pytest.fixture
def fast():
    """Return a function that makes a client over the fast transport, closed at the end."""
    made = []

    def of(url, **options):
        made.append(Client(SETTINGS, base_url=url, transport=Fast(), **options))
        return made[-1]

    yield of
    for client in made:
        client.close()


def test_accepted(fast):
    """The fast transport posts the very request that the plain one posts, and reads the same answer."""
    with serving() as server:
        assert fast(server.url).send(MESSAGE) == Accepted("wamid.1", "447700900123")
        with Client(SETTINGS, base_url=server.url) as plain:
            plain.send(MESSAGE)
    assert server.taken == [MESSAGE, MESSAGE]
    of_fast, of_plain = ({name.lower(): value for name, value in headers.items()} for headers in server.headers)
    assert of_fast["authorization"] == of_plain["authorization"] == f"Bearer {TOKEN}"
    assert of_fast["content-type"] == of_plain["content-type"]


def test_the_environment(fast, tmp_path, monkeypatch):
    """A proxy of the environment is gone through; passwords that the machine keeps for a host are not looked up."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password theirs\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with serving() as server:
        assert fast(server.url).send(MESSAGE) == Accepted("wamid.1", "447700900123")
        monkeypatch.setenv("http_proxy", server.url)
        assert fast("http://graph.invalid").send(MESSAGE) == Accepted("wamid.2", "447700900123")


@pytest.mark.parametrize("order", ["lost", "reset", "bad json", "no id", "server error", "slow"])
def test_a_lost_answer_is_unknown(fast, order, monkeypatch):
    """A request that was taken and not clearly answered is unknown, and is posted once only."""
    monkeypatch.setattr(client_module, "TIMEOUT", httpx.Timeout(0.3))
    with serving(lambda n, _payload: order if n == 2 else "ok") as server:
        client = fast(server.url)
        client.send(MESSAGE)  # so that the second goes over a connection that has served before
        with pytest.raises(OutcomeUnknown):
            client.send(MESSAGE)
    assert server.requests == 2


def test_what_never_left(fast):
    """A refused connection, and a name that does not exist, provably sent nothing."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}", "http://nowhere.invalid"):
        with pytest.raises(NotSent, match="nothing was sent"):
            fast(url).send(MESSAGE)


def test_a_refusal(fast):
    """A coded refusal is raised as over the plain transport, with what Meta said."""
    refusal = coded(131047, "why", Retry_After="7")
    with serving(lambda _n, _payload: refusal) as server, pytest.raises(CloudAPIError) as caught:
        fast(server.url).send(MESSAGE)
    assert (caught.value.code, caught.value.details, caught.value.retry_after) == (131047, "why", 7)


def test_an_answer_past_the_deadline(fast, monkeypatch):
    """An answer that keeps coming past the deadline is unknown."""
    monkeypatch.setattr(client_module, "DEADLINE", 0.2)
    with serving(lambda _n, _payload: "slow") as server, pytest.raises(OutcomeUnknown, match="TimeoutError"):
        fast(server.url).send(MESSAGE)


def test_an_answer_without_end(fast):
    """An answer far longer than any of the Cloud API is unknown, and is not read to its end."""
    long = json.dumps({"messages": [{"id": "w" * 2_000_000}]}).encode()
    with serving(lambda _n, _payload: (200, long, {})) as server, pytest.raises(OutcomeUnknown, match="too long"):
        fast(server.url).send(MESSAGE)


def test_a_packed_answer(fast):
    """A compressed answer is read like any other."""
    body = gzip.compress(json.dumps({"messages": [{"id": "wamid.packed"}]}).encode())
    with serving(lambda _n, _payload: (200, body, {"Content-Encoding": "gzip"})) as server:
        assert fast(server.url).send(MESSAGE) == Accepted("wamid.packed")


def test_many_at_once(fast):
    """Messages begun without waiting are in flight together and each has its own answer."""
    together = threading.Barrier(20)

    def orders(_n, _payload):
        together.wait(20)  # no request is answered before the twentieth has come
        return "ok"

    with serving(orders, locked=False) as server:
        client = fast(server.url)
        futures = [client.submit({**MESSAGE, "to": f"+{campaign.phone(n)}"}) for n in range(20)]
        answers = [future.result(30) for future in futures]
    assert [answer.wa_id for answer in answers] == [campaign.phone(n) for n in range(20)]


def test_closed_in_mid_flight():
    """What is in flight when the client closes ends as unknown, and does not hang."""
    with serving(lambda _n, _payload: "slow") as server:
        client = Client(SETTINGS, base_url=server.url, transport=Fast())
        future = client.submit(MESSAGE)
        while not server.taken:
            time.sleep(0.01)
        client.close()
        with pytest.raises(OutcomeUnknown):
            future.result(5)


def test_the_token_is_never_shown(fast, caplog):
    """The token and the address are in no repr, log or traceback of a failed send."""
    caplog.set_level(logging.DEBUG)
    with serving(lambda _n, _payload: "lost") as server:
        client = fast(server.url)
        shown = [repr(client), repr(vars(client)), repr(client._fast)]
        try:
            client.send(MESSAGE)
        except OutcomeUnknown as error:
            shown += [traceback.format_exc(), repr(error), repr(error.__context__), repr(error.__cause__)]
    assert len(shown) == 7
    assert TOKEN not in "".join(shown) + caplog.text
    assert "7700900123" not in "".join(shown) + caplog.text


@pytest.mark.parametrize("missing", ["httpx_aiohttp", "aiohttp"])
def test_without_the_extra(monkeypatch, missing):
    """Without the extra one sentence says what to install."""
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(SettingsError, match=r"wa-products\[fast\]"):
        Fast()


def test_without_uvloop(monkeypatch):
    """Without uvloop the loop of the standard library serves."""
    monkeypatch.setitem(sys.modules, "uvloop", None)
    loop = transports._new_loop()
    assert type(loop).__module__.startswith("asyncio")
    loop.close()


def test_a_campaign_with_faults(ledger_url, fast):  # noqa: F811  # the fixture
    """A campaign over the fast transport posts each customer once whatever is lost, and webhooks settle the rest."""
    faults = {3: "lost", 8: "reset", 13: coded(131056), 18: "server error", 23: "bad json", 28: "no id", 30: coded(100)}
    with Ledger(ledger_url) as ledger, serving(lambda n, _payload: faults.get(n, "ok")) as server:
        for _ in range(2):
            clock = campaign.Clock()
            outcomes = send(
                plan(60), ledger=ledger, client=fast(server.url, clock=clock), dry_run=False, progress=False
            )
        assert outcomes["outcome"].value_counts().to_dict() == {"accepted": 54, "unknown": 5, "refused": 1}
        ledger.store([server.statuses(at=int(campaign.NOW.timestamp()))])
        settled = ledger.rows("c1")["outcome"]
    assert (len(server.taken), server.doubles(), server.requests) == (59, 0, 61)
    assert settled.value_counts().to_dict() == {"accepted": 59, "refused": 1}
