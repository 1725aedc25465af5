"""Exports of shop platforms: each written here, as the platform writes it, and read back."""

from decimal import Decimal

import pandas as pd
import pytest

from tests.shop_files import NOON, codes, read, write
from wa_products import exports, frames

SHOPIFY = [
    *("Handle", "Title", "Body (HTML)", "Vendor", "Type", "Published", "Option1 Name", "Option1 Value"),
    *("Option2 Name", "Option2 Value", "Variant SKU", "Variant Inventory Tracker", "Variant Inventory Qty"),
    *("Variant Inventory Policy", "Variant Price", "Variant Compare At Price", "Variant Barcode", "Image Src"),
    *("Gift Card", "Variant Image", "Status", "Colour (product.metafields.custom.colour)"),
]
RENAMED = {
    "Handle": "URL handle",
    "Body (HTML)": "Description",
    "Published": "Published on online store",
    "Option1 Name": "Option1 name",
    "Option1 Value": "Option1 value",
    "Option2 Name": "Option2 name",
    "Option2 Value": "Option2 value",
    "Variant SKU": "SKU",
    "Variant Inventory Tracker": "Inventory tracker",
    "Variant Inventory Qty": "Inventory quantity",
    "Variant Inventory Policy": "Continue selling when out of stock",
    "Variant Price": "Price",
    "Variant Compare At Price": "Compare-at price",
    "Variant Barcode": "Barcode",
    "Image Src": "Product image URL",
    "Gift Card": "Gift card",
    "Variant Image": "Variant image URL",
}
TEE = {"Handle": "tee", "Variant Inventory Tracker": "shopify", "Variant Inventory Policy": "deny"}
ROWS = [
    TEE
    | {
        "Title": "Tee",
        "Body (HTML)": "<p>Soft &amp; plain</p>",
        "Vendor": "Loom",
        "Type": "Shirts",
        "Published": "true",
        "Option1 Name": "Colour",
        "Option1 Value": "Red",
        "Option2 Name": "Size",
        "Option2 Value": "S",
        "Variant SKU": "0017",
        "Variant Inventory Qty": "3",
        "Variant Price": "15.00",
        "Variant Compare At Price": "20.00",
        "Variant Barcode": "0000080446392",
        "Image Src": "https://cdn.example/tee-1.jpg",
        "Gift Card": "false",
        "Status": "active",
        "Colour (product.metafields.custom.colour)": "red",
    },
    TEE
    | {
        "Option1 Value": "Red",
        "Option2 Value": "M",
        "Variant SKU": "NA",
        "Variant Inventory Qty": "0",
        "Variant Price": "20.00",
        "Variant Compare At Price": "20.00",
        "Variant Image": "https://cdn.example/tee-m.jpg",
    },
    {"Handle": "tee", "Image Src": "https://cdn.example/tee-2.jpg"},
    {
        "Handle": "mug",
        "Title": "Mug",
        "Published": "true",
        "Option1 Name": "Title",
        "Option1 Value": "Default Title",
        "Variant Price": "7.50",
        "Image Src": "https://cdn.example/mug.jpg",
        "Status": "draft",
    },
    {"Handle": "gift", "Title": "Gift card", "Option1 Value": "10", "Variant Price": "10.00", "Gift Card": "TRUE"},
]


@pytest.fixture(params=["old names", "new names"])
def shopify(request, tmp_path):
    """Return a Shopify export under the old and under the new column names, in a file whose name says nothing."""
    names = RENAMED if request.param == "new names" else {}
    rows = [{names.get(name, name): value for name, value in row.items()} for row in ROWS]
    return write(tmp_path / "catalog_products.csv", [names.get(name, name) for name in SHOPIFY], rows)


def test_shopify_variants_are_products(shopify):
    """Each variant is a row with its product's title, text, brand and category; a picture's row is merged."""
    catalog, issues = read(shopify)
    assert list(catalog.index) == ["0017", "NA", "mug", "gift:10"]
    assert list(catalog["title"]) == ["Tee", "Tee", "Mug", "Gift card"]
    assert list(catalog["options"]) == ["Red / S", "Red / M", "", "10"]
    assert list(catalog["brand"]) == ["Loom", "Loom", "", ""]
    assert set(catalog["description"][:2]) == {"Soft & plain"}
    assert list(catalog["item_group_id"][:3]) == ["tee", "tee", "mug"]
    merged = issues[issues["code"] == "image_row"]
    assert list(merged[["row", "line", "value"]].iloc[0]) == [3, 4, "https://cdn.example/tee-2.jpg"]
    assert merged["action"].iloc[0] == "row merged into its product"


def test_shopify_keys_keep_every_character(shopify):
    """Leading zeros and a SKU that reads NA stay as they are, and so does a barcode."""
    catalog, _ = read(shopify)
    assert list(catalog["sku"][:2]) == ["0017", "NA"]
    assert catalog["gtin"].iloc[0] == "0000080446392"


def test_shopify_crossed_out_price_is_the_regular_one(shopify):
    """A compare-at price above the price makes that the sale price; an equal one says nothing."""
    catalog, _ = read(shopify)
    assert list(catalog["price"]) == [Decimal("20.00"), Decimal("20.00"), Decimal("7.50"), Decimal("10.00")]
    assert list(catalog["sale_price"]) == [Decimal("15.00"), None, None, None]
    assert set(catalog["currency"]) == {"GBP"}


def test_shopify_says_why_nothing_can_be_sent(shopify):
    """Drafts, gift cards and sold-out variants keep their own reason; the rest waits for the Meta catalog."""
    catalog, issues = read(shopify)
    assert list(catalog["not_sendable_reason"]) == ["no Meta catalog", "out of stock", "draft", "gift card"]
    assert not catalog["sendable"].any()
    [told] = issues[issues["code"] == "shop_ids"].to_dict("records")
    assert "Meta catalog" in told["hint"]


