"""The contract for recommenders: planted faults are each found, and said in words."""

# ruff: noqa: D101, D102, ARG002  # the name of a planted fault says what it is

import copy
from dataclasses import replace

import pandas as pd
import pytest

from wa_products.recommenders import Popular
from wa_products.testing import check_recommender, small_shop

SHOP = small_shop()
EVERYONE = list(SHOP.customers)


class Planted:
    """Popular behind a door where a fault can be planted."""

    name = "planted"

    def fit(self, data):
        """Fit Popular."""
        self.inner = Popular().fit(data)
        return self

    def recommend(self, customer_ids, k):
        """Answer as Popular does."""
        return self.inner.recommend(customer_ids, k)


class Nameless(Planted):
    name = ""


class ReturnsNothing(Planted):
    def fit(self, data):
        super().fit(data)


class ReturnsAnother(Planted):
    def fit(self, data):
        return copy.deepcopy(super().fit(data))


class FailsToFit(Planted):
    def fit(self, data):
        raise KeyError("colour")


class ReturnsAList(Planted):
    def recommend(self, customer_ids, k):
        return super().recommend(customer_ids, k).to_dict("records")


class LacksScores(Planted):
    def recommend(self, customer_ids, k):
        return super().recommend(customer_ids, k).drop(columns="score")


class ForgetsScores(Planted):
    def recommend(self, customer_ids, k):
        return super().recommend(customer_ids, k).assign(score=float("nan"))


class CountsProducts(Planted):
    def recommend(self, customer_ids, k):
        found = super().recommend(customer_ids, k)
        return found.assign(product_retailer_id=range(len(found)))


class GivesTooMany(Planted):
    def recommend(self, customer_ids, k):
        return super().recommend(customer_ids, k + 1)


class AnswersForStrangers(Planted):
    def recommend(self, customer_ids, k):
        return super().recommend(customer_ids, k).assign(customer_id="someone else")


class AnswersForEveryone(Planted):
    def recommend(self, customer_ids, k):
        return super().recommend(EVERYONE, k)


class SendsTheUnsendable(Planted):
    def recommend(self, customer_ids, k):
        return super().recommend(customer_ids, k).assign(product_retailer_id="vase")


class RepeatsItself(Planted):
    def recommend(self, customer_ids, k):
        return super().recommend(customer_ids, k).assign(product_retailer_id="tea")


class FailsForNobody(Planted):
    def recommend(self, customer_ids, k):
        return pd.concat([self.inner.recommend([one], k) for one in customer_ids])


class FailsForTheUnknown(Planted):
    def recommend(self, customer_ids, k):
        SHOP.orders.set_index("customer_id").loc[[one for one in customer_ids if one not in EVERYONE]]
        return super().recommend(customer_ids, k)


class Restless(Planted):
    asked = 0

    def recommend(self, customer_ids, k):
        self.asked += 1
        found = super().recommend(customer_ids, k)
        return found.assign(score=found["score"] + self.asked)


class DrawsLots(Planted):
    lots = 0

    def fit(self, data):
        type(self).lots += 1
        self.lot = type(self).lots
        return super().fit(data)

    def recommend(self, customer_ids, k):
        return super().recommend(customer_ids, k).assign(score=float(self.lot))


class Remembers(Planted):
    def fit(self, data):
        self.known = getattr(self, "known", 0) + len(data.orders)
        return super().fit(data)

    def recommend(self, customer_ids, k):
        return super().recommend(customer_ids, k).assign(score=float(self.known))


class PeeksAtOrders(Planted):
    def fit(self, data):
        return super().fit(replace(data, as_of=data.orders["ordered_at"].max()))


class PeeksAtMessages(Planted):
    def fit(self, data):
        self.last = data.inbound["received_at"].max()
        return super().fit(data)

    def recommend(self, customer_ids, k):
        return super().recommend(customer_ids, k).assign(why=str(self.last))


class PeeksAtSends(Planted):
    def fit(self, data):
        self.sent = len(data.sends)
        return super().fit(data)

    def recommend(self, customer_ids, k):
        return super().recommend(customer_ids, k).assign(score=float(self.sent))


