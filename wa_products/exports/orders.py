"""
Order lines of text to the canonical frame: shared by every orders format.

A format gives the lines and, once for each order, what belongs to the order (`Lines`), named in the words of
`FIELDS`; here they become times, amounts and customers. Every line that can be placed in time is kept; one that was
not a purchase says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wa_products import frames
from wa_products.exports.buyers import customers_of, phones_of
from wa_products.exports.columns import Column, release, same
from wa_products.exports.money import MONEY_HINTS, read_amounts
from wa_products.exports.repeats import settled, told_once
from wa_products.exports.times import TIME_HINTS, read_times
from wa_products.exports.totals import note_totals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wa_products.exports.contract import Options
    from wa_products.exports.issues import Found

FIELDS = (
    *("order_id", "ordered_at", "email", "shop_customer", "wa_id", "user_id", "currency", "status", "excluded"),
    *("subtotal", "discount", "line_discount"),
    *("product_retailer_id", "item_id", "sku", "link", "title", "quantity", "unit_price"),
)
_ITEM = ("product_retailer_id", "item_id", "sku", "title")
_WRITTEN = ("order_id", "product_retailer_id", "title", "status")
_EXTRA = ("item_id", "sku", "link")
_WHOLE = 1e-9


@dataclass(frozen=True, eq=False, kw_only=True)
class Lines:
    """
    Order lines as text.

    `fields` has a value a line; `order_fields` and `phones` have one an order, and `order` names each line's place
    in them. `records` and `line_no` number the lines in the file and in their order. ``excluded`` among the order's
    fields says why it is no purchase, ``""`` where it is one. `phones` are columns with their country's, best first.
    `names` holds what the file calls a field, for the issues.
    """

    file: str
    records: np.ndarray
    line_no: np.ndarray
    order: np.ndarray
    fields: Mapping[str, Column]
    order_fields: Mapping[str, Column]
    phones: Sequence[tuple[str, Column, Column]] = ()
    names: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, field: str) -> Column:
        """Return a field as the format gave it, a line or an order a value; blanks where it gave none."""
        if field in self.order_fields:
            return self.order_fields[field]
        return self.fields.get(field) or Column.constant("", len(self.records))

    def of_order(self, field: str) -> Column:
        """Return a field of the orders, one value an order; blanks where the format gave none."""
        return self.order_fields.get(field) or Column.constant("", int(self.order.max(initial=-1)) + 1)

    def per_line(self, field: str) -> Column:
        """Return a field with one value a line, whether the format gave it by line or by order."""
        column = self[field]
        return column.take(self.order) if field in self.order_fields else column

    @cached_property
    def heads(self) -> np.ndarray:
        """The record of each order's first line."""
        first = np.full(int(self.order.max(initial=-1)) + 1, np.iinfo("int64").max, dtype="int64")
        np.minimum.at(first, self.order, self.records)
        return first

    def take(self, rows: np.ndarray) -> Lines:
        """Return these lines (a mask) and the orders they belong to."""
        if rows.all():
            return self
        order, kept = pd.factorize(self.order[rows])
        return replace(
            self,
            records=self.records[rows],
            line_no=self.line_no[rows],
            order=order,
            fields={name: column.take(rows) for name, column in self.fields.items()},
            order_fields={name: column.take(kept) for name, column in self.order_fields.items()},
            phones=[(name, one.take(kept), region.take(kept)) for name, one, region in self.phones],
        )


def build_orders(lines: Lines, options: Options, found: Found) -> pd.DataFrame:
    """Return the canonical orders frame of `lines`; those without an item or a readable time are set aside."""
    found.names.update(lines.names)
    lines = lines.take(~_nothing_sold(lines, found))
    ordered_at, lines = _placed_in_time(lines, options, found)
    phone = phones_of(lines, options.region, found)
    customer = customers_of(lines, phone)
    quantity, bad = _quantities(lines, found)
    price, currency = _prices(lines, options, found)
    note_totals(lines, found)
    _note_excluded(lines, found)
    columns = {
        "line_no": lines.line_no,
        "ordered_at": pd.DatetimeIndex(ordered_at.asi8[lines.order].view("M8[us]")).tz_localize("UTC"),
        "quantity": quantity,
        "unit_price": price,
        "is_purchase": lines.of_order("excluded").is_blank[lines.order] & ~bad,
        "source_file": same(lines.file, len(lines.records)),
        "source_row": lines.records,
    }
    order, again = lines.order, not told_once(lines.of_order("order_id"))
    texts = [
        *((name, lines[name], name in lines.order_fields) for name in _WRITTEN),
        *((name, lines[name], name in lines.order_fields) for name in _EXTRA if name in lines.fields),
        ("customer_id", customer, True),
        ("phone", phone, True),
        ("currency", currency, False),
    ]
    del lines, customer, phone, currency, ordered_at
    columns |= _spread(texts, order)
    names = [*frames.ORDERS, *(name for name in _EXTRA if name in columns)]
    frame = pd.DataFrame({name: columns.pop(name) for name in names}, copy=False)
    if again:
        frame = settled(frame, order, found).reset_index(drop=True)
    found.account(len(frame))
    return frame if _fits(frame) else frames.conform(frame, frames.ORDERS, "orders")


def _spread(texts: list[tuple[str, Column, bool]], order: np.ndarray) -> dict[str, pd.Series]:
    """
    Return the text of each line, by name; `texts` says which columns have one value an order.

    They are taken out of `texts` one by one, so that their codes make room for the next one's text.
    """
    result = {}
    while texts:
        release()
        name, column, of_order = texts.pop()
        if of_order and len(column.values) > 1:
            column = column.take(order)
        result[name] = column.texts() if len(column) == len(order) else same(column.distinct[0], len(order))
    return result


