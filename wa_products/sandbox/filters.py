"""Rules by which a catalog's products are asked for: ``{"availability": {"eq": "in stock"}}``, with and, or, not."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from wa_products.sandbox.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

NOT_VALID = "(#100) Param filter must be a valid product filter"
_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda held, given: held == given,
    "contains": lambda held, given: str(given) in held,
    "starts_with": lambda held, given: held.startswith(str(given)),
    "is_any": lambda held, given: held in given,
    "lt": lambda held, given: float(held) < float(given),
    "lte": lambda held, given: float(held) <= float(given),
    "gt": lambda held, given: float(held) > float(given),
    "gte": lambda held, given: float(held) >= float(given),
}
_DENIED = {"neq": "eq", "not_contains": "contains", "is_not_any": "is_any"}
FIELDS = frozenset(
    {"id", "retailer_id", "name", "description", "brand", "availability", "visibility", "review_status"}
    | {"currency", "product_type", "retailer_product_group_id", "price_amount"}
)


def read(text: str) -> dict[str, Any]:
    """Return the rule that `text` holds. Raises Refusal where it holds none."""
    try:
        rule = json.loads(text)
        fits(rule, dict.fromkeys(FIELDS, "0"))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise Refusal(400, 100, NOT_VALID) from None
    return rule


def fits(rule: dict[str, Any], product: dict[str, Any]) -> bool:
    """Return whether a product, as the Graph API tells it, is one that the rule asks for."""
    if not isinstance(rule, dict) or not rule:
        raise TypeError(rule)
    (name, wanted) = next(iter(rule.items()))
    if len(rule) > 1:
        return all(fits({key: value}, product) for key, value in rule.items())
    if name in {"and", "or"}:
        return (all if name == "and" else any)([fits(part, product) for part in wanted])
    if name == "not":
        return not fits(wanted, product)
    if name not in FIELDS:
        raise LookupError(name)
    return all(_holds(product, name, test, given) for test, given in wanted.items())


def _holds(product: dict[str, Any], name: str, test: str, given: Any) -> bool:  # noqa: ANN401  # any JSON
    held = _cents(product) if name == "price_amount" else str(product[name])
    if test.startswith("i_"):
        test, held, given = test.removeprefix("i_"), held.casefold(), _folded(given)
    if test in _DENIED:
        return not _TESTS[_DENIED[test]](held, _same_kind(given))
    return _TESTS[test](held, _same_kind(given))


def _same_kind(given: Any) -> Any:  # noqa: ANN401  # any JSON
    return [str(each) for each in given] if isinstance(given, list) else str(given)


def _folded(given: Any) -> Any:  # noqa: ANN401  # any JSON
    return [str(each).casefold() for each in given] if isinstance(given, list) else str(given).casefold()


def _cents(product: dict[str, Any]) -> str:
    found = re.search(r"[0-9]+(\.[0-9]+)?", product.get("price", ""))
    return str(round(float(found[0]) * 100)) if found else "0"
