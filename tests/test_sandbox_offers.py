"""Messages with several products: a list, a carousel, the whole catalog. What Meta asks of them, what comes of it."""

import copy

import pytest

from tests.sandbox_calls import MESSAGES, failed, message, open_thread, plain_http, told
from tests.sandbox_shop import CATALOG_ID, HIDDEN, UNREVIEWED, phone, shop
from wa_products.sandbox import Sandbox

DATA = shop()


def items(*names):
    """Return product items of a section."""
    return [{"product_retailer_id": name} for name in names]


def product_list(*sections, header="New", **parts):
    """Return a multi-product message with these sections, each a title and products."""
    action = {"catalog_id": CATALOG_ID, "sections": [{"title": t, "product_items": items(*p)} for t, p in sections]}
    interactive = {"type": "product_list", "header": {"type": "text", "text": header}, "body": {"text": "For you"}}
    return posted({**interactive, "action": action, **parts})


def catalog_message(thumbnail="P1", **parts):
    """Return a catalog message."""
    action = {"name": "catalog_message", "parameters": {"thumbnail_product_retailer_id": thumbnail}}
    return posted({"type": "catalog_message", "body": {"text": "All we have"}, "action": action, **parts})


def carousel(*names, **parts):
    """Return a product carousel."""
    cards = [
        {"card_index": n, "type": "product", "action": {"catalog_id": CATALOG_ID, "product_retailer_id": name}}
        for n, name in enumerate(names)
    ]
    return posted({"type": "carousel", "body": {"text": "These three"}, "action": {"cards": cards}, **parts})


def posted(interactive):
    """Return a message to the first customer."""
    to = {"messaging_product": "whatsapp", "to": f"+{phone(0)}", "type": "interactive"}
    return {**to, "interactive": {name: part for name, part in interactive.items() if part is not None}}


def changed(payload, path, value):
    """Return the message with the part at `path` of its action replaced."""
    made = copy.deepcopy(payload)
    at = made["interactive"]["action"]
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return made


LIST, CAROUSEL = product_list(("Tea", ["P1", "P2"])), carousel("P1", "P2", "P3")


@pytest.mark.parametrize(
    "payload",
    [
        LIST,
        product_list(("Tea", ["P1"]), ("Jam", ["P2", "P3"])),
        product_list(("T" * 24, ["P1"] * 30), header="h" * 60),
        CAROUSEL,
        carousel(*["P1"] * 10),
        catalog_message(),
        posted({"type": "catalog_message", "body": {"text": "x"}, "action": {"name": "catalog_message"}}),
    ],
)
def test_offers_are_taken(payload):
    """Lists, carousels and catalog messages within their limits are accepted, and their statuses come."""
    sandbox = Sandbox(DATA)
    answer = plain_http(sandbox).post(MESSAGES, json=payload)
    assert answer.status_code == 200, answer.text
    found = told(sandbox.advance("1h"))
    assert "sent" in set(found.loc[found["wamid"] == answer.json()["messages"][0]["id"], "status"])


@pytest.mark.parametrize(
    ("payload", "code", "words"),
    [
        (product_list(("Tea", ["P1"]), header="h" * 61), 131009, "Header text length invalid. Min length: 1, Max"),
        (product_list(("Tea", ["P1"]), header=None), 131009, "Header must be a string"),
        (product_list(("Tea", ["P1"]), body=None), 131008, "interactive['body'] is required"),
        (product_list(("Tea", ["P1"]), body={"text": "x" * 1025}), 131009, "Max length: 1024"),
        (product_list(("Tea", ["P1"]), footer={"text": "x" * 61}), 131009, "Max length: 60"),
        (product_list(), 131009, "Sections count invalid. Min allowed: 1, Max allowed: 10"),
        (product_list(*[("Tea", ["P1"])] * 11), 131009, "Sections count invalid"),
        (product_list(("T" * 25, ["P1"])), 131009, "Section title text length invalid. Min length: 1, Max length: 24"),
        (product_list(("", ["P1"]), ("Jam", ["P2"])), 131009, "Section title text length invalid"),
        (product_list(("Tea", ["P1"] * 16), ("Jam", ["P1"] * 15)), 131009, "Products count invalid. Min allowed: 1, M"),
        (product_list(("Tea", [])), 131009, "Product items count invalid"),
        (changed(LIST, ["catalog_id"], ""), 131008, "['catalog_id'] is required"),
        (changed(LIST, ["sections"], "x"), 131008, "['sections'] is required"),
        (changed(LIST, ["sections", 0, "product_items", 0], {}), 131008, "['product_retailer_id'] is required"),
        (
            catalog_message(header={"type": "text", "text": "x"}),
            131009,
            "interactive['header'] is not allows for catalo",
        ),
        (catalog_message(body=None), 131008, "interactive['body'] is required"),
        (changed(catalog_message(), ["name"], "x"), 131009, "must be one of {catalog_message}"),
        (changed(catalog_message(), ["parameters"], 1), 131009, "must be an object"),
        (carousel("P1"), 131009, "Cards count invalid. Min allowed: 2, Max allowed: 10"),
        (carousel(*["P1"] * 11), 131009, "Cards count invalid"),
        (carousel("P1", "P2", body=None), 131008, "interactive['body'] is required"),
        (carousel("P1", "P2", header={}), 131009, "interactive['header'] is not allows for carousel messages"),
        (
            carousel("P1", "P2", footer={"text": "x"}),
            131009,
            "interactive['footer'] is not allows for carousel messages",
        ),
        (changed(CAROUSEL, ["cards", 1, "card_index"], 7), 131009, "['card_index'] must count from 0"),
        (changed(CAROUSEL, ["cards", 1, "type"], "cta_url"), 131009, "['type'] must be one of {product}"),
        (changed(CAROUSEL, ["cards", 1, "action"], None), 131008, "['cards']['action'] is required"),
        (changed(CAROUSEL, ["cards", 1, "action", "catalog_id"], "2"), 131009, "of the same catalog"),
    ],
)
def test_offers_that_are_wrong(payload, code, words):
    """Each wrong offer is refused with Meta's code, and words that name the part."""
    sandbox = Sandbox(DATA)
    error = plain_http(sandbox).post(MESSAGES, json=payload).json()["error"]
    assert error["code"] == code
    assert words in error["error_data"]["details"]
    assert sandbox._world.desk.messages == []


