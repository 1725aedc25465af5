"""The order lines of a store as a `Dataset` reads them: some columns, some parts, part after part."""

from __future__ import annotations

import hashlib
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from tqdm import tqdm

from wa_products import frames, parts
from wa_products.exports.caches import key_of
from wa_products.stores import results, tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from concurrent.futures import Future
    from pathlib import Path

    from wa_products.parts import Stored
    from wa_products.stores.manifests import Manifest

Made = TypeVar("Made")
_TURN = "turn"
_PATIENCE = 2  # seconds before progress is shown
_A_PART = 2_500  # customers worth a part of their own


@dataclass(frozen=True, eq=False, kw_only=True)
class StoredOrders:
    """
    The lines of a store that are earlier than `until`, of customers whose place is below `share`.

    They are part `number` of `parts` of the customers: all of them are part 0 of 1. `workers` parts are worked on at
    once, by threads. `added` are lines that the store does not hold, by its parts; of `customers`, where
    they are named, only these are there: `each` goes through them in fewer parts, and what was read of them once is
    `remembered`, column by column.
    """

    root: Path
    manifest: Manifest
    until: pd.Timestamp | None = None
    share: float = 1.0
    number: int = 0
    parts: int = 1
    workers: int = 1
    progress: bool = False
    added: Mapping[int, pa.Table] = field(default_factory=dict)
    customers: pd.Index | None = None
    remembered: dict[tuple[int, bool], dict[str, pa.ChunkedArray]] = field(init=False, default_factory=dict, repr=False)

    def __len__(self) -> int:
        """Return how many lines there are."""
        cut = self._cuts or self.added or self.customers is not None
        if self.parts == self.share == 1 and not cut and self.manifest.turns < 2:  # noqa: PLR2004
            return sum(segment.lines for segment in self.manifest.segments)
        return sum(table.num_rows for table in self.tables(["ordered_at"]))

    def frame(self) -> pd.DataFrame:
        """Return all lines as a frame of orders, in the order of time."""
        made = [tables.to_frame(table) for table in self.tables()]
        whole = pd.concat(made, ignore_index=True) if made else frames.empty(frames.ORDERS)
        ordered = whole.sort_values(["ordered_at", "order_id", "line_no"], kind="stable", ignore_index=True)
        return frames.conform(ordered, frames.ORDERS, "the stored orders")

    def read(self, columns: list[str]) -> pd.DataFrame:
        """Return these columns of all lines, texts as categories."""
        read = list(self.tables(columns, coded=True))
        return tables.to_categories(pa.concat_tables(read)) if read else frames.empty(frames.ORDERS)[columns]

    def before(self, at: pd.Timestamp) -> StoredOrders:
        """Return only the lines earlier than `at`."""
        return replace(self, until=at if self.until is None else min(at, self.until))

    def first(self, share: float) -> StoredOrders:
        """Return only the lines of customers whose place is below `share`."""
        return replace(self, share=min(share, self.share))

    def of(self, customers: pd.Index) -> StoredOrders:
        """Return only the lines of `customers`."""
        both = customers if self.customers is None else self.customers.intersection(customers)
        return replace(self, customers=both)

    def with_lines(self, lines: pd.DataFrame) -> StoredOrders:
        """Return these lines and others that the store does not hold."""
        numbers = (parts.places_of_rows(lines["customer_id"]) * self.manifest.parts).astype("int64")
        added = {int(number): tables.to_table(some) for number, some in lines.groupby(numbers)}
        return replace(self, added=added)

    def each(self, function: Callable[[Stored], Made]) -> Iterator[Made]:
        """Return what `function` makes of each part, in the order of the parts, a few parts at a time."""
        if self.parts >= (divided := self._divided):
            yield function(self)
            return
        first, last = (number * divided // self.parts for number in (self.number, self.number + 1))
        some = range(first, min(last, int(np.ceil(self.share * divided))))
        every = [replace(self, number=number, parts=divided) for number in some]
        shown = tqdm(total=len(every), disable=not self.progress, unit="part", leave=False, delay=_PATIENCE)
        with ThreadPoolExecutor(self.workers) as pool, shown as bar:
            waiting: deque[Future[Made]] = deque()
            for part in every:
                waiting.append(pool.submit(function, part))
                if len(waiting) > self.workers:
                    yield waiting.popleft().result()
                    bar.update()
            while waiting:
                yield waiting.popleft().result()
                bar.update()

    def kept(self, function: Callable[[Stored], pd.DataFrame], question: bytes) -> Iterator[pd.DataFrame]:
        """Return the frames that `function` makes of each part; those of a run that was stopped are taken over."""
        key = key_of(hashlib.sha256(question).hexdigest(), self.manifest.digest, str(self.until))
        return results.kept(self.root, key, self.each, function)

    @property
    def _divided(self) -> int:
        """Into how many parts all customers are divided to be worked on: for few of them, fewer than the store has."""
        if self.customers is None:
            return self.manifest.parts
        enough = max(self.workers, len(self.customers) // _A_PART)
        return min(self.manifest.parts, 1 << (enough - 1).bit_length())

    def _range(self) -> list[int]:
        """Return the numbers of the store's own parts that hold these lines."""
        each = self.manifest.parts // self.parts
        most = int(np.ceil(self.share * self.manifest.parts))
        every = range(self.number * each, min((self.number + 1) * each, most))
        return [number for number in every if self._homes is None or number in self._homes]

    @cached_property
    def _homes(self) -> set[int] | None:
        """The numbers of the store's own parts in which the customers are that are named."""
        if self.customers is None:
            return None
        return set((parts.places(self.customers) * self.manifest.parts).astype("int64").tolist())

    def tables(self, columns: list[str] | None = None, *, coded: bool = False) -> Iterator[pa.Table]:
        """Yield the lines of each of the store's own parts, all columns or these."""
        for number in self._range():
            read = self._part(number, columns, coded=coded)
            if read is not None and read.num_rows:
                yield read

    def _part(self, number: int, columns: list[str] | None, *, coded: bool) -> pa.Table | None:
        """Return the lines of one of the store's parts; of some customers, what was read before is not read again."""
        if self.customers is None or columns is None:
            return self._read(number, columns, coded=coded)
        known = self.remembered.setdefault((number, coded), {})
        if more := [name for name in columns if name not in known]:
            read = self._read(number, more, coded=coded)
            known |= {} if read is None else dict(zip(read.column_names, read.columns, strict=True))
        return pa.table({name: known[name] for name in columns if name in known}) if known else None

    def _read(self, number: int, columns: list[str] | None, *, coded: bool) -> pa.Table | None:
        """Return the lines of one of the store's parts, those told again by a later export once."""
        several, partly = self.manifest.turns + bool(self.added) > 1, (number + 1) / self.manifest.parts > self.share
        needed = {
            "order_id": several,
            "ordered_at": self._cuts,
            "customer_id": partly or self.customers is not None,
        }
        extra = [
            name for name, is_needed in needed.items() if is_needed and columns is not None and name not in columns
        ]
        read = [
            table.append_column(_TURN, pa.array(np.full(table.num_rows, turn)))
            for turn, table in self._segments(number, columns if columns is None else [*columns, *extra], coded=coded)
        ]
        if not read:
            return None
        whole = pa.concat_tables(read, promote_options="permissive")
        if self._cuts and self.until is not None:
            until = pa.scalar(self.until.to_datetime64(), pa.timestamp("us")).cast(pa.timestamp("us", "UTC"))
            whole = whole.filter(pc.less(whole["ordered_at"], until))
        if self.customers is not None:
            chosen = tables.are_in(whole["customer_id"], pa.array(self.customers, pa.string()))
            whole = tables.trimmed(whole.filter(chosen))
        if partly:
            whole = whole.filter(pa.array(_places(whole["customer_id"]) < self.share))
        if several:
            whole = whole.filter(pa.array(_latest(whole)))
        return whole.drop_columns([*extra, _TURN])

    def _segments(self, number: int, columns: list[str] | None, *, coded: bool) -> Iterator[tuple[int, pa.Table]]:
        for segment in self.manifest.segments:
            path = file_of(self.root, segment.folder, number)
            if path.is_file():
                yield segment.turn, tables.read(path, columns, coded=coded)
        if number in self.added:
            yield self.manifest.turns, tables.chosen(self.added[number], columns, coded=coded)

    @property
    def _cuts(self) -> bool:
        """Whether there may be lines that are too late."""
        latest = [pd.Timestamp(segment.latest) for segment in self.manifest.segments]
        return self.until is not None and (bool(self.added) or any(at >= self.until for at in latest))


def file_of(root: Path, folder: str, number: int) -> Path:
    """Return where a segment keeps a part."""
    return root / folder / f"{number:05}.parquet"


def _places(customers: pa.ChunkedArray) -> np.ndarray:
    return parts.places_of_rows(tables.to_categories(pa.table({"id": customers.dictionary_encode()}))["id"])


def _latest(lines: pa.Table) -> np.ndarray:
    """Return which lines are of the last export that told of their order."""
    codes, orders = pd.factorize(lines["order_id"].cast(pa.string()).to_pandas())
    turn = lines[_TURN].to_numpy()
    last = np.zeros(len(orders), dtype=turn.dtype)
    np.maximum.at(last, codes, turn)
    return turn == last[codes]
