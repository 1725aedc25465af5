"""Everything that is known about one campaign at one moment, as frames."""

from __future__ import annotations

import html
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from wa_products import frames
from wa_products.arms import TREATED
from wa_products.attribution import ANSWERS, PROMPT, answerable, asked, attributed, cart_lines, claimed, received, span
from wa_products.metrics import failures, tables, times
from wa_products.metrics.cells import cells
from wa_products.metrics.contacts import contacts
from wa_products.metrics.placebos import placebo
from wa_products.metrics.sensitivities import sensitivity
from wa_products.metrics.sequential import monitor
from wa_products.metrics.spending import SPENDING, spending
from wa_products.metrics.verdicts import early_verdict, verdict
from wa_products.states import are_in, orphans, states
from wa_products.windows import says_stop

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wa_products.datasets import Dataset

HORIZON = "7D"
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
    (one row a cart: rule, confidence, lag, value), `lines` (one row a line of a cart), `money` (by rule and currency),
    `arms` and `lift` (by assignment, within `horizon` of `started_at`), `monitor` (the evidence over time),
    `placebo` (how much of what each rule claims comes anyway) and `spending` (orders and money a customer, where the
    shop's orders were given). More are made when asked for; the chart ``wa.figures.x(results)`` draws the frame
    ``results.x``. `orphans` counts messages of others of which a status came since.
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
    lines: pd.DataFrame
    pairs: pd.DataFrame
    money: pd.DataFrame
    arms: pd.DataFrame
    monitor: pd.DataFrame
    lift: pd.DataFrame
    placebo: pd.DataFrame
    spending: pd.DataFrame
    orphans: int

    def count(self, step: str) -> int:
        """Return how many customers came to `step` of the funnel."""
        return int(self.funnel.set_index("step").loc[step, "customers"])

    def cells(self, column: str) -> pd.DataFrame:
        """
        Return the cart rates of the accepted messages by a `column` of `sends`, such as ``kind`` or ``source``.

        The columns of `wa_products.metrics.cells`: each rate by itself, drawn towards the rate of all, and tested
        against the rest with the many looks taken into account. Raises DataError where there is no such column.
        """
        accepted = frames.require(self.sends, (column,), "the sends").loc[self.sends["accepted"]]
        return cells(accepted[column], are_in(accepted["send_id"], self.answers["send_id"]))

    @property
    def is_complete(self) -> bool:
        """Whether the days of the comparison are over."""
        return bool(self.as_of >= self.started_at + self.horizon)

    @property
    def verdict(self) -> str:
        """What the holdout allows one to say, in words: at every look before the end, and at the end."""
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

    @cached_property
    def products(self) -> pd.DataFrame:
        """The cart rate of each product, as `cells` has it, with its ``title``."""
        found, titles = self.cells("product_retailer_id"), self.sends.groupby("product_retailer_id")["title"].max()
        found.insert(1, "title", found["product_retailer_id"].map(titles).fillna("").astype("str"))
        return found

    @cached_property
    def prices(self) -> pd.DataFrame:
        """The carts in which the product had another price than when it was sent."""
        pairs = zip(self.carts["price_at_send"], self.carts["price_in_cart"], strict=True)
        differs = [sent is not None and paid is not None and sent != paid for sent, paid in pairs]
        names = ["message_id", "customer_id", "product_retailer_id", "currency", "price_at_send", "price_in_cart"]
        found = self.carts.loc[pd.Series(differs, index=self.carts.index, dtype="bool"), names].reset_index(drop=True)
        return found.assign(change=found["price_in_cart"] - found["price_at_send"])

    @cached_property
    def sensitivity(self) -> pd.DataFrame:
        """What would be told with windows of 1 to 168 hours."""
        return sensitivity(self.pairs, self.sends, self.carts, self.started_at, self.as_of)

    @cached_property
    def time_to_cart(self) -> pd.DataFrame:
        """The share of messages answered by a cart within so many hours, by kind, censored at `as_of`."""
        return times.time_to_cart(self.sends, self.carts, self.as_of, self.horizon)

    @cached_property
    def fatigue(self) -> pd.DataFrame:
        """Carts, opt-outs and failures by the customer's nth message in 30 days."""
        return times.fatigue(self.sends, self.carts)

    @cached_property
    def reliability(self) -> pd.DataFrame:
        """The probabilities told of customers against the share of them who sent a cart with the product."""
        return times.reliability(self.sends, self.lines, self.started_at, self.started_at + self.horizon)

    @cached_property
    def failed(self) -> pd.DataFrame:
        """The messages that failed, one row a message: who, why, and what to do."""
        return failures.failed(self.sends)

    @cached_property
    def failure_rate(self) -> pd.DataFrame:
        """The share of failed messages over time, with control limits and counts by class."""
        return failures.failure_rate(self.sends)

    @cached_property
    def failure_hours(self) -> pd.DataFrame:
        """The failures by class and hour of the day."""
        return failures.failure_hours(self.sends)

    @cached_property
    def suppressed(self) -> pd.DataFrame:
        """What the sender left out by itself, and why."""
        return failures.suppressed(self.sends)

    @cached_property
    def contacts(self) -> pd.DataFrame:
        """One row a planned customer: what was sent, how far it came, what failed, which cart followed."""
        return contacts(self.sends, self.failed, self.answers)

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
    others: pd.DataFrame | None = None,
    data: Dataset | None = None,
) -> Results:
    """
    Return what `campaign` came to as known at `as_of`, whatever the order or number of times its webhooks came in.

    `rows` has one row a planned customer (frames.OUTCOMES with kind, source, probability, title, price, currency,
    closes_at), `events` are those of the ledger; `campaign` has campaign, digest, approved_by, created_at, expires_at,
    holdout and waterfall. Carts count from the start of the campaign; messages explain them for `horizon`. `others` are
    such rows of other campaigns: a cart that one of their messages explains better is not ours, and they count for the
    nth message. `data` is the shop, for the variants of its catalog and for the orders.
    Raises DataError where a column is missing.
    """
    rows = _rows(rows, "the campaign's rows")
    elsewhere = _rows(frames.empty(ROWS) if others is None else others, "the rows of other campaigns")
    lookback, quick, share = span(horizon), span(prompt), float(campaign["holdout"])
    started_at, groups = start_of(rows, campaign["created_at"]), _groups(data)
    over_at = started_at + lookback
    known = _known(frames.require(events, frames.EVENTS, "events"), as_of)
    told = known[(known["kind"] != "status") & (known["at"] >= started_at)]
    rivals = _rivals(elsewhere, known, in_mind(started_at, lookback), as_of)
    sends = _sends(rows, known, told, as_of).assign(nth=lambda found: times.nth(found, rivals))
    seen, lines = _seen(sends, rivals, told), cart_lines(told)
    carts, pairs = claimed(lines, seen, rows["customer_id"], lookback=lookback, prompt=quick, groups=groups)
    lines = attributed(lines, carts, groups)
    both = tables.arms(sends, carts, started_at, lookback)
    watched = monitor(sends, carts, started_at, min(as_of, over_at), share)
    every = pd.concat([rows, elsewhere], ignore_index=True) if len(elsewhere) else rows
    return Results(
        **{name: campaign[name] for name in ("campaign", "digest", "approved_by", "created_at", "expires_at")},
        holdout=share,
        started_at=started_at,
        as_of=as_of,
        horizon=lookback,
        prompt=min(quick, lookback),
        sends=sends,
        waterfall=tables.waterfall(campaign["waterfall"], sends),
        funnel=tables.funnel(sends, carts),
        failures=failures.failures(sends),
        carts=carts,
        lines=lines,
        pairs=pairs,
        money=tables.money(lines),
        arms=both,
        monitor=watched,
        lift=_lift(both, sends, watched, share, is_over=as_of >= over_at),
        placebo=placebo(sends, carts, lines, started_at=started_at, lookback=lookback, prompt=quick, groups=groups),
        spending=_spending(sends, data, started_at, lookback),
        orphans=orphans(every, known[known["at"] >= started_at]),
    )


