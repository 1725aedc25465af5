"""Ranked and Together: what is learned, what is said of it, and what is held back."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import gamma

from wa_products import exports, frames, testing
from wa_products.proposals import propose
from wa_products.recommenders import Ranked, Together, companions, histories, runs, withheld
from wa_products.recommenders.ranked.line import Line
from wa_products.recommenders.ranked.moments import Shop
from wa_products.recommenders.ranked.shared import shared
from wa_products.recommenders.shelves import shelves
from wa_products.selection import Policy, select
from wa_products.testing import AS_OF, small_shop

DATA = Path(__file__).parent.parent / "data"
PAIR = ["customer_id", "product_retailer_id"]
SOON = pd.Timedelta(days=14)


@pytest.fixture(scope="module")
def demo():
    """Return the demo shop."""
    return exports.load(DATA / "demo")


@pytest.fixture(scope="module")
def fitted(demo):
    """Return Ranked, learned from the demo shop."""
    return Ranked().fit(demo)


@pytest.fixture(scope="module")
def coming(demo):
    """Return the favourites of the demo shop with their true rhythm, and whether they are bought within 14 days."""
    truth = pd.read_csv(DATA / "demo_truth.csv", dtype={"product_retailer_id": "str"})
    last, following = (pd.to_datetime(truth[name], utc=True) for name in ("last_purchase_at", "next_purchase_at"))
    since = (demo.as_of - last) / pd.Timedelta(days=1)
    return truth.assign(since=since, next=following, soon=following < demo.as_of + SOON)


def test_learns_from_the_demo_shop(fitted):
    """A shop of 970 customers and a year and a half is enough to learn from."""
    assert fitted.learned_ is not None
    assert len(fitted.learned_.said) > 1000


def test_finds_what_the_generator_makes_possible(demo, fitted, coming):
    """The first proposal is the true next product nearly as often as one made by who knows the true periods."""
    given = coming[coming["since"].notna()]
    shape = given["jitter"] ** -2.0
    now, then = (
        gamma.sf(days, shape, scale=given["period_days"] / shape) for days in (given["since"], given["since"] + 14)
    )
    chance = np.where(now > 1e-9, 1 - then / np.maximum(now, 1e-9), 0.0)
    best = given.assign(chance=chance).sort_values("chance", ascending=False).drop_duplicates("customer_id")
    buyers = coming.loc[coming["soon"], "customer_id"].unique()
    possible = best.set_index("customer_id")["soon"].reindex(buyers).eq(True)
    first = fitted.recommend(demo.customers, 1)
    hits = first.merge(coming.loc[coming["soon"], PAIR]).set_index("customer_id").reindex(buyers)
    hit = hits["product_retailer_id"].notna()
    assert len(buyers) > 100
    assert hit.mean() > 0.85 * possible.mean()
    assert hit.mean() > 0.75


@pytest.mark.slow
def test_dates_without_hours_are_enough(demo, coming):
    """A shop whose exports tell only the day is learned from as well, and the first proposals come true as often."""
    days = replace(demo, orders=demo.orders.assign(ordered_at=demo.orders["ordered_at"].dt.floor("D")))
    fitted = Ranked().fit(days)
    first = fitted.recommend(demo.customers, 1)
    buyers = coming.loc[coming["soon"], "customer_id"].nunique()
    assert fitted.learned_ is not None
    assert len(first.merge(coming.loc[coming["soon"], PAIR])) > 0.75 * buyers


def test_due_intervals_hold(demo, fitted, coming):
    """Of the favourites that are bought again, about four in five come within the interval stated."""
    rows = fitted.recommend(demo.customers, 5)
    again = rows.merge(coming[coming["next"].notna()], on=PAIR)
    inside = again["next"].between(again["due_from"], again["due_until"])
    assert len(again) > 700
    assert 0.7 < inside.mean() < 0.9
    assert (rows["due_from"].dropna() >= demo.as_of.floor("min")).all()


def test_probabilities_add_up(demo, fitted, coming):
    """The probabilities of the first proposals add up to the purchases that follow."""
    first = fitted.recommend(demo.customers, 1)
    said, happened = first["probability"], len(first.merge(coming.loc[coming["soon"], PAIR]))
    assert abs(said.sum() - happened) < 4 * np.sqrt((said * (1 - said)).sum())


def test_sentences_tell_what_came_of_such_proposals(demo, fitted):
    """Each reason ends with how many customers like this bought; the number grows with the probability."""
    rows = fitted.recommend(demo.customers.intersection(demo.purchases["customer_id"]), 3)
    told = rows["why"].str.extract(r"; (\d+) of (\d+) customers like this bought within 14 days$").astype("float64")
    assert told.notna().all().all()
    share = told[0] / told[1]
    assert share[rows["probability"] > 0.5].mean() > 0.4
    assert share[rows["probability"] < 0.05].mean() < 0.1


@pytest.mark.slow
def test_learned_contract(demo):
    """What is learned keeps the contract: the same twice, nothing of the future, pickled and sendable."""
    some = demo.customers[::8]
    few = replace(
        demo,
        inbound=demo.inbound[demo.inbound["customer_id"].isin(some)],
        orders=demo.orders.sort_values(["customer_id", "order_id"], kind="stable"),
    )
    testing.check_recommender(Ranked(), few)


def test_a_young_shop_says_so(demo):
    """A shop with a week of history gets proposals by simple rules, and each of them says so."""
    young = replace(demo, orders=demo.orders[demo.orders["ordered_at"] > demo.as_of - pd.Timedelta(days=7)])
    fitted = Ranked().fit(young)
    found = fitted.recommend(demo.customers, 3)
    assert fitted.learned_ is None
    assert found["customer_id"].nunique() == len(demo.customers)
    assert found["why"].str.endswith("(by simple rules: the shop's past is still too short to learn from)").all()


def test_newcomers_get_what_is_popular(fitted):
    """Who never bought is offered what others buy, with a probability."""
    found = fitted.recommend(["nobody knows them"], 2)
    assert len(found) == 2
    assert found["why"].str.startswith("popular: ").all()
    assert found["probability"].between(0, 1).all()


def baskets(*orders):
    """Return a shop in which each of `orders` (a customer, days ago, products) was one order."""
    bought = [(who, product, ago) for who, ago, products in orders for product in products]
    lines = pd.DataFrame(bought, columns=["customer_id", "product_retailer_id", "ago"])
    lines = lines.assign(ordered_at=AS_OF - pd.to_timedelta(lines.pop("ago"), unit="D"), is_purchase=True)
    return replace(small_shop(), orders=frames.conform(lines, frames.ORDERS, "orders"))


def test_a_shelf_is_believed_by_the_shelf_above_it():
    """What a shelf tells of gaps does not hang on the order of the products' ids; few gaps lean on the shelf above."""
    made = [(f"t{n}", ago, ["tea-a"]) for n in range(30) for ago in (1.0, 11.0, 21.0)]
    made += [(f"s{n}", ago, ["soap-a"]) for n in range(30) for ago in (1.0, 101.0, 201.0)]
    made += [("few", ago, [product]) for ago in (5.0, 35.0) for product in ("tea-b", "soap-b")]
    shop, told = baskets(*made), []
    kinds = {"tea-a": "Tea > Green", "tea-b": "Tea > Black", "soap-a": "Soap > Bar", "soap-b": "Soap > Liquid"}
    for renamed in (dict.fromkeys(kinds), {"tea-a": "z1", "tea-b": "b", "soap-a": "a", "soap-b": "z2"}):
        ids = {old: renamed[old] or old for old in kinds}
        orders = shop.orders.assign(product_retailer_id=shop.orders["product_retailer_id"].map(ids).astype("str"))
        whole = histories.history(replace(shop, orders=orders))
        catalog = pd.DataFrame({"product_retailer_id": list(ids.values()), "product_type": list(kinds.values())})
        past = Shop.of(whole, shelves(catalog, whole.products), 14).at(0)
        beliefs = shared(past, np.ones(len(ids), dtype=bool)).levels[-1]
        told.append(dict(zip(sorted(kinds.values()), np.exp(beliefs.centre), strict=True)))
    assert told[0] == pytest.approx(told[1])
    assert told[0]["Tea > Black"] < 20
    assert told[0]["Soap > Liquid"] > 60


