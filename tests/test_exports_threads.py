"""Exports of threads: who wrote last when, and what is refused."""

import csv
import io
import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wa_products import frames
from wa_products.datasets import SNAPSHOT
from wa_products.errors import DataError
from wa_products.exports import load, read_inbound, read_orders
from wa_products.exports.columns import Column
from wa_products.exports.wa_ids import ids_of
from wa_products.identities import customer_id

A, B, C = "447700900301", "447700900302", "447700900303"
AT = "2026-11-20T08:00:00Z"
MOMENT = pd.Timestamp(AT)


def table(*rows):
    """Return rows of cells as CSV text."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def codes(issues):
    """Return the codes of the issues."""
    return set(issues["code"])


@pytest.fixture
def read(tmp_path):
    """Return a function that writes an export and reads its messages."""

    def read(content, **options):
        path = tmp_path / "export.dat"
        path.write_text(content)
        return read_inbound(path, **options)

    return read


def body(number, sender, at=AT, **message):
    """Return a webhook body with one message."""
    when = str(int(pd.Timestamp(at).timestamp()))
    sent = {"from": sender, "id": f"wamid.{number}", "timestamp": when, "type": "text", "text": {"body": "hi"}}
    value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": "5"}, "messages": [{**sent, **message}]}
    return {"entry": [{"id": "9", "changes": [{"field": "messages", "value": value}]}]}


def log(*bodies):
    """Return a log of bodies, one a line."""
    return "".join(json.dumps(one) + "\n" for one in bodies)


# Tables of threads

INBOUND_NAMES = (
    *("last_inbound_at", "Last message received at", "lastCustomerMessage", "last_customer_message"),
    *("Letzte Nachricht des Kunden", "Último mensaje recibido", "Dernier message reçu", "Ultimo messaggio ricevuto"),
    *("Última mensagem recebida", "Laatst ontvangen bericht", "Последнее входящее сообщение", "Son gelen mesaj"),
    *("Pesan masuk terakhir", "آخر رسالة واردة"),
)


@pytest.mark.parametrize("name", INBOUND_NAMES)
def test_a_time_that_is_called_inbound_is_read(read, name):
    """A column named as the customer's last message gives threads, in any of the languages."""
    inbound, issues = read(table(("phone", name), ("+" + A, AT)))
    assert inbound[["wa_id", "kind"]].to_numpy().tolist() == [[A, SNAPSHOT]]
    assert inbound["received_at"][0] == MOMENT
    assert issues.empty


EITHER = (
    *(
        "last_interaction",
        "Last Interaction Time",
        "last_activity",
        "last_activity_at",
        "last_message_at",
        "lastUpdated",
    ),
    *("Último mensaje", "Letzte Nachricht", "Dernière activité", "Última interação", "Son mesaj", "Pesan terakhir"),
)


@pytest.mark.parametrize("name", EITHER)
def test_a_time_of_either_side_is_refused_in_words(read, name):
    """A time that moves when the shop writes would open windows that are closed: it is refused by its name."""
    with pytest.raises(DataError, match=f"'{name}' also moves when the shop writes"):
        read(table(("phone", "name", name), ("+" + A, "Ada", AT)))


def test_an_inbound_time_beside_one_of_either_side_is_used(read):
    """Where both stand in the file, the customer's own counts."""
    inbound, _ = read(table(("phone", "last_message_at", "last_inbound_at"), ("+" + A, "2026-11-21T08:00:00Z", AT)))
    assert list(inbound["received_at"]) == [MOMENT]


CONTACTS = {
    "Chatwoot": table(("id", "name", "email", "phone_number"), ("1", "Ada", "a@example.com", "+" + A)),
    "with a creation date": table(("Full name", "Phone", "Created at"), ("Ada", "+" + A, AT)),
    "Chatwoot JSON": json.dumps({"payload": [{"id": 1, "name": "Ada", "email": None, "phone_number": "+" + A}]}),
}


@pytest.mark.parametrize("content", CONTACTS.values(), ids=CONTACTS)
def test_contacts_without_a_time_are_refused_in_words(read, content):
    """A list of people does not tell who wrote today."""
    with pytest.raises(DataError, match="cannot tell active threads from this file"):
        read(content)


def test_contacts_are_not_read_as_orders(tmp_path):
    """A list of people with names and dates is no list of orders of products of these names."""
    path = tmp_path / "contacts.csv"
    path.write_text(CONTACTS["with a creation date"])
    with pytest.raises(DataError, match="gives no orders"):
        read_orders(path)


def test_orders_are_not_read_as_threads(read):
    """Where a table holds orders, its times are no messages."""
    with pytest.raises(DataError, match="gives no inbound"):
        read(table(("phone", "date", "sku", "quantity", "name"), ("+" + A, AT, "t", "1", "Ada")))


