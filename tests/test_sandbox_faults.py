"""Faults on demand, in process and over HTTP: what the sender learns, and whether the message was taken."""

import httpx
import pytest

from tests.sandbox_calls import FIRST, MESSAGES, failed, message, plain_http, told
from tests.sandbox_shop import phone, shop
from tests.test_sandbox_http import served
from wa_products import sandbox
from wa_products.client import Client
from wa_products.errors import CloudAPIError, DataError, OutcomeUnknown, RateLimited

DATA = shop()
SECOND = f"+{phone(1)}"
UNKNOWN = ["lost", "reset", "slow", "5xx", "bad json"]
TAKEN = {"lost", "slow", "bad json"}


@pytest.fixture
def made():
    """Return a new sandbox."""
    return sandbox.Sandbox(DATA)


def taken(sandbox):
    """Return how many messages were taken."""
    return len(sandbox._world.desk.messages)


@pytest.mark.parametrize("what", UNKNOWN)
def test_an_answer_that_is_none(made, what):
    """A lost, reset, slow, broken or senseless answer leaves the outcome unknown; only some of the messages arrive."""
    made.faults.add(what, times=1, seconds=60)
    with made.client() as client:
        with pytest.raises(OutcomeUnknown):
            client.send(message(opaque="send-1"))
        assert taken(made) == (what in TAKEN)
        assert client.send(message(to=SECOND)).wamid
    arrived = told(made.advance("1h"))
    assert ("send-1" in set(arrived["send_id"])) == (what in TAKEN)


def test_a_fault_may_be_taken_otherwise(made):
    """A server error after the message was taken, and a lost answer before, can be asked for."""
    made.faults.add("5xx", times=1, taken=True, status=502)
    made.faults.add("lost", times=1, taken=False)
    with made.client() as client:
        for count in (1, 1):
            with pytest.raises(OutcomeUnknown):
                client.send(message())
            assert taken(made) == count


def test_a_slow_answer_within_patience_is_an_answer(made):
    """An answer that is slower than usual but not too slow is the right one, and the sandbox's time has passed."""
    made.faults.add("slow", seconds=7)
    with made.client() as client:
        before = made.now
        assert client.send(message()).wamid
    assert (made.now - before).total_seconds() == 7


def test_too_many_requests(made):
    """HTTP 429 without a code is a refusal to wait for, with the pause that it names."""
    made.faults.add("429", times=1, retry_after=3)
    answer = plain_http(made).post(MESSAGES, json=message())
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "3")
    made.faults.add("429", times=1)
    with made.client() as client, pytest.raises(CloudAPIError):
        client.send(message())
    assert taken(made) == 0


@pytest.mark.parametrize(
    ("code", "status", "words"),
    [
        (2, 503, "Service temporarily unavailable"),
        (4, 400, "Application request limit reached"),
        (368, 403, "Temporarily blocked for policies violations"),
        (130429, 400, "Rate limit hit"),
        (131016, 500, "Service unavailable"),
        (131031, 403, "Business Account locked"),
        (131048, 400, "Spam rate limit hit"),
        (131056, 400, "(Business Account, Consumer Account) pair rate limit hit"),
        (133010, 400, "Phone number not registered"),
    ],
)
def test_a_code_at_once(made, code, status, words):
    """A code that Meta tells at once comes as a refusal with its HTTP status and words, and nothing is taken."""
    made.faults.add("code", code=code, details="as ordered", times=1)
    answer = plain_http(made).post(MESSAGES, json=message())
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["message"]) == (status, code, f"(#{code}) {words}")
    assert error["error_data"]["details"] == "as ordered"
    assert taken(made) == 0


@pytest.mark.parametrize("code", [130472, 131026, 131047, 131049, 131050])
def test_a_code_later(made, code):
    """A code that Meta tells later comes as a failed status after a 200."""
    made.faults.add("code", code=code, times=1)
    with made.client() as client:
        wamid = client.send(message()).wamid
    assert failed(made)[["wamid", "code"]].to_numpy().tolist() == [[wamid, code]]


