"""
The law: which proposals may be sent, to whom, and for every other row the reason why not.

Rows are marked, never dropped. A row bears the first reason that applies, in the order of `_refusals`: the
thread, the product, the policy, then the proposal chosen for the same customer, then the caps.
"""

from __future__ import annotations

import string
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wa_products import arms, frames, windows
from wa_products.errors import DataError
from wa_products.limits import Limits, check_quiet_hours
from wa_products.recommenders import withheld

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wa_products.datasets import Dataset

SEND, SKIP = "send", "skip"
KINDS = ("request", "reorder", "recommendation")
REACHED = frozenset({"accepted", "unknown"})
TITLE_LENGTH = 200
_FIELDS = frozenset({"title", "price", "currency"})
_BODIES = MappingProxyType(
    {
        "request": "You asked about {title}. Here it is, with today's price.",
        "reorder": "Running low on {title}? Here it is again.",
        "recommendation": "We thought of you: {title}.",
    }
)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """
    What may be sent in one campaign.

    `kinds` are the kinds of proposal wanted. `min_probability` applies to all but requests. A customer who got a
    message within `rest_days` gets none, and a product sent within `ignored_days` without a purchase is not sent
    again; nor is one bought within `just_bought_days`, refunded lately or in an open cart. The answer to a request is
    free of these, once. `max_sends` and `max_per_product` cap the campaign, most
    probable first; None is no cap. `bodies` has one text a kind with the fields ``{title}``, ``{price}`` and
    ``{currency}``; `footer` stands below each. In `quiet_hours`, such as ``("21:00", "08:00")`` of the shop's time
    zone, `send` sends nothing. It also keeps `rest_days` and `max_sends` once more, by what the ledger knows then.

    With `explore`, that share of the customers gets one of their products that may be sent at random, each alike,
    instead of the most probable: what they do tells what another recommender would have brought
    (`wa_products.trials.what_if`). The draw is by hash of ``data.as_of`` and the customer; an answer to a request is
    never left to chance. Raises DataError for an unknown kind, field or a negative number, and for `explore` together
    with `max_per_product`, under which one customer's product would hang on what others drew.
    """

    kinds: tuple[str, ...] = KINDS
    min_probability: float = 0.0
    rest_days: float = 7.0
    ignored_days: float = 30.0
    just_bought_days: float = 1.0
    max_sends: int | None = None
    max_per_product: int | None = None
    explore: float = 0.0
    quiet_hours: tuple[str, str] | None = None
    margin: pd.Timedelta = windows.MARGIN
    bodies: Mapping[str, str] = field(default_factory=lambda: _BODIES)
    footer: str = "Reply STOP to opt out"

    def __post_init__(self) -> None:
        """Refuse what could not be meant."""
        if unknown := sorted({*self.kinds, *self.bodies} - set(KINDS)):
            raise DataError(f"a policy knows the kinds {list(KINDS)}, not {unknown}")
        for kind, text in self.bodies.items():
            used = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
            if wrong := sorted(used - _FIELDS):
                raise DataError(f"the body for {kind} uses {wrong}; the fields are {sorted(_FIELDS)}")
        if not 0 <= self.min_probability <= 1:
            raise DataError(f"min_probability must lie between 0 and 1, got {self.min_probability}")
        if not 0 <= self.explore <= 1:
            raise DataError(f"explore must be a share between 0 and 1, got {self.explore}")
        if self.explore and self.max_per_product is not None:
            raise DataError("explore and max_per_product cannot go together: one's product would hang on others' draws")
        for name in ("rest_days", "ignored_days", "just_bought_days", "max_sends", "max_per_product"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise DataError(f"{name} must not be negative, got {value}")
        check_quiet_hours(self.quiet_hours)

    def limits(self, timezone: str = "UTC") -> Limits:
        """Return what of this policy holds at the moment of sending, for a shop in `timezone`."""
        return Limits(
            rest_days=self.rest_days, max_sends=self.max_sends, quiet_hours=self.quiet_hours, timezone=timezone
        )


def select(proposals: pd.DataFrame, data: Dataset, policy: Policy | None = None) -> pd.DataFrame:
    """
    Return the rows of `proposals`, in their order, with ``decision``, ``reason`` and what the message would hold.

    At most one row a customer is ``send``; every other is ``skip`` with its reason. Added are ``closes_at``,
    ``title``, ``price`` (what the customer pays at ``data.as_of``), ``currency``, ``body``, ``footer`` and
    ``propensity``, the chance with which the row was to be the customer's one: 1 and 0 unless the policy explores.
    What of the policy holds when sending is in ``attrs["limits"]``, from where a review takes it into its plan.
    Raises DataError where a column is missing or a customer has the same product twice.
    """
    policy = policy or Policy()
    frames.require(proposals, frames.PROPOSALS, "the proposals")
    if (twice := proposals.duplicated(["customer_id", "product_retailer_id"])).any():
        row = proposals[twice].iloc[0]
        raise DataError(f"customer {row.customer_id} has product {row.product_retailer_id!r} proposed twice")
    rows = _enriched(proposals, data)
    reason = _refusals(rows, data, policy)
    drawn = _drawn(rows[reason == ""], policy, f"explore {data.as_of.isoformat()}")
    reason = _one_each(reason, drawn, policy)
    rows["reason"] = reason
    rows["propensity"] = drawn["propensity"].reindex(rows.index, fill_value=0.0)
    rows["decision"] = pd.Series(np.where(reason == "", SEND, SKIP), index=rows.index, dtype="str")
    rows["body"], rows["footer"] = _texts(rows, policy), policy.footer
    kept = [column for column in (*frames.SELECTED, *proposals.columns) if column in rows.columns]
    selected = frames.conform(rows[list(dict.fromkeys(kept))], frames.SELECTED, "the selected rows")
    selected.attrs["limits"] = policy.limits(data.timezone).to_dict()
    return selected.set_index(proposals.index)


def limits(chosen: pd.DataFrame, data: Dataset) -> Limits:
    """Return the limits that the selected rows carry; those of the default policy where they lost them."""
    told = chosen.attrs.get("limits")
    return Policy().limits(data.timezone) if told is None else Limits.from_dict(told)


def waterfall(chosen: pd.DataFrame) -> tuple[tuple[str, int], ...]:
    """
    Return how many customers of a selected frame get no message, by the reason of the row that came closest.

    Each customer counts once; those with a row to send are not counted. In the order in which reasons apply.
    """
    frames.require(chosen, ("customer_id", "decision", "reason"), "the selected rows")
    step = chosen["reason"].map(_ladder)
    furthest = chosen.assign(step=step).sort_values("step", kind="stable").groupby("customer_id").last()
    lost = furthest[furthest["decision"] != SEND]
    counted = lost.groupby(["step", "reason"]).size()
    return tuple((str(reason), int(customers)) for (_, reason), customers in counted.items())


_LADDER = (
    "no thread",
    "window closed",
    "opted out",
    "no address",
    "not in catalog",
    "not sendable",
    "kind not wanted",
    "probability too low",
    "messaged lately",
    "sent and ignored lately",
    "just bought",
    "in an open cart",
    "refunded lately",
    "outranked",
    "another was tried",
    "product cap reached",
    "campaign cap reached",
    "",
)


def _ladder(reason: str) -> int:
    return _LADDER.index(reason.partition(":")[0])


def _enriched(proposals: pd.DataFrame, data: Dataset) -> pd.DataFrame:
    added = ["closes_at", "title", "price", "currency"]
    rows = proposals.drop(columns=added, errors="ignore").reset_index(drop=True)
    threads = data.threads.set_index("customer_id")
    rows = rows.join(threads[["last_inbound_at", "closes_at", "opted_out", "to", "recipient"]], on="customer_id")
    catalog = data.catalog.drop_duplicates("product_retailer_id").set_index("product_retailer_id")
    price = catalog["sale_price"].where(catalog["sale_price"].notna(), catalog["price"])
    known = catalog.assign(price=price, in_catalog=True)
    return rows.join(
        known[["title", "price", "currency", "sendable", "not_sendable_reason", "in_catalog"]],
        on="product_retailer_id",
    )


def _refusals(rows: pd.DataFrame, data: Dataset, policy: Policy) -> pd.Series:
    request = (rows["kind"] == "request") & ~_answered(rows, data)
    addressed = rows["to"].fillna("").ne("") | rows["recipient"].fillna("").ne("")
    held = withheld.withheld(data)
    conditions = {
        "no thread": rows["last_inbound_at"].isna() & ~addressed,
        "window closed": ~windows.is_open(rows["closes_at"], data.as_of, policy.margin),
        "opted out": rows["opted_out"].eq(True),
        "no address": ~addressed,
        "not in catalog": rows["in_catalog"].isna(),
        "not sendable": ~rows["sendable"].eq(True),
        "kind not wanted": ~rows["kind"].isin(policy.kinds),
        "probability too low": ~request & ~(rows["probability"].fillna(0.0) >= policy.min_probability),
        "messaged lately": ~request & _messaged_since(rows, data, policy.rest_days, ["customer_id"]),
        "sent and ignored lately": ~request & _messaged_since(rows, data, policy.ignored_days, withheld.PAIR),
        "just bought": ~request & withheld.among(rows, withheld.just_bought(data, policy.just_bought_days)),
        **{why: ~request & withheld.among(rows, held[held["reason"] == why]) for why in withheld.HELD},
    }
    reason = np.select(list(conditions.values()), list(conditions), default="")
    detailed = np.where(reason == "not sendable", "not sendable: " + rows["not_sendable_reason"].fillna(""), reason)
    return pd.Series(detailed, index=rows.index, dtype="str")


def _messaged_since(rows: pd.DataFrame, data: Dataset, days: float, keys: list[str]) -> pd.Series:
    recent = data.sends[(data.sends["at"] > data.as_of - pd.Timedelta(days=days)) & data.sends["outcome"].isin(REACHED)]
    if recent.empty:
        return pd.Series(data=False, index=rows.index)
    return pd.Series(pd.MultiIndex.from_frame(rows[keys]).isin(pd.MultiIndex.from_frame(recent[keys])), rows.index)


def _answered(rows: pd.DataFrame, data: Dataset) -> pd.Series:
    """Return which rows are of customers who got a message since they last wrote: what they asked is answered."""
    reached = data.sends[data.sends["outcome"].isin(REACHED)].groupby("customer_id")["at"].max()
    return reached.reindex(rows["customer_id"]).set_axis(rows.index) >= rows["last_inbound_at"]


def _drawn(eligible: pd.DataFrame, policy: Policy, key: str) -> pd.DataFrame:
    """
    Return the rows that may be sent, each customer's best first, the customers in the order of their best.

    ``place`` is 0 for the best, ``chosen`` is True for one row a customer, and ``propensity`` the chance of that.
    """
    ordered = eligible.assign(request=eligible["kind"] == "request").sort_values(
        ["request", "probability", "rank", "customer_id", "product_retailer_id"],
        ascending=[False, False, True, True, True],
        na_position="last",
    )
    by = ordered.groupby("customer_id", sort=False)
    place, number = by.cumcount(), by["rank"].transform("size")
    share = np.where(by["request"].transform("any"), 0.0, policy.explore)
    draw = arms.draw(key, ordered["customer_id"]) if policy.explore else pd.Series(1.0, index=ordered.index)
    explored = draw < share
    pick = np.where(explored, np.floor(draw / np.where(share > 0, share, 1.0) * number), 0)
    found = ordered.assign(
        place=place,
        chosen=place == np.minimum(pick, number - 1),
        propensity=share / number + np.where(place == 0, 1 - share, 0.0),
        turn=by.ngroup(),
    )
    return found.sort_values(["turn", "place"], kind="stable")


def _one_each(reason: pd.Series, drawn: pd.DataFrame, policy: Policy) -> pd.Series:
    """Leave the chosen row of each customer, then no more than the caps allow, in the order of the customers' best."""
    result = reason.copy()
    result[drawn.index[~drawn["chosen"]]] = "outranked"
    result[drawn.index[~drawn["chosen"] & (drawn["place"] == 0)]] = "another was tried"
    ordered = drawn[drawn["chosen"]]
    if policy.max_per_product is not None:
        within = ordered.groupby("product_retailer_id").cumcount() < policy.max_per_product
        result[ordered.index[~within]] = "product cap reached"
        ordered = ordered[within]
    if policy.max_sends is not None:
        result[ordered.index[policy.max_sends :]] = "campaign cap reached"
    return result


def _texts(rows: pd.DataFrame, policy: Policy) -> pd.Series:
    titles = rows["title"].fillna("").map(lambda text: shorten(" ".join(text.split()), TITLE_LENGTH))
    texts = [
        policy.bodies.get(kind, "").format(title=title, price=price, currency=currency) if title else ""
        for kind, title, price, currency in zip(rows["kind"], titles, rows["price"], rows["currency"], strict=True)
    ]
    return pd.Series(texts, index=rows.index, dtype="str")


def shorten(text: str, length: int) -> str:
    """
    Return `text` cut to at most `length` code points, with an ellipsis where something is gone.

    >>> shorten("a long title", 8)
    'a long …'
    """
    return text if len(text) <= length else text[: length - 1] + "…"
