"""
Why messages failed, by what can be done about it.

What each code means is told by `wa_products.codes`; here codes are gathered by who must act, and how.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from wa_products import codes
from wa_products.errors import (
    AuthError,
    CloudAPIError,
    NotInCatalog,
    RateLimited,
    RecipientError,
    WindowClosed,
)
from wa_products.metrics.intervals import wilson
from wa_products.states import SUBMITTED

if TYPE_CHECKING:
    from collections.abc import Iterable

REFUSED, FAILED, SILENT = "refused at submission", "failed after acceptance", "no answer"
WHAT_TO_DO: dict[str, str] = {
    "window closed": "Nothing was wrong with the message: WhatsApp saw the 24 hours as over. "
    "Send sooner after the customer writes, or leave more margin before the window closes.",
    "cannot receive": "The customer is not on WhatsApp, has not accepted its terms, or has an app too old for product "
    "messages. Leave them out until they write again; do not blame the product.",
    "catalog": "Check that the product is in the catalog connected to this WhatsApp account, approved and visible, and "
    "that the catalog is switched on in its commerce settings. Then propose again.",
    "too fast": "Slow down: fewer messages a second for the number, or a longer pause for the same customer.",
    "withheld": "WhatsApp held the message back to keep this customer's load down. Leave them at least a day.",
    "opted out": "The customer asked for no more of these messages. Do not send again.",
    "account": "Mend the token, its permissions or the registration of the number, then start a new run.",
    "billing": "Mend the payment method of the WhatsApp account. Even free messages can stop without one.",
    "policy": "WhatsApp restricts this account or number. Stop the campaign and read the notice in its manager.",
    "request": "The request itself was not accepted. Keep the code and report it to whoever runs this software.",
    "server": "A fault on WhatsApp's side. These customers can be planned again while their window is open.",
    "no answer": "The connection broke before an answer came. Not sent again, so that nobody gets it twice; "
    "the next webhooks may still settle it.",
    "no word": "Accepted, then silence for 30 days: the message was dropped. Their phone was most likely off.",
    "unclassified": "A code this version does not know. Look it up in Meta's list of error codes.",
}
_BY_ERROR: dict[type[CloudAPIError], str] = {
    WindowClosed: "window closed",
    RateLimited: "too fast",
    NotInCatalog: "catalog",
    AuthError: "account",
    RecipientError: "cannot receive",
}
_BY_CODE: dict[int, str] = {
    **dict.fromkeys((130472, 131049), "withheld"),
    **dict.fromkeys((368, 130497, 131031, 131048, 131064), "policy"),
    131042: "billing",
    131050: "opted out",
}
_BY_ACTION = {"retry": "server", "fix": "request"}


def explain(code: int, details: str = "") -> tuple[str, str]:
    """
    Return the class of an error code, by what the reader can do, and its meaning in words.

    >>> explain(131047)
    ('window closed', 'more than 24 hours since the customer wrote')
    """
    if code == 0:
        return "unclassified", codes.REFUSED_UNCODED.meaning
    rule = codes.rule(code, details)
    found = _BY_CODE.get(code) or _BY_ERROR.get(rule.error) or _BY_ACTION.get(rule.action)
    return found or "unclassified", rule.meaning


def failures(sends: pd.DataFrame) -> pd.DataFrame:
    """
    Return the failures of a campaign (`sends` as from `wa_products.states.states`), most frequent first.

    One row a stage, class and code: ``stage, class, code, meaning, customers, total, of, rate, low, high,
    what_to_do``. Refusals and requests without an answer are counted out of the submitted, later failures out of the
    accepted. A message that failed and was delivered all the same is no failure.
    """
    submitted, accepted = sends[sends["outcome"].isin(SUBMITTED)], sends[sends["accepted"]]
    refused = submitted[(submitted["outcome"] == "refused") & ~submitted["accepted"]]
    failed = accepted[accepted["state"] == "failed"]
    lost, silent = submitted[submitted["state"] == "unknown"], accepted[accepted["state"] == "expired"]
    parts = [
        *_by_code(REFUSED, zip(refused["code"], refused["details"], strict=True), len(submitted), "submitted"),
        *_by_code(FAILED, zip(failed["failed_code"], failed["failed_details"], strict=True), len(accepted), "accepted"),
        *_in_silence("no answer", "no answer came back", len(lost), len(submitted), "submitted"),
        *_in_silence("no word", "no status within 30 days", len(silent), len(accepted), "accepted"),
    ]
    frame = pd.DataFrame(parts, columns=["stage", "class", "code", "meaning", "customers", "total", "of"])
    low, high = wilson(frame["customers"], frame["total"])
    counted = frame.assign(
        rate=(frame["customers"] / frame["total"]).astype("float64"),
        low=low,
        high=high,
        what_to_do=frame["class"].map(WHAT_TO_DO),
    ).astype({"code": "int64", "customers": "int64", "total": "int64"})
    return counted.sort_values(
        ["customers", "stage", "code", "meaning"], ascending=[False, True, True, True], ignore_index=True
    )


def _by_code(stage: str, coded: Iterable[tuple[int, str]], total: int, of: str) -> list[tuple[object, ...]]:
    explained = pd.DataFrame(
        [(*explain(int(code), details), int(code)) for code, details in coded], columns=list("cmn")
    )
    counts = explained.groupby(["c", "n", "m"]).size()
    return [
        (stage, name, code, meaning, int(customers), total, of) for (name, code, meaning), customers in counts.items()
    ]


def _in_silence(name: str, meaning: str, customers: int, total: int, of: str) -> list[tuple[object, ...]]:
    return [(SILENT, name, 0, meaning, customers, total, of)] if customers else []
