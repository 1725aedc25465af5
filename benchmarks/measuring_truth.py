"""
What the measurements claim beside what is true, on campaigns of the sandbox whose truth is known.

    nice python benchmarks/measuring_truth.py [lift] [silence] [causes] [choice] [--seeds 500] [--customers 450]

`lift`     how often the intervals of the lift hold the true lift, at 10, 20 and 50 % held out.
`silence`  messages that do nothing: how often a false alarm is raised by looking every day, by the verdict before the
           end, by the verdict at the end, by either; and, beside them, by an ordinary interval looked at every day.
`causes`   the confusion matrix of the attribution: rule by what made the cart in truth.
`choice`   how often exact and same item are right, and how much they claim, by how long an answer may take:
           `attribution.PROMPT` is the most hours at which 95 % lie two standard errors below.

Each seed is another world: other shoppers, other draws of the arms. What was chosen was chosen on the seeds from 0 on;
what is reported is of those from 1,000 on, of which no choice knows.
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
import pandas as pd

from tests.sandbox_shop import CATALOG_ID, shop
from wa_products import arms, attribution, events, metrics
from wa_products.metrics.comparing import first_carts
from wa_products.payloads import single_product
from wa_products.sandbox import Sandbox, chance

PARTS = ("lift", "silence", "causes", "choice")
REPORTED_FROM = 1000  # the seeds before it are for choices
SHARES = (0.1, 0.2, 0.5)
HORIZON, DAYS = "3D", 7


def main():
    """Print a table for each part asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
    parser.add_argument("--seeds", type=int, default=500)
    parser.add_argument("--customers", type=int, default=450)
    options = parser.parse_args()
    if wrong := set(options.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(wrong))}")
    data, wanted = shop(options.customers), options.parts or PARTS
    began = time.process_time()
    if options.seeds > REPORTED_FROM:
        parser.error(f"at most {REPORTED_FROM:,} seeds")
    if "choice" in wanted:
        print_choice([played(data, seed, SHARES[seed % 3]) for seed in range(options.seeds)])
    reported = range(REPORTED_FROM, REPORTED_FROM + options.seeds)
    if {"lift", "causes"} & set(wanted):
        campaigns = [played(data, seed, SHARES[seed % 3]) for seed in reported]
        print_lift(campaigns)
        print_causes(campaigns)
    if "silence" in wanted:
        print_silence([silent(data, seed) for seed in reported])
    print(f"\n{time.process_time() - began:.0f} CPU seconds")


def planned(data):
    """Return the customers with an open window and, of each, the product that they bought most."""
    favourite = data.purchases.groupby("customer_id")["product_retailer_id"].first()
    threads = data.threads[data.threads["is_open"]]
    return threads.assign(product_retailer_id=threads["customer_id"].map(favourite)).reset_index(drop=True)


def played(data, seed, share):
    """Send one campaign in a world of its own, wait, and return what is measured and what is true of it."""
    sandbox, rows = Sandbox(data, seed=seed), rows_of(planned(data), f"campaign-{seed}", share)
    world, at = sandbox._world, sandbox.now  # noqa: SLF001  # the truth is inside
    wamids = [post(world, row) if row["arm"] == arms.TREATED else "" for row in rows.to_dict("records")]
    rows = rows.assign(at=at, wamid=wamids).drop(columns=["to", "recipient"])
    told = heard(sandbox.advance(pd.Timedelta(HORIZON) + pd.Timedelta("1h")))
    found = metrics.results(rows, told, header(rows, at, share), at + pd.Timedelta(HORIZON), horizon=HORIZON)
    truth = sandbox.truth(rows, horizon=HORIZON).set_index("customer_id").loc[rows["customer_id"]]
    strangers = set(found.carts["customer_id"]) - set(rows["customer_id"])
    carts = found.carts.assign(cause=found.carts["message_id"].map(causes(world, seed, strangers)).fillna(""))
    told = {"results": found.lift.iloc[0], "arms": found.arms, "carts": carts, "pairs": found.pairs}
    return {**told, "share": share, "truth": truth, "customers": len(rows)}


