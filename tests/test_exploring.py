"""Products drawn by chance, the chance carried to the ledger, and what it tells of another recommender."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import wa_products as wa
from tests import shops
from tests.test_plans import make as plan_of
from tests.test_plans import rows as plan_rows
from wa_products import frames, trials
from wa_products.backtests.hindsight import hindsight
from wa_products.errors import DataError
from wa_products.ledger import Ledger
from wa_products.plans import Plan
from wa_products.selection import Policy, select

DEMO = Path(__file__).parent.parent / "data" / "demo"
PEOPLE = 400
PRODUCTS = ["a", "b", "c"]


def crowd(people=PEOPLE):
    """Return a shop of many customers with open windows and three products."""
    ids = [f"c{n:04}" for n in range(people)]
    said = pd.DataFrame({"message_id": ids, "customer_id": ids, "kind": "text", "received_at": shops.AS_OF})
    said = said.assign(wa_id=[f"447700900{n % 1000:03}" for n in range(people)])
    catalog = pd.DataFrame({"product_retailer_id": PRODUCTS, "title": PRODUCTS, "sendable": True})
    return shops.shop(
        catalog=frames.conform(catalog, frames.CATALOG, "c"), inbound=frames.conform(said, frames.INBOUND, "i")
    )


def proposed(people=PEOPLE, best=0.4, kind="reorder"):
    """Return three proposals a customer, `a` the most probable."""
    rows = pd.DataFrame(
        {
            "customer_id": [f"c{n:04}" for n in range(people) for _ in PRODUCTS],
            "product_retailer_id": PRODUCTS * people,
            "kind": [kind, "recommendation", "recommendation"] * people,
            "probability": [best, 0.2, 0.1] * people,
            "rank": [1, 2, 3] * people,
        }
    )
    return frames.conform(rows, frames.PROPOSALS, "p")


SHOP = crowd()


def test_without_exploring_the_best_is_certain():
    """By default the most probable row has a propensity of 1, and every other of 0."""
    chosen = select(proposed(), SHOP)
    assert (chosen["propensity"] == (chosen["product_retailer_id"] == "a")).all()
    assert ((chosen["decision"] == "send") == (chosen["propensity"] == 1)).all()


def test_a_share_of_the_customers_gets_one_at_random():
    """With 30 % exploring, each of three products comes to 10 % more or less, and the best to 80 %, as noted."""
    chosen = select(proposed(), SHOP, Policy(explore=0.3))
    sent = chosen[chosen["decision"] == "send"]
    assert len(sent) == PEOPLE
    shares = sent["product_retailer_id"].value_counts(normalize=True)
    for product, share in (("a", 0.8), ("b", 0.1), ("c", 0.1)):
        assert shares[product] == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / PEOPLE))
        noted = chosen.loc[chosen["product_retailer_id"] == product, "propensity"]
        assert noted.to_numpy() == pytest.approx(share)
    tried = chosen[(chosen["reason"] == "another was tried")]
    assert set(tried["product_retailer_id"]) == {"a"}
    assert len(tried) == (sent["product_retailer_id"] != "a").sum()


def test_the_draw_is_the_same_whatever_the_order():
    """Row order and reruns change nothing; another moment draws anew."""
    rows = proposed()
    first = select(rows, SHOP, Policy(explore=0.5))
    shuffled = select(rows.sample(frac=1, random_state=3), SHOP, Policy(explore=0.5)).sort_index()
    pd.testing.assert_frame_equal(shuffled, first)
    later = shops.shop(catalog=SHOP.catalog, inbound=SHOP.inbound, as_of=shops.AS_OF + pd.Timedelta(hours=1))
    assert not select(rows, later, Policy(explore=0.5))["decision"].equals(first["decision"])


def test_only_what_may_be_sent_is_drawn():
    """What the law refuses has no chance, and the chances of the rest of a customer come to 1."""
    shop = crowd()
    hidden = shops.shop(catalog=shop.catalog.assign(sendable=[True, True, False]), inbound=shop.inbound)
    chosen = select(proposed(), hidden, Policy(explore=1.0))
    assert (chosen.loc[chosen["product_retailer_id"] == "c", "propensity"] == 0).all()
    assert set(chosen.loc[chosen["decision"] == "send", "product_retailer_id"]) == {"a", "b"}
    assert chosen.groupby("customer_id")["propensity"].sum().to_numpy() == pytest.approx(1)


def test_an_answer_is_never_left_to_chance():
    """Who asked for a product gets that one, though all else is explored."""
    chosen = select(proposed(kind="request"), SHOP, Policy(explore=1.0))
    sent = chosen[chosen["decision"] == "send"]
    assert set(sent["product_retailer_id"]) == {"a"}
    assert (sent["propensity"] == 1).all()


def test_who_is_within_the_cap_does_not_hang_on_the_draw():
    """A capped campaign has the same customers with and without exploring: those with the best proposals."""
    rows = proposed()
    rows["probability"] = rows["probability"] * (1 - rows.index // 3 / 1000)
    plain, explored = (select(rows, SHOP, Policy(explore=share, max_sends=50)) for share in (0.0, 0.9))
    customers = [set(chosen.loc[chosen["decision"] == "send", "customer_id"]) for chosen in (plain, explored)]
    assert customers[0] == customers[1]
    assert len(customers[0]) == 50


def test_policies_that_cannot_be():
    """A share outside 0 to 1, and exploring under a cap per product, are refused in words."""
    for share in (-0.1, 1.1):
        with pytest.raises(DataError, match="explore must be a share"):
            Policy(explore=share)
    with pytest.raises(DataError, match="cannot go together"):
        Policy(explore=0.1, max_per_product=5)


def test_a_plan_and_a_ledger_carry_the_chance(tmp_path):
    """The chance is under the plan's hash, comes back from its file, and stands in the ledger."""
    plan = plan_of(plan_rows(propensity=[0.8, 0.1]))
    loaded = Plan.load(plan.save(tmp_path / "plan.jsonl"))
    assert loaded.rows["propensity"].tolist() == [0.8, 0.1]
    assert plan_of(plan_rows(propensity=[0.8, 0.2])).digest != plan.digest
    with Ledger("sqlite://") as ledger:
        ledger.register(plan, shops.AS_OF)
        assert sorted(ledger.rows(plan.campaign)["propensity"]) == [0.1, 0.8]


