"""Seventy bad inputs: each gives the right rows, says where and what is wrong, and loses nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.exports import bad_catalogs, bad_files, bad_orders, bad_threads
from tests.exports.files import META, SHOPIFY, order, product, text
from wa_products import read_catalog, read_inbound, read_orders

CASES = {**bad_files.CASES, **bad_catalogs.CASES, **bad_orders.CASES, **bad_threads.CASES}


@pytest.mark.parametrize("bad", CASES.values(), ids=CASES)
def test_a_bad_input_gives_the_right_rows_and_the_right_issue(bad, tmp_path):
    """Good rows stay; the fault is told with file, row, line, column, value, severity, action and hint."""
    bad.check(tmp_path)


def test_every_number_has_its_case():
    """None of the seventy is forgotten."""
    assert {int(name[:2]) for name in CASES} == set(range(1, 71))


ID = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=12)
KEYS = st.one_of(
    ID,
    st.sampled_from(["NA", "null", "None", "0", "001", "1e5", "0000080446392", "6575323075694", "TRUE", "2026-11-01"]),
    st.integers(0, 10**20).map(str),
)


@given(st.lists(st.tuples(KEYS, KEYS, KEYS), min_size=1, max_size=6, unique_by=lambda row: row[0]))
def test_no_key_of_a_catalog_differs_by_a_character(tmp_path_factory, rows):
    """Ids, SKUs and GTINs are what the file says, whatever they look like."""
    path = tmp_path_factory.mktemp("keys") / "catalog.csv"
    products = [product(n, id=i, mpn=s, gtin=g) for n, (i, s, g) in enumerate(rows, 1)]
    path.write_text(text(products, [*META, "mpn", "gtin"]), encoding="utf-8", newline="")
    catalog, _ = read_catalog(path)
    assert list(zip(catalog["product_retailer_id"], catalog["mpn"], catalog["gtin"], strict=True)) == rows


PHONES = st.sampled_from(["+4477009003", "+55119876543", "+5215512345", "+5491123456", "+120255501"]).flatmap(
    lambda start: st.integers(10, 99).map(lambda n: f"{start}{n}")
)


@given(st.lists(st.tuples(KEYS, KEYS, PHONES), min_size=1, max_size=6, unique_by=lambda row: row[0]))
def test_no_key_of_an_order_differs_by_a_character(tmp_path_factory, rows):
    """Order ids and SKUs are what the file says, and so is a phone in international form."""
    path = tmp_path_factory.mktemp("keys") / "orders.csv"
    written = [one for i, s, p in rows for one in order("#1", p, Id=i, **{"Lineitem sku": s})]
    path.write_text(text(written, SHOPIFY), encoding="utf-8", newline="")
    orders, _ = read_orders(path, "GB")
    assert list(zip(orders["order_id"], orders["sku"], orders["phone"], strict=True)) == rows


@given(st.lists(st.integers(10**7, 10**14).map(str), min_size=1, max_size=5, unique=True))
def test_no_wa_id_differs_by_a_digit(tmp_path_factory, ids):
    """What Meta calls a customer is kept to the digit, whatever a validator would say of it."""
    path = tmp_path_factory.mktemp("ids") / "log"
    bodies = [bad_threads.body(bad_threads.message(n, **{"from": wa_id})) for n, wa_id in enumerate(ids)]
    path.write_text(bad_threads.log(*bodies))
    assert list(read_inbound(path)[0]["wa_id"]) == ids
