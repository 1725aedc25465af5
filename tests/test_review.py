"""The review without a browser: decisions, their file, the plan, and what the browser may ask."""

import json
from dataclasses import replace
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import wa_products as wa
from tests.review_shop import HOSTILE, PIXEL, hostile, proposals
from wa_products import Policy, frames
from wa_products.errors import DataError, PlanError
from wa_products.widgets import Review, review
from wa_products.widgets.cards import masked

TWELVE = proposals(12)
CUSTOMERS = [f"c{i:016x}" for i in range(12)]
_ANY = dict.fromkeys(("text", "kind", "reason", "product", "closing"), "")
QUERY = {"k": "query", "view": "v", "seq": 1, "show": "all", "sort": "proposed", **_ANY}


@pytest.fixture
def shown():
    """Return a review of twelve rows, of which the tenth is skipped."""
    return review(*proposals(12))


@pytest.fixture
def path(tmp_path):
    """Return where decisions are kept."""
    return tmp_path / "decisions.jsonl"


def listed(widget, **query):
    """Return the row numbers that a query of the browser lists."""
    (answer,) = widget.answer(QUERY | query)
    assert answer["k"] == "listed", answer
    return [line["row"] for line in answer["rows"]]


def card(widget, row=0):
    """Return the card of `row` as the browser gets it."""
    (answer,) = widget.answer({"k": "open", "view": "v", "row": row, "picture": True})
    return answer["card"]


# Deciding


def test_nothing_is_approved_at_first(shown):
    """A new review has approved nothing and decided nothing."""
    assert len(shown.approved) == len(shown.decisions) == 0
    assert shown.counts == {"open": 11, "approved": 0, "rejected": 0, "skipped": 1, "all": 12, "undo": ""}


def test_approved_rows_are_those_that_were_approved(shown):
    """Approval and rejection by customer give back the very rows, in the shape of `select`."""
    assert shown.approve(CUSTOMERS[:3]) == 3
    assert shown.reject(CUSTOMERS[1]) == 1
    assert shown.approved["customer_id"].tolist() == [CUSTOMERS[0], CUSTOMERS[2]]
    assert list(shown.approved) == list(frames.SELECTED)
    assert shown.to_frame()["approval"].tolist()[:4] == ["approved", "rejected", "approved", ""]


def test_the_index_and_extra_columns_of_the_chosen_rows_come_back():
    """What the analyst added to the frame passes through, under its own index."""
    chosen, data = proposals(4)
    chosen = chosen.assign(segment=list("abcd")).set_axis([9, 7, 5, 3])
    before = chosen.copy()
    widget = review(chosen, data)
    widget.approve(CUSTOMERS[1:3])
    assert widget.approved["segment"].to_dict() == {7: "b", 5: "c"}
    pd.testing.assert_frame_equal(chosen, before)


def test_all_are_approved_but_the_skipped_and_the_rejected(shown):
    """Bulk approval takes every row to send that nobody rejected, and no other."""
    shown.reject([CUSTOMERS[4]])
    assert shown.approve_all() == 10
    assert set(CUSTOMERS) - set(shown.approved["customer_id"]) == {CUSTOMERS[4], CUSTOMERS[9]}


def test_approval_by_policy(shown):
    """A scheduled run approves what a stricter policy would send, and nothing that a person rejected."""
    shown.reject([CUSTOMERS[0]])
    assert shown.approve_all(Policy(kinds=("reorder",), min_probability=0.5)) == 2
    assert shown.approved["customer_id"].tolist() == [CUSTOMERS[3], CUSTOMERS[6]]


def test_approval_by_rule(shown):
    """A scheduled run approves by a rule over the columns."""
    assert shown.approve_all(lambda rows: rows["kind"] == "reorder") == 3
    assert set(shown.approved["kind"]) == {"reorder"}


@pytest.mark.parametrize("customer", ["nobody", CUSTOMERS[9]])
def test_a_customer_without_a_row_to_send_is_refused_in_words(shown, customer):
    """Neither a stranger nor a skipped customer can be approved, and nothing else is approved along with them."""
    with pytest.raises(DataError, match=f"no row to send, the first is {customer}"):
        shown.approve([CUSTOMERS[0], customer])
    assert shown.approved.empty


