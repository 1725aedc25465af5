"""The time that a widget goes by, and how it is told to a browser."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pandas as pd

from wa_products import windows

if TYPE_CHECKING:
    from collections.abc import Callable

    from wa_products.client import Client
    from wa_products.datasets import Dataset


def clock(data: Dataset, client: Client | None) -> Callable[[], pd.Timestamp]:
    """
    Return what tells the time: the client's where there is one, else this machine's.

    A shop that is looked at from a moment a day or more away has all its windows closed, or none: there time goes on
    from ``data.as_of``.
    """
    if client is not None:
        return client.now
    if abs(_now() - data.as_of) < windows.WINDOW:
        return _now
    begun = time.monotonic()
    return lambda: data.as_of + pd.Timedelta(seconds=time.monotonic() - begun)


def millis(at: pd.Timestamp) -> int | None:
    """Return the milliseconds since 1970 with which a browser counts; None for an unknown time."""
    return None if pd.isna(at) else int(at.timestamp() * 1000)


def told(at: pd.Timestamp, timezone: str) -> str:
    """Return a time in words, as in the shop's time zone; ``""`` for an unknown one."""
    return "" if pd.isna(at) else f"{at.tz_convert(timezone):%a %d %b %H:%M %Z}"


def duration(left: pd.Timedelta) -> str:
    """
    Return how long a window is open yet.

    >>> duration(pd.Timedelta(minutes=125)), duration(pd.Timedelta(minutes=-1))
    ('2 h 05 min left', 'closed')
    """
    if pd.isna(left):
        return ""
    minutes = int(left.total_seconds() // 60)
    return "closed" if minutes < 0 else f"{minutes // 60} h {minutes % 60:02d} min left"


def _now() -> pd.Timestamp:
    return pd.Timestamp(datetime.now(UTC))