TIMES = {
    "2026-11-20T08:00:00Z": "",
    "2026-11-20 09:00:00+01:00": "",
    "1795161600": "",
    "1795161600000": "",
    "2036-11-20T08:00:00Z": "time_future",
    "soon": "time_unreadable",
    "": "never_wrote",
    "2026-11-20 08:00:00": "time_without_zone",
    "46346.33": "time_excel_serial",
}


@pytest.mark.parametrize(("written", "code"), TIMES.items(), ids=TIMES)
def test_times_are_certain_or_set_aside(read, written, code):
    """Seconds, milliseconds and offsets are one moment; what is not certain opens no window and says why."""
    inbound, issues = read(table(("phone", "last_inbound_at"), ("+" + A, written), ("+" + B, AT)))
    assert list(inbound["received_at"]) == [MOMENT] * (1 if code else 2)
    assert codes(issues) == ({code} if code else set())
    assert all(issues["line"] == 2)


def test_times_without_a_zone_need_the_shops(read):
    """Hours decide whether a thread is open, so a file of local times is refused until the zone is told."""
    content = table(("phone", "last_inbound_at"), ("+" + A, "2026-11-20 09:00:00"))
    with pytest.raises(DataError, match=r"'last_inbound_at' name no time zone"):
        read(content)
    inbound, issues = read(content, timezone="Europe/Madrid")
    assert inbound["received_at"][0] == MOMENT
    assert issues.empty


WHO = {
    "phone": (("07700 900301", "", ""), (A, "")),
    "wa_id": (("", A, ""), (A, "")),
    "wa_id with a plus": (("", "+" + A, ""), (A, "")),
    "wa_id no validator likes": (("", "521550000000001", ""), ("521550000000001", "")),
    "user id": (("", "", "GB.1349abc"), ("", "GB.1349abc")),
    "user id in the wa_id column": (("", "US.13491208655302741918", ""), ("", "US.13491208655302741918")),
    "all": (("+" + A, A, "GB.1349abc"), (A, "GB.1349abc")),
    "Brazil": (("+55 11 90000-0000", "", ""), ("5511900000000", "")),
}


@pytest.mark.parametrize(("cells", "ids"), WHO.values(), ids=WHO)
def test_customers_are_known_by_phone_wa_id_or_user_id(read, cells, ids):
    """A wa_id stays to the digit, a user id is never a number, and a phone is read with the shop's country."""
    inbound, _ = read(table(("phone", "wa_id", "bsuid", "last_inbound_at"), (*cells, AT)), region="GB")
    assert (inbound["wa_id"][0], inbound["user_id"][0]) == ids
    assert inbound["customer_id"][0] == (customer_id("phone", ids[0]) or customer_id("user", ids[1]))


NOBODY = {
    "call me": "phone_unreadable",
    "8.80609E+12": "phone_scientific",
    "0000000000": "phone_dummy",
    "12345": "phone_too_short",
}


@pytest.mark.parametrize(("written", "code"), NOBODY.items(), ids=NOBODY)
def test_rows_without_a_customer_are_set_aside(read, written, code):
    """A number that is not certain is nobody's, in either column, and its row is named."""
    content = table(("phone", "wa_id", "last_inbound_at"), (written, "", AT), ("", written, AT), ("", A, AT))
    inbound, issues = read(content, region="GB")
    assert list(inbound["wa_id"]) == [A]
    assert {code, "customer_missing"} <= codes(issues)
    assert set(issues["line"]) == {2, 3}


def test_opted_out_customers_are_heard(tmp_path):
    """A column that says a customer asked for no more counts like their word."""
    names = ("wa_id", "last_inbound_at", "opted_out", "allow_broadcast")
    (tmp_path / "threads.csv").write_text(table(names, (A, AT, "yes", ""), (B, AT, "", "FALSE"), (C, AT, "no", "TRUE")))
    threads = load(tmp_path, as_of="2026-11-20T12:00Z").threads.set_index("customer_id")["opted_out"]
    assert threads[[customer_id("phone", number) for number in (A, B, C)]].tolist() == [True, True, False]


def test_a_customer_twice_at_the_same_time_counts_once(read):
    """The same row in a file twice is one message, another time is another."""
    inbound, issues = read(table(("wa_id", "last_inbound_at"), (A, AT), (A, AT), (A, "2026-11-19T08:00:00Z")))
    assert len(inbound) == 2
    assert "message_repeated" in codes(issues)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", A, "+" + B, "GB.1", "x", "US.44"]), st.sampled_from(["", AT, "x", "1795161600"])
        ),
        max_size=8,
    )
)
def test_rows_in_are_rows_out_or_said(tmp_path_factory, rows):
    """Whatever stands in the cells: each row is kept, merged or set aside, and no time or number is made up."""
    path = tmp_path_factory.mktemp("threads") / "t.csv"
    path.write_text(
        table(("wa_id", "last_inbound_at", "name"), ("447700900399", AT, "n"), *((*row, "n") for row in rows))
    )
    inbound, issues = read_inbound(path)
    lost = issues["action"].isin(["row set aside", "row merged"])
    assert len(inbound) + issues.loc[lost, "row"].nunique() == len(rows) + 1
    assert set(inbound["wa_id"]) <= {"447700900399", "", A, B}
    assert set(inbound["received_at"]) == {MOMENT}


