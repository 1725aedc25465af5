# ruff: noqa: PLR2004, SIM905 (the shares of a made-up shop are its data; lists of words read best as words)

"""
The customers of the demo shop: invented names, phones from Ofcom's range for fiction, tastes and true reorder periods.

The simulation knows when each favourite runs out. A visit takes along what runs out soon, and the next gap counts
from the moment the pack was due, so the mean interval between purchases is the period itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from demo_catalog import Product

SEED = 20261120
AS_OF = datetime(2026, 11, 20, 9, tzinfo=UTC)
FIRST_DAY = datetime(2025, 5, 20, tzinfo=UTC)
AHEAD = timedelta(days=500)  # how far the simulation looks past `AS_OF` to learn the true next purchase
SHOP_PHONE = "447700900000"
WITH_PHONE, EMAIL_ONLY, NEVER_ORDERED, NEW_NUMBERS = 930, 40, 48, 6

FIRST_NAMES = (
    "Ada Bram Clover Dilys Ebo Fennel Gwil Hettie Idris Juno Kit Lark Merle Nell Otto Posy Quill Rafe Sorrel Tansy "
    "Umber Vesper Wilf Xan Yarrow Zuzu Amber Basil Cosmo Dorrit Elowen Figgy"
).split()
LAST_NAMES = (
    "Applejack Bramblewick Candlestock Dewberry Elderpath Fiddlestone Gooseberry Hattersnap Inkpot Jamwright "
    "Kettleby Larkspoon Marmaduke-Moss Nettlebed Oatcake Pickwater Quillfeather Rumblebee Saltmarsh Teaspoon "
    "Underbough Vinegrove Wobblethwaite Yewtree Zigzagger Buttonhook Crumbleholme Driftwood-Pye Elfwick Fogbottom"
).split()

# Buying the left makes buying something of the right more likely in the same order.
COMPANIONS = {
    "House Espresso": (("Descaler", 0.06), ("Oat Barista", 0.15)),
    "Harbour Blend": (("Oat Barista", 0.20),),
    "Ridgeway Filter": (("Paper Filters", 0.25),),
    "Breakfast Loose Leaf": (("Paper Tea Sacks", 0.20), ("Wildflower Honey", 0.10)),
    "Earl Grey Bergamot": (("Paper Tea Sacks", 0.18),),
    "Peppermint Leaf": (("Wildflower Honey", 0.18),),
    "Chicken Kibble": (("Dental Sticks", 0.22), ("Liver Treats", 0.15)),
    "Salmon Kibble": (("Dental Sticks", 0.20), ("Compost Bags", 0.12)),
    "Puppy Kibble": (("Compost Bags", 0.25), ("Liver Treats", 0.20)),
    "Lamb Trays": (("Compost Bags", 0.15),),
    "Chicken Bites": (("Wood Litter", 0.30), ("Salmon Cream", 0.15)),
    "Indoor Bites": (("Wood Litter", 0.30), ("Malt Paste", 0.12)),
    "Tuna Pouches": (("Salmon Cream", 0.18),),
    "Laundry Liquid": (("Fabric Softener", 0.25), ("Stain Soap", 0.06)),
    "Washing Powder": (("Oxygen Bleach", 0.15),),
    "Dishwasher Tablets": (("Dishwasher Salt", 0.20), ("Rinse Aid", 0.18)),
    "Washing-up Liquid": (("Scrub Sponges", 0.18),),
    "Toilet Roll": (("Kitchen Roll", 0.20), ("Toilet Cleaner", 0.12)),
    "Shampoo": (("Conditioner", 0.35),),
    "Moisture Shampoo": (("Conditioner", 0.30), ("Hair Mask", 0.12)),
    "Body Wash": (("Hand Soap", 0.15),),
    "Day Cream Refill": (("Night Cream Refill", 0.25), ("Cleansing Balm", 0.10)),
    "Porridge Oats": (("Maple Syrup", 0.12), ("Wildflower Honey", 0.12)),
    "Penne": (("Passata", 0.35), ("Olive Oil", 0.08)),
    "Red Lentils": (("Basmati Rice", 0.20),),
}


@dataclass(kw_only=True)
class Favourite:
    """A product that one customer buys again and again; `period` in days, `spread` the coefficient of variation."""

    product: Product
    period: float
    spread: float
    quantity: int
    due: datetime
    bought: list[datetime] = field(default_factory=list)
    next_purchase: datetime | None = None


@dataclass(kw_only=True)
class Person:
    """One customer: names, addresses and habits. `phone` is digits, ``""`` for those known by e-mail only."""

    name: str
    phone: str
    email: str
    joined: datetime
    leaves: datetime | None
    shelves: list[str]
    favourites: list[Favourite]

    @property
    def stays(self) -> bool:
        """Whether they still were a customer at `AS_OF`."""
        return self.leaves is None or self.leaves > AS_OF


@dataclass(kw_only=True)
class Basket:
    """One visit: the products with quantities, and which favourites were due."""

    person: Person
    at: datetime
    lines: list[tuple[Product, int]]
    fate: str


def phone(number: int) -> str:
    """Return the digits of the mobile `number` (0 to 999) in Ofcom's range for fiction."""
    return f"447700900{number:03}"


