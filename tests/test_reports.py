import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from tests.made_campaign import START, campaign, cart, events_of, row, rows_of, status
from wa_products import metrics, reports
from wa_products.errors import DataError

END = START + pd.Timedelta("8D")
ROWS, EVENTS, HEADER = campaign(280)
RESULTS = metrics.results(ROWS, EVENTS, HEADER, END)
HOSTILE = "</script><img src=x onerror=\"document.title='owned'\"><b>bold</b>"


class Outside(HTMLParser):
    """Collects what a page would fetch, and its visible text."""

    def __init__(self, text):
        super().__init__()
        self.fetched, self.words, self._code = [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Note what the tag would fetch."""
        self._code = tag in {"script", "style"}
        self.fetched += [value for name, value in attrs if name in {"src", "href", "srcset", "action"}]
        self.fetched += [tag] * (tag in {"link", "iframe", "object", "embed", "base", "form"})

    def handle_endtag(self, _):
        """Leave script or style."""
        self._code = False

    def handle_data(self, data):
        """Keep what a reader sees."""
        if not self._code:
            self.words.append(data)


def hostile_results():
    """Return results in which every text from outside attacks the page."""
    rows = [row("ann", title=HOSTILE), row("bob", outcome="refused", code=424242, details=HOSTILE, wamid="")]
    header = {**HEADER, "campaign": HOSTILE, "approved_by": HOSTILE, "waterfall": [(HOSTILE, 3)]}
    events = [status("ann", "read"), *cart("ann", ("rice-5kg", 1, "9.00", "<i>"))]
    return metrics.results(rows_of(*rows), events_of(*events), header, END)


def test_the_report_is_one_file_without_links(tmp_path):
    """One file under 7 MB, with the plotting library once, and nothing in it that a browser would fetch."""
    path = reports.report(RESULTS, tmp_path / "new" / "report.html")
    text = path.read_text("utf-8")
    assert path.stat().st_size < 7_000_000
    assert text.count("plotly.js v") == 1
    assert Outside(text).fetched == []
    assert "default-src 'none'" in text
    assert [item.name for item in path.parent.iterdir()] == ["report.html"]


def test_the_report_says_what_the_results_say():
    """The sentence, the verdict, each step of the funnel and each thing to do stand in the text of the page."""
    words = re.sub(r"\s+", " ", " ".join(Outside(reports.page(RESULTS)).words))
    money = [f"GBP {value:,.2f}" for value in RESULTS.money["attributed_value"]]
    assert len(set(money)) > 3
    for said in (RESULTS.summary, RESULTS.verdict, "204 of 218", *RESULTS.failures["what_to_do"], *money):
        assert said in words


def test_what_comes_from_outside_stays_text():
    """A campaign, an approver, a title, a reason or a currency made of tags puts no tag into the page."""
    text = reports.page(hostile_results())
    assert "<img src=x" not in text
    assert "<b>bold" not in text
    assert "<i>" not in text
    assert HOSTILE in " ".join(Outside(text).words)


def test_no_customer_and_no_phone_number_is_in_the_report():
    """The page holds counts: no customer id, no message id, no wa_id, no long digits but those of the plan."""
    events = EVENTS.assign(wa_id="447700900123", details="to +44 7700 900123")
    text = reports.page(metrics.results(ROWS.assign(details="to +44 7700 900123"), events, HEADER, END))
    ours = text.replace(reports.get_plotlyjs(), "")
    assert not re.search(r"7700 ?900|wamid|c0000\d\d|send-c", ours)


@pytest.mark.parametrize("customers", [0, 1, 50])
def test_a_report_of_any_size_is_whole(customers):
    """Nobody, one or fifty customers give a page with all its sections and no stray None or nan."""
    words = " ".join(Outside(reports.page(metrics.results(*campaign(customers), END))).words)
    assert words.count("How this was measured") == 1
    assert not re.search(r"\bnan\b|\bNone\b|NaT", words)


def test_the_report_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    """A report that cannot be finished leaves the earlier one as it was, and no draft."""
    path = tmp_path / "report.html"
    path.write_text("earlier")
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        reports.report(RESULTS, path)
    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_no_file_name(tmp_path):
    """A folder for a path is refused with an example of a file in it."""
    with pytest.raises(DataError, match=r"is a folder: name a file in it"):
        reports.report(RESULTS, tmp_path)


def test_the_same_results_give_the_same_page():
    """Two reports of the same results are the same to the letter."""
    assert reports.page(RESULTS) == reports.page(RESULTS)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_report_opens_offline_in_a_browser(chromium, tmp_path, scheme, width):
    """In Chromium all charts are drawn, nothing is fetched, nothing fails, and a phone need not scroll sideways."""
    asked, faults = [], []
    for number, found in enumerate((RESULTS, hostile_results())):
        path = reports.report(found, tmp_path / f"{number}.html")
        page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(path.as_uri())
        page.wait_for_function("document.querySelectorAll('.js-plotly-plot .main-svg').length >= 30")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.title() != "owned"
        assert page.locator("img").count() == 0
        page.close()
    assert {url.split(":")[0] for url in asked} == {"file"}
    assert faults == []
