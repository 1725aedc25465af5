"""The brief of one day: a small page that reads on a phone, for whoever answers for what goes out without them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from wa_products import arms
from wa_products.metrics import explain
from wa_products.metrics.failures import failed_and_tried
from wa_products.reports import words
from wa_products.reports.rendering import rendered
from wa_products.reports.texts import moment, percent, some
from wa_products.reports.writing import replaced

if TYPE_CHECKING:
    import os

    import pandas as pd

    from wa_products.metrics import Results
    from wa_products.plans import Plan


def brief(
    plan: Plan,
    outcomes: pd.DataFrame,
    path: str | os.PathLike[str],
    *,
    waiting: pd.DataFrame,
    earlier: Results | None = None,
) -> Path:
    """
    Write what a run did to `path`, as one HTML page of some 20 kB without charts or scripts, and return the path.

    `outcomes` are those of the `plan`, empty where nothing was sent; `waiting` the rows that nobody approved yet;
    `earlier` what the campaign of the day before came to. No phone number and no customer id stands in it.
    """
    html = rendered(
        "brief.html",
        campaign=plan.campaign,
        approved_by=plan.approved_by or "nobody",
        as_of=moment(plan.created_at),
        summary=_summary(plan, outcomes, waiting),
        attention=_attention(outcomes, waiting),
        tiles=_tiles(plan, outcomes, waiting),
        waiting=_waiting(waiting),
        failures=_failures(outcomes),
        reasons={"header": ["reason", "customers"], "rows": [(why, f"{n:,}") for why, n in plan.waterfall]},
        earlier=None if earlier is None else _earlier(earlier),
    )
    return replaced(Path(path), lambda draft: draft.write_text(html, encoding="utf-8"))


def _summary(plan: Plan, outcomes: pd.DataFrame, waiting: pd.DataFrame) -> str:
    allowed = some(len(plan) + len(waiting), "customer")
    accepted = int((outcomes["outcome"] == "accepted").sum())
    return (
        f"The rules let {allowed} have a message. {len(plan):,} of them are covered by what was signed and "
        f"{some(accepted, 'message')} {'was' if accepted == 1 else 'were'} accepted; {len(waiting):,} wait for you."
    )


def _attention(outcomes: pd.DataFrame, waiting: pd.DataFrame) -> list[str]:
    """Return what somebody should do today, most urgent first."""
    failed, tried = failed_and_tried(outcomes)
    stopped = outcomes.attrs.get("stopped", "")
    found = [f"The run was stopped: {stopped}."] if stopped else []
    found += [f"{failed:,} of {tried:,} messages were refused or are unknown."] if failed else []
    if len(waiting):
        first, last = waiting["closes_at"].min(), waiting["closes_at"].max()
        found.append(f"Review what waits: the windows close from {moment(first)} to {moment(last)}.")
    return found


def _tiles(plan: Plan, outcomes: pd.DataFrame, waiting: pd.DataFrame) -> list[tuple[str, str, str]]:
    failed, tried = failed_and_tried(outcomes)
    held = int((plan.arms == arms.HOLDOUT).sum())
    skipped = int((outcomes["outcome"] == "skipped").sum())
    return [
        ("Accepted", f"{int((outcomes['outcome'] == 'accepted').sum()):,}", f"of {tried:,} submitted"),
        ("Refused or unknown", f"{failed:,}", percent(failed / tried) if tried else "nothing was submitted"),
        ("Held out", f"{held:,}", f"of {len(plan):,} planned" + (f", {skipped:,} not sent" if skipped else "")),
        ("Waiting", f"{len(waiting):,}", "for a person's review"),
    ]


def _waiting(waiting: pd.DataFrame) -> dict[str, Any]:
    by = waiting.groupby(["title", "kind"]).agg(customers=("customer_id", "nunique"), most=("probability", "max"))
    top = by.reset_index().sort_values(["customers", "title"], ascending=[False, True], kind="stable")
    rows = [(f"{r.title} ({r.kind})", f"{r.customers:,}", percent(r.most)) for r in top.head(_SHOWN).itertuples()]
    rows += [("others", f"{int(top['customers'].iloc[_SHOWN:].sum()):,}", "")] if len(top) > _SHOWN else []
    return {"header": ["product", "customers", "at best"], "rows": rows}


_SHOWN = 12


def _failures(outcomes: pd.DataFrame) -> dict[str, Any]:
    counts = outcomes.loc[outcomes["outcome"] == "refused", "code"].value_counts()
    rows = [(f"{explain(int(code))[1]} (code {code})", f"{n:,}") for code, n in counts.items()]
    unknown = int((outcomes["outcome"] == "unknown").sum())
    return {"header": ["why", "messages"], "rows": [*rows, *([("no answer came", f"{unknown:,}")] if unknown else [])]}


def _earlier(results: Results) -> dict[str, Any]:
    return {
        "campaign": results.campaign,
        "summary": results.summary,
        "verdict": results.verdict,
        "tiles": words.tiles(results),
        "failures": words.failures(results),
    }
