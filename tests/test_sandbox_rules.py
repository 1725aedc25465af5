"""What the sandbox refuses, at once or by a failed status, in Meta's words."""

import json

import pandas as pd
import pytest

from tests.sandbox_calls import MESSAGES, NUMBER, failed, message, open_thread, plain_http, told
from tests.sandbox_shop import AS_OF, CATALOG_ID, HIDDEN, OUT_OF_STOCK, UNREVIEWED, phone, shop
from wa_products import frames
from wa_products.errors import AuthError, CloudAPIError, DataError, NotInCatalog, RateLimited
from wa_products.payloads import single_product
from wa_products.sandbox import BUSINESS_PHONE, TOKEN, Sandbox


@pytest.fixture(scope="module")
def small():
    """Return the shop once for all tests: nothing changes it."""
    return shop()


@pytest.fixture
def sandbox(small):
    """Return a new sandbox of the small shop."""
    return Sandbox(small)


def test_our_client_is_accepted(sandbox):
    """A single-product message of our client is accepted with a message id and the customer's wa_id."""
    with sandbox.client() as client:
        accepted = client.send(message())
        assert client.now() == AS_OF
    assert accepted.wamid.startswith("wamid.")
    assert accepted.wa_id == phone(0)


def test_a_user_id_is_accepted(sandbox, small):
    """A message to a business-scoped user id is accepted and answered with it, without a phone."""
    known = small.threads.loc[small.threads["recipient"] != "", "recipient"].iloc[0]
    with sandbox.client() as client:
        payload = single_product(recipient=known, catalog_id=CATALOG_ID, product_retailer_id="P1")
        accepted = client.send(payload)
    assert (accepted.user_id, accepted.wa_id) == (known, "")


@pytest.mark.parametrize("written", [f"+{phone(0)}", phone(0), f"+1 ({phone(0)[1:4]}) {phone(0)[4:7]}-{phone(0)[7:]}"])
def test_phones_as_people_write_them(sandbox, written):
    """Plus, spaces, hyphens and parentheses do not matter; `input` is what was sent, `wa_id` the bare digits."""
    answer = plain_http(sandbox).post(MESSAGES, json={**message(), "to": written}).json()
    assert answer["contacts"] == [{"input": written, "wa_id": phone(0)}]


@pytest.mark.parametrize(
    ("token", "code", "words"), [("", 104, "access token is required"), ("old", 190, "Cannot parse")]
)
def test_token(sandbox, token, code, words):
    """A missing and a wrong token are refused with 401 and Meta's codes."""
    answer = plain_http(sandbox, token).post(MESSAGES, json=message())
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == code
    assert words in answer.json()["error"]["message"]


def test_our_client_tells_a_bad_token(small):
    """Our client raises AuthError where the token is not the sandbox's."""
    sandbox = Sandbox(small)
    with sandbox.client() as client:
        client._http.headers["authorization"] = "Bearer expired"
        with pytest.raises(AuthError) as caught:
            client.send(message())
    assert caught.value.code == 190


def spoilt(**changes):
    """Return the message with top-level parts replaced; None removes one."""
    changed = {**message(), **changes}
    return {name: part for name, part in changed.items() if part is not None}


def product(**changes):
    """Return the message with parts of `interactive` replaced; None removes one."""
    interactive = {**message(body="Hi", footer="Bye")["interactive"], **changes}
    return spoilt(interactive={name: part for name, part in interactive.items() if part is not None})


