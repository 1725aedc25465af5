"""The brief of a day: a page for a phone, with what went out, what failed and what waits."""

import re

import pandas as pd
import pytest

from tests import campaign, shops
from wa_products import frames
from wa_products.limits import Limits
from wa_products.reports import brief
from wa_products.selection import select

HOSTILE = "<script>document.title='owned'</script>"


def outcomes(plan, *told):
    """Return outcomes of the plan's customers, in its order; codes for what was refused."""
    rows = plan.rows[["customer_id", "product_retailer_id"]].assign(
        campaign=plan.campaign,
        outcome=["refused" if isinstance(each, int) else each for each in told],
        code=[each if isinstance(each, int) else 0 for each in told],
    )
    return frames.conform(rows, frames.OUTCOMES, "outcomes")


def waiting(title="Coffee beans 1 kg"):
    """Return two rows that wait."""
    data = shops.shop(catalog=shops.catalog(title=title))
    return select(shops.proposals([("ada", "beans-1kg", 0.4), ("bob", "tea-100", 0.1)]), data)


@pytest.fixture
def page(tmp_path):
    """Return a function that writes a brief and returns its text."""

    def written(plan, found, rows):
        return brief(plan, found, tmp_path / "brief.html", waiting=rows).read_text("utf-8")

    return written


def test_a_brief_says_what_went_out_what_failed_and_what_waits(page):
    """The counts of the day, each failure by its meaning, what waits by product, and until when."""
    plan = campaign.plan(5, holdout=0.0, campaign="daily-2026-11-20", approved_by="Ana")
    text = page(plan, outcomes(plan, "accepted", "accepted", 131026, "unknown", "accepted"), waiting())
    told = " ".join(re.sub(r"<[^>]*>", " ", text.partition("<body>")[2]).split())
    assert "The rules let 7 customers have a message. 5 of them are covered" in told
    assert "3 messages were accepted; 2 wait for you" in told
    assert "2 of 5 messages were refused or are unknown" in told
    assert "(code 131026) 1 no answer came 1" in told
    assert "the windows close from 20 November 2026, 13:00 UTC to 21 November 2026, 07:00 UTC" in told
    assert "Coffee beans 1 kg (reorder) 2 40.0 %" in told


def test_a_day_on_which_nothing_happened(page):
    """No message and nothing that waits is told as that."""
    plan = campaign.plan(0, limits=Limits())
    text = page(plan, frames.empty(frames.OUTCOMES), waiting().iloc[:0])
    assert "The rules let 0 customers have a message" in text
    assert "What waits" not in text


def test_a_brief_shows_nobody_and_runs_nothing(page):
    """No number, no customer id and no script stands in it, whatever a product is called."""
    plan = campaign.plan(2)
    text = page(plan, outcomes(plan, "accepted", "accepted"), waiting(HOSTILE))
    assert "<script" not in text
    for number, customer in zip(shops.NUMBERS.values(), shops.IDS.values(), strict=True):
        assert number not in text
        assert customer not in text


@pytest.mark.slow
def test_a_brief_fits_a_phone(chromium, tmp_path):
    """At 390 pixels nothing scrolls sideways and no text is smaller than 12 pixels."""
    plan = campaign.plan(3, campaign="a-campaign-with-quite-a-long-name-2026-11-20")
    rows = waiting("An uncommonly long name of a product, with Donaudampfschifffahrtsgesellschaft in it, 1 kg")
    path = brief(plan, outcomes(plan, "accepted", 131026, "unknown"), tmp_path / "b.html", waiting=rows)
    page = chromium.new_page(viewport={"width": 390, "height": 844})
    page.goto(path.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    sizes = "[...document.querySelectorAll('main *')].map((each) => parseFloat(getComputedStyle(each).fontSize))"
    assert min(page.evaluate(sizes)) >= 12
    page.close()


def test_times_are_those_of_the_plan(page):
    """A brief of the same plan is the same page, whenever it is written."""
    plan = campaign.plan(1, now=pd.Timestamp("2026-11-22 08:00Z"))
    first, again = (page(plan, outcomes(plan, "accepted"), waiting()) for _ in range(2))
    assert first == again
    assert "as known on 22 November 2026, 08:00 UTC" in first
