"""
Times as exports write them to UTC: offsets kept, zones from the shop, day and month never swapped on a guess.

Whether ``05/04/2026`` is April or May is decided once a column, from the values that leave no doubt.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from wa_products.errors import DataError
from wa_products.exports.names import words

if TYPE_CHECKING:
    from collections.abc import Sequence

DayFirst = Literal["day", "month", "both", ""]

TIME_HINTS = {
    "time_unreadable": "write times as 2026-04-05 21:06:21 +0400",
    "time_ambiguous": "no value of the column tells day from month: export with the year first",
    "time_future": "this time has not come yet",
    "time_too_old": "a time before 2000 is a default or a broken clock, not a purchase",
    "time_excel_serial": "a spreadsheet turned the time into a number: format the column as text and export again",
    "time_in_dst_gap": "clocks were put forward over this time: it does not exist in the shop's zone",
    "time_in_dst_overlap": "clocks were put back over this time: the first of the two was taken",
    "time_without_zone": "the file names no zone: read as UTC; give the shop's timezone, or timezone in shop.toml",
}
_UTC = pa.timestamp("us", tz="UTC")
_DATE = r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
_HOURS = r"(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?"
_OFFSET = r"(?:[+-](?:0\d|1[0-4])(?::?[0-5]\d)?|Z)"
_ISO_ZONED = rf"^{_DATE}[ T]{_HOURS} ?{_OFFSET}$"
_ISO_NAIVE = rf"^{_DATE}(?:[ T]{_HOURS})?$"
_CLOCK = r"(?:[ T,]+(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d))?(?:\.\d+)?\s*(?P<half>[ap]\.?m\.?)?)?\s*"
_ZONE = r"(?P<zone>Z|UTC|GMT|[+-]\d\d:?(?:\d\d)?)?"
_YEAR_FIRST = re.compile(r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})" + _CLOCK + _ZONE, re.IGNORECASE)
_YEAR_LAST = re.compile(r"(?P<one>\d{1,2})[-/.](?P<two>\d{1,2})[-/.](?P<year>\d{4})" + _CLOCK + _ZONE, re.IGNORECASE)
_NAMED = re.compile(
    r"(?:(?P<day>\d{1,2})\.?[ -](?P<month>[a-z]{3,9})\.?|(?P<month2>[a-z]{3,9})\.? (?P<day2>\d{1,2}))"
    r"[ ,-]+(?P<year>\d{4})" + _CLOCK + _ZONE,
    re.IGNORECASE,
)
_MONTHS = {name: at for at, name in enumerate(words("jan feb mar apr may jun jul aug sep oct nov dec"), 1)}
_SERIAL = re.compile(r"[1-9]\d{4}([.,]\d+)?")
_UNIX = re.compile(r"[1-9]\d{9}|[1-9]\d{12}")
_OLDEST = pd.Timestamp("2000-01-01", tz="UTC")
_MONTHS_A_YEAR, _NOON, _SECONDS_DIGITS = 12, 12, 10
_USUAL = np.frombuffer(b"0000-00-00 00:00:00 +0000", dtype=np.uint8)
_SIGN, _NINE, _HOURS_A_DAY, _SIXTY, _FARTHEST = 20, 9, 24, 60, 14
_BLOCK = 1 << 17


@dataclass(frozen=True)
class Times:
    """For each distinct value: its time in UTC or NaT, and as objects ``""`` or what is wrong with it."""

    at: pd.DatetimeIndex
    faults: np.ndarray


class _Wall(NamedTuple):
    text: str  # ISO, with an offset where `zoned`
    zoned: bool
    fault: str = ""


def read_times(values: Sequence[str] | pa.Array, *, timezone: str, until: pd.Timestamp) -> Times:
    """
    Return the times of a column's distinct values; those after `until` or before 2000 are faults.

    `timezone` is the shop's zone for values without an offset; where it is ``""`` they are read as UTC and marked
    ``time_without_zone``. A blank value has no time and no fault. Raises DataError for a zone that does not exist.

    >>> until = pd.Timestamp("2026-05-01", tz="UTC")
    >>> read_times(["2026-04-05 21:06:21 +0400"], timezone="", until=until).at[0].isoformat()
    '2026-04-05T17:06:21+00:00'
    """
    texts = values if isinstance(values, pa.Array) else pa.array(values, pa.large_string())
    if timezone:
        zone(timezone)
    faults = np.full(len(texts), "", dtype=object)
    at = _usual(texts)
    if at is None:
        at = _any(texts, timezone, faults)
    _bound(at, faults, until)
    return Times(pd.DatetimeIndex(at).tz_localize("UTC"), faults)


def _any(texts: pa.Array, timezone: str, faults: np.ndarray) -> np.ndarray:
    """Return the times of texts of any shape, noting in `faults` what is wrong with them."""
    at = np.full(len(texts), np.datetime64("NaT", "us"))
    zoned = np.asarray(pc.match_substring_regex(texts, _ISO_ZONED))
    naive = np.zeros(len(texts), dtype=bool) if zoned.all() else np.asarray(pc.match_substring_regex(texts, _ISO_NAIVE))
    other = _others(texts, ~(zoned | naive))
    try:
        at[zoned] = _zoned(texts.filter(pa.array(zoned)))
        at[naive], faults[naive] = _local(texts.filter(pa.array(naive)), timezone)
    except pa.ArrowInvalid:
        other |= {int(place): _wall(texts[int(place)].as_py(), "") for place in np.flatnonzero(zoned | naive)}
    for place, wall in other.items():
        at[place], faults[place] = _placed(wall, timezone)
    return at


def day_first(values: Sequence[str]) -> DayFirst:
    """
    Return which of day and month the values of a column prove to come first; ``"both"`` where they contradict.

    >>> day_first(["05/04/2026", "16/04/2026"]), day_first(["05/04/2026"])
    ('day', '')
    """
    proved: set[DayFirst] = set()
    for value in values:
        if match := _YEAR_LAST.fullmatch(value.strip()):
            one, two = int(match["one"]), int(match["two"])
            if (one > _MONTHS_A_YEAR) != (two > _MONTHS_A_YEAR):
                proved.add("day" if one > _MONTHS_A_YEAR else "month")
    return "both" if len(proved) > 1 else next(iter(proved), "")


def zone(name: str) -> ZoneInfo:
    """Return the zone of this name. Raises DataError where there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise DataError(f"there is no time zone {name!r}: use a name such as Europe/Madrid") from error


