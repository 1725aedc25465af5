"""
What a person decided about each row, and how a row was changed: in memory, and line by line on disk where asked.

A decision belongs to a row and to what the customer would see of it (its content). A row whose product, price or
text has changed since is undecided again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from wa_products import payloads, selection
from wa_products.errors import DataError
from wa_products.widgets.alternatives import Alternatives, renamed
from wa_products.widgets.journals import Journal

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from wa_products.widgets.journals import Line
    from wa_products.widgets.shelves import Shelf

OPEN, APPROVED, REJECTED = "", "approved", "rejected"
STATES = (OPEN, APPROVED, REJECTED)
_SEEN = ("customer_id", "product_retailer_id", "title", "price", "currency", "body", "footer")
_OF_PRODUCT = ("title", "price", "currency")


@dataclass(frozen=True)
class Mark:
    """
    What stands beside one row: its state, its texts and product as changed, and who decided when (ISO 8601, UTC).

    `product` is ``""`` where the row shows the one proposed.
    """

    state: str = OPEN
    body: str = ""
    footer: str = ""
    product: str = ""
    by: str = ""
    at: str = ""

    @property
    def shown(self) -> tuple[str, str, str]:
        """What of the mark the customer would see."""
        return self.body, self.footer, self.product


def fault(body: str, footer: str) -> str:
    """Return why these texts cannot be sent, in words; ``""`` where they can. Lengths are counted in code points."""
    found = []
    for name, text, limit in (("body", body, payloads.BODY), ("footer", footer, payloads.FOOTER)):
        if (over := len(text) - limit) > 0:
            found.append(f"the {name} is {over:,} characters too long (at most {limit:,})")
        if any("\ud800" <= character <= "\udfff" for character in text):
            found.append(f"the {name} holds half of a character")
    return " and ".join(found)


class Decisions:
    """
    The marks of the rows of a selected frame, by position, with undo.

    `paths` are the files to keep them in, the first to write to; none for memory only. `by` is the name that is
    written beside each. `columns` holds, as lists, what the rows show now, with products as swapped; the texts are in
    `marks`. `withdrawn` counts earlier decisions on rows that have changed since. Raises DataError where a path holds
    something else.
    """

    def __init__(
        self, rows: pd.DataFrame, shelf: Shelf, paths: Sequence[str | os.PathLike[str]] = (), by: str = ""
    ) -> None:
        self.rows, self.by, self._shelf = rows, by, shelf
        self.alternatives = Alternatives(rows, shelf)
        self.sendable: list[bool] = (rows["decision"] == selection.SEND).tolist()
        self.columns: dict[str, list[Any]] = {str(name): rows[name].tolist() for name in rows.columns}
        self._seen = list(zip(*(self.columns[name] for name in _SEEN), strict=True))
        self._row_of = {(seen[0], seen[1]): row for row, seen in enumerate(self._seen)}
        texts = zip(self.columns["body"], self.columns["footer"], strict=True)
        self.proposed = [Mark(body=body, footer=footer) for body, footer in texts]
        self.marks = list(self.proposed)
        self.withdrawn = 0
        self._done: list[tuple[str, dict[int, Mark]]] = []
        self._journal = Journal(paths, STATES) if paths else None
        if self._journal:
            self._begin(self._journal.begin())

    @property
    def undoable(self) -> str:
        """What `undo` would take back, in words; ``""`` where there is nothing."""
        return self._done[-1][0] if self._done else ""

    @property
    def unreadable(self) -> int:
        """How many broken lines the files have."""
        return self._journal.unreadable if self._journal else 0

    def edited(self, row: int) -> bool:
        """Return whether `row` shows other texts or another product than proposed."""
        return self.marks[row].shown != self.proposed[row].shown

    def name(self, row: int) -> str:
        """Return what to call `row` in a sentence."""
        return f"{self.columns['product_retailer_id'][row]!r} for customer {self.columns['customer_id'][row]}"

    # What a person does. Each is one step for `undo`, and either done as a whole or refused as a whole.

    def decide(self, rows: Iterable[int], state: str) -> list[int]:
        """
        Set `rows` to `state` (approved, rejected or ``""``); return those that changed.

        Raises DataError for an unknown state, a skipped row or a message that cannot be sent.
        """
        if state not in STATES:
            raise DataError(f"a row is {list(STATES)}, not {state!r}")
        changed = {row: replace(self.marks[row], state=state) for row in rows if self.marks[row].state != state}
        for row, mark in changed.items():
            self._refuse_skipped(row)
            if state == APPROVED and (why := fault(mark.body, mark.footer)):
                raise DataError(f"{self.name(row)} cannot be approved: {why}")
        return self._apply({OPEN: "withdraw", APPROVED: "approve", REJECTED: "reject"}[state], changed)

    def edit(self, texts: Mapping[int, tuple[str, str]]) -> list[int]:
        """Give rows these bodies and footers and withdraw their decisions; return what changed. Raises by `fault`."""
        changed = {}
        for row, told in texts.items():
            self._refuse_skipped(row)
            if why := fault(*told):
                raise DataError(f"{self.name(row)} was not edited: {why}")
            body, footer = (text if text.strip() else "" for text in told)
            mark = self.marks[row]
            if (mark.body, mark.footer) != (body, footer):
                changed[row] = replace(mark, state=OPEN, body=body, footer=footer)
        return self._apply("edit", changed)

    def swap(self, row: int, product: str) -> list[int]:
        """
        Show `product` in `row` and withdraw its decision; return what changed.

        The texts become those proposed for the product; in texts that a person wrote its title replaces the other's.
        Raises DataError for a product that cannot be sent.
        """
        self._refuse_skipped(row)
        if why := self._shelf.why_not(product):
            raise DataError(f"{product!r} cannot be shown: {why}")
        mark, now = self.marks[row], self.columns["product_retailer_id"][row]
        if product == now:
            return []
        if (mark.body, mark.footer) == self.alternatives.texts(row, now):
            body, footer = self.alternatives.texts(row, product)
        else:
            title = self.alternatives.values(row, product)["title"]
            body, footer = renamed(mark.body, self.columns["title"][row], title), mark.footer
        if why := fault(body, footer):
            raise DataError(f"{self.name(row)} was not swapped: {why}")
        other = "" if product == self._seen[row][1] else product
        return self._apply("swap", {row: replace(mark, state=OPEN, body=body, footer=footer, product=other)})

    def undo(self) -> list[int]:
        """Take back the last change, whatever it was; return the rows that changed."""
        if not self._done:
            return []
        _, before = self._done.pop()
        self._write(before)
        return list(before)

    def catch_up(self) -> list[int]:
        """Take in what others wrote to the files since; return the rows that changed."""
        return self._take(self._journal.news()) if self._journal else []

    def _refuse_skipped(self, row: int) -> None:
        if not self.sendable[row]:
            raise DataError(f"{self.name(row)} is skipped and cannot be decided: {self.columns['reason'][row]}")

    def _apply(self, verb: str, changes: dict[int, Mark]) -> list[int]:
        if changes:
            what = f"{verb} {len(changes):,} rows" if len(changes) > 1 else verb
            before = {row: self.marks[row] for row in changes}
            self._write(changes)
            self._done.append((what, before))
        return list(changes)

    def _write(self, changes: Mapping[int, Mark]) -> None:
        """Write first, then show: what the screen says is on the disk."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        marks = {row: replace(mark, by=self.by, at=at) for row, mark in changes.items()}
        if self._journal:
            self._take(self._journal.add(self._line(row, mark) for row, mark in marks.items()))
        for row, mark in marks.items():
            self._set(row, mark)

    def _set(self, row: int, mark: Mark) -> None:
        if mark.product != self.marks[row].product:
            for name, value in self.alternatives.values(row, mark.product or self._seen[row][1]).items():
                self.columns[name][row] = value
        self.marks[row] = mark

    # On disk

    def _line(self, row: int, mark: Mark) -> dict[str, Any]:
        customer_id, product, *_ = self._seen[row]
        line = {"at": mark.at, "by": mark.by, "customer_id": customer_id, "product_retailer_id": product}
        line |= {"content": _content(self._seen[row]), "state": mark.state}
        proposed = self.proposed[row]
        line |= {
            name: getattr(mark, name) for name in ("body", "footer") if getattr(mark, name) != getattr(proposed, name)
        }
        return line | ({"swap": mark.product, "swapped": self._swapped(row, mark.product)} if mark.product else {})

    def _swapped(self, row: int, product: str) -> str:
        values = self.alternatives.values(row, product)
        return _content([values[name] for name in _OF_PRODUCT])

    def _begin(self, lines: Iterable[Line]) -> None:
        """Restore the last line of each row's content; what was decided on another content is withdrawn."""
        kept, states = {}, {}
        for line in lines:
            key = line["customer_id"], line["product_retailer_id"]
            kept[*key, line["content"]] = line
            states[key] = line["state"]
        for key, row in self._row_of.items():
            if key not in states:
                continue
            last = kept.get((*key, _content(self._seen[row])))
            mark = None if last is None else self._restored(row, last)
            self.withdrawn += states[key] != OPEN if mark is None else mark.state != states[key]
            if mark is not None:
                self._set(row, mark)

    def _take(self, lines: Iterable[Line]) -> list[int]:
        changed = {}
        for line in lines:
            row = self._row_of.get((line["customer_id"], line["product_retailer_id"]))
            if row is not None and line["content"] == _content(self._seen[row]):
                mark = self._restored(row, line)
                if mark is not None and mark != self.marks[row]:
                    self._set(row, mark)
                    changed[row] = mark
        return list(changed)

    def _restored(self, row: int, line: Line) -> Mark | None:
        """Return the mark that `line` tells of `row`, None where it does not hold any more."""
        proposed, product = self.proposed[row], line.get("swap", "")
        body, footer = line.get("body", proposed.body), line.get("footer", proposed.footer)
        if fault(body, footer):
            return None
        if product and (self._shelf.why_not(product) or self._swapped(row, product) != line.get("swapped")):
            return None
        return Mark(line["state"] if self.sendable[row] else OPEN, body, footer, product, line["by"], line["at"])


def _content(values: Iterable[object]) -> str:
    return sha256(json.dumps([str(value) for value in values]).encode()).hexdigest()[:16]
