"""Secrets taken out of everything that a run wrote, in whatever way a notebook, a page or an address writes them."""

from __future__ import annotations

import html
import json
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_LEAST = 8  # letters; a shorter one would be found in any text
_INSTEAD = b"(taken out)"


def spellings(secrets: Iterable[str]) -> list[bytes]:
    """Return how the secrets may be written: as they are, in JSON, once more in JSON, in HTML, in an address."""
    long = [secret for secret in secrets if len(secret) >= _LEAST]
    found = {each for secret in long for each in (secret, html.escape(secret), quote(secret, safe=""), _json(secret))}
    found |= {_json(each) for each in found}
    return [each.encode() for each in sorted(found, key=len, reverse=True)]


def cleaned(folder: Path, written: list[bytes]) -> list[str]:
    """Take what is `written` so out of each file of the folder; return the names of those that held it."""
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()):
        held = path.read_bytes()
        without = taken_out(held, written)
        if without != held:
            path.write_bytes(without)
            found.append(str(path.relative_to(folder)))
    return found


def taken_out(held: bytes, written: list[bytes]) -> bytes:
    """Return `held` without what is `written` so."""
    for each in written:
        held = held.replace(each, _INSTEAD)
    return held


def _json(text: str) -> str:
    return json.dumps(text)[1:-1]
