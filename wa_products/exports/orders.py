"""
Order lines of text to the canonical frame: shared by every orders format.

A format says which rows form an order (`Lines.order`) and names its columns in the words of `FIELDS`; here they
become times, amounts and customers. Every line that can be placed in time is kept; one that was not a purchase
says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wa_products import frames, identities
from wa_products.exports.columns import Column, same
from wa_products.exports.money import MONEY_HINTS, read_amounts
from wa_products.exports.phones import PHONE_HINTS, read_phones
from wa_products.exports.times import TIME_HINTS, read_times

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wa_products.exports.contract import Options
    from wa_products.exports.issues import Found

FIELDS = (
    *("order_id", "ordered_at", "email", "shop_customer", "wa_id", "user_id", "product_retailer_id", "item_id"),
    *("sku", "link", "title", "quantity", "unit_price", "currency", "status"),
)
_EXTRA = ("item_id", "sku", "link")
_WHOLE = 1e-9


@dataclass(frozen=True, eq=False, kw_only=True)
class Lines:
    """
    Order lines as text, one row a line.

    `order` numbers each line's order from 0, without gaps. `fields` maps names of `FIELDS` to columns; those of the
    order itself are filled on each of its lines. `phones` are pairs of a column and its country's, best first.
    `excluded` says why a line is no purchase (``""`` where it is one).
    """

    file: str
    records: np.ndarray
    order: np.ndarray
    fields: Mapping[str, Column]
    excluded: np.ndarray
    phones: Sequence[tuple[str, Column, Column]] = ()

    def __getitem__(self, field: str) -> Column:
        return self.fields.get(field) or Column.constant("", len(self.records))

    @cached_property
    def heads(self) -> np.ndarray:
        """The position of each order's first line."""
        return np.unique(self.order, return_index=True)[1] if not self.in_sequence else self._starts

    @cached_property
    def in_sequence(self) -> bool:
        """Whether the lines of each order stand together, orders numbered in file order."""
        step = np.diff(self.order, prepend=-1)
        return bool(((step == 0) | (step == 1)).all())

    @cached_property
    def _starts(self) -> np.ndarray:
        return np.flatnonzero(np.diff(self.order, prepend=-1))

    @cached_property
    def line_no(self) -> np.ndarray:
        """The number of each line in its order, from 1."""
        if self.in_sequence:
            return np.arange(len(self.order), dtype="int64") - self.heads[self.order] + 1
        return pd.Series(self.order).groupby(self.order).cumcount().to_numpy() + 1

    def take(self, rows: np.ndarray) -> Lines:
        """Return these lines (a mask), their orders numbered anew."""
        if rows.all():
            return self
        return Lines(
            file=self.file,
            records=self.records[rows],
            order=pd.factorize(self.order[rows])[0],
            fields={name: column.take(rows).compact() for name, column in self.fields.items()},
            excluded=self.excluded[rows],
            phones=[(name, one.take(rows), region.take(rows)) for name, one, region in self.phones],
        )


def build_orders(lines: Lines, options: Options, found: Found) -> pd.DataFrame:
    """Return the canonical orders frame of `lines`; those without a readable time are set aside."""
    lines = lines.take(~_nothing_sold(lines, found))
    ordered_at, lines = _placed_in_time(lines, options, found)
    phone = _phones(lines, options, found)
    quantity, bad_quantity = _quantities(lines, found)
    price, currency = _prices(lines, options, found)
    excluded = np.where((lines.excluded == "") & bad_quantity, "quantity", lines.excluded)
    _note_excluded(lines, excluded, found)
    frame = pd.DataFrame(
        {
            "order_id": lines["order_id"].texts(),
            "line_no": lines.line_no,
            "customer_id": _customers(lines, phone),
            "ordered_at": ordered_at,
            "product_retailer_id": lines["product_retailer_id"].texts(),
            "title": lines["title"].texts(),
            "quantity": quantity,
            "unit_price": price,
            "currency": currency,
            "status": lines["status"].texts(),
            "is_purchase": excluded == "",
            "phone": phone.texts(),
            "source_file": same(lines.file, len(lines.records)),
            "source_row": lines.records,
            **{name: lines[name].texts() for name in _EXTRA if name in lines.fields},
        }
    )
    found.account(len(frame))
    return frames.conform(frame, frames.ORDERS, "orders")


def _nothing_sold(lines: Lines, found: Found) -> np.ndarray:
    nameless = lines["title"].is_blank & lines["sku"].is_blank & lines["item_id"].is_blank
    nameless = nameless & lines["product_retailer_id"].is_blank
    if nameless.any():
        found.set_aside += int(nameless.sum())
        hint = "neither title nor SKU nor id says what was sold"
        found.add("item_missing", "error", rows=lines.records[nameless], action="row set aside", hint=hint)
    return nameless


