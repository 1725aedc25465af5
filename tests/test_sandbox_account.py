"""Tokens and permissions, what the account tells, and the customers that the business blocks."""

import json
from dataclasses import replace

import pandas as pd
import pytest

from tests.sandbox_calls import FIRST, MESSAGES, NUMBER, failed, message, open_thread, plain_http, told
from tests.sandbox_shop import CATALOG_ID, HIDDEN, OUT_OF_STOCK, UNREVIEWED, phone, shop
from wa_products.errors import AuthError, DataError
from wa_products.sandbox import BUSINESS_ACCOUNT_ID, TOKEN, Sandbox

DATA = shop()
MESSAGING, MANAGEMENT, CATALOG = "whatsapp_business_messaging", "whatsapp_business_management", "catalog_management"
PRODUCTS = f"/v25.0/{CATALOG_ID}/products"
HISTORY = f"/v25.0/{NUMBER}/message_history"
BLOCKS = f"/v25.0/{NUMBER}/block_users"


@pytest.fixture
def sandbox():
    """Return a new sandbox."""
    return Sandbox(DATA)


@pytest.mark.parametrize(
    ("method", "path", "scope", "words"),
    [
        ("POST", MESSAGES, MESSAGING, "(#10) Application does not have permission for this action"),
        ("GET", HISTORY, MESSAGING, "(#10) Application does not have permission for this action"),
        ("POST", BLOCKS, MESSAGING, "(#10) Application does not have permission for this action"),
        ("GET", PRODUCTS, CATALOG, "(#10) This endpoint requires the 'catalog_management' permission"),
        ("GET", f"/v25.0/{BUSINESS_ACCOUNT_ID}/product_catalogs", MANAGEMENT, "'whatsapp_business_management'"),
        ("GET", f"/v25.0/{BUSINESS_ACCOUNT_ID}/phone_numbers", MANAGEMENT, "'whatsapp_business_management'"),
        ("GET", f"/v25.0/{NUMBER}/whatsapp_commerce_settings", MANAGEMENT, "'whatsapp_business_management'"),
    ],
)
def test_each_endpoint_wants_its_permission(sandbox, method, path, scope, words):
    """A token without the permission is refused with code 10 and HTTP 403; one with it alone is enough."""
    others = {MESSAGING, MANAGEMENT, CATALOG} - {scope}
    body = {**message(), "block_users": [{"user": FIRST}]}
    answer = plain_http(sandbox, sandbox.token(*others)).request(method, path, json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, 10)
    assert words in answer.json()["error"]["message"]
    assert plain_http(sandbox, sandbox.token(scope)).request(method, path, json=body).status_code == 200


def test_our_client_tells_a_missing_permission(sandbox):
    """Our client raises AuthError where its token may not send."""
    with sandbox.client(token=sandbox.token(CATALOG)) as client, pytest.raises(AuthError) as caught:
        client.send(message())
    assert caught.value.code == 10


def test_a_token_expires(sandbox):
    """After its time a token is refused with 190 and the subcode 463, in Meta's words; before, it is good."""
    token = sandbox.token(MESSAGING, expires_in=3600)
    http = plain_http(sandbox, token)
    assert http.post(MESSAGES, json=message()).status_code == 200
    facts = plain_http(sandbox).get("/v25.0/debug_token", params={"input_token": token}).json()["data"]
    assert facts["is_valid"]
    assert pd.Timestamp(facts["expires_at"], unit="s", tz="UTC") == sandbox.now + pd.Timedelta("1h")
    assert facts["scopes"] == [MESSAGING]
    sandbox.advance("1h")
    answer = http.post(MESSAGES, json=message())
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["error_subcode"]) == (401, 190, 463)
    words = "Error validating access token: Session has expired on Friday, 20-Nov-26 02:00:00 PST. The current time is"
    assert error["message"].startswith(words)
    facts = plain_http(sandbox).get("/v25.0/debug_token", params={"input_token": token}).json()["data"]
    assert not facts["is_valid"]


