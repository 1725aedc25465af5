"""Orders found one by one, as in JSON or in cells that hold a whole item, gathered into `orders.Lines`."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from wa_products.exports.columns import Column
from wa_products.exports.orders import Lines

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wa_products.exports.issues import Found

_LINE = ("item_id", "sku", "title", "quantity", "unit_price")
_ORDER = ("order_id", "ordered_at", "email", "shop_customer", "currency", "status", "excluded", "subtotal")
_CENTS, _FINEST = Decimal("0.01"), Decimal("0.0001")


@dataclass(eq=False)
class Listed:
    """
    Orders as they are found: of each its fields, its phones with their countries, and its items.

    `phones` names the pairs of fields that hold a phone and its country, best first; `names` what the file calls them.
    """

    file: str
    phones: Sequence[tuple[str, str]]
    names: Mapping[str, str]
    orders: list[dict[str, str]] = field(default_factory=list, repr=False)
    items: list[dict[str, str]] = field(default_factory=list, repr=False)
    numbers: list[int] = field(default_factory=list, repr=False)
    records: list[int] = field(default_factory=list, repr=False)
    line_no: list[int] = field(default_factory=list, repr=False)

    def add(self, order: dict[str, str], items: Sequence[dict[str, str]], record: int, found: Found) -> None:
        """Add one order with its items; an order without any is set aside."""
        found.rows_in += max(1, len(items))
        if not items:
            found.set_aside += 1
            hint = "this order names nothing that was sold"
            found.add("order_without_items", "warning", rows=[record], action="row set aside", hint=hint)
            return
        self.numbers += [len(self.orders)] * len(items)
        self.records += [record] * len(items)
        self.line_no += range(1, len(items) + 1)
        self.orders.append(order)
        self.items += items

    def lines(self) -> Lines:
        """Return all that was added."""
        of_line = {name: Column.of([item.get(name, "") for item in self.items]) for name in _LINE}
        return Lines(
            file=self.file,
            records=np.asarray(self.records, dtype="int64"),
            line_no=np.asarray(self.line_no, dtype="int64"),
            order=np.asarray(self.numbers, dtype="int64"),
            fields=of_line,
            order_fields={name: self._of_order(name) for name in _ORDER},
            phones=[(phone, self._of_order(phone), self._of_order(country)) for phone, country in self.phones],
            names=self.names,
        )

    def _of_order(self, name: str) -> Column:
        return Column.of([order.get(name, "") for order in self.orders])


def each(total: Decimal, quantity: Decimal) -> str:
    """
    Return the price of one of `quantity` pieces, written so that its decimal sign is plain.

    >>> each(Decimal("10.00"), Decimal(4)), each(Decimal("3.702"), Decimal(3)), each(Decimal(10), Decimal(3))
    ('2.50', '1.2340', '3.3333')
    """
    price = total / quantity
    cents = price.quantize(_CENTS)
    return f"{cents if cents == price else price.quantize(_FINEST):f}"


def number(value: object) -> Decimal | None:
    """Return a number of JSON, or one written with a point as programs write them; None for anything else."""
    text = str(value).strip() if isinstance(value, str | int | float | Decimal) and not isinstance(value, bool) else ""
    try:
        found = Decimal(text) if text else None
    except ArithmeticError:
        return None
    return found if found is not None and found.is_finite() else None
