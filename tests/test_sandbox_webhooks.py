"""Webhooks on their way: verified, signed, tried again on Meta's way, to a URL, to `listen`, as a log."""

import json

import httpx
import pandas as pd
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

import wa_products as wa
from tests.sandbox_calls import NUMBER, message, plain_http, told
from tests.sandbox_shop import phone, shop
from tests.test_sandbox_http import served
from wa_products import events, sandbox
from wa_products.errors import DataError

DATA = shop()
HOOK = "https://receiver.invalid/hook"


class Receiver(httpx.BaseTransport):
    """Takes what is posted, and answers with the next of `answers` (a status, or None for a broken line), then 200."""

    def __init__(self, *answers):
        self.answers, self.taken, self.asked = iter(answers), [], []

    def handle_request(self, request):
        """Answer one request."""
        if request.method == "GET":
            self.asked.append(dict(request.url.params))
            return httpx.Response(200, text=request.url.params["hub.challenge"])
        self.taken.append((request.read(), request.headers["x-hub-signature-256"]))
        if (status := next(self.answers, 200)) is None:
            raise httpx.ReadError("gone")
        return httpx.Response(status)


def sent(**options):
    """Return a sandbox in which one message was sent an hour ago, and nothing delivered."""
    made = sandbox.Sandbox(DATA, **options)
    with made.client() as client:
        client.send(message(opaque="send-1"))
    return made.advance("1h")


def test_bodies_are_signed():
    """Every body is posted once, with a signature of its raw bytes that verifies with the secret and no other."""
    made, receiver = sent(), Receiver()
    assert made.deliver(HOOK, transport=receiver) == len(receiver.taken) > 1
    assert all(events.verify(body, signature, sandbox.APP_SECRET) for body, signature in receiver.taken)
    assert not events.verify(*receiver.taken[0], "another secret")
    assert made.deliver(HOOK, transport=receiver) == 0
    assert made.webhooks() == []


def test_what_is_not_taken_comes_again_at_once():
    """A body that is answered with anything but 200 comes again in the same moment."""
    made, receiver = sent(), Receiver(500)
    delivered = made.deliver(HOOK, transport=receiver)
    assert receiver.taken[0] == receiver.taken[1]
    assert delivered == len(receiver.taken) - 1


@pytest.mark.parametrize("answer", [None, 201, 302, 404, 503])
def test_then_less_and_less_often(answer):
    """After the second failure a body waits one minute, then two, four; others do not wait for it."""
    made, receiver = sent(), Receiver(*[answer] * 2)
    made.deliver(HOOK, transport=receiver)
    first = receiver.taken[0]
    gaps, waited = [], pd.Timedelta(0)
    while len(gaps) < 3:
        made.advance("30s")
        waited += pd.Timedelta("30s")
        again = Receiver(answer)
        made.deliver(HOOK, transport=again)
        if first in again.taken:
            gaps.append(waited)
            waited = pd.Timedelta(0)
    assert [gap / pd.Timedelta("1min") for gap in gaps] == [1, 2, 4]


def test_after_seven_days_it_is_dropped():
    """What nobody took for seven days is not tried any more."""
    made = sent()
    made.deliver(HOOK, transport=Receiver(*[500] * 1000))
    held = len(made._postman._waiting)
    made.advance("6D")
    made.deliver(HOOK, transport=Receiver(*[500] * 10_000))
    assert len(made._postman._waiting) > held
    made.advance("1D")
    made.deliver(HOOK, transport=Receiver(*[500] * 10_000))
    receiver = Receiver()
    made.advance("1D")
    made.deliver(HOOK, transport=receiver)
    bodies = [body for body, _ in receiver.taken]
    assert bodies
    assert not any(b"send-1" in body for body in bodies)


def test_waiting_bodies_can_be_taken():
    """What could not be delivered is handed out by `webhooks`, once."""
    made = sent()
    made.deliver(HOOK, transport=Receiver(*[500] * 100))
    found = made.webhooks()
    assert any(b"send-1" in body for body in found)
    assert made.webhooks() == []


def test_over_real_http():
    """Bodies reach a receiver on a port; nobody at the port is no error, and nothing is lost by it."""
    kept = []

    async def take(request):
        kept.append(await request.body())
        return PlainTextResponse("")

    made = sent()
    assert made.deliver("http://127.0.0.1:9/nobody-listens") == 0
    made.advance("2min")
    with served(Starlette(routes=[Route("/hook", take, methods=["POST"])])) as url:
        assert made.deliver(f"{url}/hook") == len(kept)
    assert any(b"send-1" in body for body in kept)


