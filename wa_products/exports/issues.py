"""
What was found wrong in a file, where, and what was done about it.

A reader notes issues by position in its table; `Found.frame` turns them into the ``issues`` frame with record and
physical line. Every row of the file is kept, set aside or merged; `Found.account` refuses any other sum.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from wa_products import frames
from wa_products.errors import DataError
from wa_products.exports.columns import Column, same

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Severity = Literal["error", "warning", "info"]
SHOWN = 120
_SAID = ("file", "column", "code", "severity", "action", "hint")  # each of them one text a part
ASIDE = "row set aside"
COUNTS = "rows"
_PLAIN = re.compile(r"\b(id|at|date|time|price|quantity|availability|currency|title)\b|_(at|price|id)\b", re.IGNORECASE)
_NUMBER = re.compile(r"\+?\d[\d ().-]{7,}\d")
_ADDRESS = re.compile(r"[^\s@|]+@[^\s@|]+")


@dataclass(eq=False)
class Found:
    """The issues of one file while it is being read, and the count of its rows by what became of them."""

    file: str
    rows_in: int = 0
    kept: int = 0
    set_aside: int = 0
    merged: int = 0
    parts: list[pd.DataFrame] = field(default_factory=list, repr=False)
    names: dict[str, str] = field(default_factory=dict, repr=False)  # what the file calls a column of ours

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
        shown = pd.Series([str(value)[:SHOWN] for value in values], dtype="str") if len(values) else same("", count)
        self.parts.append(
            pd.DataFrame(
                {
                    "file": same(self.file, count),
                    "row": numbers,
                    "line": np.asarray([-1] * count if lines is None else lines, dtype="int64"),
                    "column": same(column, count),
                    "value": shown,
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

    def counts(self, kind: str) -> dict[str, Any]:
        """Return the file, the kind of frame it gave, and its rows by what became of them."""
        names = ("file", "rows_in", "kept", "set_aside", "merged")
        return {"kind": kind, **{name: getattr(self, name) for name in names}}

    def frame(self, records: np.ndarray, lines: np.ndarray | None) -> pd.DataFrame:
        """Return the issues frame; `records` (sorted record numbers) and `lines` place the rows in the file."""
        parts = [part for part in self.parts if len(part)]
        if not parts:
            return frames.empty(frames.ISSUES)
        row, line = (np.concatenate([part[name].to_numpy() for part in parts]) for name in ("row", "line"))
        at = np.clip(np.searchsorted(records, row), 0, max(len(records) - 1, 0))
        known = lines[at] if lines is not None and len(records) else np.zeros(len(row), dtype="int64")
        line = np.where(line >= 0, line, np.where(row > 0, known, 0))
        order = np.lexsort((line, row))
        part_of = np.repeat(np.arange(len(parts)), [len(part) for part in parts])[order]
        said = {name: Column.of([str(part[name].iloc[0]) for part in parts]) for name in _SAID}
        said["column"] = said["column"].recoded(lambda name: self.names.get(name, name))
        values = pd.concat([part["value"] for part in parts], ignore_index=True).take(order)
        columns = {"row": row[order], "line": line[order], "value": values.reset_index(drop=True)}
        columns |= {name: column.take(part_of).texts() for name, column in said.items()}
        return frames.conform(pd.DataFrame(columns, copy=False), frames.ISSUES, "issues")

    @property
    def needs_lines(self) -> bool:
        """Whether an issue was noted whose physical line is not known yet."""
        return any(((part["line"] < 0) & (part["row"] > 0)).any() for part in self.parts)


def counted(issues: pd.DataFrame, counts: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return the issues with the counts of rows (`Found.counts`) of each kind of each file, which `summary` tells."""
    result = issues.copy(deep=False)
    result.attrs[COUNTS] = [dict(count) for count in counts]
    return result


def summary(issues: pd.DataFrame) -> str:
    """
    Return one sentence: how many rows were loaded, and why the others were not.

    `issues` is what a reader returned, or ``Dataset.issues``. A file that gives frames of two kinds counts once.
    Raises DataError for any other frame, which does not tell how many rows there were.

    >>> found = Found("a.csv", rows_in=3, kept=2, set_aside=1)
    >>> found.add("id_missing", "error", rows=[2], action="row set aside", hint="")
    >>> summary(counted(found.frame(np.array([1, 2, 3]), None), [found.counts("catalog")]))
    '2 of 3 rows loaded; 1 set aside: 1 id missing'
    """
    if COUNTS not in issues.attrs:
        raise DataError("these issues do not tell of how many rows: give summary() the frame that a reader returned")
    by_file = {count["file"]: count for count in reversed(issues.attrs[COUNTS])}.values()
    rows_in, kept, aside, merged = (
        sum(count[name] for count in by_file) for name in ("rows_in", "kept", "set_aside", "merged")
    )
    lost = issues[issues["action"].str.startswith(ASIDE)].drop_duplicates(["file", "row", "line", "code", "value"])
    reasons = lost.groupby("code", sort=False).size().sort_values(ascending=False, kind="stable")
    why = ", ".join(f"{count:,} {code.replace('_', ' ')}" for code, count in reasons.items())
    said = f"{kept:,} of {rows_in:,} rows loaded"
    said += f"; {aside:,} set aside" + (f": {why}" if why else "") if aside else ""
    return said + (f"; {merged:,} merged" if merged else "")


def refuse(issues: pd.DataFrame) -> None:
    """Raise DataError for the first issue that is an error: where it is, what stands there and what to do."""
    errors = issues[issues["severity"] == "error"]
    if errors.empty:
        return
    first = errors.iloc[0]
    where = [f"record {first['row']}"] if first["row"] else []
    where += [f"line {first['line']}"] if first["line"] else []
    where += [f"column {first['column']!r}"] if first["column"] else []
    shown = _shown(first["column"], first["value"])
    value = f" {shown!r}" if shown else ""
    more = f" (and {len(errors) - 1:,} more errors)" if len(errors) > 1 else ""
    raise DataError(
        f"{', '.join([first['file'] or 'the files together', *where])}: {first['code'].replace('_', ' ')}{value}: "
        f"{first['hint']}{more}"
    )


def masked(issues: pd.DataFrame) -> pd.DataFrame:
    """
    Return the issues without the phone numbers and addresses among their values, as a notebook may show and keep them.

    >>> found = Found("a.csv")
    >>> found.add("phone_several", "warning", column="Phone", values=["07700 900123 / x"], action="", hint="")
    >>> masked(found.frame(np.array([1]), None))["value"].tolist()
    ['(number) / x']
    """
    values = [_shown(*cell) for cell in zip(issues["column"], issues["value"], strict=True)]
    return issues.assign(value=pd.Series(values, index=issues.index, dtype="str"))


def _shown(column: str, value: str) -> str:
    return value if _PLAIN.search(column) else _unnamed(value)


def _unnamed(value: str) -> str:
    """Return a value without the phone numbers and addresses in it, which are for the issues frame alone."""
    return _ADDRESS.sub("(address)", _NUMBER.sub("(number)", value))