def test_plans_from_before_are_still_plans(tmp_path):
    """A plan whose rows tell of no chance, as earlier ones, has no such field in its file, and loads and checks."""
    plan = plan_of()
    path = plan.save(tmp_path / "plan.jsonl")
    assert all("propensity" not in json.loads(line) for line in path.read_text().splitlines())
    loaded = Plan.load(path)
    assert loaded.rows["propensity"].isna().all()
    loaded.check(shops.AS_OF)


# What another recommender would have brought


def campaign(seed, customers=1500, explore=0.2, agree=0.6):
    """Return sends drawn by chance, another recommender's choices, and the rates to be found: all, and the drawable."""
    random = np.random.default_rng(seed)
    rate = np.clip(random.beta(1, 20, (customers, 1)) + np.array([0.0, 0.02, 0.04]), 0, 1)
    number = random.integers(1, 4, customers)
    pick = np.where(random.random(customers) < explore, np.floor(random.random(customers) * number), 0).astype(int)
    wanted = np.where(random.random(customers) < agree, 0, random.integers(1, 3, customers))
    kinds, ids, rows = np.array(["reorder", "recommendation", "recommendation"]), range(customers), range(customers)
    logged = pd.DataFrame(
        {
            "customer_id": [f"c{n}" for n in ids],
            "product_retailer_id": [PRODUCTS[n] for n in pick],
            "kind": kinds[pick],
            "propensity": explore / number + np.where(pick == 0, 1 - explore, 0),
            "cart": random.random(customers) < rate[rows, pick],
        }
    )
    choices = logged[["customer_id"]].assign(product_retailer_id=[PRODUCTS[n] for n in wanted], kind=kinds[wanted])
    true, drawable = rate[rows, wanted], wanted < number
    return logged, choices, {"snips": true[drawable].mean(), "dr": true.mean(), "ips": (true * drawable).mean()}


