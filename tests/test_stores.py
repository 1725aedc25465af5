"""Order stores: what goes in comes out, in parts and once, whatever happens on the way; and the same proposals."""

import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wa_products as wa
from tests import shops
from tests.campaign import NOW, phone
from tests.webhook_log import body, cart, said
from wa_products import backtests, frames, parts
from wa_products.commands import main
from wa_products.errors import DataError
from wa_products.ledger import Ledger
from wa_products.recommenders import Popular, Ranked, Reorder, Requested, Together, panels, withheld
from wa_products.stores import Store, building
from wa_products.testing import small_shop

DATA = Path(__file__).parent.parent / "data"
KEY = ["order_id", "line_no"]
same = partial(pd.testing.assert_frame_equal, check_exact=True)  # scores to the last bit


def stored(data, root, *, number=4):
    """Return `data` with its orders in a store at `root`, taken in as two frames."""
    store, half = Store(root, parts=number), len(data.orders) // 2
    store.append(data.orders.iloc[:half], "one")
    store.append(data.orders.iloc[half:], "two", goes_on=True)
    return replace(data, orders=store.orders)


def lines(data):
    """Return all order lines of `data` in one order."""
    return data.orders.sort_values(KEY, ignore_index=True)


@pytest.fixture(scope="module")
def shop():
    """Return the small shop, with a cart, a refund and a send among its rows."""
    data = small_shop()
    day = pd.Timedelta(days=1)
    some = data.orders.iloc[[0, 1]].assign(
        order_id=["cart", "back"],
        customer_id=["honey-01", "tea-03"],
        product_retailer_id=["candle", "honey"],
        ordered_at=data.as_of - day,
        status=["cart", "Refunded"],
        is_purchase=False,
        unit_price=[Decimal("9.50"), None],
    )
    sends = pd.DataFrame(
        {"campaign": "c", "customer_id": ["tea-05"], "product_retailer_id": "tea", "outcome": "accepted"}
    ).assign(at=data.as_of - day)
    orders = pd.concat([data.orders, some], ignore_index=True)
    return replace(
        data,
        orders=frames.conform(orders, frames.ORDERS, "orders"),
        sends=frames.conform(sends, frames.SENDS, "sends"),
    )


@pytest.fixture(scope="module")
def kept(shop, tmp_path_factory):
    """Return the same shop with its orders in a store."""
    return stored(shop, tmp_path_factory.mktemp("shop") / "store")


def test_all_lines_come_back(shop, kept):
    """Ids, times, amounts and blanks are after the store what they were before."""
    same(lines(kept), lines(shop))
    assert len(kept.stored) == len(shop.orders)
    assert kept.customers.equals(shop.customers)
    assert "520 order lines" in repr(kept) or "521 order lines" in repr(kept)


def test_earlier_is_the_same_shop_earlier(shop, kept):
    """`before` cuts stored lines where it cuts a frame, at the very moment."""
    at = shop.orders["ordered_at"].iloc[100]
    same(lines(kept.before(at)), lines(shop.before(at)))
    assert len(kept.before(at).stored) == len(shop.before(at).orders)


def test_each_customer_is_in_one_part(kept):
    """The parts have all lines, each customer's in one of them, the one that the place of the customer says."""
    found = list(kept.each(lambda part: (part.stored.number, part.orders)))
    assert sum(len(some) for _, some in found) == len(kept.stored)
    for number, some in found:
        assert ((parts.places_of_rows(some["customer_id"]) * 4).astype(int) == number).all()
    half = pd.concat(kept.stored.first(0.5).each(lambda part: part.frame()))
    assert set(half["customer_id"]) == set(pd.concat([some for _, some in found[:2]])["customer_id"])
    odd = kept.stored.first(0.3).frame()["customer_id"]
    assert (parts.places_of_rows(odd) < 0.3).all()