def test_an_edit_withdraws_the_approval(shown):
    """A changed text is in the frame, and must be approved again."""
    shown.approve([CUSTOMERS[0]])
    shown.answer({"k": "edit", "row": 0, "body": "New words", "footer": "Bye"})
    assert shown.approved.empty
    shown.approve([CUSTOMERS[0]])
    assert shown.approved[["body", "footer"]].to_numpy().tolist() == [["New words", "Bye"]]
    assert shown.decisions[["approval", "edited"]].to_numpy().tolist() == [["approved", True]]


@pytest.mark.parametrize(
    ("body", "footer", "why"),
    [
        ("b" * 1027, "f", "body is 3 characters too long"),
        ("b", "f" * 61, "footer is 1 characters too long"),
        ("half \ud83d", "f", "half of a character"),
    ],
)
def test_a_text_that_cannot_be_sent_is_refused_at_once(shown, body, footer, why):
    """Meta's limits are checked when the text is saved, and the old text stays."""
    (answer,) = shown.answer({"k": "edit", "view": "v", "row": 0, "body": body, "footer": footer})
    assert answer["k"] == "refused"
    assert why in answer["why"]
    assert not shown.to_frame()["edited"].any()


def test_a_proposed_text_that_is_too_long_cannot_be_approved():
    """A policy's own text over the limit is stopped at the approval, in words."""
    chosen, data = proposals(3)
    widget = review(chosen.assign(body="x" * 1025), data)
    with pytest.raises(DataError, match="1 characters too long"):
        widget.approve_all()
    assert widget.approved.empty


def test_undo_takes_back_the_last_change_whatever_it_was(shown):
    """Single, bulk and edit are each one step back."""
    shown.approve([CUSTOMERS[0]])
    listed(shown, show="open")
    shown.answer({"k": "bulk", "view": "v", "state": "rejected"})
    shown.answer({"k": "edit", "row": 0, "body": "other", "footer": ""})
    steps = []
    for _ in range(4):
        shown.answer({"k": "undo"})
        steps.append((shown.counts["approved"], shown.counts["rejected"], bool(shown.to_frame()["edited"].any())))
    assert steps == [(1, 10, False), (1, 0, False), (0, 0, False), (0, 0, False)]


STEPS = st.one_of(
    st.tuples(st.just("set"), st.integers(0, 11), st.sampled_from(["approved", "rejected", ""])),
    st.tuples(st.just("edit"), st.integers(0, 11), st.text(max_size=5)),
)


@given(st.lists(STEPS, max_size=12))
def test_undo_walks_the_whole_way_back(steps):
    """Whatever is decided and edited, as many undos lead back to the beginning, and counts always add up."""
    widget = review(*TWELVE)
    start = widget.to_frame()
    for kind, row, value in steps:
        widget.answer({"k": kind, "view": "v", "row": row, "state": value, "body": value, "footer": ""})
        counts = widget.counts
        assert sum(counts[name] for name in ("open", "approved", "rejected", "skipped")) == counts["all"] == 12
    while widget.counts["undo"]:
        widget.answer({"k": "undo"})
    pd.testing.assert_frame_equal(widget.to_frame(), start)


# The file


def test_decisions_survive_on_disk(path):
    """Reopening gives back every decision and edit, with who and when; the file is its owner's alone."""
    chosen, data = proposals(12)
    first = review(chosen, data, decisions=path, by="ana")
    first.approve(CUSTOMERS[:2])
    first.reject([CUSTOMERS[2]])
    first.answer({"k": "edit", "row": 1, "body": "edited ✎", "footer": ""})
    second = review(chosen, data, decisions=path, by="bo")
    pd.testing.assert_frame_equal(second.to_frame(), first.to_frame())
    pd.testing.assert_frame_equal(second.decisions, first.decisions)
    assert second.decisions["decided_by"].tolist() == ["ana"] * 3
    assert path.stat().st_mode & 0o077 == 0
    assert "4477009" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "change", [{"price": Decimal("1.23")}, {"title": "Another"}, {"body": "Other words"}, {"footer": "Other foot"}]
)
def test_a_changed_row_is_undecided_again(path, change):
    """An approval belongs to what the customer would see: when that has changed, it is withdrawn and said so."""
    chosen, data = proposals(3)
    review(chosen, data, decisions=path).approve_all()
    changed = chosen.copy()
    for column, value in change.items():
        changed[column] = [value, *changed[column].tolist()[1:]]
    again = review(changed, data, decisions=path)
    assert again.approved["customer_id"].tolist() == CUSTOMERS[1:3]
    assert again.facts["notices"] == ["1 earlier decisions were withdrawn: their rows have changed since"]


