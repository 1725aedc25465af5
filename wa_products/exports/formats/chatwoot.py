"""
Chatwoot: conversations as its API gives them (JSON), one or a page of them or one a line; and its lists of contacts.

A conversation's own times move with either side. The customer's last message is the newest incoming one among those
that the conversation shows; where none of them is incoming, nobody can tell when the customer last wrote.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from wa_products.exports.columns import Column
from wa_products.exports.contract import Format, Options
from wa_products.exports.formats.threads import refuse_people
from wa_products.exports.threads import Wrote, build_inbound

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from wa_products.exports.issues import Found
    from wa_products.exports.sources import Document

Conversation = dict[str, Any]
_INCOMING = frozenset({"0", "incoming"})
_WHATSAPP = frozenset({"", "Channel::Whatsapp"})
_COLUMNS = ("at", "wa_id", "phone", "message_id", "text")


def recognise(document: Any) -> bool:  # noqa: ANN401  # any JSON value
    """Return whether a document is a conversation or a page of them."""
    return any(_is_conversation(one) for one in _members(document))


def recognise_contacts(document: Any) -> bool:  # noqa: ANN401  # any JSON value
    """Return whether a document is a contact or a page of them."""
    return any(
        isinstance(one, dict) and "phone_number" in one and ("email" in one or "identifier" in one)
        for one in _members(document)
    )


def read(documents: Sequence[Document], options: Options, found: Found) -> pd.DataFrame:
    """Return the last incoming message of each conversation on WhatsApp; the others are set aside."""
    rows: list[dict[str, str]] = []
    records: list[int] = []
    for document in documents:
        for conversation in _members(document.value):
            found.rows_in += 1
            row = _row(conversation, document.record, found)
            if row:
                rows.append(row)
                records.append(document.record)
    columns = {name: Column.of([row[name] for row in rows]) for name in _COLUMNS}
    blank = Column.constant("", len(rows))
    wrote = Wrote(
        records=np.asarray(records, dtype="int64"),
        at=columns["at"],
        column="created_at",
        wa_id=columns["wa_id"],
        user_id=blank,
        phones=[("phone_number", columns["phone"], blank)],
        message_id=columns["message_id"],
        text=columns["text"],
        phone_number_id=blank,
    )
    return build_inbound(wrote, options, found)


def _members(value: Any) -> Iterator[Any]:  # noqa: ANN401  # any JSON value
    """Yield the members of a page (``payload``, perhaps under ``data``), of a list, or the one that stands alone."""
    if isinstance(value, list):
        for one in value:
            yield from _members(one)
        return
    page = value.get("payload", value.get("data")) if isinstance(value, dict) else None
    if isinstance(page, list | dict) and not _is_conversation(value):
        yield from _members(page)
    else:
        yield value


def _is_conversation(value: Any) -> bool:  # noqa: ANN401  # any JSON value
    return (
        isinstance(value, dict)
        and isinstance(_at(value, "meta", "sender"), dict)
        and ("messages" in value or "last_non_activity_message" in value)
    )


def _row(conversation: Any, record: int, found: Found) -> dict[str, str]:  # noqa: ANN401  # any JSON value
    if not _is_conversation(conversation):
        return _aside("not_a_conversation", "error", "a conversation has meta.sender and messages", record, found)
    if str(_at(conversation, "meta", "channel") or "") not in _WHATSAPP:
        return _aside("other_channel", "info", "only WhatsApp threads can be answered here", record, found)
    message = _last_incoming(conversation)
    if not message:
        hint = "the messages shown are the shop's: when the customer last wrote is not in the file"
        return _aside("no_incoming_message", "info", hint, record, found)
    sender = conversation["meta"]["sender"]
    return {
        "at": str(message.get("created_at") or ""),
        "wa_id": _ours(_at(conversation, "contact_inbox", "source_id") or _at(message, "sender", "wa_id")),
        "phone": str(sender.get("phone_number") or ""),
        "message_id": _message_id(conversation, message),
        "text": message["content"] if isinstance(message.get("content"), str) else "",
    }


def _last_incoming(conversation: Conversation) -> dict[str, Any]:
    """Return the newest message of the customer that the conversation shows, ``{}`` for none."""
    shown = conversation.get("messages")
    messages = [*(shown if isinstance(shown, list) else []), conversation.get("last_non_activity_message")]
    incoming = [one for one in messages if isinstance(one, dict) and str(one.get("message_type")) in _INCOMING]
    incoming = [one for one in incoming if one.get("private") is not True]
    return max(incoming, key=lambda one: str(one.get("created_at") or "").zfill(40), default={})


def _message_id(conversation: Conversation, message: dict[str, Any]) -> str:
    """Return the message's WhatsApp id, else one made of Chatwoot's own."""
    wamid = str(message.get("source_id") or "")
    own = message.get("id")
    made = f"chatwoot:{message.get('conversation_id') or conversation.get('id')}:{own}" if own is not None else ""
    return wamid if wamid.startswith("wamid.") else made


def _ours(value: Any) -> str:  # noqa: ANN401  # any JSON value
    return str(value) if isinstance(value, str | int) and str(value).isdigit() else ""


def _at(value: Any, *path: str) -> Any:  # noqa: ANN401  # any JSON value
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _aside(code: str, severity: Any, hint: str, record: int, found: Found) -> dict[str, str]:  # noqa: ANN401  # Severity
    found.set_aside += 1
    found.add(code, severity, rows=[record], action="row set aside", hint=hint)
    return {}


FORMAT = Format(name="Chatwoot conversations", readers={"inbound": read}, shape="json", recognise=recognise)
CONTACTS = Format(
    name="a list of Chatwoot contacts", readers={"inbound": refuse_people}, shape="json", recognise=recognise_contacts
)