def test_some_customers_are_the_same_from_both(shop, kept):
    """Only what some customers ordered, wrote and were sent, of a frame and of a store, twice over."""
    some, fewer = pd.Index(["tea-03", "asker", "tea-05", "nobody"]), pd.Index(["tea-05", "honey-01"])
    for near, far in ((shop.of(some), kept.of(some)), (shop.of(some).of(fewer), kept.of(some).of(fewer))):
        assert len(near.orders) == len(far.stored) > 0
        same(lines(far), lines(near))
        same(far.inbound, near.inbound)
        same(far.sends, near.sends)


def test_for_few_customers_few_parts(shop, kept):
    """A few customers are one part to work on; its columns are the same however often and with what they are read."""
    some = pd.Index(["tea-03", "tea-05", "honey-01"])
    (part,) = kept.of(some).stored.each(lambda part: part)
    assert (part.number, part.parts) == (0, 1)
    first, again = part.read(["customer_id", "ordered_at"]), part.read(["ordered_at", "order_id", "customer_id"])
    same(again[["customer_id", "ordered_at"]], first)
    assert sorted(again["order_id"]) == sorted(shop.of(some).orders["order_id"])


def test_places_do_not_move():
    """A customer's place is the same for ever: stores on disk rely on it."""
    found = parts.places(pd.Index(["447700900000", "c", "é", ""]))
    assert found.round(6).tolist() == [0.260433, 0.680014, 0.916628, 0.095423]


@given(st.lists(st.text(max_size=6), max_size=30), st.integers(0, 5))
def test_places_are_of_the_id_alone(ids, repeats):
    """Equal ids have equal places in [0, 1), whatever stands beside them and whether they are categories."""
    rows = pd.Series(ids * (repeats + 1), dtype="str")
    places = parts.places_of_rows(rows)
    assert ((places >= 0) & (places < 1)).all()
    assert np.array_equal(places, parts.places_of_rows(rows.astype("category")))
    assert pd.Series(places).groupby(rows.to_numpy()).nunique().le(1).all()


@pytest.mark.parametrize("maker", [Popular, Reorder, Requested, Together, Ranked], ids=lambda maker: maker.name)
def test_each_recommender_says_the_same(maker, shop, kept):
    """Fitted to a store or part by part, a recommender says to the last bit what it says of the frame."""
    wanted = list(shop.customers)
    expected = maker().fit(shop).recommend(wanted, 3)
    far = maker().fit(kept)
    sorted_by = {"by": "customer_id", "kind": "stable", "ignore_index": True}
    same(far.recommend(wanted, 3), expected.sort_values(**sorted_by))
    assert far.recommend([], 3).empty
    assert far.recommend(["nobody"], 3).equals(maker().fit(shop).recommend(["nobody"], 3))


def test_proposals_and_selection_are_the_same(shop, kept):
    """`propose` and `select` give the same rows from a store and from a frame, of all and of some customers."""
    proposals = wa.propose(shop)
    same(wa.propose(kept), proposals)
    same(wa.select(proposals, kept), wa.select(proposals, shop))
    some = ["tea-03", "asker", "honey-01", "nobody"]
    same(wa.propose(kept, customers=some), wa.propose(shop, customers=some))
    held = withheld.withheld(kept).sort_values(withheld.PAIR, ignore_index=True)
    same(held, withheld.withheld(shop).sort_values(withheld.PAIR, ignore_index=True))
    assert set(held["reason"]) == {"in an open cart", "refunded lately", "sent and ignored lately"}


def test_a_backtest_of_a_store_asks_some(shop, kept, monkeypatch):
    """A stored shop is tried like a frame; of a large one some customers are asked, with what was learned from all."""

    def replayed(data):
        rows = backtests.replay(data, [Reorder(7)], cutoffs=2, beside=["count"], validation=0)
        return rows.attrs["notes"], rows

    (_, expected), (nothing, found) = replayed(shop), replayed(kept)
    same(found, expected)
    assert nothing == []
    monkeypatch.setattr(backtests, "ENOUGH", 150)
    (note,), sampled = replayed(kept)
    asked = sampled["customer_id"].drop_duplicates()
    assert note.startswith(f"asked about are {len(asked)} customers of the store")
    assert 0 < len(asked) < shop.orders["customer_id"].nunique() / 2
    assert (parts.places(asked) < 0.25).all()
    same(sampled, expected[expected["customer_id"].isin(asked)].reset_index(drop=True))


