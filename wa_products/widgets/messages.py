"""What a browser says to a widget: a command and its values, each checked before anything is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import SQLAlchemyError

from wa_products.errors import DataError, WaProductsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Message = dict[str, Any]
    Handlers = Mapping[str, Callable[[Message], list[Message]]]


def answered(content: object, handlers: Handlers) -> list[Message]:
    """Return the messages that answer one message of a browser; what cannot be done is refused in words."""
    message = content if isinstance(content, dict) else {}
    try:
        return handlers[one_of(message, "k", tuple(handlers))](message)
    except (WaProductsError, OSError, SQLAlchemyError) as error:
        said = str(error) if not isinstance(error, SQLAlchemyError) else "the ledger cannot be reached now"
        return [{"k": "refused", "view": message.get("view"), "to": message.get("k"), "why": said}]


def text(content: Message, name: str) -> str:
    """Return the text under `name`. Raises DataError where it is none."""
    if not isinstance(value := content.get(name), str):
        raise DataError(f"the widget sent a message whose {name} is no text")
    return value


def one_of(content: Message, name: str, known: tuple[str, ...]) -> str:
    """Return the text under `name`. Raises DataError where it is not one of `known`."""
    if (value := text(content, name)) not in known:
        raise DataError(f"the widget sent an unknown {name}: {value!r}")
    return value


def whole(content: Message, name: str, below: int) -> int:
    """Return the whole number under `name`. Raises DataError where it is none from 0 to `below`."""
    value = content.get(name)
    if type(value) is not int or not 0 <= value < below:
        raise DataError(f"the widget sent a {name} that does not exist")
    return value


def share(content: Message, name: str) -> float:
    """Return the number from 0 to 1 under `name`, 0 where there is none. Raises DataError for anything else."""
    value = content.get(name, 0)
    if type(value) not in (int, float) or not 0 <= value <= 1:
        raise DataError(f"the widget sent a {name} that is no share")
    return float(value)


def rows(content: Message, below: int) -> list[int] | None:
    """Return the row numbers under ``rows``, each once; None where all that is shown is meant."""
    if (values := content.get("rows")) is None:
        return None
    if not isinstance(values, list) or not all(type(value) is int and 0 <= value < below for value in values):
        raise DataError("the widget sent rows that do not exist")
    return list(dict.fromkeys(values))
