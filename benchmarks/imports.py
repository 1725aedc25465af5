"""
A Shopify-like order export, read to the canonical frame with its issues: beside pandas and polars reading it as text.

    python benchmarks/imports.py [--rows 5000000] [--runs 1]

The file is the same for the same number of rows: 14 columns, quoted titles with commas, a bit over half of the rows
the first of an order. Each measurement is a process of its own; several runs give medians. CPU seconds are the fairer
figure where other work shares the machine. pandas and polars only read: no phones, times, amounts, orders or issues.
"""

import argparse
import importlib.util
import json
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HEADER = (
    "Name,Email,Financial Status,Currency,Total,Created at,Lineitem quantity,Lineitem name,Lineitem price,"
    "Lineitem sku,Billing Country,Phone,Cancelled at,Id\n"
)
PRODUCTS, CUSTOMERS, BLOCK = 2_000, 600_000, 50_000
AREAS = [100 * n + rest for n in (2, 3, 5, 6, 7, 8, 9) for rest in (*range(1, 10), *range(12, 19))]  # of North America
SIZES, SHARES = (1, 2, 3, 4, 5), (50, 28, 14, 6, 2)
FIRST = 1_546_300_800  # 2019-01-01 in seconds, UTC
YEARS = 7.2 * 365 * 86_400
MADE_OF = ["Cotton", "Linen", "Green", "Black", "Steel", "Wooden", "Glass", "Woollen", "Silk", "Copper"]
THINGS = ["shirt", "tea", "lamp", "cup", "scarf", "chair", "desk", "bottle", "brush", "soap"]
NOW = 'pd.Timestamp("2026-11-20T09:00:00Z")'
WAYS = {
    "pandas.read_csv, all as text": (
        "import pandas as pd\nrows = len(pd.read_csv(path, dtype=str, keep_default_na=False))"
    ),
    "polars.read_csv, all as text": "import polars\nrows = len(polars.read_csv(path, infer_schema=False))",
    "read_orders: canonical, with issues": (
        f"import pandas as pd\nfrom wa_products import read_orders\nrows = len(read_orders(path, as_of={NOW})[0])"
    ),
    "load, first time: joined, cache written": (
        f"import pandas as pd\nfrom wa_products import load\nrows = len(load(folder, as_of={NOW}).orders)"
    ),
    "load again, from the cache": (
        f"import pandas as pd\nfrom wa_products import load\nrows = len(load(folder, as_of={NOW}).orders)"
    ),
}
MEASURED = """
import resource, sys, time
from pathlib import Path
{imports}
path, folder = Path(sys.argv[1]), Path(sys.argv[1]).parent
used = resource.getrusage(resource.RUSAGE_SELF)
started = time.perf_counter()
{body}
seconds = time.perf_counter() - started
now = resource.getrusage(resource.RUSAGE_SELF)
cpu = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
import json
print(json.dumps([rows, seconds, cpu, now.ru_maxrss / 1024]))
"""


def product(n):
    """Return title, price and SKU of a product as they stand in a line."""
    made_of, thing = MADE_OF[n % 10], THINGS[n // 10 % 10]
    finish = "washed and pressed" if n % 2 else "raw, undyed cloth"
    title = f'"{made_of} {thing}, no. {n} - {"SML"[n % 3]} / {MADE_OF[n * 7 % 10]}, {finish}"'
    return title, f"{n % 90 + 3}.{n % 4 * 25:02}", "" if n % 20 else f"SKU-{n:05}"


def customer(n):
    """Return phone and e-mail of a customer, of whom few lack the phone. The numbers are those that fiction may use."""
    phone = "" if n % 50 == 0 else f"+1{AREAS[n % len(AREAS)]}55501{n // len(AREAS) % 100:02}"
    return phone, "" if n % 2 else f"customer{n}@example.com"


def stamps(draw, orders, step):
    """Yield the time of each order as Shopify writes it, in the shop's own zone."""
    at = FIRST
    for _ in range(orders):
        at += draw.random() * 2 * step
        days, seconds = divmod(int(at) + 6 * 3600, 86_400)
        yield f"{date(days)} {seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02} +0600"


def date(days, known={}):  # noqa: B006  # a memory of the days written before
    """Return the day so many days after 1970-01-01."""
    if days not in known:
        import datetime as dt  # noqa: PLC0415  # used here alone

        known[days] = (dt.date(1970, 1, 1) + dt.timedelta(days=days)).isoformat()
    return known[days]


def write(path, rows):
    """Write so many order lines; the same number gives the same bytes."""
    draw = random.Random(5)
    products = [product(n) for n in range(PRODUCTS)]
    orders = int(rows / 1.7)
    times = stamps(draw, rows, YEARS / max(1, orders))
    left, number = rows, 0
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(HEADER)
        while left:
            some = []
            for lines in draw.choices(SIZES, SHARES, k=BLOCK):
                number += 1
                count = min(lines, left)
                if not count:
                    break
                left -= count
                some += order(number, next(times), draw.choices(products, k=count), draw)
            file.writelines(some)


def order(number, at, bought, draw):
    """Return the rows of an order: its own columns on the first alone."""
    phone, email = customer(draw.randrange(CUSTOMERS))
    cancelled = at if draw.random() < 0.04 else ""
    (title, price, sku), *others = bought
    head = f"#{number + 1000},{email},pending,BDT,{price},{at},{number % 3 + 1},{title},{price},{sku},US,{phone}"
    rest = [f"#{number + 1000},{email},,,,{at},1,{t},{p},{s},,,,\n" for t, p, s in others]
    return [f"{head},{cancelled},{4_000_000_000_000 + number * 32_768}\n", *rest]


def measured(body, path):
    """Return rows, seconds, CPU seconds and peak MiB of `body` in a process of its own, without its imports."""
    imports, _, work = body.rpartition("\n")
    code = MEASURED.format(imports=imports, body=work)
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--runs", type=int, default=0, help="runs of each; default 1, of small files 5")
    given = parser.parse_args()
    runs = given.runs or (1 if given.rows > 1_000_000 else 5)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "orders.csv"
        write(path, given.rows)
        print(f"{given.rows:,} order lines, {path.stat().st_size / 1e6:,.0f} MB; median of {runs}")
        print(f"{'':42}{'seconds':>9}{'CPU s':>9}{'peak MiB':>10}{'x pandas':>10}{'x CPU':>8}")
        plain = None
        for name, body in WAYS.items():
            if "polars" in name and importlib.util.find_spec("polars") is None:
                print(f"{name:42}  not installed")
                continue
            found = [measured(body, path) for _ in range(1 if "first time" in name else runs)]
            rows, seconds, cpu, peak = (statistics.median(column) for column in zip(*found, strict=True))
            if rows != given.rows:
                print(f"{name:42}  read {rows:,} rows", file=sys.stderr)
            plain = plain or (seconds, cpu)
            print(f"{name:42}{seconds:>9.2f}{cpu:>9.2f}{peak:>10,.0f}{seconds / plain[0]:>10.2f}{cpu / plain[1]:>8.2f}")


if __name__ == "__main__":
    main()