def test_a_recommender_of_ones_own_needs_not_know_of_stores(shop, kept):
    """One that only fits and recommends works on a store as on a frame."""

    class Last:
        name = "last"

        def fit(self, data):
            self.rows = data.purchases.sort_values(["ordered_at", *KEY]).drop_duplicates("customer_id", keep="last")
            return self

        def recommend(self, customer_ids, _k):
            rows = self.rows[self.rows["customer_id"].isin(list(customer_ids))]
            return rows[["customer_id", "product_retailer_id"]].assign(score=1.0)

    same(wa.propose(kept, [Last()]), wa.propose(shop, [Last()]))


def test_learns_from_a_sample_of_many(shop, kept, monkeypatch):
    """Of more purchases than are enough some customers are learned from, the same in a frame and in a store."""
    monkeypatch.setattr(panels, "ENOUGH", 200)
    near, far = (panels.panel(data, 14) for data in (shop, kept))
    assert near.share == far.share < 1
    assert near.products.equals(far.products)
    same(near.census.products, far.census.products, check_dtype=False)
    same(wa.propose(kept), wa.propose(shop))


def test_told_again_replaces(tmp_path):
    """An order that a later export tells again is as the later one tells it, before and after merging."""
    store = Store(tmp_path / "store", parts=2)
    store.append(shops.orders(), "first")
    cancelled = shops.orders().iloc[:1].assign(status="cancelled", is_purchase=False)
    store.append(cancelled, "second")
    for _ in range(2):
        again = store.orders.frame()
        assert len(again) == len(store.orders) == len(shops.orders())
        assert again.set_index("order_id").loc["#1000", "status"] == "cancelled"
        store.merge()
    assert len(store.manifest.segments) == 1


def test_a_name_is_taken_once(tmp_path):
    """The same frame under the same name is not taken in twice, by this store or by one opened later."""
    store = Store(tmp_path / "store")
    assert store.append(shops.orders(), "a")
    assert not store.append(shops.orders(), "a")
    assert not Store(tmp_path / "store").append(shops.orders(), "a")
    assert len(store.orders) == len(shops.orders())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda root: Store(root, parts=3), "2, 4, 8"),
        (lambda root: Store(root.parent), "empty or a new folder"),
        (lambda root: wa.load(Store(root).root, orders="x.csv"), "nothing beside it"),
        (lambda root: Store(root).append(shops.orders().drop(columns="ordered_at"), "a"), "ordered_at"),
        (lambda root: (Store(root).root / "store.json").write_text("{") and Store(root), "damaged"),
    ],
)
def test_refusals(make, message, tmp_path):
    """What cannot be meant is refused in words."""
    (tmp_path / "other").write_text("x")
    with pytest.raises(DataError, match=message):
        make(tmp_path / "store")


def test_nobody_else_can_read_a_store(tmp_path):
    """A store holds customers' orders, so its folder is its owner's alone."""
    assert Store(tmp_path / "store").root.stat().st_mode & 0o077 == 0


KILLED = """
import os, sys
from dataclasses import replace
from pathlib import Path
from wa_products.stores import Store, tables
import wa_products as wa
from wa_products.testing import small_shop

left, root = int(sys.argv[1]), sys.argv[2]
write = tables.write

def dying(*given):
    global left
    left -= 1
    if left < 0:
        os._exit(9)
    write(*given)

tables.write = dying
data = small_shop()
store = Store(root, parts=4)
for number in range(3):
    store.append(data.orders.iloc[number::3], str(number), goes_on=number > 0)
store.merge()
found = wa.propose(replace(data, orders=store.orders))
tables.write = write
found.to_parquet(sys.argv[3])
print(99 - left)
"""


