"""
Shops from a million to fifty million order lines: stored, proposed to, beside what others take for far less.

    python benchmarks/scale.py [--lines 1000000 5000000] [--folder FOLDER] [--workers 2] [--only propose scan]

The lines are made from a seed: 50 a customer over two years, most from some favourites with a rhythm of their own, few
items sold far more than most; 20,000 products on shelves (fewer in small shops). Each measurement is a process of its
own, counted from when the package is imported. CPU seconds are of all its threads, the peak is of its resident memory,
`x scan` the CPU seconds beside those of reading the same columns of the same files and adding them up. What a peer does
is less: pandas and polars count, time and pair purchases and propose nothing; implicit's ALS learns 64 factors and
names ten products a customer. A peer that is not installed, or would need more memory than --memory, is left out.
`growth` is the exponent of CPU seconds over lines, fitted to all sizes given.
"""

import argparse
import importlib.util
import json
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parent.parent))

AS_OF = pd.Timestamp("2026-11-20T09:00Z")
A_CUSTOMER, PRODUCTS, YEARS = 50, 20_000, 2
FAVOURITES, BATCH = 8, 20_000
OPEN = 10_000
MEASURED = """
import json, resource, sys, time
sys.path.insert(0, {here!r})
import scale, wa_products
start, used = time.perf_counter(), time.process_time()
found = scale.{step}(*sys.argv[1:])
now = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps([time.perf_counter() - start, time.process_time() - used, now.ru_maxrss / 1e3, found]))
"""
PEERS = {"pandas": 210, "polars": 210, "implicit": 200}  # and the bytes of memory that a line takes there, measured


def main():
    """Print a table a size, and how CPU seconds grow."""
    options = _options()
    with tempfile.TemporaryDirectory() as made:
        folder, spent = Path(options.folder or made), {}
        for size in options.lines:
            print(f"\n{size:,} lines, {size // A_CUSTOMER:,} customers, {_products(size):,} products", flush=True)
            print(f"{'':34}{'seconds':>9}{'CPU s':>9}{'peak MB':>9}{'x scan':>8}  answer")
            scan, cost = None, {}
            for name, step, arguments in _steps(folder / str(size), size, options):
                found = _measured(step, arguments)
                scan = scan or (found[1] if step == "scan" else None)
                ratio = f"{found[1] / scan:>8.1f}" if scan else " " * 8
                print(f"{name:34}{found[0]:>9.1f}{found[1]:>9.1f}{found[2]:>9,.0f}{ratio}  {found[3]}", flush=True)
                spent.setdefault(name, []).append((size, found[1]))
                cost[step] = found[1]
            told = [
                f"{cost['everyone'] / cost[peer]:.1f} x {peer}" for peer in PEERS if {peer, "everyone"} <= set(cost)
            ]
            print(f"propose for all, in CPU seconds: {', '.join(told)}" if told else "", flush=True)
    for name, measured in spent.items():
        if len(measured) > 1:
            sizes, seconds = np.log(np.array(measured)).T
            print(f"{name:34} growth {np.polyfit(sizes, seconds, 1)[0]:.2f}")


def _options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, nargs="+", default=[1_000_000, 5_000_000])
    parser.add_argument("--folder", help="where stores are kept for the next time; default: nowhere")
    parser.add_argument("--workers", type=int, default=2, help="parts worked on at once")
    parser.add_argument("--memory", type=float, default=8, help="GB that a peer may take")
    parser.add_argument(
        "--only",
        nargs="+",
        help="steps: store scan everyone streamed some learn asked pandas polars implicit",
    )
    return parser.parse_args()


def _steps(store, size, options):
    steps = [
        ("store written", "store", [store, size]),
        ("scan of the same columns", "scan", [store]),
        ("propose for all", "everyone", [store, options.workers]),
        ("  part after part, one each", "streamed", [store, options.workers]),
        (f"propose for {OPEN:,} open threads", "some", [store, options.workers]),
        ("  of that: learning", "learn", [store, options.workers]),
        ("  of that: once it is learned", "asked", [store, options.workers]),
        *(
            (f"{peer}, which does less", peer, [store])
            for peer, each in PEERS.items()
            if importlib.util.find_spec(peer) and size * each < options.memory * 1e9
        ),
    ]
    steps = [step for step in steps if not options.only or step[1] in options.only]
    return steps if not (store / "store.json").exists() else [step for step in steps if step[1] != "store"]


