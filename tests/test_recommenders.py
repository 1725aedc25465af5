"""Recommenders: the contract for all that are shipped, and known answers on a small shop."""

import math
import pickle
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wa_products import exports, frames
from wa_products.errors import DataError
from wa_products.recommenders import (
    RECOMMENDED,
    Popular,
    Ranked,
    Recommender,
    Reorder,
    Requested,
    Together,
    histories,
    phrases,
    rhythms,
)
from wa_products.recommenders.words import Titles, words
from wa_products.testing import AS_OF, check_recommender, small_shop

SHIPPED = [Requested(), Reorder(), Together(), Popular(), Ranked()]
DATA = Path(__file__).parent.parent / "data"
PAIR = ["customer_id", "product_retailer_id"]
NO_ORDERS, NO_MESSAGES = frames.empty(frames.ORDERS), frames.empty(frames.INBOUND)


@pytest.fixture(scope="module")
def shop():
    """Return the shop with known answers."""
    return small_shop()


@pytest.fixture(scope="module")
def reorder(shop):
    """Return Reorder, fitted to it."""
    return Reorder().fit(shop)


def top(recommender, customer, k=1):
    """Return the ids of the products offered to one customer."""
    return recommender.recommend([customer], k)["product_retailer_id"].tolist()


@pytest.mark.parametrize("recommender", SHIPPED, ids=lambda recommender: recommender.name)
def test_contract(recommender):
    """Every recommender we ship keeps the contract we ask of others."""
    assert isinstance(recommender, Recommender)
    check_recommender(recommender)


@pytest.mark.parametrize("recommender", SHIPPED, ids=lambda recommender: recommender.name)
@pytest.mark.parametrize(
    "emptied", [{"orders": NO_ORDERS}, {"inbound": NO_MESSAGES}, {"orders": NO_ORDERS, "inbound": NO_MESSAGES}]
)
def test_contract_without_history(recommender, emptied, shop):
    """A shop without orders, without messages or without both breaks no recommender."""
    check_recommender(recommender, replace(shop, **emptied))


@pytest.mark.parametrize("recommender", SHIPPED, ids=lambda recommender: recommender.name)
def test_shape(recommender, shop):
    """Every recommender gives the same columns of the same kinds, with rows and without."""
    fitted = pickle.loads(pickle.dumps(recommender)).fit(shop)  # noqa: S301  # a copy of our own object
    for asked in (shop.customers, []):
        found = fitted.recommend(asked, 2)
        assert {column: str(kind) for column, kind in found.dtypes.items()} == {
            column: frames.DTYPES[kind] for column, kind in RECOMMENDED.items()
        }


@pytest.mark.parametrize(("customer", "product"), [("tea-25", "tea"), ("tea-14", "tea"), ("honey-19", "honey")])
def test_reorder_knows_what_is_due(reorder, customer, product):
    """A customer whose product falls due within the horizon is offered just that product."""
    assert top(reorder, customer, k=3) == [product]


@pytest.mark.parametrize("customer", ["tea-02", "honey-05"])
def test_reorder_leaves_out_what_was_just_bought(reorder, customer):
    """What is due only after the horizon is not offered."""
    assert top(reorder, customer) == []


def test_reorder_probability_separates(reorder):
    """What falls due in the next fortnight is likely, what does not is unlikely, and both are said with a number."""
    tea = reorder.recommend([f"tea-{n:02}" for n in range(28)], 1).set_index("customer_id")["probability"]
    assert tea["tea-18":].min() > 0.9
    assert tea["tea-12"] < 0.5
    assert tea[[f"tea-{n}" for n in range(12, 18)]].is_monotonic_increasing


def test_reorder_says_why_and_when(reorder):
    """The sentence holds the gap, its spread and the last purchase; the due date is the last purchase and the gap."""
    (row,) = reorder.recommend(["tea-25"], 1).itertuples()
    assert row.why == "every 28 days, give or take 2; last bought 25 days ago; due in 3 days"
    assert abs(row.due_at - (AS_OF + pd.Timedelta(days=3))) < pd.Timedelta(hours=12)
    assert (row.kind, row.horizon_days) == ("reorder", 14)


def test_reorder_offers_the_sibling(reorder):
    """Where the usual size cannot be sent, its sibling is offered and the sentence says so."""
    (row,) = reorder.recommend(["soap"], 3).itertuples()
    assert row.product_retailer_id == "soap-200"
    assert row.why.startswith("in place of Lavender soap 100 g, which cannot be sent now; every 28 days")


