"""
What a person decided about each row, and how a row was edited: in memory, and line by line on disk where asked.

A decision belongs to a row and to what the customer would see of it (`content`). A row whose product, price or
text has changed since is undecided again. The file is JSON lines, only ever appended to, readable by its owner
alone: the last line of a row and content counts.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wa_products import payloads, selection
from wa_products.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pandas as pd

OPEN, APPROVED, REJECTED = "", "approved", "rejected"
STATES = (OPEN, APPROVED, REJECTED)
_SEEN = ("customer_id", "product_retailer_id", "title", "price", "currency", "body", "footer")


@dataclass(frozen=True)
class Mark:
    """What stands beside one row: its state, its texts as edited, and who decided when (ISO 8601, UTC)."""

    state: str = OPEN
    body: str = ""
    footer: str = ""
    by: str = ""
    at: str = ""


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

    `path` is the file to keep them in, None for memory only; `by` is the name that is written beside each.
    `withdrawn` counts earlier decisions on rows that have changed since, `unreadable` the broken lines of the file.
    Raises DataError where `path` holds something else.
    """

    def __init__(self, rows: pd.DataFrame, path: str | os.PathLike[str] | None = None, by: str = "") -> None:
        self.rows = rows
        self.by = by
        self.sendable: list[bool] = (rows["decision"] == selection.SEND).tolist()
        self._seen = list(zip(*(rows[column].tolist() for column in _SEEN), strict=True))
        self.proposed = [
            Mark(body=body, footer=footer) for body, footer in zip(rows["body"], rows["footer"], strict=True)
        ]
        self.marks = list(self.proposed)
        self.withdrawn = self.unreadable = 0
        self._path = None if path is None else Path(path)
        self._done: list[tuple[str, dict[int, Mark]]] = []
        if self._path is not None and self._path.exists():
            self._read(self._path)

    @property
    def undoable(self) -> str:
        """What `undo` would take back, in words; ``""`` where there is nothing."""
        return self._done[-1][0] if self._done else ""

    def edited(self, row: int) -> bool:
        """Return whether the texts of `row` differ from those proposed."""
        mark, proposed = self.marks[row], self.proposed[row]
        return (mark.body, mark.footer) != (proposed.body, proposed.footer)

    def decide(self, rows: Iterable[int], state: str) -> list[int]:
        """
        Set `rows` to `state` (approved, rejected or ``""``); return those that changed.

        Raises DataError, and changes nothing, for an unknown state, a skipped row or a text that cannot be sent.
        """
        if state not in STATES:
            raise DataError(f"a row is {list(STATES)}, not {state!r}")
        changed = {row: self.marks[row] for row in rows if self.marks[row].state != state}
        for row, mark in changed.items():
            if not self.sendable[row]:
                raise DataError(f"{self._name(row)} is skipped and cannot be decided: {self.rows['reason'].iloc[row]}")
            if state == APPROVED and (why := fault(mark.body, mark.footer)):
                raise DataError(f"{self._name(row)} cannot be approved: {why}")
        verb = {OPEN: "withdraw", APPROVED: "approve", REJECTED: "reject"}[state]
        return self._apply(verb, {row: (state, mark.body, mark.footer) for row, mark in changed.items()})

    def edit(self, row: int, body: str, footer: str) -> list[int]:
        """Replace the texts of `row`, withdraw its decision, return what changed. Raises DataError by `fault`."""
        if why := fault(body, footer):
            raise DataError(f"{self._name(row)} was not edited: {why}")
        body, footer = (text if text.strip() else "" for text in (body, footer))
        if (self.marks[row].body, self.marks[row].footer) == (body, footer):
            return []
        return self._apply("edit", {row: (OPEN, body, footer)})

    def undo(self) -> list[int]:
        """Take back the last change, whatever it was; return the rows that changed."""
        if not self._done:
            return []
        _, before = self._done.pop()
        self._write({row: (mark.state, mark.body, mark.footer) for row, mark in before.items()})
        return list(before)

    def _apply(self, verb: str, changes: dict[int, tuple[str, str, str]]) -> list[int]:
        if changes:
            what = f"{verb} {len(changes):,} rows" if len(changes) > 1 else verb
            self._done.append((what, {row: self.marks[row] for row in changes}))
            self._write(changes)
        return list(changes)

    def _write(self, changes: dict[int, tuple[str, str, str]]) -> None:
        """Write first, then show: what the screen says is on the disk."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        marks = {row: Mark(state, body, footer, self.by, at) for row, (state, body, footer) in changes.items()}
        if self._path is not None:
            _append(self._path, (self._line(row, mark) for row, mark in marks.items()))
        for row, mark in marks.items():
            self.marks[row] = mark

    def _line(self, row: int, mark: Mark) -> dict[str, Any]:
        customer_id, product = self._key(row)
        line = {"at": mark.at, "by": mark.by, "customer_id": customer_id, "product_retailer_id": product}
        line |= {"content": self._content(row), "state": mark.state}
        proposed = self.proposed[row]
        return line | {
            name: getattr(mark, name) for name in ("body", "footer") if getattr(mark, name) != getattr(proposed, name)
        }

    def _read(self, path: Path) -> None:
        kept, keys = {}, {}
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        for line in filter(str.strip, lines):
            if (found := _parsed(line)) is None:
                self.unreadable += 1
                continue
            key = (found["customer_id"], found["product_retailer_id"])
            kept[*key, found["content"]] = found
            keys[key] = found["state"]
        if self.unreadable and not kept:
            raise DataError(f"{path} holds no decisions of a review: give another name")
        for row, key in enumerate(zip(self.rows["customer_id"], self.rows["product_retailer_id"], strict=True)):
            if key in keys:
                self._restore(row, kept.get((*key, self._content(row))), decided=keys[key] != OPEN)

    def _restore(self, row: int, found: dict[str, str] | None, *, decided: bool) -> None:
        proposed = self.proposed[row]
        if found is None:
            self.withdrawn += decided
            return
        body, footer = found.get("body", proposed.body), found.get("footer", proposed.footer)
        if fault(body, footer):
            self.withdrawn += decided
            return
        state = found["state"] if self.sendable[row] else OPEN
        self.withdrawn += state != found["state"]
        self.marks[row] = Mark(state, body, footer, found["by"], found["at"])

    def _key(self, row: int) -> tuple[str, str]:
        customer_id, product, *_ = self._seen[row]
        return customer_id, product

    def _name(self, row: int) -> str:
        customer_id, product = self._key(row)
        return f"{product!r} for customer {customer_id}"

    def _content(self, row: int) -> str:
        seen = [str(value) for value in self._seen[row]]
        return sha256(json.dumps(seen).encode()).hexdigest()[:16]


def _append(path: Path, lines: Iterator[dict[str, Any]]) -> None:
    """Add `lines` in one write that has reached the disk on return; a line cut short before is closed first."""
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "rb+", buffering=0) as file:
        if file.seek(0, os.SEEK_END) and file.seek(-1, os.SEEK_END) >= 0 and file.read(1) != b"\n":
            text = "\n" + text
        file.write(text.encode())
        os.fsync(file.fileno())


def _parsed(line: str) -> dict[str, str] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    needed = {"at", "by", "customer_id", "product_retailer_id", "content", "state"}
    if not isinstance(found, dict) or not needed <= set(found) or found["state"] not in STATES:
        return None
    return found if all(isinstance(value, str) for value in found.values()) else None
