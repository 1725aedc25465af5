"""
What holds at the moment of sending, beside window and opt-outs: rest between messages, a cap, quiet hours.

A plan carries its limits in its header, under its hash: they are approved with it and cannot be loosened after.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from zoneinfo import ZoneInfo

from wa_products.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

_HOUR = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """
    What `send` checks again right before each message.

    Whom another campaign wrote to within `rest_days` gets nothing; the answer to a request is free of it, once.
    `max_sends` caps the campaign over all its plans; None is no cap. From the first to the second of `quiet_hours`
    (``HH:MM`` in `timezone`) nothing is sent; None is no quiet. Raises DataError for what cannot be meant.
    """

    rest_days: float = 0.0
    max_sends: int | None = None
    quiet_hours: tuple[str, str] | None = None
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        """Refuse what could not be meant."""
        for name in ("rest_days", "max_sends"):
            if (value := getattr(self, name)) is not None and not value >= 0:
                raise DataError(f"{name} must not be negative, got {value}")
        check_quiet_hours(self.quiet_hours)
        try:
            ZoneInfo(self.timezone)
        except (KeyError, ValueError, OSError) as error:
            raise DataError(f"there is no time zone {self.timezone!r}; one is called Europe/London") from error

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return the limits that `to_dict` told."""
        quiet = told.get("quiet_hours")
        return cls(**{**told, "quiet_hours": quiet and tuple(quiet)})

    def to_dict(self) -> dict[str, Any]:
        """Return the limits as plain values; nothing where nothing is limited."""
        if self == type(self)():
            return {}
        quiet = self.quiet_hours and list(self.quiet_hours)
        return {**vars(self), "rest_days": float(self.rest_days), "quiet_hours": quiet}

    def is_quiet(self, at: pd.Timestamp) -> bool:
        """
        Return whether `at` lies in the quiet hours; their end does not.

        >>> import pandas as pd
        >>> night = Limits(quiet_hours=("21:00", "08:00"), timezone="Europe/London")
        >>> [night.is_quiet(pd.Timestamp(f"2026-11-22 {hour}Z")) for hour in ("20:59", "23:30", "08:00")]
        [False, True, False]
        """
        if self.quiet_hours is None:
            return False
        begin, end = self.quiet_hours
        clock = at.tz_convert(ZoneInfo(self.timezone)).strftime("%H:%M")
        return begin <= clock < end if begin < end else clock >= begin or clock < end

    @property
    def quiet(self) -> str:
        """The quiet hours in words, ``""`` where there are none."""
        return "quiet hours from {} to {} ".format(*self.quiet_hours) + self.timezone if self.quiet_hours else ""

    def __str__(self) -> str:
        told = [f"{self.rest_days:g} days of rest"] if self.rest_days else []
        told += [] if self.max_sends is None else [f"at most {self.max_sends:,} messages"]
        told += [self.quiet] if self.quiet else []
        return ", ".join(told)


def check_quiet_hours(hours: tuple[str, str] | None) -> None:
    """Raise DataError unless these are two different times such as ``("21:00", "08:00")``, or None."""
    if hours is not None and not (
        len(hours) == 2 and all(isinstance(hour, str) and _HOUR.fullmatch(hour) for hour in hours)  # noqa: PLR2004  # a pair
        and hours[0] != hours[1]
    ):  # fmt: skip
        raise DataError(f"quiet hours are two times such as ('21:00', '08:00'), not {hours!r}")
