"""
What another recommender would have brought, from sends in which chance had a hand.

A message shows what its own product brings, never what another would have. Where the product was drawn with a known
chance, customers who happened to get what the other recommender names stand for those who did not: each counts one
over that chance (Horvitz and Thompson 1952). Three estimates of the cart rate, in the order of trust:

- ``snips``: the weighted share with a cart (Swaminathan and Joachims 2015), of the customers whose product could have
  been drawn. Its interval is Wilson's at the effective number of customers.
- ``dr``: doubly robust (Dudík, Langford and Li 2011): a rough rate a kind of proposal for everybody, set right by the
  weighted errors of it. Of everybody; for products that could not have been drawn it rests on the rough rate alone.
  Its interval has the width of that of ``ips``.
- ``ips``: carts weighted, by all customers. Products that could not have been drawn count as no cart, so it is low.
  Its interval is the gamma of Fay and Feuer (1997), which holds where few carts carry large weights.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import pandas as pd
from scipy.stats import chi2

from wa_products import arms, frames
from wa_products.metrics import wilson

LOGGED: dict[str, frames.Kind] = {
    "customer_id": "text",
    "product_retailer_id": "text",
    "kind": "text",
    "propensity": "number",
    "cart": "flag",
}
CHOICES: dict[str, frames.Kind] = {"customer_id": "text", "product_retailer_id": "text", "kind": "text"}
ALPHA, PRIOR, ENOUGH = 0.05, 20.0, 50
_CARTS = (
    "Counted are customers with any cart in the days after the campaign began, whoever caused it: how much a message "
    "adds, only the holdout tells."
)
_REVIEWED = "If a person rejected messages because of their product, the figures lean to what they let through."
_NO_CHANCE = (
    "Nothing was left to chance in these sends, so what another product would have brought cannot be told: the other "
    "recommender names what was sent for {agreeing} of {customers} customers, and of the rest nothing was seen. Plan "
    "with Policy(explore=0.1), and this can be told next time."
)


def hindsight(logged: pd.DataFrame, choices: pd.DataFrame) -> pd.DataFrame:
    """
    Return what share of customers would have had a cart, had each got the product of `choices`: a row an estimate.

    `logged` has one row a customer who was sent something: ``customer_id, product_retailer_id, kind, propensity`` (the
    chance with which that product was drawn, 1 where it was certain) and ``cart``, whether a cart came. `choices` has
    ``customer_id, product_retailer_id, kind`` of the other recommender, one row a customer; who is in one frame alone
    is left out.

    Columns: ``estimate``; ``rate, low, high`` (95 %); ``difference, difference_low, difference_high`` to what was sent;
    ``customers`` it is about and ``effective``, to how many drawn at random their weights come. The rows are ``sent``
    (what was sent, for the same customers), ``agreeing`` (those who were sent just what the other names: as seen, not
    a fair sample of all), ``snips``, ``dr`` and ``ips``; the last three are NaN where nothing was left to chance.
    ``attrs["caveats"]`` are sentences to be read with it. Raises DataError where a column is missing.
    """
    both, unknown = _joined(logged, choices)
    weight = (both["agrees"] / both["propensity"]).to_numpy("float64")
    cart = both["cart"].to_numpy("float64")
    chance = bool((both["propensity"] < 1).any())
    supported = min(float(weight.mean()), 1.0) if len(both) else 0.0
    effective = float(weight.sum() ** 2 / (weight**2).sum()) if weight.any() else 0.0
    about = {"effective": effective, "customers": len(both)}
    drawable = {**about, "customers": round(supported * len(both))}
    ips = _weighted_mean(weight * cart, float((1 / both["propensity"]).max())) if len(both) else _UNKNOWN
    dr = float(_doubly_robust(both, weight).mean()) - ips[0] if len(both) else np.nan
    sent = _share(cart.sum(), len(cart))
    estimates = {
        "sent": (sent, dict.fromkeys(about, len(both))),
        "agreeing": (_share(cart[weight > 0].sum(), (weight > 0).sum()), dict.fromkeys(about, (weight > 0).sum())),
        "snips": (_share(_part(weight @ cart, weight.sum()) * effective, effective), drawable),
        "dr": (tuple(float(np.clip(end + dr, 0, 1)) for end in ips), about),
        "ips": (ips, about),
    }
    rows = []
    for name, (told, counts) in estimates.items():
        known = chance or name in ("sent", "agreeing")
        less = _less(told, sent) if name in ("snips", "dr", "ips") else _UNKNOWN
        shares = dict(zip(_SHARES, (*told, *less) if known else (*_UNKNOWN, *_UNKNOWN), strict=True))
        rows.append({"estimate": name, **shares, **counts})
    found = pd.DataFrame(rows)
    found.attrs["caveats"] = _caveats(both, unknown, supported=supported, effective=effective, chance=chance)
    return found


_SHARES = ("rate", "low", "high", "difference", "difference_low", "difference_high")
_Ends: TypeAlias = tuple[float, ...]
_UNKNOWN: _Ends = (np.nan, np.nan, np.nan)


def _share(count: float, total: float) -> _Ends:
    """Return a share with its Wilson interval; `total` may be an effective number."""
    (low,), (high,) = wilson([count], [total])
    return _part(count, total), float(low), float(high)


def _part(count: float, total: float) -> float:
    return float(count / total) if total else np.nan


def _weighted_mean(values: np.ndarray, largest: float) -> _Ends:
    """
    Return the mean of weights of rare events with its gamma interval (Fay and Feuer 1997).

    `largest` is the largest weight that an event could have had: with few events, draws of the customers seen would
    tell of less doubt than there is.
    """
    size, tail = len(values), ALPHA / 2
    mean, variance, step = values.mean(), (values**2).sum() / size**2, largest / size
    low = variance / (2 * mean) * chi2.ppf(tail, 2 * mean**2 / variance) if mean > 0 else 0.0
    wider = variance + step**2
    high = wider / (2 * (mean + step)) * chi2.ppf(1 - tail, 2 * (mean + step) ** 2 / wider)
    return float(mean), float(low), float(high)


def _less(told: _Ends, sent: _Ends) -> _Ends:
    """Return a difference with its interval from those of both (Zou and Donner 2008), as if they were independent."""
    (rate, low, high), (base, base_low, base_high) = told, sent
    below, above = np.hypot(rate - low, base_high - base), np.hypot(high - rate, base - base_low)
    return rate - base, float(rate - base - below), float(rate - base + above)


def _joined(logged: pd.DataFrame, choices: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Return one row a customer of both frames whose chance is known, and how many had none; requests are no choice."""
    frames.require(logged, LOGGED, "the sends")
    frames.require(choices, CHOICES, "the choices")
    sent = frames.conform(logged, LOGGED, "the sends")[list(LOGGED)]
    sent = sent[sent["kind"] != "request"]
    other = frames.conform(choices, CHOICES, "the choices")[list(CHOICES)].drop_duplicates("customer_id")
    both = sent.merge(other[other["kind"] != "request"], on="customer_id", suffixes=("", "_other"))
    both["agrees"] = both["product_retailer_id"] == both["product_retailer_id_other"]
    known = both["propensity"] > 0
    return both[known].sort_values("customer_id", ignore_index=True), int((~known).sum())


