"""Good exports, mutilated: the same rows or an issue, never another's exception, never a wrong id, price or phone."""

import csv
import tempfile
from decimal import Decimal
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.exports.files import META, SHOPIFY, codes, order, product, text
from wa_products.errors import DataError
from wa_products.exports import read_catalog, read_orders

WORDS = st.text(st.characters(codec="cp1252", exclude_categories=("Cc", "Cf")), min_size=1, max_size=20).filter(
    lambda word: word.strip() == word and not word.startswith("#")
)
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252"])
DELIMITERS = st.sampled_from([",", ";", "\t", "|", "~"])


@st.composite
def catalogs(draw):
    """Return the rows of a good catalog with unruly titles."""
    count = draw(st.integers(1, 6))
    return [product(n, title=draw(WORDS), description=draw(WORDS)) for n in range(1, count + 1)]


@st.composite
def histories(draw):
    """Return the rows of a good orders export, some orders without a phone."""
    rows = []
    for n in range(draw(st.integers(1, 5))):
        phone = f"+4477009001{n:02}" if draw(st.booleans()) else ""
        rows += order(f"#{n}", phone, lines=draw(st.integers(1, 3)), Tags=draw(WORDS), Id=str(5500 + n))
    return rows


@st.composite
def mutilated(draw, rows, names):
    """Return rows as bytes: columns shuffled, delimiter, quoting, encoding and line ends changed, the end cut off."""
    content = text(
        rows,
        draw(st.permutations(names)),
        delimiter=draw(DELIMITERS),
        quoting=draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
        end=draw(st.sampled_from(["\n", "\r\n"])),
    )
    whole = draw(st.booleans())
    cut = content if whole else content[: draw(st.integers(0, len(content)))]
    return cut.encode(draw(ENCODINGS)), whole


def read(reader, content, *arguments):
    """Return what `reader` makes of `content`, or None where it refuses the file in one sentence."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "export"
        path.write_bytes(content)
        try:
            return reader(path, *arguments)
        except DataError as error:
            said = str(error)
    assert "\n" not in said
    return None


@settings(max_examples=60)
@given(st.data())
def test_a_mutilated_catalog_tells_the_truth(data):
    """Whatever is done to a catalog file, an id keeps its own price, and lost rows are known."""
    rows = data.draw(catalogs())
    content, whole = data.draw(mutilated(rows, META))
    found = read(read_catalog, content)
    if found is None:
        assert not whole
        return
    catalog, issues = found
    true = {row["id"]: Decimal(row["price"].split()[0]) for row in rows}
    flagged = set(issues["row"])
    for row in catalog.to_dict("records"):
        if row["source_row"] not in flagged:
            assert row["price"] == true[row["product_retailer_id"]]
    if whole:
        assert list(catalog["product_retailer_id"]) == list(true)
        assert list(catalog["price"]) == list(true.values())
        assert "encoding_guessed" in codes(issues) or list(catalog["title"]) == [row["title"] for row in rows]


@settings(max_examples=60)
@given(st.data())
def test_a_mutilated_history_tells_the_truth(data):
    """Whatever is done to an orders file, no order has another's phone or price, and lost rows are known."""
    rows = data.draw(histories())
    content, whole = data.draw(mutilated(rows, SHOPIFY))
    found = read(read_orders, content, "GB")
    if found is None:
        assert not whole
        return
    orders, issues = found
    heads = [row for row in rows if "Id" in row]
    phone = {row["Id"]: row["Phone"] for row in heads} | {row["Name"]: row["Phone"] for row in heads}
    flagged = set(issues["row"])
    clean = orders[~orders["source_row"].isin(flagged)]
    for order_id, number, price in zip(clean["order_id"], clean["phone"], clean["unit_price"], strict=True):
        assert number == phone[order_id]
        assert price == Decimal("1.50")
    if whole:
        assert len(orders) == len(rows)
        assert list(orders["phone"]) == [phone[order_id] for order_id in orders["order_id"]]
    else:
        assert set(orders["phone"]) <= {*phone.values(), ""} | set(
            orders.loc[orders["source_row"].isin(flagged), "phone"]
        )


@settings(max_examples=60)
@given(st.binary(max_size=400))
def test_no_bytes_raise_anything_but_our_own(content):
    """Any bytes at all are read, or refused in one sentence."""
    read(read_catalog, content)
    read(read_orders, content)


@settings(max_examples=60)
@given(st.data())
def test_noise_in_a_catalog_raises_nothing_of_others(data):
    """A catalog with characters put in and taken out is read or refused, never a traceback."""
    content = list(text(data.draw(catalogs()), META))
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.sampled_from(['"', ",", "\n", "\r", "\0", ";", "", "\ufeff", "1", "'"]))
    read(read_catalog, "".join(content).encode())