def _usual(texts: pa.Array) -> np.ndarray | None:
    """Return the times of texts that are all written as ``2026-04-05 21:06:21 +0400``, None for any others."""
    lengths = pc.min_max(pc.binary_length(texts)).as_py()
    if set(lengths.values()) != {len(_USUAL)}:
        return None
    texts = texts.cast(pa.large_string())
    _, offsets, data = texts.buffers()
    start = np.frombuffer(offsets, dtype="int64")[texts.offset]
    letters = np.frombuffer(data, dtype=np.uint8, count=len(texts) * len(_USUAL), offset=start)
    rows = letters.reshape(-1, len(_USUAL))
    parts: list[np.ndarray] = []
    for at in range(0, len(rows), _BLOCK):
        part = _read_usual(rows[at : at + _BLOCK])
        if part is None:
            return None
        parts.append(part)
    return np.concatenate(parts)


def _read_usual(letters: np.ndarray) -> np.ndarray | None:
    digits = letters - ord("0")
    alike = np.where(ord("0") == _USUAL, digits <= _NINE, letters == _USUAL)
    minus = letters[:, _SIGN] == ord("-")
    alike[:, _SIGN] |= minus
    century, year, month, day, hour, minute, second, ahead, beyond = (
        digits[:, at].astype("int64") * 10 + digits[:, at + 1] for at in (0, 2, 5, 8, 11, 14, 17, 21, 23)
    )
    months = ((century * 100 + year - 1970) * _MONTHS_A_YEAR + month - 1).astype("M8[M]")
    days = months.astype("M8[D]") + (day - 1)
    there = (month - 1 < _MONTHS_A_YEAR) & (month > 0) & (days.astype("M8[M]") == months)
    clock = (hour < _HOURS_A_DAY) & (np.maximum(minute, second) < _SIXTY)
    if not (alike.all() and (there & clock & (ahead <= _FARTHEST) & (beyond < _SIXTY)).all()):
        return None
    offset = np.where(minus, -1, 1) * (ahead * _SIXTY + beyond) * _SIXTY
    seconds = (hour * _SIXTY + minute) * _SIXTY + second - offset
    return days.astype("M8[us]") + seconds * np.timedelta64(1_000_000, "us")


def _zoned(texts: pa.Array) -> np.ndarray:
    lengths = pc.binary_length(texts)
    if pc.all(pc.equal(lengths, len("2026-04-05 21:06:21 +0400"))).as_py():
        halves = (pc.utf8_slice_codeunits(texts, *span) for span in ((0, 19), (20, 25)))
        joined = pc.binary_join_element_wise(*halves, pa.scalar("", pa.large_string()))
    else:
        joined = pc.replace_substring_regex(texts, r" ([+-Z][\d:]*)$", r"\1")
        joined = pc.replace_substring_regex(joined, r"([+-]\d\d)$", r"\1:00")
        joined = pc.if_else(pc.match_substring_regex(joined, r"T|:"), joined, texts)
    return np.asarray(pc.cast(pc.cast(joined, _UTC), pa.timestamp("us")))


