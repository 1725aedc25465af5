"""
Answers of the Graph API to the items they list: whole pages, pages below each other, an array of pages, bare items.

A page that is cut keeps the items before the cut. Numbers stay as they are written.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wa_products.exports.issues import Found

_DATA = re.compile(r'"data"\s*:\s*\[')
_BETWEEN = re.compile(r"[\s,]*")
_NEXT = re.compile(r"^[{\[]", re.MULTILINE)
_DEEPEST = 4


class Number(str):
    """A JSON number, as written: an id has no decimals, and a price is never a float."""

    __slots__ = ()


class _Span(NamedTuple):
    """Where a JSON value starts in the text, and how many items it lists."""

    start: int
    items: int


@dataclass(eq=False)
class Pages:
    """The items of a file in order; the counts and the pages still to come that its pages name; codes of errors."""

    items: list[dict[str, Any]] = field(default_factory=list)
    totals: list[int] = field(default_factory=list)
    more: bool = False
    errors: list[str] = field(default_factory=list)
    spans: list[_Span] = field(default_factory=list)


_DECODER = json.JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=lambda _name: Number())


def read_pages(text: str, found: Found) -> Pages:
    """Return the items of all pages in `text`; what is no JSON is noted."""
    pages = Pages()
    at = _BETWEEN.match(text).end()  # type: ignore[union-attr]  # matches anywhere
    while at < len(text):
        try:
            value, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            end = _salvage(text, at, error, pages, found)
        else:
            before = len(pages.items)
            _collect(value, pages)
            pages.spans.append(_Span(at, len(pages.items) - before))
        at = _BETWEEN.match(text, end).end()  # type: ignore[union-attr]  # as above
    return pages


def lines_of(text: str, spans: list[_Span]) -> np.ndarray:
    """Return the physical line of each item: its own where it can be told, else that of its page."""
    lines: list[int] = []
    line, at = 1, 0
    for start, items in spans:
        line, at = line + text.count("\n", at, start), start
        places = [place for place, _ in _elements(text, start)]
        places = places if len(places) == items else [start] * items
        lines += [line + text.count("\n", at, place) for place in places]
    return np.asarray(lines, dtype="int64")


def listed(value: Any) -> list[Any] | None:  # noqa: ANN401  # any JSON value
    """Return the list that a page holds under ``data``, itself or under ``products``; None where it is no page."""
    if isinstance(value, dict) and isinstance(value.get("products"), dict):
        value = value["products"]
    return value["data"] if isinstance(value, dict) and isinstance(value.get("data"), list) else None


def error_code(value: Any) -> str:  # noqa: ANN401  # any JSON value
    """Return the code of an error answer, ``""`` where it is none; its words may hold a token and are left out."""
    said = value.get("error") if isinstance(value, dict) else None
    return f"{said.get('type', 'error')} {said['code']}" if isinstance(said, dict) and "code" in said else ""


def _collect(value: Any, pages: Pages, depth: int = 0) -> None:  # noqa: ANN401  # any JSON value
    if isinstance(value, list) and depth < _DEEPEST:
        for member in value:
            _collect(member, pages, depth + 1)
        return
    if not isinstance(value, dict):
        return
    body = value.get("body")
    if isinstance(body, str) and body.lstrip().startswith("{") and depth < _DEEPEST:
        try:
            _collect(_DECODER.decode(body), pages, depth + 1)
        except (ValueError, RecursionError):
            pages.errors.append("a body that is no JSON")
    elif code := error_code(value):
        pages.errors.append(code)
    elif (members := listed(value)) is not None:
        pages.items.extend(member for member in members if isinstance(member, dict))
        _page(value.get("products", value), pages)
    else:
        pages.items.append(value)


def _page(page: dict[str, Any], pages: Pages) -> None:
    summary, paging = page.get("summary"), page.get("paging")
    total = summary.get("total_count") if isinstance(summary, dict) else None
    if str(total or "").isdecimal():
        pages.totals.append(int(total))  # type: ignore[arg-type]  # decimal digits
    pages.more = bool(isinstance(paging, dict) and paging.get("next"))


def _elements(text: str, start: int) -> Iterator[tuple[int, Any]]:
    """Yield the place and value of each member of the list that a page or an array at `start` holds."""
    if text[start] == "[":
        at = start + 1
    else:
        match = _DATA.search(text, start)
        if not match:
            return
        at = match.end()
    while True:
        at = _BETWEEN.match(text, at).end()  # type: ignore[union-attr]  # matches anywhere
        try:
            value, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            return
        yield at, value
        at = end


def _salvage(text: str, start: int, error: Exception, pages: Pages, found: Found) -> int:
    """Keep the items before the fault in the value at `start`, note the fault, return where the next value starts."""
    at = error.pos if isinstance(error, json.JSONDecodeError) else start
    whole = [value for _, value in _elements(text, start) if isinstance(value, dict)] if text[start] in "{[" else []
    pages.items.extend(whole)
    pages.spans.append(_Span(start, len(whole)))
    line = text.count("\n", 0, at) + 1
    column = at - text.rfind("\n", 0, at)
    found.rows_in += 1
    found.set_aside += 1
    found.add(
        "not_json",
        "error",
        rows=[len(pages.items) + 1],
        lines=[line],
        values=[f"line {line}, column {column}"],
        action="row set aside",
        hint="the file is cut or damaged here: fetch this page again",
    )
    following = _NEXT.search(text, max(at, start + 1))
    return following.start() if following else len(text)
