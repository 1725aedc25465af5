"""Addresses of pictures, out of one cell: a list with any separator, or JSON."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_BEFORE_LINK = re.compile(r"[\s,;|]+(?=https?://)", re.IGNORECASE)
_NOT_SO = re.compile(r"[\s;|\[{]|^,|,$|,,")
_ANYWHERE = re.compile(r"[\s,;|]+")


def image_links(value: str) -> list[str]:
    """
    Return the addresses in a cell; a separator inside an address stays, unless another address follows it.

    >>> image_links("https://a.example/1,w_50.png|https://a.example/2.png")
    ['https://a.example/1,w_50.png', 'https://a.example/2.png']
    >>> image_links('[{"url": "https://a.example/1.png", "tag": ["front"]}]')
    ['https://a.example/1.png']
    """
    text = value.strip()
    if text[:1] in {"[", "{"}:
        try:
            return list(_urls(json.loads(text)))
        except (ValueError, RecursionError):
            pass
    between = _BEFORE_LINK if "://" in text else _ANYWHERE
    return [part for part in (found.strip(" ,;|") for found in between.split(text)) if part]


def as_one(value: str) -> str:
    """Return the addresses in a cell with commas between them; most cells are so already."""
    return ",".join(image_links(value)) if _NOT_SO.search(value) else value


def _urls(value: Any) -> Iterator[str]:  # noqa: ANN401  # any JSON value
    if isinstance(value, str):
        yield value.strip()
    elif isinstance(value, list):
        for member in value:
            yield from _urls(member)
    elif isinstance(value, dict):
        yield from _urls(value.get("url"))
