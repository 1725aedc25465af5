"""WooCommerce orders: the REST API, one row an order, one row an item."""

import json
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.exporting import A, B, codes, item, row_of, table, woo
from wa_products.errors import DataError
from wa_products.exports import read_orders
from wa_products.exports.carried import carry
from wa_products.exports.columns import Column
from wa_products.exports.issues import Found
from wa_products.identities import customer_id


@pytest.fixture
def read(tmp_path):
    """Return a function that writes an orders export and reads it back."""

    def read(content, region="GB", timezone="UTC", **options):
        path = tmp_path / "export.dat"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_orders(path, region, timezone, **options)

    return read


WOO_SHAPES = {
    "list": json.dumps,
    "pretty": lambda orders: json.dumps(orders, indent=2),
    "lines": lambda orders: "".join(json.dumps(order) + "\n" for order in orders),
    "pages": lambda orders: json.dumps([[orders[0]], orders[1:]]),
    "pages in lines": lambda orders: json.dumps(orders[:1]) + "\n" + json.dumps(orders[1:]) + "\n",
    "under a key": lambda orders: json.dumps({"orders": orders}, indent=1),
}


@pytest.mark.parametrize("shape", WOO_SHAPES.values(), ids=WOO_SHAPES)
def test_woo_orders_come_in_lists_pages_and_lines(read, shape):
    """However the orders of the REST API were stored, the same lines come out."""
    orders, _ = read(shape([woo(727), woo(728, B)]), timezone=None)
    assert list(orders["order_id"]) == ["727", "727", "728", "728"]
    assert list(orders["line_no"]) == [1, 2, 1, 2]
    assert list(orders["item_id"]) == ["93", "23", "93", "23"]
    assert list(orders["unit_price"]) == [Decimal("3.00"), Decimal("12.00")] * 2
    assert list(orders["title"]) == ["Tea", "Mug \u2013 Blue"] * 2
    assert list(orders["phone"]) == [A, A, B, B]


def test_woo_gmt_dates_are_utc(read):
    """The time that says it is UTC goes before the shop's local one, and needs no zone."""
    orders, issues = read(json.dumps([woo(1)]), timezone=None)
    assert orders["ordered_at"][0] == pd.Timestamp("2026-03-22T19:28:02Z")
    assert "time_without_zone" not in codes(issues)
    local = woo(2)
    del local["date_created_gmt"]
    orders, _ = read(json.dumps([local]), timezone="America/Sao_Paulo")
    assert orders["ordered_at"][0] == pd.Timestamp("2026-03-22T19:28:02Z")


def test_woo_guests_are_not_one_customer(read):
    """Customer 0 is every guest: without a phone the e-mail tells them apart, and nothing else does."""
    nobody = {"country": "GB", "email": "", "phone": ""}
    orders, _ = read(json.dumps([woo(1, ""), woo(2, ""), woo(3, billing=nobody), woo(4, billing=nobody)]))
    by_order = orders.groupby("order_id")["customer_id"].first()
    assert by_order["1"] == customer_id("email", "buyer1@example.com") != by_order["2"]
    assert by_order["3"] == by_order["4"] == ""


def test_woo_refunds(read):
    """A full refund is no purchase, a part refund is kept and said, and a refund's own negative lines buy nothing."""
    back = {"id": 9, "refunded_by": 1, "date_created_gmt": "2026-03-23T00:00:00", "line_items": [item(93, quantity=-1)]}
    part, whole = [{"id": 5, "total": "-10.00"}], [{"id": 5, "total": "-29.35"}]
    orders, issues = read(json.dumps([woo(1, refunds=part), woo(2, refunds=whole), back]))
    assert orders.groupby("order_id")["is_purchase"].all().to_dict() == {"1": True, "2": False, "9": False}
    assert {"partly_refunded", "quantity_negative"} <= codes(issues)
    assert "2 orders: refunded" in set(issues["value"])


@pytest.mark.parametrize("status", ["cancelled", "refunded", "failed", "checkout-draft", "trash"])
def test_woo_states_that_are_no_purchase(read, status):
    """Such an order stays, is no purchase and is counted."""
    orders, issues = read(json.dumps([woo(1, status=status), woo(2, status="on-hold"), woo(3, status="custom")]))
    assert orders.groupby("order_id")["is_purchase"].all().to_dict() == {"1": False, "2": True, "3": True}
    assert "not_a_purchase" in codes(issues)


def test_woo_older_api(read):
    """The first API's page of orders, with its own names and times, reads too."""
    order = {
        "id": 645,
        "order_number": 645,
        "created_at": "2026-01-26T20:00:21Z",
        "status": "completed",
        "currency": "GBP",
        "total": "79.87",
        "line_items": [
            {"product_id": 546, "quantity": 3, "price": "21.99", "total": "65.97", "name": "Tea", "sku": "T"}
        ],
        "billing_address": {"country": "GB", "email": "a@example.com", "phone": "07700 900201"},
        "customer_id": 4,
    }
    orders, _ = read(json.dumps({"orders": [order]}))
    assert orders[["order_id", "phone", "sku"]].to_numpy().tolist() == [["645", A, "T"]]
    assert orders["ordered_at"][0] == pd.Timestamp("2026-01-26T20:00:21Z")
    assert orders["unit_price"][0] == Decimal("21.99")