class ChangesTheCatalog(Planted):
    def fit(self, data):
        data.catalog.loc[0, "title"] = "changed"
        return super().fit(data)


class ChangesTheOrders(Planted):
    def fit(self, data):
        data.orders["day"] = data.orders["ordered_at"].dt.date
        return super().fit(data)


class ChangesTheCustomers(Planted):
    def recommend(self, customer_ids, k):
        found = super().recommend(customer_ids, k)
        customer_ids.append("one more")
        return found


class CannotBePickled(Planted):
    def fit(self, data):
        self.rule = lambda row: row
        return super().fit(data)


class LosesItsMind(Planted):
    shift = 0.0

    def __setstate__(self, state):
        self.__dict__ = {**state, "shift": 1.0} if "inner" in state else state

    def recommend(self, customer_ids, k):
        found = super().recommend(customer_ids, k)
        return found.assign(score=found["score"] + self.shift)


class SpeaksInPercent(Planted):
    def recommend(self, customer_ids, k):
        found = super().recommend(customer_ids, k)
        return found.assign(probability=found["probability"] * 1000)


class LooksBackwards(Planted):
    def recommend(self, customer_ids, k):
        return super().recommend(customer_ids, k).assign(horizon_days=0.0)


class InventsAKind(Planted):
    def recommend(self, customer_ids, k):
        return super().recommend(customer_ids, k).assign(kind="impulse")


FAULTS = [
    (Nameless, "needs a name"),
    (ReturnsNothing, "fit must return the recommender itself"),
    (ReturnsAnother, "fit must return the recommender itself"),
    (FailsToFit, "fit must work, it raised KeyError: 'colour'"),
    (ReturnsAList, "must return a DataFrame, not a list"),
    (LacksScores, "lacks the columns ['score']"),
    (ForgetsScores, "a score that is missing"),
    (CountsProducts, "a product_retailer_id that is no text"),
    (GivesTooMany, "asked for at most 1"),
    (AnswersForStrangers, "not asked about: ['someone else']"),
    (AnswersForEveryone, "not asked about"),
    (SendsTheUnsendable, "cannot be sent: ['vase']"),
    (RepeatsItself, "the same product to a customer twice"),
    (FailsForNobody, "recommend for no customers must work, it raised ValueError"),
    (FailsForTheUnknown, "recommend for an unknown customer must work, it raised KeyError"),
    (Restless, "differently when asked twice"),
    (DrawsLots, "differently when fitted again"),
    (Remembers, "keeps something of the data it was fitted to before"),
    (PeeksAtOrders, "looks past as_of"),
    (PeeksAtMessages, "looks past as_of"),
    (PeeksAtSends, "looks past as_of"),
    (ChangesTheCatalog, "changed catalog: work on a copy"),
    (ChangesTheOrders, "changed orders: work on a copy"),
    (ChangesTheCustomers, "changed the list of customers"),
    (CannotBePickled, "pickle, once fitted, must work"),
    (LosesItsMind, "differently after pickling"),
    (SpeaksInPercent, "a probability outside 0 to 1"),
    (LooksBackwards, "a horizon_days not above 0"),
    (InventsAKind, "gives the kinds ['impulse']"),
]


def test_without_a_fault_it_passes():
    """The same recommender without a fault keeps the contract, on the small shop and on a given one."""
    check_recommender(Planted())
    check_recommender(Planted(), replace(SHOP, orders=SHOP.orders.iloc[:100]), k=2)


@pytest.mark.parametrize(("planted", "sentence"), FAULTS, ids=[planted.__name__ for planted, _ in FAULTS])
def test_each_fault_is_found_and_named(planted, sentence):
    """Each planted fault is refused in one sentence that names it."""
    with pytest.raises(AssertionError) as caught:
        check_recommender(planted(), k=1 if planted is GivesTooMany else 3)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_recommender_under_test_stays_as_it_was():
    """Copies are fitted: the object given is not, nor is it changed."""
    given = Planted()
    check_recommender(given)
    assert not vars(given)