def _fits(frame: pd.DataFrame) -> bool:
    """Return whether the columns are of their kinds already: five million rows need no second look, nor a copy."""
    return all(frame[name].dtype == frames.DTYPES[kind] for name, kind in frames.ORDERS.items())


def _nothing_sold(lines: Lines, found: Found) -> np.ndarray:
    nameless = np.ones(len(lines.records), dtype=bool)
    for name in _ITEM:
        if name in lines.fields:
            nameless &= lines.fields[name].is_blank
    if nameless.any():
        found.set_aside += int(nameless.sum())
        hint = "neither title nor SKU nor id says what was sold"
        found.add("item_missing", "error", rows=lines.records[nameless], action="row set aside", hint=hint)
    return nameless


def _placed_in_time(lines: Lines, options: Options, found: Found) -> tuple[pd.DatetimeIndex, Lines]:
    """Return the time of each order, and the lines without those that have none."""
    column = lines.of_order("ordered_at").compact()
    until = max(options.as_of, pd.Timestamp.now("UTC")) + pd.Timedelta(days=1)
    read = read_times(column.values, timezone=options.timezone, until=until)
    timeless = np.asarray(read.at.isna())
    faults = read.faults.copy()
    faults[timeless & (faults == "")] = "time_missing"
    codes = set(pd.unique(faults))
    for code in sorted(codes - {"", "time_without_zone"}):
        lost = bool(timeless[faults == code].all())
        rows = np.flatnonzero((faults == code)[column.codes])
        rows = np.flatnonzero(np.isin(lines.order, rows))
        found.add(
            code,
            "error" if lost else "warning",
            rows=lines.records[rows],
            column="ordered_at",
            values=column.take(lines.order[rows]).texts(),
            action="row set aside" if lost else "row kept",
            hint=TIME_HINTS.get(code, "an order without a time tells nothing about the next one"),
        )
    if "time_without_zone" in codes:
        hint = TIME_HINTS["time_without_zone"]
        found.add("time_without_zone", "warning", column="ordered_at", action="read as UTC", hint=hint)
    at = read.at.as_unit("us").take(column.codes)
    if not timeless.any():
        return at, lines
    lost_lines = timeless[column.codes][lines.order]
    found.set_aside += int(lost_lines.sum())
    kept = pd.unique(lines.order[~lost_lines])
    return at.take(kept), lines.take(~lost_lines)


def _quantities(lines: Lines, found: Found) -> tuple[np.ndarray, np.ndarray]:
    column = lines["quantity"] if "quantity" in lines.fields else Column.constant("1", len(lines.records))
    column = column.compact()
    read = read_amounts(column.distinct, currency=False)
    values = np.array([float("nan") if amount is None else float(amount) for amount in read.amounts])
    faults = np.array([_quantity_fault(value) for value in values], dtype=object)
    for code in sorted(set(faults) - {""}):
        rows = (faults == code)[column.codes]
        found.add(
            code,
            "info" if code == "quantity_fraction" else "error",
            rows=lines.records[rows],
            column="quantity",
            values=column.take(rows).texts(),
            action="row kept" if code == "quantity_fraction" else "row kept, not a purchase",
            hint="a purchase has a quantity above 0; refunds come as negative ones",
        )
    bad = (faults != "") & (faults != "quantity_fraction")
    return values[column.codes], bad[column.codes]


def _quantity_fault(value: float) -> str:
    if np.isnan(value):
        return "quantity_unreadable"
    if value <= 0:
        return "quantity_zero" if value == 0 else "quantity_negative"
    return "quantity_fraction" if abs(value - round(value)) > _WHOLE else ""


def _prices(lines: Lines, options: Options, found: Found) -> tuple[np.ndarray, Column]:
    column = lines["unit_price"].compact()
    beside = lines.per_line("currency").compact().recoded(lambda code: code.strip().upper())
    read = read_amounts(column.distinct, options.currency, in_use=beside.distinct, currency=False)
    faults = np.array([_price_fault(a, f) for a, f in zip(read.amounts, read.faults, strict=True)], dtype=object)
    for code in sorted(set(faults) - {""}):
        rows = (faults == code)[column.codes]
        found.add(
            code,
            "error",
            rows=lines.records[rows],
            column="unit_price",
            values=column.take(rows).texts(),
            action="row kept without price",
            hint=MONEY_HINTS[code],
        )
    amounts = [None if fault else amount for amount, fault in zip(read.amounts, faults, strict=True)]
    named = Column.of(read.currencies)
    return column.spread(amounts), beside.or_else(Column(named.codes[column.codes], named.values))


def _price_fault(amount: object, fault: str) -> str:
    return fault or ("price_negative" if amount is not None and amount < 0 else "")  # type: ignore[operator]  # a Decimal


def _note_excluded(lines: Lines, found: Found) -> None:
    excluded = lines.of_order("excluded").deduplicated()
    counts = np.bincount(excluded.codes, minlength=len(excluded.distinct))
    for reason, count in sorted(zip(excluded.distinct, counts, strict=True)):
        if reason:
            found.add(
                "not_a_purchase",
                "info",
                column="status",
                values=[f"{count} orders: {reason}"],
                action="rows kept, not counted as purchases",
                hint="cancelled, refunded, test and draft orders say nothing about the next purchase",
            )