def test_woo_rows_that_are_no_orders_are_placed(read):
    """What is no order, and an order without items, is set aside with the line on which it starts."""
    orders, issues = read(json.dumps([woo(1), {"id": 2}, woo(3, line_items=[])], indent=1))
    assert set(orders["order_id"]) == {"1"}
    assert len(row_of(issues, "not_an_order")) == len(row_of(issues, "order_without_items")) == 1
    assert row_of(issues, "not_an_order")[0][1] > 20


def test_shopify_json_is_not_taken_for_woo(read):
    """Another shop's JSON of nearly the same shape is refused, not misread."""
    order = {"id": 1, "created_at": "2026-01-01T00:00:00Z", "financial_status": "paid", "line_items": [{"id": 1}]}
    with pytest.raises(DataError, match="no known format"):
        read(json.dumps([order]))


# WooCommerce, one row an order

TOFFEE = (
    *(
        "order_id",
        "order_number",
        "order_date",
        "paid_date",
        "status",
        "order_total",
        "order_currency",
        "customer_user",
    ),
    *("billing_email", "billing_phone", "billing_country", "refund_items", "line_item_1", "line_item_2"),
)


def toffee(number, date, *items, status="completed", refund="", phone="07700 900201"):
    """Return one row of the plugin's export."""
    cells = (*items, *[""] * (2 - len(items)))
    paid = "2020-03-19 06:40:32"
    return (number, number, date, paid, status, "22.42", "GBP", "0", "", phone, "GB", refund, *cells)


def test_items_in_cells_become_lines(read):
    """Each item cell is a line, with the variant's id where there is one; names may hold the marks between fields."""
    orders, _ = read(
        table(
            TOFFEE,
            toffee(
                "1001",
                "16-05-2026 07:32:06",
                "name:Tea: Earl|Grey 50 %|product_id:13|sku:A|12|quantity:2|total:8.00|tax:1.44",
                "name:Shirt|product_id:20|sku:S1|quantity:1|total:9.50|color:Red|_variation_id:616|tax:1",
            ),
        )
    )
    assert list(orders["title"]) == ["Tea: Earl|Grey 50 %", "Shirt"]
    assert list(orders["sku"]) == ["A|12", "S1"]
    assert list(orders["item_id"]) == ["13", "616"]
    assert list(orders["quantity"]) == [2, 1]
    assert list(orders["unit_price"]) == [Decimal("4.00"), Decimal("9.50")]
    assert list(orders["phone"]) == [A, A]


def test_each_date_column_has_its_own_style(read):
    """Day first in one column and year first in another: the orders' own column decides for itself."""
    one = "name:Tea|product_id:13|sku:|quantity:1|total:1.00"
    orders, _ = read(table(TOFFEE, toffee("1", "16-05-2026 07:32:06", one), toffee("2", "05-06-2026 07:32:06", one)))
    assert list(orders["ordered_at"].dt.strftime("%m-%d")) == ["05-16", "06-05"]


def test_a_column_that_tells_no_day_from_month_is_not_guessed(read):
    """Where no value is above 12 the rows are set aside, each with its value."""
    one = "name:Tea|product_id:13|sku:|quantity:1|total:1.00"
    orders, issues = read(table(TOFFEE, toffee("1", "05-06-2026 07:32:06", one), toffee("2", "2026-05-16", one)))
    assert list(orders["order_id"]) == ["2"]
    assert issues.set_index("code").loc["time_ambiguous", "value"] == "05-06-2026 07:32:06"


def test_refunds_in_cells(read):
    """A refund of the whole total is no purchase; a smaller one is kept and said."""
    one = "name:Tea|product_id:13|sku:|quantity:1|total:1.00"
    whole, part = "amount:22.42|reason:refund|date:2026-06-19", "amount:1.00|reason:x|date:2026-06-19"
    orders, issues = read(
        table(
            TOFFEE,
            toffee("1", "2026-05-16", one, refund=whole),
            toffee("2", "2026-05-16", one, refund=part),
            toffee("3", "2026-05-16"),
            toffee("4", "2026-05-16", "a broken cell"),
        )
    )
    assert list(orders["is_purchase"]) == [False, True]
    assert {"partly_refunded", "order_without_items", "item_unreadable"} <= codes(issues)
    assert row_of(issues, "order_without_items")[0] == (3, 4)


