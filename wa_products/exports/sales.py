"""The days on which a sale price holds: read from one cell or two, and looked at from `as_of`."""

from __future__ import annotations

import re
from typing import NamedTuple

import pandas as pd

from wa_products.exports.times import read_times

SALE_HINTS = {
    "sale_window_unreadable": "write it as 2026-11-01T00:00+00:00/2026-11-30T23:59+00:00; the sale price is not used",
    "sale_window_ends_first": "the sale ends before it starts; the sale price is not used",
    "sale_window_without_zone": "the window names no zone: read in the shop's, or as UTC; add an offset",
}
_PART = re.compile(
    r"\s*(?P<date>\d{4}-\d{1,2}-\d{1,2})"
    r"(?:[T ]\s*(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d))?(?:\.\d+)?)?"
    r"\s*(?P<zone>Z|[+-]\d{1,2}:?(?:\d\d)?)?\s*",
    re.IGNORECASE,
)
_FARTHEST = 14


class Window(NamedTuple):
    """When a sale starts and ends (UTC, NaT for open), and ``""`` or what is wrong."""

    starts: pd.Timestamp
    ends: pd.Timestamp
    fault: str = ""


_NONE = Window(pd.NaT, pd.NaT)


def sale_window(value: str, timezone: str) -> Window:
    """
    Return the window that a cell such as ``2026-11-01T00:00+00:00/2026-11-30T23:59+00:00`` gives.

    >>> sale_window("2017-12-01T0:00-23:59/2017-12-31T0:00-23:59", "UTC").ends.isoformat()
    '2017-12-31T23:59:00+00:00'
    """
    if not value.strip():
        return _NONE
    first, slash, last = value.partition("/")
    return sale_between(first, last, timezone) if slash else _NONE._replace(fault="sale_window_unreadable")


def sale_between(first: str, last: str, timezone: str) -> Window:
    """Return the window from `first` to `last`, either of which may be blank for open; a bare last day counts whole."""
    starts, ends = _moment(first, timezone, last=False), _moment(last, timezone, last=True)
    if starts is None or ends is None:
        return _NONE._replace(fault="sale_window_unreadable")
    if starts[0] > ends[0]:
        return _NONE._replace(fault="sale_window_ends_first")
    fault = "" if timezone or (starts[1] and ends[1]) else "sale_window_without_zone"
    return Window(starts[0], ends[0], fault)


def sale_holds(starts: pd.Series, ends: pd.Series, as_of: pd.Timestamp) -> pd.Series:
    """Return in which rows the sale is on at `as_of`; a sale without a window is always on."""
    return ~(starts > as_of) & ~(ends < as_of)


def _moment(text: str, timezone: str, *, last: bool) -> tuple[pd.Timestamp, bool] | None:
    if not text.strip():
        return pd.NaT, True
    match = _PART.fullmatch(text)
    if not match:
        return None
    hour, minute, offset = match["hour"], match["minute"], (match["zone"] or "").upper()
    if offset[:1] == "-" and ":" in offset and int(offset[1:].partition(":")[0]) > _FARTHEST:
        hour, minute = (offset[1:].split(":")) if last else (hour, minute)
        offset = ""
    if hour is None:
        hour, minute = ("23", "59") if last else ("0", "00")
    wall = f"{match['date']} {int(hour):02}:{minute}:{match['second'] or '00'}{_padded(offset)}"
    found = read_times([wall], timezone=timezone, until=pd.Timestamp("2200-01-01", tz="UTC"))
    at = found.at.to_list()[0]
    return None if at is pd.NaT else (at, bool(offset))


def _padded(offset: str) -> str:
    if offset in ("", "Z"):
        return offset
    hours, _, minutes = offset[1:].partition(":")
    hours, minutes = (hours[:2], hours[2:]) if len(hours) > 2 else (hours, minutes)  # noqa: PLR2004  # HHMM
    return f"{offset[0]}{int(hours):02}:{minutes or '00'}"
