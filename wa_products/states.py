"""
How far each message came: a lattice, so that late, repeated and shuffled webhooks all give one answer.

Sources: Meta, "Status messages webhook reference" (``read`` may come without ``delivered``; the echoed
``biz_opaque_callback_data``) and "Send messages" (a message not delivered within its validity is dropped without
a webhook).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wa_products import frames

if TYPE_CHECKING:
    from collections.abc import Collection

VALIDITY = pd.Timedelta(days=30)
STATUSES = ("sent", "delivered", "read", "failed")
SUBMITTED = frozenset({"accepted", "refused", "unknown"})
COLUMNS: dict[str, frames.Kind] = {
    "accepted": "flag",
    "sent_at": "time",
    "delivered_at": "time",
    "read_at": "time",
    "failed_at": "time",
    "failed_code": "integer",
    "failed_details": "text",
    "state": "text",
    "anomaly": "text",
}


def states(rows: pd.DataFrame, events: pd.DataFrame, as_of: pd.Timestamp | None = None) -> pd.DataFrame:
    """
    Return `rows` with how far each message came: the columns of `COLUMNS`, one row a planned customer, same order.

    Each ``*_at`` is the first time of that status; ``read`` implies ``delivered``, which implies ``sent``. A status
    that echoes the send id settles an ``unknown`` outcome and fills in its wamid. ``state`` is the furthest point:
    ``read``, ``delivered``, ``failed``, ``expired`` (silence for 30 days at `as_of`), ``sent``, ``accepted``, or the
    outcome of a row that was never accepted. What contradicts itself is kept and named in ``anomaly``.
    """
    frames.require(rows, frames.OUTCOMES, "the campaign's rows")
    heard = _heard(rows, frames.require(events, frames.EVENTS, "events"))
    first = heard.pivot_table(index="row", columns="status", values="at", aggfunc="min")
    first = first.reindex(columns=list(STATUSES)).reindex(index=range(len(rows)))
    first = first.astype(frames.DTYPES["time"]).set_index(rows.index)
    read, failed = first["read"], first["failed"]
    delivered = first[["delivered", "read"]].min(axis=1)
    sent = pd.concat([first["sent"], delivered], axis=1).min(axis=1)
    accepted = (rows["outcome"] == "accepted") | first.notna().any(axis=1)
    result = rows.assign(
        wamid=_wamids(rows, heard),
        accepted=accepted,
        sent_at=sent,
        delivered_at=delivered,
        read_at=read,
        failed_at=failed,
        **_failures(rows, heard),
    )
    return frames.conform(result.assign(state=_state(result, as_of), anomaly=_anomaly(result)), COLUMNS, "states")[
        [*result.columns, "state", "anomaly"]
    ]


def unique_events(events: pd.DataFrame, kinds: Collection[str]) -> pd.DataFrame:
    """Return the events of `kinds`, each once and in an order that does not depend on how they arrived."""
    chosen = events[events["kind"].isin(kinds)]
    if chosen["event_id"].is_unique:
        return chosen.sort_values("event_id", ignore_index=True)
    order = ["event_id", "at", "customer_id", "wamid", "send_id", "product_retailer_id", "code", "details"]
    return chosen.sort_values(order).drop_duplicates("event_id", ignore_index=True)


def orphans(rows: pd.DataFrame, events: pd.DataFrame) -> int:
    """Return how many messages of which a status came are none of `rows`: sent by another tool or campaign."""
    told = unique_events(events, ["status"])
    return int(told.loc[_row_of(rows, told).isna(), "wamid"].nunique())


def _heard(rows: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    told = unique_events(events, ["status"])
    told = told[told["status"].isin(STATUSES) & told["at"].notna()]
    row = _row_of(rows, told)
    return told.assign(row=row)[row.notna()].astype({"row": "int64"})


def _row_of(rows: pd.DataFrame, told: pd.DataFrame) -> pd.Series:
    """Return the position in `rows` of the message each status speaks of, missing where it is none of them."""
    return told["send_id"].map(_positions(rows["send_id"])).fillna(told["wamid"].map(_positions(rows["wamid"])))


def _positions(ids: pd.Series) -> pd.Series:
    places = pd.Series(np.arange(len(ids), dtype="float64"), index=ids.to_numpy())
    return places[(places.index != "") & ~places.index.duplicated()]


def _wamids(rows: pd.DataFrame, heard: pd.DataFrame) -> pd.Series:
    learnt = heard[heard["wamid"] != ""].groupby("row")["wamid"].min().reindex(range(len(rows)), fill_value="")
    return rows["wamid"].where(rows["wamid"] != "", pd.Series(learnt.to_numpy(), index=rows.index, dtype="str"))


def _failures(rows: pd.DataFrame, heard: pd.DataFrame) -> dict[str, pd.Series]:
    failed = heard[heard["status"] == "failed"].sort_values(["at", "code", "details"])
    first = failed.groupby("row")[["code", "details"]].first().reindex(range(len(rows)))
    return {
        "failed_code": pd.Series(first["code"].fillna(0).to_numpy(), index=rows.index).astype("int64"),
        "failed_details": pd.Series(first["details"].fillna("").to_numpy(), index=rows.index, dtype="str"),
    }


def _state(result: pd.DataFrame, as_of: pd.Timestamp | None) -> np.ndarray:
    silent = pd.Series(False, index=result.index) if as_of is None else result["at"] + VALIDITY < as_of
    steps = {
        "read": result["read_at"].notna(),
        "delivered": result["delivered_at"].notna(),
        "failed": result["failed_at"].notna(),
        "expired": result["accepted"] & silent,
        "sent": result["sent_at"].notna(),
        "accepted": result["accepted"],
    }
    return np.select(list(steps.values()), list(steps), default=result["outcome"].astype("object"))


def _anomaly(result: pd.DataFrame) -> np.ndarray:
    unasked = ~result["outcome"].isin(["accepted", "unknown"]) & result["accepted"]
    both = result["failed_at"].notna() & result["delivered_at"].notna()
    return np.select([unasked, both], ["status of a message not accepted", "both failed and delivered"], default="")