def test_reorder_in_a_young_shop(shop):
    """A shop with too little to learn from still offers what was bought before, by the chance from the gaps."""
    young = replace(shop, orders=shop.orders[shop.orders["ordered_at"] > AS_OF - pd.Timedelta(days=40)])
    fitted = Reorder().fit(young)
    assert fitted.learned_ is None
    found = fitted.recommend(["tea-25", "tea-27"], 1)
    assert found["product_retailer_id"].tolist() == ["tea", "tea"]
    assert found["probability"].between(0.01, 0.99).all()


def test_reorder_is_calibrated_on_chance():
    """Among purchases drawn from known rates, the probabilities said add up to the purchases that follow."""
    rng = np.random.default_rng(5)
    customers, days, horizon = 400, 200, 14
    rate = rng.gamma(2.0, 0.02, customers)
    who, when = np.nonzero(rng.random((customers, days)) < rate[:, None])
    start = pd.Timestamp("2026-01-01 12:00", tz="UTC")
    orders = frames.conform(
        pd.DataFrame(
            {
                "customer_id": [f"c{number:03}" for number in who],
                "product_retailer_id": "tea",
                "ordered_at": start + pd.to_timedelta(when, unit="D"),
                "is_purchase": True,
            }
        ),
        frames.ORDERS,
        "orders",
    )
    data = replace(
        small_shop(), orders=orders, inbound=NO_MESSAGES, as_of=start + pd.Timedelta(days=days - horizon - 0.5)
    )
    found = Reorder().fit(data).recommend(data.customers, 1)
    future = set(orders.loc[orders["ordered_at"] > data.as_of, "customer_id"])
    happened = found["customer_id"].isin(future)
    error = (found["probability"].sum() - happened.sum()) / math.sqrt(
        (happened.mean() * (1 - happened.mean())) * len(found)
    )
    assert len(found) > 300
    assert abs(error) < 3
    likely = found["probability"] > found["probability"].median()
    assert happened[likely].mean() > happened[~likely].mean() + 0.2


def test_reorder_against_the_demo_shops_truth():
    """On the demo shop the probabilities add up to the true purchases, and more first offers are true than by count."""
    data = exports.load(DATA / "demo")
    truth = pd.read_csv(DATA / "demo_truth.csv", dtype={"product_retailer_id": "str"})
    truth["next"] = pd.to_datetime(truth["next_purchase_at"], utc=True)
    coming = truth.loc[truth["next"] < data.as_of + pd.Timedelta(days=14), PAIR]
    fitted = Reorder().fit(data)
    everything = fitted.recommend(data.customers, 50)
    said = everything["probability"]
    happened = len(everything.merge(coming))
    assert abs(said.sum() - happened) < 4 * np.sqrt((said * (1 - said)).sum())
    counts = data.purchases.groupby(PAIR, as_index=False)["order_id"].nunique()
    order = ["customer_id", "order_id", "product_retailer_id"]
    most = counts.sort_values(order, ascending=[True, False, True]).drop_duplicates("customer_id")
    first = everything.drop_duplicates("customer_id")
    buyers = coming["customer_id"].nunique()
    assert buyers > 100
    assert len(first.merge(coming)) / buyers > max(len(most[PAIR].merge(coming)) / buyers, 0.7)


def test_horizon_must_be_a_day():
    """A horizon below a day is refused with the value given."""
    for make in (Reorder, Popular, Requested, Together, Ranked):
        with pytest.raises(DataError, match=r"at least 1, got .*0"):
            make(horizon_days=0)


def test_popular_for_a_newcomer(shop):
    """Who never bought is offered what most customers bought lately, with their number."""
    found = Popular().fit(shop).recommend(["newcomer"], 2)
    assert found["product_retailer_id"].tolist() == ["tea", "honey"]
    assert found["why"].iloc[0] == "popular: 28 customers bought it in the last 28 days; this customer never did"


def test_popular_never_offers_what_was_bought(shop):
    """No customer is offered as popular what they bought before."""
    found = Popular().fit(shop).recommend(shop.customers, 5)
    before = shop.purchases[["customer_id", "product_retailer_id"]].drop_duplicates()
    assert len(found) > len(shop.customers)
    assert found.merge(before).empty