def test_a_row_that_is_skipped_now_is_not_approved_from_the_file(path):
    """The law goes before an old approval."""
    chosen, data = proposals(2)
    review(chosen, data, decisions=path).approve_all()
    again = review(chosen.assign(decision="skip", reason="window closed"), data, decisions=path)
    assert again.approved.empty


def test_other_windows_and_other_customers_leave_decisions_alone(path):
    """A longer window or more rows do not withdraw what was approved."""
    chosen, data = proposals(3)
    review(chosen, data, decisions=path).approve_all()
    more, data = proposals(12)
    again = review(more.assign(closes_at=more["closes_at"] + pd.Timedelta(hours=1)), data, decisions=path)
    assert again.approved["customer_id"].tolist() == CUSTOMERS[:3]


def test_a_line_cut_short_loses_only_itself(path):
    """After a crash in the middle of a line the others are read, the loss is told, and writing goes on."""
    chosen, data = proposals(4)
    review(chosen, data, decisions=path).approve(CUSTOMERS[:2])
    path.write_bytes(path.read_bytes()[:-20])
    again = review(chosen, data, decisions=path)
    assert again.approved["customer_id"].tolist() == CUSTOMERS[:1]
    assert again.facts["notices"] == ["1 lines of the decisions file are broken and were left out"]
    again.approve([CUSTOMERS[3]])
    assert len(review(chosen, data, decisions=path).approved) == 2


def test_a_file_of_something_else_is_refused(path):
    """A file that holds no decision is not taken for one, and not written to."""
    path.write_text("customer,decision\nc1,approved\n", encoding="utf-8")
    with pytest.raises(DataError, match="holds no decisions of a review"):
        review(*proposals(2), decisions=path)
    assert path.read_text(encoding="utf-8").startswith("customer,decision")


def test_the_screen_never_says_more_than_the_disk(tmp_path):
    """Where the decision cannot be written, it is refused and nothing is approved."""
    widget = review(*proposals(2), decisions=tmp_path / "no such folder" / "decisions.jsonl")
    (answer,) = widget.answer({"k": "set", "view": "v", "row": 0, "state": "approved"})
    assert answer["k"] == "refused"
    assert widget.approved.empty


def test_two_analysts_lose_nothing(tmp_path):
    """Each writes a file of their own and reads the other's: what either decided is there, the latest counts."""
    mine, theirs = tmp_path / "mine.jsonl", tmp_path / "theirs.jsonl"
    chosen, data = proposals(6)
    review(chosen, data, decisions=mine, by="ana").approve(CUSTOMERS[:2])
    review(chosen, data, decisions=theirs, by="bo").reject(CUSTOMERS[1:3])
    both = review(chosen, data, decisions=[mine, theirs], by="ana")
    assert both.to_frame()["approval"].tolist()[:4] == ["approved", "rejected", "rejected", ""]
    assert both.decisions["decided_by"].tolist() == ["ana", "bo", "bo"]
    before = theirs.read_bytes()
    both.approve([CUSTOMERS[2]])
    assert theirs.read_bytes() == before
    assert review(chosen, data, decisions=[theirs, mine]).approved["customer_id"].tolist() == [
        CUSTOMERS[0],
        CUSTOMERS[2],
    ]


def test_two_reviews_of_one_file_stay_in_step(path):
    """What one kernel decides, another sees with its next message; neither undoes the other's."""
    chosen, data = proposals(6)
    first, second = (review(chosen, data, decisions=path, by=name) for name in ("ana", "bo"))
    first.approve([CUSTOMERS[0]])
    second.reject([CUSTOMERS[1]])
    news, pong = first.answer({"k": "ping"})
    assert (news["k"], [line["row"] for line in news["rows"]], pong["k"]) == ("changed", [1], "pong")
    assert first.counts["rejected"] == 1
    pd.testing.assert_frame_equal(first.to_frame(), second.to_frame())
    first.answer({"k": "undo"})
    second.answer({"k": "ping"})
    assert second.to_frame()["approval"].tolist()[:2] == ["", "rejected"]


# Another product


