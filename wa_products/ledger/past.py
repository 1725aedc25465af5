"""
What a shop remembers: all that customers said lately, and of what is older what still counts.

That are carts, which are orders, and what says how a customer stands: a wish for no more messages or for messages
again, a change of number or of user id, and the number of who writes without one by now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import func, or_, select

from wa_products import windows
from wa_products.ledger.heard import ANSWERS, answered, lately, once, shaped
from wa_products.ledger.people import under
from wa_products.ledger.reading import among, read
from wa_products.ledger.schema import EVENTS

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection

_OTHERS = tuple(kind for kind in ANSWERS if kind != "cart")
_CHANGES = ("preference", "system")
_MOMENT = pd.Timedelta("1us")
_LENGTH = func.length(func.trim(EVENTS.c.text, windows.ROUND_A_WISH))
# What a wish may be and most messages are not; which it is, says `windows`.
_MAY_SAY = or_(
    EVENTS.c.kind.in_(_CHANGES),
    EVENTS.c.previous_wa_id != "",
    EVENTS.c.previous_user_id != "",
    _LENGTH.between(1, windows.LONGEST_WISH),
)


def remembered(connection: Connection, since: pd.Timestamp, customers: Collection[str] | None = None) -> pd.DataFrame:
    """Return what `heard.answers` does from `since` on, and of what is older what still counts."""
    people = None if customers is None else under(connection, customers)
    query, rows = lately(connection, people, since)
    (new,) = read(connection, query, rows=rows)
    numberless = pc.unique(new["user_id"].filter(pc.and_(pc.equal(new["wa_id"], ""), pc.not_equal(new["user_id"], ""))))
    carts, others = (answered(connection, people, kinds, None, since - _MOMENT) for kinds in (("cart",), _OTHERS))
    has_number = (EVENTS.c.wa_id != "") & EVENTS.c.user_id.in_(among(connection, numberless.to_pylist()))
    size = rows if people is not None else connection.scalar(select(func.max(EVENTS.c.seq))) or 0
    bought, said = read(connection, carts, others.where(_MAY_SAY | has_number), rows=size)
    every = once(pa.concat_tables([new, bought, said.filter(_counts(said, numberless))]))
    return shaped(connection, every, people)


def _counts(said: pa.Table, numberless: pa.Array) -> pa.Array:
    """Return which of some events still say how a customer stands, or the number of one of `numberless` user ids."""
    texts = {name: pd.Series(said[name].to_pylist(), dtype="str") for name in ("kind", "status", "text")}
    kind = texts["kind"].where(texts["kind"] != "inbound", texts["status"])
    counts = pa.chunked_array([pa.array(windows.wishes(kind, texts["text"]) != "", pa.bool_())])
    has_number = pc.and_(pc.not_equal(said["wa_id"], ""), pc.is_in(said["user_id"], value_set=numberless))
    changes = [pc.not_equal(said[name], "") for name in ("previous_wa_id", "previous_user_id")]
    is_change = pc.is_in(said["kind"], value_set=pa.array(_CHANGES, pa.large_string()))
    for each in (has_number, is_change, *changes):
        counts = pc.or_(counts, each)
    return counts
