"""Product exports of shops, mutilated: the same products come out, or an issue, never another error than ours."""

import contextlib
import csv
import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import test_exports_platforms as platforms
from tests import test_exports_shops as shopify
from tests import test_exports_woo_products as woocommerce
from tests.shop_files import NOON
from wa_products.errors import DataError
from wa_products.exports.contract import Options
from wa_products.exports.readers import read_file

GERMAN = dict(zip(woocommerce.FIELDS, woocommerce.HEADERS["de"], strict=True))
SHOPS = {
    "Shopify": (shopify.SHOPIFY, shopify.ROWS),
    "WooCommerce": (list(GERMAN.values()), [{GERMAN[f]: v for f, v in row.items()} for row in woocommerce.ROWS]),
    "Wix": (platforms.WIX, [platforms.LAMP, platforms.RED, platforms.BLUE, platforms.BULB]),
    "Magento": (platforms.MAGENTO, [platforms.SHIRT, platforms.SHIRT_RED, platforms.SHIRT_BLUE, platforms.GERMAN]),
}
JUNK = st.sampled_from(["", "0", "-1", "NA", "8.8E+12", "'=1", "\\", "id:", "id:99", "|sku=", "1.234", "::", "\n", "é"])


def written(header, rows, delimiter, end="\r\n"):
    """Return the text of a table."""
    text = io.StringIO()
    writer = csv.DictWriter(text, header, delimiter=delimiter, restval="", extrasaction="ignore", lineterminator=end)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def read(content):
    """Return the catalog that these bytes give, after checking that no row went missing and none can be sent."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "export.csv"
        path.write_bytes(content)
        [part] = read_file(path, Options(as_of=NOON, currency="EUR", timezone="UTC"), "catalog")
    found = part.found
    assert found.rows_in == found.kept + found.set_aside + found.merged
    assert found.kept == len(part.frame)
    assert not part.frame["sendable"].any()
    assert (part.frame["not_sendable_reason"] != "").all()
    return part.frame


@pytest.mark.parametrize("shop", SHOPS)
@given(data=st.data())
@settings(max_examples=12, deadline=None)
def test_another_wrapping_gives_the_same_products(shop, data):
    """Columns in another order, another delimiter, encoding or line end: ids, prices and reasons are the same."""
    header, rows = SHOPS[shop]
    columns = data.draw(st.permutations(header))
    delimiter, end = data.draw(st.sampled_from(",;\t|~")), data.draw(st.sampled_from(["\n", "\r\n"]))
    encoding = data.draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]))
    here = read(written(columns, rows, delimiter, end).encode(encoding))
    there = read(written(header, rows, ",").encode())
    same = ["product_retailer_id", "title", "price", "sale_price", "availability", "sku", "options"]
    assert here[[*same, "not_sendable_reason"]].equals(there[[*same, "not_sendable_reason"]])


@pytest.mark.parametrize("shop", SHOPS)
@given(data=st.data())
@settings(max_examples=12, deadline=None)
def test_mutilated_files_lose_nothing_silently(shop, data):
    """Cells of junk, rows and columns gone or moved, a cut end: each row is accounted for, or the file is refused."""
    header, rows = SHOPS[shop]
    columns = [name for name in header if data.draw(st.integers(0, 9))]
    broken = [dict(row) for row in data.draw(st.permutations(rows))]
    for row in broken:
        row.update(data.draw(st.dictionaries(st.sampled_from(header), JUNK, max_size=3)))
    text = written(columns, broken[: data.draw(st.integers(0, len(broken)))], data.draw(st.sampled_from(",;\t|")))
    cut = data.draw(st.none() | st.integers(0, len(text)))
    with contextlib.suppress(DataError):
        read(text[:cut].encode())
