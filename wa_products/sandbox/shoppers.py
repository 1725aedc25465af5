"""
Who the made-up customers are: what they like, how often they need it, how they read, how much they bear.

Pure functions from frames to frames, over all customers at once. Every draw hangs on the seed, the customer and the
purpose alone (`chance`), so what customers would have done without a message is fixed before the first one is sent,
and the order in which messages are sent, or customers asked, changes nothing. What a message makes of them is in
`reactions`.

The figures are chosen to be believable, not estimated: of the customers with a thread some 3-10 % submit a cart
within three days anyway, more so those who buy often, and most of all around the days on which what they need is due.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

from wa_products.sandbox import chance

if TYPE_CHECKING:
    from wa_products.datasets import Dataset

ASKED_WITHIN = pd.Timedelta(days=3)
REST = pd.Timedelta(days=5)
OUTDATED, UNREACHABLE, RECEIPTS_OFF, TWO_DEVICES = 0.02, 0.01, 0.15, 0.15
ORGANIC_LEAST, ORGANIC_MOST = 0.035, 0.05
PERIOD, PERIOD_SPREAD = 28.0, 0.5  # days; of those whose orders show none
DUE_AROUND, WHEN_DUE = 0.2, 2.0  # a fifth of the period around each due day; so many times as likely then
READS_AFTER, READS_AFTER_SPREAD = 1_500.0, 0.7  # seconds
DAY = 86_400

_FIRST = (
    *("Amina", "Ben", "Carla", "Dana", "Elif", "Farid", "Grace", "Hugo", "Ines", "Jonas", "Kavya", "Lena", "Mateo"),
    *("Nia", "Omar", "Priya", "Quinn", "Rosa", "Sam", "Tariq", "Ursula", "Vera", "Wei", "Ximena", "Yusuf", "Zoe"),
)
_FAMILY = (
    *("Bello", "Okafor", "Reyes", "Novak", "Kaya", "Haddad", "Lin", "Martins", "Costa", "Berg", "Rao", "Fischer"),
    *("Silva", "Mensah", "Aziz", "Nair", "Doyle", "Conti", "Taylor", "Khan", "Graf", "Petrov", "Zhang", "Soto"),
)
_OTHER_SCRIPTS = ("سارة", "さくら", "अनन्या", "Αθηνά")


def people(data: Dataset, tastes: pd.DataFrame, seed: int) -> pd.DataFrame:
    """
    Return one row a customer of `data.threads`, by `customer_id`: addresses, habits and probabilities.

    `tastes` is what `tastes` returns for the same shop. `favourite` is what they need again and again (``""`` where
    no order tells), every `period` days, `age` days after the last time when the world began. `buys` and `writes`
    are the mean probabilities of a cart and of a plain message on one day without any message from the business;
    `reads` is that of reading one and `reads_after` the median seconds until then; `responsiveness` scales what a
    message adds, and each further one within a week adds only `patience` times what the one before did.
    """
    rows = data.threads.set_index("customer_id")[["to", "last_inbound_at"]]
    rows = rows.assign(wa_id=rows["to"].str.lstrip("+")).drop(columns="to")
    rows["user_id"] = _user_ids(data.inbound, rows["wa_id"], seed)
    rows = rows.join(_habits(rows.index, seed))
    needs = tastes[tastes["period"].notna()].groupby("customer_id").first().reindex(rows.index)
    rows["favourite"] = needs["product_retailer_id"].fillna("").astype("str")
    rows["period"] = needs["period"].fillna(rows["period"])
    rows["age"] = needs["age"].fillna(rows["age"])
    rows["buys"] = np.where(rows["unreachable"], 0.0, _buys(data).reindex(rows.index).to_numpy())
    rows["writes"] = np.where(rows["unreachable"], 0.0, _writes(data).reindex(rows.index, fill_value=0.0).to_numpy())
    return rows


def stranger(customer_id: str, user_id: str, seed: int) -> pd.DataFrame:
    """Return the row of somebody who is no customer of the shop, and does nothing unless written to."""
    row = _habits(pd.Index([customer_id], dtype="str", name="customer_id"), seed)
    told = {"wa_id": "", "user_id": user_id, "favourite": "", "outdated": False, "unreachable": False}
    return row.assign(**told, buys=0.0, writes=0.0)


def tastes(data: Dataset) -> pd.DataFrame:
    """
    Return one row a customer and product with a history, sorted by customer, the heaviest first.

    Columns: `customer_id, product_retailer_id`; `period`, the days between two purchases (NaN where there was one at
    most), and `age`, the days since the last; `asked`, whether they asked for it of late; `weight`, how often it is
    put into a cart. Only customers with a thread, only products that the catalog still has.
    """
    here = set(data.catalog["product_retailer_id"])
    bought = data.purchases[data.purchases["customer_id"].isin(data.threads["customer_id"])]
    bought = bought[bought["product_retailer_id"].isin(here)]
    times = bought.assign(day=bought["ordered_at"].dt.floor("D")).groupby(["customer_id", "product_retailer_id"])["day"]
    rows = pd.DataFrame({"bought": times.nunique(), "first": times.min(), "last": times.max()}).reset_index()
    gap = (rows["last"] - rows["first"]) / (rows["bought"] - 1).clip(lower=1) / pd.Timedelta(days=1)
    rows["period"] = gap.where(rows["bought"] > 1).astype("float64")
    rows["age"] = ((data.as_of - rows["last"]) / pd.Timedelta(days=1)).astype("float64")
    asked = data.inbound[data.inbound["kind"] == "enquiry"]
    asked = asked[(asked["received_at"] > data.as_of - ASKED_WITHIN) & asked["product_retailer_id"].isin(here)]
    asked = asked[["customer_id", "product_retailer_id"]].drop_duplicates().assign(asked=True)
    rows = rows.merge(asked, on=["customer_id", "product_retailer_id"], how="outer")
    rows["asked"] = rows["asked"].eq(other=True)
    due = is_due(rows["period"].to_numpy(), rows["age"].to_numpy())
    rows["weight"] = rows["bought"].fillna(0.0) * np.where(due, 4.0, 1.0) + 2.0 * rows["asked"]
    order = ["customer_id", "weight", "product_retailer_id"]
    rows = rows.sort_values(order, ascending=[True, False, True], ignore_index=True)
    return rows[["customer_id", "product_retailer_id", "period", "age", "asked", "weight"]]


def is_due(period: np.ndarray, age: np.ndarray) -> np.ndarray:
    """Return whether a need that comes back every `period` days is due `age` days after the last time."""
    cycles = age / period  # NaN where there is no period: never due
    return (cycles >= 1 - DUE_AROUND) & ((cycles + DUE_AROUND) % 1 < 2 * DUE_AROUND)


def chances(people: pd.DataFrame, habit: str, day: np.ndarray | int) -> np.ndarray:
    """Return each customer's probability of `habit` (``buys`` or ``writes``) on the `day`-th day from the start."""
    mean = people[habit].to_numpy()
    if habit != "buys":
        return mean
    due = is_due(people["period"].to_numpy(), people["age"].to_numpy() + day + 0.5)
    otherwise = (1 - WHEN_DUE * 2 * DUE_AROUND) / (1 - 2 * DUE_AROUND)  # so that the mean is the mean
    return np.minimum(mean * np.where(due, WHEN_DUE, otherwise), 1.0)


