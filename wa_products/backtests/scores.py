"""
What a list of products was worth to one customer: plain functions, a value a customer.

A list is a frame of proposals, each customer's best first, with the flags ``bought`` (the product was bought within
the horizon) and ``before`` (the customer had bought it before the cutoff). Who was asked about and got no list counts
as a miss: silence is not a way to score.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

BINS = 10


def hit(listed: pd.DataFrame, asked: pd.Index) -> pd.Series:
    """Return 1.0 for each customer whose first product was bought, else 0.0 (Hit@1)."""
    first = listed.drop_duplicates("customer_id").set_index("customer_id")["bought"]
    return first.reindex(asked, fill_value=False).astype("float64")


def repeat_hit(listed: pd.DataFrame, asked: pd.Index) -> pd.Series:
    """Return `hit` of the lists without what is new to the customer: the best of the products bought before."""
    return hit(listed[listed["before"]], asked)


def explore_hit(listed: pd.DataFrame, asked: pd.Index) -> pd.Series:
    """Return `hit` of the lists without what the customer had bought before: the best of the new products."""
    return hit(listed[~listed["before"]], asked)


def recall(listed: pd.DataFrame, bought: pd.Series) -> pd.Series:
    """Return the share of a customer's purchases that is in the list; NaN where nothing was bought (Recall@k)."""
    found = listed.groupby("customer_id")["bought"].sum().reindex(bought.index, fill_value=0)
    return found / bought.where(bought > 0)


def ndcg(listed: pd.DataFrame, bought: pd.Series, k: int) -> pd.Series:
    """
    Return the discounted gain of the list as a share of the best possible one; NaN where nothing was bought (NDCG@k).

    A product bought gains 1 / log2(1 + rank) (Järvelin and Kekäläinen 2002, with gains of 0 and 1). The best list has
    the purchases first, at most `k` of them.
    """
    rank = listed.groupby("customer_id").cumcount().to_numpy() + 1
    gain = pd.Series(listed["bought"].to_numpy() / np.log2(1 + rank), index=listed["customer_id"])
    best = np.append(0.0, np.cumsum(1 / np.log2(np.arange(2, k + 2))))
    ideal = best[np.minimum(bought.to_numpy("int64"), k)]
    total = gain.groupby(level=0).sum().reindex(bought.index, fill_value=0.0)
    return total / np.where(ideal > 0, ideal, np.nan)


def brier(probability: pd.Series, happened: pd.Series) -> pd.Series:
    """Return the squared distance between what was said and what happened, 0 or 1 (Brier 1950); NaN where unknown."""
    return (probability - happened) ** 2


def bins(probability: np.ndarray) -> np.ndarray:
    """Return the bin of each probability, 0 to 9: of equal width, each with its lower end; 1 is in the last one."""
    return np.minimum((np.asarray(probability) * BINS + 1e-9).astype("int64"), BINS - 1)


def ece(number: np.ndarray, said: np.ndarray, happened: np.ndarray) -> np.ndarray:
    """
    Return the expected calibration error: how far what is said lies from what happens, on average over the bins.

    The last axis of each argument is the bins: how many predictions are in it, the sum of their probabilities, and
    of what happened. Sum of ``|said - happened|`` over all, divided by the number (Naeini, Cooper and Hauskrecht 2015).
    """
    total = np.asarray(number, dtype="float64").sum(axis=-1)
    gap = np.abs(np.asarray(said) - np.asarray(happened)).sum(axis=-1)
    return np.divide(gap, total, out=np.full_like(np.asarray(total, dtype="float64"), np.nan), where=total > 0)
