"""Who waits for an answer: the open threads, unread enquiries first, then by when the window closes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from wa_products.widgets.shops import SENT

if TYPE_CHECKING:
    from wa_products.widgets.shops import Shop

SILENT = frozenset({"system", "preference", "reaction", "snapshot"})
SHOWS = ("unread", "open", "closed")
WAITING = ["last_kind", "last_text", "last_at", "answered_at", "unread", "enquiry", "asked"]


def waiting(shop: Shop, asked: pd.DataFrame, done: pd.Series) -> pd.DataFrame:
    """
    Return the threads with the columns of `WAITING`, in the order in which to answer.

    `asked` are the proposals of the kind request; `done` when an agent put a customer aside. ``unread`` is who wrote
    since the last message to them and since that; ``enquiry`` who of them asked about a product, ``asked``.
    """
    threads = shop.threads.set_index("customer_id")
    said = shop.data.inbound[~shop.data.inbound["kind"].isin(SILENT)].sort_values("received_at", kind="stable")
    last = said.groupby("customer_id")[["kind", "text", "received_at"]].last()
    last = last.set_axis(["last_kind", "last_text", "last_at"], axis=1)
    sent = shop.sends[shop.sends["outcome"].isin(SENT)].groupby("customer_id")["at"].max().rename("answered_at")
    product = asked.drop_duplicates("customer_id").set_index("customer_id")["product_retailer_id"].rename("asked")
    rows = threads.join([last, sent, product, done.rename("done_at")]).reset_index(names="customer_id")
    since = rows[["answered_at", "done_at"]].max(axis=1)
    unread = rows["is_open"] & ~rows["opted_out"] & rows["last_at"].notna() & ~(since >= rows["last_at"])
    rows = rows.assign(unread=unread, enquiry=unread & rows["asked"].notna())
    texts = ["last_kind", "last_text", "asked"]
    rows[texts] = rows[texts].fillna("")
    # What closed last comes first among the closed, what closes first among the open.
    order = rows["closes_at"].where(rows["is_open"], pd.Timestamp("2262-01-01", tz="UTC") - (rows["closes_at"] - _ZERO))
    keyed = rows.assign(order=order).sort_values(
        ["is_open", "enquiry", "unread", "order"], ascending=[False, False, False, True], kind="stable"
    )
    return keyed.drop(columns="order").reset_index(drop=True)


_ZERO = pd.Timestamp(0, tz="UTC")