def start_of(rows: pd.DataFrame, created_at: pd.Timestamp) -> pd.Timestamp:
    """Return when a campaign began: at its first outcome, or when it was planned, where there is none yet."""
    return rows["at"].min() if rows["at"].notna().any() else created_at


def in_mind(started_at: pd.Timestamp, horizon: str | pd.Timedelta = HORIZON) -> pd.Timestamp:
    """Return since when messages of other campaigns matter to one that began then: to its carts, or to how many."""
    return started_at - span(horizon) - times.MONTH


def _seen(sends: pd.DataFrame, rivals: pd.DataFrame, told: pd.DataFrame) -> pd.DataFrame:
    """Return the messages that a cart may answer: of this campaign, and of others."""
    seen = answerable(sends)
    if rivals.empty:
        return seen
    return pd.concat([seen.assign(is_other=False), received(rivals, told).assign(is_other=True)], ignore_index=True)


def _rows(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    return frames.conform(frames.require(rows, frames.OUTCOMES, name), ROWS, name)


def _known(events: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return the events up to `as_of`, without a copy where that is all of them."""
    past = events["at"] <= as_of
    return events if past.all() else events[past]


def _rivals(rows: pd.DataFrame, events: pd.DataFrame, since: pd.Timestamp, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return the states of the messages of other campaigns."""
    near = rows[rows["outcome"].isin(["accepted", "unknown"]) & (rows["at"] <= as_of)]
    near = near[near["at"] >= since]
    found = states(near, events, as_of)
    return found[found["accepted"]]


def _sends(rows: pd.DataFrame, events: pd.DataFrame, told: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return the states of `rows` with ``received_at``, ``enquired_at`` and ``opted_out_at``."""
    known = asked(states(rows, events, as_of), told)
    stops = told[((told["kind"] == "preference") & (told["text"] == "stop")) | _writes_stop(told)]
    place = known.loc[
        known["accepted"] & are_in(known["customer_id"], stops["customer_id"]), ["customer_id", "received_at"]
    ]
    pairs = place.reset_index(names="place").merge(stops[["customer_id", "at"]], on="customer_id")
    first = pairs[pairs["at"] >= pairs["received_at"]].groupby("place")["at"].min()
    return known.assign(opted_out_at=first.reindex(known.index).astype(frames.DTYPES["time"]))


def _writes_stop(told: pd.DataFrame) -> pd.Series:
    wrote = told["kind"].isin(["inbound", "enquiry"])
    return wrote & says_stop(told["text"].where(wrote, ""))


def _spending(
    sends: pd.DataFrame, data: Dataset | None, started_at: pd.Timestamp, horizon: pd.Timedelta
) -> pd.DataFrame:
    return pd.DataFrame(columns=SPENDING) if data is None else spending(sends, data.orders, started_at, horizon)


def _groups(data: Dataset | None) -> dict[str, str] | None:
    if data is None:
        return None
    return dict(zip(data.catalog["product_retailer_id"], data.catalog["item_group_id"], strict=True))


def _lift(
    both: pd.DataFrame, sends: pd.DataFrame, watched: pd.DataFrame, share: float, *, is_over: bool
) -> pd.DataFrame:
    treated = (sends["arm"] == TREATED) & (sends["kind"] != "request")
    delivered = float(sends.loc[treated, "delivered_at"].notna().mean()) if treated.any() else float("nan")
    found = tables.lift(both, share, delivered)
    low, high, likely = found.loc[0, ["low", "high", "sample_ratio"]]
    words = verdict(low, high, likely, watched) if is_over or pd.isna(low) else early_verdict(watched, likely)
    return found.assign(complete=bool(is_over), verdict=words)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"
