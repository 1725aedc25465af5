"""
The elements of an item to cells: what expat calls while it reads a feed.

A cell is named by its element; a nested one by its path (``shipping[0].price`` is no price of the product), an
attribute by ``element@attribute``, a repeated one by its number (``product_type[1]``). Elements that repeat by design
are joined into one cell. No tree is built: memory holds one item and the finished columns.
"""

from __future__ import annotations

import html
import json
import re
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from wa_products.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from xml.parsers.expat import XMLParserType

    from wa_products.exports.issues import Found

ITEMS = frozenset({"item", "entry", "offer", "product"})
_MAY_NEST = "product"  # as in a list of related ones
MORE = "more_elements"
_PROSE = frozenset({"title", "description", "summary", "content", "name"})
_ASIDE = frozenset({"category", "currency"})
_GOOGLE, _ATOM = "base.google.com/", "www.w3.org/2005/Atom"
_LAST = re.compile(r"[:.]")
_DEEPEST = 8
_MOST_NAMES = 400
_BLOCK = 8192
_YANDEX = ("yml_catalog", "shops.dtd", None)


class UnclosedItemError(Exception):
    """An item starts inside another one: the end of that one is missing. Tells the place, for the parser runs on."""

    def __init__(self, parser: Any) -> None:  # noqa: ANN401  # expat's own
        super().__init__()
        self.at: int = parser.CurrentByteIndex
        self.line: int = parser.CurrentLineNumber
        self.column: int = parser.CurrentColumnNumber