def on_day(people: pd.DataFrame, habit: str, day: int) -> pd.DataFrame:
    """
    Return who does it on the `day`-th day from the start without being messaged.

    Columns: `customer_id`, `second` of the day, and `needs`, the favourite where it is due that day, else ``""``.
    `habit` is ``buys`` or ``writes``. This is the world without messages: no message changes it.
    """
    keys = people["key"].to_numpy()
    acts = chance.uniform(keys, f"day: {habit}", day) < chances(people, habit, day)
    second = chance.uniform(keys[acts], f"day: {habit} at", day) * DAY
    who = people[acts]
    due = is_due(who["period"].to_numpy(), who["age"].to_numpy() + day + 0.5)
    return pd.DataFrame(
        {"customer_id": who.index, "second": second, "needs": np.where(due, who["favourite"].to_numpy(), "")}
    )


def _habits(customer_ids: pd.Index, seed: int) -> pd.DataFrame:
    """Return what is drawn for each customer and hangs on nothing else."""
    keys = chance.keys(seed, customer_ids)

    def draw(purpose: str) -> np.ndarray:
        return chance.uniform(keys, f"habit: {purpose}")

    period = chance.lognormal(keys, "habit: period", 0, PERIOD, PERIOD_SPREAD)
    return pd.DataFrame(
        {
            "key": keys,
            "name": pd.array([_name(*pair) for pair in zip(draw("name"), draw("family"), strict=True)], dtype="str"),
            "outdated": draw("outdated") < OUTDATED,
            "unreachable": draw("unreachable") < UNREACHABLE,
            "receipts": draw("receipts") >= RECEIPTS_OFF,
            "two_devices": draw("devices") < TWO_DEVICES,
            "reads": 0.6 + 0.4 * draw("reads"),
            "reads_after": chance.lognormal(keys, "habit: reads after", 0, READS_AFTER, READS_AFTER_SPREAD),
            "responsiveness": 0.5 + draw("responsiveness"),
            "patience": 0.5 + 0.45 * draw("patience"),
            "period": period,
            "age": period * draw("age"),
        },
        index=customer_ids,
    )


