"""Everything that is known about one campaign at one moment, as frames."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wa_products import frames
from wa_products.attribution import ANSWERS, attribute, received, span
from wa_products.metrics import tables
from wa_products.metrics.failures import failures
from wa_products.states import orphans, states

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

HORIZON, PROMPT = "7D", "24h"
ROWS: dict[str, frames.Kind] = {
    **frames.OUTCOMES,
    "kind": "text",
    "source": "text",
    "probability": "number",
    "title": "text",
    "price": "money",
    "currency": "text",
    "closes_at": "time",
}


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Results:
    """
    What one campaign came to, as known at `as_of`. Made by `results`.

    Frames: `sends` (one row a planned customer: state, times, failure), `waterfall`, `funnel`, `failures`, `carts`
    (one row a cart: rule, confidence, lag, value), `money` (by rule and currency), `arms` and `lift` (by assignment,
    within `horizon` of `started_at`). `orphans` counts messages of others of which a status came.
    """

    campaign: str
    digest: str
    approved_by: str
    created_at: pd.Timestamp
    expires_at: pd.Timestamp
    holdout: float
    started_at: pd.Timestamp
    as_of: pd.Timestamp
    horizon: pd.Timedelta
    prompt: pd.Timedelta
    sends: pd.DataFrame
    waterfall: pd.DataFrame
    funnel: pd.DataFrame
    failures: pd.DataFrame
    carts: pd.DataFrame
    money: pd.DataFrame
    arms: pd.DataFrame
    lift: pd.DataFrame
    orphans: int

    def count(self, step: str) -> int:
        """Return how many customers came to `step` of the funnel."""
        return int(self.funnel.set_index("step").loc[step, "customers"])

    @property
    def verdict(self) -> str:
        """What the holdout allows one to say, in words."""
        return str(self.lift["verdict"].iloc[0])

    @property
    def summary(self) -> str:
        """What happened, in one sentence with its denominators."""
        cart = self.count("cart")
        return (
            f"Of {_count(self.count('planned'), 'planned customer')} {self.count('held out'):,} "
            f"{_were(self.count('held out'))} held out; {_count(self.count('accepted'), 'message')} "
            f"{_were(self.count('accepted'))} accepted, {self.count('delivered or read'):,} delivered, "
            f"and {_count(cart, 'customer')} sent a cart that follows from {'it' if cart == 1 else 'one'}."
        )

    @property
    def answers(self) -> pd.DataFrame:
        """The carts that follow from a message, by any rule from exact to late."""
        return self.carts[self.carts["rule"].isin(ANSWERS)]

    def __repr__(self) -> str:
        return f"<Results of {self.campaign!r} as of {self.as_of:%Y-%m-%d %H:%M} UTC. {self.summary} {self.verdict}>"

    def _repr_html_(self) -> str:
        table = self.funnel.to_html(index=False, float_format=lambda value: f"{value:.3f}", na_rep="")
        words = html.escape(f"{self.campaign}: {self.summary} {self.verdict}")
        return f"<p>{words}</p>{table}"


def results(
    rows: pd.DataFrame,
    events: pd.DataFrame,
    campaign: Mapping[str, Any],
    as_of: pd.Timestamp,
    *,
    horizon: str | pd.Timedelta = HORIZON,
    prompt: str | pd.Timedelta = PROMPT,
) -> Results:
    """
    Return what `campaign` came to as known at `as_of`, whatever the order or number of times its webhooks came in.

    `rows` has one row a planned customer (frames.OUTCOMES with kind, source, probability, title, price, currency,
    closes_at), `events` are those of the ledger; `campaign` has campaign, digest, approved_by, created_at, expires_at,
    holdout and waterfall. Carts count from the start of the campaign; messages explain them for `horizon`.
    Raises DataError where a column is missing.
    """
    rows = frames.conform(frames.require(rows, frames.OUTCOMES, "the campaign's rows"), ROWS, "the campaign's rows")
    started_at = rows["at"].min() if rows["at"].notna().any() else campaign["created_at"]
    known = frames.require(events, frames.EVENTS, "events")
    known = known[(known["at"] <= as_of) & ((known["kind"] == "status") | (known["at"] >= started_at))]
    sends = _sends(rows, known, as_of)
    carts = attribute(rows, known, horizon, prompt)
    both = tables.arms(sends, carts, started_at, span(horizon))
    share = float(campaign["holdout"])
    return Results(
        **{name: campaign[name] for name in ("campaign", "digest", "approved_by", "created_at", "expires_at")},
        holdout=share,
        started_at=started_at,
        as_of=as_of,
        horizon=span(horizon),
        prompt=min(span(prompt), span(horizon)),
        sends=sends,
        waterfall=tables.waterfall(campaign["waterfall"], sends),
        funnel=tables.funnel(sends, carts),
        failures=failures(sends),
        carts=carts,
        money=tables.money(carts, known),
        arms=both,
        lift=tables.lift(both, share, complete=bool(as_of >= started_at + span(horizon))),
        orphans=orphans(rows, known),
    )


def _sends(rows: pd.DataFrame, events: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return the states of `rows` with ``enquired_at``."""
    known = states(rows, events, as_of)
    asked = received(known, events).set_index("send_id")["enquired_at"]
    first = asked[~asked.index.duplicated()].reindex(known["send_id"]).astype(frames.DTYPES["time"])
    return known.assign(enquired_at=first.array)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"
