"""What an order's lines add up to, beside what the order itself says that they do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wa_products.exports.money import read_amounts

if TYPE_CHECKING:
    from wa_products.exports.columns import Column
    from wa_products.exports.issues import Found
    from wa_products.exports.orders import Lines

_CENT, _ROUNDED = 0.011, 1e-4


def note_totals(lines: Lines, found: Found) -> None:
    """
    Note the orders whose lines do not add up to their subtotal.

    It may be told before or after the discounts, so any sum between the two is right. What is no purchase
    is not looked at: shops rewrite the sums of what they cancel and refund.
    """
    column = lines.of_order("subtotal")
    bought = lines.of_order("excluded").is_blank
    if (column.is_blank | ~bought).all():
        return
    price, quantity = _numbers(lines["unit_price"]), _numbers(lines["quantity"])
    if "quantity" not in lines.fields:
        quantity = np.ones(len(lines.records))
    summed = np.bincount(lines.order, weights=price * quantity, minlength=len(column))
    told, less = _numbers(column), np.abs(np.nan_to_num(_numbers(lines.of_order("discount"))))
    less += np.bincount(
        lines.order, weights=np.abs(np.nan_to_num(_numbers(lines["line_discount"]))), minlength=len(less)
    )
    pieces = np.bincount(lines.order, weights=np.nan_to_num(np.abs(quantity)), minlength=len(column))
    slack = _CENT + _ROUNDED * pieces
    differs = bought & ((told > summed + slack) | (told < summed - less - slack))
    if differs.any():
        found.add(
            "total_differs",
            "warning",
            rows=lines.heads[differs],
            column="subtotal",
            values=column.take(differs).texts(),
            action="row kept",
            hint="the lines of this order add up to another sum: some may be missing from the file",
        )


def _numbers(column: Column) -> np.ndarray:
    """Return the amounts of a column, NaN where there is none; for a comparison within a cent, floats will do."""
    compact = column.compact()
    amounts = read_amounts(compact.distinct, currency=False).amounts
    return np.array([np.nan if amount is None else float(amount) for amount in amounts])[compact.codes]
