"""WhatsApp's own ids in a column of text: digits as Meta writes them, business-scoped user ids, and neither."""

from __future__ import annotations

import re

from wa_products.exports.columns import Column
from wa_products.payloads import USER_ID

_WA_ID = re.compile(r"\+?[1-9]\d{6,14}")
_MARKS = re.compile(r"[\s'()\u200e\u200f\u202a-\u202e-]")


def ids_of(wa_id: Column, user_id: Column) -> tuple[Column, Column, Column]:
    """
    Return wa_ids to the digit, user ids (also those that stand in the wa_id column), and what is neither.

    A user id never reaches the phone parser, which would make a number of its digits.
    """
    known = wa_id.recoded(_digits)
    users = wa_id.recoded(lambda value: value.strip() if USER_ID.fullmatch(value.strip()) else "")
    neither = known.is_blank & users.is_blank
    unclear = wa_id.placed(~neither, Column.constant("", int((~neither).sum())))
    return known, user_id.stripped().or_else(users), unclear


def _digits(value: str) -> str:
    plain = _MARKS.sub("", value)
    return plain.lstrip("+") if _WA_ID.fullmatch(plain) else ""