@pytest.mark.parametrize(
    ("payload", "code", "words"),
    [
        (spoilt(messaging_product=None), 100, "(#100) The parameter messaging_product is required."),
        (spoilt(messaging_product="sms"), 100, "(#100) Param messaging_product must be one of {WHATSAPP}"),
        (spoilt(to=None), 100, "(#100) The parameter to is required."),
        (spoilt(to="not a phone"), 131009, "not a valid phone number"),
        (spoilt(to=f"+{BUSINESS_PHONE}"), 131021, "Recipient cannot be sender"),
        (spoilt(recipient_type="group"), 130501, "not currently supported for groups"),
        (spoilt(context={}), 100, "(#100) The parameter context['message_id'] is required."),
        (spoilt(biz_opaque_callback_data="x" * 513), 131009, "Max length: 512"),
        (spoilt(biz_opaque_callback_data={"v": 1}), 131009, "must be a string"),
        (spoilt(type="pigeon"), 100, "(#100) Param type must be one of {AUDIO, BUTTON, CONTACTS, "),
        (spoilt(type="template", template={}), 131051, "Message type is not currently supported"),
        (spoilt(type="text", text=None), 100, "(#100) The parameter text is required."),
        (spoilt(type="text", text={}), 100, "(#100) The parameter text['body'] is required."),
        (spoilt(type="text", text={"body": "x" * 4097}), 131009, "Max length: 4096"),
        (spoilt(interactive=None), 100, "(#100) The parameter interactive is required."),
        (product(type=None), 100, "(#100) The parameter interactive['type'] is required."),
        (product(type="poem"), 131009, "must be one of {"),
        (product(type="flow"), 131051, "flow"),
        (product(type="product_list"), 131008, "interactive['header'] is required"),
        (product(header={"type": "text", "text": "New"}), 131009, "interactive['header'] is not allows"),
        (product(body={"text": "x" * 1025}), 131009, "Body text length invalid. Min length: 1, Max length: 1024"),
        (product(body={"text": ""}), 131009, "Body text length invalid. Min length: 1, Max length: 1024"),
        (product(body={}), 100, "(#100) The parameter interactive['body']['text'] is required."),
        (product(footer={"text": "x" * 61}), 131009, "Footer text length invalid. Min length: 0, Max length: 60"),
        (product(action=None), 131008, "interactive['action'] is required"),
        (product(action={"catalog_id": CATALOG_ID}), 131008, "['product_retailer_id'] is required"),
        (product(action={"product_retailer_id": "P1"}), 131008, "['catalog_id'] is required"),
        (["a list"], 100, "(#100) Invalid parameter"),
    ],
)
def test_requests_that_are_wrong(sandbox, payload, code, words):
    """Each wrong request is refused with HTTP 400, Meta's code and words, in Meta's envelope, and sends nothing."""
    answer = plain_http(sandbox).post(MESSAGES, json=payload)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, code)
    assert words in f"{error['message']} {error.get('error_data', {}).get('details', '')}"
    assert error["fbtrace_id"]
    assert error["type"] == "OAuthException"
    assert told(sandbox.advance("1h")).query("kind == 'status'").empty


def test_a_body_that_is_not_json(sandbox):
    """What is not JSON is an invalid parameter."""
    assert plain_http(sandbox).post(MESSAGES, content=b"{").json()["error"]["code"] == 100


@pytest.mark.parametrize(
    ("product_retailer_id", "words"),
    [
        ("P-NONE", f"product not found for product_retailer_id, P-NONE, in catalog_id, {CATALOG_ID}"),
        (HIDDEN, "Products not found in FB Catalog"),
        (UNREVIEWED, "Products not found in FB Catalog"),
    ],
)
def test_products_that_cannot_be_shown(sandbox, product_retailer_id, words):
    """A product that is unknown, hidden or not reviewed is refused with 131009, which our client tells apart."""
    with sandbox.client() as client, pytest.raises(NotInCatalog) as caught:
        client.send(message(product=product_retailer_id))
    assert (caught.value.code, caught.value.details) == (131009, words)


def test_out_of_stock_is_taken(sandbox):
    """A product out of stock is accepted, as nothing says that Meta refuses it."""
    with sandbox.client() as client:
        assert client.send(message(product=OUT_OF_STOCK)).wamid