def people(shop: list[Product], popular: dict[str, float], rng: np.random.Generator) -> list[Person]:
    """Return everyone who ever orders, in a fixed order: those with a phone first, then those by e-mail only."""
    return [_person(number, shop, popular, rng) for number in range(1, WITH_PHONE + EMAIL_ONLY + 1)]


def name(rng: np.random.Generator) -> str:
    """Return an invented name."""
    return f"{FIRST_NAMES[rng.integers(len(FIRST_NAMES))]} {LAST_NAMES[rng.integers(len(LAST_NAMES))]}"


def popularity(shop: list[Product], rng: np.random.Generator) -> dict[str, float]:
    """Return how much each product is bought by chance, by its id: few are known, most are not."""
    ranks = rng.permutation(len(shop))
    return {product.retailer_id: float(1 / (8 + rank)) for product, rank in zip(shop, ranks, strict=True)}


def _person(number: int, shop: list[Product], popular: dict[str, float], rng: np.random.Generator) -> Person:
    called = name(rng)
    has_phone = number <= WITH_PHONE
    email = f"{called.split()[0].lower()}{number}@example.com" if not has_phone or rng.random() < 0.15 else ""
    history = (AS_OF - FIRST_DAY).days
    joined = FIRST_DAY + timedelta(
        days=float(rng.uniform(0, history - 20) if rng.random() < 0.66 else rng.uniform(0, 30))
    )
    stay = float(rng.exponential(640)) + 25
    leaves = joined + timedelta(days=stay) if stay < 2 * history else None
    shelves = _shelves(rng)
    count = int(rng.choice(7, p=[0.08, 0.14, 0.24, 0.24, 0.16, 0.09, 0.05]))
    wanted = [p for p in shop if p.days and p.shelf in shelves and p.title.isascii()]
    weights = np.array([popular[p.retailer_id] for p in wanted])
    picks: dict[str, Product] = {}
    for index in rng.choice(len(wanted), size=3 * count, replace=True, p=weights / weights.sum()):
        if len(picks) < count:
            picks.setdefault(wanted[index].title, wanted[index])
    return Person(
        name=called,
        phone=phone(number) if has_phone else "",
        email=email,
        joined=joined,
        leaves=leaves,
        shelves=shelves,
        favourites=[_favourite(product, joined, rng) for product in picks.values()],
    )


def _shelves(rng: np.random.Generator) -> list[str]:
    """Draw the shelves a customer looks at; a home has a dog or a cat, seldom both."""
    pets = [[], ["dog"], ["cat"], ["dog", "cat"]][rng.choice(4, p=[0.45, 0.28, 0.23, 0.04])]
    others = ["coffee", "tea", "laundry", "cleaning", "skin", "hair", "pantry", "kitchen"]
    some = rng.choice(
        others, size=int(rng.integers(2, 5)), replace=False, p=[0.2, 0.12, 0.14, 0.16, 0.1, 0.08, 0.17, 0.03]
    )
    return [*pets, *map(str, some)]


