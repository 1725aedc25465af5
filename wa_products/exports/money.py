"""
Amounts as people write them to `decimal.Decimal`: never through a float, never by a guess.

Whether ``1.234`` is one or one thousand is decided once a column, from the cells that leave no doubt. A cell that
the column does not settle is reported as ambiguous and has no amount.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, NamedTuple

from wa_products.exports.currencies import CODES, SYMBOLS, exponent_of, named_currency

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Sign = Literal[".", ",", "both", ""]

MONEY_HINTS = {
    "price_ambiguous": "write it with two decimals, so that the decimal sign is plain",
    "price_range": "give one price; variants belong in rows of their own",
    "price_scientific": "a spreadsheet rewrote this number: format the column as text and export again",
    "price_negative": "a price is above zero",
    "price_zero": "a price is above zero",
    "price_not_a_number": "give an amount and a currency, such as 9.99 USD",
    "currency_missing": "give the shop's currency: read_catalog(path, currency='USD'), or currency in shop.toml",
    "currency_dead": "this currency was replaced: give the amount in the one that is in use now",
    "currency_shared": "several currencies share this symbol: give the shop's currency",
    "currency_unknown": "use an ISO 4217 code such as USD",
    "currency_mismatch": "the price names another currency than its own column does",
}
_INVISIBLE = dict.fromkeys(
    map(ord, "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff\u061c")
)
_SPACES = dict.fromkeys(map(ord, "\u00a0\u2007\u2009\u202f"), " ")
_ALIKE = str.maketrans(
    {"\u066b": ".", "\u066c": "'", "\u060c": ",", "\u2019": "'", "\u2018": "'", "`": "'"}
    | dict.fromkeys("\u2212\u2013\u2014", "-")
)
_SHAPE = re.compile(
    r"(?P<left>[^\d(+-]*?)\s*(?P<sign>[-+(]?)\s*(?P<left2>[^\d.,'+-]*?)\s*(?P<number>[.,]?\d[\d.,' ]*)(?P<right>.*)"
)
_RANGE = re.compile(r"\d\s*[^\d\s.,']{0,4}\s*(-|\bto\b|\.\.)\s*[^\d\s-]{0,4}\s*\d")
_SCIENTIFIC = re.compile(r"\d[eE][+-]?\d")
_GROUPED = re.compile(r"\d{1,3}(?:(?P<sign>[.,' ])\d{3})(?:(?P=sign)\d{3})*|\d{1,2}(?:,\d{2})+,\d{3}")
_GROUP = 3


class _Cell(NamedTuple):
    number: str
    token: str
    negative: bool
    fault: str


@dataclass(frozen=True)
class Amounts:
    """For each distinct value: its amount or None, its currency or ``""``, and ``""`` or what is wrong with it."""

    amounts: list[Decimal | None]
    currencies: list[str]
    faults: list[str]
    sign: Sign


def read_amounts(
    values: Sequence[str], default: str = "", *, in_use: Iterable[str] = (), currency: bool = True
) -> Amounts:
    """
    Return the amounts of a column's distinct values.

    `default` is the shop's currency, for values that name none. `in_use` are the currencies of a column beside this
    one, where there is one. `currency` False takes a bare number as it is. A blank value has no amount and no fault.

    >>> read_amounts(["1.234,50 EUR", "2.000 EUR"]).amounts
    [Decimal('1234.50'), Decimal('2000')]
    """
    cells = [_split(value) for value in values]
    named = [named_currency(cell.token, default) for cell in cells]
    sign = evidence(cell.number for cell in cells)
    beside = {exponent_of(code) for code in in_use if code}
    amounts: list[Decimal | None] = []
    faults: list[str] = []
    for cell, (code, wrong) in zip(cells, named, strict=True):
        exponent = min(beside) if beside and not code else exponent_of(code)
        amount, fault = (None, cell.fault) if cell.fault or not cell.number else _amount(cell, sign, exponent)
        if wrong and not fault and cell.number and (currency or cell.token):
            amount, fault = None, wrong
        amounts.append(amount)
        faults.append(fault)
    return Amounts(amounts, [code for code, _ in named], faults, sign)


def evidence(numbers: Iterable[str]) -> Sign:
    """
    Return the decimal sign that the numbers of a column prove; ``"both"`` where they contradict each other.

    >>> evidence(["1.234", "9,50"]), evidence(["1.234"]), evidence(["9.50", "9,50"])
    (',', '', 'both')
    """
    proved = {sign for number in numbers if (sign := _proves(number))}
    return "both" if len(proved) > 1 else next(iter(proved), "")


def _split(value: str) -> _Cell:
    text = _plain(value)
    if not text.isascii():
        text = "".join(str(unicodedata.digit(c)) if c.isdigit() and not c.isascii() else c for c in text)
    if not text:
        return _Cell("", "", negative=False, fault="")
    if _SCIENTIFIC.search(text):
        return _Cell("", "", negative=False, fault="price_scientific")
    if _RANGE.search(text):
        return _Cell("", "", negative=False, fault="price_range")
    shape = _SHAPE.fullmatch(text)
    if not shape:
        return _Cell("", "", negative=False, fault="price_not_a_number")
    right = shape["right"].strip()
    negative = shape["sign"] in {"-", "("} or right.endswith("-")
    sides = [side for side in (shape["left"].strip(), shape["left2"].strip(), right.strip("-)( ")) if side]
    token = sides[0] if sides else ""
    doubtful = any(c.isdigit() for c in right) or len({_code(side) for side in sides}) > 1
    return _Cell(shape["number"].strip(), token, negative, "price_not_a_number" if doubtful else "")


def _code(side: str) -> str:
    return side.upper() if side.upper() in CODES else SYMBOLS.get(side.casefold(), side)


def _plain(value: str) -> str:
    if not value.isascii() or "`" in value:
        value = value.translate(_INVISIBLE).translate(_SPACES).translate(_ALIKE)
    return value.strip().removeprefix("'")


def _proves(number: str) -> Sign:
    """Return the decimal sign of a number that leaves no doubt, else ``""``."""
    dots, commas = number.count("."), number.count(",")
    if dots and commas:
        last: Sign = "." if number.rfind(".") > number.rfind(",") else ","
        return last if number.count(last) == 1 else ""
    if dots + commas != 1:
        many: Sign = "," if dots > 1 else "." if commas > 1 else ""
        return many if many and _GROUPED.fullmatch(number) else ""
    sign: Sign = "." if dots else ","
    whole, _, part = number.partition(sign)
    sure = (
        len(part) != _GROUP
        or not whole
        or whole.startswith("0")
        or len(whole.replace(" ", "").replace("'", "")) > _GROUP
    )
    return sign if sure or " " in whole or "'" in whole else ""


def _amount(cell: _Cell, sign: Sign, exponent: int) -> tuple[Decimal | None, str]:
    own = _proves(cell.number)
    decimal = own or sign
    if decimal == "both" or not decimal:
        decimal = _usual(cell.number, exponent) if decimal != "both" else ""
        if not decimal and re.fullmatch(r"\d{1,3}[.,]\d{3}", cell.number):
            return None, "price_ambiguous"
    whole, _, part = cell.number.partition(decimal) if decimal else (cell.number, "", "")
    if not (whole.isdigit() or not whole or _GROUPED.fullmatch(whole)) or not (part.isdigit() or not part):
        return None, "price_not_a_number"
    digits = re.sub(r"\D", "", whole) or "0"
    amount = Decimal(f"{digits}.{part}" if part else digits)
    return (-amount if cell.negative else amount), ""


def _usual(number: str, exponent: int) -> Sign:
    """Return the decimal sign of a lone ``1.234`` where the currency settles it: three decimals, or none."""
    if exponent == 0:
        return "," if "." in number else "."
    return "." if exponent == _GROUP and "." in number else ""
