"""What was set aside goes back to the shop as it came, with what is wrong beside it."""

import csv
import gzip
import json
import stat

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.exports.files import META, SHOPIFY, order, product, text
from tests.exports.test_load import HELLO, body
from tests.workbooks import workbook
from wa_products.exports import load, read_catalog, read_inbound, read_orders, write_rejected

BAD = product(2, id="", title='15" tray; "wide", new', description=" two\nlines ", brand="0017", price="1,50 GBP")
ROWS = [product(1), BAD, product(3), product(4, price="8.80609E+12")]


def cells(path):
    """Return the rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def wanted(*rows, names=META):
    """Return rows as cells in the order of `names`."""
    return [[row.get(name, "") for name in names] for row in rows]


SHAPES = {
    "comma": lambda rows: text(rows, META).encode(),
    "tab": lambda rows: text(rows, META, delimiter="\t").encode("utf-16"),
    "semicolon and CRLF": lambda rows: text(rows, META, delimiter=";", end="\r\n", quoting=1).encode("utf-8-sig"),
    "help above": lambda rows: (text([dict.fromkeys(META, "# x | y")], META, header=False) + text(rows, META)).encode(),
    "packed": lambda rows: gzip.compress(text(rows, META).encode()),
    "workbook": lambda rows: workbook({"Products": [["Shop"], [], list(META), *wanted(*rows)]}),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_rejected_rows_come_back_to_the_character(tmp_path, shape):
    """Whatever the file was, each row that was set aside or has an error comes back in the file's own columns."""
    path = tmp_path / "export.dat"
    path.write_bytes(shape(ROWS))
    _, issues = read_catalog(path)
    [written] = write_rejected(path, issues)
    header, *rows = cells(written)
    assert written == tmp_path / "rejected.csv"
    assert header == [*META, "errors"]
    assert [row[:-1] for row in rows] == wanted(ROWS[1], ROWS[3])
    assert "id missing in id: a product without an id" in rows[0][-1]
    assert "price scientific in price" in rows[1][-1]


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_what_two_files_tell_differently_comes_back_from_both(tmp_path, shape):
    """An item that two files tell differently is named with its line in each of them, and both rows come back."""
    for name, rows in (("a.dat", ROWS[:1]), ("b.dat", [product(7), product(1, price="9.99 GBP")])):
        (tmp_path / name).write_bytes(shape(rows))
    issues = load(tmp_path, as_of="2026-11-20T09:00Z").issues
    told = issues[issues["code"] == "duplicate_id"]
    assert list(zip(told["file"].str.partition("/")[0], told["row"], strict=True)) == [("a.dat", 1), ("b.dat", 2)]
    assert (told["line"] > told["row"]).all()
    back = [cells(path)[1:] for path in write_rejected(tmp_path, issues)]
    assert [row[:-1] for [row] in back] == wanted(product(1), product(1, price="9.99 GBP"))


def test_only_their_owner_reads_them(tmp_path):
    """The file holds customers' data, so nobody else may open it."""
    path = tmp_path / "export.csv"
    path.write_text(text(ROWS, META))
    (tmp_path / "rejected.csv").write_text("older")
    [written] = write_rejected(path, read_catalog(path)[1])
    assert stat.S_IMODE(written.stat().st_mode) == 0o600


def test_a_row_too_wide_comes_back_whole(tmp_path):
    """Cells beyond the header stand in columns without a name, before the errors."""
    path = tmp_path / "export.csv"
    path.write_text(text(ROWS[:1], META) + "A,b,c,in stock,new,1 GBP,,,,x,y\n")
    [written] = write_rejected(path, read_catalog(path)[1])
    header, row = cells(written)
    assert header == [*META, "", "", "errors"]
    assert row[:-1] == ["A", "b", "c", "in stock", "new", "1 GBP", "", "", "", "x", "y"]


def test_nothing_wrong_writes_nothing(tmp_path):
    """Without a rejected row there is no file."""
    path = tmp_path / "export.csv"
    path.write_text(text([product(1)], META))
    assert write_rejected(path, read_catalog(path)[1]) == []
    assert [one.name for one in tmp_path.iterdir()] == ["export.csv"]