@pytest.fixture(scope="module")
def played():
    """Return the estimates of 120 campaigns beside what was true in each."""
    return [(hindsight(*made[:2]).set_index("estimate"), made[2]) for made in map(campaign, range(120))]


@pytest.mark.parametrize("name", ["snips", "dr", "ips"])
def test_the_interval_covers_the_truth(played, name):
    """In simulated campaigns the 95 % intervals hold the true rate about that often, and the estimates have no lean."""
    held = np.mean([found.loc[name, "low"] <= true[name] <= found.loc[name, "high"] for found, true in played])
    errors = np.array([found.loc[name, "rate"] - true[name] for found, true in played])
    assert held >= 0.92
    assert abs(errors.mean()) < 3 * errors.std() / np.sqrt(len(errors))
    assert np.mean([found.loc[name, "high"] - found.loc[name, "low"] for found, _ in played]) < 0.12


def test_the_naive_answer_is_not_the_truth(played):
    """Had the weights no part in it, the simulation would show: those who agree are not like all."""
    errors = np.array([found.loc["agreeing", "rate"] - true["dr"] for found, true in played])
    assert abs(errors.mean()) > 3 * errors.std() / np.sqrt(len(errors))


def test_intervals_where_few_carts_weigh_much():
    """With one in ten explored, a handful of weighty customers: the intervals still hold the truth, by being wide."""
    held = dict.fromkeys(("snips", "dr", "ips"), 0)
    for seed in range(100):
        logged, choices, true = campaign(seed, customers=600, explore=0.1, agree=0.3)
        found = hindsight(logged, choices).set_index("estimate")
        for name in held:
            held[name] += found.loc[name, "low"] <= true[name] <= found.loc[name, "high"]
    assert min(held.values()) >= 92


def test_weights_by_hand():
    """Four customers, calculated on paper."""
    logged = pd.DataFrame(
        {
            "customer_id": ["p", "q", "r", "s", "asked"],
            "product_retailer_id": ["a", "b", "a", "a", "a"],
            "kind": ["reorder", "reorder", "reorder", "reorder", "request"],
            "propensity": [0.8, 0.1, 0.8, 0.8, 1.0],
            "cart": [True, True, False, False, True],
        }
    )
    choices = logged[["customer_id"]].assign(product_retailer_id=["a", "b", "b", "a", "a"], kind="reorder")
    found = hindsight(logged, choices).set_index("estimate")
    weights = [1 / 0.8, 1 / 0.1, 0, 1 / 0.8]
    assert found.loc["sent", "rate"] == 2 / 4
    assert found.loc["agreeing", "rate"] == pytest.approx(2 / 3)
    assert found.loc["ips", "rate"] == pytest.approx((weights[0] + weights[1]) / 4)
    assert found.loc["snips", "rate"] == pytest.approx((weights[0] + weights[1]) / sum(weights))
    assert found.loc["snips", "effective"] == pytest.approx(sum(weights) ** 2 / sum(w**2 for w in weights))
    assert found["customers"].to_dict() == {"sent": 4, "agreeing": 3, "snips": 4, "dr": 4, "ips": 4}
    assert found.loc["snips", "difference"] == pytest.approx((weights[0] + weights[1]) / sum(weights) - 2 / 4)


def test_what_could_not_be_drawn():
    """Where only half of what the other names could be drawn, snips is about that half, and the others about all."""
    logged, choices, _ = campaign(4, customers=4000, explore=0.5, agree=0.5)
    rest = choices["customer_id"].str[-1].isin(list("02468"))
    choices = choices.assign(product_retailer_id=choices["product_retailer_id"].where(rest, "never drawn"))
    found = hindsight(logged, choices).set_index("estimate")
    assert found.loc[["sent", "dr", "ips"], "customers"].tolist() == [4000] * 3
    assert found.loc["snips", "customers"] < 2400
    assert found.loc["ips", "rate"] == pytest.approx(
        found.loc["snips", "rate"] * found.loc["snips", "customers"] / 4000, rel=0.01
    )


