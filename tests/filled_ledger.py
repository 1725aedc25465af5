"""A ledger with many campaigns behind it, written straight into its tables: receipts, carts, messages, talk."""

from sqlalchemy import text

from wa_products import frames
from wa_products.identities import customer_id

LARGE = ("wa_plan_rows", "wa_intents", "wa_attempts", "wa_outcomes", "wa_webhooks", "wa_events", "wa_identities")
START = 1_795_334_400_000_000  # 2026-11-22 08:00 UTC, when the first campaign is sent
DAY, HOUR, MINUTE = 86_400_000_000, 3_600_000_000, 60_000_000
REGULARS, ROUND, REGULAR_ROUND = 10, 50, 10  # of each campaign a tenth gets every 10th, the others every 50th
ID = {"sqlite": "printf('%08x%08x%016x', {0}, {1}, {2})"}
ID["postgresql"] = "lpad(to_hex({0}), 8, '0') || lpad(to_hex({1}), 8, '0') || lpad(to_hex({2}), 16, '0')"
EMPTY = {"sqlite": "DELETE FROM made", "postgresql": "TRUNCATE made"}
_MADE = """
INSERT INTO made SELECT :base + i, customer_id, phone, {send}, 'wamid.' || {wamid},
CASE WHEN i % 10 = 9 THEN 'holdout' ELSE 'treated' END, :start + i * 12500, 'S' || (i % 97), (:base + i) % 40 = 1
FROM numbers JOIN people ON p = CASE WHEN i < :regular THEN :regulars + i ELSE :others + i END
"""
_FACTS = {
    "wa_plans": (
        "digest, campaign, catalog_id, approved_by, waterfall, content, created_at, expires_at, registered_at, holdout",
        "VALUES (:digest, :campaign, '1', 'me', '[]', :digest, :start - 600000000, :start + 86400000000, :start, 0.1)",
    ),
    "wa_plan_rows": (
        (
            'digest, arm, customer_id, "to", recipient, product_retailer_id, kind, source, probability, '
            "last_inbound_at, closes_at, title, price, currency, body, footer, propensity"
        ),
        (
            "SELECT :digest, arm, customer_id, '+' || phone, '', product, 'reorder', 'reorder', 0.25, at - 3600000000, "
            "at + 72000000000, 'Product ' || product, '18.00', 'GBP', 'Running low?', '', NULL FROM made"
        ),
    ),
    "wa_intents": (
        "send_id, campaign, customer_id, address, digest, arm, at",
        "SELECT send_id, :campaign, customer_id, customer_id, :digest, arm, at FROM made",
    ),
    "wa_attempts": ("send_id, n, digest, owner, at", "SELECT send_id, 1, :digest, 'o', at FROM made WHERE {treated}"),
    "wa_outcomes": (
        "campaign, customer_id, send_id, n, outcome, wamid, details, code, again, at",
        (
            "SELECT :campaign, customer_id, send_id, CASE WHEN {treated} THEN 1 ELSE 0 END, "
            "CASE WHEN {treated} THEN 'accepted' ELSE 'held out' END, CASE WHEN {treated} THEN wamid ELSE '' END, "
            "'', 0, 0, at FROM made"
        ),
    ),
}
_TREATED = "arm = 'treated'"
# What is heard of a message: kind, status, when after it, of which rows, and columns that differ from the blank.
_HEARD = (
    ("status", "sent", MINUTE, _TREATED, {}),
    ("status", "delivered", 2 * MINUTE, f"{_TREATED} AND NOT fails", {}),
    ("status", "read", 30 * MINUTE, f"{_TREATED} AND NOT fails AND s % 2 = 0", {}),
    ("status", "failed", 2 * MINUTE, f"{_TREATED} AND fails", {"code": "131026", "details": "'no such number'"}),
    ("inbound", "text", -HOUR, "s % 5 = 0", {"text": "'when do you open?'"}),
    (
        "cart",
        "order",
        HOUR,
        "s % 30 = 0",
        {"product_retailer_id": "product", "quantity": "1.0", "unit_price": "'18.00'", "currency": "'GBP'"},
    ),
)
# A round of talk: the customer writes, an agent answers by another tool, of which only the receipts are known.
_TALK = (
    ("inbound", "text", -2 * HOUR, "true", {"text": "'and in blue?'"}),
    ("status", "sent", -2 * HOUR + 5 * MINUTE, "true", {}),
    ("status", "delivered", -2 * HOUR + 6 * MINUTE, "true", {}),
    ("status", "read", -2 * HOUR + 9 * MINUTE, "s % 2 = 0", {}),
)
_LAST = text("SELECT COALESCE(MAX(seq), 0) FROM wa_events")
_BY_AGENT = "'wamid.agent' || s || '.{0}'"
_TALK_KEPT = (
    "INSERT INTO wa_orphans (at, wamid, send_id) SELECT at, wamid, send_id FROM wa_events "
    "WHERE kind || '' = 'status' AND send_id || '' = '' AND seq > :last AND seq <= :now"
)


