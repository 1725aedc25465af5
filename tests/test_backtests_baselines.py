"""The rules of the bench: the contract, known answers, and TIFUKNN against a plain reading of its paper."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wa_products import frames
from wa_products.backtests import baselines, tifuknn
from wa_products.datasets import Dataset
from wa_products.testing import check_recommender, small_shop

AS_OF = pd.Timestamp("2026-06-01", tz="UTC")
PAIR = ["customer_id", "product_retailer_id"]
RULES = [baselines.Popularity(), baselines.Count(), baselines.TopFreq(), tifuknn.TifuKnn()]


def shop(*bought, hidden=()):
    """Return a shop of (customer, product, days ago); `hidden` products cannot be sent."""
    rows = pd.DataFrame(bought, columns=["customer_id", "product_retailer_id", "ago"])
    orders = rows.assign(
        order_id=[str(n) for n in range(len(rows))],
        ordered_at=AS_OF - pd.to_timedelta(rows["ago"], unit="D"),
        is_purchase=True, quantity=1.0, unit_price=Decimal(2), currency="GBP",
    ).drop(columns="ago")  # fmt: skip
    ids = sorted({*rows["product_retailer_id"], "never"})
    catalog = pd.DataFrame({"product_retailer_id": ids, "title": ids, "sendable": [name not in hidden for name in ids]})
    return Dataset(
        catalog=frames.conform(catalog, frames.CATALOG, "c"),
        orders=frames.conform(orders, frames.ORDERS, "o"),
        inbound=frames.empty(frames.INBOUND),
        as_of=AS_OF,
    )


def listed(recommender, data, *customers, k=5):
    """Return the products that each customer gets, in order."""
    found = recommender.fit(data).recommend(customers, k)
    found = found.sort_values(["customer_id", "score"], ascending=[True, False], kind="stable")
    return {who: own["product_retailer_id"].tolist() for who, own in found.groupby("customer_id")}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_rules_keep_the_contract(rule):
    """What recommenders are held against keeps the contract itself."""
    check_recommender(rule)


def test_popularity():
    """Days of purchase are counted over all customers; two lines of one day are one."""
    data = shop(
        ("a", "tea", 1), ("b", "tea", 2), ("c", "oil", 1.1), ("c", "oil", 1.2), ("c", "rice", 3), hidden=["rice"]
    )
    assert listed(baselines.Popularity(), data, "a", "nobody") == {"a": ["tea", "oil"], "nobody": ["tea", "oil"]}


def test_count():
    """Days first, then lines, then the latest, then the smaller id; nothing for who never bought."""
    data = shop(
        ("a", "often", 9), ("a", "often", 8), ("a", "twice", 7.1), ("a", "twice", 7.2),
        ("a", "late", 1), ("a", "b", 5), ("a", "a", 5),
    )  # fmt: skip
    assert listed(baselines.Count(), data, "a", "nobody") == {"a": ["often", "twice", "late", "a", "b"]}


def test_top_frequency():
    """One's own by days, ties to the more popular; then what everyone buys, each product once."""
    data = shop(("a", "x", 1), ("a", "y", 2), ("b", "y", 1), ("b", "z", 1), ("c", "z", 3), ("d", "z", 3))
    found = listed(baselines.TopFreq(), data, "a", "nobody", k=3)
    assert found == {"a": ["y", "x", "z"], "nobody": ["z", "y", "x"]}


def test_oracle():
    """The oracle names what will be bought of what was bought before and can be sent, and nothing else."""
    data = shop(("a", "tea", 9), ("a", "oil", 9), ("b", "oil", 2), ("a", "vase", 3), hidden=["vase"])
    coming = pd.DataFrame([("a", "oil"), ("a", "never"), ("b", "tea"), ("a", "vase")], columns=PAIR)
    assert listed(baselines.Oracle(coming), data, "a", "b") == {"a": ["oil"]}