@pytest.fixture
def twice():
    """Return a review of three rows, and the second of two products for the first customer, outranked."""
    chosen, data = proposals(3)
    other = chosen.iloc[[0]].assign(
        product_retailer_id="sku-0007",
        title="Coffee beans 8 kg",
        price=Decimal("11.50"),
        kind="recommendation",
        probability=0.1,
        why="popular",
        rank=2,
        decision="skip",
        reason="outranked",
        body="We thought of you: Coffee beans 8 kg.",
    )
    return pd.concat([chosen, other], ignore_index=True), data


def test_a_candidate_takes_the_place_of_a_product(twice, path):
    """Its title, price, kind, reason and text come along, the approval is withdrawn, and the file keeps it all."""
    widget = review(*twice, decisions=path, by="ana")
    widget.approve_all()
    assert [other["product"] for other in card(widget)["others"]] == ["sku-0007"]
    widget.answer({"k": "swap", "row": 0, "product": "sku-0007"})
    assert CUSTOMERS[0] not in set(widget.approved["customer_id"])
    widget.answer({"k": "set", "row": 0, "state": "approved"})
    shown = widget.approved.iloc[0]
    assert (shown["product_retailer_id"], shown["title"], shown["price"]) == (
        "sku-0007",
        "Coffee beans 8 kg",
        Decimal("11.50"),
    )
    assert (shown["kind"], shown["probability"], shown["why"]) == ("recommendation", 0.1, "popular")
    assert shown["body"] == "We thought of you: Coffee beans 8 kg."
    assert widget.decisions["instead_of"].tolist()[0] == "sku-0000"
    assert json.loads(card(widget)["payload"])["interactive"]["action"]["product_retailer_id"] == "sku-0007"
    assert widget.plan(campaign="t", approved_by="ana", holdout=0.0).rows["product_retailer_id"].iloc[0] == "sku-0007"
    again = review(*twice, decisions=path)
    pd.testing.assert_frame_equal(again.to_frame(), widget.to_frame())


def test_any_sendable_product_may_take_its_place_and_be_taken_back(shown):
    """A text of the person's own keeps its words but for the title; going back brings the proposal back whole."""
    before = shown.to_frame()
    shown.answer({"k": "swap", "row": 0, "product": "sku-0010"})
    assert shown.to_frame()["body"].iloc[0] == "Running low on Coffee beans 11 kg? Here it is again."
    assert shown.to_frame()["source"].iloc[0] == "by hand"
    shown.answer({"k": "swap", "row": 0, "product": "sku-0000"})
    pd.testing.assert_frame_equal(shown.to_frame(), before)
    shown.answer({"k": "edit", "row": 0, "body": "Fresh: Coffee beans 1 kg!", "footer": ""})
    shown.answer({"k": "swap", "row": 0, "product": "sku-0010"})
    assert shown.to_frame()["body"].iloc[0] == "Fresh: Coffee beans 11 kg!"
    shown.answer({"k": "undo"})
    assert shown.to_frame()["product_retailer_id"].iloc[0] == "sku-0000"
    assert card(shown)["body"] == "Fresh: Coffee beans 1 kg!"


def test_the_answer_to_a_request_stays_one_with_another_product(shown):
    """Who asked is never held out, whichever product answers them."""
    shown.answer({"k": "swap", "row": 2, "product": "sku-0010"})
    assert shown.to_frame()["kind"].iloc[2] == "request"


def test_a_product_that_cannot_be_sent_takes_no_place(path):
    """A product without Meta's blessing is refused, also where a file says it was chosen before it lost it."""
    chosen, data = proposals(2)
    first = review(chosen, data, decisions=path)
    first.answer({"k": "swap", "row": 0, "product": "sku-0010"})
    first.approve_all()
    gone = data.catalog.assign(sendable=data.catalog["product_retailer_id"] != "sku-0010", not_sendable_reason="hidden")
    again = review(chosen, replace(data, catalog=gone), decisions=path)
    assert again.approved["customer_id"].tolist() == CUSTOMERS[1:2]
    assert again.facts["notices"] == ["1 earlier decisions were withdrawn: their rows have changed since"]
    (refused,) = again.answer({"k": "swap", "row": 0, "product": "sku-0010"})
    assert refused["why"] == "'sku-0010' cannot be shown: hidden"


