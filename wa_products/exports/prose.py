"""Text for people: markup taken out, what is broken in it named."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\u2060\ufeff]")
_BREAKS = frozenset({"br", "p", "li", "div", "tr", "h1", "h2", "h3", "h4", "ul", "ol"})
_HIDDEN = frozenset({"script", "style"})
_MOJIBAKE = re.compile("[\u00c2\u00c3\u00e2][\u0080-\u00bf\u0152-\u0178\u0192\u02c6\u02dc\u2013-\u2122\u20ac]")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self.hidden += tag in _HIDDEN
        if tag in _BREAKS:
            self.said.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in _HIDDEN and self.hidden > 0

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.said.append(data)


def to_text(value: str) -> str:
    r"""
    Return text without markup; text that has none is returned as it is.

    >>> to_text("<p>Tea &amp; more<br>hot</p>"), to_text("3 < 4")
    ('Tea & more\nhot', '3 < 4')
    """
    if not has_markup(value):
        return value
    reader = _Reader()
    reader.feed(value)
    reader.close()
    return re.sub(r"[ \t]*\n\s*", "\n", html.unescape("".join(reader.said))).strip()


def has_markup(value: str) -> bool:
    """Return whether `value` holds an HTML tag."""
    return bool(_TAG.search(value))


def has_control(value: str) -> bool:
    """Return whether `value` holds a control or zero-width character."""
    return bool(_CONTROL.search(value))


def is_garbled(value: str) -> bool:
    """Return whether `value` looks like UTF-8 that was read as cp1252, such as ``Ã©``."""
    return bool(_MOJIBAKE.search(value))