def plainly(data, setting, customer):
    """Return each product's score for one customer: the paper's formulas, a loop each."""
    lines = data.purchases.assign(day=np.ceil((data.as_of - data.purchases["ordered_at"]) / pd.Timedelta(days=1)))
    products = sorted(set(lines["product_retailer_id"]))
    vector = {}
    for who, own in lines.groupby("customer_id"):
        baskets = [set(basket["product_retailer_id"]) for _, basket in own.sort_values("day").groupby("day")][::-1]
        m = min(setting.groups, len(baskets))
        sizes = [len(baskets) // m + (place >= m - len(baskets) % m) for place in range(m)]
        total, start = np.zeros(len(products)), 0
        for place, size in enumerate(sizes, start=1):
            group = np.zeros(len(products))
            for position, basket in enumerate(baskets[start : start + size], start=1):
                group += setting.within ** (size - position) * np.array([p in basket for p in products]) / size
            total += setting.across ** (m - place) * group / m
            start += size
        vector[who] = total
    others = sorted((np.linalg.norm(vector[who] - vector[customer]), who) for who in vector if who != customer)
    near = [vector[who] for _, who in others[: setting.neighbours]]
    mean = np.mean(near, axis=0) if near else 0
    return dict(zip(products, setting.alpha * vector[customer] + (1 - setting.alpha) * mean, strict=True))


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(st.sampled_from("abcdefg"), st.sampled_from("pqrstu"), st.integers(1, 30)), min_size=1, max_size=60
    ),
    st.sampled_from(tifuknn.GRID),
)
def test_tifuknn_is_that_of_the_paper(bought, setting):
    """On any small history, all others being neighbours, the scores are those of the formulas as they are written."""
    data = shop(*bought)
    found = tifuknn.TifuKnn(setting).fit(data).recommend(data.customers, 20).set_index(PAIR)["score"]
    for customer in data.customers:
        plain = {product: score for product, score in plainly(data, setting, customer).items() if score > 1e-12}
        assert found[customer].to_dict() == pytest.approx(plain)


def test_tifuknn_finds_the_nearest():
    """A neighbour lends what the customer never bought; the nearer one is chosen."""
    data = shop(("a", "x", 1), ("b", "x", 1), ("b", "y", 1), ("c", "z", 1), ("c", "v", 1), ("c", "w", 1))
    setting = tifuknn.Setting(groups=1, within=1, across=1, neighbours=1, alpha=0.5)
    assert listed(tifuknn.TifuKnn(setting), data, "a") == {"a": ["x", "y"]}


def test_tuning_finds_the_setting_that_was_right():
    """Where the last basket tells the next, the setting that forgets wins; where the usual does, the one that keeps."""
    latest = [(who, product, day) for who in "abc" for product, day in (("old", 9), ("old", 8), ("new", 1))]
    data = shop(*latest)
    forgets = tifuknn.Setting(groups=7, within=0.5, across=0.2, alpha=0.9)
    keeps = tifuknn.Setting(groups=1, within=1.0, across=1.0, alpha=0.9)
    for product, right in (("new", forgets), ("old", keeps)):
        coming = pd.DataFrame({"customer_id": list("abc"), "product_retailer_id": product})
        assert tifuknn.tuned([(data, data.customers, coming)], [keeps, forgets]) == right
        assert tifuknn.tuned([(data, data.customers, coming)], [forgets, keeps]) == right


def test_tuning_counts_what_the_setting_would_propose():
    """The hits counted in tuning, many settings at once, are those of the recommender with each setting."""
    data = small_shop()
    past = data.before(data.as_of - pd.Timedelta(days=14))
    coming = data.orders.loc[data.orders["ordered_at"] >= past.as_of, PAIR].drop_duplicates()
    grid = [each for each in tifuknn.GRID if each.vector == tifuknn.VECTORS[2]]
    counted = dict.fromkeys(grid, 0)
    first = tifuknn.TifuKnn(tifuknn.Setting(groups=7, within=0.9, across=0.7)).fit(past)
    for setting, number in first.hits(past.customers, coming, grid):
        counted[setting] += number
    for setting in grid[::5]:
        found = tifuknn.TifuKnn(setting).fit(past).recommend(past.customers, 1)
        assert len(found.merge(coming)) == counted[setting] > 0


def test_blocks_change_nothing(monkeypatch):
    """Worked in small blocks, and with neighbours sought among some, the lists are complete and the same."""
    data = small_shop()
    whole = tifuknn.TifuKnn().fit(data).recommend(data.customers, 3)
    monkeypatch.setattr(tifuknn, "CELLS", 64)
    pd.testing.assert_frame_equal(tifuknn.TifuKnn().fit(data).recommend(data.customers, 3), whole)
    monkeypatch.setattr(tifuknn, "MOST_NEIGHBOURS", 10)
    some = tifuknn.TifuKnn().fit(data).recommend(data.customers, 1)
    assert set(some["customer_id"]) == set(whole["customer_id"])