def test_tokens_over_http(sandbox):
    """A token is issued over HTTP too; permissions that do not exist are refused in words."""
    http = plain_http(sandbox, token="")
    given = http.post("/sandbox/tokens", json={"scopes": [MESSAGING], "expires_in": 60}).json()["access_token"]
    assert given != TOKEN
    assert plain_http(sandbox, given).post(MESSAGES, json=message()).status_code == 200
    for wrong in ({"scopes": ["ads_read"]}, {"scopes": "x"}, {"scopes": [], "expires_in": "soon"}):
        assert http.post("/sandbox/tokens", json=wrong).status_code == 400
    with pytest.raises(DataError, match="no permission 'ads_read'"):
        sandbox.token("ads_read")


def test_a_token_may_stand_in_the_address(sandbox):
    """A token is read from the query as well as from the header."""
    answer = plain_http(sandbox, token="").post(MESSAGES, params={"access_token": TOKEN}, json=message())
    assert answer.status_code == 200


def test_headers(sandbox):
    """Answers carry Meta's headers: version, trace, and the usage of the account or of the app."""
    http = plain_http(sandbox)
    accepted, read, refused = http.post(MESSAGES, json=message()), http.get(PRODUCTS), http.post(MESSAGES, json={})
    for answer in (accepted, read, refused):
        assert answer.headers["facebook-api-version"] == "v25.0"
        assert all(answer.headers[name] for name in ("x-fb-trace-id", "x-fb-request-id", "x-fb-rev"))
    usage = json.loads(accepted.headers["x-business-use-case-usage"])[BUSINESS_ACCOUNT_ID][0]
    assert (usage["type"], usage["estimated_time_to_regain_access"]) == ("whatsapp", 0)
    assert json.loads(read.headers["x-app-usage"]) == {"call_count": 0, "total_cputime": 0, "total_time": 0}
    assert refused.json()["error"]["fbtrace_id"] == refused.headers["x-fb-trace-id"]
    assert "OAuth" in refused.headers["www-authenticate"]


def test_pages_go_back(sandbox):
    """From the last page `previous` leads back over every product to the first."""
    http = plain_http(sandbox)
    page = http.get(PRODUCTS, params={"limit": 4}).json()
    assert "previous" not in page["paging"]
    forth = [page["data"]]
    while "next" in page["paging"]:
        page = http.get(page["paging"]["next"]).json()
        forth.append(page["data"])
    back = [page["data"]]
    while "previous" in page["paging"]:
        page = http.get(page["paging"]["previous"]).json()
        back.append(page["data"])
    assert back[::-1] == forth
    assert http.get(PRODUCTS, params={"limit": 1, "summary": "true"}).json()["summary"] == {
        "total_count": len(DATA.catalog)
    }


def retailer_ids(sandbox, **asked):
    """Return the retailer ids of the products that are asked for."""
    answer = plain_http(sandbox).get(PRODUCTS, params={"limit": 100, **asked}).json()
    return [row["retailer_id"] for row in answer["data"]]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"retailer_id": {"eq": "P3"}}, ["P3"]),
        ({"retailer_id": {"is_any": ["P1", "P3", "none"]}}, ["P1", "P3"]),
        ({"availability": {"neq": "in stock"}}, [OUT_OF_STOCK]),
        ({"name": {"i_contains": "TITLE OF p1"}}, ["P1", "P10", "P11"]),
        ({"name": {"contains": "title of"}}, []),
        ({"retailer_id": {"starts_with": "P-"}}, [OUT_OF_STOCK, HIDDEN, UNREVIEWED]),
        ({"and": [{"price_amount": {"gte": 1400}}, {"retailer_id": {"not_contains": "-"}}]}, ["P11", "P9"]),
        ({"or": [{"retailer_id": {"eq": "P1"}}, {"retailer_id": {"eq": "P2"}}]}, ["P1", "P2"]),
        ({"not": {"retailer_id": {"starts_with": "P"}}}, []),
        ({"price_amount": {"gt": 1300, "lt": 1700}, "retailer_id": {"neq": "P11"}}, ["P9"]),
    ],
)
def test_products_are_filtered(sandbox, rule, expected):
    """Filters leave the products that they name, by equality, part, list, price, and their combinations."""
    assert retailer_ids(sandbox, filter=json.dumps(rule)) == sorted(expected)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"name": 1}', '{"colour": {"eq": 1}}', '{"name": {"is": 1}}',
    '{"price_amount": {"gt": "cheap"}}', '{"name": {"gt": 1}}', "{" * 3000])  # fmt: skip
