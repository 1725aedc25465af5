"""Logs of WhatsApp webhook bodies: JSON lines, an array, or bodies wrapped once more; messages and carts alike."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from wa_products import events
from wa_products.exports.columns import same
from wa_products.exports.contract import Format, Options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wa_products.exports.issues import Found
    from wa_products.exports.sources import Document

_WRAPPERS = ("body", "payload", "data", "raw", "message", "_source")
_DEEPEST = 3


def recognise(document: Any) -> bool:  # noqa: ANN401  # any JSON value
    """Return whether a document is, or wraps, a webhook body or the value of one of its changes."""
    body = unwrapped(document)
    return isinstance(body, dict) and (isinstance(body.get("entry"), list) or "messaging_product" in body)


def unwrapped(document: Any, depth: int = 0) -> Any:  # noqa: ANN401  # any JSON value
    """Return the body that `document` holds under a wrapper's key or as a text of JSON; else `document` itself."""
    if isinstance(document, str) and document.lstrip()[:1] in {"{", "["} and depth < _DEEPEST:
        try:
            return unwrapped(json.loads(document), depth + 1)
        except ValueError:
            return document
    if isinstance(document, dict) and "entry" not in document and "messaging_product" not in document:
        for key in _WRAPPERS:
            inner = document.get(key)
            if isinstance(inner, dict | str) and depth < _DEEPEST and recognise(inner):
                return unwrapped(inner, depth + 1)
    return document


def read_inbound(documents: Sequence[Document], options: Options, found: Found) -> pd.DataFrame:
    """Return the messages of the log, one row each; what is repeated is merged, what is no message is noted."""
    every, records = _events(documents, options, found)
    kept = events.inbound(every)
    _account(documents, records, found)
    return kept


def read_orders(documents: Sequence[Document], options: Options, found: Found) -> pd.DataFrame:
    """Return the carts of the log as order lines; the product's id is already the retailer id."""
    every, records = _events(documents, options, found)
    lines = events.orders(every)
    first = pd.Series(records, index=every["event_id"])
    first = first[~first.index.duplicated()]
    rows = first.reindex(lines["order_id"] + ":" + lines["line_no"].astype("str"))
    _account(documents, records, found)
    return lines.assign(source_file=same(found.file, len(lines)), source_row=rows.fillna(0).to_numpy().astype("int64"))


def _events(documents: Sequence[Document], options: Options, found: Found) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the events of all documents and the record number of each; those without a usable time are noted."""
    rows: list[dict[str, Any]] = []
    records: list[int] = []
    for document in documents:
        for event in events.records(_with_entry(unwrapped(document.value))):
            rows.append(event)
            records.append(document.record)
    every, numbers = events.to_frame(rows), np.asarray(records, dtype="int64")
    _note_unsupported(every, numbers, found)
    _note_repeated(every, numbers, found)
    return _timed(every, numbers, documents, options, found)


def _with_entry(body: Any) -> Any:  # noqa: ANN401  # any JSON value
    if isinstance(body, dict) and "messaging_product" in body and "entry" not in body:
        return {"object": "whatsapp_business_account", "entry": [{"changes": [{"field": "messages", "value": body}]}]}
    return body


def _timed(
    every: pd.DataFrame, records: np.ndarray, documents: Sequence[Document], options: Options, found: Found
) -> tuple[pd.DataFrame, np.ndarray]:
    until = max(options.as_of, pd.Timestamp.now("UTC")) + pd.Timedelta(days=1)
    matters = every["kind"].isin(["inbound", "enquiry", "cart", "preference", "system"])
    missing, future = matters & every["at"].isna(), matters & (every["at"] > until)
    for code, wrong, hint in (
        ("timestamp_unreadable", missing, "a webhook timestamp is seconds since 1970, in UTC"),
        ("timestamp_future", future, "this time has not come yet: seconds and milliseconds may be mixed up"),
    ):
        if wrong.any():
            rows = records[wrong.to_numpy()]
            said = {document.record: document.value for document in documents if document.record in set(rows)}
            values = [_time_of(said[row], wamid) for row, wamid in zip(rows, every.loc[wrong, "wamid"], strict=True)]
            found.add(code, "error", rows=rows, column="timestamp", values=values, action="message not used", hint=hint)
    bad = (missing | future).to_numpy()
    return every[~bad].reset_index(drop=True), records[~bad]


def _time_of(value: Any, wamid: str) -> str:  # noqa: ANN401  # any JSON value
    """Return the timestamp of the message of this id as it is written somewhere in `value`."""
    value = unwrapped(value)
    if isinstance(value, dict) and value.get("id") == wamid and "timestamp" in value:
        return str(value["timestamp"])
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((said for one in inner if isinstance(one, dict | list) and (said := _time_of(one, wamid))), "")


def _note_unsupported(every: pd.DataFrame, records: np.ndarray, found: Found) -> None:
    strange = (every["kind"] == "unsupported").to_numpy()
    if strange.any():
        found.add(
            "unsupported",
            "info",
            rows=records[strange],
            column="type",
            values=every.loc[strange, "details"],
            action="kept where its sender is known",
            hint="this kind of message is not known here; it opens no window",
        )


def _note_repeated(every: pd.DataFrame, records: np.ndarray, found: Found) -> None:
    """Note messages and cart lines that came more than once, and those whose sender is not named."""
    sent = every["kind"].isin(["inbound", "enquiry", "cart", "preference", "system"])
    again = (sent & every["event_id"].duplicated()).to_numpy()
    if again.any():
        hint = "webhooks are delivered at least once: the same message counts once"
        rows, values = records[again], every.loc[again, "wamid"]
        found.add("message_repeated", "info", rows=rows, column="id", values=values, action="merged", hint=hint)
    nobody = (sent & (every["customer_id"] == "")).to_numpy()
    if nobody.any():
        hint = "the message names neither a wa_id nor a user id"
        found.add("sender_missing", "warning", rows=records[nobody], column="from", action="row kept", hint=hint)


def _account(documents: Sequence[Document], records: np.ndarray, found: Found) -> None:
    """Note the documents: all were read; what they hold again was merged message by message."""
    del records
    found.rows_in += len(documents)
    found.account(len(documents))


FORMAT = Format(
    name="a log of WhatsApp webhooks",
    readers={"inbound": read_inbound, "orders": read_orders},
    shape="json",
    recognise=recognise,
)
