"""Exports that cannot give what is asked of them, each refused with what to export instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from wa_products.errors import DataError
from wa_products.exports.contract import Format, Options

if TYPE_CHECKING:
    from wa_products.exports.issues import Found
    from wa_products.exports.tables import Table


def refuse_payments(_table: Table, _options: Options, found: Found) -> NoReturn:
    """Raise DataError: payments name no items."""
    raise DataError(
        f"{found.file} is a Stripe export of payments: it does not say what was sold; export the orders of the shop "
        "itself, with one row an item"
    )


STRIPE = Format(
    name="a Stripe payments export",
    readers={"orders": refuse_payments},
    required=(
        ("id", "balance_transaction_id", "charge_id"),
        ("amount", "gross"),
        ("created_utc", "created_date_utc", "created"),
        ("fee", "converted_amount", "amount_refunded", "net", "customer_email", "currency"),
        ("description", "customer_email", "customer_id", "captured", "card_id", "seller_message"),
    ),
    known=frozenset({"status", "customer_id", "mode", "statement_descriptor", "card_last4"}),
)
