"""One small made-up catalog, written in every format that can say it: reading any of them gives the same rows."""

import csv
import io
import json
from decimal import Decimal
from xml.sax.saxutils import escape, quoteattr

import pandas as pd

from tests.workbooks import workbook
from wa_products.exports import read_catalog

AS_OF = pd.Timestamp("2026-11-20T09:00:00Z")
NAMES = (
    *("id", "title", "description", "availability", "condition", "price", "sale_price", "link", "image_link"),
    *("additional_image_link", "brand", "item_group_id", "product_type", "gtin"),
)
PRODUCTS = (
    {
        "id": "001",
        "title": 'Screen 15", matt',
        "description": "Glas & Stahl, für den Schreibtisch; 3 < 4",
        "availability": "in stock",
        "price": "1299.00 EUR",
        "sale_price": "1199.50 EUR",
        "link": "https://shop.example/p/1?a=1&b=2",
        "image_link": "https://shop.example/i/1.png",
        "additional_image_link": "https://shop.example/i/1,w_50.png|https://shop.example/i/1b.png",
        "brand": "Müller & Söhne",
        "product_type": "Home > Screens",
        "gtin": "0000080446392",
    },
    {
        "id": "TEA_ÄÖ-2",
        "title": '"Best" tea 🍵',
        "description": "",
        "availability": "out of stock",
        "price": "9.90 EUR",
        "link": "https://shop.example/p/2",
        "image_link": "https://shop.example/i/2.png",
        "brand": "Example",
        "item_group_id": "tea",
        "product_type": "Kitchen",
    },
    {
        "id": "6575323075694",
        "title": "Cup",
        "description": "Blue",
        "availability": "preorder",
        "price": "12.00 EUR",
        "link": "https://shop.example/p/3",
        "image_link": "https://shop.example/i/3.png",
        "additional_image_link": "https://shop.example/i/3b.png",
        "item_group_id": "tea",
        "product_type": "Kitchen",
        "gtin": "8806098012345",
    },
)
HEADER = dict(zip(NAMES, NAMES, strict=True))
SAME = (
    *("product_retailer_id", "title", "description", "price", "sale_price", "currency", "availability", "brand"),
    *("link", "image_link", "item_group_id", "product_type", "sendable", "not_sendable_reason", "source_row"),
    *("additional_image_link", "gtin"),
)
WORDS = {"in stock": "in_stock", "out of stock": "out_of_stock", "preorder": "backorder"}


def read(path, **options):
    """Return the catalog of a file and its issues, on the day of the tests."""
    return read_catalog(path, as_of=AS_OF, **options)


def same(catalog):
    """Return what every format says of the small catalog, as plain rows."""
    return catalog.reindex(columns=SAME).to_dict("records")


def expected():
    """Return the rows that every format must give."""
    return [
        {
            "product_retailer_id": product["id"],
            **{name: product.get(name, "") for name in ("title", "description", "brand", "link", "image_link")},
            **{name: product.get(name, "") for name in ("item_group_id", "product_type", "availability", "gtin")},
            "price": Decimal(product["price"].split()[0]),
            "sale_price": Decimal(product["sale_price"].split()[0]) if "sale_price" in product else None,
            "currency": "EUR",
            "additional_image_link": product.get("additional_image_link", "").replace("|", ","),
            "sendable": product["availability"] != "out of stock",
            "not_sendable_reason": "out of stock" if product["availability"] == "out of stock" else "",
            "source_row": number,
        }
        for number, product in enumerate(PRODUCTS, 1)
    ]


def meta_csv():
    """Return the catalog as Commerce Manager's CSV: a mark, help in the first row."""
    rows = [dict.fromkeys(NAMES, "# Required | help"), HEADER, *PRODUCTS]
    return ("\ufeff" + table(rows, ",")).encode()


def meta_tsv():
    """Return the catalog as tab-separated UTF-16."""
    return table([HEADER, *PRODUCTS], "\t").encode("utf-16")


