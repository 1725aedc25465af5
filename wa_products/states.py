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
import pyarrow as pa
import pyarrow.compute as pc

from wa_products import frames

if TYPE_CHECKING:
    from collections.abc import Collection

VALIDITY = pd.Timedelta(days=30)
STATUSES = ("sent", "delivered", "read", "failed")
SUBMITTED = frozenset({"accepted", "refused", "unknown"})
RECEIPTS: dict[str, frames.Kind] = {
    "sent_at": "time",
    "delivered_at": "time",
    "read_at": "time",
    "failed_at": "time",
    "failed_code": "integer",
    "failed_details": "text",
}
COLUMNS: dict[str, frames.Kind] = {
    "accepted": "flag",
    **RECEIPTS,
    "state": "text",
    "anomaly": "text",
}
_SETTLES = ["event_id", "at", "customer_id", "wamid", "send_id", "product_retailer_id", "code", "details"]
_TOLD = ["at", "wamid", "send_id", "code", "details", "status"]


def states(rows: pd.DataFrame, events: pd.DataFrame, as_of: pd.Timestamp | None = None) -> pd.DataFrame:
    """
    Return `rows` with how far each message came: the columns of `COLUMNS`, one row a planned customer, same order.

    Each ``*_at`` is the first time of that status; ``read`` implies ``delivered``, which implies ``sent``. A status
    that echoes the send id settles an ``unknown`` outcome and fills in its wamid. ``state`` is the furthest point:
    ``read``, ``delivered``, ``failed``, ``expired`` (silence for 30 days at `as_of`), ``sent``, ``accepted``, or the
    outcome of a row that was never accepted. What contradicts itself is kept and named in ``anomaly``.

    `rows` may carry receipts already (the columns of `RECEIPTS`, as from `Ledger.receipts`): they are joined with the
    statuses among `events`, so that it does not matter which of the two tells of one, or that both do.
    """
    frames.require(rows, frames.OUTCOMES, "the campaign's rows")
    heard = _heard(rows, frames.require(events, frames.EVENTS, "events"))
    first = {
        name: _earlier(_known(rows, f"{name}_at"), _first_at(heard[heard["status"] == name], len(rows), rows.index))
        for name in STATUSES
    }
    delivered = _earlier(first["delivered"], first["read"])
    sent = _earlier(first["sent"], delivered)
    told = sent.notna() | first["failed"].notna()
    result = rows.assign(
        wamid=_wamids(rows, heard),
        accepted=(rows["outcome"] == "accepted") | told,
        sent_at=sent,
        delivered_at=delivered,
        read_at=first["read"],
        failed_at=first["failed"],
        **_failures(rows, heard[heard["status"] == "failed"]),
    )
    return frames.conform(result.assign(state=_state(result, as_of), anomaly=_anomaly(result)), COLUMNS, "states")[
        [*result.columns, "state", "anomaly"]
    ]


def positions(values: pd.Series, ids: pd.Series) -> np.ndarray:
    """Return where in `ids` each of `values` first stands, -1 where it does not or is empty."""
    if values.empty:
        return np.empty(0, dtype="int64")
    whole, wanted = (pa.array(texts.array, pa.large_string()) for texts in (ids, values))
    found = pc.index_in(wanted, value_set=whole).fill_null(-1).to_numpy(zero_copy_only=False).astype("int64")
    return np.where(pc.equal(wanted, "").to_numpy(zero_copy_only=False), -1, found)


def are_in(values: pd.Series, ids: pd.Series) -> pd.Series:
    """Return which of `values` are among `ids`, none of them empty; faster for many than `isin` of pandas."""
    if len(ids) > len(values):  # to look up in few is faster than in many
        ids = ids[positions(ids, values) >= 0]
    return pd.Series(positions(values, ids) >= 0, index=values.index)


def unique_events(events: pd.DataFrame, kinds: Collection[str]) -> pd.DataFrame:
    """Return the events of `kinds`, each once and in an order that does not depend on how they arrived."""
    chosen = events[events["kind"].isin(kinds)]
    if chosen["event_id"].is_unique:
        return chosen.sort_values("event_id", ignore_index=True)
    return chosen.sort_values(_SETTLES).drop_duplicates("event_id", ignore_index=True)


def orphans(rows: pd.DataFrame, events: pd.DataFrame) -> int:
    """Return how many messages of which a status came are none of `rows`: sent by another tool or campaign."""
    told = _statuses(events)
    return int(told.loc[_row_of(rows, told) < 0, "wamid"].nunique())


