"""
Tables of threads: a customer, and a column that is called the time of their last message.

A time that moves when the shop writes too is refused, and so is a list of contacts without any: neither tells which
threads are open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from wa_products.errors import DataError
from wa_products.exports import aliases
from wa_products.exports.columns import Column
from wa_products.exports.contract import Format, Options
from wa_products.exports.names import normal, words
from wa_products.exports.threads import Wrote, build_inbound

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from wa_products.exports.issues import Found
    from wa_products.exports.tables import Table

_WHO = (*aliases.WA_ID, *aliases.USER_ID, *aliases.WHATSAPP, *aliases.PHONE)
_MESSAGE = ("message_id", "wamid", "last_inbound_message_id")
_TEXT = ("text", "last_inbound_text", "last_customer_message_text", "message_text")
_OURS = ("phone_number_id", "business_phone_number_id")
_PEOPLE = words(
    """
    name full_name fullname first_name firstname last_name lastname contact_name customer_name email e_mail user_id id
    contact_id nombre nome nom vorname nachname imie имя ad_soyad nama الاسم
    """
)
_TRUE, _FALSE = frozenset({"true", "1", "yes", "y", "si", "ja", "oui"}), frozenset({"false", "0", "no", "n", "nein"})
_OTHER_ROWS = (
    *(aliases.QUANTITY, aliases.PRICE, aliases.LINE_TOTAL, aliases.ORDER_ID, aliases.ORDER_NUMBER, aliases.SKU),
    *(aliases.RETAILER_ID, aliases.VARIANT_ID, aliases.PRODUCT_ID, aliases.TITLE),
)
_STOP = "stop"


class _Sure(Format):
    """A format whose columns no other export has: it goes before formats that more of the columns fit."""

    def score(self, header: Iterable[str]) -> float:
        """Return the score of any format, raised where this one fits at all."""
        score = super().score(header)
        return score + len(_OTHER_ROWS) if score else 0.0


class _People(Format):
    """A format for lists of people: a table with items, orders or prices is none."""

    def score(self, header: Iterable[str]) -> float:
        """Return the score of any format, 0 where the table has other rows than people."""
        names = {normal(name) for name in header}
        others = {normal(name) for names_of in _OTHER_ROWS for name in names_of} - {"id"}
        return 0.0 if names & others else super().score(names)


def read(table: Table, options: Options, found: Found) -> pd.DataFrame:
    """Return one row a customer: when they last wrote, and ``stop`` as the text of those who asked for no more."""
    country = table.column(*aliases.COUNTRY).recoded(lambda v: v.strip().upper() if len(v.strip()) == len("GB") else "")
    told = table.names(*aliases.LAST_INBOUND)
    rows = Wrote(
        records=table.records,
        at=table.column(*aliases.LAST_INBOUND).stripped(),
        column=told[0],
        wa_id=table.column(*aliases.WA_ID),
        user_id=table.column(*aliases.USER_ID),
        phones=[
            (table.names(*names)[0], table.column(*names), country)
            for names in (aliases.WHATSAPP, aliases.PHONE)
            if table.names(*names)
        ],
        message_id=table.column(*_MESSAGE).stripped(),
        text=_said(table),
        phone_number_id=table.column(*_OURS).stripped(),
    )
    return build_inbound(rows, options, found)


def refuse_either_way(table: Table, options: Options, found: Found) -> NoReturn:
    """Raise DataError: the time also moves when the shop writes."""
    del options
    name = table.names(*aliases.EITHER_WAY)[0]
    raise DataError(
        f"{found.file}: {name!r} also moves when the shop writes, so it does not tell when the customer last wrote: "
        "export the time of the last message received (such as last_inbound_at), or load a webhook log"
    )


def refuse_people(_table: Any, _options: Options, found: Found) -> NoReturn:  # noqa: ANN401  # a table or documents
    """Raise DataError: without a time there are no threads."""
    raise DataError(
        f"cannot tell active threads from this file: {found.file} lists contacts without the time of their last "
        "message; export conversations with it (such as last_inbound_at), or load a webhook log"
    )


def _said(table: Table) -> Column:
    """Return the last message's text, ``stop`` for customers that are marked as opted out."""
    out = table.column(*aliases.OPTED_OUT).where(lambda value: normal(value) in _TRUE)
    out |= table.column(*aliases.OPTED_IN).where(lambda value: normal(value) in _FALSE)
    return table.column(*_TEXT).placed(out, Column.constant(_STOP, int(out.sum())))


_READ = (
    *(_WHO, aliases.LAST_INBOUND, aliases.EITHER_WAY, aliases.COUNTRY, aliases.OPTED_OUT, aliases.OPTED_IN),
    *(_MESSAGE, _TEXT, _OURS),
)
_KNOWN = frozenset(normal(name) for names in _READ for name in names)
FORMAT = _Sure(
    name="an export of threads",
    readers={"inbound": read},
    required=(_WHO, aliases.LAST_INBOUND),
    known=_KNOWN,
)
EITHER_WAY = _People(
    name="an export of threads with a time of either side",
    readers={"inbound": refuse_either_way},
    required=(_WHO, aliases.EITHER_WAY),
    known=_KNOWN,
)
CONTACTS = _People(
    name="a list of contacts", readers={"inbound": refuse_people}, required=(_WHO, _PEOPLE), known=frozenset({"phone"})
)
