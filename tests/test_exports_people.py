"""Who is who: phones, wa_ids and user ids of one customer, and two customers who look like one."""

import csv
import io
import json

import pandas as pd
import pytest

from wa_products.exports import load, read_orders
from wa_products.exports.phones import UNASSIGNED, parse_phone

A, B = "447700900301", "447700900302"
AT = "2026-11-20T08:00:00Z"
BRAZIL = ("5511900000001", "551100000001")  # one number with and without the ninth digit


def table(*rows):
    """Return rows of cells as CSV text."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def codes(issues):
    """Return the codes of the issues."""
    return set(issues["code"])


def body(number, sender, at=AT, **message):
    """Return a webhook body with one message."""
    when = str(int(pd.Timestamp(at).timestamp()))
    sent = {"from": sender, "id": f"wamid.{number}", "timestamp": when, "type": "text", "text": {"body": "hi"}}
    value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": "5"}, "messages": [{**sent, **message}]}
    return {"entry": [{"id": "9", "changes": [{"field": "messages", "value": value}]}]}


def log(*bodies):
    """Return a log of bodies, one a line."""
    return "".join(json.dumps(one) + "\n" for one in bodies)


def shop(tmp_path, orders=(), bodies=()):
    """Return the shop of these orders (phone, time) and messages."""
    rows = [(f"#{n}", phone, at, "tea") for n, (phone, at) in enumerate(orders, 1)]
    (tmp_path / "orders.csv").write_text(table(("order_id", "phone", "date", "sku"), *rows))
    (tmp_path / "log").write_text(log(*bodies))
    return load(tmp_path, as_of="2026-11-20T12:00Z")


EARLIER = "2026-01-01T10:00Z"


def test_a_phone_meets_its_wa_id(tmp_path):
    """An order and a message of one number are one customer, and the wa_id stays as Meta wrote it."""
    data = shop(tmp_path, [("+" + A, EARLIER), ("+" + B, EARLIER)], [body(1, A)])
    assert data.inbound["customer_id"][0] == data.orders["customer_id"][0] != data.orders["customer_id"][1]
    assert list(data.threads["to"]) == ["+" + A]


@pytest.mark.parametrize("phone", BRAZIL)
def test_the_ninth_digit_joins_and_is_never_sent_to(tmp_path, phone):
    """Brazil's two forms of a number are one customer; the message goes to the form that Meta reported."""
    wa_id = next(form for form in BRAZIL if form != phone)
    data = shop(tmp_path, [("+" + phone, EARLIER)], [body(1, wa_id)])
    assert data.orders["customer_id"][0] == data.inbound["customer_id"][0]
    assert list(data.threads["to"]) == ["+" + wa_id]
    assert "match_key_shared" not in codes(data.issues)


def test_two_customers_with_one_match_key_stay_two(tmp_path):
    """Where both forms bought and one wrote, nobody is merged by the key, and both are named by their ids."""
    data = shop(tmp_path, [("+" + form, EARLIER) for form in BRAZIL], [body(1, BRAZIL[1])])
    assert data.orders["customer_id"].nunique() == 2
    named = data.issues.set_index("code").loc["match_key_shared", "value"]
    assert set(data.orders["customer_id"]) == set(named.split(" and "))


CHANGE = {"type": "system", "system": {"type": "user_changed_number", "wa_id": B, "body": "x"}}


def test_a_changed_number_is_the_same_customer(tmp_path):
    """Orders under the old number and messages from the new one are one customer, answered at the new number."""
    data = shop(tmp_path, [("+" + A, EARLIER)], [body(1, A, "2026-11-18T08:00Z", **CHANGE), body(2, B)])
    assert data.customers.size == 1
    assert list(data.threads["to"]) == ["+" + B]


def test_a_number_that_somebody_else_has_now_is_two_people(tmp_path):
    """Whoever writes from a number after its owner changed it is another customer; the past went with the owner."""
    bodies = [body(1, A, "2026-11-18T08:00Z", **CHANGE), body(2, B), body(3, A, "2026-11-20T09:00Z")]
    data = shop(tmp_path, [("+" + A, EARLIER)], bodies)
    owner, other = (data.inbound.set_index("message_id").loc[f"wamid.{n}", "customer_id"] for n in (2, 3))
    assert owner != other
    assert list(data.orders["customer_id"]) == [owner]
    assert "number_reused" in codes(data.issues)
    assert set(data.threads["to"]) == {"+" + A, "+" + B}


def test_a_user_id_joins_a_number(tmp_path):
    """One message with both ids proves that the user id and the phone are one customer."""
    both = body(1, A, "2026-11-18T08:00Z", from_user_id="GB.1349abc")
    alone = body(2, None, from_user_id="GB.1349abc")
    data = shop(tmp_path, [("+" + A, EARLIER)], [both, alone])
    assert data.customers.size == 1
    assert list(data.inbound["user_id"]) == ["GB.1349abc"] * 2


def test_a_user_id_where_a_number_belongs_is_no_number(tmp_path):
    """A business-scoped user id in the field of the phone makes no phone of its digits."""
    data = shop(tmp_path, [("+" + A, EARLIER)], [body(1, f"GB.{A}")])
    assert list(data.inbound["wa_id"]) == [""]
    assert data.customers.size == 2
    assert list(data.threads["recipient"]) == [f"GB.{A}"]


def test_a_shared_e_mail_joins_nobody(tmp_path):
    """Two phones with one e-mail, as in a family, stay two customers."""
    names = ("order_id", "phone", "email", "date", "sku")
    rows = [("1", "+" + A, "a@example.com", EARLIER, "t"), ("2", "+" + B, "a@example.com", EARLIER, "t")]
    (tmp_path / "orders.csv").write_text(table(names, *rows))
    assert load(tmp_path).orders["customer_id"].nunique() == 2


def test_each_row_has_its_own_country(tmp_path):
    """The same national number in two countries is two customers."""
    rows = [("06 12 34 56 78", "FR", EARLIER, "t"), ("06 12 34 56 78", "NL", EARLIER, "t")]
    (tmp_path / "orders.csv").write_text(table(("phone", "country", "date", "sku"), *rows))
    assert list(load(tmp_path).orders["phone"]) == ["+33612345678", "+31612345678"]


def test_a_possible_number_in_no_known_range_is_kept_and_said_once(tmp_path):
    """A number as long as a mobile one is kept though the metadata do not know its range; shorter ones are not."""
    assert parse_phone("+1 555 555 0100", "") == ("+15555550100", UNASSIGNED)
    assert parse_phone("+44 7700 90012", "") == ("", "phone_unreadable")
    rows = [("+1 555 555 0100", EARLIER, "t"), ("+1 555 555 0101", EARLIER, "t"), ("+" + A, EARLIER, "t")]
    (tmp_path / "orders.csv").write_text(table(("phone", "date", "sku"), *rows))
    orders, issues = read_orders(tmp_path / "orders.csv")
    assert list(orders["phone"]) == ["+15555550100", "+15555550101", "+" + A]
    assert issues[["code", "severity", "row"]].to_numpy().tolist() == [[UNASSIGNED, "info", 0]]
