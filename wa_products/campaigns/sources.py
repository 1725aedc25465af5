"""Webhook bodies from where they lie: files, folders, lists, a sandbox."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from wa_products.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from io import BufferedReader
    from typing import TypeAlias

    from wa_products.ledger.hearing import Body

    Source: TypeAlias = str | os.PathLike[str] | "Mailbox" | Iterable[Body]

SUFFIXES = (".jsonl", ".ndjson", ".json", ".log")


@runtime_checkable
class Mailbox(Protocol):
    """What holds webhook bodies that were not taken yet."""

    def webhooks(self) -> list[bytes]:
        """Return them, and hold them no more."""
        ...


def bodies(source: Source) -> Iterable[Body]:
    """Return the bodies of a source. Raises DataError where it is a path at which nothing lies."""
    if isinstance(source, str | os.PathLike):
        return _lying_at(Path(source))
    if isinstance(source, bytes | dict):
        return [source]
    return source.webhooks() if isinstance(source, Mailbox) else source


def _lying_at(path: Path) -> Iterator[Body]:
    if not path.exists():
        raise DataError(f"there is no file or folder of webhooks at {path}")
    files = sorted(each for each in path.rglob("*") if _is_ours(each)) if path.is_dir() else [path]
    if not files:
        raise DataError(f"the folder {path} holds no webhooks: no file ends in {', '.join(SUFFIXES)}, or these and .gz")
    return (body for file in files for body in _of_file(file))


def _is_ours(path: Path) -> bool:
    return path.is_file() and path.name.removesuffix(".gz").endswith(SUFFIXES)


def _of_file(path: Path) -> Iterator[Body]:
    """Yield the bodies of one file: a whole JSON value, the elements of a list, or one body a line."""
    if path.name.removesuffix(".gz").endswith(".json"):
        with _opened(path) as file:
            whole = file.read()
        try:
            value = json.loads(whole)
        except (ValueError, RecursionError):
            yield from filter(None, map(bytes.strip, whole.splitlines()))
        else:
            yield from (_raw(part) for part in value) if isinstance(value, list) else [whole]
        return
    with _opened(path) as file:
        yield from filter(None, map(bytes.strip, file))


def _raw(part: object) -> bytes:
    return json.dumps(part, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _opened(path: Path) -> gzip.GzipFile | BufferedReader:
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")
