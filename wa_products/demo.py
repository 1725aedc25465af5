"""The whole loop on a shop of our own or on real shoppers, against the local Cloud API: no account, no network."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from wa_products.campaigns import listen, measure, send
from wa_products.errors import DataError
from wa_products.exports import load
from wa_products.ledger import Ledger
from wa_products.proposals import propose
from wa_products.reports import report
from wa_products.sandbox import Sandbox
from wa_products.selection import select, waterfall
from wa_products.widgets import review

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pandas as pd

    from wa_products.datasets import Dataset

CAMPAIGN = "demo"
HOLDOUT = 0.2
LISTENING = "8D"
_IN_WHEEL = Path(__file__).parent / "course"
COURSE = _IN_WHEEL if _IN_WHEEL.is_dir() else Path(__file__).parent.parent  # a wheel brings it; else the repository
DEMO_SHOP = COURSE / "data" / "demo"


def run(*, shop: str, out: Path, ledger_url: str | None = None, say: Callable[[str], None] = print) -> Path:
    """
    Run load, propose, select, review, send, listen, measure and report on `shop`; return the path of the report.

    `shop` is ``"demo"``, ``"completejourney"`` or a folder of exports. All that is written goes to `out`, the ledger
    too unless `ledger_url` names another. Run again on the same ledger, it sends nothing twice.
    """
    out.mkdir(parents=True, exist_ok=True)
    with Ledger(ledger_url or f"sqlite:///{out / 'ledger.db'}") as ledger:
        data = loaded(shop, ledger)
        say(f"load     {data!r}")
        proposals = propose(data)
        customers = proposals["customer_id"].nunique()
        say(f"propose  {len(proposals):,} proposals for {customers:,} customers: {_by(proposals, 'source')}")
        chosen = select(proposals, data)
        sends = int((chosen["decision"] == "send").sum())
        say(f"select   {sends:,} to send; nobody else because: {_counts(waterfall(chosen))}")
        reviewed = review(chosen, data)
        reviewed.approve_all()
        plan = reviewed.plan(campaign=CAMPAIGN, approved_by="demo", holdout=HOLDOUT)
        plan.save(out / "plan.jsonl")
        say(f"review   {plan!r}")
        sandbox = Sandbox(data)
        with sandbox.client() as client:
            outcomes = send(plan, ledger=ledger, client=client, dry_run=False)
        say(f"send     {outcomes.attrs['posted']:,} posted; {_by(outcomes, 'outcome')}")
        if outcomes.attrs["posted"]:
            sandbox.advance(LISTENING)
            events = listen(sandbox, ledger=ledger)
            say(f"listen   {len(events):,} events in {LISTENING}: {_by(events, 'kind')}")
        else:
            say("listen   nothing was sent this time, so there is nothing new to wait for")
        results = measure(ledger, campaign=CAMPAIGN)
        say(f"measure  {results!r}")
        return report(results, out / "report.html")


def loaded(shop: str, ledger: Ledger | None = None) -> Dataset:
    """Return the shop that is called ``demo`` or ``completejourney``, or else lies in that folder."""
    if shop == "completejourney":
        from wa_products.exports.completejourney import completejourney  # noqa: PLC0415  # an extra brings its data

        return completejourney()
    folder = DEMO_SHOP if shop == "demo" else Path(shop)
    if shop == "demo" and not folder.is_dir():
        raise DataError(
            f"the demo shop is not installed with the package (looked in {folder}): "
            "clone the repository, or give a folder of exports with --shop FOLDER"
        )
    return load(folder, ledger=ledger)


def copy_course(folder: Path) -> Path:
    """
    Copy the notebooks and the made-up shops that they read into the new `folder`, and return that.

    Raises DataError where there is something in it already: a notebook that somebody changed is not overwritten.
    """
    if folder.exists() and any(folder.iterdir()):
        raise DataError(f"{folder} is not empty: give --course a new folder")
    for part in ("notebooks", "data/demo", "data/messy"):
        if not (COURSE / part).is_dir():
            raise DataError(f"the course is not installed with the package (looked in {COURSE}): clone the repository")
        shutil.copytree(
            COURSE / part, folder / part, ignore=shutil.ignore_patterns(".*", "*.db*", "runs", "__pycache__")
        )
    return folder


def _by(frame: pd.DataFrame, column: str) -> str:
    return _counts((str(value), int(n)) for value, n in frame[column].value_counts().items()) or "none"


def _counts(pairs: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{n:,} {value}" for value, n in pairs)
