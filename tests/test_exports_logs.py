"""Carts in webhook logs, however the logs were written, and orders of several files in one folder."""

import copy
import gzip
import json

import pandas as pd
import pytest

from tests.exporting import A, B, C, cart, codes, lines, row_of, table, woo
from wa_products import frames
from wa_products.exports import load, read_inbound, read_orders
from wa_products.identities import customer_id


@pytest.fixture
def read(tmp_path):
    """Return a function that writes an orders export and reads it back."""

    def read(content, region="GB", timezone="UTC", **options):
        path = tmp_path / "export.dat"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_orders(path, region, timezone, **options)

    return read


TWO = (cart(1), cart(2, B))
LOGS = {
    "a body a line": lines(*map(json.dumps, TWO)),
    "array": json.dumps(TWO),
    "array over many lines": json.dumps(TWO, indent=2),
    "bodies over many lines": lines(*(json.dumps(body, indent=1) for body in TWO)),
    "printed by Python": lines(*map(repr, TWO)),
    "bytes printed by Python": lines(*(repr(json.dumps(body).encode()) for body in TWO)),
    "wrapped as text": lines(*(json.dumps({"at": "x", "body": json.dumps(body)}) for body in TWO)),
    "wrapped": lines(*(json.dumps({"payload": body}) for body in TWO)),
    "behind a time": lines(*(f"2026-05-16 10:00:00,123 INFO {json.dumps(body)}" for body in TWO)),
    "behind a time in brackets": lines(*(f"[2026-05-16 10:00:00] {json.dumps(body)}" for body in TWO)),
    "packed": gzip.compress(lines(*map(json.dumps, TWO)).encode()),
}


@pytest.mark.parametrize("log", LOGS.values(), ids=LOGS)
def test_logs_of_carts_are_orders(read, log):
    """However a log was written, its carts are order lines whose product is the retailer id."""
    orders, issues = read(log)
    assert orders[["order_id", "line_no", "product_retailer_id"]].to_numpy().tolist() == [
        ["wamid.1", 1, "beans-1kg"],
        ["wamid.1", 2, "tea-100"],
        ["wamid.2", 1, "beans-1kg"],
        ["wamid.2", 2, "tea-100"],
    ]
    assert list(orders["quantity"]) == [2, 1, 2, 1]
    assert list(orders["phone"]) == [A, A, B, B]
    assert list(orders["source_row"]) == [1, 1, 2, 2]
    assert set(orders["status"]) == {"cart"}
    assert issues.empty


def test_a_broken_line_of_a_log_is_named(read):
    """A line that is no JSON costs itself alone and is named by its number."""
    orders, issues = read(lines(json.dumps(TWO[0]), json.dumps(TWO[1])[:90], "", "stopped", json.dumps(TWO[1])))
    assert list(orders["source_row"]) == [1, 1, 4, 4]
    assert row_of(issues, "not_json") == [(2, 2), (3, 4)]


def test_a_log_cut_short_keeps_what_is_whole(read):
    """An array that ends in the middle of a body keeps the bodies before, and says where it breaks."""
    orders, issues = read(json.dumps(TWO, indent=1)[:-150])
    assert set(orders["order_id"]) == {"wamid.1"}
    assert row_of(issues, "not_json")[0][1] > 20


def test_a_message_that_comes_twice_counts_once(read):
    """Webhooks come at least once: the same cart twice is one order, and that is said."""
    orders, issues = read(lines(*map(json.dumps, (TWO[0], TWO[0]))))
    assert len(orders) == 2
    assert "message_repeated" in codes(issues)


STRANGE = {
    "a time that is no number": ({"timestamp": "asdf"}, "timestamp_unreadable", 0),
    "a time to come": ({"timestamp": "2779000000"}, "timestamp_future", 0),
    "no sender": ({"from": None}, "sender_missing", 2),
    "a group": ({"group_id": "g"}, "unsupported", 0),
}


@pytest.mark.parametrize(("change", "code", "kept"), STRANGE.values(), ids=STRANGE)
def test_strange_messages_are_issues(read, change, code, kept):
    """What cannot be used as it is stays countable and never stops the file."""
    orders, issues = read(lines(json.dumps(cart(1, **change)), json.dumps(TWO[1])))
    assert code in codes(issues)
    assert (orders["order_id"] == "wamid.1").sum() == kept
    assert (orders["order_id"] == "wamid.2").sum() == 2


def test_milliseconds_are_not_a_far_future(read):
    """A timestamp in milliseconds is the same moment."""
    orders, _ = read(lines(json.dumps(cart(1, timestamp="1779000000000"))))
    assert orders["ordered_at"][0] == pd.Timestamp(1779000000, unit="s", tz="UTC")


def test_a_folder_joins_every_kind_of_orders(tmp_path):
    """Carts, shop orders and a table of one customer meet under one customer, whatever each calls them."""
    (tmp_path / "a").write_text(lines(*map(json.dumps, TWO)))
    (tmp_path / "b").write_text(json.dumps([woo(1, "07700 900201")]))
    (tmp_path / "c").write_text(table(("wa_id", "date", "sku"), (A[1:], "2026-05-16T00:00Z", "t")))
    data = load(tmp_path)
    mine = data.orders[data.orders["customer_id"] == customer_id("phone", A[1:])]
    assert set(mine["source_file"]) == {"a", "b", "c"}
    assert data.orders.columns[: len(frames.ORDERS)].tolist() == list(frames.ORDERS)


def test_the_same_order_in_two_files_counts_once(tmp_path):
    """Overlapping exports hold an order once; one number for two orders stays two."""
    names = ("order_id", "phone", "date", "sku")
    one = ("#1", A, "2026-05-16T10:00Z", "t")
    (tmp_path / "a.csv").write_text(table(names, one, ("#2", B, "2026-05-16T11:00Z", "t")))
    (tmp_path / "b.csv").write_text(table(names, one, ("#2", C, "2026-06-16T11:00Z", "t")))
    data = load(tmp_path)
    assert sorted(data.orders["phone"]) == [A, B, C]
    assert not data.orders.duplicated(["order_id", "line_no"]).any()


def test_reading_changes_no_input(tmp_path):
    """Reading a file twice gives the same frame twice."""
    path = tmp_path / "log"
    path.write_text(lines(*map(json.dumps, TWO)))
    before = copy.deepcopy(path.read_bytes())
    first, second = read_orders(path)[0], read_orders(path)[0]
    pd.testing.assert_frame_equal(first, second)
    assert path.read_bytes() == before
    assert len(read_inbound(path)[0]) == 2
