"""Shopify orders as shops export them."""

from decimal import Decimal

import pandas as pd
import pytest

from tests.exports.files import SHOPIFY, codes, order, text
from wa_products import frames
from wa_products.errors import DataError
from wa_products.exports import read_orders, summary
from wa_products.identities import customer_id

A, B = "+447700900101", "+447700900102"


@pytest.fixture
def read(tmp_path):
    """Return a function that writes an orders export and reads it back."""

    def read(content, names=SHOPIFY, region="GB", timezone=None, **options):
        path = tmp_path / "catalog.csv"
        if not isinstance(content, str | bytes):
            content = text(content, names)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_orders(path, region, timezone, **options)

    return read


def test_order_columns_are_filled_inside_the_order(read):
    """Each line has its order's customer, currency and status; a blank order never takes the one above."""
    orders, issues = read([*order("#1", A, lines=3), *order("#2", "", lines=2), *order("#3", B)])
    assert list(orders["phone"]) == [A, A, A, "", "", B]
    assert list(orders["line_no"]) == [1, 2, 3, 1, 2, 1]
    assert orders["customer_id"].iloc[0] == customer_id("phone", A[1:])
    assert list(orders["customer_id"].iloc[3:5]) == ["", ""]
    assert set(orders["currency"]) == {"GBP"}
    assert list(issues.loc[issues["code"] == "phone_missing", "row"]) == [4]


def test_cash_on_delivery_keeps_its_history(read):
    """Pending orders are purchases: a shop paid in cash has no others."""
    orders, _ = read([*order("#1", A), *order("#2", B, **{"Financial Status": "paid"})])
    assert orders["is_purchase"].all()


EXCLUDED = {
    "cancelled": {"Cancelled at": "2026-04-06 10:00:00 +0100"},
    "voided": {"Financial Status": "voided"},
    "refunded": {"Financial Status": "refunded"},
    "expired": {"Financial Status": "expired"},
    "test": {"Payment Method": "(for testing) Bogus Gateway"},
    "test ": {"Tags": "vip, Test"},
    "draft": {"Source": "shopify_draft_order", "Phone": ""},
}


@pytest.mark.parametrize(("reason", "change"), EXCLUDED.items(), ids=EXCLUDED)
def test_what_was_not_bought_stays_and_is_counted(read, reason, change):
    """Such an order stays in the frame, is no purchase, and is counted by its reason."""
    orders, issues = read([*order("#1", A), *order("#2", B, lines=2, **change)])
    assert list(orders["is_purchase"]) == [True, False, False]
    assert f"1 orders: {reason.strip()}" in set(issues["value"])


def test_a_draft_with_a_customer_was_bought(read):
    """Orders taken by hand in a chat begin as drafts; with a customer they are sales."""
    orders, _ = read(order("#1", A, Source="shopify_draft_order"))
    assert orders["is_purchase"].all()


PHONES = {
    "07700 900101": A,
    "+44 (0)7700 900101": A,
    "+44 0 7700-900101": A,
    "0044 7700 900101": A,
    "447700900101": A,
    "'+447700900101": A,
    "8.80171E+12": "phone_scientific",
    "07700 900101 / 07700 900102": "phone_several",
    "0000000000": "phone_dummy",
    "12345": "phone_too_short",
    "020 7946 0018 x12": "phone_extension",
    "call me": "phone_unreadable",
}


@pytest.mark.parametrize(("written", "meant"), PHONES.items(), ids=PHONES)
def test_phones_are_read_or_refused(read, written, meant):
    """A number in any usual spelling is one E.164 number; one that is not certain is none, with its reason."""
    orders, issues = read(order("#1", written))
    assert orders["phone"].iloc[0] == (meant if meant.startswith("+") else "")
    assert meant.startswith("+") or meant in codes(issues)


def test_the_country_of_the_row_goes_before_the_shops(read):
    """A national number is of its own billing country; without any country it is none."""
    orders, _ = read(order("#1", "071 123 4567", **{"Billing Country": "ZA"}))
    assert orders["phone"].iloc[0] == "+27711234567"
    orders, issues = read(order("#1", "071 123 4567", **{"Billing Country": ""}), region=None)
    assert orders["phone"].iloc[0] == ""
    assert "phone_region_unknown" in codes(issues)


def test_phone_columns_go_in_order_and_disagreement_is_flagged(read):
    """Phone goes before Shipping Phone before Billing Phone; two numbers in one order are a warning."""
    both = {"Shipping Phone": B, "Billing Phone": A}
    orders, issues = read([*order("#1", "", **both), *order("#2", A, **{"Billing Phone": "07700 900101"})])
    assert list(orders["phone"]) == [B, A]
    assert list(issues.loc[issues["code"] == "phones_differ", "row"]) == [1]


