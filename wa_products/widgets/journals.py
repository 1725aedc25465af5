"""
Decisions on disk: JSON lines, only ever appended to, readable by their owner alone.

Several files may be read together, each written by one analyst or by many: the latest line of a row counts.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wa_products.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Line = dict[str, str]

NEEDED = frozenset({"at", "by", "customer_id", "product_retailer_id", "content", "state"})


class Journal:
    """
    The files at `paths`, of which the first is written to.

    `unreadable` counts their broken lines. Raises DataError where a file holds something else.
    """

    def __init__(self, paths: Sequence[str | os.PathLike[str]], states: Sequence[str]) -> None:
        self._paths = [Path(path) for path in paths]
        self._states = frozenset(states)
        self._read = dict.fromkeys(self._paths, 0)
        self.unreadable = 0

    def begin(self) -> list[Line]:
        """Return all lines of all files, the latest last."""
        found = []
        for path in self._paths:
            before = self.unreadable
            lines = self._new_lines(path, ended=False)
            if self.unreadable > before and not lines:
                raise DataError(f"{path} holds no decisions of a review: give another name")
            found += lines
        return sorted(found, key=lambda line: line["at"]) if len(self._paths) > 1 else found

    def news(self) -> list[Line]:
        """Return the lines that came since, whoever wrote them."""
        return [line for path in self._paths for line in self._new_lines(path, ended=True)]

    def add(self, lines: Iterable[dict[str, Any]]) -> list[Line]:
        """Append `lines` in one write that has reached the disk on return; return all that is new, these the last."""
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        path = self._paths[0]
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "rb+", buffering=0) as file:
            if file.seek(0, os.SEEK_END) and file.seek(-1, os.SEEK_END) >= 0 and file.read(1) != b"\n":
                text = "\n" + text  # a line was cut short before
            file.write(text.encode())
            os.fsync(file.fileno())
        return self.news()

    def _new_lines(self, path: Path, *, ended: bool) -> list[Line]:
        """Return what a file holds beyond what was read of it; a last line without its end is left where `ended`."""
        try:
            if path.stat().st_size <= self._read[path]:
                return []
            with path.open("rb") as file:
                file.seek(self._read[path])
                content = file.read()
        except FileNotFoundError:
            return []
        if ended:
            content = content[: content.rfind(b"\n") + 1]
        self._read[path] += len(content)
        told = [line for line in content.decode(errors="replace").splitlines() if line.strip()]
        parsed = [self._parsed(line) for line in told]
        self.unreadable += parsed.count(None)
        return [line for line in parsed if line is not None]

    def _parsed(self, line: str) -> Line | None:
        try:
            found = json.loads(line)
        except ValueError:
            return None
        if not isinstance(found, dict) or not set(found) >= NEEDED or not isinstance(found["state"], str):
            return None
        if found["state"] not in self._states:
            return None
        return found if all(isinstance(value, str) for value in found.values()) else None