def _local(texts: pa.Array, timezone: str) -> tuple[np.ndarray, np.ndarray]:
    walls = pd.DatetimeIndex(np.asarray(pc.cast(texts, pa.timestamp("us"))))
    faults = np.full(len(walls), "", dtype=object)
    if not timezone:
        faults[:] = "time_without_zone"
        return walls.to_numpy(), faults
    where = zone(timezone)
    first = walls.tz_localize(where, nonexistent="NaT", ambiguous=np.ones(len(walls), dtype=bool))
    second = walls.tz_localize(where, nonexistent="NaT", ambiguous=np.zeros(len(walls), dtype=bool))
    faults[first.isna()] = "time_in_dst_gap"
    faults[(first != second) & ~first.isna()] = "time_in_dst_overlap"
    return first.tz_convert("UTC").tz_localize(None).to_numpy(), faults


def _others(texts: pa.Array, rows: np.ndarray) -> dict[int, _Wall]:
    values = {int(place): str(texts[int(place)].as_py()).strip().removeprefix("'") for place in np.flatnonzero(rows)}
    order = day_first(list(values.values()))
    return {place: _wall(value, order) for place, value in values.items()}


def _wall(value: str, order: DayFirst) -> _Wall:
    if not value:
        return _Wall("", zoned=True)
    if _SERIAL.fullmatch(value) or _UNIX.fullmatch(value):
        return _number(value)
    if match := _YEAR_FIRST.fullmatch(value):
        return _written(match, int(match["month"]), int(match["day"]))
    if match := _NAMED.fullmatch(value):
        month = _MONTHS.get((match["month"] or match["month2"])[:3].casefold(), 0)
        return _written(match, month, int(match["day"] or match["day2"]))
    if match := _YEAR_LAST.fullmatch(value):
        return _by_order(match, order)
    return _Wall("", zoned=True, fault="time_unreadable")


def _number(value: str) -> _Wall:
    if _UNIX.fullmatch(value):
        seconds = int(value) / (1 if len(value) == _SECONDS_DIGITS else 1000)
        return _Wall(pd.Timestamp(seconds, unit="s", tz="UTC").isoformat(), zoned=True)
    return _Wall("", zoned=True, fault="time_excel_serial")


def _by_order(match: re.Match[str], order: DayFirst) -> _Wall:
    one, two = int(match["one"]), int(match["two"])
    if one == two or order == "day" or (order == "both" and one > _MONTHS_A_YEAR):
        return _written(match, two, one)
    if order == "month" or (order == "both" and two > _MONTHS_A_YEAR):
        return _written(match, one, two)
    return _Wall("", zoned=True, fault="time_ambiguous")


def _written(match: re.Match[str], month: int, day: int) -> _Wall:
    hour, minute, second = (int(match[part] or 0) for part in ("hour", "minute", "second"))
    if match["half"]:
        if not 1 <= hour <= _NOON:
            return _Wall("", zoned=True, fault="time_unreadable")
        hour = hour % _NOON + (_NOON if match["half"][0] in "pP" else 0)
    offset = (match["zone"] or "").upper().replace("UTC", "Z").replace("GMT", "Z")
    text = f"{match['year']}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{offset}"
    try:
        pd.Timestamp(text)
    except ValueError:
        return _Wall("", zoned=True, fault="time_unreadable")
    return _Wall(text, zoned=bool(offset))


def _placed(wall: _Wall, timezone: str) -> tuple[np.datetime64, str]:
    if not wall.text:
        return np.datetime64("NaT", "us"), wall.fault
    if wall.zoned:
        return pd.Timestamp(wall.text).tz_convert("UTC").tz_localize(None).to_datetime64().astype("datetime64[us]"), ""
    at, faults = _local(pa.array([wall.text], pa.large_string()), timezone)
    return at[0], faults[0]


def _bound(at: np.ndarray, faults: np.ndarray, until: pd.Timestamp) -> None:
    known = ~np.isnat(at)
    late = known & (at > np.datetime64(until.tz_convert("UTC").tz_localize(None)))
    old = known & (at < np.datetime64(_OLDEST.tz_localize(None)))
    faults[late], faults[old] = "time_future", "time_too_old"
    at[late | old] = np.datetime64("NaT", "us")