def meta_xlsx():
    """Return the catalog as a workbook: a sheet of help before it, a title above the header, a total below."""
    rows = [["Products of the shop"], [], list(NAMES), *([p.get(n, "") for n in NAMES] for p in PRODUCTS), ["Total"]]
    return workbook({"Read me": [["How to fill this in"]], "Products": rows})


def meta_flattened():
    """Return the catalog with its pictures in flattened columns."""
    links = [[p["image_link"], *filter(None, p.get("additional_image_link", "").split("|"))] for p in PRODUCTS]
    names = [name for name in NAMES if "image" not in name] + [f"image[{n}].url" for n in range(3)]
    rows = [
        {**p, **{f"image[{n}].url": link for n, link in enumerate(some)}}
        for p, some in zip(PRODUCTS, links, strict=True)
    ]
    return table([dict(zip(names, names, strict=True)), *rows], ",", names).encode()


def meta_nested():
    """Return the catalog with its pictures as JSON in one cell."""
    links = [[p["image_link"], *filter(None, p.get("additional_image_link", "").split("|"))] for p in PRODUCTS]
    names = [name for name in NAMES if "image" not in name] + ["image"]
    rows = [
        {**p, "image": json.dumps([{"url": link, "tag": ["front"]} for link in some])}
        for p, some in zip(PRODUCTS, links, strict=True)
    ]
    return table([dict(zip(names, names, strict=True)), *rows], ",", names).encode()


def rss():
    """Return the catalog as RSS 2.0 with Google's prefix, plain titles, CDATA and a mark."""
    items = "".join(
        f"<item>\n<title><![CDATA[{product['title']}]]></title><link>{escape(product['link'])}</link>"
        + elements({k: v for k, v in product.items() if k not in {"title", "link"}}, "g:")
        + "<g:shipping><g:country>DE</g:country><g:price>4.90 EUR</g:price></g:shipping></item>\n"
        for product in PRODUCTS
    )
    head = '<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0">'
    shop = "<channel>\n<title>Shop</title><link>https://shop.example</link>"
    return f"\ufeff{head}{shop}\n{items}</channel></rss>".encode()


def atom():
    """Return the catalog as ATOM, in UTF-16, with Google's availabilities."""
    items = "".join(
        f"<entry>{elements({**product, 'availability': WORDS[product['availability']]}, 'g:')}</entry>\n"
        for product in PRODUCTS
    )
    head = '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:g="http://base.google.com/ns/1.0"><title>Shop</title>'
    return f'<?xml version="1.0" encoding="UTF-16"?>\n{head}\n{items}</feed>'.encode("utf-16")


def plain_xml():
    """Return the catalog as a dialect without a namespace: names of its own, price and currency apart."""
    renamed = {"link": "url", "brand": "vendor"}
    items = "".join(
        "<item>"
        + elements({renamed.get(k, k): v.removesuffix(" EUR") for k, v in product.items()}, "")
        + "<currencyId>EUR</currencyId></item>"
        for product in PRODUCTS
    )
    return f"<products>\n{items}\n</products>".encode()


def yml():
    """Return the catalog as YML, with its document type and categories by number."""
    numbers = {"Home > Screens": "2", "Kitchen": "3"}
    offers = []
    for product in PRODUCTS:
        sale = "sale_price" in product
        said = {
            "name": product["title"],
            "url": product["link"],
            "price": product["sale_price" if sale else "price"].split()[0],
            **({"oldprice": product["price"].split()[0]} if sale else {}),
            "currencyId": "EUR",
            "categoryId": numbers[product["product_type"]],
            "vendor": product.get("brand", ""),
            "description": product["description"],
            "group_id": product.get("item_group_id", ""),
            "gtin": product.get("gtin", ""),
            "available": product["availability"] if product["availability"] == "preorder" else "",
        }
        pictures = [product["image_link"], *filter(None, product.get("additional_image_link", "").split("|"))]
        body = elements({k: v for k, v in said.items() if v}, "")
        body += "".join(f"<picture>{escape(link)}</picture>" for link in pictures)
        given = {"in stock": "true", "out of stock": "false", "preorder": "preorder"}[product["availability"]]
        body = body.replace("<available>preorder</available>", "")
        offers.append(f"<offer id={quoteattr(product['id'])} available={quoteattr(given)}>{body}</offer>\n")
    categories = (
        '<category id="1">Home</category><category id="2" parentId="1">Screens</category>'
        '<category id="3">Kitchen</category>'
    )
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE yml_catalog SYSTEM "shops.dtd">\n<yml_catalog><shop>'
    shop = f'<currencies><currency id="EUR" rate="1"/></currencies><categories>{categories}</categories>'
    return f"{head}{shop}<offers>\n{''.join(offers)}</offers></shop></yml_catalog>".encode()


