"""Every format accounts for every row: rows in = kept + set aside + merged, and each that was set aside is named."""

import json

import pytest

from tests import exporting
from tests import exports_contract as feeds
from tests.exports.bad import AS_OF, account
from tests.exports.bad_threads import US, body, message
from tests.exports.files import META, SHOPIFY, order, product, text
from wa_products.errors import DataError
from wa_products.exports.contract import Options
from wa_products.exports.formats import FORMATS
from wa_products.exports.readers import _recognised, kind_of, read_file
from wa_products.exports.sources import opened

A, B = "+447700900201", "+447700900202"
WIDE = ",".join("x" * 90) + "\n"  # a row with too many cells for any of the tables


def csv(names, *rows, wide=True):
    """Return a table, with a row that cannot be read at its end."""
    return "\n".join([names, *rows]) + "\n" + (WIDE if wide else "")


def graph():
    """Return pages of the Graph API: an item twice, one without an id, and a page cut short."""
    items = [feeds.item(one) for one in feeds.PRODUCTS]
    return json.dumps(feeds.page([*items, items[0], {"id": "5", "name": "x"}])) + '\n{"data": [{"id": "7", "retail'


def chats():
    """Return conversations of Chatwoot: one good, one of another channel, one that the shop alone wrote in."""
    sender = {"phone_number": A}

    def chat(number, channel="Channel::Whatsapp", kind=0):
        shown = {"id": number, "message_type": kind, "created_at": 1779000000, "content": "hi"}
        return {"id": number, "meta": {"sender": sender, "channel": channel}, "messages": [shown]}

    return json.dumps({"data": {"payload": [chat(1), chat(2, "Channel::Email"), chat(3, kind=1), {"id": 4}]}})


def yml():
    """Return YML with an offer that is broken and one without an id."""
    offer = '<offer id="{}" available="true"><name>Tea</name><price>1.50</price><currencyId>EUR</currencyId></offer>\n'
    broken = offer.format("9").replace("Tea", "Tea & more")
    offers = offer.format("1") + broken + offer.format("2") + offer.format("")
    return f"<yml_catalog><shop><offers>\n{offers}</offers></shop></yml_catalog>"


def rss():
    """Return a feed with an item that is broken and one without an id."""
    item = "<item><g:id>{}</g:id><title>Tea</title><g:price>1.50 EUR</g:price></item>\n"
    items = item.format("1") + item.format("2").replace("Tea", "Tea & more") + item.format("3") + item.format("")
    return f'<rss xmlns:g="http://base.google.com/ns/1.0"><channel>\n{items}</channel></rss>'


