"""The cache beside the exports: the same answer, sooner; never a wrong one."""

import json
import os
import shutil
import stat
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.exports.files import META, SHOPIFY, order, product, text
from tests.exports.test_load import CART, HELLO, TOML, body
from wa_products import ledger as ledgers
from wa_products.exports import arrows, kept, load
from wa_products.exports.caches import FOLDER
from wa_products.exports.issues import COUNTS

DEMO = Path(__file__).parents[2] / "data" / "demo"
AT = "2026-04-10T09:00Z"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a folder of exports that is kept in the cache however small it is."""
    monkeypatch.setattr(kept, "SMALLEST", 0)
    (tmp_path / "shop.toml").write_text(TOML)
    window = "2026-04-01T00:00+00:00/2026-04-30T23:59+00:00"
    rows = [product(1), product(2, sale_price="1.5 GBP", sale_price_effective_date=window), product(3, id="")]
    (tmp_path / "products.csv").write_text(text(rows, [*META, "sale_price", "sale_price_effective_date"]))
    history = [*order("#1", "07700 900101", lines=2), *order("#2", "", **{"Lineitem price": "1.500,5"})]
    (tmp_path / "orders.csv").write_text(text(history, SHOPIFY))
    (tmp_path / "log").write_text("\n".join(map(json.dumps, [body(HELLO), body(CART, number=2), "x"])) + "\n")
    return tmp_path


@pytest.fixture
def reads(monkeypatch):
    """Return the list of files that are read, as they are."""
    read = []
    original = kept.read_file
    monkeypatch.setattr(kept, "read_file", lambda path, *rest: read.append(path.name) or original(path, *rest))
    return read


def same(one, other):
    """Check that two shops are equal to the digit, the kinds of their columns included."""
    for name in ("catalog", "orders", "inbound", "issues", "threads"):
        left, right = getattr(one, name), getattr(other, name)
        pd.testing.assert_frame_equal(left, right)
        pd.testing.assert_frame_equal(left.map(str), right.map(str))
    assert one.issues.attrs[COUNTS] == other.issues.attrs[COUNTS]
    assert one.pictures == other.pictures


def test_a_second_load_reads_no_file_and_gives_the_same(folder, reads):
    """Frames, kinds, counts and amounts to the digit are those of the first load, and those without a cache."""
    plain, first = load(folder, cache=False), load(folder)
    reads.clear()
    again = load(folder)
    assert reads == []
    same(first, plain)
    same(again, plain)
    assert [str(price) for price in again.orders["unit_price"]] == [str(price) for price in plain.orders["unit_price"]]


def test_the_demo_shop_comes_back_the_same(tmp_path):
    """The demo shop, large enough to be kept, is the same from the cache, pictures and customers included."""
    shop = shutil.copytree(DEMO, tmp_path / "demo", ignore=shutil.ignore_patterns(FOLDER))
    same(load(shop), load(shop, cache=False))
    assert (shop / FOLDER).is_dir()
    same(load(shop), load(shop, cache=False))


def test_small_exports_leave_no_cache(tmp_path):
    """What is read at once is not kept."""
    (tmp_path / "products.csv").write_text(text([product(1)], META))
    load(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["products.csv"]


def test_a_cached_frame_may_be_written_to(folder):
    """What comes from the cache is as much the caller's own as what was read."""
    load(folder)
    orders = load(folder).orders
    for name in orders.columns:
        orders.loc[orders.index[0], name] = orders[name].iloc[-1]
    assert len(orders) == 4


