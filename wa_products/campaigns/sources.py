"""Webhook bodies from where they lie: files, logs, folders, lists, ledgers, a sandbox."""

from __future__ import annotations

import gzip
import json
import os
import zlib
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from wa_products.errors import DataError
from wa_products.exports.formats.webhooks import unwrapped
from wa_products.exports.logs import members, value_of
from wa_products.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from io import BufferedReader
    from typing import TypeAlias

    from wa_products.ledger.hearing import Body

    Source: TypeAlias = str | os.PathLike[str] | "Mailbox" | Iterable[Body]

SUFFIXES = (".jsonl", ".ndjson", ".json", ".log")
_AS_META_SENDS = b'{"object":'
_DAMAGES = (OSError, EOFError, zlib.error)


@runtime_checkable
class Mailbox(Protocol):
    """What holds webhook bodies, such as a ledger, or a sandbox, which gives each away once."""

    def webhooks(self) -> Iterable[bytes]:
        """Return them."""
        ...


def bodies(source: Source) -> Iterable[Body]:
    """Return the bodies of a source. Raises DataError where it is a path at which nothing lies, or a damaged file."""
    if isinstance(source, str) and "://" in source:
        return _of_ledger(source)
    if isinstance(source, str | os.PathLike):
        return chain.from_iterable(map(_of_file, _files(Path(source))))
    if isinstance(source, bytes | dict):
        return [source]
    return source.webhooks() if isinstance(source, Mailbox) else source


def size(source: Source) -> int | None:
    """Return how many bytes the bodies of a source have, None where that is not known beforehand."""
    if not isinstance(source, str | os.PathLike) or "://" in str(source):
        return None
    files = _files(Path(source))
    return None if any(file.suffix == ".gz" for file in files) else sum(file.stat().st_size for file in files)


def _files(path: Path) -> list[Path]:
    if not path.exists():
        raise DataError(f"there is no file or folder of webhooks at {path}")
    files = sorted(each for each in path.rglob("*") if _is_ours(each)) if path.is_dir() else [path]
    if not files:
        raise DataError(f"the folder {path} holds no webhooks: no file ends in {', '.join(SUFFIXES)}, or these and .gz")
    return files


def _is_ours(path: Path) -> bool:
    return path.is_file() and path.name.removesuffix(".gz").endswith(SUFFIXES)


def _of_ledger(url: str) -> Iterator[Body]:
    with Ledger(url) as other:
        yield from other.webhooks()


def _of_file(path: Path) -> Iterator[Body]:
    """Yield the bodies of one file: one a line, or JSON values that go over many lines."""
    number = 0
    try:
        with _opened(path) as file:
            lines = filter(None, map(bytes.strip, file))
            first = next(lines, b"")
            whole = value_of(first.decode("utf-8-sig", "replace")) is None and first[:1] in (b"{", b"[")
            found = _of_text(b"\n".join([first, *lines])) if whole else _of_lines(chain([first], lines))
            for number, body in enumerate(found, 1):  # noqa: B007  # told where the file breaks off
                yield body
    except _DAMAGES as error:
        words = str(error) or type(error).__name__
        raise DataError(f"{path} is damaged behind {number:,} webhooks, which are taken in: {words}") from error


def _of_lines(lines: Iterable[bytes]) -> Iterator[Body]:
    """Yield the body in each line, behind whatever a log puts before it; lines without one are no webhooks."""
    for line in lines:
        if line.startswith(_AS_META_SENDS):
            yield line
        elif b"{" in line or line.startswith(b"["):
            text = line.decode("utf-8-sig", "replace")
            value = value_of(text)
            yield line if value is None or text[:1] == "[" else _body(value, line)


def _body(value: object, line: bytes) -> bytes:
    """Return the line itself where it is the body and nothing else, as the very bytes are worth keeping."""
    inner = unwrapped(value)
    is_alone = inner is value and line.startswith(b"{") and not line.startswith((b"{'", b"{ '"))
    return line if is_alone else _raw(inner)


def _of_text(text: bytes) -> Iterator[Body]:
    for member in members(text.decode("utf-8-sig", "replace")):
        yield member.text if member.value is None else _raw(unwrapped(member.value))


def _raw(part: object) -> bytes:
    return json.dumps(part, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _opened(path: Path) -> gzip.GzipFile | BufferedReader:
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")
