"""The account: token, number, health, commerce settings, the linked catalog, and whether the pace is enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from wa_products import arms
from wa_products.campaigns.queues import in_order, late
from wa_products.errors import CloudAPIError
from wa_products.ledger.sending import plan_rows
from wa_products.preflight.findings import FAIL, OK, WARN, Finding, asked, refused_token

if TYPE_CHECKING:
    from wa_products.client import Client
    from wa_products.plans import Plan

SENDING = "whatsapp_business_messaging"
READING = ("whatsapp_business_management", "catalog_management")
NUMBER = "verified_name,status,quality_rating,code_verification_status"


def token(client: Client, plan: Plan | None) -> list[Finding]:
    """Return whether the token is valid, for long enough, and may send. Raises Unreachable without any answer."""

    def look() -> list[Finding]:
        try:
            facts = client.token_facts()
        except CloudAPIError as error:
            if refused_token(error):
                raise
            what = f"what the token may do cannot be read here: {error}"
            return [Finding("token", WARN, what, f"make sure that it has {SENDING}: a first message will tell")]
        return _of_facts(facts, client, plan)

    return asked("token", "the token", look, vital=True)


def _of_facts(facts: dict[str, Any], client: Client, plan: Plan | None) -> list[Finding]:
    if facts.get("is_valid") is False:
        return [Finding("token", FAIL, "the token is not valid any more", "make a new token and set WA_TOKEN")]
    now, until = client.now().timestamp(), facts.get("expires_at") or 0
    if 0 < until <= now:
        return [Finding("token", FAIL, "the token has expired", "make a new token and set WA_TOKEN")]
    found = [Finding("token", OK, "valid")]
    if plan is not None and 0 < until < plan.expires_at.timestamp():
        end = pd.Timestamp(until, unit="s", tz="UTC")
        what = f"the token expires at {end:%Y-%m-%d %H:%M} UTC, before the plan does"
        found = [Finding("token", WARN, what, "make a token of a system user, which does not expire")]
    scopes = facts.get("scopes")
    if not isinstance(scopes, list):
        return [*found, Finding("permission", WARN, "the permissions are not told", f"make sure that it has {SENDING}")]
    if SENDING not in scopes:
        what = f"the token lacks {SENDING}, so no message can be sent"
        return [*found, Finding("permission", FAIL, what, "grant it to the system user, then make a new token")]
    if lacking := [scope for scope in READING if scope not in scopes]:
        what = f"the token lacks {' and '.join(lacking)}: sending works, some of these checks do not"
        return [*found, Finding("permission", WARN, what, "grant them for checks before sending")]
    return [*found, Finding("permission", OK, SENDING)]


def number(client: Client) -> list[Finding]:
    """Return in what state the number is."""

    def look() -> list[Finding]:
        told = client.get(client.phone_number_id, fields=NUMBER)
        status, quality = str(told.get("status") or ""), str(told.get("quality_rating") or "")
        if status not in ("", "CONNECTED"):
            return [Finding("number", FAIL, f"the number is {status}", "register it in the WhatsApp manager")]
        if quality in ("RED", "LOW"):
            what = "customers block or report this number often: its quality is low"
            return [Finding("number", WARN, what, "send less, to those most likely to want it")]
        return [Finding("number", OK, f"connected, quality {quality.lower() or 'unknown'}")]

    return asked("number", "the number", look, vital=True)


def health(client: Client) -> list[Finding]:
    """Return whether Meta says that messages can be sent, and why not."""

    def look() -> list[Finding]:
        told = client.get(client.phone_number_id, fields="health_status").get("health_status")
        told = told if isinstance(told, dict) else {}
        state = str(told.get("can_send_message") or "")
        if state in ("", "AVAILABLE"):
            return [Finding("health", OK, "messages can be sent")]
        nodes = [node for node in told.get("entities") or () if isinstance(node, dict)]
        why, remedies = _words(nodes)
        what = f"Meta says {state.lower()}: {why or 'no reason given'}"
        todo = remedies or "look at the account in the WhatsApp manager"
        return [Finding("health", FAIL if state == "BLOCKED" else WARN, what, todo)]

    return asked("health", "the health of the number", look)


def _words(nodes: list[dict[str, Any]]) -> tuple[str, str]:
    """Return what Meta gives as reasons and as remedies, each in one line."""
    errors = [error for node in nodes for error in node.get("errors") or () if isinstance(error, dict)]
    why = [str(error.get("error_description") or "") for error in errors]
    why += [str(line) for node in nodes for line in node.get("additional_info") or ()]
    remedies = [str(error.get("possible_solution") or "") for error in errors]
    return "; ".join(filter(None, why)), "; ".join(filter(None, remedies))


def commerce(client: Client) -> list[Finding]:
    """Return whether customers see the catalog and can fill a cart. Meta hides catalogs until told otherwise."""

    def look() -> list[Finding]:
        told = client.get(f"{client.phone_number_id}/whatsapp_commerce_settings").get("data")
        told = told[0] if isinstance(told, list) and told and isinstance(told[0], dict) else {}
        visible = told.get("is_catalog_visible", False)
        found = [
            Finding("catalog visible", OK, "customers see the catalog")
            if visible
            else Finding(
                "catalog visible",
                FAIL,
                "the catalog is hidden in the commerce settings: Meta refuses product messages",
                "turn it on in the WhatsApp manager, or POST whatsapp_commerce_settings?is_catalog_visible=true",
            )
        ]
        if told.get("is_cart_enabled", True):
            return [*found, Finding("cart", OK, "customers can fill a cart")]
        what = "the cart is off: customers can ask, but not order, whatever is sent"
        return [*found, Finding("cart", WARN, what, "turn it on in the commerce settings")]

    return asked("catalog visible", "the commerce settings", look)


def catalog(client: Client) -> list[Finding]:
    """Return whether the catalog of the settings is the one that the business account is linked to."""
    name, todo = "catalog linked", "link it in the commerce manager, or set WA_CATALOG_ID to the linked one"
    if not client.business_account_id:
        what = "which catalog is linked cannot be asked without WA_BUSINESS_ACCOUNT_ID"
        return [Finding(name, WARN, what, "set it, or look in the WhatsApp manager")]

    def look() -> list[Finding]:
        linked = [str(each.get("id")) for each in client.pages(f"{client.business_account_id}/product_catalogs")]
        if client.catalog_id in linked:
            return [Finding(name, OK, f"catalog {client.catalog_id} is linked to the account")]
        return [Finding(name, FAIL, f"linked is {', '.join(linked) or 'none'}, not {client.catalog_id}", todo)]

    return asked(name, "the linked catalog", look)


def pace(client: Client, plan: Plan | None) -> list[Finding]:
    """Return how fast the number may send, and how many of a plan would come too late at that."""
    rate = client.limit()
    if plan is None:
        return [Finding("pace", OK, f"{rate:g} messages a second")]
    rows = in_order(row for row in plan_rows(plan) if row["arm"] == arms.TREATED)
    if missed := late(rows, client.now(), rate):
        what = f"{len(missed):,} of {len(rows):,} windows close before their turn at {rate:g} messages a second"
        return [Finding("pace", WARN, what, "send now, plan fewer, or plan again after they write")]
    return [Finding("pace", OK, f"{len(rows):,} messages at {rate:g} a second, all in time")]