def test_our_client_tells_them_apart(made):
    """Codes arrive at our client as the errors that a caller catches."""
    made.faults.add("code", code=131056, times=1)
    made.faults.add("code", code=131047, times=1)
    with made.client() as client:
        with pytest.raises(RateLimited):
            client.send(message())
        client.send(message())
    assert failed(made)["code"].tolist() == [131047]


def spoiled(sandbox, numbers):
    """Return which of the messages to these numbers were refused."""
    http = plain_http(sandbox)
    return [http.post(MESSAGES, json=message(to=number)).status_code != 200 for number in numbers]


def test_the_next_ones(made):
    """`times` spoils that many messages from now on."""
    made.faults.add("5xx", times=2)
    assert spoiled(made, [FIRST] * 4) == [True, True, False, False]


def test_every_nth(made):
    """`every` spoils each n-th, `times` of them at most."""
    made.faults.add("429", every=3, times=2)
    assert spoiled(made, [FIRST] * 10) == [False, False, True] * 2 + [False] * 4


def test_this_customer(made):
    """`customer_id` spoils the messages to one customer, counted alone, by whatever address."""
    who = DATA.threads.loc[DATA.threads["to"] == SECOND, "customer_id"].iloc[0]
    made.faults.add("5xx", customer_id=who, every=2)
    assert spoiled(made, [FIRST, SECOND, FIRST, SECOND, SECOND, FIRST]) == [False, False, False, True, False, False]


def test_the_first_rule_that_fits(made):
    """Rules are asked in order; cleared, nothing goes wrong."""
    made.faults.add("code", code=2, times=1)
    made.faults.add("429", times=1)
    assert [plain_http(made).post(MESSAGES, json=message()).status_code for _ in range(3)] == [503, 429, 200]
    assert [rule["done"] for rule in made.faults.told()] == [1, 1]
    made.faults.clear()
    assert spoiled(made, [FIRST]) == [False]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"what": "gremlins"}, "there is no fault 'gremlins'"),
        ({"what": "code", "code": 7}, "code 7 is not known"),
        ({"what": "lost", "times": 0}, "whole numbers from 1 on"),
        ({"what": "lost", "every": True}, "whole numbers from 1 on"),
        ({"what": "5xx", "status": 200}, "500 to 599"),
        ({"what": "slow", "seconds": -1}, "0 or more seconds"),
        ({"what": "lost", "colour": "red"}, "no such options"),
    ],
)
def test_rules_that_make_no_sense(made, options, words):
    """A fault that makes no sense is refused in words, in Python and over HTTP."""
    with pytest.raises(DataError, match=words):
        made.faults.add(**options)
    answer = plain_http(made).post("/sandbox/faults", json=options)
    assert answer.status_code == 400
    assert words in answer.json()["error"]["message"]


def test_over_http(made):
    """Ordered over HTTP, each fault reaches a real client as it would from Meta; then all are cleared."""
    with served(made.app) as url, Client(made.settings, base_url=url) as client, httpx.Client(base_url=url) as http:
        for what in ("lost", "reset", "bad json", "5xx"):
            assert http.post("/sandbox/faults", json={"what": what, "times": 1}).json()["data"][-1]["what"] == what
            with pytest.raises(OutcomeUnknown):
                client.send(message())
        http.post("/sandbox/faults", json={"what": "slow", "times": 1, "seconds": 0.2})
        assert client.send(message()).wamid
        http.post("/sandbox/faults", json={"what": "code", "code": 131056, "times": 1})
        with pytest.raises(RateLimited):
            client.send(message())
        told_ = http.get("/sandbox/faults").json()["data"]
        assert [rule["done"] for rule in told_] == [1] * 6
        assert http.delete("/sandbox/faults").json() == {"data": []}
    assert taken(made) == 3


def test_lost_means_no_byte(made):
    """A lost answer over HTTP is a closed connection, without a status or a byte of an answer."""
    made.faults.add("lost")
    headers = {"authorization": f"Bearer {sandbox.TOKEN}"}
    with served(made.app) as url, pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)) as caught:
        httpx.post(url + MESSAGES, json=message(), headers=headers)
    assert "without sending a response" in str(caught.value) or isinstance(caught.value, httpx.ReadError)
