"""A folder of exports: told apart by content, joined, matched to the catalog."""

import json

import pandas as pd
import pytest

from tests.exports.files import META, SHOPIFY, codes, order, product, text
from tests.shops import shop
from wa_products.datasets import Dataset
from wa_products.errors import DataError
from wa_products.exports import crosswalk, load, read_inbound, read_orders

A, WA = "+447700900101", "447700900101"
TOML = 'currency = "GBP"\nregion = "GB"\ntimezone = "Europe/London"\ncatalog_id = "77"\nas_of = 2026-04-10T09:00:00Z\n'


def body(message=None, *, at="1775470000", sender=WA, number=1, **kind):
    """Return one webhook body with one message."""
    content = {"from": sender, "id": f"wamid.{number}", "timestamp": at, **(message or kind)}
    value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": "1"}, "messages": [content]}
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}],
    }


HELLO = {"type": "text", "text": {"body": "hello"}}
CART = {
    "type": "order",
    "order": {
        "catalog_id": "77",
        "product_items": [{"product_retailer_id": "SKU-002", "quantity": 2, "item_price": 2.5, "currency": "GBP"}],
    },
}


@pytest.fixture
def folder(tmp_path):
    """Return a folder with a catalog, orders and a log under names that mislead."""
    (tmp_path / "shop.toml").write_text(TOML)
    (tmp_path / "orders.csv").write_text(text([product(1), product(2)], META))
    (tmp_path / "catalog.txt").write_text(text(order("#1", "07700 900101", lines=2), SHOPIFY))
    log = [body(HELLO), body(HELLO), body(CART, number=2)]
    (tmp_path / "notes.log").write_text("\n".join(map(json.dumps, log)) + "\n")
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "1.png").write_bytes(b"\x89PNG one")
    return tmp_path


def test_files_are_told_apart_by_content(folder):
    """Names mean nothing: each file is read for what it holds."""
    data = load(folder)
    assert (len(data.catalog), len(data.orders), len(data.inbound)) == (2, 3, 2)
    assert (data.currency, data.region, data.timezone, data.catalog_id) == ("GBP", "GB", "Europe/London", "77")
    assert data.as_of == pd.Timestamp("2026-04-10T09:00Z")
    assert data.pictures == {"SKU-001": b"\x89PNG one"}


def test_orders_carts_and_messages_join_in_one_customer(folder):
    """The national phone of an order and the wa_id of a message are one customer."""
    data = load(folder)
    assert len(data.customers) == 1
    assert set(data.orders["status"]) == {"pending", "cart"}
    assert data.orders.set_index("status").loc["cart", "product_retailer_id"] == "SKU-002"


def test_what_came_after_as_of_is_not_there(folder):
    """The shop is seen as it was: later orders and messages are left out, and counted."""
    data = load(folder, as_of="2026-04-05T00:00Z")
    assert (len(data.orders), len(data.inbound)) == (0, 0)
    assert "later_than_as_of" in codes(data.issues)


def test_a_sale_is_that_of_as_of(tmp_path):
    """The same folder seen in and after the sale has and has not its sale price."""
    row = product(2, sale_price="2 GBP", sale_price_effective_date="2026-04-01T00:00+00:00/2026-04-30T23:59+00:00")
    (tmp_path / "c.csv").write_text(text([row], [*META, "sale_price", "sale_price_effective_date"]))
    prices = [load(tmp_path, as_of=at).catalog["sale_price"].iloc[0] for at in ("2026-04-10", "2026-05-10")]
    assert (str(prices[0]), prices[1]) == ("2", None)


