"""Meta Commerce Manager catalogs as shops have them."""

from decimal import Decimal

import pandas as pd
import pytest

from tests.exports.files import META, codes, product, text
from wa_products import frames
from wa_products.errors import DataError
from wa_products.exports import read_catalog


@pytest.fixture
def read(tmp_path):
    """Return a function that writes a catalog and reads it back."""

    def read(content, names=META, **options):
        path = tmp_path / "orders.csv"
        if isinstance(content, list):
            content = text(content, names)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_catalog(path, **options)

    return read


ROWS = [product(1), product(2, id="0012"), product(3, title='15" "wide" tray; new', description="two\nlines")]
PLAIN = text(ROWS, META)
HELP = text([dict.fromkeys(META, "# Obligatorio | Un código")], META, header=False)


def same_ids(catalog):
    """Return whether the catalog holds the ids and prices of `ROWS`, to the character."""
    return list(zip(catalog["product_retailer_id"], catalog["price"], strict=True)) == [
        ("SKU-001", Decimal("1.50")),
        ("0012", Decimal("2.50")),
        ("SKU-003", Decimal("3.50")),
    ]


SHAPES = {
    "as it is": PLAIN.encode(),
    "byte-order mark and help row": ("\ufeff" + HELP + PLAIN).encode(),
    "junk before the mark": ("\n\t\ufeff" + PLAIN).encode(),
    "title rows": ("Products of my shop\n\nas of today\n" + PLAIN).encode(),
    "sep line": ("sep=;\n" + text(ROWS, META, delimiter=";")).encode(),
    "semicolons": text(ROWS, META, delimiter=";").encode(),
    "tabs": text(ROWS, META, delimiter="\t").encode(),
    "bars": text(ROWS, META, delimiter="|").encode(),
    "tildes": text(ROWS, META, delimiter="~").encode(),
    "UTF-16 with a mark": PLAIN.encode("utf-16"),
    "UTF-16 LE without": PLAIN.encode("utf-16-le"),
    "UTF-16 BE without": PLAIN.encode("utf-16-be"),
    "UTF-32 with a mark": PLAIN.encode("utf-32"),
    "CRLF": text(ROWS, META, end="\r\n").encode(),
    "CR alone": text(ROWS, META, end="\r", quoting=1).encode(),
    "all quoted": text(ROWS, META, quoting=1).encode(),
    "unnamed trailing columns": text(ROWS, [*META, "", "", ""]).encode(),
    "no line end": PLAIN.rstrip("\n").encode(),
    "other column order": text(ROWS, META[::-1]).encode(),
    "header again": (PLAIN + text([], META)).encode(),
}


@pytest.mark.parametrize("content", SHAPES.values(), ids=SHAPES)
def test_every_shape_gives_the_same_rows(read, content):
    """Marks, encodings, delimiters, quotes and rows around the header change neither ids nor prices."""
    catalog, _ = read(content)
    assert same_ids(catalog)
    assert catalog["title"].iloc[2] == '15" "wide" tray; new'
    assert catalog["sendable"].all()


def test_rows_quoted_twice_are_unpacked(read):
    """A file whose every row stands in quotes as one cell reads as if it did not."""
    content = "".join('"' + line.replace('"', '""') + '"\n' for line in text(ROWS[:2], META).splitlines())
    catalog, issues = read(content)
    assert list(catalog["product_retailer_id"]) == ["SKU-001", "0012"]
    assert "rows_quoted_twice" in codes(issues)


def test_gz_and_zip_are_opened(tmp_path):
    """Packed exports read like plain ones, and name their member."""
    import gzip  # noqa: PLC0415  # used here alone
    import zipfile  # noqa: PLC0415  # used here alone

    packed = tmp_path / "catalog.csv.gz"
    packed.write_bytes(gzip.compress(PLAIN.encode()))
    assert same_ids(read_catalog(packed)[0])
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("inner.csv", PLAIN)
    assert same_ids(read_catalog(tmp_path / "a.zip")[0])


@pytest.mark.parametrize("encoding", ["cp1252", "cp1251"])
def test_old_encodings_are_told_apart(read, encoding):
    """Western and Cyrillic one-byte files read right, and the guess is noted."""
    title = {"cp1252": "Café crème à la señora", "cp1251": "Зелёный чай"}[encoding]
    catalog, issues = read(text([product(1, title=title)], META).encode(encoding))
    assert catalog["title"].iloc[0] == title
    assert issues.set_index("code").loc["encoding_guessed", "value"] == encoding


def test_bad_bytes_are_counted(read):
    """Bytes that are no letters are replaced, counted and placed."""
    content = text([product(1, title="Grüner Tee, würzig")], META).encode().replace(b"w\xc3\xbcrzig", b"w\xffrzig")
    _, issues = read(content)
    assert issues.set_index("code").loc["undecodable_bytes", "value"].startswith("1 from byte ")


