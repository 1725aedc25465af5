"""
Phone numbers as shops write them to E.164, parsed once a distinct pair of number and region.

A number written in full international form and valid as it stands needs no parser; the patterns for that come from
the same metadata. Everything else goes through `phonenumbers`. A number that is not certain is no number; one that
is as long as a mobile number of its country, but in no range that is known to be in use, is kept and noted.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

import numpy as np
import phonenumbers
import pyarrow as pa
import pyarrow.compute as pc

from wa_products.exports.columns import Column

PHONE_HINTS = {
    "phone_unreadable": "no phone number of the order's country: correct it in the shop",
    "phone_scientific": "a spreadsheet rewrote this number and its last digits are lost: format the column as text",
    "phone_too_short": "fewer than 8 digits are no mobile number",
    "phone_several": "one number in a cell: the others were not used, and neither was the first",
    "phone_dummy": "a placeholder is no customer's number",
    "phone_extension": "a number with an extension cannot receive WhatsApp messages",
    "phone_unassigned": "no range of the country that is known to be in use holds this number: kept as it is",
    "phone_region_unknown": "a national number needs its country: give the shop's region, or region in shop.toml",
}
UNASSIGNED = "phone_unassigned"
_SCIENTIFIC = re.compile(r"\d[.,]?\d*[eE]\+?\d+")
_SEVERAL = re.compile(
    r"\d{5}\D*[/;,&|]\D*\+?\d{5}|\d{7}\s+(?:or|and|y|o|e|et|und|oder)\s+\+?\d{5}|\d{6}[^+]*\+\d{6}", re.IGNORECASE
)
_EXTENSION = re.compile(r"\d\s*(?:x|ext\.?|#)\s*\d+\s*$", re.IGNORECASE)
_PUNCTUATION = "[\\s().'\\-\u2010-\u2015\u200e\u200f\u202a-\u202e]"
_CLEAN = r"^\+[1-9]\d{7,14}$"
_SUSPECT = r"(0{9}|1{9}|2{9}|3{9}|4{9}|5{9}|6{9}|7{9}|8{9}|9{9}|12345678(9|90)?)$"
_SHORTEST, _ALIKE = 8, 9
_DUMMIES = frozenset({"1234567890", "12345678", "123456789", "0123456789"})
_FICTION = re.compile(r"\+447700900\d{3}")
_KINDS = (
    *("fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "voip", "personal_number", "pager"),
    *("uan", "voicemail"),
)
_OTHERWISE = ((re.compile(r"(\+52)1(\d{10})"), ""), (re.compile(r"(\+55\d\d)(\d{8})"), "9"))
_OTHER_CODES = frozenset({44, 52, 55})  # those of the two, and of the numbers for fiction


class _Patterns(NamedTuple):
    """What the numbers of a calling code look like in E.164, and how long those are that may be a mobile's."""

    valid: str
    any_kind: str
    shortened: str
    lengths: list[int]


