"""
Frames kept beside the exports as Parquet, so that the same files need not be read twice.

An entry is found by the content of the files it was made of, by what the shop said, and by the code and the libraries
that made it. One that is damaged, of other code or of another user counts as none and is written anew; where nothing
can be written, there is no cache. Entries hold what the exports hold, so they are readable by their owner alone.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
from pyarrow import parquet

from wa_products.exports.arrows import UncachedError, from_arrow, read_as_codes, to_arrow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

FOLDER = ".wa_products_cache"
_FACTS = "entry.json"
_BLOCK, _STRETCH = 1 << 18, 1 << 26  # what has one checksum; what one thread reads at a time
_WORKERS = min(4, os.cpu_count() or 1)
_DIRECTORY, _FILE = 0o700, 0o600
_ABANDONED = 3600
_LIBRARIES = ("pandas", "pyarrow", "numpy", "phonenumbers", "python-calamine", "tzdata")
_FAULTS = (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, pa.ArrowException)


class Entry(NamedTuple):
    """What was kept: frames by name, and facts about them."""

    frames: dict[str, pd.DataFrame]
    facts: dict[str, Any]


class Cache:
    """The entries beside the exports in `root`; none at all where that is None."""

    def __init__(self, root: Path | None) -> None:
        self.folder = root / FOLDER if root is not None else None

    def get(self, name: str, key: str) -> Entry | None:
        """Return the entry of this name and key, None where there is none that is whole and one's own."""
        if self.folder is None or not _ours(self.folder):
            return None
        place = self.folder / _place(name, key)
        try:
            written = json.loads((place / _FACTS).read_text("utf-8"))
            if written["sum"] != _sum(written["entry"]):
                return None
            return Entry(
                {one: _read(place / f"{one}.parquet", said) for one, said in written["entry"]["frames"].items()},
                written["entry"]["facts"],
            )
        except _FAULTS:
            return None

    def put(self, name: str, key: str, frames: Mapping[str, pd.DataFrame], facts: Mapping[str, Any]) -> None:
        """Keep an entry in place of the others of this name; do nothing where that cannot be done."""
        if self.folder is None:
            return
        with contextlib.suppress(OSError, UncachedError):
            self.folder.mkdir(mode=_DIRECTORY, exist_ok=True)
            if not _ours(self.folder):
                return
            self.folder.chmod(_DIRECTORY)
            _write(self.folder / ".gitignore", b"*\n")
            place = self.folder / _place(name, key)
            made = Path(tempfile.mkdtemp(prefix=".new-", dir=self.folder))
            try:
                _write_entry(made, frames, facts)
                shutil.rmtree(place, ignore_errors=True)
                made.replace(place)
            finally:
                shutil.rmtree(made, ignore_errors=True)
            self._clear(name, place)

    def _clear(self, name: str, kept: Path) -> None:
        """Remove the older entries of a name, and what a process that was killed left behind."""
        for place in (self.folder or kept).iterdir():
            old = place.name.startswith(_place(name, "")) and place != kept
            if place.name.startswith(".new-"):
                old = time.time() - place.stat().st_mtime > _ABANDONED
            if old:
                shutil.rmtree(place, ignore_errors=True)


def key_of(*parts: object) -> str:
    """Return a key of what the answer depends on: `parts`, this package's code, and the libraries it reads with."""
    return hashlib.sha256(json.dumps([_code(), *parts], default=str).encode()).hexdigest()


def digest(path: Path) -> str:
    """
    Return a hash of the content of a file: of its size and the checksums of its blocks.

    It tells a file that changed, as they do, and is several times as fast as a hash that withstands forgery; whoever
    could forge an export could as well write what stands in it.
    """
    with ThreadPoolExecutor(_WORKERS) as pool:
        stretches = pool.map(lambda start: _sums(path, start), range(0, path.stat().st_size, _STRETCH))
        sums = [each for stretch in stretches for each in stretch]
    return hashlib.sha256(json.dumps([sum(size for size, _ in sums), [crc for _, crc in sums]]).encode()).hexdigest()


def _sums(path: Path, start: int) -> list[tuple[int, int]]:
    """Return the size and the checksum of each block of a stretch of a file."""
    block = bytearray(_BLOCK)
    with path.open("rb", buffering=0) as file:
        file.seek(start)
        counts = (file.readinto(block) or 0 for _ in range(_STRETCH // _BLOCK))
        return [(count, zlib.crc32(memoryview(block)[:count])) for count in counts if count]


@cache
def _code() -> str:
    """Return a hash of the source of this package and the versions of the libraries."""
    root = Path(__file__).parent.parent
    sources = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        sources.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes())
    return json.dumps([sources.hexdigest(), *map(_version, _LIBRARIES)])


def _version(library: str) -> str:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return ""


def _ours(folder: Path) -> bool:
    """Return whether a folder is there, is no link, and belongs to the user who runs this."""
    if not folder.is_dir() or folder.is_symlink():
        return False
    return not hasattr(os, "getuid") or folder.stat().st_uid == os.getuid()


def _place(name: str, key: str) -> str:
    return f"{hashlib.sha256(name.encode()).hexdigest()[:16]}-{key[:40]}"


def _sum(entry: object) -> str:
    return hashlib.sha256(json.dumps(entry).encode()).hexdigest()


def _write_entry(place: Path, frames: Mapping[str, pd.DataFrame], facts: Mapping[str, Any]) -> None:
    written = {}
    for name, frame in frames.items():
        table, said = to_arrow(frame)
        path = place / f"{name}.parquet"
        with _opened(path) as file:
            codes = read_as_codes(said)
            parquet.write_table(
                table, file, compression="lz4", use_dictionary=codes or False, dictionary_pagesize_limit=1 << 26
            )
        written[name] = {"digest": digest(path), "rows": len(frame), "columns": said}
    entry = {"frames": written, "facts": dict(facts)}
    _write(place / _FACTS, json.dumps({"sum": _sum(entry), "entry": entry}).encode())


def _read(path: Path, said: Mapping[str, Any]) -> pd.DataFrame:
    if digest(path) != said["digest"]:
        raise ValueError(f"{path.name} is damaged")
    codes = read_as_codes(said["columns"])

    def column(name: str) -> pa.ChunkedArray:
        with parquet.ParquetFile(path, memory_map=True, read_dictionary=codes) as file:
            return file.read([name], use_threads=False).column(0)

    with ThreadPoolExecutor(_WORKERS) as pool:
        return from_arrow(column, said["columns"], said["rows"], pool.map)


def _opened(path: Path) -> Any:  # noqa: ANN401  # a binary file
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _FILE), "wb")


def _write(path: Path, content: bytes) -> None:
    with _opened(path) as file:
        file.write(content)


def stamps(paths: Iterable[Path]) -> list[tuple[int, int]]:
    """Return size and time of change of files, to tell whether one was written to while it was read."""
    return [(at.st_size, at.st_mtime_ns) for at in (path.stat() for path in paths)]