def test_a_dearer_product_chosen_by_hand_is_undecided_again(path):
    """The approval belonged to the price of that day, of whichever product."""
    chosen, data = proposals(2)
    first = review(chosen, data, decisions=path)
    first.answer({"k": "swap", "row": 0, "product": "sku-0011"})
    first.approve_all()
    dearer = data.catalog.assign(price=[price + 1 for price in data.catalog["price"]])
    assert (
        review(chosen, replace(data, catalog=dearer), decisions=path).approved["customer_id"].tolist() == CUSTOMERS[1:2]
    )


def test_the_catalog_is_searched(shown):
    """Every word is found in title and id; what cannot be sent says why."""
    (found,) = shown.answer({"k": "find", "view": "v", "text": "BEANS sku-0076"})
    assert [(p["product"], p["not"]) for p in found["products"]] == [("sku-0076", "")]


# A text for many


def wrote(widget, body, footer=None, **content):
    """Return the answer to writing a text with fields, tried or done."""
    return widget.answer({"k": "write", "view": "v", "body": body, "footer": footer, **content})[0]


def test_one_text_with_fields_is_written_to_many():
    """Name, product and price are filled, approvals withdrawn, skipped rows left alone, and one undo takes it back."""
    widget = review(*TWELVE, names={CUSTOMERS[0]: "Ana"})
    widget.approve_all()
    listed(widget)
    tried = wrote(widget, "Hi {name|there}, {product} for {price}!", row=1)
    assert (tried["number"], tried["why"], tried["row"]) == (11, "", 1)
    assert tried["body"] == "Hi there, Coffee beans 2 kg for £6.50!"
    assert tried["longest"][0] == len("Hi there, Coffee beans 12 kg for £16.50!")
    assert wrote(widget, "Hi {name|there}, {product} for {price}!", do=True)["number"] == 11
    frame = widget.to_frame()
    assert frame["body"].iloc[0] == "Hi Ana, Coffee beans 1 kg for £4.25!"
    assert frame["footer"].iloc[0] == "Reply STOP to opt out"
    assert (frame["edited"].sum(), widget.counts["approved"]) == (11, 0)
    widget.answer({"k": "undo"})
    assert (widget.to_frame()["edited"].sum(), widget.counts["approved"]) == (0, 11)


def test_a_text_is_written_to_the_picked_alone(shown):
    """Rows named by the browser, whatever the list shows."""
    assert wrote(shown, "Just these", rows=[1, 3, 3, 9], do=True)["number"] == 2
    assert shown.to_frame().query("edited").index.tolist() == [1, 3]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("Hi {name}", "the name is not known: {name|another word} says what stands there instead"),
        ("{colour}", "there is no field {colour}; the fields are {name}, {product}, {price}"),
        ("x" * 1025, "the body is 1 characters too long"),
    ],
)
def test_a_text_that_one_row_cannot_have_is_written_to_none(shown, body, why):
    """Tried it says how many and why, done it is refused as a whole."""
    listed(shown)
    assert wrote(shown, body)["why"].startswith("11 of 11 texts cannot be written: " + why)
    assert wrote(shown, body, do=True)["k"] == "refused"
    assert shown.decisions.empty


# Meta's catalog


def test_where_meta_differs_is_listed():
    """A price and a stock that changed at Meta since the export are told; without a client there is nobody to ask."""
    chosen, data = proposals(12)
    now = data.catalog.assign(price=[price + (i == 1) for i, price in enumerate(data.catalog["price"])])
    now.loc[2, "availability"] = "out of stock"
    client = wa.Sandbox(replace(data, catalog=now)).client()
    widget = review(chosen, data, client=client)
    (answer,) = widget.answer({"k": "compare", "view": "v"})
    assert [d["product"] for d in answer["differences"]] == ["sku-0001", "sku-0002"]
    assert "6.5 GBP when planned, 7.5 GBP at Meta now" in answer["differences"][0]["what"]
    assert widget.differences()["product_retailer_id"].tolist() == ["sku-0001", "sku-0002"]
    with pytest.raises(DataError, match="give client="):
        review(chosen, data).differences()


# The plan


