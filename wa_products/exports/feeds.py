"""
XML feeds to tables, item by item.

What is not well-formed costs the items it touches alone: reading goes on with the next item. A DOCTYPE and its
entities are refused.
"""

from __future__ import annotations

import re
from typing import IO, TYPE_CHECKING, NamedTuple
from xml.parsers import expat

import numpy as np

from wa_products.errors import DataError
from wa_products.exports.elements import ITEMS, Elements, UnclosedItemError
from wa_products.exports.streams import utf8_stream
from wa_products.exports.tables import Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wa_products.exports.columns import Column
    from wa_products.exports.issues import Found
    from wa_products.exports.sources import Source

JOINED = {"additional_image_link": ",", "picture": ",", "param": "; "}
_CHUNK = 1 << 16
_ROOT = re.compile(r"<(?![?!])(?:[\w.-]+:)?([\w.-]+)")
_NOT_ROOT = re.compile(r"<!--.*?-->|<\?.*?\?>", re.DOTALL)
_HINT = "write &amp; for & and &lt; for <, and close each element"


class Feed(NamedTuple):
    """The items of a feed, and the categories and currencies (name, attributes, text) that stand outside them."""

    table: Table
    aside: list[tuple[str, dict[str, str], str]]


class _Fault(NamedTuple):
    at: int  # bytes from the start of the stream
    line: int
    column: int
    said: str


class _Placed(NamedTuple):
    fault: _Fault
    record: int  # 0 outside the items
    element: str


def root_of(text: str) -> str:
    """
    Return the name of the first element of XML text, without its prefix, in lower case.

    >>> root_of('<?xml version="1.0"?><!-- made by <x> --><atom:feed>')
    'feed'
    """
    match = _ROOT.search(_NOT_ROOT.sub("", text))
    return match[1].casefold() if match else ""


def read_feed(source: Source, found: Found, joined: Mapping[str, str] = JOINED) -> Feed:
    """
    Return the items of a feed as a table, one column an element.

    Raises DataError for a DOCTYPE or an entity, and where there is no item to keep.
    """
    elements = Elements(source.file, joined, found)
    faults: list[_Placed] = []
    with utf8_stream(source, found) as (stream, first_line):
        start, line, prefix = stream.tell(), first_line, b""
        while fault := _parse(stream, elements, start, line, prefix):
            faults.append(_placed(fault, elements))
            start, line = _next_item(stream, elements.tag, fault, start)
            if start < 0:
                break
            prefix = "".join(f"<{name}>" for name in elements.containers or ["items"]).encode()
    _note(faults, found)
    found.rows_in += len(elements.records)
    if not elements.records:
        why = f": it is not well-formed at {_said(faults[0].fault)}" if faults else ""
        raise DataError(f"{source.file} holds no product that can be read{why}: export it again")
    lines = np.asarray(elements.lines, dtype="int64")
    columns = _merged(elements.columns(), elements.prefixes, found)
    records = np.asarray(elements.records, dtype="int64")
    return Feed(Table(file=found.file, columns=columns, records=records, find_lines=lambda: lines), elements.aside)


def _parse(stream: IO[bytes], elements: Elements, start: int, line: int, prefix: bytes) -> _Fault | None:
    """Read from byte `start`, which is on `line`, to the end or to the first fault."""
    parser = expat.ParserCreate("utf-8")
    elements.first_line = line
    elements.attach(parser)
    stream.seek(start)
    try:
        parser.Parse(prefix, False)
        while chunk := stream.read(_CHUNK):
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        at, here, column = parser.ErrorByteIndex, parser.ErrorLineNumber, parser.ErrorColumnNumber
        said = expat.ErrorString(error.code)
    except UnclosedItemError as error:
        at, here, column = error.at, error.line, error.column
        said = f"a <{elements.tag}> inside a <{elements.tag}>"
    else:
        return None
    shift = len(prefix) if here == 1 else 0
    return _Fault(start + max(0, at - len(prefix)), line + here - 1, max(0, column - shift) + 1, said)


def _placed(fault: _Fault, elements: Elements) -> _Placed:
    """Return a fault with the item and the element that it stands in, which are given up."""
    placed = _Placed(fault, elements.count if elements.in_item else 0, elements.at)
    elements.abandon()
    return placed


def _note(faults: list[_Placed], found: Found) -> None:
    inside = sum(placed.record > 0 for placed in faults)
    found.rows_in += inside
    found.set_aside += inside
    groups: dict[tuple[bool, str], list[_Placed]] = {}
    for placed in faults:
        groups.setdefault((placed.record > 0, placed.element), []).append(placed)
    for (in_item, element), some in groups.items():
        found.add(
            "not_well_formed",
            "error",
            rows=[placed.record for placed in some],
            lines=[placed.fault.line for placed in some],
            column=element,
            values=[_said(placed.fault) for placed in some],
            action="row set aside" if in_item else "read on behind it",
            hint=_HINT if in_item else "the feed is broken here: products may be missing",
        )


def _said(fault: _Fault) -> str:
    return f"line {fault.line}, column {fault.column}: {fault.said}"


def _next_item(stream: IO[bytes], tag: str, fault: _Fault, start: int) -> tuple[int, int]:
    """Return the byte and the line of the first item from a fault on, behind `start`; or -1 where there is none."""
    named = re.escape(tag.encode()) if tag else b"(?:" + "|".join(sorted(ITEMS)).encode() + b")"
    pattern = re.compile(rb"<" + named + rb"(?=[\s/>])")
    at, line, kept = max(fault.at, start + 1), fault.line, b""
    stream.seek(at)
    while chunk := stream.read(_CHUNK):
        text = kept + chunk
        if match := pattern.search(text):
            return at + match.start(), line + text.count(b"\n", 0, match.start())
        kept = text[-len(tag) - 16 :]
        done = len(text) - len(kept)
        line += text.count(b"\n", 0, done)
        at += done
    return -1, line


def _merged(columns: dict[str, Column], prefixes: Mapping[str, int], found: Found) -> dict[str, Column]:
    """Return the columns by names without their prefix; of ``g:title`` and ``title`` the former is the better."""
    by_local: dict[str, list[tuple[int, str]]] = {}
    for name in columns:
        head, colon, rest = name.partition(":")
        known = bool(colon) and head in prefixes
        rank = prefixes[head] if known else 1
        by_local.setdefault(rest if known else name, []).append((rank, name))
    merged = {}
    for local, named in by_local.items():
        first, *others = [columns[name] for _, name in sorted(named)]
        for number, other in enumerate(others, 1):
            if _disagree(first, other):
                merged[f"plain {local}" if number == 1 else f"plain {local} {number}"] = other
                _note_twice(local, found)
            first = first.or_else(other)
        merged[local] = first
    return merged


def _disagree(one: Column, other: Column) -> bool:
    both = ~one.is_blank & ~other.is_blank
    return bool((one.take(both).texts() != other.take(both).texts()).any())


def _note_twice(local: str, found: Found) -> None:
    hint = "items have this element with and without Google's prefix, and they differ: the one with it is read"
    found.add("two_elements_for_one_field", "info", column=local, action="both kept", hint=hint)