def test_together_offers_the_companion():
    """Who bought tea is offered the honey that goes with tea, with the orders that say so."""
    pairs = [(f"both-{n}", 3.0 + n, ["tea", "honey"]) for n in range(12)]
    others = [(f"other-{n}", 3.0 + n, ["candle"]) for n in range(12)]
    found = Together().fit(baskets(*pairs, *others, ("ann", 2.0, ["tea"]))).recommend(["ann", "both-1"], 3)
    assert found[PAIR].to_numpy().tolist() == [["ann", "honey"]]
    assert found["why"].iloc[0] == (
        "bought together with Assam tea: 12 of 13 orders of it hold this too; this customer never did"
    )


def test_companions_agree_with_a_plain_count():
    """Counts of orders with two products are those of a plain loop over the orders."""
    rng = np.random.default_rng(3)
    made = [
        (f"c{n % 9}", float(n), sorted(set(rng.choice(["tea", "honey", "candle", "vase"], 3)))) for n in range(1, 60)
    ]
    past = histories.history(baskets(*made))
    beside = companions.companions(past, -100)
    for row, first in enumerate(past.products):
        for column in beside.excess[row].indices:
            plain = sum(first in products and past.products[column] in products for _, _, products in made)
            assert beside.both[row, column] == plain


@pytest.fixture(scope="module")
def held_back():
    """Return a shop in which one customer has a cart, one gave back, one ignored a message, one just bought."""
    shop = small_shop()
    line = shop.orders.iloc[[0]]
    day = pd.Timedelta(days=1)
    more = [
        line.assign(customer_id="tea-20", order_id="x1", ordered_at=AS_OF - day, status="cart"),
        line.assign(
            customer_id="tea-21", order_id="x2", ordered_at=AS_OF - 3 * day, status="refunded", is_purchase=False
        ),
        line.assign(customer_id="tea-23", order_id="x3", ordered_at=AS_OF - day / 2),
        line.assign(customer_id="tea-24", order_id="x4", ordered_at=AS_OF - 2 * day, status="cart"),
        line.assign(customer_id="tea-24", order_id="x5", ordered_at=AS_OF - 2 * day + day / 24),
    ]
    sends = pd.DataFrame(
        {"customer_id": ["tea-22"], "product_retailer_id": ["tea"], "outcome": ["accepted"], "at": [AS_OF - 5 * day]}
    )
    rows = [part.assign(product_retailer_id="tea") for part in more]
    return replace(
        shop,
        orders=pd.concat([shop.orders, *rows], ignore_index=True),
        sends=frames.conform(sends, frames.SENDS, "sends"),
    )