def test_another_catalog(sandbox):
    """A catalog that is not linked is refused with 131009 and the words by which it is told apart."""
    with sandbox.client() as client, pytest.raises(NotInCatalog, match="Check if catalog is linked"):
        client.send(message(catalog_id="1"))


def test_a_hidden_catalog_stops_every_product_message(sandbox):
    """Switching the catalog off in the commerce settings refuses product messages until it is on again."""
    http, path = plain_http(sandbox), f"/v25.0/{NUMBER}/whatsapp_commerce_settings"
    assert http.post(path, params={"is_catalog_visible": "false"}).json() == {"success": True}
    assert http.get(path).json()["data"][0]["is_catalog_visible"] is False
    assert "Check if catalog is linked" in http.post(MESSAGES, json=message()).text
    http.post(path, json={"is_catalog_visible": True})
    assert http.post(MESSAGES, json=message()).status_code == 200
    assert http.post(path, params={"is_cart_enabled": "perhaps"}).json()["error"]["code"] == 100


@pytest.mark.parametrize("path", ["/v25.0/1/messages", "/v25.0/1/whatsapp_commerce_settings", "/v25.0/1/products"])
def test_ids_that_are_not_ours(sandbox, path):
    """An id that the token cannot see is refused with code 100 and subcode 33."""
    method = "POST" if path.endswith("messages") else "GET"
    answer = plain_http(sandbox).request(method, path, json=message())
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["error_subcode"]) == (400, 100, 33)
    assert error["message"].startswith(f"Unsupported {method.lower()} request. Object with ID '1' does not exist")


def test_paths_that_are_none(sandbox):
    """A path without an endpoint is refused in Meta's words."""
    error = plain_http(sandbox).get("/v25.0/1/2/3").json()["error"]
    assert (error["code"], error["message"]) == (2500, "Unknown path components: /v25.0/1/2/3")


def test_a_closed_window_fails_after_a_200(sandbox, small):
    """A message after the 24 hours is accepted, and fails by webhook with 131047 and the echoed opaque data."""
    closed = small.threads[~small.threads["is_open"] & (small.threads["to"] != "")].iloc[0]
    with sandbox.client() as client:
        wamid = client.send(message(to=closed["to"], opaque="send-1")).wamid
    row = failed(sandbox).squeeze()
    assert (row["wamid"], row["code"], row["send_id"]) == (wamid, 131047, "send-1")
    assert "24 hours" in row["details"]


def test_the_window_closes_to_the_second(small):
    """One second before the 24 hours are over a message gets through; at the very moment it fails."""
    sandbox = Sandbox(small)
    thread = open_thread(sandbox, small)
    with sandbox.client() as client:
        client.clock.sleep((thread.closes_at - AS_OF).total_seconds() - 1)
        client.send(message(to=thread.to))
        client.clock.sleep(1)
        assert client.now() == thread.closes_at
        late = client.send(message(to=thread.to)).wamid
    assert failed(sandbox)[["wamid", "code"]].to_numpy().tolist() == [[late, 131047]]


def test_text_reaches_whom_products_do_not():
    """A shopper with an outdated app gets texts, and product messages fail with 131026."""
    data = shop(400)
    sandbox = Sandbox(data)
    old = open_thread(sandbox, data, outdated=True)
    text = {"messaging_product": "whatsapp", "to": old.to, "type": "text", "text": {"body": "Hello"}}
    http = plain_http(sandbox)
    http.post(MESSAGES, json=text)
    wamid = http.post(MESSAGES, json=message(to=old.to)).json()["messages"][0]["id"]
    rows = failed(sandbox)
    assert rows[["wamid", "code"]].to_numpy().tolist() == [[wamid, 131026]]
    assert "too old" in rows["details"].iloc[0]


def test_nobody_at_the_number(sandbox):
    """A number without WhatsApp is accepted and fails with 131026."""
    with sandbox.client() as client:
        client.send(message(to="+12025550199"))
    assert failed(sandbox)["code"].tolist() == [131026]


