"""
When customers last wrote, told by an export rather than message by message, to the canonical inbound frame.

Such a row is a snapshot: it shows the last message and hides those before, so the shop cannot be seen earlier. Its
kind is ``snapshot``. A thread counts only where customer and time are certain, since a wrong one breaks the window.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wa_products import frames
from wa_products.datasets import SNAPSHOT
from wa_products.errors import DataError
from wa_products.exports.columns import Column
from wa_products.exports.phones import PHONE_HINTS, UNASSIGNED, read_phones
from wa_products.exports.times import TIME_HINTS, read_times
from wa_products.exports.wa_ids import ids_of
from wa_products.identities import customer_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wa_products.exports.contract import Options
    from wa_products.exports.issues import Found

ASIDE = "row set aside"


@dataclass(frozen=True, eq=False, kw_only=True)
class Wrote:
    """
    Rows that say when a customer last wrote, as text.

    `phones` are columns with their country's, best first. `message_id`, `text` and `phone_number_id` may be blank;
    `column` is the name of the time's column in the file.
    """

    records: np.ndarray
    at: Column
    column: str
    wa_id: Column
    user_id: Column
    phones: Sequence[tuple[str, Column, Column]] = ()
    message_id: Column
    text: Column
    phone_number_id: Column

    def take(self, rows: np.ndarray) -> Wrote:
        """Return these rows (a mask)."""
        return Wrote(
            records=self.records[rows],
            at=self.at.take(rows),
            column=self.column,
            wa_id=self.wa_id.take(rows),
            user_id=self.user_id.take(rows),
            phones=[(name, one.take(rows), region.take(rows)) for name, one, region in self.phones],
            message_id=self.message_id.take(rows),
            text=self.text.take(rows),
            phone_number_id=self.phone_number_id.take(rows),
        )


def build_inbound(rows: Wrote, options: Options, found: Found) -> pd.DataFrame:
    """
    Return the inbound frame of `rows`; those without a certain customer or time are set aside.

    Raises DataError where no time names a zone and the shop has none: hours decide whether a thread is open.
    """
    at, rows = _placed_in_time(rows, options, found)
    wa_id, user_id = _who(rows, options.region, found)
    known = ~(wa_id.is_blank & user_id.is_blank)
    if not known.all():
        found.set_aside += int((~known).sum())
        hint = "the row names neither a phone nor a WhatsApp id that can be read"
        found.add("customer_missing", "error", rows=rows.records[~known], action=ASIDE, hint=hint)
        at, wa_id, user_id, rows = at[known], wa_id.take(known), user_id.take(known), rows.take(known)
    customer = wa_id.recoded(lambda v: customer_id("phone", v)).or_else(
        user_id.recoded(lambda v: customer_id("user", v))
    )
    frame = pd.DataFrame(
        {
            "message_id": _message_ids(rows, customer, at),
            "customer_id": customer.texts(),
            "wa_id": wa_id.texts(),
            "user_id": user_id.texts(),
            "received_at": at,
            "kind": SNAPSHOT,
            "text": rows.text.texts(),
            "phone_number_id": rows.phone_number_id.texts(),
        }
    )
    once = ~frame.duplicated("message_id").to_numpy()
    if not once.all():
        found.merged += int((~once).sum())
        hint = "the same customer with the same time counts once"
        found.add("message_repeated", "info", rows=rows.records[~once], action="row merged", hint=hint)
    found.account(int(once.sum()))
    return frames.conform(frame[once].reset_index(drop=True), frames.INBOUND, "inbound")


def _message_ids(rows: Wrote, customer: Column, at: pd.DatetimeIndex) -> pd.Series:
    made = f"{SNAPSHOT}:" + customer.texts() + ":" + pd.Series(at.as_unit("us").asi8, dtype="str")
    return rows.message_id.or_else(Column.of(made.tolist())).texts()


def _placed_in_time(rows: Wrote, options: Options, found: Found) -> tuple[pd.DatetimeIndex, Wrote]:
    column = rows.at.deduplicated()
    until = max(options.as_of, pd.Timestamp.now("UTC")) + pd.Timedelta(days=1)
    read = read_times(column.values, timezone=options.timezone, until=until)
    missing = np.asarray(read.at.isna()) & (read.faults == "")
    faults = np.where(missing, "never_wrote", read.faults)
    usable = (faults == "") | (faults == "time_in_dst_overlap")
    naive = faults == "time_without_zone"
    if naive.any() and not usable.any():
        raise DataError(
            f"{found.file}: the times in {rows.column!r} name no time zone, and hours decide whether a thread is open: "
            "give timezone= (such as Europe/Madrid), or timezone in shop.toml"
        )
    for code in sorted(set(faults) - {"", "time_in_dst_overlap"}):
        here = (faults == code)[column.codes]
        found.add(
            code,
            "info" if code == "never_wrote" else "error",
            rows=rows.records[here],
            column=rows.column,
            values=column.take(here).texts(),
            action=ASIDE,
            hint=TIME_HINTS.get(code, "without a time of their last message a customer has no open thread"),
        )
    kept = usable[column.codes]
    found.set_aside += int((~kept).sum())
    return read.at.as_unit("us").take(column.codes[kept]), rows.take(kept)


def _who(rows: Wrote, region: str, found: Found) -> tuple[Column, Column]:
    """Return each row's wa_id and user id: the wa_id as it is, else the digits of the first phone that can be read."""
    wa_id, user_id, unclear = ids_of(rows.wa_id, rows.user_id)
    nowhere = Column.constant("", len(rows.records))
    for name, numbers, regions in [("wa_id", unclear, nowhere), *rows.phones]:
        phone, faults = read_phones(numbers.deduplicated(), regions.deduplicated(), region)
        _note(name, numbers, np.where(wa_id.is_blank & user_id.is_blank, faults, ""), rows.records, found)
        wa_id = wa_id.or_else(phone.recoded(lambda number: number.lstrip("+")))
    return wa_id, user_id


def _note(name: str, numbers: Column, faults: np.ndarray, records: np.ndarray, found: Found) -> None:
    for code in sorted(set(faults) - {""}):
        here = faults == code
        kept = code == UNASSIGNED
        found.add(
            code,
            "info" if kept else "warning",
            rows=() if kept else records[here],
            column=name,
            values=[f"{int(here.sum())} rows"] if kept else numbers.take(here).texts(),
            action="number kept" if kept else "number not used",
            hint=PHONE_HINTS[code],
        )
