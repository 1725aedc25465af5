"""The customer service window, from inbound messages alone."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import shops
from wa_products import frames, windows


def thread(rows, name="ada", at=shops.AS_OF):
    """Return the thread of `name` after the inbound `rows`."""
    return windows.threads(rows, at).set_index("customer_id").loc[shops.IDS[name]]


@pytest.mark.parametrize(("hours", "open_"), [(0, True), (23.9, True), (23.92, False), (24, False), (25, False)])
def test_a_thread_is_open_for_a_day_less_the_margin(hours, open_):
    """The window lasts 24 h and counts as closed five minutes before its end."""
    assert thread(shops.inbound([("ada", hours, "hi")]))["is_open"] == open_


@pytest.mark.parametrize("kind", sorted(windows.NOT_OPENING))
def test_notices_do_not_open_the_window(kind):
    """Reactions, unsupported messages, system notices and preferences open no window."""
    assert not thread(shops.inbound([("ada", 1, "")]).assign(kind=kind))["is_open"]


def test_a_message_of_the_future_is_not_yet_known():
    """What arrives after as_of changes nothing."""
    assert windows.threads(shops.inbound([("ada", -1, "hi")]), shops.AS_OF).empty


@pytest.mark.parametrize(("texts", "out"), [(["STOP"], True), (["stop."], True), (["stop", "start"], False),
                                            (["please do not stop"], False), (["Baja"], True)])  # fmt: skip
def test_the_last_word_on_opting_out_counts(texts, out):
    """A stop word alone opts out, a later start word opts in again, a sentence with the word does not."""
    rows = [("ada", len(texts) - n, text) for n, text in enumerate(texts)]
    assert thread(shops.inbound(rows))["opted_out"] == out


def test_a_preference_opts_out():
    """Meta's stop preference counts like the word."""
    rows = shops.inbound([("ada", 3, "hi"), ("ada", 2, "stop")]).assign(kind=["text", "preference"])
    assert thread(rows)["opted_out"]


def test_a_changed_number_closes_the_old_window():
    """After a number change the thread goes to the new number and opens only when that number has written."""
    rows = shops.inbound([("ada", 3, "hi"), ("ada", 2, "")]).assign(
        kind=["text", "system"], wa_id=["447700900000", "447700900900"], previous_wa_id=["", "447700900000"]
    )
    found = thread(rows)
    assert found["to"] == "+447700900900"
    assert not found["is_open"]
    later = pd.concat([rows, rows.tail(1).assign(kind="text", previous_wa_id="", message_id="x",
                                                 received_at=shops.AS_OF)])  # fmt: skip
    assert thread(later)["is_open"]


def test_a_customer_without_phone_is_reached_by_user_id():
    """Where only a business-scoped user id is known, it is the recipient."""
    found = thread(shops.inbound([("ada", 1, "hi")]).assign(wa_id="", user_id="GB.77"))
    assert (found["to"], found["recipient"]) == ("", "GB.77")


@given(st.permutations(range(6)))
def test_the_order_of_the_log_does_not_matter(order):
    """Any order of the same messages gives the same threads."""
    rows = shops.inbound([("ada", 3, "hi"), ("ada", 2, "stop"), ("bob", 1, "x"), ("bob", 30, "y"), ("cyd", 9, "start"),
                          ("dee", 26, "z")])  # fmt: skip
    expected = windows.threads(rows, shops.AS_OF)
    pd.testing.assert_frame_equal(expected, windows.threads(rows.iloc[list(order)], shops.AS_OF))


def test_no_messages_no_threads():
    """An empty log gives an empty frame of the right shape."""
    made = windows.threads(frames.empty(frames.INBOUND), shops.AS_OF)
    assert list(made) == list(frames.THREADS)
    assert made.empty
