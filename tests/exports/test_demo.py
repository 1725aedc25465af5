"""The made-up shop, read as any shop is."""

from pathlib import Path

import pytest

from wa_products import exports

DEMO = Path(__file__).parents[2] / "data" / "demo"


@pytest.fixture(scope="module")
def data():
    """Return the demo shop."""
    return exports.load(DEMO)


def test_a_folder_loads_with_every_kind_of_file(data):
    """One call gives catalog, orders and messages of a folder, at the moment its shop.toml names."""
    assert (len(data.catalog), data.currency, data.catalog_id) == (148, "GBP", "194836980001507")
    assert data.as_of.isoformat() == "2026-11-20T09:00:00+00:00"
    assert len(data.orders) > 14_000
    assert data.threads["is_open"].sum() > 200


def test_what_cannot_be_sent_says_why(data):
    """Both instances of a duplicated id, the sold-out and the hidden products name their reason."""
    reasons = data.catalog["not_sendable_reason"].value_counts()
    assert reasons["duplicate id"] == 2
    assert {"out of stock", "hidden"} <= set(reasons.index)
    assert (data.catalog["sendable"] == (data.catalog["not_sendable_reason"] == "")).all()


def test_most_lines_find_their_product(data):
    """More than 95 of 100 order lines name a product although most of their SKUs are blank."""
    assert (data.orders["sku"] == "").mean() > 0.5
    assert (data.orders["product_retailer_id"] != "").mean() > 0.95
    assert set(data.orders["product_retailer_id"]) <= {"", *data.catalog["product_retailer_id"]}


def test_order_and_line_name_a_row_once(data):
    """No two order lines have the same order id and line number."""
    assert not data.orders.duplicated(["order_id", "line_no"]).any()


def test_orders_join_threads(data):
    """Customers who ordered and wrote are one customer in both frames."""
    both = set(data.orders["customer_id"]) & set(data.inbound["customer_id"]) - {""}
    assert len(both) > 100