def causes(world, seed, strangers):
    """Return the wamid of the message that made a cart, by the cart's message id: the customer's or a friend's cart."""
    found = {}
    for message in world.desk.messages:
        for name in ("cart", "cart:second device"):
            found[chance.wamid(seed, message.person.address, "in", f"{message.wamid}:{name}")] = message.wamid
        for who in strangers:
            address = world.addresses.people[who].address
            found[chance.wamid(seed, address, "in", f"{message.wamid}:passes_on:friend")] = message.wamid
    return found


def post(world, row):
    """Return the wamid of one message."""
    payload = single_product(
        to=row["to"] or None, recipient=row["recipient"] or None, catalog_id=CATALOG_ID,
        product_retailer_id=row["product_retailer_id"], opaque=row["send_id"],
    )  # fmt: skip
    return world.accept(payload)[0]["messages"][0]["id"]


def silent(data, seed):
    """Return, for each share held out, the looks of a campaign whose messages were never sent: none can do anything."""
    sandbox, everybody = Sandbox(data, seed=seed), data.threads
    at = sandbox.now
    told = heard(sandbox.advance(f"{DAYS}D"))
    every = everybody.assign(product_retailer_id="P0")
    found = []
    for share in SHARES:
        rows = rows_of(every, f"silent-{seed}-{share}", share).assign(at=at).drop(columns=["to", "recipient"])
        results = metrics.results(
            rows, told, header(rows, at, share), at + pd.Timedelta(f"{DAYS}D"), horizon=f"{DAYS}D"
        )
        found.append({"share": share, "results": results, "looks": looks(results)})
    return found


def looks(results):
    """Return what each day's look would say: the verdict, and an ordinary 95 % interval, which is for one look."""
    monitor, first = results.monitor, first_carts(results.sends, results.carts, results.started_at)
    sizes = dict(zip(results.arms["arm"], results.arms["customers"], strict=True))
    low, high = results.lift.loc[0, ["low", "high"]]
    told = []
    for day in range(1, DAYS + 1):
        until = results.started_at + pd.Timedelta(days=day)
        early = bool(monitor.loc[monitor["at"] <= until, "is_sure"].iloc[-1])
        counts = first.loc[first["at"] <= until, "arm"].value_counts()
        ends = metrics.newcombe(
            counts.get(arms.TREATED, 0), sizes[arms.TREATED], counts.get(arms.HOLDOUT, 0), sizes[arms.HOLDOUT]
        )
        told.append((early, day == DAYS and not low <= 0 <= high, not ends[0] <= 0 <= ends[1]))
    return told


def rows_of(threads, campaign, share):
    """Return the rows of a plan for these threads, their arms drawn."""
    ids = threads["customer_id"].reset_index(drop=True)
    kinds = pd.Series("reorder", index=ids.index)
    drawn = arms.assign(campaign, ids, kinds, share)
    return pd.DataFrame(
        {
            "campaign": campaign, "customer_id": ids, "send_id": "send-" + ids,
            "product_retailer_id": threads["product_retailer_id"].to_numpy(), "arm": drawn,
            "outcome": np.where(drawn == arms.HOLDOUT, "held out", "accepted"), "wamid": "", "code": 0, "details": "",
            "at": pd.NaT, "kind": kinds, "to": threads["to"].to_numpy(), "recipient": threads["recipient"].to_numpy(),
        }
    )  # fmt: skip


def header(rows, at, share):
    """Return the header of a campaign."""
    made = {"campaign": rows["campaign"].iloc[0], "digest": "", "approved_by": "the benchmark", "waterfall": []}
    return {**made, "created_at": at, "expires_at": at + pd.Timedelta("20h"), "holdout": share}


def heard(sandbox):
    """Return the events of all webhooks that came."""
    return events.to_frame(record for body in sandbox.webhooks() for record in events.records(body))


