"""Bad inputs 50 to 62: what may be wrong with the cells of orders."""

import json

from tests.exporting import woo
from tests.exports.bad import Bad
from tests.exports.files import META, SHOPIFY, order, product, text

A, B = "+447700900101", "+447700900102"
ASIDE, KEPT, UNUSED = "row set aside", "row kept", "number not used"
SHOP = {"region": "GB", "timezone": "Europe/London"}
TEAS = (product(1), product(2))
UNCOUNTED = "rows kept, not counted as purchases"


def orders(*rows, kept, issues, said=SHOP, names=SHOPIFY):
    """Return an orders export and what comes of it."""
    return Bad(kind="orders", content=text(rows, names), kept=kept, issues=issues, said=said)


def cell(column, value, code, *, severity="error", action=ASIDE, kept=("#1", "#2"), said=SHOP):
    """Return two orders of which the second has `value` in `column`, and the issue that this gives."""
    rows = [*order("#1", A), *order("#2", B, **{column: value})]
    return orders(*rows, kept=kept, issues=((code, severity, 2, 3, column, value, action),), said=said)


def time(value, code, *, severity="error", action=ASIDE, kept=("#1",), said=SHOP):
    """Return two orders of which the second was at `value`."""
    return cell("Created at", value, code, severity=severity, action=action, kept=kept, said=said)


def phone(value, code, *, said=SHOP, **order_columns):
    """Return two orders of which the second has the phone `value`."""
    rows = [*order("#1", A), *order("#2", value, **order_columns)]
    return orders(
        *rows,
        kept=("#1", "#2"),
        issues=(
            (code, "warning", 2, 3, "Phone", value, UNUSED),
            ("phone_missing", "warning", 2, 3, "phone", "", KEPT),
        ),
        said=said,
    )


def excluded(reason, **change):
    """Return two orders of which the second was no purchase, for this reason."""
    return orders(
        *order("#1", A),
        *order("#2", **{"Phone": B, **change}),
        kept=("#1", "#2"),
        issues=(("not_a_purchase", "info", 0, 0, "status", f"1 orders: {reason}", UNCOUNTED),),
    )


def shop(*rows, issues, products=TEAS, names=SHOPIFY):
    """Return a folder with a catalog and orders of it."""
    files = {"products.csv": text(products, META), "orders.csv": text(rows, names)}
    kept = tuple(row["Name"] for row in rows)
    return Bad(kind="orders", content=files, kept=kept, issues=issues, said={**SHOP, "currency": "GBP"})