def fill(connection, *, campaigns, size, phone, days=1, talk=0):
    """
    Write campaigns of the numbers in the range `campaigns`, of `size` customers each, one every `days`.

    `phone` makes the number of the n-th customer; nine in ten get every 50th campaign, the others every 10th. Before
    each message there were so many rounds of `talk` with an agent.
    """
    regular = size // REGULARS
    crowd = REGULAR_ROUND * regular + ROUND * (size - regular)
    scrambled = {"send": "(:base + i)", "wamid": "(:base + i + 7)"}
    words = {name: ID[connection.dialect.name].format(*_scrambled(number)) for name, number in scrambled.items()}
    words["treated"] = _TREATED
    _crowd(connection, size, crowd, phone)
    for k in campaigns:
        told = {"base": k * size, "start": when(k, days), "campaign": name(k), "digest": f"digest {k}"}
        told |= {"regular": regular, "regulars": k % REGULAR_ROUND * regular}
        told |= {"others": (REGULAR_ROUND - 1) * regular + k % ROUND * (size - regular)}
        _run(connection, EMPTY[connection.dialect.name], told)
        _run(connection, _MADE.format_map(words), told)
        for table, (columns, values) in _FACTS.items():
            _run(connection, f"INSERT INTO {table} ({columns}) {values.format_map(words)}", told)
        for heard in _HEARD:
            _run(connection, _heard(*heard), told)
        _talk(connection, talk, told)
    for table in ("made", "people", "numbers"):
        connection.execute(text(f"DROP TABLE {table}"))


def name(k):
    """Return the name of the k-th campaign."""
    return f"campaign {k:04d}"


def when(k, days=1):
    """Return when the k-th campaign begins, in microseconds."""
    return START + k * days * DAY


def _crowd(connection, size, crowd, phone):
    """Make the tables that the facts are written from, and write that each customer was seen with a user id."""
    connection.execute(text("CREATE TEMPORARY TABLE numbers (i BIGINT PRIMARY KEY)"))
    connection.execute(text("CREATE TEMPORARY TABLE people (p BIGINT PRIMARY KEY, customer_id TEXT, phone TEXT)"))
    columns = "s BIGINT, customer_id TEXT, phone TEXT, send_id TEXT, wamid TEXT, arm TEXT, at BIGINT, product TEXT"
    connection.execute(text(f"CREATE TEMPORARY TABLE made ({columns}, fails BOOLEAN)"))
    connection.execute(text("INSERT INTO numbers VALUES (:i)"), [{"i": i} for i in range(size)])
    for first in range(0, crowd, 50_000):
        some = [(n, phone(n)) for n in range(first, min(crowd, first + 50_000))]
        rows = [{"p": n, "who": customer_id("phone", digits), "phone": digits} for n, digits in some]
        connection.execute(text("INSERT INTO people VALUES (:p, :who, :phone)"), rows)
        pairs = [sorted([row["who"], customer_id("user", f"US.{row['p']:015d}")]) for row in rows]
        proofs = [{"left": left, "right": right} for left, right in pairs]
        words = "INSERT INTO wa_identities (left_id, right_id, rule, at) VALUES (:left, :right, 'webhook', 0)"
        connection.execute(text(f"{words} ON CONFLICT DO NOTHING"), proofs)


def _scrambled(number):
    """Return numbers in no order that no two of `number` share, in SQL."""
    return f"{number} * 2654435761 % 4294967296", f"{number} * 2246822519 % 4294967296", number


def _talk(connection, rounds, told):
    """Write what was said before a campaign, a round after the other."""
    last = connection.scalar(_LAST)
    for n in range(rounds):
        wamid = _BY_AGENT.format(n)
        for kind, status, after, which, differs in _TALK:
            ids = {"event_id": f"'wamid.talk{n}.' || s || '\\:1'"}
            if kind == "status":
                ids = {"wamid": wamid, "send_id": "''", "event_id": f"{wamid} || '\\:{status}'"}
            _run(connection, _heard(kind, status, after - n * HOUR, which, differs | ids), told)
    _run(connection, _TALK_KEPT, {"last": last, "now": connection.scalar(_LAST)})


def _heard(kind, status, after, which, differs):
    blank = {column: "0" if sort == "integer" else "''" for column, sort in frames.EVENTS.items()}
    blank |= {"quantity": "NULL", "unit_price": "NULL", "customer_id": "customer_id", "wa_id": "phone"}
    ours = {"wamid": "wamid", "send_id": "send_id", "event_id": f"wamid || '\\:{status}'"} if kind == "status" else {}
    ids = {"event_id": f"'wamid.{kind}' || s || '\\:1'"} | ours
    columns = (
        blank | ids | {"kind": f"'{kind}'", "status": f"'{status}'", "at": f"at + {after}", "phone_number_id": "'1067'"}
    )
    columns |= {"webhook": "0"} | differs
    into, values = ", ".join(columns), ", ".join(columns.values())
    return f"INSERT INTO wa_events ({into}) SELECT {values} FROM made WHERE {which}"  # noqa: S608  # our own words


def _run(connection, words, told):
    """Run a statement with those of the values that it names."""
    statement = text(words)
    connection.execute(statement, {key: told[key] for key in statement._bindparams})