def _placed_in_time(lines: Lines, options: Options, found: Found) -> tuple[pd.Series, Lines]:
    column = lines["ordered_at"].compact()
    now = pd.Timestamp.now("UTC")
    until = max(options.as_of, now) + pd.Timedelta(days=1)
    read = read_times(column.distinct, timezone=options.timezone, until=until)
    without_time = np.asarray(read.at.isna())[column.codes]
    faults = np.asarray(read.faults, dtype=object)
    faults[np.asarray(read.at.isna()) & (faults == "")] = "time_missing"
    for code in sorted(set(faults) - {"", "time_without_zone"}):
        rows = (faults == code)[column.codes]
        lost = bool(without_time[rows].all())
        found.add(
            code,
            "error" if lost else "warning",
            rows=lines.records[rows],
            column="ordered_at",
            values=column.take(rows).texts(),
            action="row set aside" if lost else "row kept",
            hint=TIME_HINTS.get(code, "an order without a time tells nothing about the next one"),
        )
    if (faults == "time_without_zone").any():
        hint = TIME_HINTS["time_without_zone"]
        found.add("time_without_zone", "warning", column="ordered_at", action="read as UTC", hint=hint)
    found.set_aside += int(without_time.sum())
    at = pd.Series(read.at.as_unit("us")[column.codes[~without_time]])
    return at, lines.take(~without_time)


def _phones(lines: Lines, options: Options, found: Found) -> Column:
    """Return each line's phone: of the order's columns the first that holds a number, the others compared."""
    heads = lines.heads
    best = lines["wa_id"].take(heads).recoded(lambda digits: "+" + digits.strip().lstrip("+") if digits.strip() else "")
    for name, numbers, regions in lines.phones:
        numbers_here, regions_here = numbers.take(heads).compact(), regions.take(heads).compact()
        phone, faults = read_phones(numbers_here, regions_here, options.region)
        _note_phones(lines, name, numbers_here, faults, found)
        differs = ~best.is_blank & ~phone.is_blank
        differs[differs] = (best.take(differs).texts() != phone.take(differs).texts()).to_numpy()
        if differs.any():
            found.add(
                "phones_differ",
                "warning",
                rows=lines.records[heads[differs]],
                column=name,
                values=numbers_here.take(differs).texts(),
                action="the first of the order's phones kept",
                hint="the order names two numbers: Phone goes before Shipping Phone before Billing Phone",
            )
        best = best.or_else(phone)
    none = best.is_blank & lines["user_id"].take(heads).is_blank
    if none.any():
        found.add(
            "phone_missing",
            "warning",
            rows=lines.records[heads[none]],
            column="phone",
            action="row kept",
            hint="this order cannot be joined to a WhatsApp thread",
        )
    return best.take(lines.order)


def _note_phones(lines: Lines, name: str, numbers: Column, faults: np.ndarray, found: Found) -> None:
    for code in sorted(set(faults) - {""}):
        rows = faults == code
        found.add(
            code,
            "warning",
            rows=lines.records[lines.heads[rows]],
            column=name,
            values=numbers.take(rows).texts(),
            action="number not used",
            hint=PHONE_HINTS[code],
        )


def _customers(lines: Lines, phone: Column) -> pd.Series:
    """Return each line's customer: by phone, else user id, else e-mail, else the shop's own id; ``""`` for nobody."""
    result = phone.recoded(lambda number: identities.customer_id("phone", number.lstrip("+")))
    for kind, field in (("user", "user_id"), ("email", "email"), ("shop", "shop_customer")):
        if field not in lines.fields:
            continue
        told = lines[field].recoded(partial(_customer, kind))
        result = result.or_else(told)
    return result.texts()


def _customer(kind: str, value: str) -> str:
    return identities.customer_id(kind, _alias(kind, value))


def _alias(kind: str, value: str) -> str:
    plain = value.strip().lstrip("'")
    return (plain.casefold() if "@" in plain else "") if kind == "email" else plain


def _quantities(lines: Lines, found: Found) -> tuple[np.ndarray, np.ndarray]:
    column = lines["quantity"] if "quantity" in lines.fields else Column.constant("1", len(lines.records))
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


def _prices(lines: Lines, options: Options, found: Found) -> tuple[np.ndarray, pd.Series]:
    column = lines["unit_price"]
    beside = lines["currency"].recoded(lambda code: code.strip().upper())
    read = read_amounts(column.distinct, options.currency, in_use=beside.distinct, currency=False)
    faults = np.asarray([_price_fault(a, f) for a, f in zip(read.amounts, read.faults, strict=True)], dtype=object)
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
    currency = beside.or_else(Column(named.codes[column.codes], named.values))
    return column.spread(amounts), currency.texts()


def _price_fault(amount: object, fault: str) -> str:
    return fault or ("price_negative" if amount is not None and amount < 0 else "")  # type: ignore[operator]  # a Decimal


def _note_excluded(lines: Lines, excluded: np.ndarray, found: Found) -> None:
    values, counts = np.unique(excluded[lines.heads].astype(str), return_counts=True)
    for reason, count in zip(values, counts, strict=True):
        if reason:
            found.add(
                "not_a_purchase",
                "info",
                column="status",
                values=[f"{count} orders: {reason}"],
                action="rows kept, not counted as purchases",
                hint="cancelled, refunded, test and draft orders say nothing about the next purchase",
            )
