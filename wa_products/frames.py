"""
The tables that pass between the parts: column names, kinds of value, and the check at the door.

Text is pandas ``str`` with ``""`` for unknown (never missing), so ids keep every character.
Times are ``datetime64[us, UTC]`` with ``NaT`` for unknown. Money is an object column of
``decimal.Decimal`` with ``None`` for unknown and its currency in the column beside it.
Extra columns pass through every function unchanged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from wa_products.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

Kind = Literal["text", "time", "money", "number", "integer", "flag"]

DTYPES: dict[Kind, str] = {
    "text": "str",
    "time": "datetime64[us, UTC]",
    "money": "object",
    "number": "float64",
    "integer": "int64",
    "flag": "bool",
}

CATALOG: dict[str, Kind] = {
    "product_retailer_id": "text",
    "title": "text",
    "description": "text",
    "price": "money",
    "sale_price": "money",
    "currency": "text",
    "availability": "text",
    "brand": "text",
    "link": "text",
    "image_link": "text",
    "item_group_id": "text",
    "product_type": "text",
    "visibility": "text",
    "review": "text",
    "sendable": "flag",
    "not_sendable_reason": "text",
}
ORDERS: dict[str, Kind] = {
    "order_id": "text",
    "line_no": "integer",
    "customer_id": "text",
    "ordered_at": "time",
    "product_retailer_id": "text",
    "title": "text",
    "quantity": "number",
    "unit_price": "money",
    "currency": "text",
    "status": "text",
    "is_purchase": "flag",
    "phone": "text",
    "source_file": "text",
    "source_row": "integer",
}
INBOUND: dict[str, Kind] = {
    "message_id": "text",
    "customer_id": "text",
    "wa_id": "text",
    "user_id": "text",
    "received_at": "time",
    "kind": "text",
    "text": "text",
    "product_retailer_id": "text",
    "phone_number_id": "text",
    "previous_wa_id": "text",
    "previous_user_id": "text",
}
THREADS: dict[str, Kind] = {
    "customer_id": "text",
    "last_inbound_at": "time",
    "closes_at": "time",
    "is_open": "flag",
    "opted_out": "flag",
    "to": "text",
    "recipient": "text",
}
ISSUES: dict[str, Kind] = {
    "file": "text",
    "row": "integer",
    "line": "integer",
    "column": "text",
    "value": "text",
    "code": "text",
    "severity": "text",
    "action": "text",
    "hint": "text",
}
SENDS: dict[str, Kind] = {
    "campaign": "text",
    "customer_id": "text",
    "product_retailer_id": "text",
    "outcome": "text",
    "at": "time",
}
PROPOSALS: dict[str, Kind] = {
    "customer_id": "text",
    "product_retailer_id": "text",
    "kind": "text",
    "source": "text",
    "score": "number",
    "probability": "number",
    "horizon_days": "number",
    "due_at": "time",
    "why": "text",
    "rank": "integer",
}
SELECTED: dict[str, Kind] = {
    **PROPOSALS,
    "decision": "text",
    "reason": "text",
    "closes_at": "time",
    "title": "text",
    "price": "money",
    "currency": "text",
    "body": "text",
    "footer": "text",
    "propensity": "number",
}
OUTCOMES: dict[str, Kind] = {
    "campaign": "text",
    "customer_id": "text",
    "send_id": "text",
    "product_retailer_id": "text",
    "arm": "text",
    "outcome": "text",
    "wamid": "text",
    "code": "integer",
    "details": "text",
    "at": "time",
}
EVENTS: dict[str, Kind] = {
    "event_id": "text",
    "kind": "text",
    "at": "time",
    "customer_id": "text",
    "wa_id": "text",
    "user_id": "text",
    "wamid": "text",
    "send_id": "text",
    "status": "text",
    "code": "integer",
    "details": "text",
    "text": "text",
    "product_retailer_id": "text",
    "quantity": "number",
    "unit_price": "money",
    "currency": "text",
    "phone_number_id": "text",
    "context_id": "text",
    "previous_wa_id": "text",
    "previous_user_id": "text",
    "raw": "text",
}

_UNKNOWN: dict[Kind, object] = {
    "text": "",
    "time": pd.NaT,
    "money": None,
    "number": float("nan"),
    "integer": 0,
    "flag": False,
}


def require(frame: pd.DataFrame, columns: Collection[str], name: str) -> pd.DataFrame:
    """Return `frame` unchanged, or raise DataError naming the columns that are missing and those that are there."""
    if missing := sorted(set(columns) - set(frame.columns)):
        raise DataError(f"{name} lacks the columns {missing}; it has {sorted(map(str, frame.columns))}")
    return frame


def empty(shape: Mapping[str, Kind]) -> pd.DataFrame:
    """Return a frame of `shape` without rows, every column of its kind."""
    return pd.DataFrame({column: pd.Series(dtype=DTYPES[kind]) for column, kind in shape.items()})


def conform(frame: pd.DataFrame, shape: Mapping[str, Kind], name: str) -> pd.DataFrame:
    """
    Return a new frame with the columns of `shape` first, each of its kind; what is absent is filled as unknown.

    Extra columns follow unchanged. Raises DataError where a value cannot be of its column's kind.
    """
    columns: dict[str, object] = {}
    for column, kind in shape.items():
        if column not in frame.columns:
            values = pd.Series([_UNKNOWN[kind]] * len(frame), index=frame.index, dtype=DTYPES[kind])
        else:
            values = _cast(frame[column], kind, name)
        columns[column] = values
    extras = {column: frame[column] for column in frame.columns if column not in shape}
    return pd.DataFrame({**columns, **extras}, index=frame.index)


def coded(values: pd.Series) -> tuple[np.ndarray, pd.Index]:
    """Return the code of each text or category and the different ones, sorted."""
    if not isinstance(values.dtype, pd.CategoricalDtype):
        codes, names = pd.factorize(values, sort=True)
        return codes, pd.Index(names, dtype="str")
    places, categories = values.cat.codes.to_numpy(), values.cat.categories
    used = np.flatnonzero(np.bincount(places, minlength=len(categories)))
    names = categories[used].astype("str")
    order = np.arange(len(names)) if names.is_monotonic_increasing else names.argsort()
    codes = np.zeros(len(categories), dtype="int64")
    codes[used[order]] = np.arange(len(used))
    return codes[places], names[order]


def _cast(values: pd.Series, kind: Kind, name: str) -> pd.Series:
    if kind != "money" and values.dtype == DTYPES[kind]:
        return values.fillna("") if kind == "text" else values
    try:
        if kind == "time":
            return pd.to_datetime(values, utc=True).astype(DTYPES["time"])
        if kind == "money":
            return values.astype("object").where(values.notna(), None)
        return values.astype("object").where(values.notna(), _UNKNOWN[kind]).astype(DTYPES[kind])
    except (TypeError, ValueError) as error:
        raise DataError(f"{name}.{values.name} must hold {kind} values: {error}") from error
