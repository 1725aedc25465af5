"""
The customer service window: 24 hours from the customer's last message, and the threads it leaves open.

Source: Meta, "Sending messages": any message of the customer opens or restarts the window; messages of the
business, statuses and system notices do not. Reactions and unsupported messages are not documented as opening
it, so they do not count here.
"""

from __future__ import annotations

import pandas as pd

from wa_products import frames

WINDOW = pd.Timedelta(hours=24)
MARGIN = pd.Timedelta(minutes=5)
NOT_OPENING = frozenset({"reaction", "unsupported", "system", "preference"})
STOP_WORDS = frozenset({"stop", "stopall", "unsubscribe", "baja", "parar", "arret", "arrêt", "stopp", "abmelden"})
START_WORDS = frozenset({"start", "unstop", "resume"})
STOP, START = "stop", "start"
_STARTING = ["resume", "start", "signup"]  # how a preference says it
_ROUND_A_STOP, _ROUND_A_START = " \t\r\n.!", " .!"
ROUND_A_WISH, LONGEST_WISH = _ROUND_A_STOP, max(map(len, STOP_WORDS | START_WORDS))  # case folding makes none shorter


def closes_at(last_inbound_at: pd.Series) -> pd.Series:
    """
    Return when each customer service window closes: UTC, one value a row, missing where there was no message.

    >>> closes_at(pd.Series(pd.to_datetime(["2026-11-22 08:00Z"])))[0].isoformat()
    '2026-11-23T08:00:00+00:00'
    """
    return last_inbound_at + WINDOW


def is_open(closes: pd.Series, at: pd.Timestamp, margin: pd.Timedelta = MARGIN) -> pd.Series:
    """Return whether each window is open at `at` with `margin` to spare; False where there is no window."""
    return (closes - margin > at).fillna(False).astype("bool")


def says_stop(text: pd.Series) -> pd.Series:
    """Return which texts are a request to stop: the stop word alone, in any case, with or without punctuation."""
    return text.str.strip(_ROUND_A_STOP).str.casefold().isin(STOP_WORDS)


def wish(kind: str, text: str) -> str | None:
    """Return ``stop`` or ``start`` where one message of this kind and text asks for it, else None; as in `threads`."""
    if kind == "preference":
        return STOP if text == "stop" else START if text in _STARTING else None
    if text.strip(_ROUND_A_STOP).casefold() in STOP_WORDS:
        return STOP
    return START if text.strip(_ROUND_A_START).casefold() in START_WORDS else None


def threads(inbound: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """
    Return one row a customer who ever wrote, as known at `as_of`: the `threads` frame.

    `to` is the last wa_id with its ``+``; where only a business-scoped user id is known, `recipient` holds it.
    A message sent from a number that has since been changed does not keep the window open.
    """
    known = inbound[inbound["received_at"] <= as_of].sort_values(["received_at", "message_id"], kind="stable")
    by_customer = known.groupby("customer_id", sort=True)
    changed_at = known[known["previous_wa_id"] != ""].groupby("customer_id")["received_at"].max()
    opening = known[~known["kind"].isin(NOT_OPENING)]
    moved = changed_at.reindex(opening["customer_id"]).set_axis(opening.index)
    opening = opening[~(opening["received_at"] < moved)]
    last = opening.groupby("customer_id")["received_at"].max()

    result = pd.DataFrame(index=pd.Index(by_customer.size().index, name="customer_id", dtype="str"))
    result["last_inbound_at"] = last.reindex(result.index)
    result["closes_at"] = closes_at(result["last_inbound_at"])
    result["is_open"] = is_open(result["closes_at"], as_of)
    result["opted_out"] = _opted_out(known).reindex(result.index, fill_value=False)
    wa_id = known[known["wa_id"] != ""].groupby("customer_id")["wa_id"].last().reindex(result.index).fillna("")
    user_id = known[known["user_id"] != ""].groupby("customer_id")["user_id"].last().reindex(result.index).fillna("")
    result["to"] = ("+" + wa_id).where(wa_id != "", "")
    result["recipient"] = user_id.where(wa_id == "", "")
    return frames.conform(result.reset_index(), frames.THREADS, "threads")


def wishes(kind: pd.Series, text: pd.Series) -> pd.Series:
    """Return what `wish` does of each message of these kinds and texts, ``""`` for None."""
    preference = kind == "preference"
    stop = (preference & (text == "stop")) | (~preference & says_stop(text))
    start = (preference & text.isin(_STARTING)) | (
        ~preference & text.str.strip(_ROUND_A_START).str.casefold().isin(START_WORDS)
    )
    return pd.Series("", index=kind.index, dtype="str").mask(start, START).mask(stop, STOP)


def _opted_out(known: pd.DataFrame) -> pd.Series:
    asked = wishes(known["kind"], known["text"])
    said = known[asked != ""].assign(stop=asked == STOP)
    return said.groupby("customer_id")["stop"].last().astype("bool")