NOT_TABLES = {
    b"": "is empty",
    b"<!DOCTYPE html><html>": "web page",
    b"%PDF-1.7": "a PDF",
    b"SQLite format 3\0": "a SQLite database",
    text([], META).encode(): "no rows",
    b"a,b\n1,2\n": "no known format",
    b"hello": "not a table",
    b"{}": "no known format",
    b'{"a": 1}\n': "'a'",
}


@pytest.mark.parametrize(("content", "said"), NOT_TABLES.items(), ids=NOT_TABLES.values())
def test_what_is_no_catalog_gives_one_sentence(read, content, said):
    """Each file that is no export is refused by its name and what it is."""
    with pytest.raises(DataError, match=said) as caught:
        read(content)
    assert "orders.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_header_names_the_nearest_format(read):
    """A catalog without prices is told which column it lacks."""
    names = [name for name in META if name != "price"]
    with pytest.raises(DataError, match="nearest is a Meta Commerce Manager catalog, of which it lacks 'price'"):
        read([product(1)], names)


def test_a_file_of_another_kind_names_the_right_reader(read):
    """An orders export given as a catalog is refused with the function that reads it."""
    from tests.exports.files import SHOPIFY, order  # noqa: PLC0415  # used here alone

    with pytest.raises(DataError, match="use read_orders"):
        read(text(order("#1"), SHOPIFY))


def test_a_missing_file_is_named(tmp_path):
    """A path without a file gives the file's name."""
    with pytest.raises(DataError, match=r"no file nowhere\.csv"):
        read_catalog(tmp_path / "nowhere.csv")


def test_an_unclosed_quote_costs_one_row(read):
    """A quote that never closes sets its own row aside, named by line; the rows below are read."""
    lines = text([product(n) for n in range(1, 6)], META).splitlines()
    lines[2] = lines[2].replace('"Tea, no. 2"', '"Tea, no. 2')
    catalog, issues = read("\n".join(lines) + "\n")
    assert list(catalog["product_retailer_id"]) == ["SKU-001", "SKU-003", "SKU-004", "SKU-005"]
    found = issues[issues["code"] == "unclosed_quote"].iloc[0]
    assert (found["line"], found["row"], found["severity"]) == (3, 2, "error")


def test_ragged_rows(read):
    """Too many cells are set aside, a torn row too; blanks that are missing at the end are filled."""
    content = (
        PLAIN.splitlines()[0]
        + "\nA,too,many,in stock,new,1 GBP,,,,x,y\nB,fine,,in stock,new,2.00 GBP\nC,torn here\n"
        + "and on,in stock,new,3 GBP,l,i,b,c\nD,ok,,in stock,new,4.00 GBP,https://l,https://i,b\n"
    )
    catalog, issues = read(content)
    assert list(catalog["product_retailer_id"]) == ["B", "D"]
    assert {"too_many_cells", "short_row", "broken_row"} <= codes(issues)


def test_a_cut_last_row_is_set_aside(read):
    """A file that ends in the middle of a row keeps the rows before it."""
    catalog, issues = read(PLAIN[: PLAIN.index("3.50 GBP") + 2])
    assert list(catalog["product_retailer_id"]) == ["SKU-001", "0012"]
    assert "truncated" in codes(issues)


def test_blank_rows_and_totals_are_no_products(read):
    """Blank rows, rows of delimiters and a total at the foot are not read as products."""
    catalog, issues = read(PLAIN + "\n,,,,,,,,\nTotal,,,,,7.50,,,\n")
    assert len(catalog) == 3
    assert {"blank_rows", "footer"} <= codes(issues)


def test_two_columns_for_one_field_that_disagree_are_refused(read):
    """Nobody but the shop knows which of two price columns is meant."""
    with pytest.raises(DataError, match="two columns"):
        read(text([product(1)], [*META, "price"]).replace("Example,1.50 GBP", "Example,9 GBP"))


def test_two_columns_for_one_field_that_agree_are_one(read):
    """A column that stands twice with the same content is used, with a warning."""
    catalog, issues = read(text([product(1)], [*META, "price"]))
    assert catalog["price"].iloc[0] == Decimal("1.50")
    assert "duplicate_column" in codes(issues)


def test_duplicate_ids_make_every_instance_unusable(read):
    """Meta ignores all items of a duplicated id, so all of them say so."""
    catalog, issues = read([product(1), product(1, title="again"), product(2)])
    assert list(catalog["not_sendable_reason"]) == ["duplicate id", "duplicate id", ""]
    assert list(issues.loc[issues["code"] == "duplicate_id", "row"]) == [1, 2]


REASONS = {
    "price missing": {"price": ""},
    "price missing ": {"price": "0.00 GBP"},
    "price missing  ": {"price": "10 - 20 GBP"},
    "out of stock": {"availability": "Out_Of_Stock"},
    "availability unknown": {"availability": "perhaps"},
    "hidden": {"visibility": "hidden"},
    "archived": {"status": "archived"},
    "draft": {"status": "draft"},
    "review not approved": {"whatsapp_review_status": "REJECTED"},
    "title missing": {"title": " "},
    "unusable id": {"id": "8.80609E+12"},
    "unusable id ": {"id": "x" * 101},
    "unusable id  ": {"id": "a\u200bb"},
    "currency differs": {"price": "9 USD"},
}