CHANGES = {
    "a cell": lambda folder: (folder / "orders.csv").write_text(
        (folder / "orders.csv").read_text().replace("#2", "#3")
    ),
    "a file more": lambda folder: (folder / "b.csv").write_text(text(order("#9"), SHOPIFY)),
    "a file less": lambda folder: (folder / "log").unlink(),
    "the region": lambda folder: (folder / "shop.toml").write_text(TOML.replace('"GB"', '"ES"')),
    "the name of a file": lambda folder: (folder / "orders.csv").rename(folder / "history.csv"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_any_change_is_seen(folder, change):
    """A changed cell of the same length, with the file's old time, another file or another word of the shop is read."""
    load(folder)
    times = (folder / "orders.csv").stat()
    change(folder)
    if (folder / "orders.csv").exists():
        os.utime(folder / "orders.csv", ns=(times.st_atime_ns, times.st_mtime_ns))
    same(load(folder), load(folder, cache=False))


def test_one_changed_file_is_read_alone(folder, reads):
    """A log that grew costs the reading of the log, not of the orders."""
    load(folder)
    reads.clear()
    with (folder / "log").open("a") as log:
        log.write(json.dumps(body(HELLO, number=7)) + "\n")
    assert len(load(folder).inbound) == 3
    assert reads == ["log"]


def test_a_ledger_joins_what_the_cache_gives(folder, reads):
    """With a ledger the files come from the cache and what it stored is joined anew."""
    load(folder)
    with ledgers.Ledger("sqlite://") as ledger:
        ledger.store([body(HELLO, number=9)])
        reads.clear()
        assert len(load(folder, ledger=ledger).inbound) == 3
        assert reads == []
        ledger.store([body(HELLO, number=10)])
        assert len(load(folder, ledger=ledger).inbound) == 4
    assert len(load(folder).inbound) == 2


def test_another_moment_needs_no_other_reading(folder, reads):
    """Sales and what was known are those of the moment asked for, from one entry."""
    load(folder)
    reads.clear()
    moments = ["2026-04-10T09:00Z", "2026-05-10T09:00Z", "2026-04-06T00:00Z", "2026-03-01T00:00Z"]
    cached = [load(folder, as_of=moment) for moment in moments]
    assert reads == []
    for moment, shop in zip(moments, cached, strict=True):
        same(shop, load(folder, as_of=moment, cache=False))


def test_what_lies_in_the_future_is_not_kept(folder, reads):
    """A time that has not come yet is an error today and an order later, so it is read each time."""
    late = {"Created at": "2199-01-01 00:00:00 +0000"}
    (folder / "orders.csv").write_text(text([*order("#1", "07700 900101"), *order("#2", **late)], SHOPIFY))
    same(load(folder, as_of="2200-01-01T00:00Z"), load(folder, as_of="2200-01-01T00:00Z", cache=False))
    early = load(folder, as_of=AT)
    assert "time_future" in set(early.issues["code"])
    same(early, load(folder, as_of=AT, cache=False))
    reads.clear()
    load(folder, as_of=AT)
    assert reads == ["orders.csv"]


def entries(folder):
    """Return the files of the cache."""
    return sorted(path for path in (folder / FOLDER).rglob("*") if path.is_file() and path.parent.name != FOLDER)


DAMAGE = {
    "cut short": lambda content: content[: len(content) // 2],
    "empty": lambda _content: b"",
    "a bit turned": lambda content: content[:-40] + bytes([content[-40] ^ 1]) + content[-39:],
    "a bit turned in the middle": lambda content: (
        content[: len(content) // 2] + bytes([content[len(content) // 2] ^ 4]) + content[len(content) // 2 + 1 :]
    ),
    "something else": lambda _content: b"{}",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_entry_is_ignored_and_written_anew(folder, reads, damage):
    """Whichever file of the cache is damaged in whichever way, the answer is that of the exports."""
    plain = load(folder)
    for number in range(len(entries(folder))):
        path = entries(folder)[number]
        path.write_bytes(damage(path.read_bytes()))
        same(load(folder), plain)
    load(folder)
    reads.clear()
    same(load(folder), plain)
    assert reads == []


def test_a_cache_of_other_code_is_ignored(folder, reads, monkeypatch):
    """Another version of this package, or of what it reads with, trusts nothing that was kept before."""
    load(folder)
    reads.clear()
    monkeypatch.setattr("wa_products.exports.caches._code", lambda: "another")
    load(folder)
    assert sorted(reads) == ["log", "orders.csv", "products.csv"]
    assert len(list((folder / FOLDER).glob("*-*"))) == 4


def test_only_the_owner_reads_the_cache(folder):
    """Folders are 0700, files 0600, and the cache keeps itself out of repositories."""
    load(folder)
    cache = folder / FOLDER
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    for path in cache.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    assert (cache / ".gitignore").read_text() == "*\n"


def test_a_cache_of_somebody_else_is_not_trusted(folder, reads, monkeypatch):
    """A cache folder that belongs to another user is neither read nor written."""
    load(folder)
    before = entries(folder)
    reads.clear()
    monkeypatch.setattr("os.getuid", lambda: 123_456)
    load(folder)
    assert "orders.csv" in reads
    assert entries(folder) == before


def test_a_link_is_no_cache(folder, tmp_path_factory):
    """A link in the cache's place leads nowhere: nothing is written behind it."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (folder / FOLDER).symlink_to(elsewhere)
    same(load(folder), load(folder, cache=False))
    assert list(elsewhere.iterdir()) == []


def test_a_folder_that_cannot_be_written_loads_without_a_cache(folder, monkeypatch):
    """Where nothing can be written, loading works and leaves nothing behind."""

    def refuse(*_arguments, **_more):
        raise PermissionError

    plain = load(folder, cache=False)
    monkeypatch.setattr(Path, "mkdir", refuse)
    same(load(folder), plain)
    assert not (folder / FOLDER).exists()


def test_old_entries_go(folder):
    """However often the exports change, the cache holds each file once and the whole once."""
    for number in range(4):
        (folder / "orders.csv").write_text(text(order(f"#{number}"), SHOPIFY))
        load(folder)
    assert len(list((folder / FOLDER).glob("*-*"))) == 4


def test_without_a_cache_nothing_is_written(folder):
    """A shop that wants no copy of its exports gets none."""
    load(folder, cache=False)
    assert not (folder / FOLDER).exists()


AMOUNTS = st.one_of(st.none(), st.decimals(allow_nan=False, allow_infinity=False, places=2), st.sampled_from(
    [Decimal("1.5"), Decimal("1.50"), Decimal("1E+3"), Decimal("-0.00")]
))  # fmt: skip
TEXTS = st.text(st.characters(codec="utf-8"), max_size=5)


@given(st.lists(st.tuples(AMOUNTS, TEXTS, st.integers(-(2**62), 2**62), st.booleans()), max_size=20), TEXTS)
def test_any_frame_comes_back_from_arrow(rows, one):
    """Amounts to the digit, texts to the character, numbers, flags, times and their gaps: nothing changes."""
    frame = pd.DataFrame(
        {
            "money": pd.Series([row[0] for row in rows], dtype="object"),
            "text": pd.Series([row[1] for row in rows], dtype="str"),
            "one": pd.Series([one] * len(rows), dtype="str"),
            "number": np.array([row[2] for row in rows], dtype="int64"),
            "flag": np.array([row[3] for row in rows], dtype=bool),
            "part": np.array([np.nan if row[3] else row[2] / 3 for row in rows], dtype="float64"),
            "at": pd.to_datetime(
                pd.Series([None if row[3] else row[2] % 10**15 for row in rows]), unit="us", utc=True
            ).astype("datetime64[us, UTC]"),
        }
    )
    table, said = arrows.to_arrow(frame)
    back = arrows.from_arrow(table.column, json.loads(json.dumps(said)), len(frame))
    pd.testing.assert_frame_equal(back, frame)
    assert [str(amount) for amount in back["money"]] == [str(amount) for amount in frame["money"]]


@pytest.mark.parametrize("frame", [pd.DataFrame({"a": [[1]]}), pd.DataFrame({"a": [1]}, index=[5])])
def test_what_cannot_be_kept_is_not(frame):
    """A frame of another kind is refused rather than kept as something else."""
    with pytest.raises(arrows.UncachedError):
        arrows.to_arrow(frame)