def _measured(step, arguments):
    code = MEASURED.format(here=str(Path(__file__).parent), step=step)
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def _products(size):
    return max(PRODUCTS // 10, min(PRODUCTS, size // 1000))


def batches(size, seed=11):
    """Yield frames of orders, together of about `size` lines, by customers."""
    popular = 1.0 / np.arange(1, _products(size) + 1) ** 0.8
    share = np.cumsum(popular / popular.sum())
    ids = pd.Series([f"sku-{n:05}" for n in range(_products(size))], dtype="str")
    customers = size // A_CUSTOMER
    for first in range(0, customers, BATCH):
        draw = np.random.default_rng([seed, first])
        yield _batch(draw, first, min(BATCH, customers - first), share, ids)


def _batch(draw, first, count, share, ids):
    visits = np.maximum(draw.poisson(A_CUSTOMER / 3.7, count), 1)
    liked = np.searchsorted(share, draw.random((count, FAVOURITES)))
    customer = np.repeat(np.arange(count), visits)
    days = draw.random(len(customer)) * 365 * YEARS
    lines = 1 + draw.poisson(2.7, len(customer))
    visit = np.repeat(np.arange(len(customer)), lines)
    whose, places = customer[visit], len(visit)
    own = liked[whose, np.minimum(draw.geometric(0.3, places) - 1, FAVOURITES - 1)]
    product = np.where(draw.random(places) < 0.85, own, np.searchsorted(share, draw.random(places)))
    at = AS_OF - pd.to_timedelta((days[visit] * 86_400).astype("int64"), unit="s")
    names = pd.Series([f"c{n:08}" for n in range(first, first + count)], dtype="str")
    orders = pd.Series([f"{first}-{n}" for n in range(len(customer))], dtype="str")
    return pd.DataFrame(
        {
            "order_id": orders.take(visit).to_numpy(),
            "line_no": np.arange(places) - np.repeat(np.cumsum(lines) - lines, lines) + 1,
            "customer_id": names.take(whose).to_numpy(),
            "ordered_at": at,
            "product_retailer_id": ids.take(product).to_numpy(),
            "quantity": 1.0,
            "currency": "GBP",
            "status": "paid",
            "is_purchase": True,
        }
    )


def shop(size):
    """Return catalog and inbound messages of a shop: 10,000 customers wrote today."""
    from wa_products import frames  # noqa: PLC0415

    number = np.arange(_products(size))
    catalog = pd.DataFrame(
        {
            "product_retailer_id": [f"sku-{n:05}" for n in number],
            "title": [f"Product {n}" for n in number],
            "product_type": [f"aisle {n * 7 % 40} > shelf {n * 7 % 400}" for n in number],
            "currency": "GBP",
            "availability": "in stock",
            "sendable": True,
        }
    )
    every = max(size // A_CUSTOMER // OPEN, 1)
    who = [f"c{n:08}" for n in range(0, size // A_CUSTOMER, every)][:OPEN]
    inbound = pd.DataFrame(
        {"message_id": [f"m{n}" for n in range(len(who))], "customer_id": who, "kind": "text", "text": "hello"}
    ).assign(received_at=AS_OF - pd.Timedelta(hours=2))
    return frames.conform(catalog, frames.CATALOG, "catalog"), frames.conform(inbound, frames.INBOUND, "inbound")


def store(root, size):
    """Write a store of so many generated lines."""
    from wa_products.stores import Store, opening  # noqa: PLC0415

    made = Store(root)
    for number, frame in enumerate(batches(int(size))):
        made.append(frame, f"batch {number}", goes_on=number > 0)
    made.merge()
    for name, frame in zip(("catalog", "inbound"), shop(int(size)), strict=True):
        opening.keep(made.root, name, frame)
    made.describe(as_of=AS_OF.isoformat())
    size_on_disk = sum(path.stat().st_size for path in made.root.rglob("*.parquet"))
    return f"{len(made.orders):,} lines, {size_on_disk / 1e6:,.0f} MB"


def _opened(root, workers):
    from dataclasses import replace  # noqa: PLC0415

    from wa_products import load  # noqa: PLC0415

    data = load(root)
    return replace(data, orders=replace(data.stored, workers=int(workers), progress=False))


def scan(root):
    """Read the columns that proposals need, and add up what is in them."""
    import pyarrow.compute as pc  # noqa: PLC0415

    stored, total = _opened(root, 1).stored, 0
    for table in stored.tables(["customer_id", "product_retailer_id", "ordered_at", "is_purchase"], coded=True):
        for name in ("customer_id", "product_retailer_id"):
            total += sum(pc.sum(chunk.indices).as_py() for chunk in table[name].chunks)
        total += pc.sum(table["ordered_at"].cast("int64")).as_py() + pc.sum(table["is_purchase"]).as_py()
    return f"{total % 1_000_000}"


def everyone(root, workers):
    """Propose to every customer."""
    from wa_products import propose  # noqa: PLC0415

    found = propose(_opened(root, workers))
    return f"{len(found):,} proposals for {found['customer_id'].nunique():,} customers"


def streamed(root, workers):
    """Propose one product to every customer, and keep no part when the next one comes."""
    from wa_products.proposals import in_parts  # noqa: PLC0415

    return f"{sum(len(part) for part in in_parts(_opened(root, workers), k=1)):,} proposals"


def some(root, workers):
    """Propose to the customers in open threads."""
    from wa_products import propose  # noqa: PLC0415

    data = _opened(root, workers)
    who = data.threads.loc[data.threads["is_open"], "customer_id"]
    found = propose(data, customers=who)
    return f"{len(found):,} proposals for {found['customer_id'].nunique():,} customers"


def learn(root, workers):
    """Learn what customers share, and keep it for the next step."""
    from wa_products import Ranked, Requested  # noqa: PLC0415
    from wa_products.proposals import prepared  # noqa: PLC0415

    ready = prepared(_opened(root, workers), [Requested(), Ranked()], 3)
    (Path(root).parent / "learned.pickle").write_bytes(pickle.dumps(ready))
    return f"{sum(trees.num_trees() for trees in ready[1].learned_.model.trees)} trees"


def asked(root, workers):
    """Ask for the customers in open threads what was learned in the step before."""
    from wa_products.proposals import of_part  # noqa: PLC0415

    data = _opened(root, workers)
    who = pd.Index(data.threads.loc[data.threads["is_open"], "customer_id"])
    ready = pickle.loads((Path(root).parent / "learned.pickle").read_bytes())  # noqa: S301  # our own, a step ago
    found = pd.concat(data.each_of(who, lambda part, some: of_part(ready, part, some, 3)))
    return f"{len(found):,} proposals for {found['customer_id'].nunique():,} customers"


def _columns(root):
    lines = _opened(root, 1).stored.read(["order_id", "customer_id", "product_retailer_id", "ordered_at"])
    codes = lines[["order_id", "customer_id", "product_retailer_id"]].apply(lambda column: column.cat.codes)
    return codes.assign(at=lines["ordered_at"])


def pandas(root):
    """Count and time each customer's products, and pair the products of orders, as one writes it down."""
    lines = _columns(root)
    keys = ["customer_id", "product_retailer_id"]
    lines = lines.sort_values([*keys, "at"])
    gaps = lines.assign(gap=lines.groupby(keys)["at"].diff().dt.total_seconds())
    pairs = gaps.groupby(keys).agg(times=("at", "size"), first=("at", "min"), last=("at", "max"), gap=("gap", "mean"))
    order = lines[["order_id", "product_retailer_id"]].drop_duplicates()
    both = order.merge(order, on="order_id")
    both = both[both["product_retailer_id_x"] < both["product_retailer_id_y"]]
    beside = both.groupby(["product_retailer_id_x", "product_retailer_id_y"]).size()
    return f"{len(pairs):,} pairs, {len(beside):,} beside each other"


def polars(root):
    """Do the same in polars, lazily."""
    import polars as pl  # noqa: PLC0415

    lines = pl.from_pandas(_columns(root)).lazy()
    keys = ["customer_id", "product_retailer_id"]
    at = pl.col("at")
    pairs = lines.group_by(keys).agg(
        at.len().alias("times"),
        at.min().alias("first"),
        at.max().alias("last"),
        at.sort().diff().mean().alias("gap"),
    )
    order = lines.select("order_id", "product_retailer_id").unique()
    both = order.join(order, on="order_id").filter(pl.col("product_retailer_id") < pl.col("product_retailer_id_right"))
    beside = both.group_by("product_retailer_id", "product_retailer_id_right").len()
    found = pl.collect_all([pairs.select(pl.len()), beside.select(pl.len())], engine="streaming")
    return f"{found[0].item():,} pairs, {found[1].item():,} beside each other"


def implicit(root):
    """Learn 64 factors by alternating least squares, and name ten products for each customer."""
    from implicit.als import AlternatingLeastSquares  # noqa: PLC0415
    from scipy import sparse  # noqa: PLC0415

    lines = _columns(root)
    ones = np.ones(len(lines), dtype="float32")
    bought = sparse.csr_matrix((ones, (lines["customer_id"], lines["product_retailer_id"])))
    model = AlternatingLeastSquares(factors=64, random_state=7)
    model.fit(bought, show_progress=False)
    named, _ = model.recommend(np.arange(bought.shape[0]), bought, N=10, filter_already_liked_items=False)
    return f"{named.size:,} products"


if __name__ == "__main__":
    main()
