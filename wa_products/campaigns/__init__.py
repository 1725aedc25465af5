"""What a campaign does to the world: send a plan, listen to what comes back."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import pandas as pd
from tqdm.auto import tqdm

from wa_products import approvals, arms, frames
from wa_products.campaigns.measuring import measure
from wa_products.campaigns.overviews import overview
from wa_products.campaigns.queues import in_order, late, pace
from wa_products.campaigns.sender import Sender, message
from wa_products.campaigns.sources import bodies, size
from wa_products.errors import PlanError, SettingsError
from wa_products.ledger import sending

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from wa_products.campaigns.sender import Progress
    from wa_products.campaigns.sources import Source
    from wa_products.client import Client
    from wa_products.ledger import Ledger
    from wa_products.ledger.hearing import Body
    from wa_products.ledger.people import Standing
    from wa_products.limits import Limits
    from wa_products.plans import Plan

__all__ = ["listen", "measure", "overview", "send", "take_in"]

_NOW = "would be sent now"


def send(
    plan: Plan, *, ledger: Ledger, client: Client, dry_run: bool = True, progress: Progress = True
) -> pd.DataFrame:
    """
    Send an approved plan, each customer at most once in its campaign; return the `outcomes` frame, one row a customer.

    Run it again to go on where it stopped: nobody who was sent to, held out, or whose answer was lost is posted
    again. The window, opt-outs and suppressions are checked once more right before each message. With `dry_run` nothing
    is posted or written, and ``details`` says what would happen, and who would be reached too late at the pace of
    the number. ``attrs`` of the result: ``posted`` (requests made by this run), ``stopped`` (why it ended early, in
    words, else ``""``), ``failing`` (whether too many failures were why), ``unclassified`` (codes that this package
    does not know, with their number), ``unknown`` (sends that a person should look at: `Ledger.unknowns`), ``late``
    (customers whose window would close before their turn) and ``rate`` (messages a second). `progress` shows a bar, or
    is a function from a total to another `wa_products.campaigns.sender.Bar`.

    Raises PlanError for a plan that was changed, never approved, has expired or is for another catalog, in a scheduled
    run also for one that neither a signed policy nor a person's review covers (`wa_products.approvals`), and DataError
    for a message that breaks a limit, in both cases before anything is sent.
    """
    if client.is_dry and not dry_run:
        raise SettingsError("WA_DRY_RUN is set, so nothing is sent: unset it, or give dry_run=True")
    now = client.now()
    plan.check(now)
    if client.covered_by and not dry_run:
        approvals.require_cover(plan, approvals.taken_up(client.covered_by), ledger=ledger, now=now)
    if client.catalog_id not in ("", plan.catalog_id):
        raise PlanError(f"the plan is for catalog {plan.catalog_id}, the client for {client.catalog_id}: review again")
    rows = sending.plan_rows(plan)
    for row in rows:
        message(plan, row, send_id="checked beforehand")
    _tell_twins(plan, ledger)
    decided = ledger.decided(plan.campaign)
    pending = in_order(row for row in rows if decided.get(row["customer_id"], ("", True))[1])
    limit = client.limit()
    rate = pace(limit, ledger.inbound_rate(now))
    if dry_run:
        return _rehearsed(plan, ledger, pending, now, rate)
    ledger.register(plan, now)
    sender = Sender(plan, ledger, client, limit=limit, rate=rate, progress=progress)
    sender.run([row for row in pending if row["arm"] == arms.TREATED])
    return _told(plan, ledger, sender)


def listen(source: Source, *, ledger: Ledger, progress: bool = True) -> pd.DataFrame:
    """
    Store webhook bodies in the ledger; return the `events` frame of those that are new.

    `source` is the path of a JSON or JSON-lines file or log (``.gz`` too) or of a folder of such, another ledger or
    its URL, an iterable of bodies (dict, bytes, str), or anything with a method ``webhooks()``, such as a sandbox.
    Order and repeats do not matter: listening twice stores nothing twice, and what was interrupted goes on. Raises
    DataError where there is no such file, or one is damaged.
    """
    last = ledger.last_event()
    take_in(source, ledger=ledger, progress=progress)
    return ledger.events_after(last)


def take_in(source: Source, *, ledger: Ledger, progress: bool = True) -> int:
    """Store webhook bodies as `listen` does; return how many events are new, without the frame of them."""
    with tqdm(total=size(source), unit="B", unit_scale=True, delay=1, disable=not progress) as bar:
        return ledger.store(_counted(bodies(source), bar))


def _counted(found: Iterable[Body], bar: tqdm) -> Iterator[Body]:
    for body in found:
        yield body
        bar.update(len(body))


def _told(plan: Plan, ledger: Ledger, sender: Sender) -> pd.DataFrame:
    """Return the outcomes of a run, and warn of what a person should know."""
    breaker, found = sender.breaker, _outcomes(plan, ledger)
    left = found["outcome"] == ""
    why = f"not sent, the run was stopped: {breaker.stopped}" if breaker.stopped else "not sent yet"
    found = found.assign(
        outcome=found["outcome"].where(~left, sending.SKIPPED), details=found["details"].where(~left, why)
    )
    unknown = len(ledger.unknowns(sender.client.now(), campaign=plan.campaign))
    found.attrs = {"posted": sender.posted, "stopped": breaker.stopped, "failing": breaker.failing}
    found.attrs |= {"unclassified": dict(breaker.unclassified), "unknown": unknown, "late": 0, "rate": sender.rate}
    notes = [f"was stopped: {breaker.stopped}. Send again to go on"] if breaker.stopped else []
    if breaker.unclassified:
        codes = ", ".join(f"{code} ({n:,} times)" for code, n in sorted(breaker.unclassified.items()))
        notes.append(f"met codes that this package does not know: {codes}. The outcomes have Meta's words")
    if unknown:
        notes.append(
            f"has {unknown:,} message{'s' if unknown > 1 else ''} of which no answer and no webhook came: listen to "
            f"the webhooks, then look with wa-products resolve"
        )
    for note in notes:
        warnings.warn(f"the campaign {plan.campaign!r} {note}", stacklevel=3)
    return found


def _outcomes(plan: Plan, ledger: Ledger) -> pd.DataFrame:
    """Return the state of each customer of this plan, in its order."""
    known = ledger.outcomes(plan.campaign)
    return plan.rows[["customer_id"]].merge(known, on="customer_id", how="left")[list(frames.OUTCOMES)]


def _rehearsed(plan: Plan, ledger: Ledger, pending: list[sending.Row], now: pd.Timestamp, rate: float) -> pd.DataFrame:
    """Return what `send` would do, without doing it."""
    standings = ledger.standings(pending, now)
    reached = ledger.reached(plan.campaign, pending, now, plan.limits.rest_days)
    would = {
        row["customer_id"]: _would(row, standings.get(row["customer_id"]), now, plan.limits, reached) for row in pending
    }
    sent = [row for row in pending if would[row["customer_id"]] == _NOW]
    missed = late(sent, now, rate)
    would |= dict.fromkeys(missed, f"would not be sent: its window closes before its turn, at {rate:g} a second")
    fresh = plan.rows[["customer_id", "product_retailer_id"]].assign(
        campaign=plan.campaign,
        arm=plan.arms,
        outcome=sending.SKIPPED,
        details="dry run: " + plan.rows["customer_id"].map(would).astype("str"),
    )
    known = ledger.outcomes(plan.campaign)
    done = plan.rows["customer_id"].isin(would)
    known = known[known["customer_id"].isin(plan.rows.loc[~done, "customer_id"])]
    every = pd.concat([frames.empty(frames.OUTCOMES), known, fresh[done]])
    found = frames.conform(every, frames.OUTCOMES, "the dry run").sort_values("customer_id", ignore_index=True)
    found.attrs = {"posted": 0, "stopped": "", "failing": False, "unclassified": {}, "late": len(missed), "rate": rate}
    found.attrs["unknown"] = len(ledger.unknowns(now, campaign=plan.campaign))
    return found


def _would(
    row: sending.Row, standing: Standing | None, now: pd.Timestamp, limits: Limits, reached: Mapping[str, int]
) -> str:
    if row["arm"] == arms.HOLDOUT:
        return "would be held out"
    _, outcome, why = sending.allowed(row, standing, now, limits, reached.get(row["customer_id"], 0))
    return f"would not be sent: {why}" if outcome else _NOW


def _tell_twins(plan: Plan, ledger: Ledger) -> None:
    if others := ledger.twins(plan):
        days = plan.limits.rest_days
        rest = f", unless the other wrote to them within {days:g} days" if days else ""
        warnings.warn(
            f"the same products were already planned for the same people as {', '.join(map(repr, others))}: "
            f"{plan.campaign!r} is a new campaign, and they get the message again{rest}",
            stacklevel=3,
        )
