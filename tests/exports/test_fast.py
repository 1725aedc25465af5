"""The fast path for large clean files gives what the tolerant one gives."""

import csv
import random

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    SUPPORTED_REGIONS,
    PhoneNumberFormat,
    PhoneNumberType,
    country_code_for_region,
    example_number_for_type,
    format_number,
)

from tests.exports.files import META, SHOPIFY, order, product, text
from wa_products.exports import fast, phones, read_catalog, read_orders, readers
from wa_products.exports.columns import Column


@pytest.fixture
def both(monkeypatch):
    """Return a function that reads a file on both paths and says whether the fast one was taken."""

    def both(reader, path, *arguments):
        slow = reader(path, *arguments)
        taken = []
        original = readers.read_quickly
        monkeypatch.setattr(readers, "FAST_FROM", 0)
        monkeypatch.setattr(readers, "read_quickly", lambda *a: taken.append(original(*a)) or taken[-1])
        quick = reader(path, *arguments)
        return slow, quick, bool(taken) and taken[0] is not None

    return both


def same(one, other):
    """Check that two pairs of frame and issues are equal to the character."""
    for left, right in zip(one, other, strict=True):
        pd.testing.assert_frame_equal(left.map(str), right.map(str))


def history(orders):
    """Return a long history with everything that a clean file may hold."""
    draw = random.Random(3)  # noqa: S311  # a seeded draw, no secret
    rows = []
    for n in range(orders):
        phone = draw.choice(["", f"+44770090{n % 1000:04}", "07700 900123", "8.8E+12", "0044 7700 900124", "x"])
        rows += order(
            f"#{n}",
            phone,
            lines=draw.randint(1, 4),
            Tags=draw.choice(["", "a, b", 'say "hi"', "two\nlines"]),
            Email=draw.choice(["", f"c{n}@example.com"]),
            **{
                "Created at": f"2026-0{1 + n % 9}-05 21:06:21 +0100",
                "Billing Phone": draw.choice(["", "+44 0 7700 900123"]),
            },
        )
    return rows


@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_clean_orders_read_alike_on_both_paths(tmp_path, both, delimiter, quoting):
    """Rows, issues, records and physical lines are the same, quoted line ends included."""
    path = tmp_path / "orders.csv"
    path.write_text(text(history(300), SHOPIFY, delimiter=delimiter, quoting=quoting), encoding="utf-8")
    slow, quick, taken = both(read_orders, path, "GB")
    assert taken
    same(slow, quick)


def test_a_help_row_and_a_mark_do_not_slow_a_catalog(tmp_path, both):
    """Meta's template with its help row is clean and reads alike on both paths."""
    path = tmp_path / "catalog.csv"
    rows = [product(n, description="a\nb", brand="é") for n in range(1, 200)]
    help_row = text([dict.fromkeys(META, "# Required | it, all")], META, header=False)
    path.write_text("\ufeff" + help_row + text(rows, META), encoding="utf-8")
    slow, quick, taken = both(read_catalog, path)
    assert taken
    same(slow, quick)


DAMAGE = {
    "a stray quote": lambda content: content.replace("Tea, no. 2", 'Tea, "no. 2', 1),
    "an unclosed quote": lambda content: content.replace('"Tea, no. 2"', '"Tea, no. 2', 1),
    "an inch": lambda content: content.replace('"Tea, no. 1"', '15" tea', 1),
    "a ragged row": lambda content: content + "#9,a,b\n",
    "too many cells": lambda content: content + ",".join("x" * 40) + "\n",
    "a NUL": lambda content: content.replace("pending", "pen\0ding", 1),
    "no line end": lambda content: content.rstrip("\n"),
    "the header again": lambda content: content + content.splitlines()[0] + "\n",
    "blank lines": lambda content: content + "\n\n",
    "a total": lambda content: content + "Total" + "," * (len(SHOPIFY) - 1) + "\n",
    "bad bytes": lambda content: content.replace("pending", "pend\udcffing", 1),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damage_is_read_alike_on_both_paths(tmp_path, both, damage):
    """Whichever path a damaged file takes, rows and issues are those of the tolerant reader."""
    path = tmp_path / "orders.csv"
    path.write_bytes(damage(text(history(60), SHOPIFY)).encode(errors="surrogateescape"))
    slow, quick, _ = both(read_orders, path, "GB")
    same(slow, quick)


@given(st.lists(st.text(st.sampled_from('a",\n'), max_size=4), min_size=2, max_size=12))
def test_a_file_called_clean_is_read_the_same_by_everyone(tmp_path_factory, cells):
    """Where the quotes pass the check, the strict csv module reads without fault and as many cells."""
    path = tmp_path_factory.mktemp("quotes") / "a.csv"
    content = ",".join(cells) + "\n"
    path.write_text(content, encoding="utf-8", newline="")
    if fast.line_ends(path, ","):
        rows = list(csv.reader(content.splitlines(keepends=True), strict=True))
        again = text([dict(enumerate(row)) for row in rows], range(max(map(len, rows))), header=False)
        assert [cell for row in csv.reader(again.splitlines(keepends=True)) for cell in row if cell] == [
            cell for row in rows for cell in row if cell
        ]


def numbers():
    """Return numbers of every country in several spellings, with their region."""
    found = []
    for region in sorted(SUPPORTED_REGIONS):
        for kind in (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE, PhoneNumberType.VOIP):
            number = example_number_for_type(region, kind)
            if number is not None:
                full = format_number(number, PhoneNumberFormat.E164)
                national = format_number(number, PhoneNumberFormat.NATIONAL)
                code, rest = str(number.country_code), full[1 + len(str(number.country_code)) :]
                found += [(full, region), (national, region), (f"+{code} 0 {rest}", region), (full[1:], region)]
                found += [
                    (f"+{code}{rest[:-1]}", region),
                    (f"00{code}{rest}", ""),
                    (full + "1", region),
                    (national, ""),
                ]
    return found


def test_the_quick_patterns_agree_with_phonenumbers():
    """For numbers of every country, however written, the quick way gives what parsing one by one gives."""
    given_numbers = numbers()
    found, faults = phones.read_phones(
        Column.of([number for number, _ in given_numbers]), Column.of([region for _, region in given_numbers])
    )
    one_by_one = [phones.parse_phone(number, region) for number, region in given_numbers]
    wrong = [
        (number, quick, slow)
        for number, quick, fault, slow in zip(given_numbers, found.texts(), faults, one_by_one, strict=True)
        if (quick, fault) != slow
    ]
    assert wrong == []
    assert len(COUNTRY_CODE_TO_REGION_CODE) > 200


@given(st.sampled_from(sorted(SUPPORTED_REGIONS)), st.text("0123456789", min_size=7, max_size=12), st.booleans())
def test_the_quick_patterns_agree_on_any_digits(region, digits, plus):
    """Digits drawn at random give the same phone and the same fault on both ways."""
    number = f"+{country_code_for_region(region)}{digits}" if plus else digits
    found, faults = phones.read_phones(Column.of([number]), Column.of([region]))
    assert (found[0], faults[0]) == phones.parse_phone(number, region)