def read_phones(numbers: Column, regions: Column, default: str = "") -> tuple[Column, np.ndarray]:
    """
    Return each row's phone in E.164 (``""`` for none) and ``""`` or what is wrong with what stands there.

    `regions` holds each row's country (ISO 3166, two letters); `default` is the shop's.
    """
    spread = max(1, len(regions.values))
    pair = numbers.codes.astype("int64") * spread + regions.codes
    distinct, place = np.unique(pair, return_inverse=True) if spread > 1 else (np.arange(len(numbers.values)), pair)
    texts = numbers.values.take(pa.array(distinct // spread))
    countries = np.array([region or default for region in regions.distinct], dtype=object)
    found, faults = _parsed(texts, countries[distinct % spread])
    again = found.dictionary_encode()
    codes = again.indices.to_numpy(zero_copy_only=False)
    return Column(codes[place], again.dictionary), faults[place]


def parse_phone(number: str, region: str) -> tuple[str, str]:
    """
    Return one number in E.164 and ``""``, or ``""`` and what is wrong with it; ``phone_unassigned`` comes with both.

    >>> parse_phone("07700 900123", "GB"), parse_phone("8.80171E+12", "BD")
    (('+447700900123', ''), ('', 'phone_scientific'))
    """
    text = number.strip().lstrip("'\u200e\u202a\u202d").strip()
    if not text:
        return "", ""
    if fault := _shape(text):
        return "", fault
    known = region.upper() in phonenumbers.SUPPORTED_REGIONS
    international = text.startswith(("+", "00"))
    if not known and not international:
        return "", "phone_region_unknown"
    full = "+" + text[2:] if text.startswith("00") else text
    return _valid(full, region.upper() if known else None)


def _valid(text: str, region: str | None) -> tuple[str, str]:
    try:
        number = phonenumbers.parse(text, region)
        if number.extension:
            return "", "phone_extension"
        with_code = _without_plus(text, region)
        bare = _accepted(with_code)
        found = bare if bare and not text.startswith("0") and _has_trunk_zero(region) else _accepted(number) or bare
    except phonenumbers.NumberParseException:
        return "", "phone_unreadable"
    if found:
        return found, ""
    possible = _possible(number) or _possible(with_code)
    return possible, UNASSIGNED if possible else "phone_unreadable"


def _without_plus(text: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    """Return a number with its country code but without a plus, as spreadsheets leave it."""
    digits = re.sub(r"\D", "", text)
    code = str(phonenumbers.country_code_for_region(region)) if region else ""
    if text.startswith("+") or not code or not digits.startswith(code):
        return None
    return phonenumbers.parse("+" + digits, None)


@cache
def _has_trunk_zero(region: str | None) -> bool:
    """Return whether national numbers of a region start with 0, so that one without it is written in full."""
    data = phonenumbers.PhoneMetadata.metadata_for_region(region, None) if region else None
    return data is not None and data.national_prefix_for_parsing == "0"


def _possible(number: phonenumbers.PhoneNumber | None) -> str:
    """Return in E.164 a number as long as its country's mobile numbers are, ``""`` for any other."""
    if number is None:
        return ""
    kind = phonenumbers.PhoneNumberType.MOBILE
    fits = phonenumbers.is_possible_number_for_type_with_reason(number, kind)
    if fits != phonenumbers.ValidationResult.IS_POSSIBLE:
        return ""
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _accepted(number: phonenumbers.PhoneNumber | None) -> str:
    """
    Return a valid number in E.164, ``""`` for any other.

    Valid are also the numbers reserved for fiction, and as wa_ids have them Mexico's with a 1, Brazil's without a 9.
    """
    if number is None:
        return ""
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if phonenumbers.is_valid_number(number) or _FICTION.fullmatch(written):
        return written
    for shape, added in _OTHERWISE:
        if (match := shape.fullmatch(written)) and phonenumbers.is_valid_number(
            phonenumbers.parse(match[1] + added + match[2], None)
        ):
            return written
    return ""


def _shape(text: str) -> str:
    digits = "".join(c for c in text if c.isdigit())
    checks = {
        "phone_scientific": bool(_SCIENTIFIC.fullmatch(text.replace(" ", ""))),
        "phone_several": bool(_SEVERAL.search(text)),
        "phone_extension": bool(_EXTENSION.search(text)),
        "phone_unreadable": not digits,
        "phone_too_short": len(digits) < _SHORTEST,
        "phone_dummy": len(set(digits)) == 1 or len(set(digits[-_ALIKE:])) == 1 or digits in _DUMMIES,
    }
    return next((code for code, wrong in checks.items() if wrong), "")


def _parsed(texts: pa.Array, regions: np.ndarray) -> tuple[pa.Array, np.ndarray]:
    plain = _written_in_full(texts, regions)
    valid, unassigned = _surely(plain)
    unassigned &= np.asarray(pc.equal(plain, texts))
    sure = valid | unassigned
    faults = np.full(len(texts), "", dtype=object)
    faults[unassigned] = UNASSIGNED
    numbers: dict[int, str] = {}
    for at in np.flatnonzero(~sure):
        numbers[int(at)], faults[at] = parse_phone(str(texts[int(at)].as_py()), regions[at])
    places, parsed = pa.array(~sure), pa.array(list(numbers.values()), pa.large_string())
    return pc.replace_with_mask(plain, places, parsed), faults


def _written_in_full(texts: pa.Array, regions: np.ndarray) -> pa.Array:
    """Return numbers as ``+`` and digits where only punctuation and the 0 before a national number stand between."""
    plain = pc.replace_substring_regex(texts, _PUNCTUATION, "")
    for region in sorted(set(regions)):
        data = phonenumbers.PhoneMetadata.metadata_for_region(region.upper(), None) if region else None
        if data is None or not _has_trunk_zero(region.upper()):
            continue
        code = data.country_code
        full = pc.replace_substring_regex(plain, rf"^(?:(?:\+|00)?{code}0?|0)([1-9]\d{{6,12}})$", rf"+{code}\1")
        plain = pc.if_else(pa.array(regions == region), full, plain)
    return plain


def _surely(texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """
    Return which texts are E.164 numbers that `phonenumbers` calls valid and would not change.

    And which ones it would not change either, but are in no range of their country, though as long as a mobile's.
    """
    candidate = np.asarray(pc.match_substring_regex(texts, _CLEAN))
    candidate &= ~np.asarray(pc.match_substring_regex(texts, _SUSPECT))
    valid, unassigned = np.zeros(len(texts), dtype=bool), np.zeros(len(texts), dtype=bool)
    rest = np.flatnonzero(candidate)
    prefixes = pc.utf8_slice_codeunits(texts.filter(pa.array(candidate)), 1, 4)
    for code in _codes(tuple(sorted(set(prefixes.to_pylist())))):
        patterns = _patterns(code)
        if patterns is None or not len(rest):
            continue
        some = texts.take(pa.array(rest))
        kept = ~_matches(some, patterns.shortened)
        valid[rest] = hit = kept & _matches(some, patterns.valid)
        if code not in _OTHER_CODES:
            long = np.isin(np.asarray(pc.binary_length(some)), patterns.lengths)
            unassigned[rest] = far = kept & long & _matches(some, rf"^\+{code}") & ~_matches(some, patterns.any_kind)
            hit = hit | far
        rest = rest[~hit]
    return valid, unassigned


def _matches(texts: pa.Array, pattern: str) -> np.ndarray:
    return np.asarray(pc.match_substring_regex(texts, pattern)) if pattern else np.zeros(len(texts), dtype=bool)


def _codes(prefixes: tuple[str, ...]) -> list[int]:
    known = phonenumbers.COUNTRY_CODE_TO_REGION_CODE
    return sorted({int(p[:n]) for p in prefixes for n in (1, 2, 3) if int(p[:n]) in known})


@cache
def _patterns(code: int) -> _Patterns | None:
    """Return the patterns of the numbers of a calling code, None where they are not known well enough."""
    usual: list[str] = []
    every: list[str] = []
    prefixes: list[str] = []
    for region in phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]:
        data = phonenumbers.PhoneMetadata.metadata_for_region(region, None)
        if data is None:
            return None
        usual += _national(data, ("fixed_line", "mobile"))
        every += _national(data, _KINDS)
        prefixes += [data.national_prefix_for_parsing] if data.national_prefix_for_parsing else []
    if not usual or any("(?!" in pattern or "(?=" in pattern for pattern in [*every, *prefixes]):
        return None
    starts = "|".join(f"(?:{prefix})" for prefix in prefixes)
    return _Patterns(
        rf"^\+{code}(?:{'|'.join(usual)})$",
        rf"^\+{code}(?:{'|'.join(every)})$",
        rf"^\+{code}(?:{starts})" if starts else "",
        [1 + len(str(code)) + digits for digits in range(4, 15) if _is_mobile_long(code, digits)],
    )


def _national(data: phonenumbers.PhoneMetadata, kinds: tuple[str, ...]) -> list[str]:
    described = (getattr(data, kind) for kind in kinds)
    return [kind.national_number_pattern for kind in described if kind and kind.national_number_pattern]


def _is_mobile_long(code: int, digits: int) -> bool:
    return bool(_possible(phonenumbers.PhoneNumber(country_code=code, national_number=10 ** (digits - 1))))