def google_tsv():
    """Return the catalog as Google's TSV: no quoting, German names."""
    names = {
        **HEADER,
        "title": "Titel",
        "price": "Preis",
        "availability": "Verfügbarkeit",
        "description": "Beschreibung",
    }
    rows = ["\t".join(names.values())]
    for product in PRODUCTS:
        said = {**product, "availability": WORDS[product["availability"]]}
        said["additional_image_link"] = said.get("additional_image_link", "").replace("|", ",")
        rows.append("\t".join(said.get(name, "") for name in names))
    return ("\n".join(rows) + "\n").encode()


def google_csv():
    """Return the catalog as CSV with Google's names, blanks between their words."""
    header = {name: name.replace("_", " ") for name in NAMES}
    rows = [{**product, "availability": WORDS[product["availability"]]} for product in PRODUCTS]
    return table([header, *rows], ",").encode()


def graph(indent=None):
    """Return the catalog as one page of the Graph API."""
    return json.dumps(page([item(product) for product in PRODUCTS]), ensure_ascii=False, indent=indent).encode()


def graph_lines():
    """Return the catalog as two pages that overlap, one a line, behind each other."""
    items = [item(product) for product in PRODUCTS]
    return "\n".join(json.dumps(page(some)) for some in (items, items[2:])).encode()


def item(product):
    """Return a product as the Graph API gives it: a price as people in Germany write it, the currency apart."""
    price, sale = (product.get(name, "").split(" ")[0] for name in ("price", "sale_price"))
    return {
        "id": f"99{product['id']}",
        "retailer_id": product["id"],
        "name": product["title"],
        "description": product["description"],
        "availability": product["availability"],
        "price": german(price),
        "sale_price": german(sale) if sale else None,
        "currency": "EUR",
        "url": product["link"],
        "image_url": product["image_link"],
        "additional_image_urls": list(filter(None, product.get("additional_image_link", "").split("|"))),
        "brand": product.get("brand", ""),
        "retailer_product_group_id": product.get("item_group_id", ""),
        "product_type": product["product_type"],
        "gtin": product.get("gtin"),
        "visibility": "published",
        "capability_to_review_status": [{"key": "WHATSAPP", "value": "APPROVED"}, {"key": "SHOPS", "value": "PENDING"}],
    }


def german(amount):
    """Return an amount such as 1.299,00 €."""
    whole, _, cents = amount.partition(".")
    return f"{int(whole):,}".replace(",", ".") + f",{cents}\u00a0€"


def page(items, total=3):
    """Return a page of items."""
    cursors = {"before": "QVFI", "after": "QVFJ"}
    return {"data": items, "paging": {"cursors": cursors}, "summary": {"total_count": total}}


def elements(product, prefix):
    """Return the fields of a product as elements; several pictures as one element each."""
    parts = []
    for name, value in product.items():
        values = value.split("|") if name == "additional_image_link" else [value]
        parts += [f"<{prefix}{name}>{escape(text)}</{prefix}{name}>" for text in values]
    return "".join(parts)


def table(rows, delimiter, names=NAMES):
    """Return rows as delimited text."""
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows([[row.get(name, "") for name in names] for row in rows])
    return out.getvalue()


EVERY = {
    made.__name__: made
    for made in (
        *(meta_csv, meta_tsv, meta_xlsx, meta_flattened, meta_nested, rss, atom, plain_xml, yml),
        *(google_tsv, google_csv, graph, graph_lines),
    )
}