def test_popular_looks_further_for_heavy_buyers(shop):
    """A customer who bought the whole head of the ranking is offered what comes after it."""
    ids = [f"p{number:03}" for number in range(150)]
    catalog = frames.conform(
        pd.DataFrame({"product_retailer_id": ids, "title": ids, "sendable": True}), frames.CATALOG, "c"
    )
    bought = [("fan", p, n) for n, p in enumerate(ids[:140])] + [
        (f"c{n}", p, 1) for p in ids for n in range(150 - int(p[1:]))
    ]
    lines = pd.DataFrame(bought, columns=["customer_id", "product_retailer_id", "ago"])
    lines = lines.assign(ordered_at=AS_OF - pd.to_timedelta(lines["ago"] % 13 + 0.5, unit="D"), is_purchase=True)
    data = replace(shop, catalog=catalog, orders=frames.conform(lines, frames.ORDERS, "o"), inbound=NO_MESSAGES)
    assert top(Popular().fit(data), "fan", k=3) == ["p140", "p141", "p142"]


def test_requested_enquiry_and_words(shop):
    """An enquiry gives its product, a text the product that its words name, a greeting nothing."""
    found = Requested().fit(shop).recommend(shop.customers, 3).set_index("customer_id")
    assert found["product_retailer_id"].to_dict() == {"asker": "candle", "writer": "honey"}
    assert found["why"].to_dict() == {
        "asker": "asked about this product today",
        "writer": "named this product in a message today",
    }
    assert set(found["kind"]) == {"request"}


def test_requested_forgets(shop):
    """An old enquiry, and one that was answered by a purchase, are no requests any more."""
    old = shop.inbound.assign(received_at=shop.inbound["received_at"] - pd.Timedelta(days=4))
    assert Requested().fit(replace(shop, inbound=old)).recommend(shop.customers, 3).empty
    line = shop.orders.iloc[[0]].assign(
        customer_id="asker", product_retailer_id="candle", ordered_at=AS_OF - pd.Timedelta(minutes=5)
    )
    answered = replace(shop, orders=pd.concat([shop.orders, line], ignore_index=True))
    assert top(Requested().fit(answered), "asker") == []


def test_requested_rate_is_counted(shop):
    """The probability is what became of earlier enquiries, with one hit and one miss beforehand."""
    enquiry = shop.inbound.iloc[[0]]
    earlier = pd.concat(
        [
            enquiry.assign(
                message_id=f"m{n}",
                customer_id=f"tea-{n:02}",
                product_retailer_id="tea",
                received_at=AS_OF - pd.Timedelta(days=n + 35),
            )
            for n in range(6)
        ]
    )
    data = replace(shop, inbound=pd.concat([shop.inbound, earlier], ignore_index=True))
    bought_within_14_days = 6
    (row,) = Requested().fit(data).recommend(["asker"], 1).itertuples()
    assert row.probability == pytest.approx((bought_within_14_days + 1) / (6 + 2))


@pytest.mark.parametrize(
    ("text", "product"),
    [
        ("Do you have heather honey?", "honey"),
        ("HEATHER HONEY", "honey"),
        ("hether hony please", "honey"),
        ("honey", None),
        ("lavender soap", "soap-100"),
        ("the lavender soap 200 g please", "soap-200"),
        ("assam tea or heather honey", None),
        ("stop", None),
        ("", None),
        ("🙂 100", None),
    ],
)
def test_words_name_a_product(text, product, shop):
    """Words name a product when they name one and no other, sizes decide within a group, one slip is forgiven."""
    match = Titles.of(shop.catalog).match(text)
    assert (match and match.product_retailer_id) == product


@pytest.mark.parametrize(
    ("titles", "text", "product"),
    [
        (["हरी चाय 100 ग्राम", "हरी मिर्च"], "क्या हरी चाय है?", "0"),
        (["ชาเขียวมะลิ 100 กรัม", "กาแฟดำ"], "มีชาเขียวมะลิไหม", "0"),
        (["茉莉绿茶 100克", "茉莉花茶", "黑咖啡"], "我想要茉莉绿茶。", "0"),
        (["茉莉绿茶 100克", "茉莉花茶", "黑咖啡"], "有茶吗", None),
        (["緑茶ティーバッグ", "紅茶ティーバッグ"], "緑茶ティーバッグをください", "0"),
        (["ក្រូចឆ្មារ", "ស្វាយទុំ"], "មានក្រូចឆ្មារទេ?", "0"),
        (["녹차 티백", "홍차 티백"], "녹차 티백 있어요?", "0"),
        (["قهوة عربية", "شاي أخضر"], "هل عندكم قَهْوَة عَرَبِيَّة؟", "0"),
        (["Ёлочный чай", "Кофе"], "елочный чаи", "0"),
        (["USB充電ケーブル", "USB充電器"], "usb充電ケーブル", "0"),
    ],
)
def test_words_of_any_script_name_a_product(titles, text, product):
    """In any script a text names a title: with blanks between its words or without, its marks written or left out."""
    ids = [str(n) for n in range(len(titles))]
    match = Titles.of(pd.DataFrame({"product_retailer_id": ids, "item_group_id": "", "title": titles})).match(text)
    assert (match and match.product_retailer_id) == product