def _name(first: float, family: float) -> str:
    number = int(first * (len(_FIRST) + len(_OTHER_SCRIPTS)))
    if number >= len(_FIRST):
        return _OTHER_SCRIPTS[number - len(_FIRST)]
    return f"{_FIRST[number]} {_FAMILY[int(family * len(_FAMILY))]}"


def _user_ids(inbound: pd.DataFrame, wa_ids: pd.Series, seed: int) -> pd.Series:
    named = inbound[inbound["user_id"] != ""].sort_values(["received_at", "message_id"])
    known = named.groupby("customer_id")["user_id"].last().reindex(wa_ids.index)
    made = [f"{_country(wa_id)}.{int(chance.token(seed, 'user', who, size=7), 16)}" for who, wa_id in wa_ids.items()]
    return known.where(known.notna(), pd.Series(made, index=wa_ids.index, dtype="str")).astype("str")


def _country(wa_id: str) -> str:
    return next((COUNTRY_CODE_TO_REGION_CODE[int(wa_id[:n])][0] for n in (1, 2, 3) if _is_code(wa_id[:n])), "GB")


def _is_code(digits: str) -> bool:
    return digits.isdigit() and COUNTRY_CODE_TO_REGION_CODE.get(int(digits), ("001",))[0] != "001"


def _buys(data: Dataset) -> pd.Series:
    orders = data.purchases.groupby("customer_id").agg(orders=("order_id", "nunique"), first=("ordered_at", "min"))
    orders = orders.reindex(data.threads["customer_id"])
    months = ((data.as_of - orders["first"]) / pd.Timedelta(days=30)).clip(lower=1)
    rate = (orders["orders"] / months).fillna(0.0)
    in_three_days = ORGANIC_LEAST + ORGANIC_MOST * (1 - np.exp(-rate))
    return 1 - (1 - in_three_days) ** (1 / 3)


def _writes(data: Dataset) -> pd.Series:
    recent = data.inbound[data.inbound["received_at"] > data.as_of - pd.Timedelta(days=30)]
    return (recent.groupby("customer_id").size() / 30).clip(0.003, 0.08)