@pytest.mark.slow
def test_killed_at_any_write_it_goes_on(tmp_path):
    """Killed at one write after another, of a build and then of proposals, what comes out is whole and comes once."""
    root, out = tmp_path / "store", tmp_path / "found.parquet"
    writes = (2, 7, 6, 6, 1, 2, 1, 99)  # into each of three segments, into merging, then into two of four results
    done = [
        subprocess.run(
            [sys.executable, "-c", KILLED, str(left), root, out], check=False, capture_output=True, text=True
        )
        for left in writes
    ]
    assert [run.returncode for run in done] == [9] * 7 + [0], done[-1].stderr
    assert done[-1].stdout.split()[-1] == "2", "only the two results that were missing are made"
    data = small_shop()
    same(lines(replace(data, orders=Store(root).orders)), lines(data))
    same(pd.read_parquet(out), wa.propose(data), check_dtype=False)
    assert [path.name for path in root.iterdir() if path.name.startswith((".new", "segment", ".merging"))] == []
    assert list((root / ".results").iterdir()) == []


def test_what_was_proposed_is_not_proposed_again(shop, tmp_path, monkeypatch):
    """Stopped in the middle, proposals go on with the parts that are missing."""
    data, answer, answered = stored(shop, tmp_path / "store"), Requested.answer, []

    def failing(self, part, customer_ids, k):
        answered.append(part.stored.number)
        if len(answered) == 3:
            raise KeyboardInterrupt
        return answer(self, part, customer_ids, k)

    monkeypatch.setattr(Requested, "answer", failing)
    with pytest.raises(KeyboardInterrupt):
        wa.propose(data, [Requested()])
    same(wa.propose(data, [Requested()]), wa.propose(shop, [Requested()]))
    assert sorted(answered) == [0, 1, 2, 2, 3]


@settings(max_examples=30)
@given(st.integers(1, 4000), st.lists(st.integers(1, 4), min_size=1, max_size=30))
def test_pieces_are_the_table(size, orders):
    """Pieces of any size put together are the rows of the table, and no order is in two of them."""
    from wa_products.stores import pieces  # noqa: PLC0415  # named like the variable

    rows = [
        f'#{number},{"paid" if not line else ""},"a, ""b""\n{line}"\n'
        for number, many in enumerate(orders)
        for line in range(many)
    ]
    data = "".join(rows).encode()
    got, at, records = [], 0, 0
    starts = None
    while at < len(data):
        some = data[at : at + size]
        starts = pieces._starts(some)
        last = pieces._cut(some, starts, b",")
        if not last and at + size < len(data):
            size += 100
            continue
        end = int(starts[last]) if last else len(some)
        got.append(some[:end])
        records += last or len(starts) - 1
        at += end
    assert b"".join(got) == data
    assert records == len(rows)
    firsts = [{line.split(b",")[0] for line in piece.split(b"\n") if line.startswith(b"#")} for piece in got]
    assert sum(map(len, firsts)) == len(orders)


@pytest.mark.slow
def test_a_large_table_goes_in_piece_by_piece(tmp_path, capsys):
    """Read in pieces, a folder gives the lines, people and issues that it gives at once, but for numbers given on."""
    folder = tmp_path / "exports"
    folder.mkdir()
    for path in (DATA / "demo").iterdir():
        if path.is_file():
            (folder / path.name).write_bytes(path.read_bytes())
    building.build(folder, tmp_path / "store", large=200_000, piece=150_000)
    assert "rows taken in" in capsys.readouterr().out
    whole, pieced = wa.load(folder, cache=False), wa.load(tmp_path / "store")
    assert len(Store(tmp_path / "store").manifest.taken) > 5
    told = [column for column in frames.ORDERS if column != "customer_id"]
    same(lines(pieced)[told], lines(whole)[told])
    changed = set(whole.inbound["previous_wa_id"]) - {""}
    assert np.array_equal(*(pd.factorize(people(data, changed))[0] for data in (pieced, whole)))
    same(pieced.catalog, whole.catalog)
    assert pieced.as_of == whole.as_of
    by = ["file", "row", "line", "column", "code"]
    told, rows = (
        issues[issues["row"] > 0].sort_values(by, ignore_index=True)[by] for issues in (pieced.issues, whole.issues)
    )
    same(told, rows, check_dtype=False)
    building.build(folder, tmp_path / "store", large=200_000, piece=150_000)
    assert "nothing new" in capsys.readouterr().out
    assert len(Store(tmp_path / "store").orders) == len(whole.orders)