def test_unreachable_customers():
    """A customer who cannot be reached makes every message fail with 131026, and never writes or buys."""
    data = shop(400)
    sandbox = Sandbox(data)
    cut_off = open_thread(sandbox, data, unreachable=True)
    with sandbox.client() as client:
        client.send(message(to=cut_off.to))
    assert failed(sandbox)["code"].tolist() == [131026]
    later = told(sandbox.advance("60D"))
    assert cut_off.customer_id not in set(later["customer_id"])


def test_a_stopped_customer_fails(small):
    """After a preference to stop, product messages fail with 131050."""
    first = small.inbound.iloc[[0]].assign(message_id="stop", kind="preference", text="stop", received_at=AS_OF)
    inbound = frames.conform(pd.concat([small.inbound, first], ignore_index=True), frames.INBOUND, "inbound")
    data = type(small)(catalog=small.catalog, orders=small.orders, inbound=inbound, as_of=AS_OF, catalog_id=CATALOG_ID)
    sandbox = Sandbox(data)
    with sandbox.client() as client:
        client.send(message(to=f"+{phone(0)}"))
    assert failed(sandbox)["code"].tolist() == [131050]


def test_a_changed_number(sandbox, small):
    """After a change of number a system message tells it, the old number is gone and the new one's window closed."""
    thread = open_thread(sandbox, small)
    sandbox.change_number(thread.customer_id, "12015550199")
    with sandbox.client() as client:
        old = client.send(message(to=thread.to)).wamid
        new = client.send(message(to="+12015550199")).wamid
    found = told(sandbox.advance("1min"))
    moved = found[found["kind"] == "system"].squeeze()
    assert (moved["wa_id"], "+" + moved["previous_wa_id"]) == ("12015550199", thread.to)
    codes = found[found["status"] == "failed"].set_index("wamid")["code"]
    assert codes.to_dict() == {old: 131026, new: 131047}


def test_numbers_that_cannot_change(sandbox, small):
    """A customer without a phone, an unknown one, and a number that is somebody's are refused in words, not numbers."""
    without, with_phone = (small.threads.loc[has, "customer_id"].iloc[0] for has in _with_and_without_phone(small))
    for who, number in ((without, "12015550199"), ("nobody", "12015550199"), (with_phone, phone(1))):
        with pytest.raises(DataError, match=who) as caught:
            sandbox.change_number(who, number)
        assert number not in str(caught.value)


def _with_and_without_phone(data):
    return data.threads["to"] == "", data.threads["to"] != ""


def test_a_number_changed_before(small):
    """A number that the shop's own log tells as changed has nobody behind it any more."""
    moved = small.inbound.iloc[[0]].assign(
        message_id="moved", kind="system", previous_wa_id=phone(0), wa_id="12015550198", received_at=AS_OF
    )
    inbound = frames.conform(pd.concat([small.inbound, moved], ignore_index=True), frames.INBOUND, "inbound")
    data = type(small)(catalog=small.catalog, orders=small.orders, inbound=inbound, as_of=AS_OF, catalog_id=CATALOG_ID)
    sandbox = Sandbox(data)
    with sandbox.client() as client:
        client.send(message(to=f"+{phone(0)}"))
    assert failed(sandbox)["code"].tolist() == [131026]


def test_pair_rate(sandbox):
    """The 46th message at once to one customer is refused with 131056; six seconds later one more goes."""
    with sandbox.client() as client:
        for _ in range(45):
            client.send(message())
        with pytest.raises(RateLimited) as caught:
            client.send(message())
        assert caught.value.code == 131056
        assert client.send(message(to=f"+{phone(1)}")).wamid
        client.clock.sleep(6)
        assert client.send(message()).wamid


