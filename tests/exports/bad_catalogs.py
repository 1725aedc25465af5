"""Bad inputs 23 to 49: what may be wrong with the rows and cells of a catalog; 26 and 27 are of orders as well."""

from tests import test_exports_shops as shopify
from tests.exports.bad import Bad
from tests.exports.files import META, SHOPIFY, order, product, text

A, B = "+447700900101", "+447700900102"
ASIDE, KEPT, UNSENT = "row set aside", "row kept", "row kept, cannot be sent"
ONE, TWO = "SKU-001", "SKU-002"
PLAIN = text([product(1), product(2)], META)
EXTRA = (
    *("visibility", "status", "inventory", "sale_price", "sale_price_effective_date", "item_group_id", "color"),
    *("whatsapp_review_status", "origin_country", "importer_name", "gtin"),
)
ALL = (*META, *EXTRA)
WOO = ("ID", "Type", "SKU", "Name", "Published", "Regular price", "Parent", "In stock?")
SHOP = {"currency": "GBP"}


def cell(column, value, code, *, severity="error", action=UNSENT, said=None, **more):
    """Return a catalog whose second product has `value` in `column`, and the issue that this gives."""
    rows = [product(1), product(2, **{column: value}, **more)]
    place = said or column
    return Bad(
        content=text(rows, ALL),
        kept=(ONE, value if column == "id" else TWO),
        issues=((code, severity, 2, 3, place, value, action),),
    )


def woo(*rows):
    """Return WooCommerce products: id, type, SKU, name, price, parent."""
    names = ("ID", "Type", "SKU", "Name", "Regular price", "Parent")
    return text([{**dict(zip(names, row, strict=True)), "Published": "1", "In stock?": "1"} for row in rows], WOO)


