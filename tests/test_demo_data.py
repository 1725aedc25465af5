"""The made-up shop in data/demo holds what it promises, and nobody in it is real."""

import csv
import io
import json
import re
import subprocess
import sys
import tomllib
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import mean, median
from zoneinfo import ZoneInfo

import phonenumbers
import pytest

from wa_products.identities import customer_id

DATA = Path(__file__).parents[1] / "data"
DEMO = DATA / "demo"
TEXTS = ("catalog_products.csv", "orders_export.csv", "webhooks.jsonl", "shop.toml")
PHONE_COLUMNS = ("Phone", "Shipping Phone", "Billing Phone")
FICTION = range(447700900000, 447700901000)
NOT_OPENING = {"reaction", "unsupported", "system"}
CONTINUED = {"Name", "Email", "Created at", "Phone"}


def read(path):
    """Rows of a CSV file as dicts."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def moment(text):
    """A time with its offset, in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def e164(text):
    """Digits of a British number as a person typed it."""
    return f"44{phonenumbers.parse(text.lstrip(chr(39)), 'GB').national_number}"


@pytest.fixture(scope="module")
def shop():
    """The settings beside the exports."""
    return tomllib.loads((DEMO / "shop.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def catalog():
    """Rows of the catalog, below the row of help."""
    lines = (DEMO / "catalog_products.csv").read_text(encoding="utf-8-sig")
    _help, _, rest = lines.partition("\n")
    return list(csv.DictReader(io.StringIO(rest)))


@pytest.fixture(scope="module")
def lines():
    """Rows of the orders export."""
    return read(DEMO / "orders_export.csv")


@pytest.fixture(scope="module")
def orders(lines):
    """Each order: its first row, and all of its rows."""
    grouped = defaultdict(list)
    for line in lines:
        grouped[line["Name"]].append(line)
    return list(grouped.values())


@pytest.fixture(scope="module")
def bodies():
    """Every body of the webhook log."""
    return [json.loads(line) for line in (DEMO / "webhooks.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def values(bodies):
    """The value of every change of every entry."""
    return [change["value"] for body in bodies for entry in body["entry"] for change in entry["changes"]]


@pytest.fixture(scope="module")
def messages(values):
    """Every inbound message once."""
    return {message["id"]: message for value in values for message in value.get("messages", [])}


@pytest.fixture(scope="module")
def truth():
    """What the simulation knows of each favourite."""
    return read(DATA / "demo_truth.csv")


@pytest.fixture(scope="module")
def names(catalog):
    """The retailer id of each product by the name that an order line gives it."""
    options = [" / ".join(filter(None, (row["color"], row["size"]))) for row in catalog]
    return {" - ".join(filter(None, (r["title"], o))): r["id"] for r, o in zip(catalog, options, strict=True)}


def order_phone(head):
    """The digits of the first phone of an order that can be read."""
    cells = [head[column] for column in PHONE_COLUMNS]
    return next((e164(cell) for cell in cells if cell and "E+" not in cell), "")


def key_of(head):
    """The customer id of an order."""
    return customer_id("phone", order_phone(head)) or customer_id("email", head["Email"])


def test_size(catalog, lines, orders):
    """About 150 products, 1,000 customers, 18 months and 15,000 order lines, in less than 3 MB."""
    ours = [path for path in DEMO.rglob("*") if path.is_file() and ".wa_products_cache" not in path.parts]
    assert sum(path.stat().st_size for path in ours) < 3_000_000
    assert sum(path.stat().st_size for path in (DEMO / "images").iterdir()) < 700_000
    assert 140 <= len({row["id"] for row in catalog}) <= 160
    assert 14_000 <= len(lines) <= 16_000
    assert 900 <= len({key_of(rows[0]) for rows in orders}) <= 1_100
    times = [moment(rows[0]["Created at"]) for rows in orders]
    assert 530 <= (max(times) - min(times)).days <= 550


def test_same_bytes_again(tmp_path):
    """The generator writes the committed files again, byte for byte, and pictures that look the same."""
    image = pytest.importorskip("PIL.Image", reason="the pictures need Pillow, from the dev extra")
    chops = pytest.importorskip("PIL.ImageChops")
    subprocess.run([sys.executable, DATA / "make_demo.py", "--to", tmp_path], check=True, capture_output=True)
    for name in (*(f"demo/{text}" for text in TEXTS), "demo_truth.csv"):
        assert (tmp_path / name).read_bytes() == (DATA / name).read_bytes(), name
    made = sorted((tmp_path / "demo" / "images").iterdir())
    assert [path.name for path in made] == sorted(path.name for path in (DEMO / "images").iterdir())
    for path in made:  # another Pillow may compress otherwise and round a glyph's edge otherwise
        with image.open(path) as again, image.open(DEMO / "images" / path.name) as kept:
            difference = chops.difference(again.convert("L"), kept.convert("L"))
            assert mean(difference.resize((24, 24)).tobytes()) < 2, path.name


def test_shop_settings(shop):
    """The settings beside the exports name currency, region, zone, catalog and a moment with its zone."""
    assert (shop["currency"], shop["region"], shop["timezone"]) == ("GBP", "GB", "Europe/London")
    assert shop["as_of"] == datetime(2026, 11, 20, 9, tzinfo=UTC)
    assert shop["catalog_id"].isdigit()
    assert shop["name"]


def test_catalog_layout():
    """The catalog begins with a byte-order mark and a row of help in another language; its header is Meta's."""
    raw = (DEMO / "catalog_products.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    help_row, header = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"))))[:2]
    assert help_row[0].startswith("# Obligatorio |")
    assert len(help_row) == len(header)
    assert ",".join(header).startswith(
        "id,title,description,availability,condition,price,link,image_link,brand,google_product_category,"
        "fb_product_category,quantity_to_sell_on_facebook,sale_price,sale_price_effective_date,item_group_id,gender,"
        "color,size,age_group,material,pattern,shipping,shipping_weight"
    )


def test_catalog_traps(catalog):
    """The catalog has a duplicated id, sold-out and hidden items, numeric ids and four titles that hurt."""
    assert [count for count in Counter(row["id"] for row in catalog).values() if count > 1] == [2]
    assert {row["availability"] for row in catalog} == {"in stock", "out of stock", "preorder", " in stock"}
    assert sum(row["availability"] == "out of stock" for row in catalog) >= 3
    assert sum(row["visibility"] == "hidden" for row in catalog) == 1
    assert sum(row["id"].startswith("0") for row in catalog) >= 3
    titles = [row["title"] for row in catalog]
    for pattern in (r"<img src=x onerror=", r"\U0001f308", r"[\u0600-\u06ff]", r".{190}"):
        assert sum(bool(re.search(pattern, title)) for title in titles) == 1, pattern
    assert max(map(len, titles)) <= 200


def test_variants(catalog):
    """Variants of a group share the title and differ in size or colour; a title and its options name one row."""
    groups = defaultdict(list)
    for row in catalog:
        groups[row["item_group_id"]].append(row)
    singles = groups.pop("")
    assert len(groups) > 40
    assert len(singles) > 30
    for rows in groups.values():
        assert len({row["title"] for row in rows}) == 1
        assert len({(row["color"], row["size"]) for row in rows}) == len(rows) > 1


def test_sale_windows(catalog, shop):
    """Some sale prices hold now, some have ended, some have no window; each is below the price."""
    found = Counter()
    for row in catalog:
        assert re.fullmatch(r"\d+\.\d\d GBP", row["price"])
        if not row["sale_price"]:
            continue
        assert float(row["sale_price"].split()[0]) < float(row["price"].split()[0])
        if row["sale_price_effective_date"]:
            start, end = map(moment, row["sale_price_effective_date"].split("/"))
            found["current" if start <= shop["as_of"] <= end else "ended"] += 1
        else:
            found["always"] += 1
    assert min(found[kind] for kind in ("current", "ended", "always")) >= 3


def test_pictures(catalog):
    """Every product has its own picture, a square PNG with a palette."""
    for row in catalog:
        site, _, name = row["image_link"].rpartition("/")
        assert site == "https://shop.example/images"
        header = (DEMO / "images" / name).read_bytes()[:26]
        assert header[:8] == b"\x89PNG\r\n\x1a\n"
        assert [int.from_bytes(header[at : at + 4]) for at in (16, 20)] == [240, 240]
        assert header[25] == 3  # colour type: palette
    assert len({row["image_link"] for row in catalog}) == len({row["id"] for row in catalog})


def test_order_rows(lines, orders):
    """Rows of an order lie together, and only the first has the columns of the order."""
    assert len(lines[0]) == 75
    assert sum(a["Name"] != b["Name"] for a, b in pairwise(lines)) == len(orders) - 1
    assert sum(len(rows) > 1 for rows in orders) > 1_000
    assert len({rows[0]["Id"] for rows in orders}) == len(orders)
    for head, *others in orders:
        assert head["Financial Status"]
        for row in others:
            filled = {column for column, value in row.items() if value}
            assert {column for column in filled if not column.startswith("Lineitem")} <= CONTINUED
            assert all(row[column] == head[column] for column in CONTINUED)


def test_order_traps(orders):
    """Cash on delivery, cancelled, voided, refunded, partly refunded and test orders, notes of several lines."""
    heads = [rows[0] for rows in orders]
    statuses = Counter(head["Financial Status"] for head in heads)
    assert min(statuses[status] for status in ("voided", "refunded", "partially_refunded", "authorized")) >= 5
    cash = [head for head in heads if head["Payment Method"] == "Cash on Delivery (COD)" and not head["Cancelled at"]]
    assert sum(head["Financial Status"] == "pending" for head in cash) > 500
    assert sum(bool(head["Cancelled at"]) for head in heads) > 100
    assert all(head["Cancelled at"] for head in heads if head["Financial Status"] == "voided")
    assert all(head["Refunded Amount"] for head in heads if "refunded" in head["Financial Status"])
    tests = [head for head in heads if "Bogus" in head["Payment Method"]]
    assert len(tests) >= 5
    assert {head["Email"] for head in tests} == {"checkout-test@example.com"}
    notes = [head["Notes"] for head in heads if head["Notes"]]
    assert sum("\n" in note for note in notes) >= 10
    assert any("<script>" in note for note in notes)
    assert any(note.startswith("=") for note in notes)


def test_order_lines_find_their_product(lines, catalog, names):
    """A line has the retailer id, an old code or nothing as its SKU; title and options find it all the same."""
    ids = {row["id"] for row in catalog}
    assert 0.5 < mean(line["Lineitem sku"] == "" for line in lines) < 0.9
    assert 0.1 < mean(line["Lineitem sku"] in ids for line in lines) < 0.5
    assert sum(line["Lineitem sku"] not in ids | {""} for line in lines) > 100
    unknown = Counter(line["Lineitem name"] for line in lines if line["Lineitem name"] not in names)
    assert set(unknown) == {"Tip", "Shipping Protection", "Gift Card - £10", "Spice Coffee - 250 g"}
    assert 100 < sum(unknown.values()) < 0.03 * len(lines)


def test_order_times(lines, shop):
    """Orders are stamped in London with the offset of the day, newest first, all before the demo's moment."""
    times = [datetime.strptime(line["Created at"], "%Y-%m-%d %H:%M:%S %z") for line in lines]
    london = ZoneInfo("Europe/London")
    assert all(time.utcoffset() == time.astimezone(london).utcoffset() for time in times)
    assert {time.utcoffset() for time in times} == {timedelta(0), timedelta(hours=1)}
    assert times == sorted(times, reverse=True)
    assert times[0] < shop["as_of"]


def test_phones_as_typed(orders):
    """The three phone columns differ in quality, and whoever has a phone has a readable one in every order."""
    heads = [rows[0] for rows in orders]
    cells = [head[column] for head in heads for column in PHONE_COLUMNS]
    for pattern in (
        r"0\d{4} \d{6}",
        r"\+44 7\d+ \d+",
        r"\+44 0 7\d+ \d+",
        r"447\d+",
        r"'\+447\d+",
        r"",
        r"4\.4\d+E\+11",
    ):
        assert sum(bool(re.fullmatch(pattern, cell)) for cell in cells) >= 3, pattern
    assert all(re.fullmatch(r"\+447700900\d{3}|", head["Phone"]) for head in heads)
    assert sum(head["Phone"] == "" for head in heads) > 1_000
    assert all(head["Email"] for head in heads if not order_phone(head) and head["Source"] != "pos")


def test_nobody_is_real(orders, values):
    """Every phone lies in Ofcom's range for fiction, is unique to a customer, and every address is an example."""
    heads = [rows[0] for rows in orders]
    typed = {head[column] for head in heads for column in PHONE_COLUMNS} - {""}
    phones = {e164(cell) for cell in typed if "E+" not in cell}
    for value in values:
        phones |= {contact["wa_id"] for contact in value.get("contacts", []) if "wa_id" in contact}
        phones |= {message["from"] for message in value.get("messages", []) if "from" in message}
        phones |= {status["recipient_id"] for status in value.get("statuses", [])}
        phones.add(value["metadata"]["display_phone_number"])
    assert len(phones) > 900
    assert all(int(phone) in FICTION for phone in phones)
    assert all(phonenumbers.is_possible_number(phonenumbers.parse(f"+{phone}")) for phone in phones)
    for name in TEXTS:
        text = (DEMO / name).read_text(encoding="utf-8")
        assert set(re.findall(r"[\w.]+@([\w-]+\.[\w.]+)", text)) <= {"example.com"}
        assert set(re.findall(r"https?://([\w.-]+)", text)) <= {"shop.example"}
        assert {f"44{digits}" for digits in re.findall(r"\b(?:\+?44|0)(7\d{9})\b", text)} <= set(map(str, FICTION))


def test_one_phone_one_email(orders):
    """No two customers share a phone, and nobody has two e-mails."""
    emails = defaultdict(set)
    for head, *_ in orders:
        if head["Email"] and order_phone(head):
            emails[order_phone(head)].add(head["Email"])
    assert all(len(found) == 1 for found in emails.values())
    flat = [email for found in emails.values() for email in found]
    assert len(flat) == len(set(flat))


def test_webhook_shapes(bodies, values, messages):
    """The log has every kind of body a receiver meets: batches, repeats, late ones, both years' shapes."""
    assert all(body["object"] == "whatsapp_business_account" for body in bodies)
    kinds = Counter(message["type"] for message in messages.values())
    assert {"text", "interactive", "image", "reaction", "order", "system", "unsupported"} <= set(kinds)
    assert sum("referred_product" in message.get("context", {}) for message in messages.values()) > 60
    texts = [message["text"]["body"] for message in messages.values() if message["type"] == "text"]
    assert {"STOP", "START"} <= set(texts)
    preferences = [item for value in values for item in value.get("user_preferences", [])]
    assert {item["value"] for item in preferences} == {"stop", "resume"}
    assert all(isinstance(item["timestamp"], int) for item in preferences)
    assert {status["status"] for value in values for status in value.get("statuses", [])} >= {"read", "failed"}
    assert max(Counter(json.dumps(body) for body in bodies).values()) == 2
    assert any(len(body["entry"]) > 1 and len(body["entry"][0]["changes"]) > 1 for body in bodies)
    assert any(len(value.get("messages", [])) > 1 for value in values)
    times = [int(value["messages"][-1]["timestamp"]) for value in values if value.get("messages")]
    assert times != sorted(times)


def test_webhook_identities(values, messages):
    """Customers appear by phone alone, by phone and user id, by user id alone, and with a changed number."""
    ids = Counter(("from" in message, "from_user_id" in message) for message in messages.values())
    assert min(ids[True, False], ids[True, True], ids[False, True]) >= 20
    assert (False, False) not in ids
    changes = [message["system"] for message in messages.values() if message["type"] == "system"]
    assert {notice["type"] for notice in changes} == {"user_changed_number"}
    assert any("previous_user_id" in notice for notice in changes)
    assert any("previous_user_id" not in notice for notice in changes)
    hidden = {m["from_user_id"] for m in messages.values() if "from" not in m}
    both = {m["from_user_id"] for m in messages.values() if "from" in m and "from_user_id" in m}
    assert len(hidden & both) >= 5
    assert len(hidden - both) >= 10
    assert all("wa_id" not in c for v in values for c in v.get("contacts", []) if "username" in c["profile"])


def test_open_threads(messages, orders, shop):
    """About 300 customers wrote within the last day less five minutes; a minority of them never ordered."""
    alias, moved = {}, {}
    for message in messages.values():
        if "from" in message and "from_user_id" in message:
            alias[message["from_user_id"]] = message["from"]
        if message["type"] == "system":
            moved[message["from"]] = int(message["timestamp"])
    last = defaultdict(int)
    for message in messages.values():
        if message["type"] not in NOT_OPENING:
            writer = message.get("from") or alias.get(message["from_user_id"], message["from_user_id"])
            last[writer] = max(last[writer], int(message["timestamp"]))
    as_of = int(shop["as_of"].timestamp())
    assert max(last.values()) <= as_of
    still_open = {writer for writer, at in last.items() if at + 24 * 3600 - 300 > as_of and at > moved.get(writer, 0)}
    assert 290 <= len(still_open) <= 310
    assert len(last) - len(still_open) > 200
    ordered = {order_phone(rows[0]) for rows in orders}
    assert 0.1 < mean(writer not in ordered for writer in still_open) < 0.35


def test_truth_agrees_with_the_orders(truth, orders, names, shop):
    """The last purchase in the truth is the last of the export that was not undone; the next lies after it."""
    last = {}
    for head, *others in orders:
        if head["Cancelled at"] or head["Financial Status"] == "refunded" or "Bogus" in head["Payment Method"]:
            continue
        for row in (head, *others):
            pair = (key_of(head), names.get(row["Lineitem name"], ""))
            last[pair] = max(last.get(pair, datetime.min.replace(tzinfo=UTC)), moment(row["Created at"]))
    assert len(truth) > 2_000
    later = 0
    for row in truth:
        found = last[row["customer_id"], row["product_retailer_id"]]
        later += found > moment(row["last_purchase_at"])  # bought once more on the side, not from need
        assert found >= moment(row["last_purchase_at"])
        assert not row["next_purchase_at"] or moment(row["next_purchase_at"]) >= shop["as_of"]
    assert later < 0.08 * len(truth)


def test_periods_can_be_learnt(truth, orders, names):
    """Observed gaps between purchases of a favourite have its true period as their mean."""
    wanted = {(row["customer_id"], row["product_retailer_id"]): row for row in truth if int(row["purchases"]) >= 8}
    named = {product: name for name, product in names.items()}
    times = defaultdict(list)
    for head, *others in reversed(orders):
        if head["Cancelled at"] or head["Financial Status"] == "refunded":
            continue
        for row in (head, *others):
            times[key_of(head), row["Lineitem name"]].append(moment(row["Created at"]))
    ratios = []
    for (customer, product), row in wanted.items():
        bought = times[customer, named[product]]
        if len(bought) == int(row["purchases"]):
            ratios.append((bought[-1] - bought[0]).days / (len(bought) - 1) / float(row["period_days"]))
    assert len(ratios) > 150
    assert 0.95 < median(ratios) < 1.05
