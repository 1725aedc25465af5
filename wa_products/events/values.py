"""Single values of a webhook as they come: text or number, of the expected kind or not. Nothing here raises."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_NUMBER, _LARGEST_EXPONENT = 64, 18
_MILLISECONDS_FROM, _TIMES_END = 10**11, 10**14  # 10**11 s is the year 5138, 10**11 ms is 1973
_PHONE_DIGITS, _SECONDS_LONG = range(5, 21), 10
_MARKS = {ord(mark): None for mark in "+-() "}


class Number(str):
    """A number of a JSON text, as it was written there: no digit is lost and none is too long."""

    __slots__ = ()


def a_list(value: object) -> list[Any]:
    """Return a list as it is, nothing as the empty list, and anything else as its only element."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def a_dict(value: object) -> dict[str, Any]:
    """Return a dict as it is, and anything else as an empty one."""
    return value if isinstance(value, dict) else {}


def text_of(value: object) -> str:
    """Return text that every store and frame can hold (no NUL, no lone surrogate); ``""`` for what is no text."""
    if not isinstance(value, str):
        return ""
    if value.isascii() and "\x00" not in value:
        return value
    return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def digits(value: object) -> str:
    """Return the digits of a phone number, ``""`` for anything else."""
    found = text_of(value)
    if not found.isdigit():
        found = found.translate(_MARKS)
    return found if found.isascii() and found.isdigit() and len(found) in _PHONE_DIGITS else ""


def number(value: object) -> Decimal | None:
    """Return a finite number of sensible size, None for anything else."""
    text = text_of(value).strip()
    if not text or len(text) > _LONGEST_NUMBER:
        return None
    try:
        found = Decimal(text)
    except ArithmeticError:
        return None
    return found if found.is_finite() and abs(found.adjusted()) < _LARGEST_EXPONENT else None


def moment(value: object) -> datetime | None:
    """Return the time of a Unix timestamp in seconds or milliseconds, None for anything else."""
    if isinstance(value, str) and len(value) == _SECONDS_LONG and value.isascii() and value.isdigit():
        return datetime.fromtimestamp(int(value), UTC) if int(value) else None
    found = number(value)
    if found is None or not 1 <= found < _TIMES_END:
        return None
    seconds = found / 1000 if found >= _MILLISECONDS_FROM else found
    return _EPOCH + timedelta(microseconds=int(seconds * 1_000_000))


def content_id(part: object) -> str:
    """Return an id made of the content, for what comes without one: the same content, the same id."""
    try:
        content = json.dumps(part, sort_keys=True, default=str)
    except (ValueError, TypeError, RecursionError):
        content = type(part).__name__
    return "sha." + blake2b(content.encode(), digest_size=12).hexdigest()


def json_of(part: object) -> str:
    """
    Return the JSON text of a decoded part of a body, its numbers as numbers; what is bytes or no JSON as text.

    A part that is an empty text stands as ``""`` in quotes: something came, and it was that.
    """
    if isinstance(part, bytes | bytearray):
        return text_of(part.decode("utf-8", "backslashreplace"))
    if isinstance(part, str) and not isinstance(part, Number):
        return text_of(part) or json.dumps(part)
    try:
        return text_of(json.dumps(_with_numbers(part), ensure_ascii=False, default=str))
    except (ValueError, TypeError, RecursionError):
        return type(part).__name__


def _with_numbers(part: object) -> object:
    if isinstance(part, Number):
        return json.loads(part) if len(part) <= _LONGEST_NUMBER else str(part)
    if isinstance(part, list):
        return [_with_numbers(each) for each in part]
    return {key: _with_numbers(each) for key, each in part.items()} if isinstance(part, dict) else part