class Elements:
    """
    The handlers of a feed's parsers and the columns they fill.

    `joined` maps the elements that repeat by design to what their texts are joined with. `aside` holds the attributes
    and texts of the categories and currencies that stand outside the items.
    """

    def __init__(self, file: str, joined: Mapping[str, str], found: Found) -> None:
        self.file = file
        self.joined = joined
        self.found = found
        self.aside: list[tuple[str, dict[str, str], str]] = []
        self.outer: list[str] = []
        self.containers: list[str] = []
        self.tag = ""
        self.count = 0
        self.line = 0
        self.first_line = 1
        self.records: list[int] = []
        self.lines: list[int] = []
        self.names: dict[str, None] = {}
        self.prefixes: dict[str, int] = {"g": 0, "c": 0, "": 1}
        self._blocks: list[tuple[int, dict[str, pa.DictionaryArray]]] = []
        self._batch: list[dict[str, str]] = []
        self._texts: list[str] = []
        self._leaf = False
        self._prose = 0  # in text for people, how deep: what is marked up there is no field
        self._marked = False
        self._keys: list[str] = []
        self._cells: dict[str, str] = {}
        self._nested: dict[str, int] = {}  # how many more elements of a name the item has had
        self._paths: dict[tuple[str, str], str] = {}
        self._flat: Callable[[], str] = str  # tells the open element that has nothing but text
        self._parser: XMLParserType | None = None

    @property
    def in_item(self) -> bool:
        """Whether an item is open."""
        return self.line > 0

    @property
    def at(self) -> str:
        """The element that is open, or the item itself, or ``""``."""
        return self._flat() or next(reversed(self._keys), self.tag) if self.in_item else ""

    def attach(self, parser: XMLParserType) -> None:
        """Let `parser` call these handlers."""
        parser.buffer_text = True
        parser.buffer_size = 1 << 16
        parser.StartElementHandler = self._start_outside
        parser.EndElementHandler = self._end_outside
        parser.CharacterDataHandler = self._texts.append
        parser.StartDoctypeDeclHandler = self._doctype
        parser.EntityDeclHandler = self._entity
        parser.SkippedEntityHandler = self._skipped
        self._parser = parser

    def abandon(self) -> None:
        """Forget the open elements."""
        self.line = 0
        self._keys.clear()
        self._nested.clear()
        self.outer.clear()
        self._prose, self._marked = 0, False

    def columns(self) -> dict[str, pa.DictionaryArray]:
        """Return the finished columns, as many values each as there are records."""
        self._flush()
        return {name: self._column(name) for name in self.names}

    def _column(self, name: str) -> pa.DictionaryArray:
        parts = [block.get(name) or _blank(size) for size, block in self._blocks]
        return pa.chunked_array(parts or [_blank(0)]).unify_dictionaries().combine_chunks()

    def _start_outside(self, name: str, attributes: dict[str, str]) -> None:
        for attribute, value in attributes.items():
            if attribute.startswith("xmlns"):
                self._declare(attribute.partition(":")[2], value)
        local = name.rpartition(":")[2]
        if local not in ITEMS or (self.tag and name != self.tag):
            self.outer.append(name)
            self._texts.clear()
            if local in _ASIDE:
                self.aside.append((local, dict(attributes), ""))
            return
        self._open(name, attributes)

    def _open(self, name: str, attributes: dict[str, str]) -> None:
        parser = self._parser
        assert parser is not None  # noqa: S101  # an event comes from a parser
        if not self.tag:
            self.tag, self.containers = name, list(self.outer)
        self.count += 1
        self.line = self.first_line + parser.CurrentLineNumber - 1
        self._cells = {key: value for key, value in attributes.items() if not key.startswith("xmlns")}
        parser.StartElementHandler, parser.EndElementHandler = self._handlers()

    def _handlers(self) -> tuple[Callable[[str, dict[str, str]], None], Callable[[str], None]]:
        """Return what is called inside one item; most elements are flat ones, so these take few steps."""
        cells, keys, texts, tag = self._cells, self._keys, self._texts, self.tag
        clear, join = texts.clear, "".join
        flat = ""

        def start(name: str, attributes: dict[str, str]) -> None:
            nonlocal flat
            if flat or attributes or keys or name == tag:
                flat = self._deepen(flat) if flat else ""
                self._start(name, attributes)
            else:
                flat = name
                clear()

        def end(name: str) -> None:
            nonlocal flat
            if flat and name not in cells:
                text = join(texts)
                cells[name] = _trimmed(text) if text and (text[0] <= " " or text[-1] <= " ") else text
                flat = ""
            else:
                flat = self._deepen(flat) if flat else ""
                self._end()

        self._flat = lambda: flat
        return start, end

    def _deepen(self, flat: str) -> str:
        """Put a flat element on the path, to which there is more than its text; return that none is flat now."""
        self._keys.append(flat)
        self._leaf = True
        return ""

    def _end_outside(self, name: str) -> None:
        del name
        if self.outer.pop() in _ASIDE and self.aside:
            local, attributes, _ = self.aside[-1]
            self.aside[-1] = (local, attributes, "".join(self._texts).strip())

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        keys = self._keys
        if name == self.tag and (not keys or name.rpartition(":")[2] != _MAY_NEST):
            raise UnclosedItemError(self._parser)
        key = self._path(keys[-1], name) if keys else name
        if self._prose or not key:
            self._prose = max(self._prose, 1) + 1
            return
        keys.append(key)
        self._leaf = True
        self._texts.clear()
        if attributes:
            self._attributes(key, attributes)

    def _path(self, parent: str, name: str) -> str:
        """Return the path of an element in another one, ``""`` where it is but text of that."""
        number = self._nested.get(parent, 0)
        path = self._paths.get((parent, name)) if not number else None
        if path is None:
            *above, last = _LAST.split(parent)
            only_text = last in _PROSE or len(above) >= _DEEPEST
            path = "" if only_text else f"{parent}[{number}].{name.rpartition(':')[2]}"
            if not number and len(self._paths) < _MOST_NAMES:
                self._paths[parent, name] = path
        return path

    def _attributes(self, key: str, attributes: dict[str, str]) -> None:
        for attribute, value in attributes.items():
            if attribute.startswith("xmlns"):
                self._declare(attribute.partition(":")[2], value)
            elif key not in self.joined:
                self._cells.setdefault(f"{key}@{attribute}", value)
            elif attribute == "name":
                self._texts.append(f"{value}: ")

    def _end(self) -> None:
        if self._prose > 1:
            self._prose -= 1
            self._texts.append(" ")
            self._marked = True
            return
        self._prose = 0
        if not self._keys:
            self._close()
            return
        key = self._keys.pop()
        if not self._leaf:
            self._nested[key] = self._nested.get(key, 0) + 1
            return
        self._leaf = False
        text = "".join(self._texts)
        if self._marked:
            text, self._marked = " ".join(text.split()), False
        elif text and (text[0] <= " " or text[-1] <= " "):
            text = _trimmed(text)
        if key in self._cells:
            self._repeat(key, text)
        else:
            self._cells[key] = text

    def _repeat(self, key: str, text: str) -> None:
        cells = self._cells
        between = self.joined.get(key.rpartition(":")[2])
        if between is not None:
            cells[key] = between.join(part for part in (cells[key], text) if part)
            return
        number = self._nested[key] = self._nested.get(key, 0) + 1
        cells[f"{key}[{number}]"] = text

    def _close(self) -> None:
        cells = self._cells
        self._nested.clear()
        if not cells.keys() <= self.names.keys():
            cells = self._named(cells)
        self._batch.append(cells)
        self.records.append(self.count)
        self.lines.append(self.line)
        self.line = 0
        if len(self._batch) == _BLOCK:
            self._flush()
        parser = self._parser
        assert parser is not None  # noqa: S101  # as above
        parser.StartElementHandler, parser.EndElementHandler = self._start_outside, self._end_outside

    def _named(self, cells: dict[str, str]) -> dict[str, str]:
        """Add the names of `cells` to the columns; past the most, what is left goes into one column as JSON."""
        for name in cells:
            if len(self.names) < _MOST_NAMES:
                self.names.setdefault(name)
        others = {name: text for name, text in cells.items() if name not in self.names}
        if not others:
            return cells
        self.names.setdefault(MORE)
        kept = {name: text for name, text in cells.items() if name in self.names}
        return {**kept, MORE: json.dumps(others, ensure_ascii=False)}

    def _flush(self) -> None:
        batch = self._batch
        if batch:
            block = {name: _encoded(_values(batch, name)) for name in self.names}
            self._blocks.append((len(batch), block))
            self._batch = []

    def _declare(self, prefix: str, address: str) -> None:
        if _GOOGLE in address:
            self.prefixes[prefix] = 0
        elif _ATOM in address:
            self.prefixes[prefix] = 1

    def _doctype(self, name: str, system: str | None, public: str | None, internal: int) -> None:
        if internal or (name, system, public) != _YANDEX:
            raise DataError(f"{self.file} declares a DOCTYPE ({name}), which is refused: take that line out")
        self.found.add(
            "doctype_ignored",
            "info",
            values=[f"{name} {system}"],
            action="not fetched",
            hint="the line that names shops.dtd says nothing about the products",
        )

    def _entity(self, name: str, *_rest: object) -> None:
        raise DataError(f"{self.file} declares an entity ({name}), which is refused: write its text where it is meant")

    def _skipped(self, name: str, is_parameter: int) -> None:
        del is_parameter
        self._texts.append(html.unescape(f"&{name};"))


def _trimmed(text: str) -> str:
    """Return text without blanks at its ends where these are the layout of the file, which breaks lines."""
    bare = text.strip()
    around = text[: len(text) - len(text.lstrip())] + text[len(text.rstrip()) :]
    return bare if "\n" in around else text


def _values(batch: list[dict[str, str]], name: str) -> list[str]:
    try:
        return list(map(itemgetter(name), batch))
    except KeyError:
        return [cells.get(name, "") for cells in batch]


def _encoded(texts: list[str]) -> pa.DictionaryArray:
    return pa.array(texts, pa.large_string()).dictionary_encode()


def _blank(size: int) -> pa.DictionaryArray:
    return _encoded([""] * size)
