"""Names as people write them, made comparable."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

_DOTLESS = "\u0131"  # Turkish writes it where others write i


def words(text: str) -> tuple[str, ...]:
    """Return the words of `text`: a long list of them reads best as prose."""
    return tuple(text.split())


@cache
def normal(name: str) -> str:
    """
    Return a column name without case, accents, blanks and punctuation, so that spellings of one name meet.

    >>> normal(" Teléfono "), normal("Lineitem name"), normal("g:image_link")
    ('telefono', 'lineitem_name', 'g_image_link')
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return re.sub(r"[\W_]+", "_", plain.casefold().replace(_DOTLESS, "i")).strip("_")
