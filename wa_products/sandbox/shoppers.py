"""
How made-up customers behave: who buys anyway, what a message adds, who reads, asks, or says STOP.

Pure functions from frames to frames, over all customers at once. Every draw hangs on the seed, the customer and the
purpose alone (`chance`), so what customers would have done without a message is fixed before the first one is sent,
and the order in which messages are sent, or customers asked, changes nothing.

The figures are chosen to be believable, not estimated: of the customers with a thread some 3-10 % submit a cart
within three days anyway, more so those who buy often or have a product due. A message that is read adds 4 points
where the product is new to the customer, 10 where they bought it before, 15 where it is due, 22 where they asked for
it, times a responsiveness of their own; some four in five are read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

from wa_products.sandbox import chance

if TYPE_CHECKING:
    from wa_products.datasets import Dataset

PULL = {"asked": 0.22, "due": 0.15, "bought": 0.10, "new": 0.04}
DUE_BETWEEN = (0.75, 2.0)
ASKED_WITHIN = pd.Timedelta(days=3)
REST = pd.Timedelta(days=5)
OUTDATED, UNREACHABLE, RECEIPTS_OFF, SILENT = 0.02, 0.01, 0.15, 0.01
ASKS, STOPS, STOPS_IF_NEW = 0.04, 0.008, 0.02
ORGANIC_LEAST, ORGANIC_MOST, ORGANIC_DUE = 0.03, 0.05, 0.02
DAY = 86_400

_NAMES = (
    *("Amina Bello", "Ben Okafor", "Carla Reyes", "Dana Novak", "Elif Kaya", "Farid Haddad", "Grace Lin"),
    *("Hugo Martins", "Ines Costa", "Jonas Berg", "Kavya Rao", "Lena Fischer", "Mateo Silva", "Nia Mensah"),
    *("Omar Aziz", "Priya Nair", "Quinn Doyle", "Rosa Conti", "Sam Taylor", "Tariq Khan", "Ursula Graf"),
    *("Vera Petrov", "Wei Zhang", "Ximena Soto", "Yusuf Demir", "Zoe Martin", "سارة", "さくら"),
)


def people(data: Dataset, tastes: pd.DataFrame, seed: int) -> pd.DataFrame:
    """
    Return one row a customer of `data.threads`, by `customer_id`: addresses, habits and probabilities.

    `tastes` is what `tastes` returns for the same shop.
    `buys` and `writes` are the probabilities of a cart and of a plain message on one day without any message from
    the business; `responsiveness` scales what a message adds; `reads` is the probability of reading one.
    """
    rows = data.threads.set_index("customer_id")[["to", "last_inbound_at"]]
    keys = chance.keys(seed, rows.index)

    def draw(purpose: str) -> np.ndarray:
        return chance.uniform(keys, f"habit: {purpose}")

    rows = rows.assign(key=keys, wa_id=rows["to"].str.lstrip("+")).drop(columns="to")
    rows["user_id"] = _user_ids(data.inbound, rows["wa_id"], seed)
    rows["name"] = pd.Series([_NAMES[int(u * len(_NAMES))] for u in draw("name")], index=rows.index, dtype="str")
    rows["outdated"] = draw("outdated") < OUTDATED
    rows["unreachable"] = draw("unreachable") < UNREACHABLE
    rows["receipts"] = draw("receipts") >= RECEIPTS_OFF
    rows["reads"] = 0.6 + 0.4 * draw("reads")
    rows["responsiveness"] = 0.5 + draw("responsiveness")
    rows["buys"] = np.where(rows["unreachable"], 0.0, _buys(data, tastes).reindex(rows.index).to_numpy())
    rows["writes"] = np.where(rows["unreachable"], 0.0, _writes(data).reindex(rows.index, fill_value=0.0).to_numpy())
    return rows


def tastes(data: Dataset) -> pd.DataFrame:
    """
    Return one row a customer and product with a history: `customer_id, product_retailer_id, pull, weight`.

    `pull` is what a read message about that product adds for a customer of average responsiveness; `weight` how
    often it is put into a cart. Sorted by customer, the heaviest first. Only customers with a thread, only products
    that the catalog still has.
    """
    here = set(data.catalog["product_retailer_id"])
    bought = data.purchases[data.purchases["customer_id"].isin(data.threads["customer_id"])]
    bought = bought[bought["product_retailer_id"].isin(here)]
    times = bought.assign(day=bought["ordered_at"].dt.floor("D")).groupby(["customer_id", "product_retailer_id"])["day"]
    rows = pd.DataFrame({"bought": times.nunique(), "first": times.min(), "last": times.max()}).reset_index()
    gap = (rows["last"] - rows["first"]) / (rows["bought"] - 1).clip(lower=1)
    ratio = ((data.as_of - rows["last"]) / gap.where(rows["bought"] > 1)).astype("float64")
    rows["due"] = ratio.between(*DUE_BETWEEN)
    asked = data.inbound[data.inbound["kind"] == "enquiry"]
    asked = asked[(asked["received_at"] > data.as_of - ASKED_WITHIN) & asked["product_retailer_id"].isin(here)]
    asked = asked[["customer_id", "product_retailer_id"]].drop_duplicates().assign(asked=True)
    rows = rows.merge(asked, on=["customer_id", "product_retailer_id"], how="outer")
    flags = rows[["due", "asked"]].eq(other=True)
    rows["pull"] = np.select([flags["asked"], flags["due"]], [PULL["asked"], PULL["due"]], PULL["bought"])
    rows["weight"] = rows["bought"].fillna(0.0) * np.where(flags["due"], 4.0, 1.0) + 2.0 * flags["asked"]
    order = ["customer_id", "weight", "product_retailer_id"]
    rows = rows.sort_values(order, ascending=[True, False, True], ignore_index=True)
    return rows[["customer_id", "product_retailer_id", "pull", "weight"]]


def on_day(people: pd.DataFrame, habit: str, day: int) -> pd.DataFrame:
    """
    Return who does it on the `day`-th day from the start without being messaged: `customer_id`, `second` of the day.

    `habit` is ``buys`` or ``writes``. This is the world without messages: no message changes it.
    """
    keys = people["key"].to_numpy()
    acts = chance.uniform(keys, f"day: {habit}", day) < people[habit].to_numpy()
    second = chance.uniform(keys[acts], f"day: {habit} at", day) * DAY
    return pd.DataFrame({"customer_id": people.index[acts], "second": second})


def react(messages: pd.DataFrame, people: pd.DataFrame, tastes: pd.DataFrame) -> pd.DataFrame:
    """
    Return what becomes of each delivered message, as seconds after its acceptance; NaN is never.

    `messages` has `customer_id`, `number` (0 for the customer's first) and `product_retailer_id` (``""`` for a text
    message, which is read and answered by nothing). Added columns: `sent, delivered, read, read_receipt, cart,
    asks, stops`, and `adds`, the probability with which the message makes a cart, reading included.
    """
    who = people.loc[messages["customer_id"]]
    keys, number = who["key"].to_numpy(), messages["number"].to_numpy()
    pairs = messages[["customer_id", "product_retailer_id"]]
    found = pairs.merge(tastes, on=["customer_id", "product_retailer_id"], how="left")
    product = messages["product_retailer_id"].to_numpy() != ""
    pull = np.where(product, found["pull"].fillna(PULL["new"]), 0.0) * who["responsiveness"].to_numpy()

    def happens(purpose: str, probability: np.ndarray | float) -> np.ndarray:
        return chance.uniform(keys, f"message: {purpose}", number) < probability

    def delay(purpose: str, median: float, spread: float) -> np.ndarray:
        return chance.lognormal(keys, f"message: {purpose}", number, median, spread)

    sent = 1.0 + delay("sent", 0.8, 0.4)
    delivered = sent + np.where(happens("offline", 0.1), delay("offline for", 9_000, 1.0), delay("delivered", 3, 0.6))
    delivered = np.where(happens("silent", SILENT), np.nan, delivered)
    at_once = happens("at once", 0.08)
    read = delivered + np.where(at_once, 0.4, delay("read", 1_500, 1.3))
    read = np.where(happens("reads", who["reads"].to_numpy()), read, np.nan)
    acts = happens("cart", pull)
    asks = ~acts & product & happens("asks", ASKS)
    stops = ~acts & ~asks & product & happens("stops", np.where(pull < PULL["bought"] / 2, STOPS_IF_NEW, STOPS))
    return messages.assign(
        sent=sent,
        # A message read the moment it arrives is reported as read only.
        delivered=np.where(at_once & ~np.isnan(read) & who["receipts"].to_numpy(), np.nan, delivered),
        read=read,
        read_receipt=np.where(who["receipts"].to_numpy(), read, np.nan),
        cart=np.where(acts, read + delay("to cart", 4_000, 1.2), np.nan),
        asks=np.where(asks, read + delay("to ask", 300, 1.0), np.nan),
        stops=np.where(stops, read + delay("to stop", 60, 0.8), np.nan),
        adds=np.minimum(pull, 1.0) * who["reads"].to_numpy() * (1 - SILENT),
    )


def _user_ids(inbound: pd.DataFrame, wa_ids: pd.Series, seed: int) -> pd.Series:
    named = inbound[inbound["user_id"] != ""].sort_values(["received_at", "message_id"])
    known = named.groupby("customer_id")["user_id"].last().reindex(wa_ids.index)
    made = [f"{_country(wa_id)}.{int(chance.token(seed, 'user', who, size=7), 16)}" for who, wa_id in wa_ids.items()]
    return known.where(known.notna(), pd.Series(made, index=wa_ids.index, dtype="str")).astype("str")


def _country(wa_id: str) -> str:
    return next((COUNTRY_CODE_TO_REGION_CODE[int(wa_id[:n])][0] for n in (1, 2, 3) if _is_code(wa_id[:n])), "GB")


def _is_code(digits: str) -> bool:
    return digits.isdigit() and COUNTRY_CODE_TO_REGION_CODE.get(int(digits), ("001",))[0] != "001"


def _buys(data: Dataset, tastes: pd.DataFrame) -> pd.Series:
    orders = data.purchases.groupby("customer_id").agg(orders=("order_id", "nunique"), first=("ordered_at", "min"))
    orders = orders.reindex(data.threads["customer_id"])
    months = ((data.as_of - orders["first"]) / pd.Timedelta(days=30)).clip(lower=1)
    rate = (orders["orders"] / months).fillna(0.0)
    due = orders.index.isin(tastes.loc[tastes["pull"] == PULL["due"], "customer_id"])
    in_three_days = ORGANIC_LEAST + ORGANIC_MOST * (1 - np.exp(-rate)) + ORGANIC_DUE * due
    return 1 - (1 - in_three_days) ** (1 / 3)


def _writes(data: Dataset) -> pd.Series:
    recent = data.inbound[data.inbound["received_at"] > data.as_of - pd.Timedelta(days=30)]
    return (recent.groupby("customer_id").size() / 30).clip(0.003, 0.08)