def _favourite(product: Product, joined: datetime, rng: np.random.Generator) -> Favourite:
    quantity = int(rng.choice([1, 2, 3], p=[0.78, 0.18, 0.04]))
    period = product.days * quantity * float(rng.lognormal(0.70, 0.3))
    return Favourite(
        product=product,
        period=period,
        spread=product.category.spread,
        quantity=quantity,
        due=joined + timedelta(days=float(rng.uniform(0, min(period, 25)))),
    )


def visits(person: Person, shop: list[Product], popular: dict[str, float], rng: np.random.Generator) -> list[Basket]:
    """
    Return every order of one person until `AS_OF`, and write into their favourites what was bought and comes next.

    The fates: ``ok``, ``cancelled``, ``voided`` and ``refunded``. After the last three the person still needs the
    things and comes back within days.
    """
    baskets = []
    browse = person.joined
    for _ in range(1000):
        at = min([f.due for f in person.favourites], default=browse)
        if at > (person.leaves or at) or at > AS_OF + AHEAD:
            break
        at = _shopping_hour(at, rng)
        slack = [timedelta(days=min(18.0, 0.35 * f.period)) for f in person.favourites]
        due = [f for f, early in zip(person.favourites, slack, strict=True) if f.due <= at + early]
        fate = str(rng.choice(["ok", "cancelled", "voided", "refunded"], p=[0.955, 0.02, 0.01, 0.015]))
        lines = [(f.product, f.quantity) for f in due]
        lines += _extras(person, [p for p, _ in lines], shop, popular, rng)
        browse = at + timedelta(days=float(rng.exponential(130)) + 12)
        _use_up(due, at, fate, rng)
        if at < AS_OF and lines:
            baskets.append(Basket(person=person, at=at, lines=lines, fate=fate))
        if at >= AS_OF and all(f.next_purchase for f in person.favourites):
            break
    return baskets


def _use_up(due: list[Favourite], at: datetime, fate: str, rng: np.random.Generator) -> None:
    for favourite in due:
        if fate != "ok":
            favourite.due = at + timedelta(days=float(rng.uniform(1, 4)))
            continue
        if at < AS_OF:
            favourite.bought.append(at)
        elif favourite.next_purchase is None:
            favourite.next_purchase = at
        shape = favourite.spread**-2
        favourite.due = max(
            favourite.due + timedelta(days=float(rng.gamma(shape, favourite.period / shape))),
            at + timedelta(days=1.5),
        )


def _shopping_hour(at: datetime, rng: np.random.Generator) -> datetime:
    """Return a moment of the same day at which people shop: mornings, and more in the evening."""
    hour = float(rng.normal(20, 1.4) if rng.random() < 0.6 else rng.normal(11, 2.2))
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(seconds=int(3600 * min(max(hour, 6.2), 23.2)))


def _extras(
    person: Person,
    basket: list[Product],
    shop: list[Product],
    popular: dict[str, float],
    rng: np.random.Generator,
) -> list[tuple[Product, int]]:
    """Return what joins a basket: companions of its products, now and then something to try."""
    taken = {product.title for product in basket}
    extras = []
    for product in basket:
        for title, chance in COMPANIONS.get(product.title, ()):
            if title not in taken and rng.random() < chance:
                taken.add(title)
                extras.append((next(p for p in shop if p.title == title), 1))
    for _ in range(int(rng.poisson(0.3 if basket else 1.8))):
        own_taste = rng.random() < 0.7
        choice = [p for p in shop if (p.shelf in person.shelves or not own_taste) and p.title not in taken]
        weights = np.array([popular[p.retailer_id] for p in choice])
        product = choice[rng.choice(len(choice), p=weights / weights.sum())]
        taken.add(product.title)
        extras.append((product, 1))
    return extras
