"""Who bought: the phone of each order, and the customer id that stands for it."""

from __future__ import annotations

from functools import partial
from operator import eq
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wa_products import identities
from wa_products.exports.columns import Column
from wa_products.exports.phones import PHONE_HINTS, UNASSIGNED, read_phones

if TYPE_CHECKING:
    from wa_products.exports.issues import Found
    from wa_products.exports.orders import Lines


def phones_of(lines: Lines, region: str, found: Found) -> Column:
    """
    Return each order's phone in E.164, ``""`` for none: of its columns the first that holds a number.

    A wa_id goes before them and is kept as it is. What is no number, and numbers that disagree, are noted.
    """
    best = lines.of_order("wa_id").recoded(_with_plus)
    for name, numbers, regions in lines.phones:
        if not len(numbers.values) or numbers.is_blank.all():
            continue
        given = numbers.deduplicated()
        phone, faults = _read(given, regions.deduplicated(), region)
        _note(lines, name, given, faults, found)
        differs = _differ(best, phone)
        if differs.any():
            found.add(
                "phones_differ",
                "warning",
                rows=lines.heads[differs],
                column=name,
                values=given.take(differs).texts(),
                action="the first of the order's phones kept",
                hint="the order names two numbers: Phone goes before Shipping Phone before Billing Phone",
            )
        best = best.or_else(phone)
    none = best.is_blank & lines.of_order("user_id").is_blank
    if none.any():
        found.add(
            "phone_missing",
            "warning",
            rows=lines.heads[none],
            column="phone",
            action="row kept",
            hint="this order cannot be joined to a WhatsApp thread",
        )
    return best


def customers_of(lines: Lines, phone: Column) -> Column:
    """Return each order's customer: by phone, else user id, else e-mail, else the shop's own id; ``""`` for nobody."""
    result = phone.compact().recoded(partial(_customer, "phone"))
    for kind, field in (("user", "user_id"), ("email", "email"), ("shop", "shop_customer")):
        nobody = result.is_blank
        if field in lines.order_fields and nobody.any():
            told = lines.order_fields[field].take(nobody).compact().recoded(partial(_customer, kind))
            result = result.placed(nobody, told)
    return result


def _read(numbers: Column, regions: Column, region: str) -> tuple[Column, Column]:
    """Return each order's phone, and ``""`` or what is wrong with it."""
    several = max(1, len(regions.values))
    pairs = numbers.codes.astype("int64") * several + regions.codes
    place, pair = pd.factorize(pairs) if several > 1 else (numbers.codes, np.arange(len(numbers.values)))
    distinct = Column(pair // several, numbers.values), Column(pair % several, regions.values)
    phone, faults = read_phones(*distinct, region)
    return phone.take(place), Column.of(faults).take(place)


def _with_plus(digits: str) -> str:
    return "+" + digits.strip().lstrip("'+") if digits.strip() else ""


def _differ(one: Column, other: Column) -> np.ndarray:
    both = ~one.is_blank & ~other.is_blank
    both[both] = (one.take(both).texts() != other.take(both).texts()).to_numpy()
    return both


def _note(lines: Lines, name: str, numbers: Column, faults: Column, found: Found) -> None:
    for code in sorted(set(faults.distinct) - {""}):
        rows = faults.where(partial(eq, code))
        if code == UNASSIGNED:
            hint, values = PHONE_HINTS[UNASSIGNED], [f"{int(rows.sum())} orders"]
            found.add(UNASSIGNED, "info", column=name, values=values, action="number kept", hint=hint)
            continue
        found.add(
            code,
            "warning",
            rows=lines.heads[rows],
            column=name,
            values=numbers.take(rows).texts(),
            action="number not used",
            hint=PHONE_HINTS[code],
        )


def _customer(kind: str, value: str) -> str:
    plain = value.strip().lstrip("'+") if kind != "email" else value.strip().casefold()
    return identities.customer_id(kind, plain if kind != "email" or "@" in plain else "")
