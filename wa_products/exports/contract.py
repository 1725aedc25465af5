"""
What a format is: how it is recognised by content, and how its rows become a canonical frame.

A table format names the columns it cannot do without; recognising it, naming the nearest format for an unknown
file and reading only the columns it wants then come for nothing. A JSON format looks at the first document.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from wa_products.exports.names import normal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import pandas as pd

    from wa_products.exports.issues import Found
    from wa_products.exports.sources import Source
    from wa_products.exports.tables import Table

Kind = Literal["catalog", "orders", "inbound"]
Shape = Literal["table", "json", "xml"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """What only the shop can know: currency, region (ISO 3166), time zone; and the moment of reading (UTC)."""

    as_of: pd.Timestamp
    currency: str = ""
    region: str = ""
    timezone: str = ""


@dataclass(frozen=True, kw_only=True)
class Format:
    """
    One kind of export.

    `readers` maps what the file can give (catalog, orders, inbound) to ``read(content, options, found) -> frame``;
    `content` is a `Table`, or for JSON the list of (line, document). `required` holds, for each column that a table
    must have, its accepted names; `known` the names it may have. `wanted` limits what is read; None reads all.
    `recognise` looks at the first JSON document, or at the first text of an XML file. `table` makes the content of a
    JSON or XML file where that is a table: ``table(source, found) -> Table``.
    """

    name: str
    readers: Mapping[Kind, Callable[[Any, Options, Found], pd.DataFrame]]
    shape: Shape = "table"
    required: tuple[tuple[str, ...], ...] = ()
    known: frozenset[str] = frozenset()
    wanted: frozenset[str] | None = None
    recognise: Callable[[Any], bool] = field(default=lambda _document: False, repr=False)
    table: Callable[[Source, Found], Table] | None = field(default=None, repr=False)

    def score(self, header: Iterable[str]) -> float:
        """Return how well a header row fits: 0 unless each required column is there; more columns score higher."""
        names = {normal(name) for name in header}
        if not self.required or self.missing(names):
            return 0.0
        return len(self.required) + len(names & self.known) / 100

    def missing(self, names: Iterable[str]) -> list[str]:
        """Return the required columns that `names` lacks, each by the first of its accepted names."""
        have = {normal(name) for name in names}
        return [accepted[0] for accepted in self.required if not any(normal(name) in have for name in accepted)]
