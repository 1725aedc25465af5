"""
Why messages failed, by what can be done about it.

What each code means is told by `wa_products.codes`; here codes are gathered by who must act, and how.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import binom

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

REFUSED, FAILED, SILENT = "refused at submission", "failed after acceptance", "no answer"
FAILED_COLUMNS = [
    "customer_id", "send_id", "product_retailer_id", "title", "stage", "class", "code", "meaning", "details", "at",
    "left_out", "what_to_do",
]  # fmt: skip
HOURLY = pd.Timedelta(days=3)
LIMIT = 0.00135  # what three sigma leave on either side
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
    "number": "This number may not write to them: a test number reaches the people on its list alone, and no number "
    "reaches itself. Use the shop's own number, or add them to the list.",
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
    **dict.fromkeys((131021, 131030), "number"),
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


def failed(sends: pd.DataFrame) -> pd.DataFrame:
    """
    Return the messages that failed (`sends` as from `wa_products.states.states`), one row a message: `FAILED_COLUMNS`.

    ``left_out`` tells that the sender leaves the customer out by itself from now on, until they write again. A message
    that failed and was delivered all the same is no failure.
    """
    submitted, accepted = sends["outcome"].isin(SUBMITTED), sends["accepted"]
    parts = [
        (REFUSED, submitted & (sends["outcome"] == "refused") & ~accepted, "code", "details", "at"),
        (FAILED, accepted & (sends["state"] == "failed"), "failed_code", "failed_details", "failed_at"),
        (SILENT, submitted & (sends["state"] == "unknown") & ~accepted, "", "", "at"),
        (SILENT, accepted & (sends["state"] == "expired"), "", "", "at"),
    ]
    every = pd.concat([_failed_at(sends[rows], stage, *names) for stage, rows, *names in parts], ignore_index=True)
    return every.sort_values(["at", "customer_id"], ignore_index=True)[FAILED_COLUMNS]


def failed_and_tried(outcomes: pd.DataFrame) -> tuple[int, int]:
    """Return how many of `outcomes` (`send`'s frame) were refused or are unknown, and of how many that were tried."""
    counts = outcomes["outcome"].value_counts()
    failed = int(counts.reindex(["refused", "unknown"], fill_value=0).sum())
    return failed, failed + int(counts.get("accepted", 0))


def failures(sends: pd.DataFrame) -> pd.DataFrame:
    """
    Return the failures of a campaign (`sends` as from `wa_products.states.states`), most frequent first.

    One row a stage, class and code: ``stage, class, code, meaning, customers, total, of, rate, low, high, share,
    cumulative, left_out, what_to_do``. Refusals and requests without an answer are counted out of the submitted, later
    failures out of the accepted; ``share`` and ``cumulative`` (the Pareto line) are out of all failures, ``left_out``
    counts the customers whom the sender leaves out by itself from now on.
    """
    by = ["stage", "class", "code", "meaning"]
    table = failed(sends).groupby(by)["left_out"].agg(["size", "sum"]).astype("int64").reset_index()
    table.columns = pd.Index([*by, "customers", "left_out"])
    late = (table["stage"] == FAILED) | (table["class"] == "no word")
    sizes = {"accepted": int(sends["accepted"].sum()), "submitted": int(sends["outcome"].isin(SUBMITTED).sum())}
    table["of"] = pd.Series(np.where(late, "accepted", "submitted"), index=table.index, dtype="str")
    table["total"] = table["of"].map(sizes).astype("int64")
    table = table.sort_values(["customers", "stage", "code", "meaning"], ascending=[False, True, True, True])
    low, high = wilson(table["customers"], table["total"])
    share = table["customers"] / max(int(table["customers"].sum()), 1)
    return table.assign(
        rate=(table["customers"] / table["total"]).astype("float64"),
        low=low,
        high=high,
        share=share,
        cumulative=share.cumsum(),
        what_to_do=table["class"].map(WHAT_TO_DO),
    ).reset_index(drop=True)[
        [*by, "customers", "total", "of", "rate", "low", "high", "share", "cumulative", "left_out", "what_to_do"]
    ]


def failure_rate(sends: pd.DataFrame) -> pd.DataFrame:
    """
    Return the share of failed messages over time, with the limits within which chance alone keeps it.

    One row an hour (a day, where the campaign ran for more than three) of sending: ``at, total, customers, rate,
    expected, lower, upper, is_outside`` and a column of counts for each class. ``total`` are the submitted messages,
    ``expected`` is the rate of the whole campaign; ``lower`` and ``upper`` leave 0.135 % on either side, as the three
    sigma of a Shewhart p-chart do, by the binomial distribution so that they hold for few messages too.
    """
    tried = sends[sends["outcome"].isin(SUBMITTED) | sends["accepted"]]
    lost = failed(sends)
    sent_at = sends.drop_duplicates("send_id").set_index("send_id")["at"].reindex(lost["send_id"]).set_axis(lost.index)
    step = "h" if not len(tried) or tried["at"].max() - tried["at"].min() <= HOURLY else "D"
    table = tried["at"].dt.floor(step).value_counts().sort_index().rename("total").to_frame()
    by_class = pd.crosstab(sent_at.dt.floor(step), lost["class"]).reindex(table.index, fill_value=0).astype("int64")
    table["customers"] = by_class.sum(axis=1).astype("int64")
    expected = table["customers"].sum() / max(table["total"].sum(), 1)
    table["rate"] = table["customers"] / table["total"]
    table["expected"] = float(expected)
    table["lower"], table["upper"] = (
        binom.ppf(tail, table["total"], expected) / table["total"] for tail in (LIMIT, 1 - LIMIT)
    )
    table["is_outside"] = (table["rate"] < table["lower"]) | (table["rate"] > table["upper"])
    return table.join(by_class).rename_axis("at").reset_index().rename_axis(None, axis=1)


def failure_hours(sends: pd.DataFrame) -> pd.DataFrame:
    """Return the failures by class and hour of sending, UTC: ``class, hour, customers, total`` submitted, ``rate``."""
    tried = sends[sends["outcome"].isin(SUBMITTED) | sends["accepted"]]
    totals = tried["at"].dt.hour.value_counts()
    lost = failed(sends)
    sent_at = sends.drop_duplicates("send_id").set_index("send_id")["at"].reindex(lost["send_id"]).set_axis(lost.index)
    counts = lost.groupby(["class", sent_at.dt.hour.rename("hour")]).size().rename("customers").reset_index()
    total = counts["hour"].map(totals).astype("int64")
    return counts.assign(total=total, rate=counts["customers"] / total)


def suppressed(sends: pd.DataFrame) -> pd.DataFrame:
    """
    Return what the sender left out by itself, and why: ``reason, customers``, most frequent first.

    Those are planned customers whose message was never submitted, because their window had closed, they had opted out,
    or a limit was reached; neither the held out nor those whose turn has not come.
    """
    kept = sends[~sends["accepted"] & sends["outcome"].isin(["window closed", "skipped"])]
    reason = kept["details"].where(kept["details"] != "", kept["outcome"])
    counts = reason.groupby(reason).size().rename("customers").rename_axis("reason").reset_index()
    return counts.sort_values(["customers", "reason"], ascending=[False, True], ignore_index=True)


def _failed_at(rows: pd.DataFrame, stage: str, code: str, details: str, at: str) -> pd.DataFrame:
    known = rows[["customer_id", "send_id", "product_retailer_id", "title"]].assign(stage=stage, at=rows[at])
    if not code:
        name = pd.Series(np.where(rows["accepted"], "no word", "no answer"), index=rows.index, dtype="str")
        meaning = name.map({"no word": "no status within 30 days", "no answer": "no answer came back"})
        known = known.assign(**{"class": name}, code=0, meaning=meaning, details="", left_out=False)
    else:
        pairs = rows[[code, details]].drop_duplicates()
        told = {pair: explain(*pair) for pair in pairs.itertuples(index=False, name=None)}
        found = [told[pair] for pair in zip(rows[code], rows[details], strict=True)]
        explained = pd.DataFrame(found, columns=["class", "meaning"], index=rows.index, dtype="str")
        left_out = rows[code].map({number: codes.rule(number).suppress for number in pairs[code] if number})
        known = known.join(explained).assign(
            code=rows[code], details=rows[details], left_out=left_out.eq(other=True).fillna(False).astype("bool")
        )
    return known.assign(what_to_do=known["class"].map(WHAT_TO_DO))
