"""Wix, PrestaShop and Magento product exports: prices put together, store views merged, parents never sent."""

from decimal import Decimal

import pytest

from tests.shop_files import codes, read, write

WIX = [
    *("handleId", "fieldType", "name", "description", "productImageUrl", "collection", "sku", "ribbon", "price"),
    *("surcharge", "visible", "discountMode", "discountValue", "inventory", "productOptionName1"),
    *("productOptionType1", "productOptionDescription1", "brand"),
]
LAMP = {
    "handleId": "product_1",
    "fieldType": "Product",
    "name": "Lamp",
    "description": "<p>Warm light</p>",
    "productImageUrl": "a1.jpg;https://cdn.example/b2.jpg",
    "collection": "Lights;Home",
    "price": "40.00",
    "visible": "true",
    "discountMode": "PERCENT",
    "discountValue": "10",
    "inventory": "InStock",
    "productOptionName1": "Colour",
    "productOptionType1": "COLOR",
    "productOptionDescription1": "#ff0000:Red;#0000ff:Blue",
    "brand": "Glow",
}
RED = {
    "handleId": "product_1",
    "fieldType": "Variant",
    "surcharge": "0",
    "visible": "true",
    "inventory": "3",
    "productOptionDescription1": "#ff0000:Red",
}
BLUE = RED | {"surcharge": "5.55", "inventory": "0", "productOptionDescription1": "#0000ff:Blue", "sku": "L-B"}
BULB = {
    "handleId": "product_2",
    "fieldType": "Product",
    "name": "Bulb",
    "price": "3.00",
    "visible": "false",
    "discountMode": "AMOUNT",
    "discountValue": "0.50",
    "inventory": "OutOfStock",
}


def wix(path, rows):
    """Write a Wix export under the name of another format's file."""
    return write(path / "catalog_products.csv", WIX, rows)


def test_wix_variants_cost_their_surcharge(tmp_path):
    """A variant costs its product's price and its surcharge, less the product's discount of both."""
    catalog, _ = read(wix(tmp_path, [LAMP, RED, BLUE, BULB]))
    assert list(catalog.index) == ["product_1", "product_1:Red", "L-B", "product_2"]
    assert list(catalog["price"]) == [Decimal("40.00"), Decimal("40.00"), Decimal("45.55"), Decimal("3.00")]
    assert list(catalog["sale_price"]) == [Decimal("36.00"), Decimal("36.00"), Decimal("41.00"), Decimal("2.50")]


def test_wix_says_why(tmp_path):
    """A product with variants is not sent itself; what is hidden or sold out says so."""
    catalog, _ = read(wix(tmp_path, [LAMP, RED, BLUE, BULB]))
    reasons = ["parent of variants", "no Meta catalog", "out of stock", "hidden"]
    assert list(catalog["not_sendable_reason"]) == reasons


def test_wix_variants_take_what_their_product_has(tmp_path):
    """Title, text, brand, category and pictures are the product's; names of files become addresses."""
    catalog, _ = read(wix(tmp_path, [LAMP, RED]))
    row = catalog.loc["product_1:Red"]
    assert [row["title"], row["description"], row["brand"], row["product_type"]] == [
        *("Lamp", "Warm light", "Glow", "Lights")
    ]
    assert row["image_link"] == "https://static.wixstatic.com/media/a1.jpg"
    assert row["additional_image_link"] == "https://cdn.example/b2.jpg"
    assert row["options"] == "Red"


def test_wix_hidden_product_hides_its_variants(tmp_path):
    """A visible variant of a hidden product is not shown."""
    catalog, _ = read(wix(tmp_path, [LAMP | {"visible": "false"}, RED]))
    assert catalog.loc["product_1:Red", "not_sendable_reason"] == "hidden"


