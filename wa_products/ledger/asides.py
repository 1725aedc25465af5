"""Customers whom an agent put aside without an answer: until they write again, or until that is taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from sqlalchemy import func, select

from wa_products import frames
from wa_products.ledger import schema

if TYPE_CHECKING:
    from sqlalchemy import Connection


def asides(connection: Connection) -> pd.Series:
    """Return when each customer was last put aside, by customer id, without those for whom that was taken back."""
    table = schema.ASIDES
    last = select(func.max(table.c.seq)).group_by(table.c.customer_id)
    rows = connection.execute(
        select(table.c.customer_id, table.c.at)
        .where(table.c.seq.in_(last), table.c.is_aside == 1)
        .order_by(table.c.seq)
    ).all()
    index = pd.Index([customer for customer, _ in rows], dtype="str", name="customer_id")
    return pd.Series([at for _, at in rows], index=index, dtype="int64").astype(frames.DTYPES["time"]).rename("at")


def set_aside(connection: Connection, customer_id: str, at: pd.Timestamp, by: str, *, is_aside: bool) -> None:
    """Write down that an agent put a customer aside, or took that back."""
    row = {"customer_id": customer_id, "at": schema.micros(at), "set_by": by, "is_aside": int(is_aside)}
    connection.execute(schema.ASIDES.insert(), row)
