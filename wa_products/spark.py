"""
The same proposals on a Spark cluster, for shops that no one machine should read.

Spark brings together the lines of each part of the customers; what is done with them is the code that runs in memory
and on a store. The package must be installed on the workers, in the version of the driver.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa

from wa_products import frames, proposals
from wa_products.errors import DataError
from wa_products.parts import Lines, belong, places, places_of_rows
from wa_products.recommenders import Ranked, Requested, protocol
from wa_products.stores import is_store, manifests, tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import pandas as pd
    from pyspark.sql import DataFrame, SparkSession

    from wa_products.datasets import Dataset
    from wa_products.parts import Stored
    from wa_products.recommenders import Recommender

Made = TypeVar("Made")
PARTS = 64
COLUMNS = ("customer_id", "product_retailer_id", "ordered_at", "status", "is_purchase")
_PLACE, _PART = "wa_place", "wa_part"
_TYPES = {"text": "string", "number": "double", "time": "timestamp", "integer": "bigint"}
PROPOSED = {**frames.PROPOSALS, "due_from": "time", "due_until": "time"}
SCHEMA = ", ".join(f"{name} {_TYPES[kind]}" for name, kind in PROPOSED.items())


def propose(
    spark: SparkSession,
    orders: DataFrame | str | Path,
    shop: Dataset,
    *,
    recommenders: Sequence[Recommender] | None = None,
    customers: Iterable[str] | None = None,
    k: int = 3,
    parts: int = PARTS,
) -> DataFrame:
    """
    Return what `wa_products.propose` does, as a Spark table with the columns of `PROPOSED`; `collected` makes a frame.

    `orders` is a table of order lines or its name, with ``customer_id, product_retailer_id, ordered_at`` and, unless
    all lines are purchases, ``is_purchase`` and ``status``; or the folder of an order store that all workers can read.
    `shop` gives all else: catalog, messages, sends and ``as_of``; its own orders are not looked at. Learning reads at
    most 1.5 million purchases to the driver. Take so many `parts` (a power of two) that the lines of one fit into a
    worker's memory. Raises DataError for missing columns, and for recommenders that cannot go through a shop in parts.
    """
    data = stored(spark, orders, shop, parts=parts)
    sources: list[Recommender] = [Requested(), Ranked()] if recommenders is None else list(recommenders)
    whole = [source.name for source in sources if not isinstance(source, protocol.Divisible)]
    if whole:
        raise DataError(f"on Spark a recommender needs learn and answer, see Divisible; not so {', '.join(whole)}")
    ready = proposals.prepared(data, sources, k)
    asked = None if customers is None else protocol.asked(customers)

    def of_part(lines: Lines) -> pa.Table:
        part = data.part(lines)
        some = part.customers if asked is None else asked[belong(places(asked), lines)]
        found = proposals.of_part(ready, part if asked is None else part.of(some), some, k)
        return tables.to_table(frames.conform(found, PROPOSED, "the proposals")[list(PROPOSED)])

    return _orders(data).made(of_part, SCHEMA)


def stored(spark: SparkSession, orders: DataFrame | str | Path, shop: Dataset, *, parts: int = PARTS) -> Dataset:
    """Return `shop` with the orders of a Spark table or of a store; `wa_products.select` works on it too."""
    if parts < 1 or parts & (parts - 1):
        raise DataError(f"there are 1, 2, 4, 8, ... parts, not {parts}")
    lines = _with_places(_table(spark, orders))
    return replace(shop, orders=SparkOrders(lines=lines, parts=parts))


def collected(proposed: DataFrame) -> pd.DataFrame:
    """Return a table of proposals as the frame that `wa_products.propose` gives."""
    found = frames.conform(tables.to_frame(_utc(proposed.toArrow())), PROPOSED, "the proposals")
    return found.sort_values(["customer_id", "rank"], kind="stable", ignore_index=True)


@dataclass(frozen=True, eq=False, kw_only=True)
class SparkOrders:
    """
    Order lines in a Spark table, in `parts` parts of the customers; see `wa_products.parts.Stored`.

    On a worker there is no table: a part is looked at where its lines are.
    """

    lines: DataFrame = field(repr=False)
    number: int = 0
    parts: int

    def __len__(self) -> int:
        """Return how many lines there are."""
        return int(self.lines.count())

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "lines": None}

    def frame(self) -> pd.DataFrame:
        """Return all lines, read to the driver, in the shape of orders."""
        return frames.conform(self.read(list(COLUMNS)), frames.ORDERS, "the orders")

    def read(self, columns: list[str]) -> pd.DataFrame:
        """Return these columns of all lines, read to the driver."""
        return tables.to_frame(_utc(self.lines.select(*columns).toArrow()))

    def before(self, at: pd.Timestamp) -> SparkOrders:
        """Return only the lines earlier than `at`."""
        return replace(self, lines=self.lines.filter(self.lines["ordered_at"] < at.to_pydatetime()))

    def first(self, share: float) -> SparkOrders:
        """Return only the lines of customers whose place is below `share`."""
        return replace(self, lines=self.lines.filter(self.lines[_PLACE] < share))

    def of(self, customers: pd.Index) -> SparkOrders:
        """Return only the lines of `customers`."""
        from pyspark.sql import functions as F  # noqa: N812, PLC0415

        ids = self.lines.sparkSession.createDataFrame(pa.table({"customer_id": pa.array(customers, pa.string())}))
        return replace(self, lines=self.lines.join(F.broadcast(ids), "customer_id", "left_semi"))

    def each(self, function: Callable[[Stored], Made]) -> Iterator[Made]:
        """Return what `function` makes of each part, made on the workers."""

        def pickled(lines: Lines) -> pa.Table:
            return pa.table({"number": [lines.number], "made": [pickle.dumps(function(lines))]})

        rows = self.made(pickled, "number bigint, made binary").collect()
        made = {row["number"]: row["made"] for row in rows}
        return (pickle.loads(made[number]) for number in sorted(made))  # noqa: S301  # made by our own workers

    def kept(self, function: Callable[[Stored], pd.DataFrame], _question: bytes) -> Iterator[pd.DataFrame]:
        """Return what `function` makes of each part; Spark itself does again what was lost."""
        return self.each(function)

    def made(self, function: Callable[[Lines], pa.Table], schema: str) -> DataFrame:
        """Return the tables that `function` makes of each part, as one; parts without lines are there too."""
        from pyspark.sql import functions as F  # noqa: N812, PLC0415  # an extra brings it; Spark's own custom

        parts, spark = self.parts, self.lines.sparkSession
        numbered = self.lines.withColumn(_PART, F.floor(self.lines[_PLACE] * parts).cast("int")).drop(_PLACE)
        empty = spark.range(parts).select(F.col("id").cast("int").alias(_PART))

        def of_group(group: pa.Table) -> pa.Table:
            number = group[_PART][0].as_py()
            some = _utc(group.filter(pa.compute.is_valid(group["customer_id"])).drop_columns([_PART]))
            return function(Lines(tables.to_frame(some), number, parts))

        return numbered.unionByName(empty, allowMissingColumns=True).groupBy(_PART).applyInArrow(of_group, schema)


def _orders(data: Dataset) -> SparkOrders:
    assert isinstance(data.stored, SparkOrders)  # noqa: S101  # it was made so
    return data.stored


def _table(spark: SparkSession, orders: DataFrame | str | Path) -> DataFrame:
    """Return the order lines, with the columns that are looked at."""
    from pyspark.sql import functions as F  # noqa: N812, PLC0415

    if is_store(orders):
        table = _of_store(spark, Path(str(orders)))
    else:
        table = spark.table(str(orders)) if isinstance(orders, str | Path) else orders
    if missing := sorted(set(COLUMNS[:3]) - set(table.columns)):
        raise DataError(f"the table of orders lacks the columns {missing}; it has {sorted(table.columns)}")
    usual = {"status": F.lit(""), "is_purchase": F.lit(True)}
    filled = [table[name] if name in table.columns else usual[name].alias(name) for name in COLUMNS]
    texts = dict.fromkeys(("customer_id", "product_retailer_id", "status"), "")
    return table.select(*filled).fillna({**texts, "is_purchase": False})


def _of_store(spark: SparkSession, root: Path) -> DataFrame:
    manifest = manifests.read(root)
    if len(manifest.segments) != 1:
        raise DataError(f"the store in {root} is not merged: run Store({str(root)!r}).merge() first")
    return spark.read.parquet(str(root.resolve() / manifest.segments[0].folder))


def _with_places(table: DataFrame) -> DataFrame:
    """Return the lines with the place of each customer."""

    def placed(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            ids = batch.column("customer_id").to_pandas()
            yield batch.append_column(_PLACE, pa.array(places_of_rows(ids)))

    schema = ", ".join(f"{name} {kind}" for name, kind in table.dtypes)
    return table.mapInArrow(placed, f"{schema}, {_PLACE} double")


def _utc(table: pa.Table) -> pa.Table:
    """Return the table with its times in UTC, as text of one kind."""
    for place, name in enumerate(table.column_names):
        kind = table.schema.field(place).type
        if pa.types.is_timestamp(kind):
            table = table.set_column(place, name, table[name].cast(pa.timestamp("us", "UTC")))
        elif pa.types.is_large_string(kind):
            table = table.set_column(place, name, table[name].cast(pa.string()))
    return table
