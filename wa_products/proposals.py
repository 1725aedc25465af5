"""Propose: the products of all recommenders for each customer, on one scale, the best first."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from wa_products import frames
from wa_products.errors import DataError
from wa_products.recommenders import Ranked, Recommender, Requested, protocol
from wa_products.recommenders.protocol import Divisible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from wa_products.datasets import Dataset

OURS = "wa_products."
KINDS = frozenset({"reorder", "recommendation", "request"})
PAIR = ["customer_id", "product_retailer_id"]


def propose(
    data: Dataset,
    recommenders: Sequence[Recommender] | None = None,
    customers: Iterable[str] | None = None,
    k: int = 3,
) -> pd.DataFrame:
    """
    Return at most `k` proposals for each customer: `frames.PROPOSALS`, sorted by customer and rank, ranks from 1.

    Each recommender is fitted to `data` and asked for its own `k`; None means `Requested` and `Ranked`. A
    product from two sources stands once, under the more probable, and ``why`` names the other. The answer to a
    customer's request ranks before everything else, then the higher probability, what has none last; ties go to the
    higher score, then the smaller product id. `customers` None means everyone in ``data.customers``.

    Raises DataError where `k` is below 1, two recommenders share a name, or one gives a frame that breaks the contract.
    """
    return _joined(list(in_parts(data, recommenders, customers, k)))


def in_parts(
    data: Dataset,
    recommenders: Sequence[Recommender] | None = None,
    customers: Iterable[str] | None = None,
    k: int = 3,
) -> Iterator[pd.DataFrame]:
    """
    Yield what `propose` returns, of a stored shop part after part, so that all of it need not fit into memory.

    All proposals for a customer are in one part. Stopped and begun again, it yields the parts from the first on, and
    makes only those that were not made before.
    """
    sources: list[Recommender] = [Requested(), Ranked()] if recommenders is None else list(recommenders)
    asked = None if customers is None else protocol.asked(customers)
    question = _question(sources, asked, k, data)
    ready = prepared(data, sources, k)

    def answers(part: Dataset, some: pd.Index) -> pd.DataFrame:
        return of_part(ready, part, some, k)

    yield from data.each_of(asked, answers, question)


def prepared(data: Dataset, sources: Sequence[Recommender], k: int) -> list[Recommender]:
    """Return the recommenders fitted to `data`; those that go through a stored shop in parts, ready to do so."""
    if k < 1:
        raise DataError(f"k must be at least 1, got {k}")
    names = [source.name for source in sources]
    if len(set(names)) != len(names):
        raise DataError(f"recommenders must have different names, got {names}")
    return [
        source.learn(data) if data.stored is not None and isinstance(source, Divisible) else source.fit(data)
        for source in sources
    ]


def of_part(ready: Sequence[Recommender], part: Dataset, some: pd.Index, k: int) -> pd.DataFrame:
    """Return the proposals of recommenders that are `ready` for `some` customers, all of whose rows are in `part`."""
    found = [_checked(_found(source, part, some, k), source.name) for source in ready]
    return _ranked(_once(pd.concat([frames.empty(frames.PROPOSALS), *found], ignore_index=True)), k)


def _found(source: Recommender, part: Dataset, some: pd.Index, k: int) -> pd.DataFrame:
    if part.stored is not None and isinstance(source, Divisible):
        return source.answer(part, some, k)
    return source.recommend(some, k)


def _question(sources: Sequence[Recommender], asked: pd.Index | None, k: int, data: Dataset) -> bytes | None:
    """Return all that proposals from a store depend on beside its lines; None where other code has a part in it."""
    if data.stored is None or not all(type(source).__module__.startswith(OURS) for source in sources):
        return None
    return pickle.dumps((sources, asked, k, data.as_of, data.catalog, data.inbound, data.sends), protocol=5)


def _joined(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Return the proposals of all parts, sorted by customer and rank."""
    if len(parts) == 1:
        return parts[0]
    rows = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    order = pc.sort_indices(pa.chunked_array(pa.array(rows["customer_id"])))
    return rows.iloc[order.to_numpy()].reset_index(drop=True)


def _checked(found: pd.DataFrame, source: str) -> pd.DataFrame:
    """Return a recommender's rows in the shape of proposals, or say what is wrong with them."""
    frames.require(found, [*PAIR, "score"], f"what {source} recommends")
    rows = frames.conform(found, frames.PROPOSALS, f"what {source} recommends")
    kind = rows["kind"].where(rows["kind"] != "", "recommendation").astype("str")
    outside = (rows["probability"] < 0) | (rows["probability"] > 1)
    if unknown := sorted(set(kind) - KINDS):
        raise DataError(f"{source} gives the kinds {unknown}; a proposal is one of {sorted(KINDS)}")
    if outside.any():
        raise DataError(f"{source} gives the probability {rows.loc[outside, 'probability'].iloc[0]}, outside 0 to 1")
    return rows.assign(kind=kind, source=source)


def _order(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with each customer's best first; sources keep their order where all else is equal."""
    keyed = rows.assign(first=rows["kind"] != "request")
    by = ["customer_id", "first", "probability", "score", "product_retailer_id"]
    ordered = keyed.sort_values(by, ascending=[True, True, False, False, True], na_position="last", kind="stable")
    return ordered.drop(columns="first").reset_index(drop=True)


def _once(rows: pd.DataFrame) -> pd.DataFrame:
    """Return each customer and product once, under its best source; `why` names the others."""
    ordered = _order(rows)
    again = ordered.duplicated(PAIR)
    others = ordered[again].drop_duplicates([*PAIR, "source"])
    said = others.groupby(PAIR)["source"].agg(", ".join).rename("others")
    best = ordered[~again].merge(said, left_on=PAIR, right_index=True, how="left")
    also = ("; also proposed by " + best["others"]).where(best["others"].notna(), "").astype("str")
    return best.assign(why=best["why"] + also).drop(columns="others")


def _ranked(rows: pd.DataFrame, k: int) -> pd.DataFrame:
    ordered = _order(rows)
    rank = ordered.groupby("customer_id").cumcount() + 1
    kept = ordered.assign(rank=rank.astype("int64"))[rank <= k].reset_index(drop=True)
    return kept[[*frames.PROPOSALS, *(column for column in kept.columns if column not in frames.PROPOSALS)]]
