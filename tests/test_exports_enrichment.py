"""A Meta catalog beside a shop's export: Meta says what can be sent, the shop fills what Meta leaves blank."""

import pandas as pd
import pytest

from tests.shop_files import write
from tests.test_exports_shops import ROWS as TEE
from tests.test_exports_shops import SHOPIFY
from tests.test_exports_woo_products import BLUE, RED, SIMPLE, VARIABLE, export
from wa_products import load
from wa_products.exports.enrichment import joined_to

META = ["id", "title", "description", "availability", "price", "link", "image_link", "brand", "color", "size"]
ORDERS = ["order_id", "customer_id", "created_at", "product_id", "title", "quantity", "price", "currency"]
AS_OF = "2026-11-20T12:00Z"


def item(product, **given):
    """Return a row of a Meta catalog."""
    return {"id": product, "title": "Thing", "availability": "in stock", "price": "5.00 GBP"} | given


@pytest.fixture
def folder(tmp_path):
    """Return a function that writes Meta's items beside a WooCommerce export and loads the folder."""

    def loaded(items, rows=(SIMPLE, VARIABLE, BLUE, RED), orders=()):
        (tmp_path / "shop.toml").write_text('currency = "GBP"\ntimezone = "UTC"\n')
        if rows:
            export(tmp_path, rows)
        if items:
            write(tmp_path / "meta.csv", META, items)
        if orders:
            write(tmp_path / "orders.csv", ORDERS, orders)
        return load(tmp_path, as_of=AS_OF)

    return loaded


def of(data, code):
    """Return the issues of one code as dicts."""
    return data.issues[data.issues["code"] == code].to_dict("records")


@pytest.mark.parametrize(
    ("product", "rule"),
    [
        ("7", "id"),
        ("00042", "sku"),
        ("00042_7", "trailing id"),
        ("wc_post_id_7", "trailing id"),
        ("GTIN-12345_789_7", "trailing id"),
    ],
)
def test_every_generation_of_ids_is_joined(product, rule, folder):
    """Whatever way the shop's plugin built Meta's id, the item is filled and its id stays as Meta has it."""
    data = folder([item(product)])
    [row] = data.catalog.to_dict("records")
    assert (row["product_retailer_id"], row["shop_rule"]) == (product, rule)
    assert row["description"] == "Green\nleaves, first line\nsecond"
    assert (row["product_type"], row["image_link"]) == ("Drinks > Tea, green", "https://shop.example/tea.jpg")
    assert (row["sku"], row["shop_id"]) == ("00042", "7")
    assert row["sendable"]


def test_both_generations_in_one_catalog(folder):
    """An old and a new id of the same product are both filled from its one row."""
    data = folder([item("00042_7"), item("7")])
    assert list(data.catalog["shop_id"]) == ["7", "7"]


def test_meta_keeps_what_it_says(folder):
    """Title, price and text of Meta are never replaced by the shop's."""
    data = folder([item("7", title="Tea by Meta", description="Mine", price="3.00 GBP")])
    [row] = data.catalog.to_dict("records")
    assert (row["title"], row["description"], str(row["price"])) == ("Tea by Meta", "Mine", "3.00")


def test_only_metas_items_are_in_the_catalog(folder):
    """What the shop has and Meta has not is told row by row, with file and line, and cannot be proposed."""
    data = folder([item("21")])
    assert list(data.catalog["product_retailer_id"]) == ["21"]
    left = {(issue["row"], issue["line"], issue["severity"]) for issue in of(data, "not_in_meta_catalog")}
    assert left == {(1, 2, "warning"), (4, 5, "info")}
    [told] = of(data, "joined_to_meta")
    assert told["value"] == "1 of 1 items found in the shop's export: 1 by id"


def test_without_a_meta_catalog_nothing_is_sendable(folder):
    """A shop export alone loads, no item of it can be sent, and one issue says how to mend that."""
    data = folder([])
    assert len(data.catalog) == 4
    assert not data.catalog["sendable"].any()
    assert data.catalog["not_sendable_reason"].iloc[0] == "no Meta catalog"
    [told] = of(data, "no_meta_catalog")
    assert "Commerce Manager" in told["hint"]
    assert "Graph API" in told["hint"]


def test_orders_find_the_item_by_the_shops_id(folder):
    """An order line with the shop's product number is a line of Meta's item, whatever that is called."""
    line = {"order_id": "1", "customer_id": "c", "created_at": "2026-11-01 10:00", "quantity": "1", "price": "5.00"}
    data = folder([item("00042_7"), item("x9", title="Other")], orders=[line | {"product_id": "7", "currency": "GBP"}])
    assert list(data.orders["product_retailer_id"]) == ["00042_7"]


def test_two_rows_of_equal_right_fill_nothing(folder):
    """A number that is one product's id and another's SKU decides nothing, unless the title does."""
    other = SIMPLE | {"id": "900", "sku": "7", "name": "Salt"}
    data = folder([item("7", title="Pepper")], rows=(SIMPLE, other))
    assert data.catalog["description"].iloc[0] == ""
    assert {issue["row"] for issue in of(data, "ambiguous_in_meta_catalog")} == {1, 2}


def test_the_title_decides_between_two_rows(folder):
    """Of two rows of equal right, the one with the item's title has it; the other one is told."""
    other = SIMPLE | {"id": "900", "sku": "7", "name": "Salt", "description": "White"}
    data = folder([item("7", title="Salt")], rows=(SIMPLE, other))
    assert data.catalog["description"].iloc[0] == "White"


def test_shopify_is_joined_by_title_and_options(tmp_path):
    """Without any id in common, the variant of the same title and options is the one; its colour is no other's."""
    write(tmp_path / "a.csv", SHOPIFY, TEE)
    link = "https://shop.example/products/tee?variant="
    items = [
        item("411", title="Tee", color="Red", size="M", link=link + "411"),
        item("410", title="Tee", color="Red", size="S", link=link + "410"),
        item("500", title="A mug", link="https://shop.example/products/mug?variant=500"),
    ]
    write(tmp_path / "b.csv", META, items)
    catalog = load(tmp_path, as_of=AS_OF).catalog.set_index("product_retailer_id")
    assert catalog["sku"].to_dict() == {"411": "NA", "410": "0017", "500": ""}
    assert catalog["shop_rule"].to_dict() == {
        "411": "title and options",
        "410": "title and options",
        "500": "handle in link",
    }


def test_one_export_in_two_files_is_read_once(tmp_path):
    """A product that two files of one export hold is there once, and the second row is told as merged."""
    write(tmp_path / "a.csv", SHOPIFY, TEE[:4])
    write(tmp_path / "b.csv", SHOPIFY, TEE[3:])
    data = load(tmp_path, as_of=AS_OF)
    assert list(data.catalog["product_retailer_id"]) == ["0017", "NA", "mug", "gift:10"]
    [again] = of(data, "product_in_two_files")
    assert (again["file"], again["row"], again["line"]) == ("b.csv", 1, 2)


def test_frames_are_joined_as_files_are(tmp_path):
    """Loading never changes the frames it is given, and a row joined to an item is named by its position."""
    data = load(catalog=export(tmp_path), as_of=AS_OF)
    before = data.catalog.copy()
    meta = pd.DataFrame({"product_retailer_id": ["22"], "title": ["x"], "link": [""]})
    pairs = joined_to(data.catalog, meta)
    assert pairs[pairs["product_retailer_id"] == "22"]["row"].tolist() == [3]
    assert set(pairs["row"]) == {0, 2, 3}
    pd.testing.assert_frame_equal(data.catalog, before)
