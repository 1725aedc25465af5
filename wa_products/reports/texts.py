"""How a report writes numbers, times and money."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from decimal import Decimal

_DECIMALS = {
    **dict.fromkeys(("CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF", "XOF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "OMR", "TND"), 3),
}


def amount(value: Decimal | None, currency: str) -> str:
    """Return an amount of money with its currency."""
    return "unknown" if value is None else f"{currency} {value:,.{_DECIMALS.get(currency, 2)}f}".strip()


def percent(share: float) -> str:
    """Return a share in %, nothing for an unknown one."""
    return "" if pd.isna(share) else f"{100 * share:.1f} %"


def between(row: pd.Series) -> str:
    """Return the interval of a rate in %, nothing where there is none."""
    return "" if pd.isna(row["low"]) else f"{100 * row['low']:.1f} to {100 * row['high']:.1f} %"


def span(low: float, high: float, how: str = ".2f") -> str:
    """Return an interval, nothing where there is none."""
    if pd.isna(low):
        return ""
    return f"{low:{how}} or more" if high == float("inf") else f"{low:{how}} to {high:{how}}"


def some(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it needs one."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def length(span: pd.Timedelta) -> str:
    """Return a span in words: 24 hours, 7 days."""
    hours = span / pd.Timedelta("1h")
    number, noun = (hours / 24, "day") if hours > 24 and hours % 24 == 0 else (hours, "hour")  # noqa: PLR2004  # hours a day
    return f"{number:g} {noun}{'' if number == 1 else 's'}"


def moment(at: pd.Timestamp) -> str:
    """Return a time in words, UTC."""
    return f"{at.day} {at:%B %Y, %H:%M} UTC"


def whole(number: int) -> str:
    """Return a count."""
    return f"{number:,}"


def plain(value: float) -> str:
    """Return a number with two decimals, nothing for an unknown one."""
    return "" if pd.isna(value) or value == float("inf") else f"{value:.2f}"
