"""Which rows a signed policy covers; and, at the moment of sending, whether a plan is covered at all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from wa_products import arms, frames, plans, policies, selection
from wa_products.errors import PlanError
from wa_products.plans import Plan

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from wa_products.approvals.signed import SignedPolicy
    from wa_products.datasets import Dataset
    from wa_products.ledger import Ledger


def apply(
    signed: SignedPolicy, chosen: pd.DataFrame, data: Dataset, *, ledger: Ledger, campaign: str, holdout: float
) -> tuple[Plan, pd.DataFrame]:
    """
    Return the plan of the rows of `chosen` that `signed` covers, and the rows that wait for a person.

    `chosen` is what `select` returned for `data`, with `signed.policy.unbounded` so that whatever the law allows is
    either sent or waits. Covered are those of its rows that the policy would send, in its words, the most probable
    first, as many as are left of `at_most`. The plan may be empty. Raises PlanError where the policy has ended.
    """
    signed.check(data.as_of)
    wanted = chosen[chosen["decision"] == selection.SEND]
    left = max(signed.at_most - sent(signed, ledger), 0)
    caps = [cap for cap in (signed.policy.max_sends, left) if cap is not None]
    policy = replace(signed.policy, max_sends=min(caps))
    decided = selection.select(wanted[list(frames.PROPOSALS)], data, policy).assign(propensity=wanted["propensity"])
    covered = decided["decision"] == selection.SEND
    named = {"campaign": campaign, "approved_by": signed.signature}
    limits = signed.policy.limits(data.timezone)
    plan = plans.approved(decided[covered], chosen, data, **named, holdout=holdout, limits=limits)
    return plan, wanted[~covered]


def sent(signed: SignedPolicy, ledger: Ledger) -> int:
    """Return how many messages went out, or may have, by this signature."""
    campaigns = ledger.campaigns()
    mine = campaigns.loc[campaigns["approved_by"] == signed.signature, "campaign"].unique()
    return sum(int(ledger.outcomes(name)["outcome"].isin(selection.REACHED).sum()) for name in mine)


def require_cover(plan: Plan, covers: Iterable[Plan | SignedPolicy], *, ledger: Ledger, now: pd.Timestamp) -> None:
    """Raise PlanError unless `plan` is one of the reviewed plans among `covers`, or one of their policies covers it."""
    told = []
    for cover in covers:
        if isinstance(cover, Plan):
            found = [] if cover.digest == plan.digest else [f"it is not the reviewed plan of {cover.campaign!r}"]
        else:
            found = _uncovered(plan, cover, ledger, now)
        if not found:
            return
        told += found
    why = "; ".join(told) or "none was given to this run"
    raise PlanError(
        f"the plan of {plan.campaign!r} is neither covered by a signed policy nor a plan that was reviewed: {why}"
    )


def _uncovered(plan: Plan, signed: SignedPolicy, ledger: Ledger, now: pd.Timestamp) -> list[str]:
    """Return in words what of a plan goes beyond a signed policy."""
    policy, rows = signed.policy, plan.rows
    words = (rows["body"] == policies.texts(rows, policy)) & (rows["footer"] == policy.footer)
    likely = (rows["kind"] == "request") | (rows["probability"] >= policy.min_probability)
    beyond = {
        "are of a kind that it leaves out": ~rows["kind"].isin(policy.kinds),
        "show a product that it leaves out": ~rows["product_retailer_id"].isin(
            rows["product_retailer_id"] if policy.products is None else policy.products
        ),
        "are less probable than it asks": ~likely,
        "have other words": ~words,
    }
    found = [f"{int(where.sum()):,} of its messages {what}" for what, where in beyond.items() if where.any()]
    decided = ledger.decided(plan.campaign)
    fresh = int(((plan.arms == arms.TREATED) & ~rows["customer_id"].isin(decided)).sum())
    if fresh > (left := signed.at_most - sent(signed, ledger)):
        found.append(f"it has {fresh:,} messages to send, and {max(left, 0):,} are left of {signed.at_most:,}")
    if policy.max_per_product is not None and rows["product_retailer_id"].value_counts().max() > policy.max_per_product:
        found.append(f"it has more than {policy.max_per_product:,} messages of a product")
    if plan.approved_by != signed.signature or plan.limits != policy.limits(plan.limits.timezone):
        found.append(f"it was not made by the policy that {signed.by} signed")
    if now >= signed.until:
        found.append(f"the policy that {signed.by} signed ended at {signed.until:%Y-%m-%d %H:%M} UTC")
    return found
