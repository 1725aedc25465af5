"""Desks for tests: a small shop with an enquiry in it, and a sandbox in which a shopper will ask and then buy."""

from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

import wa_products as wa
from tests.review_shop import HOSTILE, proposals
from tests.sandbox_shop import AS_OF, HIDDEN, OUT_OF_STOCK, UNREVIEWED, shop
from wa_products import frames

DEMO = Path(__file__).parent.parent / "data" / "demo"


@dataclass
class Scene:
    """A desk, what it stands on, and the customer that a test looks at."""

    desk: object
    ledger: object
    sandbox: object
    client: object
    customer: str = ""


def enquiring(data, row, product="P3", minutes=30):
    """Return `data` in which the customer of the inbound row `row` asked about `product` some minutes ago."""
    asked = data.inbound.iloc[[row]].assign(
        message_id=f"ask-{row}",
        received_at=AS_OF - pd.Timedelta(minutes=minutes),
        kind="enquiry",
        text="Is this still available?",
        product_retailer_id=product,
    )
    inbound = frames.conform(pd.concat([data.inbound, asked], ignore_index=True), frames.INBOUND, "inbound")
    return replace(data, inbound=inbound)


def small(*rows, **options):
    """Return the scene of a small shop in which the customers of these inbound rows asked about P3."""
    data = shop(24)
    sendable = ~data.catalog["product_retailer_id"].isin([HIDDEN, UNREVIEWED, OUT_OF_STOCK])
    data = replace(data, catalog=data.catalog.assign(sendable=sendable))
    for row in rows:
        data = enquiring(data, row)
    sandbox, ledger = wa.Sandbox(data), wa.Ledger("sqlite://")
    client = sandbox.client()
    desk = wa.desk(data, ledger=ledger, client=client, by="ana", **options)
    return Scene(desk, ledger, sandbox, client, data.inbound["customer_id"].iloc[rows[0]] if rows else "")


def buying():
    """
    Return the scene of the demo shop after a campaign, and a shopper who asked since and will buy what is answered.

    What a shopper does hangs on the seed, not on who sends when: one copy of the sandbox shows who will buy, the desk
    stands on another.
    """
    data = wa.load(DEMO)
    chosen = wa.select(wa.propose(data), data)
    for seed in range(13, 40):
        trial = _after_a_campaign(data, chosen, seed)
        asked = trial.desk.threads.query("enquiry")
        asked = asked[asked["last_at"] > data.as_of]["customer_id"].tolist()
        for customer in asked:
            answer_first(trial.desk, customer)
        trial.sandbox.advance("20h")
        carts = wa.listen(trial.sandbox, ledger=trial.ledger).query("kind == 'cart'")
        buyers = [customer for customer in asked if customer in set(carts["customer_id"])]
        if buyers:
            scene = _after_a_campaign(data, chosen, seed)
            scene.customer = buyers[0]
            return scene
    raise AssertionError("no shopper buys: the sandbox has changed")


def answer_first(desk, customer):
    """Send the first suggestion to `customer` as the browser would; return the answers."""
    (thread,) = [m for m in desk.answer({"k": "open", "view": "v", "customer": customer}) if m["k"] == "thread"]
    return desk.answer(sending(customer, thread["offers"][0]))


def sending(customer, offer, **changes):
    """Return the message with which a browser sends `offer` to `customer`."""
    told = {name: offer[name] for name in ("product", "kind", "body", "footer")}
    return {"k": "send", "view": "v", "customer": customer, **told, **changes}


def _after_a_campaign(data, chosen, seed):
    sandbox, ledger = wa.Sandbox(data, seed=seed), wa.Ledger("sqlite://")
    client = sandbox.client()
    review = wa.review(chosen, data)
    review.approve_all()
    plan = review.plan(campaign="before", approved_by="test", holdout=0.0)
    wa.send(plan, ledger=ledger, client=client, dry_run=False, progress=False)
    sandbox.advance("6h")
    wa.listen(sandbox, ledger=ledger)
    return Scene(wa.desk(data, ledger=ledger, client=client, by="ana", mailbox=sandbox), ledger, sandbox, client)


def hostile():
    """Return a desk whose messages, names, titles and links would run or load something if they were markup."""
    _, data = proposals(8)
    catalog = data.catalog.assign(
        title=[HOSTILE[n % len(HOSTILE)] for n in range(len(data.catalog))], image_link="javascript:window.fired='link'"
    )
    asked = data.inbound.assign(kind="enquiry", product_retailer_id="sku-0001", text=HOSTILE[1])
    data = replace(data, catalog=catalog, inbound=asked, pictures={})
    names = dict.fromkeys(asked["customer_id"], HOSTILE[0])
    return wa.desk(data, ledger=wa.Ledger("sqlite://"), client=wa.Sandbox(data).client(), names=names)