CASES = {
    "50 no phone in any column": orders(
        *order("#1", A),
        *order("#2", "", lines=2),
        kept=("#1", "#2", "#2"),
        issues=(("phone_missing", "warning", 2, 3, "phone", "", KEPT),),
    ),
    "51 words": phone("call me", "phone_unreadable"),
    "51 a number that a spreadsheet rewrote": phone("8.80171E+12", "phone_scientific"),
    "51 too short": phone("12345", "phone_too_short"),
    "51 several": phone("07700 900101 / 07700 900102", "phone_several"),
    "51 a placeholder": phone("0000000000", "phone_dummy"),
    "51 an extension": phone("020 7946 0018 x12", "phone_extension"),
    "52 two columns that disagree": orders(
        *order("#1", A, **{"Shipping Phone": B}),
        kept=("#1",),
        issues=(
            (
                *("phones_differ", "warning", 1, 2, "Shipping Phone", B),
                "the first of the order's phones kept",
            ),
        ),
    ),
    "53 no country": phone("07700 900101", "phone_region_unknown", said={"timezone": "UTC"}, **{"Billing Country": ""}),
    "54 no time": time("soon", "time_unreadable"),
    "54 day or month": time("05/04/2026 21:06", "time_ambiguous"),
    "54 to come": time("2199-01-01 00:00:00 +0000", "time_future"),
    "54 in 1970": time("1970-01-01 00:00:00 +0000", "time_too_old"),
    "54 a number of Excel's": time("46117.879", "time_excel_serial"),
    "54 when clocks were put forward": time("2026-03-29 01:30:00", "time_in_dst_gap"),
    "54 blank": time("", "time_missing"),
    "54 when clocks were put back": time(
        "2026-10-25 01:30:00", "time_in_dst_overlap", severity="warning", action=KEPT, kept=("#1", "#2")
    ),
    "54 no zone": orders(
        *order("#1", A, **{"Created at": "2026-04-05 21:06:21"}),
        kept=("#1",),
        issues=(("time_without_zone", "warning", 0, 0, "Created at", "", "read as UTC"),),
        said={"region": "GB"},
    ),
    **{
        f"55 {name}": cell("Lineitem quantity", value, code, action="row kept, not a purchase")
        for name, value, code in (
            ("none", "0", "quantity_zero"),
            ("below none", "-1", "quantity_negative"),
            ("words", "some", "quantity_unreadable"),
        )
    },
    "54 a time in JSON": Bad(
        kind="orders",
        content=json.dumps([woo(1), woo(2, date_created_gmt="soon")]),
        kept=("1", "1"),
        issues=tuple(("time_unreadable", "error", 2, 1, "date_created_gmt", "soonZ", ASIDE) for _ in range(2)),
        said=SHOP,
    ),
    "54 a time in a long table": Bad(
        kind="orders",
        content=f"Bestellnummer;Telefon;Bestelldatum;SKU;Menge\n1;{A};gestern;a;1\n",
        issues=(("time_unreadable", "error", 1, 2, "Bestelldatum", "gestern", ASIDE),),
        said=SHOP,
    ),
    "55 words in a long table": Bad(
        kind="orders",
        content=f"Bestellnummer;Telefon;Bestelldatum;SKU;Menge\n1;{A};2026-05-16T10:00Z;a;viele\n",
        kept=("1",),
        issues=(("quantity_unreadable", "error", 1, 2, "Menge", "viele", "row kept, not a purchase"),),
        said=SHOP,
    ),
    "55 a part": cell("Lineitem quantity", "1.5", "quantity_fraction", severity="info", action=KEPT),
    "56 an item that the catalog has not": shop(
        *order("#1", A),
        *order("#2", A, **{"Lineitem name": "Gift wrap"}),
        issues=(
            (
                "item_not_in_catalog",
                "warning",
                0,
                0,
                "product_retailer_id",
                "1 of 2 lines",
                "rows kept without product",
            ),
        ),
    ),
    "57 an item that may be several": shop(
        *order("#1", A),
        *order("#2", A, **{"Lineitem name": "Twin"}),
        products=(product(1), product(2, title="Twin"), product(3, title="Twin")),
        issues=(
            ("item_ambiguous", "warning", 0, 0, "product_retailer_id", "1 of 2 lines", "rows kept without product"),
        ),
    ),
    "58 cancelled": excluded("cancelled", **{"Cancelled at": "2026-04-06 10:00:00 +0100"}),
    "58 voided": excluded("voided", **{"Financial Status": "voided"}),
    "58 refunded": excluded("refunded", **{"Financial Status": "refunded"}),
    "58 expired": excluded("expired", **{"Financial Status": "expired"}),
    "58 a test": excluded("test", **{"Payment Method": "(for testing) Bogus Gateway"}),
    "58 a draft": excluded("draft", Source="shopify_draft_order", Phone=""),
    "58 failed, in a long table": Bad(
        kind="orders",
        content=f"order_id,phone,date,sku,status\n1,{A},2026-05-16T10:00Z,a,failed\n",
        kept=("1",),
        issues=(("not_a_purchase", "info", 0, 0, "status", "1 orders: failed", UNCOUNTED),),
    ),
    "59 a refund with a quantity below none": Bad(
        kind="orders",
        content=f"order_id,phone,date,sku,quantity,price\n1,{A},2026-05-16T10:00Z,a,2,5.00\n"
        f"2,{A},2026-05-17T10:00Z,a,-1,5.00\n",
        kept=("1", "2"),
        issues=(("quantity_negative", "error", 2, 3, "quantity", "-1", "row kept, not a purchase"),),
        said={"currency": "GBP"},
    ),
    "60 another currency than the catalog's": shop(
        *order("#1", A),
        *order("#2", B, Currency="EUR"),
        issues=(("currency_not_the_catalogs", "warning", 0, 0, "currency", "1 lines in EUR", KEPT),),
    ),
    "61 lines that do not add up": orders(
        *order("#1", A, lines=2, Subtotal="3.00", Total="4.00"),
        *order("#2", B, lines=2, Subtotal="9.00", Total="9.00"),
        kept=("#1", "#1", "#2", "#2"),
        issues=(("total_differs", "warning", 3, 4, "Subtotal", "9.00", KEPT),),
        names=[*SHOPIFY, "Subtotal", "Total"],
    ),
    "61 lines that do not add up, in JSON": Bad(
        kind="orders",
        content=json.dumps([woo(1, shipping_total="10.00", total_tax="1.35", fee_lines=[], total="99.00")]),
        kept=("1", "1"),
        issues=(("total_differs", "warning", 1, 1, "total", "87.65", KEPT),),
        said=SHOP,
    ),
    "61 lines that do not add up, one row an item": Bad(
        kind="orders",
        content=f"Order Number,Order Date,Item Name,Quantity,Item Cost,Phone (Billing),Order Subtotal,Cart Discount\n"
        f"1,2026-05-16T10:00Z,Tea,2,5.00,{A},9.00,1.00\n2,2026-05-16T11:00Z,Tea,2,5.00,{A},7.00,1.00\n",
        kept=("1", "2"),
        issues=(("total_differs", "warning", 2, 3, "Order Subtotal", "7.00", KEPT),),
        said={**SHOP, "currency": "GBP"},
    ),
    "61 lines that do not add up, one row an order": Bad(
        kind="orders",
        content="order_id,order_date,status,shipping_total,fee_total,tax_total,order_total,billing_phone,line_item_1\n"
        f"1,2026-05-16T10:00Z,completed,1.00,0,0,6.00,{A},name:Tea|quantity:2|total:5.00\n"
        f"2,2026-05-16T11:00Z,completed,1.00,0,0,9.00,{A},name:Tea|quantity:2|total:5.00\n",
        kept=("1", "2"),
        issues=(("total_differs", "warning", 2, 3, "order_total", "8.00", KEPT),),
        said={**SHOP, "currency": "GBP"},
    ),
    "62 one order told in two ways by two files": Bad(
        kind="orders",
        content={
            "a.csv": text(order("#1", A, Id="5501"), SHOPIFY),
            "b.csv": text([*order("#2", B), *order("#1", A, Id="5501", **{"Financial Status": "voided"})], SHOPIFY),
        },
        kept=("#2", "5501"),
        issues=(("order_differs", "warning", 1, 2, "order_id", "5501", "row merged"),),
        said=SHOP,
    ),
    "62 one order told in two ways": orders(
        *order("#1", A, Id="5501"),
        *order("#2", B),
        *order("#1", A, Id="5501", **{"Financial Status": "voided"}),
        kept=("#2", "5501"),
        issues=(("order_differs", "warning", 1, 2, "Id", "5501", "row merged"),),
    ),
}
