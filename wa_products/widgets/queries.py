"""Which rows of a review are shown, and in which order: positions in, positions out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from wa_products.widgets.decisions import OPEN, STATES

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from wa_products.widgets.decisions import Decisions

SHOWS = ("open", "approved", "rejected", "skipped", "all")
SORTS = ("proposed", "probability", "closes", "price", "title", "customer")
_COLUMNS = {
    "probability": (["probability"], False),
    "closes": (["closes_at"], True),
    "price": (["currency", "price"], True),
    "title": (["title"], True),
    "customer": (["customer_id", "rank"], True),
}
_SEARCHED = ("title", "customer_id", "product_retailer_id", "why", "reason", "body")


@dataclass(frozen=True)
class Query:
    """What to show: every word of `text` found, of one tab, kind and reason (``""`` is any), in the order of `sort`."""

    text: str = ""
    show: str = "all"
    kind: str = ""
    reason: str = ""
    sort: str = "proposed"


class Finder:
    """Answers queries over the rows of one review; what it needs of them is made once, when first asked for."""

    def __init__(self, decisions: Decisions) -> None:
        self._decisions = decisions
        self._rows: pd.DataFrame = decisions.rows
        self._orders: dict[str, list[int]] = {}

    def find(self, query: Query) -> list[int]:
        """Return the positions of the rows that `query` shows, in its order."""
        tests = self._tests(query)
        order = self._order(query.sort)
        for test in tests:
            order = list(filter(test, order))
        return order

    def _tests(self, query: Query) -> list[Callable[[int], bool]]:
        tests: list[Callable[[int], bool]] = []
        marks, sendable = self._decisions.marks, self._decisions.sendable
        if query.show == "skipped":
            tests.append(lambda row: not sendable[row])
        elif query.show != "all":
            state = OPEN if query.show == "open" else STATES[SHOWS.index(query.show)]
            tests.append(lambda row: sendable[row] and marks[row].state == state)
        for wanted, column in ((query.kind, "kind"), (query.reason, "reason")):
            if wanted:
                matches = (self._rows[column] == wanted).tolist()
                tests.append(matches.__getitem__)
        if words := query.text.casefold().split():
            tests.append(lambda row: all(word in self._haystack[row] for word in words))
        return tests

    def _order(self, sort: str) -> list[int]:
        if sort not in self._orders:
            rows = self._rows.reset_index(drop=True)
            if sort in _COLUMNS:
                columns, ascending = _COLUMNS[sort]
                keyed = rows[columns].assign(**{c: _sortable(rows[c]) for c in columns})
                rows = keyed.sort_values(columns, ascending=ascending, kind="stable", na_position="last")
            self._orders[sort] = rows.index.tolist()
        return self._orders[sort]

    @cached_property
    def _haystack(self) -> list[str]:
        columns = [self._rows[column].tolist() for column in _SEARCHED]
        return ["\n".join(texts).casefold() for texts in zip(*columns, strict=True)]


def _sortable(values: pd.Series) -> pd.Series:
    if values.name == "price":
        return values.map(lambda price: float("nan") if price is None else float(price)).astype("float64")
    return values.str.casefold() if values.name == "title" else values