def test_wix_variant_without_its_product(tmp_path):
    """A variant whose product is not in the file takes no other product's price, and is named."""
    catalog, issues = read(wix(tmp_path, [BULB, RED]))
    row = catalog.loc["product_1:Red"]
    assert (row["title"], row["price"], row["not_sendable_reason"]) == ("", None, "parent unknown")
    assert list(issues[issues["code"] == "parent_missing"]["row"]) == [2]


def test_wix_unreadable_surcharge_is_no_price(tmp_path):
    """A surcharge that is no amount leaves the variant without a price rather than with a wrong one."""
    catalog, issues = read(wix(tmp_path, [LAMP, RED | {"surcharge": "some"}]))
    assert catalog.loc["product_1:Red", "price"] is None
    [bad] = issues[issues["code"] == "surcharge_unreadable"].to_dict("records")
    assert (bad["row"], bad["line"], bad["value"]) == (2, 3, "some")


PRESTA = [
    *("Product ID", "Active (0/1)", "Name *", "Categories (x;y;z...)", "PRICE", "Discount amount"),
    *("Discount percent", "Discount from (yyyy-mm-dd)", "Discount to (yyyy-mm-dd)", "Reference #", "Manufacturer"),
    *("EAN13", "Quantity", "Description", "Image URLs (x;y;z...)", "Out of stock", "Visibility", "Feature"),
]
CUP = {
    "Product ID": "1",
    "Active (0/1)": "1",
    "Name *": "Cup",
    "Categories (x;y;z...)": "Kitchen, bar; Gifts",
    "PRICE": "12,50",
    "Discount percent": "20",
    "Discount from (yyyy-mm-dd)": "2026-11-01",
    "Discount to (yyyy-mm-dd)": "2026-11-30",
    "Reference #": "007",
    "Manufacturer": "Clay & Co",
    "EAN13": "0000080446392",
    "Quantity": "6",
    "Description": "<b>Blue</b>",
    "Image URLs (x;y;z...)": "https://shop.example/1.jpg; https://shop.example/2.jpg",
    "Feature": "Handmade",
}
PLATE = CUP | {"Product ID": "2", "Active (0/1)": "0", "Discount to (yyyy-mm-dd)": "0000-00-00", "Quantity": "0"}
BOWL = CUP | {
    "Product ID": "3",
    "Quantity": "0",
    "Out of stock": "1",
    "Discount percent": "",
    "Discount amount": "1,00",
}


def presta(path, price, rows=(CUP, PLATE, BOWL)):
    """Write a PrestaShop file, with semicolons, whose price column is called `price`."""
    given = [{price if name == "PRICE" else name: value for name, value in row.items()} for row in rows]
    return write(path / "products.csv", [price if name == "PRICE" else name for name in PRESTA], given, ";")


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("Price tax excluded", "price_without_tax"),
        ("Price tax excluded or Price tax included", "price_tax_unclear"),
        ("Price tax included", ""),
    ],
)
def test_prestashop_says_whether_tax_is_in_the_price(header, code, tmp_path):
    """A price without tax is not what customers pay, and an unclear one may not be: both are said."""
    catalog, issues = read(presta(tmp_path, header))
    assert catalog.loc["1", "price"] == Decimal("12.50")
    assert codes(issues) & {"price_without_tax", "price_tax_unclear"} == ({code} - {""})


def test_prestashop_products(tmp_path):
    """Discounts hold in their window, stock may be ordered beyond, inactive products are hidden, keys are untouched."""
    catalog, _ = read(presta(tmp_path, "Price tax included"))
    assert list(catalog["sale_price"]) == [Decimal("10.00"), Decimal("10.00"), Decimal("11.50")]
    assert list(catalog["availability"]) == ["in stock", "out of stock", "preorder"]
    assert list(catalog["not_sendable_reason"]) == ["no Meta catalog", "hidden", "no Meta catalog"]
    assert catalog.loc["1", ["sku", "gtin", "product_type"]].tolist() == ["007", "0000080446392", "Kitchen, bar"]
    assert catalog.loc["1", "additional_image_link"] == "https://shop.example/2.jpg"
    assert catalog.loc["1", "Feature"] == "Handmade"


