import json
import logging
import socket
import traceback

import httpx
import pandas as pd
import pytest

from tests.faulty_server import coded, serving
from wa_products import client as client_module
from wa_products import codes, errors
from wa_products.client import Accepted, Client
from wa_products.errors import CloudAPIError, NotInCatalog, NotSent, OutcomeUnknown, RateLimited
from wa_products.payloads import single_product
from wa_products.settings import Settings

TOKEN = "EAAB-secret-token"  # noqa: S105  # made up
SETTINGS = Settings(token=TOKEN, phone_number_id="1067", catalog_id="194836987003835")
MESSAGE = single_product(to="+447700900123", catalog_id="194836987003835", product_retailer_id="S7", opaque="s1")


def send(order):
    """Send one message to a server that answers by `order`; return what came back and the server's memory."""
    with serving(lambda _n, _payload: order) as server, Client(SETTINGS, base_url=server.url) as client:
        try:
            return client.send(MESSAGE), server
        except errors.WaProductsError as error:
            return error, server


def test_accepted():
    """An accepted message gives its wamid and wa_id, and went to the number's address with the token."""
    accepted, server = send("ok")
    assert accepted == Accepted("wamid.1", "447700900123")
    assert server.taken == [MESSAGE]
    assert server.headers[0]["Authorization"] == f"Bearer {TOKEN}"


def test_the_address():
    """The request goes to the version and the number of the settings."""
    seen = []

    def answer(request):
        seen.append(request.url)
        return httpx.Response(200, json={"messages": [{"id": "w"}], "contacts": [{"user_id": "GB.1"}]})

    with Client(SETTINGS, transport=httpx.MockTransport(answer)) as client:
        assert client.send(MESSAGE) == Accepted("w", user_id="GB.1")
        assert client.workers == 1
    assert str(seen[0]) == "https://graph.facebook.com/v25.0/1067/messages"


@pytest.mark.parametrize("order", ["lost", "reset", "bad json", "no id", "server error"])
def test_a_lost_answer_is_unknown(order):
    """A request that was taken and not clearly answered is unknown, and is posted once only."""
    error, server = send(order)
    assert isinstance(error, OutcomeUnknown)
    assert server.requests == 1


def test_an_answer_that_never_ends_is_unknown(monkeypatch):
    """An answer that stalls is given up after the timeout and is unknown."""
    monkeypatch.setattr(client_module, "TIMEOUT", httpx.Timeout(0.2))
    error, server = send("slow")
    assert isinstance(error, OutcomeUnknown)
    assert server.requests == 1


def test_an_answer_that_drips_is_unknown(monkeypatch):
    """An answer that keeps coming past the deadline is unknown."""
    monkeypatch.setattr(client_module, "DEADLINE", -1.0)
    assert isinstance(send("ok")[0], OutcomeUnknown)


def test_nothing_listens():
    """A refused connection, and a name that does not exist, provably sent nothing."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}", "http://nowhere.invalid"):
        with Client(SETTINGS, base_url=url) as client, pytest.raises(NotSent, match="nothing was sent"):
            client.send(MESSAGE)


@pytest.mark.parametrize("code", [*codes.RULES, 250, 132001, 999_999])
def test_every_code_has_its_class(code):
    """Every code of the table, of a range and of the future is raised as its class with all that Meta said."""
    error, server = send(coded(code, "more", status=500, Retry_After="7"))
    assert type(error) is codes.rule(code, "more", 500).error or code == 0
    assert (error.code, error.details, error.fbtrace_id, error.http_status) == (code, "more", "A1", 500)
    assert error.retry_after == 7
    assert server.taken == []


@pytest.mark.parametrize(
    ("details", "kind", "action"),
    [
        ("Products not found in FB Catalog", NotInCatalog, "drop"),
        ("product not found for product_retailer_id, S7, in catalog_id, 1", NotInCatalog, "drop"),
        ("Check if catalog is linked to the WhatsApp Business Account and ...", NotInCatalog, "stop"),
        ("The parameter interactive['header'] is not allows", CloudAPIError, "fix"),
    ],
)
def test_131009_by_its_details(details, kind, action):
    """The one code for many faults is told apart by its details."""
    assert type(send(coded(131009, details))[0]) is kind
    assert codes.rule(131009, details).action == action


@pytest.mark.parametrize(
    ("status", "kind", "action"),
    [
        (429, RateLimited, "retry"),
        (401, errors.AuthError, "stop"),
        (403, errors.AuthError, "stop"),
        (404, errors.AuthError, "stop"),
        (400, CloudAPIError, "fix"),
        (301, CloudAPIError, "fix"),
    ],
)
def test_a_refusal_without_a_code(status, kind, action):
    """A refusal without a code goes by its HTTP status."""
    error, _ = send((status, b"<html>", {}))
    assert type(error) is kind
    assert codes.rule(error.code, error.details, error.http_status).action == action


@pytest.mark.parametrize("data", ["text", None, [], {"details": 7}])
def test_error_data_of_any_shape(data):
    """Error data of any shape does not hide the code."""
    body = json.dumps({"error": {"code": 131047, "message": None, "error_data": data}}).encode()
    error, _ = send((400, body, {}))
    assert isinstance(error, errors.WindowClosed)
    assert error.message


def test_the_token_is_never_shown(caplog):
    """The token is in no repr, log or traceback of a failed send."""
    caplog.set_level(logging.DEBUG)
    with serving(lambda _n, _payload: "lost") as server, Client(SETTINGS, base_url=server.url) as client:
        shown = [repr(client), repr(client._http), repr(vars(client)), repr(SETTINGS)]
        try:
            client.send(MESSAGE)
        except OutcomeUnknown as error:
            shown += [traceback.format_exc(), repr(error), repr(error.__context__)]
    assert len(shown) == 7
    assert caplog.records
    assert TOKEN not in "".join(shown) + caplog.text
    assert "7700900123" not in "".join(shown) + caplog.text


def test_the_clock():
    """A client tells the time in UTC."""
    with Client(SETTINGS) as client:
        assert abs(client.now() - pd.Timestamp.now("UTC")) < pd.Timedelta("1s")
        assert str(client.now().tz) == "UTC"


def test_retries_wait_longer_each_time():
    """The pair limit is waited out 1, 4, 16 s and then given up; a longer Retry-After is honoured."""
    rule = codes.rule(131056)
    assert [codes.pause(rule, tries) for tries in (1, 2, 3, 4)] == [1, 4, 16, None]
    assert codes.pause(rule, 1, retry_after=30) == 30
    assert codes.pause(codes.rule(131047), 1) is None


def test_every_action_is_of_its_class():
    """What stops a campaign is never the fault of one customer; what suppresses one is final for them."""
    for code, rule in codes.RULES.items():
        if rule.action == "stop":
            assert not rule.suppress, code
        if rule.suppress:
            assert (rule.error, rule.action) == (errors.RecipientError, "drop"), code
        assert (rule.pause > 0) == (rule.action == "retry"), code
