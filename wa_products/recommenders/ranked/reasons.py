"""Why a candidate is proposed, in words, with the numbers behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from wa_products.recommenders import histories, phrases

if TYPE_CHECKING:
    from wa_products.recommenders.ranked.learning import Learned

SIMPLE = " (by simple rules: the shop's past is still too short to learn from)"


def why(rows: pd.DataFrame, learned: Learned, horizon: int) -> pd.Series:
    """Return a sentence for each of `rows`: its rhythm, what it goes with or who buys it, and what came of its like."""
    came, checked = learned.cases(rows["probability"].to_numpy())
    rhythm = zip(*(rows[name] for name in ("times", "since", "held", "gap", "spread")), strict=True)
    beside = zip(*(rows[name] for name in ("source", "both", "orders")), strict=True)
    likes = zip(came.tolist(), checked.tolist(), strict=True)
    said = [
        f"{_because(of_own, of_beside, buyers)}; {phrases.cases(*like, horizon)}"
        for of_own, of_beside, buyers, like in zip(rhythm, beside, rows["buyers"], likes, strict=True)
    ]
    return pd.Series(said, index=rows.index, dtype="str")


def _because(rhythm: tuple[float, ...], beside: tuple[str, int, int], buyers: int) -> str:
    if rhythm[0] > 0:
        return phrases.reorder(*rhythm)
    return phrases.together(*beside) if beside[0] else phrases.popular(buyers, histories.RECENT)