def print_lift(campaigns):
    """Print how often the intervals hold the true lift."""
    print("\nTrue lift inside the interval: of 95 %; of 96 %, as on the lift card; of 96 % for the effect in that very")
    print("world; of 96 % for the ratio")
    heads = ("campaigns", "customers", "true lift", "95 %", "96 %", "very world", "ratio")
    print(f"{'held out':>9}" + "".join(f"{head:>12}" for head in heads))
    for share in (*SHARES, None):
        own = [one for one in campaigns if share in (None, one["share"])]
        base = np.mean([one["truth"]["cart_without_message"].mean() for one in own])
        inside = np.mean([_inside(one, base) for one in own], axis=0)
        name = "all" if share is None else f"{share:.0%}"
        lift = np.mean([one["truth"]["true_effect"].mean() for one in own])
        counts = f"{len(own):>12,}{own[0]['customers']:>12,}{lift:>12.3f}"
        print(f"{name:>9}" + counts + "".join(f"{covered:>12.3f}" for covered in inside))


def _inside(one, base):
    """Return whether each interval of a campaign holds the truth; `base` is the rate without messages."""
    row, expected, happened = one["results"], *one["truth"][["expected_effect", "true_effect"]].mean()
    low, high = metrics.newcombe(*one["arms"].set_index("arm")[["with_cart", "customers"]].to_numpy().ravel())
    return (
        low <= expected <= high,
        row["low"] <= expected <= row["high"],
        row["low"] <= happened <= row["high"],
        row["ratio_low"] <= 1 + expected / base <= row["ratio_high"],
    )


def print_causes(campaigns):
    """Print rule by true cause, and how often each rule is right."""
    carts = pd.concat([one["carts"] for one in campaigns], ignore_index=True)
    right = carts["wamid"].eq(carts["cause"]) & carts["cause"].ne("")
    truth = np.select([right, carts["cause"].ne("")], ["this message", "some message"], "came anyway")
    print("\nWhat made the cart in truth, by the rule that claims it")
    table = pd.crosstab(carts["rule"], truth)
    whole = table.sum(axis=1)
    forwarded = table.index == "forwarded"  # which names a product, not a message
    claimed = table.get("this message", 0) + table.get("some message", 0) * forwarded
    table["right"] = (claimed / whole).map("{:.1%}".format)
    print(table.to_string())


def print_choice(campaigns):
    """Print what the sure rules claim and how often they are right, by the time within which an answer must come."""
    print(f"\nExact and same item by the longest time to a prompt answer, seeds 0 to {len(campaigns) - 1:,}")
    print(f"{'within':>9}{'claimed':>11}{'right':>11}{'less 2 s.e.':>13}")
    for hours in (1, 2, 3, 4, 5, 6, 8, 12, 18, 24):
        parts = [sure(one, pd.Timedelta(hours=hours)) for one in campaigns]
        claimed, right = (sum(part) for part in zip(*parts, strict=True))
        share = right / claimed
        least = share - 2 * (share * (1 - share) / claimed) ** 0.5
        print(f"{hours:>7} h{claimed:>11,}{share:>11.1%}{least:>13.1%}", flush=True)


def sure(campaign, prompt):
    """Return how many carts the sure rules claim with this `prompt`, and how many of those their message made."""
    found = attribution.claims(campaign["pairs"], pd.Timedelta(HORIZON), prompt)
    found = found[found["rule"].isin(["exact", "same item"])]
    cause = found["message_id"].map(campaign["carts"].set_index("message_id")["cause"])
    return len(found), int((found["wamid"] == cause).sum())


def print_silence(worlds):
    """Print the false alarms of daily looks."""
    print(f"\nFalse alarms in {DAYS} daily looks at messages that do nothing, {len(worlds):,} campaigns each")
    columns = ("on the way", "at the end", "either, as told", "interval, any day", "interval, last day")
    print(f"{'held out':>9}" + "".join(f"{column:>20}" for column in columns))
    for place, share in enumerate(SHARES):
        told = np.array([world[place]["looks"] for world in worlds])
        early, end, naive = told[:, :, 0].any(axis=1), told[:, -1, 1], told[:, :, 2]
        found = (early, end, early | end, naive.any(axis=1), naive[:, -1])
        print(f"{share:>9.0%}" + "".join(f"{alarms.mean():>20.3f}" for alarms in found))


if __name__ == "__main__":
    main()