REFUSED = {
    "a missing folder": (lambda folder: load(folder / "nowhere"), "does not exist"),
    "a file for a folder": (lambda folder: load(folder / "orders.csv"), "is a file"),
    "an empty folder": (lambda folder: load(folder / "images"), "no exports"),
    "nothing": (lambda _folder: load(), "nothing to load"),
    "a missing file": (lambda folder: load(catalog=folder / "c.csv"), r"no file c\.csv"),
    "an unknown file": (
        lambda folder: (folder / "x.csv").write_text("a,b\n1,2\n") and load(folder),
        r"x\.csv is of no known",
    ),
    "broken TOML": (
        lambda folder: (folder / "shop.toml").write_text("a=") and load(folder),
        r"shop\.toml is not valid",
    ),
    "no such zone": (
        lambda folder: (folder / "shop.toml").write_text('timezone="Moon"') and load(folder),
        "no time zone 'Moon'",
    ),
    "a bad as_of": (lambda folder: load(folder, as_of="soon"), "as_of 'soon'"),
    "a frame without ids": (lambda _folder: load(catalog=pd.DataFrame({"a": [1]})), "catalog lacks"),
}


@pytest.mark.parametrize(("act", "said"), REFUSED.values(), ids=REFUSED)
def test_each_mistake_gives_one_sentence(folder, act, said):
    """Whatever is wrong with the folder is said in one line, with what to do."""
    with pytest.raises(DataError, match=said) as caught:
        act(folder)
    assert "\n" not in str(caught.value)


def test_frames_load_as_files_do():
    """A shop may hand over its frames; the answer is the same kind of Dataset."""
    small = shop()
    data = load(catalog=small.catalog, orders=small.orders, inbound=small.inbound, as_of=small.as_of)
    assert isinstance(data, Dataset)
    assert set(data.orders["product_retailer_id"]) == set(small.orders["product_retailer_id"])


def test_two_overlapping_exports_hold_an_order_once(tmp_path):
    """What two files both hold is merged; what only one holds stays."""
    (tmp_path / "a.csv").write_text(text([*order("#1", A, Id="1"), *order("#2", A, Id="2")], SHOPIFY))
    (tmp_path / "b.csv").write_text(text([*order("#2", A, Id="2"), *order("#3", A, Id="3")], SHOPIFY))
    data = load(tmp_path)
    assert sorted(data.orders["order_id"]) == ["1", "2", "3"]
    assert "order_repeated" in codes(data.issues)


LOGS = {
    "lines": lambda bodies: "\n".join(map(json.dumps, bodies)),
    "an array": json.dumps,
    "an indented array": lambda bodies: json.dumps(bodies, indent=2),
    "wrapped": lambda bodies: "\n".join(json.dumps({"body": json.dumps(b), "at": 1}) for b in bodies),
    "after a log's own time": lambda bodies: "\n".join("2026-04-06 10:00:00 INFO " + json.dumps(b) for b in bodies),
    "values alone": lambda bodies: "\n".join(json.dumps(b["entry"][0]["changes"][0]["value"]) for b in bodies),
}


@pytest.mark.parametrize("wrapped", LOGS.values(), ids=LOGS)
def test_logs_come_in_many_wrappings(tmp_path, wrapped):
    """However bodies were stored, the messages are the same, each but once."""
    path = tmp_path / "log"
    path.write_text(wrapped([body(HELLO), body(HELLO, number=2), body(HELLO)]))
    inbound, _ = read_inbound(path)
    assert list(inbound["message_id"]) == ["wamid.1", "wamid.2"]
    assert set(inbound["wa_id"]) == {WA}


def test_a_broken_log_line_is_named(tmp_path):
    """A line that is no JSON is set aside by its number; the others are read."""
    path = tmp_path / "log"
    path.write_text(json.dumps(body(HELLO)) + "\n\nnot json\n" + json.dumps(body(HELLO, number=2)) + "\n")
    inbound, issues = read_inbound(path)
    assert len(inbound) == 2
    found = issues[issues["code"] == "not_json"].iloc[0]
    assert (found["row"], found["line"], found["value"]) == (2, 3, "not json")


@pytest.mark.parametrize("at", ["asdf", "99999999999"])
def test_a_message_without_a_usable_time_opens_nothing(tmp_path, at):
    """A timestamp that is no number, or lies in the future, is an issue and no message."""
    path = tmp_path / "log"
    path.write_text(json.dumps(body(HELLO)) + "\n" + json.dumps(body(HELLO, number=2, at=at)) + "\n")
    inbound, issues = read_inbound(path)
    assert list(inbound["message_id"]) == ["wamid.1"]
    assert codes(issues) & {"timestamp_unreadable", "timestamp_future"}


