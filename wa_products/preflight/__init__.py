"""What to know before sending: the account, the number, the catalog, and the planned products as Meta has them now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from wa_products.errors import PlanError
from wa_products.preflight import accounts, products
from wa_products.preflight.findings import COLUMNS, FAIL, OK, WARN, Finding, Unreachable

if TYPE_CHECKING:
    from wa_products.client import Client
    from wa_products.datasets import Dataset
    from wa_products.plans import Plan

__all__ = ["FAIL", "OK", "WARN", "check"]


def check(client: Client, plan: Plan | None = None, data: Dataset | None = None) -> pd.DataFrame:
    """
    Return what was found, one row a finding: ``name``, ``state`` (ok, warn, fail), ``what``, ``what_to_do``.

    Only reads, changes nothing. A fail means that sending fails or reaches nobody; a warn is for a person to weigh.
    With a `plan` its products are compared with Meta's catalog as it is now, with `data` stock and review of the
    export too; without a plan, all that the export would send.
    """
    found: list[Finding] = [] if plan is None else _plan(client, plan)
    try:
        found += accounts.token(client, plan)
        if not any(each.state == FAIL and each.name == "token" for each in found):
            for look in (accounts.number, accounts.health, accounts.commerce, accounts.catalog):
                found += look(client)
            found += accounts.pace(client, plan)
            found += products.differences(client, plan, data)
    except Unreachable as error:
        found.append(Finding("connection", FAIL, str(error), "mend the network or WA_GRAPH_URL, then check again"))
    return pd.DataFrame(found, columns=list(COLUMNS)).astype("str")


def _plan(client: Client, plan: Plan) -> list[Finding]:
    try:
        plan.check(client.now())
    except PlanError as error:
        return [Finding("plan", FAIL, str(error), "make a new plan")]
    if client.catalog_id not in ("", plan.catalog_id):
        what = f"the plan is for catalog {plan.catalog_id}, the settings name {client.catalog_id}"
        return [Finding("plan", FAIL, what, "set WA_CATALOG_ID to the catalog of the plan, or plan again")]
    return [Finding("plan", OK, f"{len(plan):,} customers, approved by {plan.approved_by}, unchanged")]