def test_items_in_one_cell_between_semicolons(read):
    """Another plugin's single cell of items reads like many cells."""
    names = ("order_id", "date", "status", "order_currency", "billing_email", "billing_phone", "line_items")
    items = (
        "id:1|name:Tea; loose|product_id:5|sku:T|quantity:1|total:3.00;id:2|name:Mug|product_id:6|quantity:2|total:8"
    )
    orders, _ = read(table(names, ("9", "2026-05-16", "completed", "GBP", "a@example.com", A, items)))
    assert list(orders["title"]) == ["Tea; loose", "Mug"]
    assert list(orders["unit_price"]) == [Decimal(3), Decimal(4)]


# WooCommerce, one row an item

ADVANCED = (
    *("Order Number", "Order Status", "Order Date", "Email (Billing)", "Phone (Billing)", "Country Code (Billing)"),
    *("Item #", "Item Name", "Quantity (- Refund)", "Item Cost", "SKU"),
)
BLANK = ("",) * 6


def head(number, phone, status="Completed"):
    """Return the order's columns of a row."""
    return (number, status, "2026-05-16 10:00", "", phone, "GB")


@pytest.mark.parametrize("repeated", [True, False], ids=["repeated", "blank"])
def test_order_columns_repeated_or_blank(read, repeated):
    """Rows of an order carry its columns or leave them blank: each line has its own order's customer either way."""
    orders, _ = read(
        table(
            ADVANCED,
            (*head("11", "07700 900201"), "1", "Tea", "2", "3.50", "T1"),
            (*(head("11", "07700 900201") if repeated else BLANK), "2", "Mug", "1", "7.00", "M1"),
            (*head("12", ""), "1", "Tea", "1", "3.50", "T1"),
            (*(head("12", "") if repeated else BLANK), "2", "Mug", "1", "7.00", "M1"),
            (*head("13", B, "Refunded"), "1", "Tea", "1", "3.50", "T1"),
        )
    )
    assert list(orders["order_id"]) == ["11", "11", "12", "12", "13"]
    assert list(orders["line_no"]) == [1, 2, 1, 2, 1]
    assert list(orders["phone"]) == [A, A, "", "", B]
    assert list(orders["title"]) == ["Tea", "Mug", "Tea", "Mug", "Tea"]
    assert list(orders["is_purchase"]) == [True] * 4 + [False]


def test_a_blank_row_in_a_file_that_repeats_belongs_to_nobody(read):
    """Where orders repeat their columns, a row without any is broken and never gets the customer above."""
    orders, issues = read(
        table(
            ADVANCED,
            (*head("11", A), "1", "Tea", "2", "3.50", "T1"),
            (*head("11", A), "2", "Mug", "1", "7.00", "M1"),
            (*BLANK, "1", "Soap", "1", "1.00", "S"),
        )
    )
    assert "Soap" not in set(orders["title"])
    assert row_of(issues, "no_first_row") == [(3, 4)]


def test_a_file_cut_at_its_start_keeps_what_has_an_order(read):
    """Rows before the first order number are set aside."""
    orders, issues = read(
        table(ADVANCED, (*BLANK, "2", "Mug", "1", "7.00", "M1"), (*head("12", A), "1", "Tea", "1", "3.50", "T1"))
    )
    assert list(orders["title"]) == ["Tea"]
    assert row_of(issues, "no_first_row") == [(1, 2)]


def test_rows_apart_find_their_order_or_none():
    """A row with a number alone goes to the only order of that number; to none where there are two."""
    found = Found("x", rows_in=6)
    key = Column.of(["1", "2", "1", "3", "2", "2"])
    who = Column.of(["a", "b", "", "c", "d", ""])
    carried = carry(key, {"who": who}, pd.Series(range(1, 7)).to_numpy(), found)
    assert [carried.columns["who"][place] for place in carried.order] == ["a", "b", "a", "c", "d", "d"]
    key, who = Column.of(["2", "3", "2", "4", "2"]), Column.of(["b", "c", "d", "e", ""])
    carried = carry(key, {"who": who}, pd.Series(range(1, 6)).to_numpy(), found)
    assert list(carried.known) == [True, True, True, True, False]


@given(st.lists(st.tuples(st.sampled_from("123"), st.sampled_from(["", "a", "b"])), min_size=1, max_size=12))
def test_nobody_gets_a_customer_of_another_order(rows):
    """Whatever is blank, a row's customer is one that some row of its own order number names, or nobody."""
    found = Found("x", rows_in=len(rows))
    key, who = Column.of([number for number, _ in rows]), Column.of([name for _, name in rows])
    carried = carry(key, {"who": who}, pd.Series(range(1, len(rows) + 1)).to_numpy(), found)
    kept = [row for row, known in zip(rows, carried.known, strict=True) if known]
    for (number, name), place in zip(kept, carried.order, strict=True):
        given_name = carried.columns["who"][place]
        assert given_name == name or not name
        assert given_name in {"", *(other for its, other in rows if its == number)}
    assert found.set_aside == len(rows) - len(kept)