def test_e_mail_stands_in_for_a_phone(read):
    """Without a phone the e-mail, in any case, is the customer; without either nobody is."""
    orders, _ = read([*order("#1", Email="A@example.com"), *order("#2", Email="a@EXAMPLE.com "), *order("#3")])
    assert orders["customer_id"].iloc[0] == orders["customer_id"].iloc[1] == customer_id("email", "a@example.com")
    assert orders["customer_id"].iloc[2] == ""


def test_a_continuation_row_without_its_first_row_is_set_aside(read):
    """The first rows of a file cut out of a larger one belong to nobody."""
    rows = [*order("#1", A, lines=3)[1:], *order("#2", B, lines=2)]
    orders, issues = read(rows)
    assert list(orders["order_id"]) == ["#2", "#2"]
    assert list(issues.loc[issues["code"] == "no_first_row", "row"]) == [1, 2]


def test_rows_of_an_order_that_stand_apart_find_it(read):
    """In a sorted export a line far from its order still takes that order's customer, not its neighbour's."""
    one, two = order("#1", A, lines=2), order("#2", B, lines=1, **{"Created at": "2026-05-05 10:00:00 +0100"})
    orders, issues = read([one[0], *two, one[1]])
    assert list(zip(orders["order_id"], orders["phone"], orders["line_no"], strict=True)) == [
        ("#1", A, 1),
        ("#2", B, 1),
        ("#1", A, 2),
    ]
    assert "rows_apart" in codes(issues)


def test_the_same_order_twice_is_merged(read):
    """An order that two joined exports both hold counts once, and the other is accounted for."""
    rows = [*order("#1", A, lines=2, Id="5501"), *order("#2", B, Id="5502")]
    orders, issues = read(text(rows, SHOPIFY) + text(rows, SHOPIFY))
    assert list(orders["order_id"]) == ["5501", "5501", "5502"]
    assert not orders.duplicated(["order_id", "line_no"]).any()
    assert "order_repeated" in codes(issues)


def test_the_same_order_twice_with_other_content_is_flagged(read):
    """Where two exports tell an order differently, the later one is kept and the difference is said."""
    rows = [*order("#1", A, Id="5501"), *order("#2", B), *order("#1", A, Id="5501", **{"Financial Status": "voided"})]
    orders, issues = read(rows)
    assert list(zip(orders["order_id"], orders["status"], strict=True)) == [("#2", "pending"), ("5501", "voided")]
    assert "order_differs" in codes(issues)


def test_one_name_in_two_shops_stays_two_orders(read):
    """Order #1001 of two shops is two orders: their times differ."""
    other = {"Created at": "2026-06-05 21:06:21 +0100"}
    orders, _ = read([*order("#1001", A), *order("#7", B), *order("#1001", B, **other)])
    assert orders["order_id"].nunique() == 3
    assert list(orders["phone"]) == [A, B, B]


def test_a_total_is_never_summed_over_rows(read):
    """A line's price is its own; the order's total on the first row does not enter it."""
    orders, _ = read(order("#1", A, lines=3, Total="99.00"), [*SHOPIFY, "Total"])
    assert list(orders["unit_price"]) == [Decimal("1.50")] * 3


TIMES = {
    "2026-04-05 21:06:21 +0100": "2026-04-05T20:06:21+00:00",
    "2026-04-05T21:06:21Z": "2026-04-05T21:06:21+00:00",
    "2026-04-05 21:06": "2026-04-05T20:06:00+00:00",
    "25/04/2026 21:06": "2026-04-25T20:06:00+00:00",
    "4/25/2026 9:06 PM": "2026-04-25T20:06:00+00:00",
    "05/04/2026 21:06": "time_ambiguous",
    "46117.879": "time_excel_serial",
    "2026-03-29 01:30:00": "time_in_dst_gap",
    "1970-01-01 00:00:00 +0000": "time_too_old",
    "2199-01-01 00:00:00 +0000": "time_future",
    "yesterday": "time_unreadable",
    "": "time_missing",
}


@pytest.mark.parametrize(("written", "meant"), TIMES.items(), ids=TIMES)
def test_times_are_read_or_refused(read, written, meant):
    """A time is one moment in UTC, or the row is set aside with the reason."""
    rows = [*order("#1", A), *order("#2", B, **{"Created at": written})]
    orders, issues = read(rows, timezone="Europe/London")
    if meant.startswith("time"):
        assert len(orders) == 1
        assert list(issues.loc[issues["code"] == meant, "row"]) == [2]
    else:
        assert orders["ordered_at"].iloc[1].isoformat() == meant


def test_times_without_a_zone_are_noted(read):
    """Without a zone in the file or from the shop, times are read as UTC and that is said once."""
    orders, issues = read(order("#1", A, **{"Created at": "2026-04-05 21:06:21"}))
    assert orders["ordered_at"].iloc[0].isoformat() == "2026-04-05T21:06:21+00:00"
    assert list(issues["code"]).count("time_without_zone") == 1