def test_carts_of_a_log_are_orders(tmp_path):
    """The carts of a webhook log are order lines whose product is the retailer id already."""
    path = tmp_path / "log"
    path.write_text(json.dumps(body(CART)) + "\n")
    orders, _ = read_orders(path)
    assert list(orders["product_retailer_id"]) == ["SKU-002"]
    assert (orders["source_file"].iloc[0], orders["source_row"].iloc[0]) == ("log", 1)


def items(**columns):
    """Return order lines with these columns, and one currency and price."""
    rows = len(next(iter(columns.values())))
    fixed = {"unit_price": [2.0] * rows, "quantity": [1.0] * rows, "currency": ["GBP"] * rows}
    blank = {name: [""] * rows for name in ("product_retailer_id", "title") if name not in columns}
    return pd.DataFrame({**fixed, **blank, **columns})


CATALOG = pd.DataFrame(
    {
        "product_retailer_id": ["A1", "GT-7_63", "X9", "T-S", "T-M", "DUP", "DUP2"],
        "title": ["Apple Cider - Buy 1", "Green tea", "Mug", "Shirt", "Shirt", "Twin", "Twin"],
        "link": ["", "", "https://x/products/mug?variant=445", "https://x/products/shirt", "", "", ""],
        "color": ["", "", "", "Red", "Red", "", ""],
        "size": ["", "", "", "S", "M", "", ""],
    }
)
MATCHES = {
    "id": ({"item_id": "A1"}, "A1", "id"),
    "sku": ({"sku": "A1"}, "A1", "sku"),
    "trailing id": ({"item_id": "63"}, "GT-7_63", "trailing id"),
    "sku before the trailing id": ({"sku": "GT-7"}, "GT-7_63", "trailing id"),
    "variant in link": ({"item_id": "445"}, "X9", "variant in link"),
    "handle in link": ({"link": "https://other/products/Mug"}, "X9", "handle in link"),
    "title with a dash": ({"title": "Apple Cider - Buy 1"}, "A1", "title and options"),
    "title and options": ({"title": "Shirt - Red / M"}, "T-M", "title and options"),
    "options in another order": ({"title": "shirt -  S / red"}, "T-S", "title and options"),
    "an option that is not there": ({"title": "Shirt - Red / XL"}, "", "unmatched"),
    "a parent": ({"title": "Shirt"}, "", "unmatched"),
    "two products of one name": ({"title": "Twin"}, "", "ambiguous"),
    "a tip": ({"title": "Tip"}, "", "unmatched"),
}


@pytest.mark.parametrize(("item", "product_id", "rule"), MATCHES.values(), ids=MATCHES)
def test_each_rule_finds_its_product_or_none(item, product_id, rule):
    """A shop's item is matched by the first rule that names one product, and never by half a name."""
    matched, report = crosswalk.match(items(**{name: [value] for name, value in item.items()}), CATALOG)
    assert (matched["product_retailer_id"].iloc[0], matched["match_rule"].iloc[0]) == (product_id, rule)
    assert (report["rule"].iloc[0], report["lines"].iloc[0], report["revenue"].iloc[0]) == (rule, 1, 2.0)


def test_the_report_lists_what_was_not_found_by_revenue():
    """The titles that cost the most history come first."""
    lines = items(title=["Tip", "Twin", "Wrap", "Wrap", "Shirt - Red / M"])
    _, report = crosswalk.match(lines, CATALOG)
    lost = report[report["title"] != ""]
    assert list(zip(lost["rule"], lost["title"], lost["lines"], strict=True)) == [
        ("unmatched", "Wrap", 2),
        ("unmatched", "Tip", 1),
        ("ambiguous", "Twin", 1),
    ]
    assert report.loc[report["title"] == "", "lines"].sum() == 5
