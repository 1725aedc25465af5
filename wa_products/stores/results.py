"""Frames made part by part, kept until all of them are there, so that long work goes on where it was stopped."""

from __future__ import annotations

import contextlib
import shutil
from typing import TYPE_CHECKING

from wa_products.stores import tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import pandas as pd

    from wa_products.parts import Stored

FOLDER = ".results"


def kept(
    root: Path,
    key: str,
    each: Callable[[Callable[[Stored], pd.DataFrame]], Iterator[pd.DataFrame]],
    function: Callable[[Stored], pd.DataFrame],
) -> Iterator[pd.DataFrame]:
    """Yield what `function` makes in `each` part, taken from files where they have it; `key` is what is asked."""
    folder = root / FOLDER / key[:32]
    folder.mkdir(parents=True, exist_ok=True)

    def remembered(part: Stored) -> pd.DataFrame:
        path = folder / f"{part.number:05}-of-{part.parts}.parquet"
        if path.is_file():
            return tables.to_frame(tables.read(path))
        made = function(part)
        with contextlib.suppress(OSError):  # a full disk must not stop the work itself
            beside = path.with_name(f".{path.name}.new")
            tables.write(tables.to_table(made), beside)
            beside.replace(path)
        return made

    yield from each(remembered)
    shutil.rmtree(folder, ignore_errors=True)
