"""The campaign customer by customer in a file."""

import pandas as pd
import pytest
from python_calamine import CalamineWorkbook

from tests.made_campaign import HEADER, START, campaign, cart, events_of, row, rows_of, status
from wa_products import metrics
from wa_products.errors import DataError
from wa_products.reports import save_contacts

END = START + pd.Timedelta("8D")
RESULTS = metrics.results(*campaign(60), END)
THREADS = pd.DataFrame({"customer_id": ["ann", "bob"], "to": ["+15550100", ""], "recipient": ["", "GB.7"]})


def small(title="Rice"):
    """Return the results of two customers, one with a cart and one whose message failed."""
    rows = rows_of(row("ann", title=title), row("bob", title=title))
    told = events_of(status("ann", "read"), *cart("ann", ("rice-5kg", 1, "9")), status("bob", "failed", code=131026))
    return metrics.results(rows, told, {**HEADER, "waterfall": []}, END)


def test_contacts_tell_each_customer_what_came_of_their_message():
    """State, failure with what to do, and the cart that followed stand in one row a planned customer."""
    table = small().contacts.set_index("customer_id")
    assert table.loc["ann", ["state", "cart_rule", "failed_code", "left_out"]].tolist() == [
        "read",
        "same item",
        0,
        False,
    ]
    assert table.loc["bob", ["state", "failed_class", "failed_code", "left_out"]].tolist() == [
        "failed", "cannot receive", 131026, True,
    ]  # fmt: skip
    assert len(RESULTS.contacts) == 60


def test_a_csv_reads_back_as_it_was(tmp_path):
    """All rows and columns come back, times in UTC, without any address."""
    path = save_contacts(RESULTS, tmp_path / "new" / "contacts.csv")
    found = pd.read_csv(path, dtype="str", keep_default_na=False)
    assert found.columns.tolist() == RESULTS.contacts.columns.tolist()
    assert found["customer_id"].tolist() == RESULTS.contacts["customer_id"].tolist()
    assert found["state"].tolist() == RESULTS.contacts["state"].tolist()
    assert pd.to_datetime(found["at"]).tolist() == RESULTS.contacts["at"].tolist()
    assert [file.name for file in path.parent.iterdir()] == ["contacts.csv"]


def test_a_workbook_reads_back_as_it_was(tmp_path):
    """The sheet has the header, a row a customer, and ids as text."""
    path = save_contacts(RESULTS, tmp_path / "contacts.xlsx")
    rows = CalamineWorkbook.from_path(path).get_sheet_by_name("contacts").to_python()
    assert rows[0] == RESULTS.contacts.columns.tolist()
    assert [line[0] for line in rows[1:]] == RESULTS.contacts["customer_id"].tolist()


@pytest.mark.parametrize("text", ["=1+1", "+44", "-2", "@SUM(A1)", '=HYPERLINK("http://example.com")', "plain"])
def test_no_text_becomes_a_formula(tmp_path, text):
    """A title that begins like a formula is text in the workbook, and has an apostrophe before it in the CSV."""
    results = small(title=text)
    sheet = CalamineWorkbook.from_path(save_contacts(results, tmp_path / "a.xlsx")).get_sheet_by_index(0).to_python()
    assert sheet[1][2] == text
    found = pd.read_csv(save_contacts(results, tmp_path / "a.csv"), dtype="str")
    assert found["title"].tolist() == [text if text == "plain" else f"'{text}"] * 2


def test_addresses_stand_there_only_where_they_are_asked_for(tmp_path):
    """With the threads of the shop the number or user id stands beside the customer, without them it does not."""
    found = pd.read_csv(save_contacts(small(), tmp_path / "a.csv", threads=THREADS), dtype="str")
    assert found["address"].tolist() == ["'+15550100", "GB.7"]
    assert "address" not in pd.read_csv(save_contacts(small(), tmp_path / "b.csv")).columns


@pytest.mark.parametrize(("name", "words"), [("contacts.txt", "neither .csv nor .xlsx"), ("", "neither")])
def test_another_kind_of_file_is_refused(tmp_path, name, words):
    """Only CSV and XLSX are written, and the error names both."""
    with pytest.raises(DataError, match=words):
        save_contacts(RESULTS, tmp_path / name)


def test_contacts_are_not_changed_by_writing(tmp_path):
    """The frame is the same after writing."""
    before = RESULTS.contacts.copy()
    save_contacts(RESULTS, tmp_path / "a.csv")
    save_contacts(RESULTS, tmp_path / "a.xlsx")
    pd.testing.assert_frame_equal(RESULTS.contacts, before)
