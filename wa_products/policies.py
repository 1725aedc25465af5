"""The policy of a campaign: what may be sent in it, and in which words."""

from __future__ import annotations

import string
from dataclasses import dataclass, field, fields, replace
from math import isfinite
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from wa_products import windows
from wa_products.errors import DataError
from wa_products.limits import Limits, check_quiet_hours

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

KINDS = ("request", "reorder", "recommendation")
TITLE_LENGTH = 200
_FIELDS = frozenset({"title", "price", "currency"})
_BODIES = MappingProxyType(
    {
        "request": "You asked about {title}. Here it is, with today's price.",
        "reorder": "Running low on {title}? Here it is again.",
        "recommendation": "We thought of you: {title}.",
    }
)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """
    What may be sent in one campaign.

    `kinds` are the kinds of proposal wanted, `products` the only ones (product_retailer_id); None is all that the
    catalog can send. `min_probability` applies to all but requests. A customer who got a message within `rest_days`
    gets none, and a product sent within `ignored_days` without a purchase is not sent again; nor is one bought within
    `just_bought_days`, refunded lately or in an open cart. The answer to a request is free of these, once.
    `max_sends` and `max_per_product` cap the campaign, most probable first; None is no cap. `bodies` has one text a
    kind with the fields ``{title}``, ``{price}`` and ``{currency}``; `footer` stands below each. In `quiet_hours`,
    such as ``("21:00", "08:00")`` of the shop's time zone, `send` sends nothing. It also keeps `rest_days` and
    `max_sends` once more, by what the ledger knows then.

    With `explore`, that share of the customers gets one of their products that may be sent at random, each alike,
    instead of the most probable: what they do tells what another recommender would have brought
    (`wa_products.trials.what_if`). The draw is by hash of ``data.as_of`` and the customer; an answer to a request is
    never left to chance. Raises DataError for an unknown kind, field or a negative number, and for `explore` together
    with `max_per_product`, under which one customer's product would hang on what others drew.
    """

    kinds: tuple[str, ...] = KINDS
    products: tuple[str, ...] | None = None
    min_probability: float = 0.0
    rest_days: float = 7.0
    ignored_days: float = 30.0
    just_bought_days: float = 1.0
    max_sends: int | None = None
    max_per_product: int | None = None
    explore: float = 0.0
    quiet_hours: tuple[str, str] | None = None
    margin: pd.Timedelta = windows.MARGIN
    bodies: Mapping[str, str] = field(default_factory=lambda: _BODIES)
    footer: str = "Reply STOP to opt out"

    def __post_init__(self) -> None:
        """Refuse what could not be meant."""
        if unknown := sorted({*self.kinds, *self.bodies} - set(KINDS)):
            raise DataError(f"a policy knows the kinds {list(KINDS)}, not {unknown}")
        for kind, text in self.bodies.items():
            used = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
            if wrong := sorted(used - _FIELDS):
                raise DataError(f"the body for {kind} uses {wrong}; the fields are {sorted(_FIELDS)}")
        if not 0 <= self.min_probability <= 1:
            raise DataError(f"min_probability must lie between 0 and 1, got {self.min_probability}")
        if not 0 <= self.explore <= 1:
            raise DataError(f"explore must be a share between 0 and 1, got {self.explore}")
        if self.explore and self.max_per_product is not None:
            raise DataError("explore and max_per_product cannot go together: one's product would hang on others' draws")
        for name in ("rest_days", "ignored_days", "just_bought_days", "max_sends", "max_per_product"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise DataError(f"{name} must not be negative, got {value}")
        check_quiet_hours(self.quiet_hours)

    def limits(self, timezone: str = "UTC") -> Limits:
        """Return what of this policy holds at the moment of sending, for a shop in `timezone`."""
        return Limits(
            rest_days=self.rest_days, max_sends=self.max_sends, quiet_hours=self.quiet_hours, timezone=timezone
        )

    @property
    def unbounded(self) -> Policy:
        """The same policy for every kind and product, however improbable and however many: what a person may choose."""
        return replace(self, kinds=KINDS, products=None, min_probability=0.0, max_sends=None, max_per_product=None)

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """
        Return the policy that `to_dict` told, or a person wrote down; what is left out is as in `Policy()`.

        Raises DataError naming every unknown name and every value of another type.
        """
        known = {part.name for part in fields(cls)}
        faults = [f"there is no {name!r} in a policy" for name in told if name not in known]
        values = {name: value for name, value in told.items() if name in known and value is not None}
        faults += [f"{name} should be {_TYPES[name][0]}, not {v!r}" for name, v in values.items() if not _fits(name, v)]
        if faults:
            raise DataError("; ".join(faults))
        values |= {name: tuple(values[name]) for name in ("kinds", "products", "quiet_hours") if name in values}
        return cls(**values | ({"margin": pd.Timedelta(values["margin"])} if "margin" in values else {}))

    def to_dict(self) -> dict[str, Any]:
        """Return the policy as plain values."""
        told: dict[str, Any] = {part.name: getattr(self, part.name) for part in fields(self)}
        lists = {name: list(value) for name, value in told.items() if isinstance(value, tuple)}
        floats = {name: float(told[name]) for name, (what, _) in _TYPES.items() if what == _NUMBER}
        return told | lists | floats | {"margin": self.margin.isoformat(), "bodies": dict(self.bodies)}


_NUMBER, _WHOLE, _TEXTS = "a number", "a whole number", "a list of texts"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _is_bodies(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(each, str) for each in (*value, *value.values()))


def _is_span(value: object) -> bool:
    try:
        return isinstance(value, str) and pd.Timedelta(value) >= pd.Timedelta(0)
    except ValueError:
        return False


_TYPES: dict[str, tuple[str, Callable[[object], bool]]] = {
    **dict.fromkeys(("kinds", "products", "quiet_hours"), (_TEXTS, _is_texts)),
    **dict.fromkeys(
        ("min_probability", "rest_days", "ignored_days", "just_bought_days", "explore"), (_NUMBER, _is_number)
    ),
    **dict.fromkeys(("max_sends", "max_per_product"), (_WHOLE, _is_whole)),
    "margin": ("a span such as '5min'", _is_span),
    "bodies": ("a table of texts by kind", _is_bodies),
    "footer": ("a text", lambda value: isinstance(value, str)),
}


def _fits(name: str, value: object) -> bool:
    return _TYPES[name][1](value)


def texts(rows: pd.DataFrame, policy: Policy) -> pd.Series:
    """Return the body that `policy` gives each of `rows`, by its kind, title, price and currency."""
    titles = rows["title"].fillna("").map(lambda text: shorten(" ".join(text.split()), TITLE_LENGTH))
    texts = [
        policy.bodies.get(kind, "").format(title=title, price=price, currency=currency) if title else ""
        for kind, title, price, currency in zip(rows["kind"], titles, rows["price"], rows["currency"], strict=True)
    ]
    return pd.Series(texts, index=rows.index, dtype="str")


def shorten(text: str, length: int) -> str:
    """
    Return `text` cut to at most `length` code points, with an ellipsis where something is gone.

    >>> shorten("a long title", 8)
    'a long …'
    """
    return text if len(text) <= length else text[: length - 1] + "…"
