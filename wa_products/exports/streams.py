"""
The bytes of an XML file as a UTF-8 stream that can be read again from any place.

A file in UTF-8 is read where it lies; any other is first copied into UTF-8, on the disk where it is large. What the
file declares is believed, unless its bytes say otherwise.
"""

from __future__ import annotations

import codecs
import io
import re
import tempfile
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from wa_products.exports.texts import Text, decode, encoding_of, mark_of, note_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wa_products.exports.issues import Found
    from wa_products.exports.sources import Source

_CHUNK = 1 << 16
_SPOOL = 1 << 25
_DECLARED = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]{1,40})[\"']")
_UTF8 = frozenset({"utf-8", "ascii"})


@contextmanager
def utf8_stream(source: Source, found: Found) -> Iterator[tuple[IO[bytes], int]]:
    """Yield a stream that stands at the first ``<`` of an XML file, and the physical line of that."""
    offset, mark = mark_of(source.head)
    with _opened(source) as raw:
        encoding = _encoding(source, raw, mark)
        if encoding == "utf-8":
            raw.seek(offset)
            yield raw, _skip(raw)
            return
        with tempfile.SpooledTemporaryFile(_SPOOL) as copy:
            raw.seek(offset)
            note_text(_copy(raw, encoding, copy) if encoding else _copy_guessed(source, copy), found)
            copy.seek(0)
            yield copy, _skip(copy)


@contextmanager
def _opened(source: Source) -> Iterator[IO[bytes]]:
    if source.content is not None or source.path is None:
        yield io.BytesIO(source.read())
        return
    with source.path.open("rb") as file:
        yield file


def _encoding(source: Source, raw: IO[bytes], mark: str) -> str:
    """Return the encoding of a feed; ``""`` where it says UTF-8, or nothing, and is something else."""
    wide = encoding_of(source.head[:_CHUNK])[0]
    if mark not in ("", "utf-8"):
        return mark
    if not mark and wide.startswith("utf-") and wide != "utf-8":
        return wide
    declared = _DECLARED.search(source.head[:1024])
    name = _codec(declared[1].decode()) if declared and not mark else "utf-8"
    if name in _UTF8 or name.startswith(("utf-16", "utf-32")):  # one byte a character after all, whatever it declares
        return "utf-8" if _is_utf8(raw) else ""
    return name


def _codec(name: str) -> str:
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "utf-8"


def _is_utf8(raw: IO[bytes]) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    raw.seek(0)
    try:
        while chunk := raw.read(_CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", True)
    except UnicodeDecodeError:
        return False
    return True


def _skip(stream: IO[bytes]) -> int:
    """Move to the first ``<`` and return its physical line."""
    start = stream.tell()
    head = stream.read(_CHUNK)
    at = max(0, head.find(b"<"))
    stream.seek(start + at)
    return 1 + head.count(b"\n", 0, at)


def _copy(raw: IO[bytes], encoding: str, copy: IO[bytes]) -> Text:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    lost = 0
    while True:
        chunk = raw.read(_CHUNK)
        text = decoder.decode(chunk, not chunk)
        lost += text.count("\ufffd")
        copy.write(text.encode("utf-8", "replace"))
        if not chunk:
            return Text("", encoding, replaced=lost)


def _copy_guessed(source: Source, copy: IO[bytes]) -> Text:
    decoded = decode(source.read())
    copy.write(decoded.text.encode("utf-8", "replace"))
    return decoded