def test_a_folder_gives_a_file_for_each_export(tmp_path):
    """Each export's rows keep its own columns; the next load passes over these files."""
    (tmp_path / "products.csv").write_text(text(ROWS, META))
    late = order("#1", "+447700900101", **{"Created at": "soon"})
    (tmp_path / "orders.csv").write_text(text([*late, *order("#2", "+447700900102")], SHOPIFY))
    (tmp_path / "log").write_text(json.dumps(body(HELLO)) + "\nbroken, {here\n")
    data = load(tmp_path)
    written = write_rejected(tmp_path, data.issues)
    assert sorted(path.name for path in written) == [
        *("rejected-log.csv", "rejected-orders.csv", "rejected-products.csv")
    ]
    assert cells(tmp_path / "rejected-orders.csv")[1][:-1] == wanted(*late, names=SHOPIFY)[0]
    assert cells(tmp_path / "rejected-log.csv")[1] == ["broken, {here", "not json: each line of a log is one JSON body"]
    again = load(tmp_path)
    pd.testing.assert_frame_equal(again.orders, data.orders)
    pd.testing.assert_frame_equal(again.issues, data.issues)


def test_an_export_called_rejected_is_still_read(tmp_path):
    """A shop's file of that name, without the column of errors, is an export as any."""
    (tmp_path / "rejected.csv").write_text(text([product(1)], META))
    assert len(load(tmp_path).catalog) == 1


def test_mended_rows_load_and_are_rejected_again_where_they_must(tmp_path):
    """What comes back mended reads like the export; a second rejection has one column of errors."""
    path = tmp_path / "export.csv"
    path.write_text(text(ROWS, META))
    [written] = write_rejected(path, read_catalog(path)[1])
    mended = tmp_path / "mended.csv"
    mended.write_text(written.read_text().replace("8.80609E+12", "8.80 GBP"))
    catalog, issues = read_catalog(mended)
    assert list(catalog["product_retailer_id"]) == ["SKU-004"]
    [again] = write_rejected(mended, issues, tmp_path / "again.csv")
    assert cells(again)[0] == [*META, "errors"]


def test_sheets_have_files_of_their_own(tmp_path):
    """Two sheets of a workbook are two tables."""
    path = tmp_path / "book.xlsx"
    bad = wanted(BAD)
    path.write_bytes(workbook({"One": [list(META), *bad], "Two": [list(META), *wanted(product(1)), *bad]}))
    _, issues = read_catalog(path)
    assert [one.name for one in write_rejected(path, issues)] == [
        "rejected-book.xlsx-One.csv",
        "rejected-book.xlsx-Two.csv",
    ]


def test_messages_come_back_by_their_line(tmp_path):
    """Of a log, which is no table, the line is given back."""
    path = tmp_path / "log"
    path.write_text(json.dumps(body(HELLO)) + '\n\n{"cut": \n' + json.dumps(body(HELLO, number=2)) + "\n")
    [written] = write_rejected(path, read_inbound(path)[1])
    assert [row[0] for row in cells(written)] == ["line", '{"cut": ']


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff", exclude_categories=("Cs",)), max_size=12)


@given(st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=5), st.sampled_from([",", ";", "\t"]))
def test_any_cell_comes_back(tmp_path_factory, rows, delimiter):
    """Whatever stands in the cells of a row that is set aside, it comes back to the character."""
    path = tmp_path_factory.mktemp("any") / "orders.csv"
    rejected = [{**order("#1", "x")[0], "Tags": a, "Email": b, "Source": c, "Created at": "soon"} for a, b, c in rows]
    good = order("#2", "+447700900101", Tags="quoted, cell")
    path.write_text(text([*rejected, *good], SHOPIFY, delimiter=delimiter, quoting=1), encoding="utf-8", newline="")
    _, issues = read_orders(path, "GB")
    [written] = write_rejected(path, issues)
    assert [row[:-1] for row in cells(written)[1:]] == wanted(*rejected, names=SHOPIFY)
