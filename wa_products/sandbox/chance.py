"""
Draws that depend on who is asked and for what, never on when or in which order.

Each customer has a key from the seed and the customer id. A draw mixes that key with the name of its purpose and a
running number (splitmix64), so the same question has the same answer in every order, and customers draw at once.
"""

from __future__ import annotations

import base64
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

if TYPE_CHECKING:
    from collections.abc import Iterable

_STEP, _FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_SCALE = 2.0**-53


def keys(seed: int, names: Iterable[str]) -> np.ndarray:
    """Return one 64-bit key a name, different for each seed."""
    return np.array([_number(seed, name) for name in names], dtype=np.uint64)


def uniform(keys: np.ndarray, purpose: str, number: np.ndarray | int = 0) -> np.ndarray:
    """Return one number in (0, 1) a key, for the `number`-th draw of this `purpose`."""
    steps = np.asarray(number, dtype=np.uint64) * np.uint64(_STEP)
    mixed = np.atleast_1d(keys ^ np.uint64(_number(0, purpose))) + steps
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(_FIRST)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(_SECOND)
    mixed = mixed ^ (mixed >> np.uint64(31))
    return ((mixed >> np.uint64(11)).astype("float64") + 0.5) * _SCALE


def lognormal(keys: np.ndarray, purpose: str, number: np.ndarray | int, median: float, spread: float) -> np.ndarray:
    """Return one positive number a key around `median`; `spread` is the standard deviation of its logarithm."""
    return median * np.exp(spread * ndtri(uniform(keys, purpose, number)))


def share(seed: int, *words: object) -> float:
    """Return the number in [0, 1) that belongs to these words."""
    return _number(seed, "\x1f".join(map(str, words))) / 2.0**64


def token(seed: int, *words: object, size: int = 10) -> str:
    """Return the upper-case hexadecimal text of `size` bytes that belongs to these words."""
    text = "\x1f".join(map(str, words)).encode()
    return blake2b(text, key=str(seed).encode(), digest_size=size).hexdigest().upper()


def wamid(seed: int, address: str, *words: object) -> str:
    """
    Return a message id as Meta makes them: base64 text in which the customer's address can be read.

    So it is personal data here too, and what must not leak there must not leak here.
    """
    head = b"\x1c\x18" + bytes([min(len(address), 255)]) + address.encode()
    return (
        "wamid." + base64.b64encode(head + b"\x15\x02\x00\x11\x18\x14" + token(seed, address, *words).encode()).decode()
    )


@lru_cache(maxsize=4096)
def _number(seed: int, text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), key=str(seed).encode(), digest_size=8).digest(), "big")
