"""Strict reading, and the sentence that says what was loaded."""

import pytest

from tests.exports.files import META, SHOPIFY, order, product, text
from tests.exports.test_load import HELLO, body
from wa_products import exports
from wa_products.errors import DataError

A = "+447700900101"


@pytest.fixture
def catalog(tmp_path):
    """Return a catalog whose third row has no id and whose fourth has no readable price."""
    path = tmp_path / "catalog.csv"
    rows = [product(1), product(2, description="a\nb"), product(3, id=""), product(4, price="soon")]
    path.write_text(text(rows, META))
    return path


def test_strict_names_the_first_error(catalog):
    """File, record, line, column and value of the first error stand in one sentence, with what to do."""
    with pytest.raises(DataError) as caught:
        exports.read_catalog(catalog, strict=True)
    assert str(caught.value) == (
        "catalog.csv, record 3, line 5, column 'id': id missing: "
        "a product without an id cannot be named in a message (and 1 more errors)"
    )


def test_strict_names_the_value(catalog):
    """What stands in the cell is quoted."""
    catalog.write_text(text([product(4, price="soon")], META))
    with pytest.raises(DataError, match=r"column 'price': price not a number 'soon'"):
        exports.read_catalog(catalog, strict=True)


READ = {
    "orders": (exports.read_orders, text(order("#1", A, **{"Created at": "yesterday"}), SHOPIFY), "'yesterday'"),
    "inbound": (exports.read_inbound, "stopped\n" + str(body(HELLO)).replace("'", '"') + "\n", "not json 'stopped'"),
}


@pytest.mark.parametrize(("read", "content", "said"), READ.values(), ids=READ)
def test_every_reader_can_be_strict(tmp_path, read, content, said):
    """Orders and messages refuse their first error too, and read it without `strict`."""
    path = tmp_path / "export"
    path.write_text(content)
    read(path)
    with pytest.raises(DataError, match=said):
        read(path, strict=True)


def test_a_strict_folder_refuses_any_file(catalog):
    """One error in one file of a folder is enough."""
    assert len(exports.load(catalog.parent).catalog) == 3
    with pytest.raises(DataError, match=r"catalog\.csv, record 3"):
        exports.load(catalog.parent, strict=True)


def test_warnings_are_no_errors(tmp_path):
    """What is only a warning does not stop a strict read."""
    path = tmp_path / "orders.csv"
    path.write_text(text(order("#1", "12345"), SHOPIFY))
    orders, issues = exports.read_orders(path, "GB", strict=True)
    assert (len(orders), set(issues["severity"])) == (1, {"warning"})


def test_no_phone_stands_in_the_error(tmp_path):
    """A row that is set aside whole is shown without the numbers and addresses in it."""
    path = tmp_path / "orders.csv"
    rows = text(order("#1", A, Email="jo@example.com"), SHOPIFY)
    path.write_text(rows.rstrip("\n") + ",x,y\n")
    with pytest.raises(DataError) as caught:
        exports.read_orders(path, "GB", strict=True)
    assert "too many cells" in str(caught.value)
    assert not any(part in str(caught.value) for part in ("7700", "jo@"))


def test_the_sentence_counts_what_was_loaded_and_why_not(catalog):
    """How many rows were read, how many were set aside and why: in one line."""
    _, issues = exports.read_catalog(catalog)
    assert exports.summary(issues) == "3 of 4 rows loaded; 1 set aside: 1 id missing"


def test_the_sentence_of_a_folder_counts_each_file_once(catalog):
    """A log gives messages and orders, and is counted once; so is what was set aside in it."""
    bodies = f"{body(HELLO)}\n{body(HELLO, number=2)}\nstopped\n".replace("'", '"')
    (catalog.parent / "log").write_text(bodies)
    data = exports.load(catalog.parent)
    assert exports.summary(data.issues) == "5 of 7 rows loaded; 2 set aside: 1 id missing, 1 not json"
    assert list(data.issues["code"]).count("not_json") == 1


def test_the_sentence_tells_what_was_merged(tmp_path):
    """An order that one file holds twice is merged, and the sentence says how many rows that took."""
    path = tmp_path / "orders.csv"
    rows = order("#1", A, lines=2, Id="1")
    path.write_text(text([*rows, *order("#2", A), *rows], SHOPIFY))
    _, issues = exports.read_orders(path, "GB")
    assert exports.summary(issues) == "3 of 5 rows loaded; 2 merged"


def test_only_what_a_reader_returned_has_a_sentence(catalog):
    """Issues that do not know their files are refused in words."""
    _, issues = exports.read_catalog(catalog)
    issues.attrs.clear()
    with pytest.raises(DataError, match="do not tell of how many rows"):
        exports.summary(issues)