def test_throughput_counts_where_the_clock_ticks(small):
    """With a ticking clock the 81st message of one moment is refused with 130429; a standing clock counts none."""
    seconds = [0.0]
    ticking, standing = Sandbox(small, tick=lambda: seconds[0]), Sandbox(small)
    numbers = [f"+{phone(n)}" for n in range(90)]
    with standing.client() as client:
        assert all(client.send(message(to=number)).wamid for number in numbers)
    with ticking.client() as client:
        for number in numbers[:80]:
            client.send(message(to=number))
        with pytest.raises(RateLimited) as caught:
            client.send(message(to=numbers[80]))
        assert caught.value.code == 130429
        seconds[0] += 1.0
        assert client.send(message(to=numbers[80])).wamid


def test_reading_is_marked(sandbox):
    """Marking an inbound message as read succeeds; without its id it is refused."""
    http, read = plain_http(sandbox), {"messaging_product": "whatsapp", "status": "read"}
    assert http.post(MESSAGES, json={**read, "message_id": "wamid.X"}).json() == {"success": True}
    assert http.post(MESSAGES, json=read).json()["error"]["message"] == "(#100) The parameter message_id is required."


def test_products_come_in_pages(sandbox, small):
    """Following `next` gives every product once, with the fields that were asked for."""
    http, path = plain_http(sandbox), f"/v25.0/{CATALOG_ID}/products"
    page = http.get(path, params={"limit": 4, "fields": "retailer_id,price,capability_to_review_status"}).json()
    found = page["data"]
    while "next" in page["paging"]:
        page = http.get(page["paging"]["next"]).json()
        found += page["data"]
    assert sorted(row["retailer_id"] for row in found) == sorted(small.catalog["product_retailer_id"])
    assert set(found[0]) == {"id", "retailer_id", "price", "capability_to_review_status"}
    assert {row["capability_to_review_status"][0]["value"] for row in found} == {"APPROVED", "OUTDATED"}
    for wrong in ({"limit": "0"}, {"after": "zz"}):
        assert http.get(path, params=wrong).json()["error"]["code"] == 100


def test_nodes(sandbox):
    """The number, the account and its catalogs tell the fields that a check before a campaign asks for."""
    http = plain_http(sandbox)
    assert http.get(f"/v25.0/{NUMBER}").json()["throughput"] == {"level": "STANDARD"}
    asked = http.get(f"/v25.0/{NUMBER}", params={"fields": "health_status"}).json()
    assert asked["health_status"]["can_send_message"] == "AVAILABLE"
    assert asked["health_status"]["entities"][0]["id"] == NUMBER
    catalogs = http.get(f"/v25.0/{sandbox.settings.business_account_id}/product_catalogs").json()
    assert [catalog["id"] for catalog in catalogs["data"]] == [CATALOG_ID]


@pytest.mark.parametrize("by", ["-1s", "soon", ""])
def test_time_moves_forward_only(sandbox, by):
    """A step back or no step at all is refused with a sentence, in Python and over HTTP."""
    with pytest.raises(DataError, match="the clock moves"):
        sandbox.advance(by)
    answer = plain_http(sandbox).post("/sandbox/advance", params={"by": by})
    assert answer.status_code == 400
    assert "the clock moves" in answer.json()["error"]["message"]


def test_no_secret_and_no_phone_in_a_repr(sandbox):
    """Neither the sandbox, its settings nor its shoppers show a token or a phone."""
    shown = f"{sandbox!r} {sandbox.settings!r} {sandbox.people.to_csv()} {sandbox._world.addresses.people}"
    assert TOKEN not in shown
    assert phone(0) not in shown


def test_refusals_carry_no_phone(sandbox):
    """A refusal does not repeat the phone number it was about."""
    with sandbox.client() as client, pytest.raises(CloudAPIError) as caught:
        client.send(message(product="P-NONE"))
    assert phone(0) not in json.dumps([str(caught.value), caught.value.details])
