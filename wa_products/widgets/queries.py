"""Which rows of a review are shown, and in which order: positions in, positions out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from wa_products import windows
from wa_products.widgets.decisions import OPEN, STATES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from wa_products.widgets.decisions import Decisions

    Test = Callable[[int], bool]

SHOWS = ("open", "approved", "rejected", "skipped", "all")
SORTS = ("proposed", "probability", "closes", "price", "title", "customer")
CLOSED = "closed"
CLOSINGS = ("", "1", "3", "6", "12", CLOSED)  # hours from now
_COLUMNS = {
    "probability": (["probability"], False),
    "closes": (["closes_at"], True),
    "price": (["currency", "price"], True),
    "title": (["title"], True),
    "customer": (["customer_id", "rank"], True),
}
_SEARCHED = ("title", "customer_id", "product_retailer_id", "why", "reason")


@dataclass(frozen=True)
class Query:
    """
    What to show: every word of `text` found, of one tab, kind, reason and product (``""`` is any), in order of `sort`.

    `least` is the smallest probability; `closing` one of `CLOSINGS`, windows that close within so many hours.
    """

    text: str = ""
    show: str = "all"
    kind: str = ""
    reason: str = ""
    product: str = ""
    least: float = 0.0
    closing: str = ""
    sort: str = "proposed"


class Finder:
    """Answers queries over the rows of one review; what it needs of them is made once, when first asked for."""

    def __init__(self, decisions: Decisions) -> None:
        self._decisions = decisions
        self._orders: dict[str, list[int]] = {}
        self._told: list[str] = []

    def find(self, query: Query, now: pd.Timestamp) -> list[int]:
        """Return the positions of the rows that `query` shows at `now`, in its order."""
        order = self._order(query.sort)
        for test in self._tests(query, now):
            order = list(filter(test, order))
        return order

    def groups(self, rows: Iterable[int]) -> list[dict[str, Any]]:
        """Return the products of `rows`, each with the number of its rows by what became of them; most rows first."""
        columns, marks, sendable = self._decisions.columns, self._decisions.marks, self._decisions.sendable
        counts: dict[str, Counter[str]] = {}
        first: dict[str, int] = {}
        for row in rows:
            product = columns["product_retailer_id"][row]
            first.setdefault(product, row)
            counts.setdefault(product, Counter())[marks[row].state or "open" if sendable[row] else "skipped"] += 1
        order = sorted(first, key=lambda product: -counts[product].total())
        return [{"product": product, "row": first[product], **counts[product]} for product in order]

    def changed(self, rows: Iterable[int]) -> None:
        """Forget what was known of rows whose texts or product changed."""
        self._orders.clear()
        if self._told:
            for row in rows:
                self._told[row] = self._text(row)

    def _tests(self, query: Query, now: pd.Timestamp) -> list[Test]:
        tests: list[Test] = []
        columns, marks, sendable = self._decisions.columns, self._decisions.marks, self._decisions.sendable
        if query.show == "skipped":
            tests.append(lambda row: not sendable[row])
        elif query.show != "all":
            state = OPEN if query.show == "open" else STATES[SHOWS.index(query.show)]
            tests.append(lambda row: sendable[row] and marks[row].state == state)
        for wanted, name in ((query.kind, "kind"), (query.reason, "reason"), (query.product, "product_retailer_id")):
            if wanted:
                tests.append(lambda row, values=columns[name], wanted=wanted: values[row] == wanted)  # type: ignore[misc]
        if query.least:
            tests.append(lambda row, values=columns["probability"]: values[row] >= query.least)  # type: ignore[misc]
        if query.closing:
            tests.append(self._closing(query.closing, now))
        if words := query.text.casefold().split():
            told = self._told = self._told or [self._text(row) for row in range(len(marks))]
            tests += [lambda row, word=word: word in told[row] for word in words]  # type: ignore[misc]
        return tests

    def _closing(self, closing: str, now: pd.Timestamp) -> Test:
        closes = self._decisions.rows["closes_at"]
        is_open = windows.is_open(closes, now, pd.Timedelta(0))
        if closing == CLOSED:
            return (~is_open).tolist().__getitem__
        soon = is_open & (closes <= now + pd.Timedelta(hours=int(closing)))
        return soon.tolist().__getitem__

    def _order(self, sort: str) -> list[int]:
        if sort not in self._orders:
            positions = pd.RangeIndex(len(self._decisions.marks))
            if sort in _COLUMNS:
                names, ascending = _COLUMNS[sort]
                keyed = pd.DataFrame({name: _sortable(name, self._decisions.columns[name]) for name in names})
                positions = keyed.sort_values(names, ascending=ascending, kind="stable", na_position="last").index
            self._orders[sort] = positions.tolist()
        return self._orders[sort]

    def _text(self, row: int) -> str:
        mark = self._decisions.marks[row]
        texts = [str(self._decisions.columns[name][row]) for name in _SEARCHED]
        return "\n".join([*texts, mark.body, mark.footer]).casefold()


def _sortable(name: str, values: list[Any]) -> list[Any]:
    if name == "price":
        return [float("nan") if price is None else float(price) for price in values]
    return [text.casefold() for text in values] if name == "title" else values