def _doubly_robust(both: pd.DataFrame, weight: np.ndarray) -> np.ndarray:
    """Return a value a customer whose mean is the doubly robust estimate; rates come from the other half."""
    half = arms.draw("half", both["customer_id"]) < 0.5  # noqa: PLR2004  # a half
    expected, expected_other = np.zeros(len(both)), np.zeros(len(both))
    for here in (half, ~half):
        learned = both[~here]
        overall = learned["cart"].sum() / max(len(learned), 1)
        by_kind = learned.groupby("kind")["cart"].agg(["sum", "size"])
        rate = (by_kind["sum"] + PRIOR * overall) / (by_kind["size"] + PRIOR)
        expected[here] = both.loc[here, "kind"].map(rate).fillna(overall)
        expected_other[here] = both.loc[here, "kind_other"].map(rate).fillna(overall)
    return expected_other + weight * (both["cart"].to_numpy("float64") - expected)


def _caveats(both: pd.DataFrame, unknown: int, *, supported: float, effective: float, chance: bool) -> list[str]:
    """Return what has to be said with the figures."""
    told = [_CARTS, _REVIEWED]
    if unknown:
        told.insert(0, f"Left out for want of a noted chance: {unknown:,} of {unknown + len(both):,} sends.")
    if not len(both):
        return ["No customer was sent something for whom the other recommender has a product.", *told]
    if not chance:
        return [_NO_CHANCE.format(agreeing=f"{both['agrees'].sum():,}", customers=f"{len(both):,}"), *told]
    told.insert(
        0,
        f"About {supported:.0%} of what the other recommender names could have been drawn; only that part was seen. "
        f"snips is about it alone, dr guesses the rest by the kind of proposal, ips counts the rest as no cart.",
    )
    if effective < ENOUGH:
        told.insert(0, f"The weights come to {effective:.0f} customers drawn at random: too few to decide on.")
    return told