def test_withheld(held_back):
    """A product in an open cart, given back or ignored is held back, with the reason; one bought since is not."""
    found = withheld.withheld(held_back).set_index("customer_id")["reason"].to_dict()
    assert found == {
        "tea-20": "in an open cart",
        "tea-21": "refunded lately",
        "tea-22": "sent and ignored lately",
    }


def test_withheld_is_not_proposed(held_back):
    """No source proposes what is held back."""
    found = propose(held_back, customers=["tea-20", "tea-21", "tea-22"])
    assert not (found["product_retailer_id"] == "tea").any()


def test_select_says_why_not(held_back):
    """A proposal of anyone's for what is held back, or was just bought, is refused with the reason."""
    who = ["tea-20", "tea-21", "tea-23", "tea-25"]
    rows = pd.DataFrame({"customer_id": who, "product_retailer_id": "tea", "kind": "reorder", "probability": 0.5})
    wrote = small_shop().inbound.iloc[[3]]
    inbound = pd.concat(
        [wrote.assign(customer_id=name, message_id=name, wa_id=f"44770090011{n}") for n, name in enumerate(who)]
    )
    shop = replace(held_back, inbound=inbound.reset_index(drop=True))
    chosen = select(frames.conform(rows, frames.PROPOSALS, "rows"), shop)
    assert chosen["reason"].tolist() == ["in an open cart", "refunded lately", "just bought", ""]
    relaxed = select(frames.conform(rows, frames.PROPOSALS, "rows"), shop, Policy(just_bought_days=0))
    assert relaxed["reason"].tolist()[2] == ""


def test_ranks_count_within_groups():
    """Places count from 0 within each group by falling value, ties by row."""
    group, value = np.array([0, 0, 1, 1, 1]), np.array([1.0, 2.0, 5.0, 5.0, 7.0])
    assert runs.ranks(group, value).tolist() == [1, 0, 1, 2, 0]
    assert runs.below_best(group, value, 2).tolist() == [1, 0, 2, 2, 0]
    assert runs.members(np.array([3, 4]), np.array([1, 3])).tolist() == [1, -1]


def signs_of(rng, rows):
    """Return two skewed signs and one that is missing now and then, and purchases that follow their logarithms."""
    signs = np.column_stack([rng.lognormal(1, 1, rows), -rng.lognormal(0, 1, rows), rng.poisson(3, rows)])
    signs[rng.random(rows) < 0.3, 2] = np.nan
    logs = np.log1p(np.abs(signs)) * np.sign(signs)
    odds = logs[:, 0] + 0.5 * logs[:, 1] + np.where(np.isnan(signs[:, 2]), 0.8, logs[:, 2]) - 2
    return signs.astype("float32"), odds, rng.random(rows) < expit(odds)


def test_a_line_learns_from_logarithms_and_from_what_is_missing():
    """Log-odds that are straight in the logarithms of the signs, and jump where one is missing, are learned."""
    rng = np.random.default_rng(5)
    signs, _, bought = signs_of(rng, 40_000)
    unseen, odds, _ = signs_of(rng, 2_000)
    assert np.abs(Line.learned(signs, bought).log_odds(unseen) - odds).max() < 0.4


def test_a_line_is_not_carried_away_by_what_it_never_saw():
    """A value far beyond all learned from, and a sign that was the same for all, leave the log-odds within bounds."""
    signs, _, bought = signs_of(np.random.default_rng(6), 4_000)
    signs = np.column_stack([signs, np.full(len(signs), 3, dtype="float32")])
    strange = np.tile(signs[:1], (3, 1))
    strange[0, 0], strange[1, 3], strange[2, 3] = np.inf, 1e30, np.nan
    line = Line.learned(signs, bought)
    assert np.abs(line.log_odds(strange) - line.log_odds(signs[:1])).max() < 12


def test_new_products_are_left_to_the_trees(fitted):
    """What was never bought has its probability from the trees alone, an own product from the line too."""
    model = fitted.learned_.model
    signs = np.full((2, model.trees[0].num_feature()), 1.0, dtype="float32")
    both = model.log_odds(signs, np.array([False, True]))
    assert both[0, 0] == both[0, 1] == both[1, 0]
    assert both[1, 1] == pytest.approx(model.line.log_odds(signs[1:])[0])
    assert both[1, 1] != both[1, 0]