MAGENTO = [
    *("sku", "store_view_code", "attribute_set_code", "product_type", "categories", "name", "description", "price"),
    *("special_price", "special_price_from_date", "special_price_to_date", "url_key", "visibility"),
    *("product_online", "base_image", "qty", "is_in_stock", "additional_attributes", "configurable_variations"),
]
SHIRT = {
    "sku": "SHIRT",
    "attribute_set_code": "Default",
    "product_type": "configurable",
    "categories": "Default Category/Men/Shirts,Default Category/Sale",
    "name": "Shirt",
    "description": "<p>Cotton</p>",
    "url_key": "shirt",
    "visibility": "Catalog, Search",
    "product_online": "1",
    "base_image": "https://cdn.example/shirt.jpg",
    "additional_attributes": "manufacturer=Loom,fit=slim, narrow",
    "configurable_variations": "sku=SHIRT-R,color=Red, dark,size=S|sku=SHIRT-B,color=Blue,size=S",
}
SHIRT_RED = {
    "sku": "SHIRT-R",
    "attribute_set_code": "Default",
    "product_type": "simple",
    "name": "Shirt red",
    "price": "30.000000",
    "special_price": "25.000000",
    "special_price_from_date": "2026-11-01 00:00:00",
    "special_price_to_date": "2026-11-10 00:00:00",
    "visibility": "Not Visible Individually",
    "product_online": "1",
    "qty": "4.0000",
    "is_in_stock": "1",
    "base_image": "/s/h/shirt-red.jpg",
}
SHIRT_BLUE = SHIRT_RED | {"sku": "SHIRT-B", "name": "Shirt blue", "is_in_stock": "0", "special_price_to_date": ""}
GERMAN = {"sku": "SHIRT-R", "store_view_code": "de", "name": "Hemd rot"}


def test_magento_store_views_are_not_duplicates(tmp_path):
    """Further rows of a SKU are merged into it wherever they stand, and its own words stay."""
    rows = [GERMAN, SHIRT, SHIRT_RED, SHIRT_BLUE]
    catalog, issues = read(write(tmp_path / "export.csv", MAGENTO, rows))
    assert list(catalog.index) == ["SHIRT", "SHIRT-R", "SHIRT-B"]
    assert catalog.loc["SHIRT-R", "title"] == "Shirt red"
    [merged] = issues[issues["code"] == "store_view"].to_dict("records")
    assert (merged["row"], merged["line"], merged["value"]) == (1, 2, "de")
    assert "duplicate_id" not in codes(issues)


def test_magento_children_are_sold_and_the_configurable_is_not(tmp_path):
    """Children are visible through their configurable product, take what they lack from it, and have its options."""
    catalog, _ = read(write(tmp_path / "export.csv", MAGENTO, [SHIRT, SHIRT_RED, SHIRT_BLUE]))
    assert list(catalog["not_sendable_reason"]) == ["parent of variants", "no Meta catalog", "out of stock"]
    row = catalog.loc["SHIRT-R"]
    assert [row["description"], row["product_type"]] == ["Cotton", "Men > Shirts"]
    assert [row["item_group_id"], row["options"], row["handle"]] == ["SHIRT", "Red, dark / S", "shirt"]
    assert row["image_link"] == "https://cdn.example/shirt.jpg"
    assert catalog.loc["SHIRT", "brand"] == "Loom"


def test_magento_special_price_has_its_window(tmp_path):
    """A special price that ended is listed but not on; one without an end still is."""
    catalog, _ = read(write(tmp_path / "export.csv", MAGENTO, [SHIRT, SHIRT_RED, SHIRT_BLUE]))
    assert (catalog.loc["SHIRT-R", "price"], catalog.loc["SHIRT-R", "sale_price"]) == (Decimal(30), None)
    assert catalog.loc["SHIRT-R", "sale_price_listed"] == Decimal(25)
    assert catalog.loc["SHIRT-B", "sale_price"] == Decimal(25)


