"""Amounts as people write them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wa_products.exports.money import read_amounts

PLAIN = {
    "9.99 USD": ("9.99", "USD"),
    "299 MXN": ("299", "MXN"),
    "49,00 TND": ("49.00", "TND"),
    "27.08 OMR": ("27.08", "OMR"),
    "12.345 KWD": ("12.345", "KWD"),
    "1,000.000 KWD": ("1000.000", "KWD"),
    "CHF 1\u2019234.50": ("1234.50", "CHF"),
    "R$ 1.299,90": ("1299.90", "BRL"),
    "\u20b91,00,000.50": ("100000.50", "INR"),
    "1\u00a0234,50 \u20ac": ("1234.50", "EUR"),
    "\u0662\u0667\u066b\u0665 OMR": ("27.5", "OMR"),
    "1.234 CLP": ("1234", "CLP"),
    "-5.00 USD": ("-5.00", "USD"),
    "(45.00) USD": ("-45.00", "USD"),
    "0.125 USD": ("0.125", "USD"),
    "1234.567 USD": ("1234.567", "USD"),
}


@pytest.mark.parametrize(("written", "meant"), PLAIN.items(), ids=PLAIN)
def test_plain_amounts(written, meant):
    """An amount that leaves no doubt is read to the digit, with its currency."""
    read = read_amounts([written])
    assert (str(read.amounts[0]), read.currencies[0]) == meant
    assert read.faults == [""]


REFUSED = {
    "1.234 USD": "price_ambiguous",
    "1,234 EUR": "price_ambiguous",
    "1,000 KWD": "price_ambiguous",
    "5.51E+3 USD": "price_scientific",
    "$10 - $20": "price_range",
    "10 to 20 USD": "price_range",
    "free": "price_not_a_number",
    "1.2.3 USD": "price_not_a_number",
    "2280.00 RUR": "currency_dead",
    "9 XYZ": "currency_unknown",
    "$9": "currency_shared",
    "9": "currency_missing",
}


@pytest.mark.parametrize(("written", "fault"), REFUSED.items(), ids=REFUSED)
def test_doubtful_amounts_are_never_guessed(written, fault):
    """What could mean two things, or nothing, has no amount and says what is wrong."""
    read = read_amounts([written])
    assert (read.amounts, read.faults) == ([None], [fault])


def test_the_column_decides_the_decimal_sign():
    """One cell without doubt settles the doubtful ones of its column."""
    assert read_amounts(["1.234", "9,50"], "EUR").amounts == [Decimal(1234), Decimal("9.50")]
    assert read_amounts(["1.234", "9.50"], "EUR").amounts == [Decimal("1.234"), Decimal("9.50")]


def test_a_column_with_both_signs_settles_nothing():
    """Where plain cells contradict each other they are read, and the doubtful ones are not."""
    read = read_amounts(["9,50 EUR", "9.50 EUR", "1.234 EUR"])
    assert (read.sign, read.amounts) == ("both", [Decimal("9.50"), Decimal("9.50"), None])


def test_a_shared_symbol_is_the_shops_own():
    """A dollar is the shop's dollar, whichever that is."""
    assert read_amounts(["$9.50"], "MXN").currencies == ["MXN"]
    assert read_amounts(["$9.50"], "EUR").faults == ["currency_shared"]


AMOUNTS = st.decimals(0, 10**7, places=2, allow_nan=False, allow_infinity=False)


@given(st.lists(AMOUNTS, min_size=1, max_size=8), st.sampled_from([(",", "."), (".", ","), (" ", ","), ("'", ".")]))
def test_amounts_with_two_decimals_always_come_back(amounts, signs):
    """Whatever marks the thousands and the decimals, amounts with two decimals are read exactly."""
    thousands, decimal = signs
    written = [f"{amount:,.2f}".replace(",", "t").replace(".", decimal).replace("t", thousands) for amount in amounts]
    assert read_amounts([f"{text} EUR" for text in written]).amounts == amounts


@given(st.lists(st.text("0123456789.,-' $\u20acEUR()eE", max_size=10), max_size=5))
def test_nothing_raises_and_a_fault_has_no_amount(values):
    """Any text is an amount or a fault, never both and never an exception."""
    read = read_amounts(values, "EUR")
    assert all(amount is None or not fault for amount, fault in zip(read.amounts, read.faults, strict=True))