CASES = {
    "23 a row with too few cells": Bad(
        content=PLAIN + "SKU-003,Tea,Green,in stock,new,3.00 GBP\n",
        kept=(ONE, TWO, "SKU-003"),
        issues=(("short_row", "warning", 3, 4, "", "SKU-003 | Tea | Green | in stock | new | 3.00 GBP", KEPT),),
    ),
    "23 a row with too many": Bad(
        content=PLAIN + "SKU-003,Tea,Green,in stock,new,3.00 GBP,l,i,b,x\nSKU-004,a,b,in stock,new,4.00 GBP,,,\n",
        kept=(ONE, TWO, "SKU-004"),
        issues=(
            (
                *("too_many_cells", "error", 3, 4, ""),
                "SKU-003 | Tea | Green | in stock | new | 3.00 GBP | l | i | b | x",
                ASIDE,
            ),
        ),
    ),
    "24 a total at the foot": Bad(
        content=PLAIN + "Total,,,,,4.00,,,\n", kept=(ONE, TWO), issues=(("footer", "info", 3, 4, "", "Total", ASIDE),)
    ),
    "25 blank rows": Bad(
        content=text([product(1)], META) + ",,,,,,,,\n\n" + text([product(2, id="")], META, header=False),
        kept=(ONE,),
        issues=(
            ("blank_rows", "info", 2, 3, "", "2 rows", "not counted as rows"),
            ("id_missing", "error", 4, 5, "id", "", ASIDE),
        ),
    ),
    "26 a row without the first of its order": Bad(
        kind="orders",
        content=text([*order("#1", A, lines=2)[1:], *order("#2", B)], SHOPIFY),
        kept=("#2",),
        issues=(("no_first_row", "error", 1, 2, "Name", "#1", ASIDE),),
    ),
    "27 the rows of an order stand apart": Bad(
        kind="orders",
        content=text(
            [
                order("#1", A)[0],
                *order("#2", B, **{"Created at": "2026-05-05 10:00:00 +0100"}),
                order("#1", A, lines=2)[1],
            ],
            SHOPIFY,
        ),
        kept=("#1", "#2", "#1"),
        issues=(("rows_apart", "warning", 3, 4, "Name", "#1", KEPT),),
    ),
    "27 the rows of a product stand apart": Bad(
        content=text([shopify.ROWS[1], shopify.ROWS[3], shopify.ROWS[0]], shopify.SHOPIFY),
        kept=("NA", "mug", "0017"),
        issues=(("rows_apart", "warning", 3, 4, "Handle", "tee", KEPT),),
        said=SHOP,
    ),
    "28 a variation whose parent is not there": Bad(
        content=woo(("7", "simple", "a", "Tea", "5.00", ""), ("21", "variation", "b", "Mug - Red", "6.00", "id:20")),
        kept=("7", "21"),
        issues=(("parent_missing", "error", 2, 3, "Parent", "id:20", UNSENT),),
        said=SHOP,
    ),
    "29 a parent without variants": Bad(
        content=woo(("7", "simple", "a", "Tea", "5.00", ""), ("20", "variable", "b", "Mug", "", "")),
        kept=("7", "20"),
        issues=(("parent_without_variants", "warning", 2, 3, "Type", "variable", UNSENT),),
        said=SHOP,
    ),
    "30 a row that is only a picture": Bad(
        content=text(shopify.ROWS[:3], shopify.SHOPIFY),
        kept=("0017", "NA"),
        issues=(
            (
                *("image_row", "info", 3, 4, "Image Src", "https://cdn.example/tee-2.jpg"),
                "row merged into its product",
            ),
        ),
        said=SHOP,
    ),
    "31 no id": Bad(
        content=text([product(1), product(2, id="  ")], META),
        kept=(ONE,),
        issues=(("id_missing", "error", 2, 3, "id", "", ASIDE),),
    ),
    "32 one id twice": Bad(
        content=text([product(1), product(2), product(1)], META),
        kept=(ONE, TWO, ONE),
        issues=tuple(("duplicate_id", "error", row, row + 1, "id", ONE, UNSENT) for row in (1, 3)),
    ),
    "32 one id in two files that differ": Bad(
        content={
            "a.csv": text([product(1), product(2)], META),
            "b.csv": text([product(3), product(1, price="9.50 GBP")], META),
        },
        kept=(ONE, TWO, "SKU-003", ONE),
        issues=tuple(("duplicate_id", "error", row, row + 1, "product_retailer_id", ONE, UNSENT) for row in (1, 2)),
    ),
    "33 ids that differ in case or blanks": Bad(
        content=text([product(1, id="abc"), product(2, id="ABC ")], META),
        kept=("abc", "ABC "),
        issues=(
            ("ids_alike", "warning", 1, 2, "id", "abc", KEPT),
            ("ids_alike", "warning", 2, 3, "id", "ABC ", KEPT),
        ),
    ),
    "34 an id too long": Bad(
        content=text([product(1, id="x" * 101)], META),
        kept=("x" * 101,),
        issues=(("unusable_id", "error", 1, 2, "id", "x" * 101, UNSENT),),
    ),
    "34 an id with a hidden character": cell("id", "a\u200bb", "unusable_id"),
    "35 an id that a spreadsheet rewrote": cell("id", "8.80609E+12", "unusable_id"),
    "35 a GTIN that a spreadsheet rewrote": cell(
        "gtin", "8.80609E+12", "gtin_scientific", severity="warning", action=KEPT
    ),
    "36 no price": cell("price", "", "price_missing"),
    "36 a price of nothing": cell("price", "0.00 GBP", "price_zero"),
    "36 a price below nothing": cell("price", "-5.00 GBP", "price_negative"),
    "36 a range": cell("price", "10 - 20 GBP", "price_range"),
    "36 words": cell("price", "on request", "price_not_a_number"),
    "36 thousands or decimals": Bad(
        content=text([product(1, price="1.234 GBP"), product(2, price="7 GBP")], META),
        kept=(ONE, TWO),
        issues=(("price_ambiguous", "error", 1, 2, "price", "1.234 GBP", UNSENT),),
    ),
    "36 a number that a spreadsheet rewrote": cell("price", "5.51E+3 GBP", "price_scientific"),
    "37 no currency": cell("price", "9.99", "currency_missing"),
    "37 a currency of a symbol that several share": cell("price", "$9.99", "currency_shared"),
    "37 an unknown currency": cell("price", "9.99 XXQ", "currency_unknown"),
    "37 a currency that is gone": cell("price", "2280.00 RUR", "currency_dead"),
    "37 another currency": Bad(
        content=text([product(1), product(2, price="9.99 USD"), product(3)], META),
        kept=(ONE, TWO, "SKU-003"),
        issues=(("currency_differs", "error", 2, 3, "price", "9.99 USD", UNSENT),),
    ),
    "38 a sale price above the price": cell(
        "sale_price", "9.00 GBP", "sale_price_unusable", severity="warning", action=KEPT
    ),
    **{
        f"39 a window {name}": cell(
            *("sale_price_effective_date", window, code), severity="warning", action=KEPT, sale_price="1.00 GBP"
        )
        for name, window, code in (
            ("in words", "soon", "sale_window_unreadable"),
            ("that ends first", "2026-11-30T00:00+00:00/2026-11-01T00:00+00:00", "sale_window_ends_first"),
            ("without a zone", "2026-11-01/2026-11-30", "sale_window_without_zone"),
        )
    },
    "40 a word that says no availability": cell("availability", "perhaps", "availability_unknown"),
    "41 in stock with nothing left": cell(
        "inventory", "0", "inventory_zero", severity="warning", action="read as out of stock"
    ),
    "42 no title": Bad(
        content=text([product(1), product(2, title=" ")], META),
        kept=(ONE, TWO),
        issues=(("title_missing", "error", 2, 3, "title", " ", UNSENT),),
    ),
    "42 a title too long": Bad(
        content=text([product(1), product(2, title="x" * 201)], META),
        kept=(ONE, TWO),
        issues=(("title_too_long", "warning", 2, 3, "title", "x" * 120, KEPT),),
    ),
    "43 markup in a title": cell("title", "<b>Tea</b>", "markup", severity="warning", action=KEPT),
    "43 markup in a text": cell(
        "description", "<p>Tea</p>", "markup", severity="info", action="text without its markup kept"
    ),
    "43 letters of another encoding": cell("title", "CafÃ©", "garbled_text", severity="warning", action=KEPT),
    "43 hidden characters": cell("title", "Te\x07a", "control_characters", severity="warning", action=KEPT),
    "44 no picture": cell("image_link", "", "image_link_missing", severity="warning", action=KEPT),
    "44 a picture without an address": cell(
        "image_link", "img/2.png", "image_link_unusable", severity="warning", action=KEPT
    ),
    "45 no link": cell("link", "", "link_missing", severity="warning", action=KEPT),
    "46 variants that nothing tells apart": Bad(
        content=text([product(n, item_group_id="g", color="Red", title="Tee") for n in (1, 2)], ALL),
        kept=(ONE, TWO),
        issues=tuple(("variants_alike", "warning", row, row + 1, "item_group_id", "g", KEPT) for row in (1, 2)),
    ),
    **{
        f"47 {reason}": Bad(
            content=text([product(1), product(2, **change)], ALL),
            kept=(ONE, TWO),
            issues=((value, "info", 2, 3, column, value, UNSENT),),
        )
        for reason, column, value, change in (
            ("a draft", "status", "draft", {"status": "draft"}),
            ("hidden", "visibility", "hidden", {"visibility": "hidden"}),
            ("archived", "status", "archived", {"status": "archived"}),
        )
    },
    "48 India's rules": Bad(
        content=text([product(1, price="90 INR", origin_country="IN"), product(2, price="90 INR")], ALL),
        kept=(ONE, TWO),
        issues=(("india_compliance", "error", 2, 3, "origin_country", "", UNSENT),),
    ),
    "49 a review that says no": cell("whatsapp_review_status", "REJECTED", "review_not_approved", severity="warning"),
}