def test_the_plan_holds_the_approved_rows_and_their_addresses(shown):
    """Rows, texts as edited, threads, and the waterfall down to what nobody approved."""
    shown.answer({"k": "edit", "row": 0, "body": "edited", "footer": ""})
    shown.approve(CUSTOMERS[:2])
    plan = shown.plan(campaign="test", approved_by="ana", holdout=0.0)
    assert plan.rows["to"].tolist() == ["+447700900000", "+447700900001"]
    assert plan.rows["body"].iloc[0] == "edited"
    assert plan.rows["last_inbound_at"].notna().all()
    assert plan.waterfall == (("window closed", 1), ("not approved", 9))
    assert plan.created_at == shown._data.as_of
    assert plan.catalog_id == "900000000000001"
    plan.check(plan.created_at)


def test_no_plan_without_a_name(shown):
    """Who approves must say who they are."""
    with pytest.raises(PlanError, match="approved_by"):
        shown.plan(campaign="test", approved_by=" ", holdout=0.1)


# What is shown


def test_the_payload_is_the_one_that_is_sent_with_its_address_hidden(shown):
    """The request is the real builder's, and no phone number reaches the browser."""
    found = card(shown)
    message = json.loads(found["payload"])
    assert message["to"] == "+4•••••••••00"
    assert message["interactive"] == {
        "type": "product",
        "body": {"text": "Running low on Coffee beans 1 kg? Here it is again."},
        "footer": {"text": "Reply STOP to opt out"},
        "action": {"catalog_id": "900000000000001", "product_retailer_id": "sku-0000"},
    }
    everything = json.dumps([found, shown.get_state(), shown._repr_mimebundle_()], default=str)
    assert "447700900" not in everything


def test_the_card_shows_what_the_customer_pays_and_what_it_cost_before(shown):
    """A sale price has the price before beside it; without a sale there is none."""
    assert (card(shown, 0)["price"], card(shown, 0)["was"]) == ("4.25", "5.50")
    assert (card(shown, 1)["price"], card(shown, 1)["was"]) == ("6.50", "")


def test_the_customers_last_messages_stand_above_the_card(shown):
    """An enquiry names the product it was about."""
    assert card(shown, 0)["messages"] == [
        {"text": "hello", "kind": "enquiry", "about": "Coffee beans 2 kg", "at": "Fri 20 Nov 09:00 UTC"}
    ]


@pytest.mark.parametrize(
    ("content", "start"),
    [
        (PIXEL, "data:image/png;base64,"),
        (b"<svg onload='x'/>", ""),
        (b"\xff\xd8\xff" + b"0" * 3_000_001, ""),
        (b"", ""),
    ],
)
def test_only_a_real_picture_of_a_fair_size_is_sent(content, start):
    """A PNG goes as a data URI; markup, nothing and a huge file do not."""
    chosen, data = proposals(1)
    data.pictures["sku-0000"] = content
    assert card(review(chosen, data))["picture"][: len(start) or 1] == start


@pytest.mark.parametrize(
    ("link", "kept"),
    [
        ("https://shop.example/a.jpg", True),
        ("http://shop.example/a.jpg", False),
        ("javascript:alert(1)", False),
        ("https://[broken", False),
        ("", False),
    ],
)
def test_only_an_https_picture_may_be_loaded_when_asked_for(link, kept):
    """Other links never reach the browser."""
    assert card(review(*proposals(1, link=link)))["link"] == (link if kept else "")


def test_a_shop_without_a_catalog_id_says_so():
    """The payload cannot be made, the reason stands in its place and among the notices."""
    chosen, data = proposals(1)
    object.__setattr__(data, "catalog_id", "")
    widget = review(chosen, data)
    assert card(widget)["payload"] == ""
    assert "catalog_id" in card(widget)["problem"]
    assert "catalog_id" in widget.facts["notices"][0]


@pytest.mark.parametrize("address", ["+447700900123", "GB.13491208655302741918"])
def test_an_address_is_hidden_but_for_its_ends(address):
    """What is left names nobody."""
    assert masked(address) == address[:2] + "•" * (len(address) - 4) + address[-2:]


# What the browser may ask


def test_queries_find_filter_and_sort(shown):
    """Every word of the search, the tab, the kind, the reason and the order."""
    shown.approve([CUSTOMERS[3]])
    assert listed(shown, text="beans 12 KG") == [11]
    assert listed(shown, text=CUSTOMERS[5]) == [5]
    assert listed(shown, show="skipped") == listed(shown, reason="window closed") == [9]
    assert listed(shown, show="approved") == [3]
    assert listed(shown, kind="request", show="open") == [2, 5, 8, 11]
    assert listed(shown, sort="price")[:3] == [0, 1, 2]
    assert listed(shown, sort="closes") == list(range(11, -1, -1))
    assert listed(shown, sort="probability") == list(range(12))
    assert listed(shown, text="nothing like it") == []


