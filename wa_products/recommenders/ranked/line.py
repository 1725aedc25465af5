"""A straight line through the logarithms of the signs: what trees, which go by steps, see only coarsely."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from wa_products.recommenders.logistic import Logistic

SPREADS = 6.0  # from the mean: as far as any value of a sign may lie


@dataclass(frozen=True, eq=False, kw_only=True)
class Line:
    """
    A logistic regression on the logarithm of each sign, sign kept, and on whether it is missing.

    `missing` are the columns that may be; `lowest` and `highest` bound the logarithms, so that a value never seen
    before cannot outweigh all else.
    """

    missing: np.ndarray
    lowest: np.ndarray
    highest: np.ndarray
    logistic: Logistic

    @classmethod
    def learned(cls, signs: np.ndarray, happened: np.ndarray) -> Self:
        """Return the line under which `happened` is most likely, a row of `signs` each."""
        missing, logs = np.flatnonzero(np.isnan(signs).any(axis=0)), _logs(signs)
        mean, spread = logs.mean(axis=0, dtype="float64"), logs.std(axis=0, dtype="float64")
        bounds = [(mean + side * SPREADS * spread).astype("float32") for side in (-1, 1)]
        columns = _columns(signs, missing, *bounds)
        return cls(missing=missing, lowest=bounds[0], highest=bounds[1], logistic=Logistic.learned(columns, happened))

    def log_odds(self, signs: np.ndarray) -> np.ndarray:
        """Return the logarithm of the odds of each row of `signs`; added up sign by sign, it is so in any company."""
        slopes, level = self.logistic.line
        total, straight = np.full(len(signs), level), len(self.lowest)
        for place, lowest, highest in zip(range(straight), self.lowest, self.highest, strict=True):
            total += slopes[place] * np.clip(_logs(signs[:, place]), lowest, highest)
        for slope, place in zip(slopes[straight:], self.missing, strict=True):
            total += slope * np.isnan(signs[:, place])
        return total


def _columns(signs: np.ndarray, missing: np.ndarray, lowest: np.ndarray, highest: np.ndarray) -> np.ndarray:
    return np.hstack([np.clip(_logs(signs), lowest, highest), np.isnan(signs[:, missing]).astype("float32")])


def _logs(signs: np.ndarray) -> np.ndarray:
    """Return the logarithm of 1 and each value, below 0 as of its opposite, 0 where it is missing."""
    logs = np.copysign(np.log1p(np.abs(signs)), signs)
    logs[np.isnan(logs)] = 0
    return logs