def test_a_receiver_is_asked_first():
    """A receiver that answers with the bare challenge is verified; one that answers otherwise, or not, is not."""
    made, receiver = sandbox.Sandbox(DATA), Receiver()
    assert made.verify(HOOK, transport=receiver)
    asked = receiver.asked[0]
    assert (asked["hub.mode"], asked["hub.verify_token"]) == ("subscribe", sandbox.VERIFY_TOKEN)
    assert not made.verify(HOOK, transport=httpx.MockTransport(lambda _: httpx.Response(200, text="hello")))
    assert not made.verify(HOOK, transport=httpx.MockTransport(lambda _: httpx.Response(403)))
    assert not made.verify("http://127.0.0.1:9/nobody-listens")


def test_a_log_can_be_listened_to(tmp_path):
    """`listen` stores the same events from the log as from the sandbox; a log is continued where it ended."""
    one, other = sent(), sent()
    done = one.write_log(tmp_path / "log.jsonl")
    assert one.write_log(tmp_path / "log.jsonl", start=done) == done
    one.advance("2D")
    assert one.write_log(tmp_path / "log.jsonl", start=done) > done
    other.advance("2D")
    found = []
    for number, source in enumerate((tmp_path / "log.jsonl", other)):
        with wa.Ledger(f"sqlite:///{tmp_path / f'{number}.db'}") as ledger:
            found.append(set(wa.listen(source, ledger=ledger)["event_id"]))
    assert found[0] == found[1]
    assert len(found[0]) > 3


def test_bodies_do_not_depend_on_when_they_are_asked_for():
    """However often webhooks are taken, the bodies are the same, byte by byte."""
    whole, parts = sent(), sent()
    often = [body for _ in range(47) for body in parts.advance("1h").webhooks()]
    assert whole.advance("47h").webhooks() == often


def test_looking_changes_nothing():
    """Whoever looks at the page, at a product or at the history meanwhile, finds the same world, byte by byte."""
    alone, watched = sent(), sent()
    http = plain_http(watched)
    for _ in range(5):
        watched.advance("5h")
        assert http.get("/sandbox/state").json()["counts"]["messages"] == 1
        assert http.get(f"/v25.0/{NUMBER}/message_history").status_code == 200
        assert watched.truth().empty is False
    assert watched.webhooks() == alone.advance("25h").webhooks()


def test_the_log_over_http():
    """All bodies so far are read over HTTP, one a line, and are still there to be taken."""
    made = sent()
    lines = plain_http(made, "").get("/sandbox/log").content.splitlines()
    assert lines == made.webhooks() != []


def test_bodies_are_batched():
    """Updates of one moment come in bodies of several, some of them merged into one list."""
    made = sandbox.Sandbox(DATA)
    with made.client() as client:
        for n in range(50):
            client.send(message(to=f"+{phone(n)}"))
    changes = [change for body in made.advance("1min").webhooks() for change in json.loads(body)["entry"][0]["changes"]]
    assert max(len(change["value"].get("statuses", [])) for change in changes) > 1
    assert len(changes) < 100


def test_another_year_has_no_shape():
    """A year whose webhooks are not known is refused."""
    with pytest.raises(DataError, match="2025 or 2026"):
        sandbox.Sandbox(DATA, shape="2024")


@pytest.mark.parametrize("shape", ["2025", "2026"])
def test_every_kind_in_both_shapes(shape):
    """What customers do is told in both shapes, and read alike: text, question, cart, forward, preference, number."""
    made = sandbox.Sandbox(DATA, shape=shape)
    who = DATA.threads.loc[DATA.threads["to"] == f"+{phone(0)}", "customer_id"].iloc[0]
    made.act(who, "write", text="Hello")
    made.act(who, "ask", product_retailer_id="P1")
    made.act(who, "order", items=["P1", ("P2", 3)], note="After 6")
    made.act(who, "forward", text="Look")
    made.act(who, "stop marketing")
    made.act(who, "change number", wa_id="12015550199")
    found = told(made.advance("7h"))
    mine = found[found["customer_id"] == who]
    assert {"inbound", "enquiry", "cart", "preference"} <= set(mine["kind"])
    assert found.loc[found["kind"] == "system", "previous_wa_id"].tolist() == [phone(0)]
    assert mine.loc[mine["kind"] == "cart", "quantity"].tolist() == [1.0, 3.0]
    assert (mine["user_id"] != "").any() == (shape == "2026")