def test_filters_by_product_probability_and_closing_time(shown):
    """Each narrows the list; what was edited is found by its new words."""
    assert listed(shown, product="sku-0004") == [4]
    assert listed(shown, least=0.5) == [0, 1, 2, 3, 4, 5, 6]
    assert listed(shown, closing="12") == listed(shown, closing="closed") == []
    late, data = proposals(12)
    soon = review(
        late.assign(closes_at=data.as_of + pd.to_timedelta([30 * i - 30 for i in range(12)], unit="min")), data
    )
    assert listed(soon, closing="1") == [2, 3]
    assert listed(soon, closing="closed") == [0, 1]
    shown.answer({"k": "edit", "row": 5, "body": "Zanzibar", "footer": ""})
    assert listed(shown, text="zanzibar") == [5]


def test_rows_are_grouped_by_product_and_decided_together():
    """Most rows first, with what became of them; a decision on a product takes its undecided rows of the list."""
    chosen, data = proposals(301)
    widget = review(chosen, data)
    widget.reject([f"c{0:016x}"])
    (answer,) = widget.answer({**QUERY, "group": True})
    first = answer["rows"][0]
    assert (answer["total"], answer["number"], first["product"]) == (150, 301, "sku-0000")
    assert (first["rejected"], first["open"], first["title"]) == (1, 2, "Coffee beans 1 kg")
    widget.answer({"k": "bulk", "view": "v", "state": "approved", "product": "sku-0000"})
    assert widget.approved.index.tolist() == [150, 300]


def test_the_picked_are_decided_whatever_they_were(shown):
    """Who picks a rejected row and approves it means it; skipped rows among the picked stay skipped."""
    shown.reject([CUSTOMERS[1]])
    shown.answer({"k": "bulk", "view": "v", "state": "approved", "rows": [1, 2, 9]})
    assert shown.approved.index.tolist() == [1, 2]


def test_time_is_the_clients_else_goes_on_from_the_shops():
    """A shop seen from a past moment counts its windows from there; with a client its clock counts."""
    chosen, data = proposals(2)
    (pong,) = review(chosen, data).answer({"k": "ping"})
    assert 0 <= pong["now"] - data.as_of.timestamp() * 1000 < 60_000
    sandbox = wa.Sandbox(data)
    widget = review(chosen, data, client=sandbox.client())
    sandbox.advance("2h")
    assert widget.answer({"k": "ping"})[0]["now"] == sandbox.now.timestamp() * 1000


def test_a_bulk_action_leaves_the_decided_alone(shown):
    """What was rejected one by one is not approved in bulk, except from the list of the rejected itself."""
    shown.reject([CUSTOMERS[0]])
    listed(shown, show="all")
    shown.answer({"k": "bulk", "view": "v", "state": "approved"})
    assert (shown.counts["approved"], shown.counts["rejected"]) == (10, 1)
    listed(shown, show="rejected")
    shown.answer({"k": "bulk", "view": "v", "state": "approved"})
    assert (shown.counts["approved"], shown.counts["rejected"]) == (11, 0)


def test_the_list_comes_in_windows_and_keeps_the_chosen_row():
    """A query answers with the window around the row that was chosen; any other window can be asked for."""
    widget = review(*proposals(1_000))
    (answer,) = widget.answer({**QUERY, "show": "open", "seq": 7, "sort": "title", "keep": 500})
    assert answer["total"] == 900
    assert answer["rows"][answer["at"] - answer["from"]]["row"] == 500
    (rest,) = widget.answer({"k": "rows", "view": "v", "seq": 7, "from": 880})
    assert len(rest["rows"]) == 20


def test_a_bulk_action_touches_what_is_shown_and_nothing_else(shown):
    """Skipped rows among those shown stay as they are."""
    assert listed(shown, kind="reorder") == [0, 3, 6, 9]
    shown.answer({"k": "bulk", "view": "v", "state": "approved"})
    assert shown.approved.index.tolist() == [0, 3, 6]


