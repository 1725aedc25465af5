"""Files as they lie on the disk: unpacked, and told apart by their first bytes."""

from __future__ import annotations

import gzip
import io
import json
import re
import zipfile
import zlib
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from wa_products.errors import DataError
from wa_products.exports.logs import members, starts_like_a_log, value_of
from wa_products.exports.texts import decode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wa_products.exports.issues import Found

HEAD = 1 << 18
_TRIED = 20
_GOES_ON = ("{", "[", ",", ":")
_PAGE = re.compile(r'[\s\[]*\{\s*"data"\s*:\s*\[\s*(?=\{)')
_MAGIC = (
    (b"PAR1", "parquet"),
    (b"%PDF", "a PDF document"),
    (b"\xd0\xcf\x11\xe0", "excel"),
    (b"PK\x03\x04", "excel"),
    (b"SQLite format 3", "a SQLite database"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"RIFF", "a picture"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a rar archive"),
)


class Document(NamedTuple):
    """One JSON value of a file: its number and physical line, both from 1."""

    record: int
    line: int
    value: Any


@dataclass(frozen=True)
class Source:
    """One file, or one member of an archive: its name, its first bytes, and where the rest comes from."""

    file: str
    head: bytes = field(repr=False)
    path: Path | None
    content: bytes | None = field(default=None, repr=False)

    def read(self) -> bytes:
        """Return all bytes."""
        return self.content if self.content is not None else Path(self.path or "").read_bytes()

    @property
    def size(self) -> int:
        """The number of bytes."""
        return len(self.content) if self.content is not None else Path(self.path or "").stat().st_size


def opened(path: Path) -> Iterator[Source]:
    """
    Yield the file at `path`, or the members of the archive that it is.

    Raises DataError where there is no such file or an archive is damaged.
    """
    if not path.is_file():
        raise DataError(f"there is no file {path.name} in {path.parent}: check the path")
    with path.open("rb") as file:
        head = file.read(HEAD)
    try:
        if head.startswith(b"\x1f\x8b"):
            yield _member(path.name, gzip.decompress(path.read_bytes()))
        elif head.startswith(b"PK\x03\x04"):
            yield from _members(path, head)
        else:
            yield Source(path.name, head, path)
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError) as error:
        raise DataError(f"{path.name} is an archive that cannot be opened: {error}") from error


def kind_of(source: Source) -> str:
    """
    Return ``table``, ``json``, ``xml``, ``excel`` or ``parquet`` by the first bytes of a file.

    Raises DataError for an empty file and for one that is of none of these kinds.
    """
    for magic, name in _MAGIC:
        if source.head.startswith(magic):
            if name in {"parquet", "excel"}:
                return name
            raise DataError(f"{source.file} is {name}, not an export: export it again as CSV")
    text = decode(source.head).text.lstrip()
    if not text:
        raise DataError(f"{source.file} is empty: export it again")
    if text.startswith("<"):
        start = text[:512].casefold()
        if "<!doctype html" in start or "<html" in start:
            raise DataError(
                f"{source.file} is a web page, such as a login page, not an export: sign in and export again"
            )
        return "xml"
    return "json" if text[0] in "{[" or starts_like_a_log(text) else "table"


def documents(source: Source, found: Found) -> list[Document]:
    """Return the JSON values of a file: one, those of an array, or one a line; what is none is set aside."""
    text = decode(source.read()).text
    if _in_lines(text):
        lines = enumerate(io.StringIO(text), 1)
        return list(_readable(((at, value_of(said), said) for at, said in lines if said.strip()), found))
    return list(_readable(members(text), found))


def first_document(source: Source) -> Any:  # noqa: ANN401  # any JSON value
    """Return the first JSON value of a file without reading it all where that can be helped; None for none."""
    text = decode(source.head).text
    if page := _page(text):
        return page
    if not _in_lines(text):
        first = next(members(text), None)
        if first is None or first.value is not None or len(source.head) == source.size:
            return first.value if first else None
        return next(members(decode(source.read()).text)).value
    lines = (value_of(line) for line in text.splitlines() if line.strip())
    value = next((value for value in lines if isinstance(value, dict | list | str)), None)
    return value[0] if isinstance(value, list) and value else value


def _page(text: str) -> dict[str, Any]:
    """Return a page of a list, under ``data``, with its first member alone, however the page goes on or is cut."""
    start = _PAGE.match(text)
    try:
        return {"data": [json.JSONDecoder().raw_decode(text, start.end())[0]]} if start else {}
    except (ValueError, RecursionError):
        return {}


def _in_lines(text: str) -> bool:
    """Return whether each line is a value of its own, rather than all of `text` an array or objects over many lines."""
    first = next(filter(str.strip, io.StringIO(text)), "").strip()
    if first.startswith("["):
        member = next(members(text), None)
        return member is not None and not isinstance(member.value, dict | list | str) and _one_a_line(text)
    return isinstance(value_of(first), dict) or (not first.endswith(_GOES_ON) and _one_a_line(text))


def _one_a_line(text: str) -> bool:
    return any(isinstance(value_of(line), dict) for line in islice(filter(str.strip, io.StringIO(text)), _TRIED))


def _readable(values: Iterable[tuple[int, Any, str]], found: Found) -> Iterator[Document]:
    """Yield what was read; lines and members that are no JSON, or a bare number, are set aside."""
    for record, (line, value, said) in enumerate(values, 1):
        if isinstance(value, dict | list | str):
            yield Document(record, line, value)
            continue
        found.rows_in += 1
        found.set_aside += 1
        hint = "each line of a log is one JSON body"
        shown = [said.strip()]
        found.add("not_json", "error", rows=[record], lines=[line], values=shown, action="row set aside", hint=hint)


def _member(name: str, content: bytes) -> Source:
    return Source(name, content[:HEAD], None, content)


def _members(path: Path, head: bytes) -> Iterator[Source]:
    with zipfile.ZipFile(path) as archive:
        if {"[Content_Types].xml", "mimetype"} & set(archive.namelist()):
            yield Source(path.name, head, path)  # a workbook
            return
        for member in sorted(archive.namelist()):
            if not member.endswith("/") and not Path(member).name.startswith(".") and "__MACOSX" not in member:
                yield _member(f"{path.name}/{member}", archive.read(member))