@pytest.mark.parametrize(("reason", "change"), REASONS.items(), ids=REASONS)
def test_what_cannot_be_sent_says_why(read, reason, change):
    """Each defect of a product has its own reason, and the product stays in the frame."""
    names = [*META, "visibility", "status", "whatsapp_review_status"]
    good = {"visibility": "published", "status": "active", "whatsapp_review_status": "NO_REVIEW"}
    catalog, _ = read([product(n, **good) for n in (1, 2, 3)] + [product(9, **good) | change], names)
    assert list(catalog["not_sendable_reason"]) == ["", "", "", reason.strip()]
    assert list(catalog["sendable"]) == [True, True, True, False]


def test_india_asks_for_origin(read):
    """A catalog in rupees needs origin and importer, or the exemption."""
    names = [*META, "origin_country", "importer_name", "wa_compliance_category"]
    price = {"price": "90 INR"}
    rows = [
        product(1, **price),
        product(2, **price, origin_country="IN"),
        product(3, **price, origin_country="CN"),
        product(4, **price, origin_country="CN", importer_name="Example Ltd"),
        product(5, **price, wa_compliance_category="COUNTRY_ORIGIN_EXEMPT"),
    ]
    catalog, _ = read(rows, names)
    assert list(catalog["sendable"]) == [False, True, False, True, True]


WINDOWS = {
    "": True,
    "2026-11-01T00:00+00:00/2026-11-30T23:59+00:00": True,
    "2026-11-01T00:00+00:00/2026-11-10T23:59+00:00": False,
    "2026-12-01T00:00+00:00/2026-12-10T23:59+00:00": False,
    "2026-11-01T0:00-23:59/2026-11-20T0:00-23:59": True,
    "2026-11-20T11:07+0100/2026-11-20T23:59+0100": True,
    "2026-11-20/2026-11-20": True,
    "soon": False,
    "2026-11-30T00:00+00:00/2026-11-01T00:00+00:00": False,
}


@pytest.mark.parametrize(("window", "on"), WINDOWS.items(), ids=WINDOWS)
def test_a_sale_price_holds_inside_its_window_alone(read, window, on):
    """Outside its window, or with one that cannot be read, a sale price is not used; without one it holds."""
    rows = [product(2, sale_price="2.00 GBP", sale_price_effective_date=window)]
    at = pd.Timestamp("2026-11-20T12:00Z")
    catalog, _ = read(rows, [*META, "sale_price", "sale_price_effective_date"], as_of=at)
    assert catalog["price"].iloc[0] == Decimal("2.50")
    assert catalog["sale_price"].iloc[0] == (Decimal("2.00") if on else None)


def test_a_sale_price_above_the_price_is_not_used(read):
    """A sale that costs more, or another currency, is reported and left out."""
    rows = [product(1, sale_price="9 GBP"), product(2, sale_price="1 USD")]
    catalog, issues = read(rows, [*META, "sale_price"])
    assert list(catalog["sale_price"]) == [None, None]
    assert list(issues.loc[issues["code"] == "sale_price_unusable", "row"]) == [1, 2]


def test_rows_without_an_id_are_set_aside(read):
    """A product without an id is not in the frame, and its row and line are named."""
    catalog, issues = read([product(1), product(2, id="  "), product(3, description="a\nb"), product(4, id="")])
    assert len(catalog) == 2
    found = issues[issues["code"] == "id_missing"]
    assert list(zip(found["row"], found["line"], strict=True)) == [(2, 3), (4, 6)]


def test_unknown_columns_pass_through_as_text(read):
    """What this package does not know stays, to the character."""
    catalog, _ = read(
        [product(1, custom_label_9="007", **{"video[0].url": "NA"})], [*META, "custom_label_9", "video[0].url"]
    )
    assert (catalog["custom_label_9"].iloc[0], catalog["video[0].url"].iloc[0]) == ("007", "NA")


def test_the_frame_is_canonical(read):
    """Every column has the kind that the contract names, and no text is missing."""
    catalog, issues = read([product(1), product(2, price="")])
    for name, kind in frames.CATALOG.items():
        assert catalog[name].dtype == frames.DTYPES[kind], name
    assert list(issues.columns) == list(frames.ISSUES)


def test_stock_of_none_is_out_of_stock(read):
    """In stock with nothing left is read as out of stock, with a warning."""
    catalog, issues = read([product(1, inventory="0"), product(2, inventory="7")], [*META, "inventory"])
    assert list(catalog["availability"]) == ["out of stock", "in stock"]
    assert "inventory_zero" in codes(issues)