def test_the_same_recommender_comes_to_what_was_sent():
    """Where the other names just what chance would have made certain, it comes out no different from what was sent."""
    logged, _, _ = campaign(5, explore=0.0)
    choices = logged[["customer_id", "product_retailer_id", "kind"]]
    mixed = logged.assign(propensity=[0.999, *logged["propensity"].iloc[1:]])
    found = hindsight(mixed, choices).set_index("estimate")
    assert found.loc[["snips", "ips", "dr"], "rate"].to_numpy() == pytest.approx(logged["cart"].mean(), abs=1e-3)
    assert (found.loc[["snips", "dr", "ips"], "difference_low"] < 0).all()


def test_without_chance_nothing_is_claimed():
    """Where every product was certain, no estimate is given, and words say what can be told and what cannot."""
    logged, choices, _ = campaign(1, explore=0.0)
    found = hindsight(logged, choices)
    told = found.set_index("estimate")
    assert told.loc[["snips", "dr", "ips"], ["rate", "low", "high", "difference"]].isna().all(axis=None)
    assert told.loc["sent", "rate"] == logged["cart"].mean()
    agreeing = (logged["product_retailer_id"] == choices["product_retailer_id"]).sum()
    assert f"for {agreeing:,} of {len(logged):,} customers" in found.attrs["caveats"][0]
    assert "Policy(explore=0.1)" in found.attrs["caveats"][0]


def test_caveats():
    """Sends without a noted chance, too few to decide, and nobody in common are each said."""
    logged, choices, _ = campaign(2, customers=60)
    unknown = hindsight(logged.assign(propensity=[np.nan, *logged["propensity"].iloc[1:]]), choices)
    caveats = " ".join(unknown.attrs["caveats"])
    assert "Left out for want of a noted chance: 1 of 60 sends" in caveats
    assert "too few to decide on" in caveats
    assert "only the holdout tells" in caveats
    nobody = hindsight(logged, choices.assign(customer_id="x" + choices["customer_id"]))
    assert "No customer" in nobody.attrs["caveats"][0]
    assert nobody.set_index("estimate")["rate"].isna().all()
    with pytest.raises(DataError, match="lacks the columns"):
        hindsight(logged.drop(columns="propensity"), choices)


@pytest.mark.slow
def test_what_if_on_a_campaign_of_the_sandbox():
    """From a plan that explored to the estimate: what was proposed comes out near what was sent, and says its part."""
    data = wa.load(DEMO)
    chosen = wa.select(wa.propose(data), data, wa.Policy(explore=0.5))
    review = wa.review(chosen, data)
    review.approve_all()
    plan = review.plan(campaign="tried", approved_by="me", holdout=0.1)
    sandbox = wa.Sandbox(data)
    with wa.Ledger("sqlite://") as ledger, sandbox.client() as client:
        wa.send(plan, ledger=ledger, client=client, dry_run=False, progress=False)
        sandbox.advance("8D")
        wa.listen(sandbox, ledger=ledger)
        found = trials.what_if(ledger, data, campaign="tried").set_index("estimate")
        treated = plan.rows[(plan.arms == "treated") & (plan.rows["kind"] != "request")]
        assert found.loc["sent", "customers"] == len(treated)
        assert found.loc["agreeing", "customers"] < len(treated)
        assert found.loc["snips", "low"] <= found.loc["sent", "rate"] <= found.loc["snips", "high"]
        own = trials.what_if(ledger, data, wa.Popular(), campaign="tried")
        assert "could have been drawn" in " ".join(own.attrs["caveats"])
        with pytest.raises(DataError, match="was planned at"):
            trials.what_if(ledger, data.before("2026-11-01"), campaign="tried")
        with pytest.raises(DataError, match="no campaign"):
            trials.what_if(ledger, data, campaign="other")
