"""Bad inputs 1 to 22: what may be wrong with a file as a whole."""

import gzip
import io
import zipfile

from tests.exports import bad_threads
from tests.exports.bad import Bad
from tests.exports.files import META, SHOPIFY, order, product, text
from tests.workbooks import workbook

A = "+447700900101"
IDS = ("SKU-001", "SKU-002", "SKU-003")
ROWS = [product(1), product(2), product(3)]
PLAIN = text(ROWS, META)
NO_ID = text([product(1), product(2, id=""), product(3)], META)
HELP = text([dict.fromkeys(META, "# Required | it")], META, header=False)
HEADER = text([], META)
LATE = {"Created at": "2026-05-01 10:00:00 +0100"}
ASIDE = "row set aside"
LINKS = ("https://shop.example/p/2", "https://shop.example/i/2.png")
LOGIN = "<!DOCTYPE html>\n<html><body>Log in</body></html>"


def sheet(*rows):
    """Return rows of products as the cells of a sheet."""
    return [[row[name] for name in META] for row in rows]


def packed(**members):
    """Return a zip archive of these members."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def wrapped(content):
    """Return a table each of whose rows stands in quotes as one cell."""
    return "".join('"' + line.replace('"', '""') + '"\n' for line in content.splitlines())


def missing(row, line):
    """Return the issue of a product without an id."""
    return ("id_missing", "error", row, line, "id", "", ASIDE)


BROKEN = text([product(1, title="Grüner Tee, würzig")], META).encode().replace(b"w\xc3\xbcrzig", b"w\xffrzig")
TORN = f'SKU-002 | "Tea |  no. 2 | Green | in stock | new | 2.50 GBP | {" | ".join(LINKS)} | '
RSS = '<?xml version="1.0"?>\n<rss xmlns:g="http://base.google.com/ns/1.0"><channel>\n{}</channel></rss>\n'
ITEM = (
    "<item><g:id>{0}</g:id><title>Tea</title><g:price>1.50 GBP</g:price>"
    "<g:availability>in stock</g:availability></item>\n"
)
CASES = {
    "01 an empty file": Bad(content="", refused=r"export\.dat is empty"),
    "01 a header only": Bad(content=HEADER, refused=r"export\.dat has a header but no rows"),
    "02 a login page": Bad(content=LOGIN, refused=r"export\.dat is a web page"),
    "02 a PDF": Bad(content=b"%PDF-1.7 x", refused=r"export\.dat is a PDF"),
    "02 an archive of pictures": Bad(content=packed(a=b"\x89PNG\r\n"), refused=r"export\.dat/a is a picture"),
    "02 an archive of nothing": Bad(content=packed(), refused=r"export\.dat"),
    "02 an old workbook that is none": Bad(content=b"\xd0\xcf\x11\xe0 junk", refused=r"export\.dat is no workbook"),
    "03 an unknown header": Bad(content="a,b\n1,2\n", refused="no known format: .* 'a', 'b'"),
    "03 a catalog without prices": Bad(
        content=text(ROWS, [n for n in META if n != "price"]), refused="nearest is a Meta .* it lacks 'price'"
    ),
    "04 help above the header": Bad(
        content="\ufeff" + HELP + NO_ID,
        kept=("SKU-001", "SKU-003"),
        issues=(("rows_above_header", "info", 0, 0, "", "1", "skipped"), missing(2, 4)),
    ),
    "05 titles above the header in Excel": Bad(
        content=workbook({"Products": [["My shop"], [], list(META), *sheet(product(1), product(2, id=""))]}),
        kept=("SKU-001",),
        issues=(("rows_above_header", "info", 0, 0, "", "2", "skipped"), missing(2, 5)),
    ),
    **{
        f"06 {name}": Bad(content=content, kept=("SKU-001", "SKU-003"), issues=(missing(2, line),))
        for name, content, line in (
            ("a mark of UTF-8", NO_ID.encode("utf-8-sig"), 3),
            ("UTF-16 with a mark", NO_ID.encode("utf-16"), 3),
            ("UTF-16 without one", NO_ID.encode("utf-16-be"), 3),
            ("UTF-32 with a mark", NO_ID.encode("utf-32"), 3),
            ("junk before the mark", ("\n\t\ufeff" + NO_ID).encode(), 4),
        )
    },
    **{
        f"07 {encoding}": Bad(
            content=text([product(1, title=title)], META).encode(encoding),
            kept=IDS[:1],
            issues=(("encoding_guessed", "warning", 0, 0, "", encoding, f"read as {encoding}"),),
        )
        for encoding, title in (("cp1252", "Café crème à la señora"), ("cp1251", "Зелёный чай"))
    },
    "08 bytes that are no letters": Bad(
        content=BROKEN,
        kept=IDS[:1],
        issues=(("undecodable_bytes", "error", 0, 0, "", f"1 from byte {BROKEN.index(0xFF)}", "read as \ufffd"),),
    ),
    "09 sep= in the first line": Bad(
        content="sep=;\n" + text([product(1), product(2, id="")], META, delimiter=";"),
        kept=IDS[:1],
        issues=(("rows_above_header", "info", 0, 0, "", "1", "skipped"), missing(2, 4)),
    ),
    **{
        f"09 separated by {sign!r}": Bad(
            content=text([product(1), product(2, id="")], META, delimiter=sign), kept=IDS[:1], issues=(missing(2, 3),)
        )
        for sign in ";\t|~"
    },
    "10 whole rows quoted twice": Bad(
        content=wrapped(text([product(1), product(2, id="")], META)),
        kept=IDS[:1],
        issues=(("rows_quoted_twice", "warning", 0, 0, "", "", "unpacked"), missing(2, 3)),
    ),
    "11 NUL bytes": Bad(
        content=PLAIN.replace("SKU-002", "SKU\0-002"),
        kept=IDS,
        issues=(("nul_bytes", "warning", 0, 0, "", "1", "left out"),),
    ),
    "12 a quote that never closes": Bad(
        content=PLAIN.replace('"Tea, no. 2"', '"Tea, no. 2'),
        kept=("SKU-001", "SKU-003"),
        issues=(
            (
                *("unclosed_quote", "error", 2, 3, ""),
                TORN,
                ASIDE,
            ),
        ),
    ),
    "13 a row cut off at the end": Bad(
        content=PLAIN[: PLAIN.index("3.50 GBP") + 2],
        kept=IDS[:2],
        issues=(("truncated", "error", 3, 4, "", "SKU-003 | Tea, no. 3 | Green | in stock | new | 3.", ASIDE),),
    ),
    "14 the header again in the middle": Bad(
        content=text(ROWS[:2], META) + text([product(3), product(4, id="")], META),
        kept=IDS,
        issues=(("repeated_header", "info", 3, 4, "", "", ASIDE), missing(5, 6)),
    ),
    "15 overlapping exports": Bad(
        kind="orders",
        content={
            "a.csv": text([*order("#1", A, Id="1"), *order("#2", A, Id="2")], SHOPIFY),
            "b.csv": text([*order("#2", A, Id="2"), *order("#3", A, Id="3")], SHOPIFY),
        },
        kept=("1", "2", "3"),
        issues=(("order_repeated", "info", 2, 3, "order_id", "2", "row merged"),),
    ),
    "15 the same file twice": Bad(
        kind="orders",
        content={name: text(order("#1", A, Id="1"), SHOPIFY) for name in ("a.csv", "a (1).csv")},
        kept=("1",),
        issues=(("order_repeated", "info", 1, 2, "order_id", "1", "row merged"),),
    ),
    "15 overlapping catalogs": Bad(
        content={"a.csv": text(ROWS[:2], META), "b.csv": text(ROWS[1:], META)},
        kept=IDS,
        issues=(("item_repeated", "info", 1, 2, "product_retailer_id", "SKU-002", "row merged"),),
    ),
    "15 overlapping logs": Bad(
        kind="inbound",
        content={name: bad_threads.log(bad_threads.GOOD) for name in ("a.jsonl", "b.jsonl")},
        kept=("wamid.9",),
        issues=(("message_repeated", "info", 0, 0, "", "1 messages", "merged"),),
    ),
    "16 a name that stands twice": Bad(
        content=text(ROWS, [*META, "brand"]),
        kept=IDS,
        issues=(("duplicate_column", "warning", 0, 0, "brand", "", "numbered"),),
    ),
    "16 names that are blank": Bad(
        content=text([product(1), product(2, id="")], [*META, "", ""]), kept=IDS[:1], issues=(missing(2, 3),)
    ),
    "17 two columns for one field": Bad(
        content=text([product(1)], [*META, "price"]).replace("Example,1.50", "Example,9"), refused="two columns"
    ),
    "18 XML that is not well-formed": Bad(
        content=RSS.format(ITEM.format("1") + "<item><g:id>2</g:id><title>A & B</title></item>\n" + ITEM.format("3")),
        kept=("1", "3"),
        issues=(
            (
                *("not_well_formed", "error", 2, 4, "title"),
                "line 4, column 31: not well-formed (invalid token)",
                ASIDE,
            ),
        ),
    ),
    "18 a document type with an entity": Bad(
        content=RSS.format(ITEM.format("&a;")).replace("<rss", '<!DOCTYPE rss [<!ENTITY a "1">]>\n<rss'),
        refused="DOCTYPE .* refused",
    ),
    "19 gz": Bad(content=gzip.compress(NO_ID.encode()), kept=("SKU-001", "SKU-003"), issues=(missing(2, 3),)),
    "19 zip": Bad(content=packed(inner=NO_ID), kept=("SKU-001", "SKU-003"), issues=(missing(2, 3),)),
    "20 a workbook with a password": Bad(
        content=b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"), refused="has a password"
    ),
    "20 several sheets": Bad(
        content=workbook({"Notes": [["Read me"]], "Products": [list(META), *sheet(product(1), product(2, id=""))]}),
        kept=IDS[:1],
        issues=(("sheets_not_read", "info", 0, 0, "", "Notes", "not read"), missing(2, 3)),
    ),
    "21 two decimal signs in one column": Bad(
        content=text([product(1, price="1,50 GBP"), product(2, price="2.50 GBP"), product(3, price="1.234 GBP")], META),
        kept=IDS,
        issues=(
            ("mixed_decimal_signs", "warning", 0, 0, "price", "", "read cell by cell"),
            ("price_ambiguous", "error", 3, 4, "price", "1.234 GBP", "row kept, cannot be sent"),
        ),
    ),
    "22 orders given as a catalog": Bad(
        content=text(order("#1", A), SHOPIFY), refused="gives no catalog: use read_orders"
    ),
    "22 a catalog given as orders": Bad(kind="orders", content=PLAIN, refused="gives no orders: use read_catalog"),
    "22 a catalog given as messages": Bad(kind="inbound", content=PLAIN, refused="gives no inbound: use read_catalog"),
}
