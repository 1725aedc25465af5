"""Files written whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from wa_products.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def replaced(target: Path, write: Callable[[Path], object]) -> Path:
    """Let `write` make a draft beside `target`, put it in its place, and return `target`; DataError for a folder."""
    if target.is_dir():
        raise DataError(f"{target} is a folder: name a file in it, for example {target / 'report.html'}")
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{uuid4().hex}.{target.name}")
    try:
        write(draft)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return target