# A snapshot cannot be seen earlier


def test_a_snapshot_opens_threads_and_refuses_to_go_back(tmp_path):
    """Threads of a snapshot are open or closed like any; an earlier view is refused in words, a later one is not."""
    (tmp_path / "threads.csv").write_text(table(("wa_id", "last_inbound_at"), (A, AT), (B, "2026-11-18T08:00:00Z")))
    data = load(tmp_path, as_of="2026-11-20T12:00Z")
    is_open = data.threads.set_index("to")["is_open"]
    assert is_open.to_dict() == {"+" + A: True, "+" + B: False}
    with pytest.raises(DataError, match="cannot be seen earlier"):
        data.before("2026-11-19")
    assert len(data.before("2026-11-20T12:00Z").inbound) == 2


def test_a_log_can_be_seen_earlier(tmp_path):
    """Messages of a webhook log are no snapshot."""
    (tmp_path / "log").write_text(log(body(1, A, "2026-11-18T08:00Z"), body(2, A)))
    data = load(tmp_path, as_of="2026-11-20T12:00Z")
    assert len(data.before("2026-11-19").inbound) == 1


# Chatwoot


def conversation(number, *messages, channel="Channel::Whatsapp", phone="+" + A):
    """Return a conversation as its API gives it."""
    return {
        "id": number,
        "can_reply": True,
        "last_activity_at": 1795170000,
        "meta": {"sender": {"phone_number": phone, "name": "Ada"}, "channel": channel},
        "messages": list(messages[:1]),
        "last_non_activity_message": messages[-1] if messages else None,
    }


def said(number, kind, at=1795161600, **more):
    """Return one message of a conversation: kind 0 is the customer's, 1 the shop's."""
    return {"id": number, "message_type": kind, "created_at": at, "content": "hi", **more}


PAGES = {
    "one": lambda many: json.dumps(many[0]),
    "list": json.dumps,
    "page": lambda many: json.dumps({"data": {"meta": {"all_count": 2}, "payload": many}}, indent=1),
    "lines": lambda many: log(*many),
}


@pytest.mark.parametrize("shape", PAGES.values(), ids=PAGES)
def test_chatwoot_conversations(read, shape):
    """The customer's own last message is the time, whatever the conversation's activity says."""
    inbound, _ = read(shape([conversation(1, said(5, 0, source_id="wamid.X"), said(6, 1, 1795169999))]))
    assert inbound[["message_id", "wa_id", "text"]].to_numpy().tolist() == [["wamid.X", A, "hi"]]
    assert inbound["received_at"][0] == MOMENT


def test_chatwoot_threads_that_cannot_be_told(read):
    """Where the shop wrote last, on other channels and for what is no conversation, the row is set aside with why."""
    many = [
        conversation(1, said(5, 0)),
        conversation(2, said(6, 1)),
        conversation(3, said(7, 0), channel="Channel::WebWidget"),
        conversation(4, said(8, 0), phone=None),
        {"id": 5},
    ]
    inbound, issues = read(log(*many))
    assert list(inbound["message_id"]) == ["chatwoot:1:5"]
    expected = {"no_incoming_message", "other_channel", "customer_missing", "not_a_conversation"}
    assert dict(zip(issues["code"], issues["line"], strict=True)).keys() == expected
    assert sorted(issues["line"]) == [2, 3, 4, 5]


@given(st.text(alphabet="0123456789+.USGB ", max_size=20))
def test_a_user_id_never_becomes_a_number(written):
    """Whatever stands in a wa_id column is digits as they are, a user id as it is, or handed on as unclear."""
    wa_id, user_id, unclear = (column[0] for column in ids_of(Column.of([written]), Column.of([""])))
    assert sum(map(bool, (wa_id, user_id, unclear.strip()))) <= 1
    assert wa_id in {"", written.replace(" ", "").lstrip("+")}
    assert user_id in {"", written.strip()}


def test_no_number_is_shown(tmp_path):
    """The made message ids and the dataset's own words hold no phone number."""
    (tmp_path / "threads.csv").write_text(table(("phone", "last_inbound_at"), ("+" + A, AT)))
    data = load(tmp_path)
    assert A not in repr(data)
    assert A not in data.inbound["message_id"][0]
    assert list(data.inbound.columns[: len(frames.INBOUND)]) == list(frames.INBOUND)