def test_magento_offline_products_are_hidden(tmp_path):
    """What is offline, or seen nowhere and sold by nothing, is hidden, and so are the children of what is offline."""
    rows = [SHIRT | {"product_online": "2"}, SHIRT_RED, SHIRT_RED | {"sku": "LONE"}]
    catalog, _ = read(write(tmp_path / "export.csv", MAGENTO, rows))
    assert list(catalog["visibility"]) == ["hidden", "hidden", "hidden"]


def test_magento_configurable_without_children(tmp_path):
    """A configurable product whose variations are not in the file is said to have none."""
    _, issues = read(write(tmp_path / "export.csv", MAGENTO, [SHIRT]))
    assert "parent_without_variants" in codes(issues)


def test_bigcommerce_skus_are_sold(tmp_path):
    """A SKU row has its product's title and price unless its own; rules are set aside; parents are not sent."""
    header = [
        *("Item Type", "Product ID", "Product Name", "Product Type", "Product Code/SKU", "Brand Name", "Price"),
        *(
            "Sale Price",
            "Product Description",
            "Product Visible?",
            "Track Inventory",
            "Current Stock Level",
            "Category",
        ),
    ]
    kettle = {
        "Item Type": "Product",
        "Product ID": "77",
        "Product Name": "Kettle",
        "Product Code/SKU": "K",
        "Price": "30.00",
        "Sale Price": "0.00",
        "Product Description": "<p>Boils</p>",
        "Product Visible?": "Y",
        "Brand Name": "Hob",
        "Track Inventory": "by option",
        "Category": "Kitchen;Sale",
    }
    red = {"Item Type": "  SKU", "Product ID": "101", "Product Name": "[RT]Size=L,[S]Colour=Red"}
    red |= {"Product Code/SKU": "K-R", "Current Stock Level": "2"}
    blue = red | {"Product ID": "102", "Product Code/SKU": "K-B", "Current Stock Level": "0", "Price": "32.00"}
    rule = {"Item Type": "  Rule", "Product Code/SKU": "K-B", "Price": "[ADD]5"}
    catalog, issues = read(write(tmp_path / "p.csv", header, [kettle, red, blue, rule]))
    assert list(catalog.index) == ["77", "K-R", "K-B"]
    assert list(catalog["not_sendable_reason"]) == ["parent of variants", "no Meta catalog", "out of stock"]
    assert list(catalog["price"]) == [Decimal("30.00"), Decimal("30.00"), Decimal("32.00")]
    assert list(catalog["title"]) == ["Kettle"] * 3
    assert catalog.loc["K-R", ["options", "description", "item_group_id"]].tolist() == ["L / Red", "Boils", "77"]
    assert list(issues[issues["code"] == "no_product"]["row"]) == [4]


def test_square_variations(tmp_path):
    """A variation is known by its token; any location's stock counts, and no count at all is unknown."""
    header = [
        *("Token", "Item Name", "Description", "Category", "SKU", "Variation Name", "Price", "Archived"),
        *("Current Quantity North", "Current Quantity South"),
    ]
    soap = {"Item Name": "Soap", "Category": "Bath", "Price": "4.00", "Archived": "N", "Variation Name": "Regular"}
    rows = [
        soap | {"Token": "T1", "SKU": "0001", "Current Quantity North": "0", "Current Quantity South": "3"},
        soap | {"Token": "T2", "Variation Name": "Large", "Current Quantity North": "0"},
        soap | {"Token": "T3", "Variation Name": "Old", "Archived": "Y"},
    ]
    catalog, _ = read(write(tmp_path / "items.csv", header, rows))
    assert list(catalog.index) == ["T1", "T2", "T3"]
    assert list(catalog["options"]) == ["", "Large", "Old"]
    assert list(catalog["availability"]) == ["in stock", "out of stock", "unknown"]
    assert list(catalog["not_sendable_reason"]) == ["no Meta catalog", "out of stock", "archived"]
