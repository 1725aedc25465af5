"""Taking orders into a store: a segment a frame, then all segments merged; whatever happens, nothing half or twice."""

from __future__ import annotations

import hashlib
import shutil
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
from filelock import FileLock

from wa_products import frames, parts
from wa_products.errors import DataError
from wa_products.stores import manifests, tables
from wa_products.stores.lines import StoredOrders
from wa_products.stores.manifests import Manifest, Segment

if TYPE_CHECKING:
    from collections.abc import Iterator

_ORDER = ("customer_id", "product_retailer_id", "ordered_at")
_ALONE = 0o700


class Store:
    """
    A folder that takes in orders, frame by frame, readable by its owner alone.

    A frame is taken in under a name, once: after a kill the same frames are given again, and only what is missing is
    written. `merge` puts all that was taken in into one file a part, sorted, for quick reading; it too goes on where
    it was stopped. Only one process writes at a time.
    """

    def __init__(self, root: str | Path, *, parts: int = manifests.PARTS) -> None:
        """Open the store at `root`, or make one there of `parts` parts, a power of two."""
        self.root = Path(root)
        if parts < 1 or parts & (parts - 1):
            raise DataError(f"a store has 1, 2, 4, 8, ... parts, not {parts}")
        if not manifests.is_store(self.root):
            if self.root.exists() and (not self.root.is_dir() or any(self.root.iterdir())):
                raise DataError(f"{self.root} is no order store: give an empty or a new folder")
            self.root.mkdir(mode=_ALONE, parents=True, exist_ok=True)
            self.root.chmod(_ALONE)
            Manifest(parts=parts).write(self.root)
        self.manifest = manifests.read(self.root)

    def __repr__(self) -> str:
        lines = sum(segment.lines for segment in self.manifest.segments)
        return (
            f"<Store of {lines:,} order lines in {self.manifest.parts} parts, {len(self.manifest.taken)} frames taken>"
        )

    @property
    def orders(self) -> StoredOrders:
        """What the store holds."""
        return StoredOrders(root=self.root, manifest=self.manifest)

    def append(self, orders: pd.DataFrame, name: str, *, goes_on: bool = False) -> bool:
        """
        Take in a frame of `orders` under `name`; return False where that was done before.

        Orders that an earlier frame told of are replaced by what this one tells, unless it `goes_on`: it then is more
        of the same export. Raises DataError where a column is missing.
        """
        frames.require(orders, [*_ORDER, "order_id", "line_no", "is_purchase"], "the orders")
        with self._writing():
            if name in self.manifest.taken:
                return False
            lines = frames.conform(orders, frames.ORDERS, "the orders")
            folder = f"segment-{hashlib.sha256(name.encode()).hexdigest()[:24]}"
            self._write_segment(lines, folder)
            turn = max(self.manifest.turns - goes_on, 0)
            latest = lines["ordered_at"].max() if len(lines) else pd.Timestamp(0, tz="UTC")
            segment = Segment(folder=folder, turn=turn, lines=len(lines), latest=latest.isoformat())
            self._now(segments=(*self.manifest.segments, segment), taken=(*self.manifest.taken, name))
        return True

    def merge(self) -> None:
        """Put all segments into one; orders told several times are kept as last told."""
        with self._writing():
            before = self.manifest.segments
            if len(before) < 2:  # noqa: PLR2004  # one needs no merging
                return
            key = hashlib.sha256(repr(before).encode()).hexdigest()[:24]
            made = self.root / f".merging-{key}"
            made.mkdir(exist_ok=True)
            lines = sum(self._merge_part(number, made) for number in range(self.manifest.parts))
            folder = f"merged-{key}"
            shutil.rmtree(self.root / folder, ignore_errors=True)
            made.replace(self.root / folder)
            latest = max(before, key=lambda segment: pd.Timestamp(segment.latest)).latest
            turn = max(segment.turn for segment in before)
            self._now(segments=(Segment(folder=folder, turn=turn, lines=lines, latest=latest),))
            self._clear()

    def describe(self, **shop: str) -> None:
        """Keep facts on the shop beside the orders."""
        with self._writing():
            self._now(shop={**self.manifest.shop, **shop})

    def _now(self, **changes: object) -> None:
        manifest = replace(self.manifest, **changes)  # type: ignore[arg-type]  # names and values of its fields
        manifest.write(self.root)
        self.manifest = manifest

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with FileLock(self.root / ".lock"):
            self.manifest = manifests.read(self.root)
            yield

    def _write_segment(self, lines: pd.DataFrame, folder: str) -> None:
        made = self.root / f".new-{folder}"
        for place in (made, self.root / folder):
            shutil.rmtree(place, ignore_errors=True)
        made.mkdir()
        part = (parts.places_of_rows(lines["customer_id"]) * self.manifest.parts).astype("int64")
        table = tables.to_table(lines)
        order = np.lexsort((*_keys(lines), part))
        ends = np.searchsorted(part[order], np.arange(self.manifest.parts + 1))
        for number, (first, last) in enumerate(pairwise(ends)):
            if last > first:
                tables.write(table.take(pa.array(order[first:last])), made / f"{number:05}.parquet")
        made.replace(self.root / folder)

    def _merge_part(self, number: int, made: Path) -> int:
        """Write one part of all segments, unless that is done; return its lines."""
        path = made / f"{number:05}.parquet"
        if not path.is_file():
            orders = replace(self.orders, number=number, parts=self.manifest.parts)
            every = [table for table in orders.tables() if table.num_rows]
            if not every:
                return 0
            whole = pa.concat_tables(every)
            keys = tables.to_categories(
                pa.table({name: whole[name].dictionary_encode() for name in _ORDER[:2]} | {_ORDER[2]: whole[_ORDER[2]]})
            )
            beside = path.with_name(f".{path.name}.new")
            tables.write(whole.take(pa.array(np.lexsort(_keys(keys)))), beside)
            beside.replace(path)
        return tables.rows(path)

    def _clear(self) -> None:
        """Remove what the store does not hold any more, or never came to hold."""
        held = {segment.folder for segment in self.manifest.segments}
        for place in self.root.iterdir():
            ours = place.name.startswith(("segment-", "merged-", ".new-", ".merging-"))
            if ours and place.name not in held:
                shutil.rmtree(place, ignore_errors=True)


def _keys(lines: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what lines are sorted by, the last key first."""
    times = lines["ordered_at"].to_numpy(dtype="datetime64[us]")
    product, customer = (frames.coded(lines[name])[0] for name in ("product_retailer_id", "customer_id"))
    return times, product, customer
