"""
Lines of logs to JSON values, and arrays to their members, each with the physical line on which it stands.

A line may carry the log's own time in front, or be what Python prints for a dict or for bytes.
"""

from __future__ import annotations

import ast
import json
import re
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_BETWEEN = re.compile(r"[\s,\[\]]*")
_PYTHON = re.compile(r"""\{\s*['"]|\[\s*\{\s*['"]|b['"]""")
_TRIED = 20
_LONGEST, _SHOWN = 4_000_000, 200
_FAULTS = (ValueError, RecursionError, SyntaxError, MemoryError, TypeError)


class Member(NamedTuple):
    """One member of an array: the physical line on which it starts, and its value; None where it cannot be read."""

    line: int
    value: Any
    text: str = ""


def value_of(line: str) -> Any:  # noqa: ANN401  # any JSON value
    """
    Return the JSON value of a line of a log, None where there is none.

    >>> value_of('2026-11-20 09:00:00 INFO {"a": 1}'), value_of("{'a': True}"), value_of("no body")
    ({'a': 1}, {'a': True}, None)
    """
    text = line.strip()
    found = _read(text)
    at = min((place for mark in ("{", "b'{", 'b"{') if (place := text.find(mark)) > 0), default=0)
    return _read(text[at:]) if found is None and at else found


def starts_like_a_log(text: str) -> bool:
    """
    Return whether the first line of `text` holds a JSON object behind something else, such as a time.

    One of the lines below it may be the object instead: logs begin in the middle of a body where they were rotated.
    """
    first, *others = [line for line in islice(text.splitlines(), _TRIED) if line.strip()] or [""]
    return isinstance(value_of(first), dict) or any(
        line.startswith(("{", "[{")) and isinstance(_read(line.strip()), dict | list) for line in others
    )


def members(text: str) -> Iterator[Member]:
    """Yield the values that stand in `text` in arrays or one behind the other; at a fault the rest as one without."""
    decoder = json.JSONDecoder()
    at, line = 0, 1
    while True:
        start = _BETWEEN.match(text, at).end()  # type: ignore[union-attr]  # matches the empty text too
        line += text.count("\n", at, start)
        if start == len(text):
            if text.lstrip().startswith("[") and not text.rstrip().endswith("]"):
                yield Member(line, None, "the array has no end")
            return
        try:
            value, at = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            yield Member(line, None, text[start : start + _SHOWN])
            return
        yield Member(line, value)
        line += text.count("\n", start, at)


def _read(text: str) -> Any:  # noqa: ANN401  # any JSON value
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    if len(text) > _LONGEST or not _PYTHON.match(text):
        return None
    try:
        value = ast.literal_eval(text)
        return json.loads(value) if isinstance(value, bytes) else value
    except _FAULTS:
        return None
