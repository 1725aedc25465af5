"""
The elements of an item to cells: what expat calls while it reads a feed.

A cell is named by its element; a nested one by its path (``shipping[0].price`` is no price of the product), an
attribute by ``element@attribute``, a repeated one by its number (``product_type[1]``). Elements that repeat by design
are joined into one cell. No tree is built: memory holds one item and the finished columns.
"""

from __future__ import annotations

import html
import json
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from wa_products.errors import DataError
from wa_products.exports.columns import Column

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
_DEEPEST = 8
_MOST_NAMES = 400
_MOST_PLACES = 4000
_MOST_AGAIN = 400
_BLOCK = 8192
_YANDEX = ("yml_catalog", "shops.dtd", None)


class UnclosedItemError(Exception):
    """An item starts inside another one: the end of that one is missing. Tells the place, for the parser runs on."""

    def __init__(self, parser: Any) -> None:  # noqa: ANN401  # expat's own
        super().__init__()
        self.at: int = parser.CurrentByteIndex
        self.line: int = parser.CurrentLineNumber
        self.column: int = parser.CurrentColumnNumber


class _Place:
    """Where an element may stand inside an item: its key, its number among its like, the places below it."""

    __slots__ = ("again", "children", "key", "name", "number", "only_text")

    def __init__(self, key: str, name: str = "", *, number: int = 0, only_text: bool = False) -> None:
        self.key = key
        self.name = name
        self.number = number
        self.only_text = only_text
        self.children: dict[str, _Place] = {}
        self.again: _Place | None = None

    def below(self, name: str) -> str:
        """Return the key of an element inside this one."""
        return f"{self.key}[{self.number}].{name.rpartition(':')[2]}" if self.key else name


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
        self.containers: list[str] = []
        self.tag = ""
        self.count = 0
        self.line = 0
        self.first_line = 1
        self.records: list[int] = []
        self.lines: list[int] = []
        self.names: dict[str, None] = {}
        self.prefixes: dict[str, int] = {"g": 0, "c": 0, "": 1}
        self._blocks: list[tuple[int, dict[str, pa.Array]]] = []
        self._seen: set[str] = set()
        self._various: set[str] = set()  # columns that hardly repeat themselves
        self._batch: list[dict[str, str]] = []
        self._outer: list[str] = []
        self._outside, self._item, self._inside_text = _Place(""), _Place(""), _Place("")
        self._places = 0
        self._above: list[_Place] = []
        self._moved: list[tuple[_Place, _Place]] = []
        self._texts: list[str] = []
        self._marked = False  # whether the open text has markup in it
        self._cells: dict[str, str] = {}
        self._more: dict[str, int] = {}  # how many more elements of a key the item has had
        self._open: Callable[[], str] = str  # tells the key of the open element
        self._parser: XMLParserType | None = None

    @property
    def in_item(self) -> bool:
        """Whether an item is open."""
        return self.line > 0

    @property
    def at(self) -> str:
        """The element that is open, or the item itself, or ``""``."""
        return self._open() or self.tag if self.in_item else ""

    def attach(self, parser: XMLParserType) -> None:
        """Let `parser` call these handlers."""
        parser.buffer_text = True
        parser.buffer_size = 1 << 16
        parser.StartElementHandler, parser.EndElementHandler = self._handlers()
        parser.CharacterDataHandler = self._texts.append
        parser.StartDoctypeDeclHandler = self._doctype
        parser.EntityDeclHandler = self._entity
        parser.SkippedEntityHandler = self._skipped
        self._parser = parser

    def abandon(self) -> None:
        """Forget the open elements."""
        self._reset()
        self._outer.clear()
        self._above.clear()
        self._marked = False

    def columns(self) -> dict[str, Column]:
        """Return the finished columns, as many values each as there are records, and keep none of them."""
        self._flush()
        return {name: self._column(name) for name in self.names}

    def _column(self, name: str) -> Column:
        if name in self._various:
            return Column.runs(pa.concat_arrays([block.pop(name, _texts([""] * size)) for size, block in self._blocks]))
        parts = [block.pop(name, _texts([""] * size).dictionary_encode()) for size, block in self._blocks]
        return Column.encoded(pa.chunked_array(parts).unify_dictionaries().combine_chunks())

    def _handlers(self) -> tuple[Callable[[str, dict[str, str]], None], Callable[[str], None]]:
        """Return what expat calls millions of times: few steps for what was met before, else `_enter` and `_leave`."""
        place, cells, leaf = self._outside, self._cells, False
        texts, above, moved = self._texts, self._above, self._moved
        clear, push, pop, join = texts.clear, above.append, above.pop, "".join

        def start(name: str, attributes: dict[str, str]) -> None:
            nonlocal place, cells, leaf
            known = place.children.get(name)
            if known is None or attributes:
                place, leaf = self._enter(place, name, attributes)
                cells = self._cells
                return
            push(place)
            place, leaf = known, True
            clear()

        def end(_name: str) -> None:
            nonlocal place, leaf
            key = place.key
            if leaf and key and key not in cells and not self._marked:
                text = join(texts)
                if text and (text[0] <= " " or text[-1] <= " "):
                    text = self._laid_out(text)
                cells[key] = text
                place, leaf = pop(), False
            elif place.again and not leaf:
                above_it = pop()
                above_it.children[place.name] = place.again
                moved.append((above_it, place))
                place = above_it
            else:
                place, leaf = self._leave(place, leaf=leaf)

        self._open = lambda: place.key
        return start, end

    def _enter(self, place: _Place, name: str, attributes: dict[str, str]) -> tuple[_Place, bool]:
        """Return the place of an element that starts, and whether it has had no elements in it so far."""
        local = name.rpartition(":")[2]
        self._above.append(place)
        if place is self._outside:
            return self._enter_outside(name, local, attributes)
        if name == self.tag and (place is self._item or local != _MAY_NEST):
            raise UnclosedItemError(self._parser)
        if place is self._inside_text or place.only_text:
            self._marked = True
            return self._inside_text, True
        known = place.children.get(name) or self._grown(place, name, local)
        self._texts.clear()
        if attributes:
            self._attributes(known.key, attributes)
        return known, True

    def _enter_outside(self, name: str, local: str, attributes: dict[str, str]) -> tuple[_Place, bool]:
        for attribute, value in attributes.items():
            if attribute.startswith("xmlns"):
                self._declare(attribute.partition(":")[2], value)
        if local in ITEMS and self.tag in ("", name):
            self._begin(name, attributes)
            return self._item, False
        self._outer.append(name)
        self._texts.clear()
        if local in _ASIDE:
            self.aside.append((local, dict(attributes), ""))
        return self._outside, False

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        assert self._parser is not None  # noqa: S101  # an element comes from a parser
        if not self.tag:
            self.tag, self.containers = name, list(self._outer)
        self.count += 1
        self.line = self.first_line + self._parser.CurrentLineNumber - 1
        self._cells = {key: value for key, value in attributes.items() if not key.startswith("xmlns")}

    def _grown(self, place: _Place, name: str, local: str) -> _Place:
        deep = len(self._above) > _DEEPEST
        grown = _Place(place.below(name), name, only_text=deep or local in _PROSE)
        if self._places < _MOST_PLACES:
            self._places += 1
            place.children[name] = grown
        return grown

    def _attributes(self, key: str, attributes: dict[str, str]) -> None:
        for attribute, value in attributes.items():
            if attribute.startswith("xmlns"):
                self._declare(attribute.partition(":")[2], value)
            elif key not in self.joined:
                self._cells.setdefault(f"{key}@{attribute}", value)
            elif attribute == "name":
                self._texts.append(f"{value}: ")

    def _leave(self, place: _Place, *, leaf: bool) -> tuple[_Place, bool]:
        """Return the place in which an element ends, and whether that is still without elements."""
        above = self._above.pop()
        if place is self._inside_text:
            self._texts.append(" ")
            return above, True
        if place is self._outside:
            self._leave_outside()
        elif place is self._item:
            self._close()
        elif leaf:
            self._store(place.key, self._laid_out("".join(self._texts)))
        elif place.number < _MOST_AGAIN:
            again = place.again = place.again or _Place(place.key, place.name, number=place.number + 1)
            above.children[place.name] = again
            self._moved.append((above, place))
        return above, False

    def _leave_outside(self) -> None:
        if self._outer.pop() in _ASIDE and self.aside:
            local, attributes, _ = self.aside[-1]
            self.aside[-1] = (local, attributes, "".join(self._texts).strip())

    def _laid_out(self, text: str) -> str:
        """Return text without what is the layout of the file: blanks around it with line breaks, or around markup."""
        if self._marked:
            self._marked = False
            return " ".join(text.split())
        bare = text.strip()
        around = text[: len(text) - len(text.lstrip())] + text[len(text.rstrip()) :]
        return bare if "\n" in around else text

    def _store(self, key: str, text: str) -> None:
        cells = self._cells
        if key not in cells:
            cells[key] = text
            return
        between = self.joined.get(key.rpartition(":")[2])
        if between is not None:
            cells[key] = cells[key] + between + text if cells[key] and text else cells[key] or text
            return
        number = self._more[key] = self._more.get(key, 0) + 1
        cells[f"{key}[{number}]"] = text

    def _close(self) -> None:
        cells = self._cells
        if not cells.keys() <= self.names.keys():
            cells = self._named(cells)
        self._batch.append(cells)
        self.records.append(self.count)
        self.lines.append(self.line)
        self._reset()
        if len(self._batch) == _BLOCK:
            self._flush()

    def _reset(self) -> None:
        self.line = 0
        self._more.clear()
        while self._moved:
            above, place = self._moved.pop()
            above.children[place.name] = place

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
            self._blocks.append((len(batch), {name: self._encoded(name, batch) for name in self.names}))
            self._batch = []

    def _encoded(self, name: str, batch: list[dict[str, str]]) -> pa.Array:
        """Return the texts of a column, by value where they repeat; which columns do is seen in their first block."""
        texts = _texts(_values(batch, name))
        if name in self._various:
            return texts
        encoded = texts.dictionary_encode()
        if name not in self._seen and len(encoded.dictionary) * 2 > len(texts):
            self._various.add(name)
            return texts
        self._seen.add(name)
        return encoded

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


def _values(batch: list[dict[str, str]], name: str) -> list[str]:
    try:
        return list(map(itemgetter(name), batch))
    except KeyError:
        return [cells.get(name, "") for cells in batch]


def _texts(texts: list[str]) -> pa.Array:
    return pa.array(texts, pa.large_string())
