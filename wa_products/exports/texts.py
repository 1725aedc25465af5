"""Bytes to text: marks, encodings without a mark, and bytes that no encoding explains."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wa_products.exports.issues import Found

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_JUNK = re.compile(rb"[\x00-\x20]{0,64}")
_SAMPLE = 8192
_MANY_NULS = 0.3
_HIGH = re.compile(rb"[\x80-\xff]+")
_MULTIBYTE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_LONGEST_CHARACTER = 4


@dataclass(frozen=True)
class Text:
    """Decoded text; `guessed` where no mark and no strict rule told the encoding; counts of what was lost."""

    text: str
    encoding: str
    guessed: bool = False
    replaced: int = 0
    nuls: int = 0
    first_bad: int = -1


def mark_of(data: bytes) -> tuple[int, str]:
    """Return where the text starts and the encoding its byte-order mark names, ``""`` where it has none."""
    junk = _JUNK.match(data)
    for offset in (0, junk.end() if junk else 0):
        for mark, encoding in _MARKS:
            if data.startswith(mark, offset):
                return offset + len(mark), encoding
    return 0, ""


def encoding_of(data: bytes) -> tuple[str, bool]:
    """Return the encoding of bytes without a mark, and whether it is a guess."""
    if wide := _wide(data[:_SAMPLE]):
        return wide, False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        return _one_byte(data), True
    return "utf-8", False


def decode(data: bytes) -> Text:
    """
    Return the text of `data`; whatever cannot be decoded becomes U+FFFD and is counted.

    Of what stands before a mark only the line ends are kept, so that lines keep their numbers.
    """
    offset, encoding = mark_of(data)
    body = data[offset:]
    guessed = False
    if not encoding:
        encoding, guessed = encoding_of(body)
    first_bad = -1
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError as error:
        first_bad = offset + error.start
        text = body.decode(encoding, errors="replace")
    replaced = text.count("\ufffd") if first_bad >= 0 else 0
    nuls = text.count("\0")
    cleaned = text.replace("\0", "") if nuls else text
    before = "\n" * data[:offset].count(b"\n") if encoding.startswith("utf-8") else ""
    return Text(before + cleaned.removeprefix("\ufeff"), encoding, guessed, replaced, nuls, first_bad)


def note_text(decoded: Text, found: Found) -> None:
    """Note what a file's bytes left open or lost."""
    if decoded.guessed:
        found.add(
            "encoding_guessed",
            "warning",
            values=[decoded.encoding],
            action=f"read as {decoded.encoding}",
            hint="the file is not UTF-8 and names no encoding: export it as UTF-8",
        )
    if decoded.replaced:
        found.add(
            "undecodable_bytes",
            "error",
            values=[f"{decoded.replaced}" + (f" from byte {decoded.first_bad}" if decoded.first_bad >= 0 else "")],
            action="read as \ufffd",
            hint="these bytes are no letters in this encoding: export the file as UTF-8",
        )
    if decoded.nuls:
        hint = "NUL bytes are no text"
        found.add("nul_bytes", "warning", values=[str(decoded.nuls)], action="left out", hint=hint)


def _wide(sample: bytes) -> str:
    if len(sample) < _LONGEST_CHARACTER or b"\0" not in sample:
        return ""
    share = [sample[place::4].count(0) / max(1, len(sample[place::4])) for place in range(4)]
    full = [part > _MANY_NULS for part in share]
    names = {
        (False, True, True, True): "utf-32-le",
        (True, True, True, False): "utf-32-be",
        (False, True, False, True): "utf-16-le",
        (True, False, True, False): "utf-16-be",
    }
    return names.get((full[0], full[1], full[2], full[3]), "")


def _one_byte(data: bytes) -> str:
    """Return ``utf-8`` where most of the high bytes are UTF-8, else cp1251 for long runs of letters, else cp1252."""
    runs = _HIGH.findall(data)
    high = sum(map(len, runs))
    explained = sum(map(len, _MULTIBYTE.findall(data)))
    if explained * 2 > high:
        return "utf-8"
    in_words = sum(len(run) for run in runs if len(run) > 1)
    return "cp1251" if in_words * 2 > high else "cp1252"