def test_filters_that_are_none(sandbox, text):
    """What is no rule is refused with code 100."""
    error = plain_http(sandbox).get(PRODUCTS, params={"filter": text}).json()["error"]
    assert (error["code"], error["message"]) == (100, "(#100) Param filter must be a valid product filter")


def test_products_with_errors(sandbox):
    """Products are found by their error; approved ones alone can be asked for; a product has a node of its own."""
    assert retailer_ids(sandbox, error_type="ITEM_NOT_APPROVED") == [UNREVIEWED]
    assert retailer_ids(sandbox, error_type="PRODUCT_OUT_OF_STOCK") == [OUT_OF_STOCK]
    assert UNREVIEWED not in retailer_ids(sandbox, return_only_approved_products="true")
    http = plain_http(sandbox)
    row = http.get(PRODUCTS, params={"filter": '{"retailer_id": {"eq": "P-HIDDEN"}}'}).json()["data"][0]
    node = http.get(f"/v25.0/{row['id']}", params={"fields": "retailer_id,visibility,errors"}).json()
    assert (node["retailer_id"], node["visibility"]) == (HIDDEN, "hidden")
    assert node["errors"][0]["error_type"] == "PRODUCT_ITEM_NOT_VISIBLE"


def test_numbers_of_the_account(sandbox):
    """The account tells its number, with the level of its throughput."""
    path = f"/v25.0/{BUSINESS_ACCOUNT_ID}/phone_numbers"
    assert plain_http(sandbox).get(path).json()["data"][0]["id"] == NUMBER
    fast = Sandbox(DATA, throughput=1000)
    assert plain_http(fast).get(path).json()["data"][0]["throughput"] == {"level": "HIGH"}


def test_history(sandbox):
    """The history tells what became of each message so far, the newest first, a page at a time, or of one."""
    with sandbox.client() as client:
        wamids = [client.send(message(to=f"+{phone(n)}")).wamid for n in (0, 1, 3, 2)]
    http = plain_http(sandbox)
    assert http.get(HISTORY, params={"message_id": wamids[0]}).json()["data"][0]["events"]["data"] == []
    sandbox.advance("1D")
    page = http.get(HISTORY, params={"limit": 3}).json()
    found = page["data"] + http.get(page["paging"]["next"]).json()["data"]
    assert [row["message_id"] for row in found] == wamids[::-1]
    statuses = {row["message_id"]: [e["delivery_status"] for e in row["events"]["data"]] for row in found}
    assert statuses[wamids[0]][0] == "SENT"
    assert statuses[wamids[3]] == ["FAILED"]
    known = {name.upper() for name in told(sandbox).query("wamid == @wamids[0]")["status"]}
    assert set(statuses[wamids[0]]) == known
    for wrong in ({"limit": "101"}, {"limit": "0"}, {"after": "zz"}):
        assert http.get(HISTORY, params=wrong).json()["error"]["code"] == 100