def _statuses(events: pd.DataFrame) -> pd.DataFrame:
    """Return the status events. Order and repeats do not matter, since each state is a first time."""
    return events.loc[events["kind"] == "status", _TOLD]


def _known(rows: pd.DataFrame, column: str) -> pd.Series:
    """Return a column of the receipts that `rows` carry, all unknown where they carry none."""
    return frames.conform(rows[rows.columns.intersection([column])], {column: RECEIPTS[column]}, "receipts")[column]


def _earlier(one: pd.Series, other: pd.Series) -> pd.Series:
    return one.where(other.isna() | (one <= other), other)


def _heard(rows: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    told = _statuses(events)
    row = _row_of(rows, told)
    return told.assign(row=row)[(row >= 0) & told["status"].isin(STATUSES) & told["at"].notna()]


def _row_of(rows: pd.DataFrame, told: pd.DataFrame) -> np.ndarray:
    """Return the position in `rows` of the message each status speaks of, -1 where it is none of them."""
    by_id = positions(told["send_id"], rows["send_id"])
    unknown = by_id < 0
    by_id[unknown] = positions(told.loc[unknown, "wamid"], rows["wamid"])
    return by_id


def _first_at(heard: pd.DataFrame, size: int, index: pd.Index) -> pd.Series:
    """Return the first time in `heard` for each of the `size` rows, missing where there is none."""
    never = np.iinfo("int64").max
    first = np.full(size, never)
    np.minimum.at(first, heard["row"].to_numpy(), heard["at"].astype("int64").to_numpy())
    times = pd.Series(np.where(first == never, 0, first), index=index).astype(frames.DTYPES["time"])
    return times.where(first != never)


def _wamids(rows: pd.DataFrame, heard: pd.DataFrame) -> pd.Series:
    """Return the wamid of each row, learnt from a status where the answer to the request was lost."""
    lost = (rows["wamid"] == "").to_numpy()
    told = heard[lost[heard["row"]] & (heard["wamid"] != "")]
    learnt = told.groupby("row")["wamid"].min()
    result = rows["wamid"].copy()
    result.iloc[learnt.index] = learnt.to_numpy()
    return result


def _failures(rows: pd.DataFrame, heard: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the code and details of the first failure of each row, of those it carries and those that were heard."""
    known = {name: _known(rows, f"failed_{name}") for name in ("at", "code", "details")}
    row = np.flatnonzero(known["at"].notna())
    carried = pd.DataFrame({"row": row, **{name: values.array[row] for name, values in known.items()}})
    failed = pd.concat([carried, heard[list(carried.columns)]], ignore_index=True)
    first = failed.sort_values(["at", "code", "details"]).drop_duplicates("row").set_index("row")
    return {
        f"failed_{name}": first[name].reindex(range(len(rows)), fill_value=blank).set_axis(rows.index)
        for name, blank in (("code", 0), ("details", ""))
    }


def _state(result: pd.DataFrame, as_of: pd.Timestamp | None) -> pd.Series:
    silent = pd.Series(False, index=result.index) if as_of is None else result["at"] + VALIDITY < as_of
    steps = {
        "read": result["read_at"].notna(),
        "delivered": result["delivered_at"].notna(),
        "failed": result["failed_at"].notna(),
        "expired": result["accepted"] & silent,
        "sent": result["sent_at"].notna(),
        "accepted": result["accepted"],
    }
    return _first_of(steps, result["outcome"])


def _anomaly(result: pd.DataFrame) -> pd.Series:
    unasked = ~result["outcome"].isin(["accepted", "unknown"]) & result["accepted"]
    both = result["failed_at"].notna() & result["delivered_at"].notna()
    words = {"status of a message not accepted": unasked, "both failed and delivered": both}
    return _first_of(words, pd.Series("", index=result.index, dtype="str"))


def _first_of(words: dict[str, pd.Series], default: pd.Series) -> pd.Series:
    """Return the first of `words` that holds in each row, else the default: `numpy.select` without Python objects."""
    none = len(words)
    place = np.select(list(words.values()), range(none), default=none)
    told = pd.Series(
        pd.array(pa.array(words, pa.large_string()).take(pa.array(place, mask=place == none)), dtype="str")
    )
    return told.set_axis(default.index).where(place < none, default)
