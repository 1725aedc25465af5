"""The exports of a shop, read once: what they gave comes from the cache while neither they nor the shop change."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from wa_products.exports.caches import Cache, Entry, digest, key_of, stamps
from wa_products.exports.issues import COUNTS, Found, counted
from wa_products.exports.readers import Part, lines_of, read_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from wa_products.exports.contract import Kind, Options

SMALLEST = 1_000_000  # bytes: what is smaller is read at once
_TOGETHER = "all files together"
_FUTURE = ("time_future", "timestamp_future")
_TIMES = ("ordered_at", "received_at")
_DAY = pd.Timedelta(days=1)


@dataclass(frozen=True, eq=False)
class Files:
    """
    Exports, each with the kind asked of it (None for all it gives), and what the shop says.

    What they give depends on the moment of reading only where a time lies after it, so that is never kept.
    """

    paths: list[tuple[Path, Kind | None]]
    options: Options
    cache: bool = True

    def parts(self, *, cache: bool = True) -> list[Part]:
        """Return what each file gives, from the cache where it has that."""
        return [part for path, kind in self.paths for part in self._of(path, kind, cache=cache and self.cache)]

    def together(self, join: Callable[[list[Part]], dict[str, pd.DataFrame]]) -> dict[str, pd.DataFrame]:
        """Return what `join` makes of the parts of all files, from the cache where it has that."""
        paths = [path for path, _ in self.paths]
        if not self.cache or not _is_large(paths):
            return self._joined(join, cache=False)
        cache, before = Cache(paths[0].parent), stamps(paths)
        key = key_of(_TOGETHER, [(path.name, kind, self._digests[path]) for path, kind in self.paths], self._said)
        entry = self._held(cache.get(_TOGETHER, key))
        if entry is not None:
            return {**entry.frames, "issues": counted(entry.frames["issues"], entry.facts["counts"])}
        made = self._joined(join, cache=len(paths) > 1)
        if before == stamps(paths):
            _keep(cache, _TOGETHER, key, made, made["issues"].attrs[COUNTS])
        return made

    def _joined(self, join: Callable[[list[Part]], dict[str, pd.DataFrame]], *, cache: bool) -> dict[str, pd.DataFrame]:
        made = join(self.parts(cache=cache))
        return {**made, "issues": _located(made["issues"], [path for path, _ in self.paths])}

    def _of(self, path: Path, kind: Kind | None, *, cache: bool) -> list[Part]:
        if not cache or not _is_large([path]):
            return read_file(path, self.options, kind)
        beside, name, before = Cache(path.parent), f"{path.name} {kind}", stamps([path])
        key = key_of(name, self._digests[path], self._said)
        entry = self._held(beside.get(name, key))
        if entry is not None:
            return [_part(entry, number, count) for number, count in enumerate(entry.facts["counts"])]
        parts = read_file(path, self.options, kind)
        if before == stamps([path]):
            frames = {f"{number} {name}": frame for number, part in enumerate(parts) for name, frame in _frames(part)}
            _keep(beside, name, key, frames, [part.found.counts(part.kind) for part in parts])
        return parts

    @cached_property
    def _digests(self) -> dict[Path, str]:
        return {path: digest(path) for path, _ in self.paths}

    @cached_property
    def _said(self) -> tuple[str, str, str]:
        return self.options.currency, self.options.region, self.options.timezone

    def _held(self, entry: Entry | None) -> Entry | None:
        """Return the entry where no time in it would be called a future one now."""
        until = max(self.options.as_of, pd.Timestamp.now("UTC")) + _DAY
        return entry if entry is not None and pd.Timestamp(entry.facts["latest"]) <= until else None


def _located(issues: pd.DataFrame, paths: list[Path]) -> pd.DataFrame:
    """Return the issues with the physical lines of rows of which only the joining of the files found out."""
    lost = (issues["row"] > 0) & (issues["line"] == 0)
    if not lost.any():
        return issues
    line = issues["line"].to_numpy(copy=True)
    named = Counter(path.name for path in paths)
    wanted = set(issues.loc[lost, "file"].str.partition("/")[0])
    for path in (path for path in paths if path.name in wanted and named[path.name] == 1):
        for file, records, lines in lines_of(path):
            rows = np.flatnonzero(lost & (issues["file"] == file))
            line[rows] = lines[np.searchsorted(records, issues["row"].to_numpy()[rows])]
    return issues.assign(line=line)


def _is_large(paths: list[Path]) -> bool:
    return all(path.is_file() for path in paths) and sum(path.stat().st_size for path in paths) >= SMALLEST


def _keep(cache: Cache, name: str, key: str, frames: Mapping[str, pd.DataFrame], counts: list[dict[str, Any]]) -> None:
    issues = [frame for frame in frames.values() if "severity" in frame.columns]
    if any(frame["code"].isin(_FUTURE).any() for frame in issues):
        return
    times = [frame[name].max() for frame in frames.values() for name in _TIMES if name in frame.columns]
    latest = max((at for at in times if at is not pd.NaT), default=pd.Timestamp(0, tz="UTC"))
    cache.put(name, key, frames, {"counts": counts, "latest": latest.isoformat()})


def _frames(part: Part) -> list[tuple[str, pd.DataFrame]]:
    return [("frame", part.frame), ("issues", part.issues)]


def _part(entry: Entry, number: int, count: Mapping[str, Any]) -> Part:
    found = Found(**{name: value for name, value in count.items() if name != "kind"})
    return Part(count["kind"], entry.frames[f"{number} frame"], entry.frames[f"{number} issues"], found)