def test_a_blocked_customer_is_refused(sandbox):
    """Whom the business blocked is refused with 130403 until unblocked; nobody else is."""
    http, users = plain_http(sandbox), {"messaging_product": "whatsapp", "block_users": [{"user": FIRST}]}
    told_ = http.post(BLOCKS, json=users).json()["block_users"]
    assert told_ == {"added_users": [{"input": FIRST, "wa_id": phone(0)}]}
    assert http.get(BLOCKS).json()["data"][0]["block_users"][0]["wa_id"] == phone(0)
    error = http.post(MESSAGES, json=message()).json()["error"]
    assert (error["code"], error["message"]) == (130403, "(#130403) User is blocked by the business")
    assert http.post(MESSAGES, json=message(to=f"+{phone(1)}")).status_code == 200
    assert http.request("DELETE", BLOCKS, json=users).json()["block_users"]["removed_users"]
    assert http.post(MESSAGES, json=message()).status_code == 200
    nobody = http.post(BLOCKS, json={"block_users": [{"user": "+12025550199"}, 7]}).json()["block_users"]
    assert [entry["input"] for entry in nobody["failed_users"]] == ["+12025550199", ""]
    assert http.post(BLOCKS, json={}).json()["error"]["code"] == 100


def test_a_customer_who_blocks_is_not_reached(sandbox):
    """A customer who blocked the business makes messages fail with 131026, as if they could not be delivered."""
    thread = open_thread(sandbox, DATA)
    sandbox.act(thread.customer_id, "block")
    with sandbox.client() as client:
        client.send(message(to=thread.to))
        assert failed(sandbox)["code"].tolist() == [131026]
        sandbox.act(thread.customer_id, "unblock")
        client.send(message(to=thread.to))
    assert failed(sandbox).empty


def test_throughput_can_be_set():
    """A limit that is set counts while the clock stands still, what comes in with what goes out."""
    slow = Sandbox(DATA, throughput=5)
    http, numbers = plain_http(slow), [f"+{phone(n)}" for n in range(20)]
    codes = [http.post(MESSAGES, json=message(to=to)).status_code for to in numbers[:6]]
    assert codes == [200] * 5 + [400]
    slow.advance("1s")
    who = DATA.threads["customer_id"].iloc[0]
    for _ in range(3):
        slow.act(who, "write", text="Hello")
    answers = [http.post(MESSAGES, json=message(to=to)) for to in numbers[10:16]]
    assert [answer.status_code for answer in answers] == [200, 200, 400, 400, 400, 400]
    error = answers[-1].json()["error"]
    assert (error["code"], error["message"]) == (130429, "(#130429) Rate limit hit")
    assert error["error_data"]["details"] == "Cloud API message throughput has been reached."


def test_typing_is_shown(sandbox):
    """Marking as read with a typing indicator shows the business typing for 25 seconds; another kind is refused."""
    who = DATA.threads.loc[DATA.threads["to"] == FIRST, "customer_id"].iloc[0]
    http, seen = plain_http(sandbox), sandbox.act(who, "write", text="Hello")
    reading = {"messaging_product": "whatsapp", "status": "read", "message_id": seen}
    path = f"/sandbox/state?chat={who}"
    assert http.post(MESSAGES, json=reading).json() == {"success": True}
    chat = http.get(path).json()["chat"]
    assert (chat["lines"][-1]["is_read"], chat["is_typing"]) == (True, False)
    http.post(MESSAGES, json={**reading, "typing_indicator": {"type": "text"}})
    assert http.get(path).json()["chat"]["is_typing"]
    sandbox.advance("25s")
    assert not http.get(path).json()["chat"]["is_typing"]
    for wrong in (True, {"type": "voice"}):
        assert http.post(MESSAGES, json={**reading, "typing_indicator": wrong}).json()["error"]["code"] == 131009


def test_pictures_of_the_exports_are_shown():
    """The page shows the pictures that lie beside the exports, and none that do not."""
    picture = b"\x89PNG\r\n\x1a\n..."
    http = plain_http(Sandbox(replace(DATA, pictures={"P/1 ?": picture})), "")
    answer = http.get("/sandbox/picture/P%2F1%20%3F")
    assert (answer.content, answer.headers["content-type"]) == (picture, "image/png")
    assert http.get("/sandbox/picture/P2").status_code == 404


def test_where_it_differs_is_told(sandbox):
    """What the sandbox does otherwise than Meta stands in its documents, and is served."""
    assert "failed` statuses echo" in sandbox.divergences
    assert plain_http(sandbox, "").get("/sandbox/divergences").text == sandbox.divergences
