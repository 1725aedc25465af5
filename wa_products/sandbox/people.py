"""Customers told what to do: for a test, a demonstration, or a person who plays one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wa_products.errors import DataError
from wa_products.sandbox.acts import text

if TYPE_CHECKING:
    from collections.abc import Callable

    from wa_products.sandbox.world import World

_LONGEST = 4096


def act(world: World, customer_id: str, what: str, **details: Any) -> str:  # noqa: ANN401  # see the table
    """
    Let a customer do something now, and return the id of the message or of the act.

    ``write`` (`text`), ``forward`` (`text`; as if from somebody else), ``ask`` (`product_retailer_id`, `text`),
    ``order`` (`items`, a list of product ids or of pairs with a quantity; `note`; `quoting`, a message id), ``stop
    marketing``, ``resume marketing``, ``block``, ``unblock``, ``hide phone``, ``change number`` (`wa_id`). The
    business learns of it by webhook, but for blocking and hiding. Raises DataError for what cannot be done.
    """
    if what not in _ACTS:
        raise DataError(f"a customer cannot {what!r}: {', '.join(_ACTS)}")
    if customer_id not in world.addresses.people:
        raise DataError(f"there is no customer {customer_id}")
    try:
        return _ACTS[what](world, customer_id, **details)
    except TypeError as error:
        raise DataError(f"{what!r} has other details: {str(error).partition('() ')[2]}") from error


def _write(world: World, who: str, *, text: str) -> str:
    return world.do("write", who, _said(text))


def _forward(world: World, who: str, *, text: str) -> str:
    return world.do("forward", who, {**_said(text), "context": {"forwarded": True}})


def _ask(world: World, who: str, *, product_retailer_id: str, text: str = "") -> str:
    _known(world, product_retailer_id)
    _said(text or "?")
    return world.do("ask", who, world.acts.enquiry(who, f"{who}:asks", product_retailer_id, text))


def _order(world: World, who: str, *, items: list[Any], note: str = "", quoting: str = "") -> str:
    pairs = [(item, 1) if isinstance(item, str) else tuple(item) for item in items]
    if not pairs:
        raise DataError("a cart holds at least one product")
    for pair in pairs:
        if len(pair) != 2 or not isinstance(pair[1], int) or not 1 <= pair[1] <= 99:  # noqa: PLR2004  # the app's limit
            raise DataError("an item of a cart is a product and a quantity from 1 to 99")
        _known(world, pair[0])
    if not world.shelf.is_cart_enabled:
        raise DataError("carts are switched off in the commerce settings")
    return world.do("order", who, world.acts.order(pairs, str(note), str(quoting)))


def _prefer(value: str) -> Callable[[World, str], str]:
    return lambda world, who: world.do("prefer", who, value=value)


def _block(world: World, who: str) -> str:
    return world.do("block", who)


def _unblock(world: World, who: str) -> str:
    world.desk.blocking.discard(who)
    return who


def _hide(world: World, who: str) -> str:
    world.addresses.hide(who)
    return who


def _move(world: World, who: str, *, wa_id: str) -> str:
    world.change_number(who, wa_id)
    return who


_ACTS: dict[str, Callable[..., str]] = {
    "write": _write,
    "forward": _forward,
    "ask": _ask,
    "order": _order,
    "stop marketing": _prefer("stop"),
    "resume marketing": _prefer("resume"),
    "block": _block,
    "unblock": _unblock,
    "hide phone": _hide,
    "change number": _move,
}


def _said(words: object) -> dict[str, Any]:
    if not isinstance(words, str) or not 1 <= len(words) <= _LONGEST:
        raise DataError(f"a text has 1 to {_LONGEST} characters")
    return text(words)


def _known(world: World, product_retailer_id: object) -> None:
    if product_retailer_id not in world.shelf.products:
        raise DataError(f"the catalog has no product {product_retailer_id!r}")