def people(data, numbers):
    """Return who ordered and wrote, line by line, without who had one of these `numbers`."""
    bought, said = lines(data), data.inbound
    others = ~said["wa_id"].isin(numbers) & ~said["previous_wa_id"].isin(numbers)
    ids = bought.loc[~bought["phone"].str.lstrip("+").isin(numbers), "customer_id"]
    return pd.concat([ids, said.loc[others, "customer_id"]])


@pytest.mark.slow
def test_the_demo_shop_is_the_same_from_a_store(tmp_path):
    """The default recommender, learned, proposes the same rows, ranks and scores from a store as from the exports."""
    assert main(["store", str(DATA / "demo"), str(tmp_path / "store")]) == 0
    near, far = wa.load(DATA / "demo"), wa.load(tmp_path / "store")
    proposals = wa.propose(near)
    same(wa.propose(far), proposals)
    same(wa.select(proposals, far), wa.select(proposals, near))
    here, there = (Ranked().fit(data) for data in (near, far))
    assert here.learned_ is not None
    newcomer = pd.Index(near.inbound["customer_id"]).difference(near.orders["customer_id"])[:1]
    for some in (newcomer, pd.Index(["nobody"]), near.customers[:20].append(newcomer)):
        same(there.recommend(some, 3), here.recommend(some, 3))


def test_what_a_ledger_heard_joins_a_store(tmp_path):
    """Carts and messages of known and of new customers are in the next load of a store as in that of the exports."""
    exports = tmp_path / "exports"
    exports.mkdir()
    (exports / "catalog.csv").write_text(
        "id,title,price,availability,description,image_link,link,brand,condition\n"
        "S7,Coffee beans,7.99 GBP,in stock,Beans,https://x.invalid/7.png,https://x.invalid/7,B,new\n"
        "S8,Filters,3.00 GBP,in stock,Paper,https://x.invalid/8.png,https://x.invalid/8,B,new\n"
    )
    days = pd.date_range(NOW - pd.Timedelta("200D"), periods=20, freq="9D")
    rows = [f"{n},{day:%Y-%m-%dT%H:%M:%SZ},+{phone(n % 5)},S7,1,7.99,GBP" for n, day in enumerate(days)]
    (exports / "orders.csv").write_text(
        "order_id,ordered_at,phone,sku,quantity,price,currency\n" + "\n".join(rows) + "\n"
    )
    building.build(exports, tmp_path / "store")
    asked = {"from": "15555550100", "referred_product": {"catalog_id": "1", "product_retailer_id": "S8"}}
    heard = [
        cart(0, "-2D"),
        cart(8, "-3D"),
        said(1, after="-1h", text={"body": "hello"}),
        said(9, after="-2h", context=asked),
        said(0, after="-700D", text={"body": "STOP"}),
        said(2, after="-700D", text={"body": "nobody remembers this"}),
    ]
    with Ledger("sqlite://") as ledger:
        ledger.store([body(heard)])
        near, far = (wa.load(tmp_path / name, as_of=NOW, ledger=ledger) for name in ("exports", "store"))
    assert len(far.orders) == len(rows) + 4
    same(lines(far), lines(near))
    by = ["received_at", "customer_id"]
    same(far.inbound.sort_values(by, ignore_index=True), near.inbound.sort_values(by, ignore_index=True))
    same(far.threads, near.threads)
    assert far.threads.set_index("to")["opted_out"].to_dict() == {
        f"+{phone(n)}": opted_out for n, opted_out in ((0, True), (1, False), (8, False), (9, False))
    }
    same(wa.propose(far), wa.propose(near))
    assert (wa.propose(far)["kind"] == "request").sum() == 1
