"""Reading the Graph API: tried again where it is safe, refused in the same classes, and the token in no log."""

import logging
import traceback

import httpx
import pytest

from tests.campaign import Clock
from wa_products.client import Client
from wa_products.errors import AuthError, CloudAPIError, NotSent, RateLimited
from wa_products.settings import Settings

TOKEN = "EAAB|secret+token"  # noqa: S105  # made up
SETTINGS = Settings(token=TOKEN, phone_number_id="1067", catalog_id="1")


def refusal(code, status=400):
    """Return the answer that refuses with a code."""
    return httpx.Response(status, json={"error": {"code": code, "message": "no"}})


def reading(*answers, clock=None):
    """Return a client whose requests get `answers` in turn (an exception is raised), and the requests made."""
    waiting, seen = iter(answers), []

    def answer(request):
        seen.append(request)
        found = next(waiting)
        if isinstance(found, Exception):
            raise found
        return found

    return Client(SETTINGS, transport=httpx.MockTransport(answer), clock=clock or Clock()), seen


def test_a_node_is_read():
    """A node is asked for by its id with its fields and the token in the header, and comes back as a dict."""
    client, seen = reading(httpx.Response(200, json={"id": "1067", "throughput": {"level": "HIGH"}}))
    assert client.get("1067", fields="throughput")["throughput"] == {"level": "HIGH"}
    assert str(seen[0].url) == "https://graph.facebook.com/v25.0/1067?fields=throughput"
    assert seen[0].headers["Authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    "lost",
    [
        httpx.ReadTimeout("slow"),
        httpx.ConnectError("refused"),
        httpx.Response(500, text="oops"),
        httpx.Response(200, text="<html>"),
        refusal(2, 503),
        refusal(130429),
    ],
    ids=str,
)
def test_reading_is_tried_again(lost):
    """A lost answer, a busy server and a throttle are waited out, because reading twice harms nobody."""
    clock = Clock()
    client, seen = reading(lost, lost, httpx.Response(200, json={"id": "1"}), clock=clock)
    assert client.get("1") == {"id": "1"}
    assert len(seen) == 3
    assert sum(clock.naps) > 0


@pytest.mark.parametrize(("lost", "error"), [(httpx.ReadTimeout("slow"), NotSent), (refusal(2), CloudAPIError)])
def test_tries_end(lost, error):
    """After a few tries reading gives up with an error of ours."""
    client, seen = reading(lost, lost, lost)
    with pytest.raises(error):
        client.get("1")
    assert len(seen) == 3


@pytest.mark.parametrize(("code", "error"), [(190, AuthError), (100, CloudAPIError), (80008, RateLimited)])
def test_a_refusal_is_not_tried_again(code, error):
    """What waiting does not mend, or only a long wait, is raised at once."""
    client, seen = reading(refusal(code))
    with pytest.raises(error):
        client.get("1")
    assert len(seen) == 1


def test_pages_are_followed():
    """All pages of an edge are read, each by the cursor of the one before; the last one ends it."""
    first = {"data": [{"id": "a"}, {"id": "b"}], "paging": {"cursors": {"after": "B"}, "next": "https://x/?access=1"}}
    last = {"data": [{"id": "c"}], "paging": {"cursors": {"after": "C"}}}
    client, seen = reading(httpx.Response(200, json=first), httpx.Response(200, json=last))
    assert [entry["id"] for entry in client.pages("1/products", fields="id")] == ["a", "b", "c"]
    assert [dict(request.url.params).get("after") for request in seen] == [None, "B"]


@pytest.mark.parametrize("answer", [httpx.Response(200, json={"data": {"is_valid": True}}), refusal(190, 401)])
def test_asking_about_the_token_does_not_show_it(answer, caplog):
    """The one request that has the token in its address leaves it in no log, error or traceback with variables."""
    caplog.set_level(logging.DEBUG)
    client, seen = reading(answer)
    shown = ""
    try:
        assert client.token_facts() == {"is_valid": True}
    except AuthError as error:
        ours = error.with_traceback(error.__traceback__.tb_next)  # this test's own variables aside
        shown = "".join(traceback.TracebackException.from_exception(ours, capture_locals=True).format())
        assert "_read" in shown
    assert seen[0].url.params["input_token"] == TOKEN
    for text in (TOKEN, "secret"):
        assert text not in caplog.text + shown
    assert "input_token=(hidden)" in caplog.text