def test_shopify_pictures(shopify):
    """A variant shows its own picture, else the product's first; the others are listed."""
    catalog, _ = read(shopify)
    assert list(catalog["image_link"][:2]) == ["https://cdn.example/tee-1.jpg", "https://cdn.example/tee-m.jpg"]
    assert set(catalog["additional_image_link"][:2]) == {"https://cdn.example/tee-2.jpg"}


def test_shopify_unknown_columns_pass_through(shopify):
    """A metafield of the product is there on each of its variants and on no other product."""
    catalog, _ = read(shopify)
    assert list(catalog["Colour (product.metafields.custom.colour)"]) == ["red", "red", "", ""]


def test_shopify_without_a_stock_column_knows_no_stock(tmp_path):
    """An export of several locations has no quantities: unknown, never in stock."""
    header = [name for name in SHOPIFY if name != "Variant Inventory Qty"]
    rows = [{name: value for name, value in row.items() if name in header} for row in ROWS]
    catalog, issues = read(write(tmp_path / "products.csv", header, rows))
    assert set(catalog["availability"]) == {"unknown"}
    assert "availability_not_in_file" in codes(issues)


def test_shopify_stock_that_cannot_be_read_is_unknown(tmp_path):
    """A quantity that is no number is an issue and no stock; an untracked variant is always there."""
    rows = [ROWS[0] | {"Variant Inventory Qty": "many"}, ROWS[3] | {"Status": "active", "Variant Inventory Qty": ""}]
    catalog, issues = read(write(tmp_path / "products.csv", SHOPIFY, rows))
    assert list(catalog["availability"]) == ["unknown", "in stock"]
    [bad] = issues[issues["code"] == "availability_unknown"].to_dict("records")
    assert (bad["row"], bad["line"], bad["value"]) == (1, 2, "many")


def test_shopify_blanks_are_filled_inside_the_handle_only(tmp_path):
    """A product whose first row is lost takes no title from the one above; it is kept and says so."""
    lone = {"Handle": "cap", "Option1 Value": "Blue", "Variant SKU": "CAP-B", "Variant Price": "9.00"}
    catalog, issues = read(write(tmp_path / "products.csv", SHOPIFY, [*ROWS[:2], lone]))
    assert catalog.loc["CAP-B", "title"] == ""
    assert catalog.loc["CAP-B", "not_sendable_reason"] == "title missing"
    assert catalog.loc["CAP-B", "brand"] == ""
    assert "title_missing" in codes(issues)


def test_shopify_rows_apart_are_one_product(tmp_path):
    """Rows of a handle that a sort tore apart still share their product's title, with a warning."""
    catalog, issues = read(write(tmp_path / "products.csv", SHOPIFY, [ROWS[1], ROWS[3], ROWS[0]]))
    assert catalog.loc["NA", "title"] == "Tee"
    [apart] = issues[issues["code"] == "rows_apart"].to_dict("records")
    assert (apart["row"], apart["value"]) == (3, "tee")


def test_shopify_picture_of_no_product_is_set_aside(tmp_path):
    """A picture's row whose product is not in the file is set aside with its reason."""
    catalog, issues = read(write(tmp_path / "products.csv", SHOPIFY, [ROWS[2], ROWS[3]]))
    assert list(catalog.index) == ["mug"]
    [lost] = issues[issues["code"] == "no_first_row"].to_dict("records")
    assert (lost["row"], lost["action"]) == (1, "row set aside")


def test_shopify_row_without_handle_takes_nothing(tmp_path):
    """A row without a handle is a product of its own where it has a SKU, else it is set aside."""
    rows = [ROWS[0], {"Variant SKU": "LOST", "Variant Price": "3.00"}, {"Variant Price": "4.00"}]
    catalog, issues = read(write(tmp_path / "products.csv", SHOPIFY, rows))
    assert catalog.loc["LOST", "title"] == ""
    assert list(issues[issues["code"] == "id_missing"]["row"]) == [3]


def test_shopify_repeated_skus_name_nothing(tmp_path):
    """A SKU on two variants is no id: handle and options are, so that no product is lost as a duplicate."""
    rows = [ROWS[0] | {"Variant SKU": "X"}, ROWS[1] | {"Variant SKU": "X"}]
    catalog, _ = read(write(tmp_path / "products.csv", SHOPIFY, rows))
    assert list(catalog.index) == ["tee:Red / S", "tee:Red / M"]
    assert set(catalog["sku"]) == {"X"}


def test_variants_with_the_same_options_are_noted(tmp_path):
    """Two variants that nothing tells apart are both named."""
    rows = [ROWS[0], ROWS[1] | {"Option2 Value": "S"}]
    _, issues = read(write(tmp_path / "products.csv", SHOPIFY, rows))
    assert list(issues[issues["code"] == "variants_alike"]["row"]) == [1, 2]


def test_shop_prices_need_the_shops_currency(shopify):
    """Without a currency no price is guessed; each is named with what to do."""
    catalog, issues = read(shopify, currency="")
    assert catalog["price"].isna().all()
    assert "currency_missing" in codes(issues)


def test_shop_catalogs_have_the_canonical_shape(shopify):
    """What read_catalog returns conforms to the catalog's columns and kinds."""
    catalog, _ = exports.read_catalog(shopify, currency="GBP", as_of=NOON)
    pd.testing.assert_frame_equal(catalog, frames.conform(catalog, frames.CATALOG, "catalog"))
