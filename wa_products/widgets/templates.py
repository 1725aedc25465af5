"""Texts with fields, written once for many customers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wa_products import selection
from wa_products.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

FIELDS = ("name", "product", "price")
_FIELD = re.compile(r"\{\s*([^{}|]*?)\s*(?:\|([^{}]*))?\}")


def fill(template: str, values: Mapping[str, str]) -> str:
    """
    Return `template` with its fields filled. A word after a bar stands in where a value is unknown.

    Raises DataError for a field that there is not, and for an unknown value without such a word.

    >>> fill("Hi {name|there}, {product} is {price} now.", {"name": "", "product": "Rice", "price": "£2.00"})
    'Hi there, Rice is £2.00 now.'
    """

    def value(match: re.Match[str]) -> str:
        field, otherwise = match[1], match[2]
        if field not in FIELDS:
            raise DataError(f"there is no field {{{field}}}; the fields are {', '.join(f'{{{f}}}' for f in FIELDS)}")
        known = " ".join(values[field].split())
        if field != "price":
            known = selection.shorten(known, selection.TITLE_LENGTH)
        if known or otherwise is not None:
            return known or str(otherwise)
        raise DataError(f"the {field} is not known: {{{field}|another word}} says what stands there instead")

    return _FIELD.sub(value, template)