def test_the_more_precise_title_wins():
    """A title that holds all the words of another is meant when all its words are said."""
    rows = pd.DataFrame({"product_retailer_id": ["1", "2"], "item_group_id": "", "title": ["Soap", "Rose soap"]})
    titles = Titles.of(rows)
    assert titles.match("one rose soap").product_retailer_id == "2"
    assert titles.match("one soap").product_retailer_id == "1"


@given(st.text(max_size=60))
def test_words_take_any_text(text):
    """Any text can be read, in any script; its words stand each once, and are the same within a longer text."""
    found = words(text)
    assert len(set(found)) == len(found)
    assert set(words(f"I want {text} please")) == {"i", "want", "please", *found}
    Titles.of(small_catalog()).match(text)


def small_catalog():
    """Return two products in two scripts."""
    return pd.DataFrame({"product_retailer_id": ["1", "2"], "item_group_id": "", "title": ["مربى الورد", "Rose soap"]})


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(1, 90)), max_size=60))
def test_pairs_agree_with_a_plain_count(bought):
    """The vectorised counts, recency and gaps are those that a plain loop over the purchases finds."""
    lines = pd.DataFrame(bought, columns=["customer_id", "product_retailer_id", "ago"], dtype="int64")
    lines = lines.assign(ordered_at=AS_OF - pd.to_timedelta(lines.pop("ago"), unit="D"), is_purchase=True)
    lines = lines.astype({"customer_id": "str", "product_retailer_id": "str"})
    data = replace(small_shop(), orders=frames.conform(lines, frames.ORDERS, "orders"), inbound=NO_MESSAGES)
    found = histories.pairs(histories.history(data), 0)
    expected = {}
    for customer, product, ago in {(str(c), str(p), a) for c, p, a in bought}:
        expected.setdefault((customer, product), []).append(ago)
    assert len(found) == len(expected)
    for at, (_, days) in enumerate(sorted(expected.items())):
        gaps = -np.diff(sorted(days, reverse=True))
        assert found.times[at] == len(days)
        assert found.since[at] == min(days)
        assert found.gap_log[at] == pytest.approx(np.log(gaps).sum())
        assert found.recent[at] == sum(day <= 28 for day in days)


def exact(gap, times):
    """Return the only pair of a shop: bought every `gap` days, the last time a day ago."""
    time = (np.arange(times) - times + 1) * float(gap) - 1
    none = np.zeros(times, dtype="int64")
    one = pd.Index(["1"])
    day = time.astype("int64")
    return histories.pairs(
        histories.History(customers=one, products=one, customer=none, product=none, time=time, day=day),
        0,
    )


def rhythm(found):
    """Return the rhythm of pairs, given what is known from them alone."""
    return rhythms.rhythm(found, rhythms.beliefs(found, [], 1))


@given(st.integers(2, 60), st.integers(3, 12))
def test_rhythm_nears_the_gap(gap, times):
    """An exact rhythm is found between the gap and what is believed beforehand, and nearer with each purchase."""
    fewer, more = (rhythm(exact(gap, count)) for count in (times, times + 1))
    assert abs(np.log(gap) - more.centre[0]) <= abs(np.log(gap) - fewer.centre[0]) + 1e-9
    low, high = sorted([np.log(gap), rhythms.ANY_GAP])
    assert low - 1e-9 <= fewer.centre[0] <= high + 1e-9
    week, month = (rhythms.chance(exact(gap, times), fewer, days)[0] for days in (7.0, 28.0))
    assert 0 <= week <= month <= 1


@given(st.floats(1, 500), st.floats(0.05, 2), st.integers(1, 50), st.floats(0.01, 900))
def test_sentences_have_no_odd_numbers(gap, spread, times, since):
    """A sentence never holds a fraction, a minus sign or a missing number."""
    said = phrases.reorder(times, since, since + gap * (times - 1), gap, spread)
    assert not re.search(r"[.-]|nan|(?<![\d,])1 days", said)