@pytest.mark.parametrize(
    ("written", "code"), {"0": "quantity_zero", "-1": "quantity_negative", "x": "quantity_unreadable"}.items()
)
def test_quantities_that_are_no_purchase(read, written, code):
    """A line with no, a negative or an unreadable quantity stays but is no purchase."""
    orders, issues = read(order("#1", A, **{"Lineitem quantity": written}))
    assert list(orders["is_purchase"]) == [False]
    assert code in codes(issues)


def test_a_spreadsheets_rewrite_is_read(read):
    """Saved again in Excel: semicolons, decimal commas, day first, phones ruined; all of it right or reported."""
    rows = [
        *order("#1", "4,47701E+11", **{"Created at": "25/04/2026 21:06", "Lineitem price": "1,50"}),
        *order("#2", "07700900102", **{"Created at": "05/04/2026 21:06", "Lineitem price": "1234,5"}),
    ]
    orders, issues = read(text(rows, SHOPIFY, delimiter=";", end="\r\n"), timezone="Europe/London")
    assert list(orders["unit_price"]) == [Decimal("1.50"), Decimal("1234.5")]
    assert list(orders["ordered_at"].dt.month) == [4, 4]
    assert list(orders["phone"]) == ["", B]
    assert "phone_scientific" in codes(issues)


def test_lines_and_records_differ_where_cells_hold_line_ends(read):
    """An issue names the record and the physical line, which differ after a note of several lines."""
    rows = [*order("#1", A, Tags="a\nb\nc"), *order("#2", "12345")]
    _, issues = read(rows)
    found = issues[issues["code"] == "phone_too_short"].iloc[0]
    assert (found["file"], found["row"], found["line"], found["column"], found["value"]) == (
        "catalog.csv", 2, 5, "Phone", "12345",
    )  # fmt: skip


def test_nothing_is_lost_and_one_sentence_says_so(read):
    """The summary counts the rows loaded and, by reason, those that were not."""
    rows = [*order("#1", A, lines=2), *order("#2", B, **{"Created at": "?"}), *order("#3", "", lines=2)[1:]]
    _, issues = read(rows)
    assert summary(issues) == "2 of 4 rows loaded; 2 set aside: 1 time unreadable, 1 no first row"


def test_the_frame_is_canonical(read):
    """Every column has the kind that the contract names."""
    orders, _ = read([*order("#1", A, lines=2), *order("#2")])
    for name, kind in frames.ORDERS.items():
        assert orders[name].dtype == frames.DTYPES[kind], name


def test_any_long_table_loads_by_what_its_columns_are_called(read):
    """Spanish names, decimal commas and a national phone need no renaming."""
    content = "Fecha;Teléfono;Producto;SKU;Cantidad;Precio\n25/04/2026;612 34 56 78;Té verde;007;2;3,50\n"
    orders, _ = read(content, region="ES", timezone="Europe/Madrid", currency="EUR")
    row = orders.iloc[0]
    assert (row["phone"], row["title"], row["sku"], row["quantity"]) == ("+34612345678", "Té verde", "007", 2.0)
    assert (row["unit_price"], row["currency"]) == (Decimal("3.50"), "EUR")
    assert row["ordered_at"].isoformat() == "2026-04-24T22:00:00+00:00"


def test_a_wa_id_is_kept_as_it_is(read):
    """A wa_id that a validator would refuse is the customer's all the same."""
    orders, _ = read("created_at,wa_id,product_retailer_id,quantity\n2026-04-05T10:00Z,5215512345678,A-1,1\n")
    assert orders["phone"].iloc[0] == "+5215512345678"
    assert orders["customer_id"].iloc[0] == customer_id("phone", "5215512345678")
    assert orders["product_retailer_id"].iloc[0] == "A-1"


def test_parquet_keeps_types_and_ids(tmp_path):
    """A Parquet table of orders reads like its CSV: ids with their zeros, times with their zone."""
    path = tmp_path / "orders.parquet"
    at = pd.to_datetime(["2026-04-05 10:00:00+02:00"])
    pd.DataFrame({"created_at": at, "phone": [A], "sku": ["007"], "quantity": [2], "price": [1.5]}).to_parquet(path)
    orders, _ = read_orders(path, "GB", currency="GBP")
    assert list(orders["sku"]) == ["007"]
    assert orders["ordered_at"].iloc[0].isoformat() == "2026-04-05T08:00:00+00:00"
    assert orders["unit_price"].iloc[0] == Decimal("1.5")


def test_a_catalog_given_as_orders_is_refused(read):
    """The error names the reader that fits."""
    with pytest.raises(DataError, match="use read_catalog"):
        read("id,title,price,availability\n1,a,1 GBP,in stock\n")
