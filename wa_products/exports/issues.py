"""
What was found wrong in a file, where, and what was done about it.

A reader notes issues by position in its table; `Found.frame` turns them into the ``issues`` frame with record and
physical line. Every row of the file is kept, set aside or merged; `Found.account` refuses any other sum.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from wa_products import frames
from wa_products.exports.columns import same

if TYPE_CHECKING:
    from collections.abc import Sequence

Severity = Literal["error", "warning", "info"]
SHOWN = 120


@dataclass(eq=False)
class Found:
    """The issues of one file while it is being read, and the count of its rows by what became of them."""

    file: str
    rows_in: int = 0
    kept: int = 0
    set_aside: int = 0
    merged: int = 0
    parts: list[pd.DataFrame] = field(default_factory=list, repr=False)

    def add(
        self,
        code: str,
        severity: Severity,
        *,
        rows: Sequence[int] | np.ndarray = (),
        lines: Sequence[int] | np.ndarray | None = None,
        column: str = "",
        values: Sequence[str] | pd.Series = (),
        action: str,
        hint: str,
    ) -> None:
        """
        Note one issue a row; without `rows`, one for the whole file.

        `rows` are record numbers, from 1. `lines` are physical lines from 1; without them `place` fills them in.
        """
        count = max(1, len(rows)) if len(rows) or lines is None else len(lines)
        numbers = np.asarray(rows if len(rows) else [0] * count, dtype="int64")
        shown = [str(value)[:SHOWN] for value in values] if len(values) else [""] * count
        self.parts.append(
            pd.DataFrame(
                {
                    "file": same(self.file, count),
                    "row": numbers,
                    "line": np.asarray([-1] * count if lines is None else lines, dtype="int64"),
                    "column": same(column, count),
                    "value": pd.Series(shown, dtype="str"),
                    "code": same(code, count),
                    "severity": same(severity, count),
                    "action": same(action, count),
                    "hint": same(hint, count),
                }
            )
        )

    def account(self, kept: int) -> None:
        """Note how many rows were kept and check that none went missing: in = kept + set aside + merged."""
        self.kept = kept
        if self.rows_in != self.kept + self.set_aside + self.merged:
            raise AssertionError(
                f"{self.file}: {self.rows_in} rows in, but {self.kept} kept, {self.set_aside} set aside "
                f"and {self.merged} merged"
            )

    def frame(self, records: np.ndarray, lines: np.ndarray | None) -> pd.DataFrame:
        """Return the issues frame; `records` (sorted record numbers) and `lines` place the rows in the file."""
        if not self.parts:
            return frames.empty(frames.ISSUES)
        found = pd.concat(self.parts, ignore_index=True)
        row, line = found["row"].to_numpy(), found["line"].to_numpy()
        at = np.clip(np.searchsorted(records, row), 0, max(len(records) - 1, 0))
        known = lines[at] if lines is not None and len(records) else np.zeros(len(row), dtype="int64")
        found = found.assign(line=np.where(line >= 0, line, np.where(row > 0, known, 0)))
        return frames.conform(
            found.sort_values(["row", "line"], kind="stable", ignore_index=True), frames.ISSUES, "issues"
        )

    @property
    def needs_lines(self) -> bool:
        """Whether an issue was noted whose physical line is not known yet."""
        return any(((part["line"] < 0) & (part["row"] > 0)).any() for part in self.parts)


def summary(rows_in: int, kept: int, issues: pd.DataFrame) -> str:
    """
    Return one sentence: how many rows were loaded, and why the others were not.

    >>> summary(3, 3, frames.empty(frames.ISSUES))
    '3 of 3 rows loaded'
    """
    lost = issues[issues["action"].str.startswith(("row set aside", "row merged"))]
    said = f"{kept:,} of {rows_in:,} rows loaded"
    if rows_in == kept:
        return said
    reasons = lost.groupby("code", sort=False).size().sort_values(ascending=False, kind="stable")
    parts = [f"{count:,} {code.replace('_', ' ')}" for code, count in reasons.items()]
    return f"{said}; {rows_in - kept:,} not: {', '.join(parts)}"