@pytest.mark.parametrize(
    "message",
    [
        None,
        [],
        {},
        {"k": "sudo"},
        {"k": ["set"]},
        {"k": "set", "row": 0, "state": "sent"},
        {"k": "set", "row": 99, "state": "approved"},
        {"k": "set", "row": -1, "state": "approved"},
        {"k": "set", "row": True, "state": "approved"},
        {"k": "set", "row": "0", "state": "approved"},
        {"k": "set", "row": 9, "state": "approved"},
        {"k": "bulk", "view": "never asked", "state": "approved"},
        {"k": "edit", "row": 0, "body": None, "footer": ""},
        {"k": "rows", "view": "never asked", "from": 0},
        {"k": "open", "row": 1e9},
        QUERY | {"show": "secret"},
        QUERY | {"closing": "2"},
        QUERY | {"least": 7},
        {"k": "bulk", "view": "v", "state": "approved", "rows": [0, 99]},
        {"k": "bulk", "view": "v", "state": "approved", "rows": "all"},
        {"k": "swap", "row": 0, "product": "no such"},
        {"k": "write", "view": "v", "rows": [0], "body": "{colour}", "footer": "", "do": True},
        {"k": "write", "view": "v", "rows": [9], "body": "skipped", "footer": "", "do": True},
        {"k": "find", "view": "v", "text": 3},
        {"k": "compare", "view": "v"},
    ],
)
def test_what_the_browser_may_not_say_is_refused(shown, message):
    """Unknown rows, states, views and commands change nothing and are answered in words."""
    (answer,) = shown.answer(message)
    assert answer["k"] == "refused"
    assert answer["why"]
    assert shown.decisions.empty


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
)
COMMANDS = st.sampled_from(
    ["query", "rows", "open", "set", "bulk", "edit", "undo", "write", "swap", "find", "compare", "ping"]
)
KEYS = st.sampled_from(
    [
        *("view", "row", "rows", "state", "body", "footer", "from", "keep", "text", "show", "kind", "sort", "reason"),
        *("product", "least", "closing", "group", "do"),
    ]
)


@given(COMMANDS, st.dictionaries(KEYS, JSON))
def test_no_message_of_the_browser_breaks_the_review(command, content):
    """Whatever arrives is answered, and the answer is strict JSON."""
    for answer in review(*TWELVE).answer({"k": command, **content}):
        json.dumps(answer, allow_nan=False)


# Where widgets do not render


def test_the_fallback_is_a_table_in_which_nothing_runs():
    """Hostile texts are escaped; the plain text form and the repr name nobody."""
    widget = review(*hostile(20))
    data, _ = widget._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert not any(text in data["text/html"] for text in HOSTILE if "<" in text)
    assert "&lt;script&gt;" in data["text/html"]
    assert data["text/plain"] == repr(widget)
    assert repr(widget) == "<Review of 20 proposals: 18 to send, of them 0 approved and 0 rejected; 2 skipped>"


def test_nothing_of_a_customer_is_in_the_state_that_a_notebook_saves(shown):
    """The synced state holds counts and code, no customer, no title, no text."""
    state = json.dumps({k: v for k, v in shown.get_state().items() if k not in {"_esm", "_css"}}, default=str)
    assert not any(word in state for word in ("Coffee", "c000", "Running", "hello"))


def test_at_first_little_is_sent():
    """Code, style, the first window of ten thousand rows, a card and the fallback are less than 100 kB together."""
    widget = review(*proposals(10_000))
    first = [widget.get_state(), widget._repr_mimebundle_(), widget.answer(QUERY), card(widget)]
    assert sum(len(json.dumps(part, default=str, ensure_ascii=False).encode()) for part in first) < 100_000


def test_a_review_of_nothing_is_a_review():
    """No proposals, no trouble."""
    chosen, data = proposals(1)
    widget = review(chosen.iloc[:0], data)
    assert listed(widget) == []
    assert widget.approve_all() == 0
    assert widget.approved.empty
    assert isinstance(widget, Review)


def test_another_frame_is_refused_with_both_sides_named():
    """What is no selected frame, or holds a row twice, is said at the door."""
    chosen, data = proposals(2)
    with pytest.raises(DataError, match="lacks the columns"):
        review(chosen.drop(columns="decision"), data)
    with pytest.raises(DataError, match="twice"):
        review(pd.concat([chosen, chosen]), data)