SHOPIFY_ROWS = [
    *order("#0", A, lines=2)[1:],
    *order("#1", A, lines=2, Id="1"),
    *order("#2", B, **{"Created at": "?"}),
    *order("#1", A, lines=2, Id="1"),
]
TOFFEE = "order_id,order_date,status,order_total,order_currency,billing_phone,line_item_1,line_item_2"
TEA = "name:Tea|product_id:13|sku:T|quantity:1|total:3.00"
LONG = "order_id,phone,date,sku,quantity"
HELP = text([dict.fromkeys(META, "# Required")], META, header=False)
WOO = [exporting.woo(1), exporting.woo(2, line_items=[]), {"id": 3}, exporting.woo(4, date_created_gmt="?")]
LOG = "a log of WhatsApp webhooks"
SAMPLES = {
    "a Meta Commerce Manager catalog": text([product(1)], META)
    + HELP
    + text([product(2, id="")], META)
    + WIDE
    + "Total,,,,,3.00,,,\n",
    "a Shopify orders export": text(SHOPIFY_ROWS, SHOPIFY) + WIDE,
    "a Shopify products export": csv(
        *("Handle,Title,Option1 Value,Variant SKU,Variant Price,Image Src", "tee,Tee,S,T-S,9.00,https://x/1.jpg"),
        *("tee,,,,,https://x/2.jpg", "cap,,,,,https://x/3.jpg", ",,,,4.00,"),
    ),
    LOG: "\n".join(
        ["half a line}", *map(json.dumps, [body(message(1)), body(message(1)), exporting.cart(3)]), '{"cut']
    ),
    "a WooCommerce products export": csv(
        *("ID,Type,SKU,Name,Published,Regular price", "1,simple,a,Tea,1,5.00", ",simple,,Nameless,1,6.00")
    ),
    "a Wix products export": csv(
        *("handleId,fieldType,name,price,surcharge", "p1,Product,Lamp,40.00,", ",Product,Nameless,3.00,")
    ),
    "a PrestaShop products export": csv(
        *("Product ID,Active (0/1),Name *,Price tax included,Reference #,Quantity", "1,1,Cup,12.50,r,6"),
        ",1,Nameless,1.00,,1",
    ),
    "a Magento products export": csv(
        *("sku,store_view_code,attribute_set_code,product_type,name,price,url_key", "A,,Default,simple,Tea,3.00,tea"),
        *("A,de,,,Tee,,", ",,Default,simple,Nameless,1.00,x"),
    ),
    "a BigCommerce products export": csv(
        "Item Type,Product ID,Product Name,Product Type,Product Code/SKU,Price,Product Visible?",
        *("Product,77,Kettle,P,K,30.00,Y", "  SKU,101,[S]Colour=Red,,K-R,,", "  Rule,,,,K-R,[ADD]5,"),
    ),
    "a Square item library": csv(
        *("Token,Item Name,Description,Category,SKU,Variation Name,Price", "T1,Soap,,Bath,1,Regular,4.00"),
        ",Soap,,Bath,,Large,5.00",
    ),
    "WooCommerce orders in JSON": json.dumps(WOO) + "\nnot json",
    "a WooCommerce orders export, one row an order": csv(
        *(TOFFEE, f"1,2026-05-16 07:32:06,completed,3.00,GBP,{A},{TEA},{TEA}", f"2,?,completed,3.00,GBP,{A},{TEA},"),
        *(f"3,2026-05-16,completed,3.00,GBP,{A},,", f"4,2026-05-16,completed,3.00,GBP,{A},a broken cell,"),
    ),
    "a WooCommerce orders export, one row an item": csv(
        "Order Number,Order Status,Order Date,Phone (Billing),Item Name,Quantity (- Refund),Item Cost",
        *(",,,,Tea,1,3.00", f"1,Completed,2026-05-16 10:00,{A},Tea,1,3.00", "1,,,,Mug,2,4.00"),
        *(f"2,Completed,soon,{A},Tea,1,3.00", f"1,Completed,2026-05-16 10:00,{A},Tea,1,3.00"),
    ),
    "a long table of order lines with names as titles": csv(
        *("order_id,phone,date,name,quantity", f"1,{A},2026-05-16,Tea,1", f"2,{A},soon,Tea,1")
    ),
    "a Google Merchant product file": csv(
        *("ID,Titel,Preis,Verfügbarkeit,Beschreibung", "1,Tee,1.50 EUR,in_stock,x", ",Ohne,2.50 EUR,in_stock,x")
    ),
    "catalog items of the Graph API": graph(),
    "a Yandex feed (YML)": yml(),
    "a product feed (RSS or ATOM)": rss(),
    "a long table of order lines": csv(
        *(LONG, f"1,{A},2026-05-16,a,1", f"1,{A},2026-05-16,b,1", f"2,{B},soon,a,1", f"3,{B},2026-05-17,,1"),
        *(f"1,{A},2026-05-16,a,1", f"1,{A},2026-05-16,b,1", "Total,,,,5"),
        wide=False,
    ),
    "an export of threads": csv(
        *("phone,last_inbound_at,name", f"{A},2026-11-20T08:00:00Z,Jo", f"{A},2026-11-20T08:00:00Z,Jo"),
        *("x,2026-11-20T08:00:00Z,Al", f"{B},soon,Bo", f"{B},,Cy"),
    ),
    "Chatwoot conversations": chats(),
}
REFUSED = {
    "an export of threads with a time of either side": f"phone,name,last_interaction\n{A},Jo,2026-11-20T08:00:00Z\n",
    "a list of contacts": f"id,name,email,phone_number\n1,Jo,jo@example.com,{A}\n",
    "a list of Chatwoot contacts": json.dumps([{"phone_number": A, "email": "jo@example.com", "identifier": US}]),
    "a Stripe payments export": "id,Amount,Fee,Created (UTC),Customer Email,Description\nch_1,1,0,2026-05-16,a@b.c,x\n",
}


def form_of(path):
    """Return the name of the format that a file is recognised as."""
    [source] = opened(path)
    return _recognised(source, kind_of(source))[0].name


def test_every_format_has_a_sample():
    """A format that is added here is held to account too."""
    assert {form.name for form in FORMATS} == {*SAMPLES, *REFUSED}


@pytest.mark.parametrize(("name", "content"), SAMPLES.items(), ids=SAMPLES)
def test_every_row_is_kept_set_aside_or_merged(tmp_path, name, content):
    """Of a file with faults, each row is in the frame or in an issue that says why it is not."""
    path = tmp_path / "export.dat"
    path.write_text(content, encoding="utf-8")
    assert form_of(path) == name
    for part in read_file(path, Options(as_of=AS_OF, currency="EUR", region="GB", timezone="UTC")):
        account(part)
        assert part.found.kept > 0
        assert part.found.set_aside + part.found.merged > 0
        if "source_row" in part.frame and name != LOG:  # a message is no order, and no row of one
            named = {*part.frame["source_row"], *part.issues["row"]}
            unnamed = set(range(1, max(named) + 1)) - named
            assert len(unnamed) <= part.found.merged  # of an order that is merged, its first row is named


@pytest.mark.parametrize(("name", "content"), REFUSED.items(), ids=REFUSED)
def test_what_cannot_be_read_is_refused_by_name(tmp_path, name, content):
    """A format that gives nothing is recognised and refused in one sentence."""
    path = tmp_path / "export.dat"
    path.write_text(content, encoding="utf-8")
    assert form_of(path) == name
    with pytest.raises(DataError) as caught:
        read_file(path, Options(as_of=AS_OF))
    assert "\n" not in str(caught.value)