def test_a_list_leaves_out_what_cannot_be_shown():
    """Unknown, hidden and unreviewed products of a list are silently left out; with none left it is refused."""
    sandbox = Sandbox(DATA)
    http = plain_http(sandbox)
    assert http.post(MESSAGES, json=product_list(("T", ["P-NONE", HIDDEN, "P3", UNREVIEWED]))).status_code == 200
    assert sandbox._world.desk.messages[-1].shown == ("P3",)
    error = http.post(MESSAGES, json=product_list(("T", ["P-NONE", HIDDEN]))).json()["error"]
    assert (error["code"], error["error_data"]["details"]) == (131009, "Products not found in FB Catalog")


@pytest.mark.parametrize("make", [lambda name: carousel("P1", name), catalog_message])
def test_others_need_every_product(make):
    """A carousel or a catalog message with a product that cannot be shown is refused."""
    http = plain_http(Sandbox(DATA))
    for name, words in (
        ("P-NONE", "product not found for product_retailer_id, P-NONE"),
        (HIDDEN, "not found"),
    ):
        error = http.post(MESSAGES, json=make(name)).json()["error"]
        assert error["code"] == 131009
        assert words in error["error_data"]["details"]


@pytest.mark.parametrize("payload", [LIST, CAROUSEL, catalog_message(), message()])
def test_a_hidden_catalog_hides_all(payload):
    """With the catalog switched off every kind of offer is refused, and a text is not."""
    sandbox = Sandbox(DATA)
    http = plain_http(sandbox)
    sandbox._world.shelf.is_catalog_visible = False
    assert "Check if catalog is linked" in http.post(MESSAGES, json=payload).text
    text = {"messaging_product": "whatsapp", "to": f"+{phone(0)}", "type": "text", "text": {"body": "Hello"}}
    assert http.post(MESSAGES, json=text).status_code == 200


def test_an_old_app_shows_no_offer():
    """Lists, carousels and catalog messages fail on an app too old for them, as single products do."""
    data = shop(400)
    sandbox = Sandbox(data)
    old = open_thread(sandbox, data, outdated=True)
    for payload in (LIST, CAROUSEL, catalog_message()):
        assert plain_http(sandbox).post(MESSAGES, json={**payload, "to": old.to}).status_code == 200
    assert failed(sandbox)["code"].tolist() == [131026] * 3


def test_a_list_tempts_by_what_the_customer_likes():
    """Of several products it is the customer's favourite that counts; without one it is the first."""
    sandbox = Sandbox(DATA)
    thread = open_thread(sandbox, DATA)
    favourite = DATA.purchases.groupby("customer_id")["product_retailer_id"].first()[thread.customer_id]
    others = [f"P{n}" for n in range(12) if f"P{n}" != favourite]
    for names in ([*others[:3], favourite], others[:3]):
        plain_http(sandbox).post(MESSAGES, json={**product_list(("T", names)), "to": thread.to})
    plain_http(sandbox).post(MESSAGES, json={**catalog_message(), "to": thread.to})
    assert [m.product_retailer_id for m in sandbox._world.desk.messages] == [favourite, others[0], favourite]
