"""Nineteen traps of real exports, one test each: what a plain reader gets wrong comes out right or is said."""

import json
from decimal import Decimal

import pytest

from tests import test_exports_platforms as platforms
from tests import test_exports_shops as shopify
from tests.exporting import table
from tests.exports import bad_threads
from tests.exports.files import META, SHOPIFY, codes, order, product, text
from tests.exports_contract import PRODUCTS, item, page
from wa_products import exports, load, read_catalog, read_inbound, read_orders
from wa_products.identities import customer_id, match_key

A, B = "+447700900101", "+447700900102"
AS_OF = "2026-11-20T09:00Z"
WOO = ["ID", "Type", "SKU", "Name", "Published", "Regular price", "Parent", "In stock?"]


@pytest.fixture
def write(tmp_path):
    """Return a function that writes files, by name, and returns their folder."""

    def written(files, **said):
        for name, content in files.items():
            (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        if said:
            (tmp_path / "shop.toml").write_text("".join(f'{name} = "{value}"\n' for name, value in said.items()))
        return tmp_path

    return written


@pytest.mark.parametrize("said", ["# Required | The unique id", "# Obligatorio | El id", "# Obligatoire | L'id"])
def test_trap_01_metas_template_starts_with_help(write, said):
    """The first row of Meta's template is help in the user's language, the header follows, with unnamed columns."""
    names = [*META, *[""] * 13]
    content = (
        "\ufeff" + table([said] * len(META) + [""] * 13, names) + text([product(1), product(2)], names, header=False)
    )
    catalog, issues = read_catalog(write({"catalog_products.csv": content}) / "catalog_products.csv")
    assert list(catalog["product_retailer_id"]) == ["SKU-001", "SKU-002"]
    assert catalog["sendable"].all()
    assert "rows_above_header" in codes(issues)


def test_trap_02_a_name_says_nothing(tmp_path):
    """A Wix export under the name of Meta's file is read as a Wix export."""
    catalog, _ = read_catalog(platforms.wix(tmp_path, [platforms.LAMP, platforms.RED]), currency="EUR")
    assert set(catalog["shop_system"]) == {"Wix"}


def test_trap_03_junk_before_the_mark_and_names_in_the_shops_language(write):
    """A WooCommerce export that starts with a line end, a tab and a mark, in Russian, with an escaped -1."""
    header = "ID,Тип,Артикул,Имя,Опубликован,Базовая цена\n"  # as the shop writes it
    content = f"\n\t\ufeff{header}7,simple,a,Чай,1,5\n8,simple,b,Кружка,'-1,6\n"
    catalog, _ = read_catalog(write({"x": content}) / "x", currency="RUB")
    assert list(catalog["title"]) == ["Чай", "Кружка"]
    assert [str(price) for price in catalog["price"]] == ["5", "6"]
    assert list(catalog["not_sendable_reason"]) == ["no Meta catalog", "draft"]


def test_trap_04_keys_keep_every_character(write):
    """Zeros, a plus, and sizes called NA or None are what the file says."""
    keys = ["0000080446392", "NA", "null", "6575323075694", "1e5", "001"]
    rows = [product(n, id=key, size=key, gtin="0000080446392") for n, key in enumerate(keys)]
    catalog, _ = read_catalog(write({"x": text(rows, [*META, "size", "gtin"])}) / "x")
    assert list(catalog["product_retailer_id"]) == list(catalog["size"]) == keys
    assert set(catalog["gtin"]) == {"0000080446392"}
    orders, _ = read_orders(write({"y": text(order("#1", A, Id="0001"), SHOPIFY)}) / "y")
    assert (orders["phone"].iloc[0], orders["order_id"].iloc[0]) == (A, "0001")


def test_trap_05_what_a_spreadsheet_destroyed_is_never_parsed(write):
    """A GTIN or a phone in scientific notation is reported, and no number is made of it."""
    catalog, issues = read_catalog(write({"x": text([product(1, gtin="8.80609E+12")], [*META, "gtin"])}) / "x")
    assert list(catalog["gtin"]) == ["8.80609E+12"]
    assert "gtin_scientific" in codes(issues)
    orders, issues = read_orders(write({"y": text(order("#1", "8.80171E+12"), SHOPIFY)}) / "y")
    assert list(orders["phone"]) == [""]
    assert "phone_scientific" in codes(issues)


def test_trap_06_orders_without_skus_find_their_products(write):
    """Lines without a SKU join by title and variant, dashes in the title included; others by the shop's ids."""
    catalog = [
        product(1, id="9001", title="Cider - Buy 1 Get 1", color="Red", size="S", item_group_id="g"),
        product(2, id="9002", title="Cider - Buy 1 Get 1", color="Red", size="M", item_group_id="g"),
        product(3, id="wc_post_id_63"),
    ]
    names = [*META, "color", "size", "item_group_id"]
    lines = order("#1", A, **{"Lineitem name": "Cider - Buy 1 Get 1 - Red / M"})
    long = "order_id,phone,date,variation_id,title,quantity\n77,+447700900101,2026-05-16T10:00Z,63,Mug,1\n"
    folder = write({"m.csv": text(catalog, names), "o.csv": text(lines, SHOPIFY), "l.csv": long})
    orders = load(folder, as_of=AS_OF).orders.set_index("order_id")
    assert orders.loc["#1", ["product_retailer_id", "match_rule"]].tolist() == ["9002", "title and options"]
    assert orders.loc["77", ["product_retailer_id", "match_rule"]].tolist() == ["wc_post_id_63", "trailing id"]


@pytest.mark.parametrize("retailer_id", ["63", "wc_post_id_63", "SKU123_456_63", "GTIN-12345_789_63"])
def test_trap_07_the_retailer_id_is_not_the_sku(write, retailer_id):
    """Each generation of ids is found from the shop's own id, and the catalog keeps Meta's."""
    shop = table(WOO, ["63", "simple", "SKU123", "Mug", "1", "6.00", "", "1"])
    folder = write({"m.csv": text([product(1, id=retailer_id, title="Mug")], META), "s.csv": shop}, currency="GBP")
    [row] = load(folder, as_of=AS_OF).catalog.to_dict("records")
    assert (row["product_retailer_id"], row["shop_id"], row["sku"]) == (retailer_id, "63", "SKU123")
    assert row["sendable"]


def test_trap_08_the_leaf_is_sold_and_never_the_parent(write, tmp_path):
    """WooCommerce's variable, Shopify's picture rows and Wix's products with variants are nothing to send."""
    rows = [
        ["20", "variable", "mug", "Mug", "1", "", "", "1"],
        ["21", "variation", "mug-red", "Mug - Red", "1", "6.00", "mug", "1"],
        ["22", "variation", "mug-blue", "Mug - Blue", "1", "6.50", "id:20", "1"],
    ]
    woo, _ = read_catalog(write({"w": table(WOO, *rows)}) / "w", currency="GBP")
    assert list(woo["not_sendable_reason"]) == ["parent of variants", "no Meta catalog", "no Meta catalog"]
    tee, issues = read_catalog(write({"s": text(shopify.ROWS[:3], shopify.SHOPIFY)}) / "s", currency="GBP")
    assert list(tee["title"]) == ["Tee", "Tee"]
    assert "image_row" in codes(issues)
    wix, _ = read_catalog(platforms.wix(tmp_path, [platforms.LAMP, platforms.RED, platforms.BLUE]), currency="GBP")
    assert list(wix["price"]) == [Decimal("40.00"), Decimal("40.00"), Decimal("45.55")]


def test_trap_09_a_price_without_a_currency_is_asked_about(write):
    """Shopify names no currency: without the shop's there is none; a catalog of two refuses the items of the lesser."""
    path = write({"s": text(shopify.ROWS[:2], shopify.SHOPIFY)}) / "s"
    assert "currency_missing" in codes(read_catalog(path)[1])
    assert set(read_catalog(path, currency="GBP")[0]["currency"]) == {"GBP"}
    mixed, _ = read_catalog(write({"m": text([product(1), product(2), product(3, price="9 USD")], META)}) / "m")
    assert list(mixed["not_sendable_reason"]) == ["", "", "currency differs"]


def test_trap_10_a_row_never_takes_another_customers_phone(write):
    """Order columns are filled inside the order alone, and its total is nobody's line."""
    rows = [*order("#1", A, lines=2, Total="3.00"), *order("#2", "", lines=2, Total="3.00"), *order("#3", B)]
    orders, _ = read_orders(write({"x": text(rows, [*SHOPIFY, "Total"])}) / "x", "GB")
    assert list(orders["phone"]) == [A, A, "", "", B]
    assert list(orders["unit_price"]) == [Decimal("1.50")] * 5


@pytest.mark.parametrize("written", ["+44 0 7700 900101", "+44 (0)7700 900101", "07700 900101", "'+447700900101"])
def test_trap_11_three_columns_of_phones(write, written):
    """A billing phone with code and trunk 0 is repaired, with the row's country; Phone goes before the others."""
    rows = [*order("#1", "", **{"Billing Phone": written}), *order("#2", B, **{"Billing Phone": written})]
    orders, issues = read_orders(write({"x": text(rows, SHOPIFY)}) / "x")
    assert list(orders["phone"]) == [A, B]
    assert list(issues.loc[issues["code"] == "phones_differ", "row"]) == [2]


@pytest.mark.parametrize("wa_id", ["5215512345678", "551198765432", "5491123456789", "541123456789"])
def test_trap_12_a_wa_id_is_kept_whatever_a_validator_says(write, wa_id):
    """What Meta calls a customer in Brazil, Mexico and Argentina stays; a key for joining is another thing."""
    inbound, _ = read_inbound(
        write({"x": bad_threads.log(bad_threads.body(bad_threads.message(**{"from": wa_id})))}) / "x"
    )
    assert list(inbound["wa_id"]) == [wa_id]
    assert match_key(wa_id) in {"525512345678", "551198765432", "541123456789"}


def test_trap_13_a_customer_without_a_number(write):
    """A user id alone is a customer; where it stands in the number's place, no number is made of it."""
    us = bad_threads.US
    bodies = [
        bad_threads.body({**bad_threads.message(1), "from": None, "from_user_id": us}),
        bad_threads.body(bad_threads.message(2, **{"from": us})),
    ]
    inbound, _ = read_inbound(write({"x": bad_threads.log(*bodies)}) / "x")
    assert list(inbound["user_id"]) == [us, us]
    assert list(inbound["wa_id"]) == ["", ""]
    assert set(inbound["customer_id"]) == {customer_id("user", us)}


MONEY = {
    "12.345 KWD": "12.345",
    "1,000.000 KWD": "1000.000",
    "CHF 1\u2019234.50": "1234.50",
    "\u0662\u0667\u066b\u0665 OMR": "27.5",
    "-5.00 USD": "price_negative",
    "(45.00) USD": "price_negative",
    "$10 - $20": "price_range",
    "5.51E+3 USD": "price_scientific",
    "1.234 USD": "price_ambiguous",
    "2280.00 RUR": "currency_dead",
}


@pytest.mark.parametrize(("written", "meant"), MONEY.items(), ids=MONEY)
def test_trap_14_money_is_read_to_the_digit_or_reported(write, written, meant):
    """Three decimals, apostrophes and Arabic digits are amounts; signs, ranges and doubt are issues."""
    catalog, issues = read_catalog(write({"x": text([product(1, price=written)], META)}) / "x")
    [price] = catalog["price"]
    assert (str(price) == meant) if price is not None else meant in codes(issues)


def test_trap_15_all_instances_of_a_duplicate_id_are_gone(write):
    """Meta ignores every item of an id that is not unique, in one file or in two that differ."""
    rows = [product(1), product(2), product(1)]
    one, _ = read_catalog(write({"x.csv": text(rows, META)}) / "x.csv")
    assert list(one["not_sendable_reason"]) == ["duplicate id", "", "duplicate id"]
    folder = write({"x.csv": text(rows[:2], META), "y.csv": text([product(1, price="9 GBP")], META)})
    assert list(load(folder, as_of=AS_OF).catalog["not_sendable_reason"]) == ["duplicate id", "", "duplicate id"]


def test_trap_16_one_name_stands_for_two_orders(write):
    """Exports that overlap hold an order once, by its id; #1001 of two shops is two orders."""
    later = {"Created at": "2026-06-05 21:06:21 +0100"}
    first = text([*order("#1001", A, Id="1"), *order("#1002", A, Id="2")], SHOPIFY)
    second = text([*order("#1002", A, Id="2"), *order("#1001", B, Id="3", **later)], SHOPIFY)
    data = load(write({"a.csv": first, "b.csv": second}, region="GB"), as_of=AS_OF)
    assert sorted(zip(data.orders["order_id"], data.orders["phone"], strict=True)) == [("1", A), ("2", A), ("3", B)]
    assert exports.summary(data.issues) == "3 of 4 rows loaded; 1 merged"


def test_trap_17_pages_that_leave_items_out_are_noticed(write):
    """The API's own count is compared with what came."""
    content = json.dumps(page([item(one) for one in PRODUCTS[:2]], total=3))
    catalog, issues = read_catalog(write({"x": content}) / "x")
    assert len(catalog) == 2
    assert list(issues.loc[issues["code"] == "count_differs", "value"]) == ["2 of 3 items"]


def test_trap_18_two_styles_of_dates_in_one_file(write):
    """Day and month are decided in each column from its own evidence, and never without any."""
    names = ["order_id", "order_date", "paid_date", "status", "order_total", "billing_phone", "line_item_1"]
    item = "name:Tea|quantity:1|total:5.00"
    rows = [["1", "16-05-2018 07:32:06", "2020-03-19 06:40:32", "completed", "5", A, item]]
    path = write({"x": table(names, *rows, ["2", "05-04-2018 07:32:06", *rows[0][2:]])}) / "x"
    orders, _ = read_orders(path, timezone="UTC", currency="GBP")
    assert [f"{at:%Y-%m-%d}" for at in orders["ordered_at"]] == ["2018-05-16", "2018-04-05"]
    path = write({"y": table(names, ["2", "05-04-2018 07:32:06", *rows[0][2:]])}) / "y"
    assert "time_ambiguous" in codes(read_orders(path, timezone="UTC", currency="GBP")[1])


def test_trap_19_no_preview_shows_a_customer(write):
    """The repr of a shop, an error, and issues that are masked for a notebook hold no number and no address."""
    rows = [*order("#1", "07700 900101 / 07700 900102", Email="jo@example.com"), *order("#2", A)]
    data = load(write({"x": text(rows, SHOPIFY)}, region="GB"), as_of=AS_OF)
    shown = exports.masked(data.issues)
    assert "07700" in " ".join(data.issues["value"])
    assert list(shown["code"]) == list(data.issues["code"])
    for said in (repr(data), " ".join(shown["value"]), json.dumps(data.issues.attrs)):
        assert "7700" not in said
        assert "@" not in said


def test_every_trap_has_its_test():
    """None of the nineteen is forgotten."""
    numbers = {int(name.split("_")[2]) for name in globals() if name.startswith("test_trap_")}
    assert numbers == set(range(1, 20))
