import json
from decimal import Decimal

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from plotly.offline import get_plotlyjs

from tests.made_campaign import START, campaign, cart, events_of, row, rows_of, spread, status
from wa_products import figures, metrics
from wa_products.errors import DataError

END = START + pd.Timedelta("8D")
HEADER = campaign(0)[2]
OF_FRAMES = {"backtest", "calibration", "overview"}
ALL = tuple(getattr(figures, name) for name in figures.__all__ if name not in OF_FRAMES)
RESULTS = metrics.results(*campaign(280), END)


def results(rows, *events):
    """Return the results of a hand-made campaign."""
    return metrics.results(rows_of(*rows), events_of(*events), HEADER, END)


def chosen(*rows):
    """Return selected rows from (customer, decision, reason)."""
    return pd.DataFrame(rows, columns=["customer_id", "decision", "reason"])


@pytest.mark.parametrize("draw", ALL, ids=lambda draw: draw.__name__)
@pytest.mark.parametrize("customers", [0, 1, 50])
def test_every_chart_draws_at_any_size(draw, customers):
    """Nobody, one or fifty customers: each chart is a plain Figure on a transparent page, and turns into JSON."""
    figure = draw(metrics.results(*campaign(customers), END))
    assert type(figure) is go.Figure
    assert figure.layout.template.layout.paper_bgcolor == "rgba(0,0,0,0)"
    assert json.loads(figure.to_json())["layout"]["height"] > 100


@pytest.mark.slow
def test_a_hundred_thousand_customers_make_small_charts():
    """What a chart carries are counts, not customers: each stays under 100 kB at 100,000 customers."""
    found = metrics.results(*campaign(100_000), END)
    assert max(len(draw(found).to_json()) for draw in ALL) < 100_000


def surveyed(campaigns, horizon="7D"):
    """Return the overview of so many campaigns, a day apart, seen at the start of the last."""
    kinds = {"text": "", "time": START, "integer": 0}
    blank = {name: kinds[kind] for name, kind in metrics.overviews.TOTALS.items()}
    counts = {"planned": 100, "accepted": 80, "delivered": 70, "read": 30, "failed": 10}
    counts |= {"treated": 80, "treated_with_cart": 9, "holdout": 20, "holdout_with_cart": 1}
    days = [START + n * pd.Timedelta("1D") for n in range(campaigns)]
    told = [blank | counts | {"campaign": f"<b>c{n}</b>", "started_at": day} for n, day in enumerate(days)]
    totals = pd.DataFrame(told, columns=list(blank)).assign(as_of=days[-1] if days else START)
    return metrics.overview(totals, pd.Timedelta(horizon))


@pytest.mark.parametrize("campaigns", [0, 1, 500])
def test_the_overview_draws_any_number_of_campaigns(campaigns):
    """None, one or five hundred campaigns: a plain Figure that turns into JSON, names from outside as text."""
    figure = figures.overview(surveyed(campaigns))
    told = figure.to_json()
    assert json.loads(told)["layout"]["height"] > 100
    assert "<b>c0</b>" not in told
    assert "\\u003cb\\u003ec0" not in told


def test_the_overview_has_an_interval_where_the_days_are_over():
    """Campaigns whose days are over have the ends of their interval, the others a hollow mark and none."""
    table = surveyed(12)
    done, still = (trace for trace in figures.overview(table).data if trace.mode == "markers")
    over = table[table["is_complete"]]
    assert (len(done.x), len(still.x)) == (len(over), 12 - len(over)) == (5, 7)
    assert np.array(done.y) + np.array(done.error_y.array) == pytest.approx(100 * over["high"])
    assert np.array(done.y) - np.array(done.error_y.arrayminus) == pytest.approx(100 * over["low"])
    assert still.error_y.array is None
    shares = {trace.name: trace.y[0] for trace in figures.overview(table).data if "lines" in trace.mode}
    assert shares == {"delivered": 87.5, "read": 37.5, "failed": 12.5}


def test_an_overview_without_its_columns_is_refused():
    """A frame that is no overview is an error that names the columns it lacks."""
    with pytest.raises(DataError, match="started_at"):
        figures.overview(pd.DataFrame({"campaign": ["c1"]}))


def test_the_waterfall_of_selected_rows_and_of_results_end_in_their_counts():
    """Before sending the last bar is the planned, afterwards the accepted; customers count once."""
    before = figures.waterfall(
        chosen(("ann", "send", ""), ("ann", "skip", "outranked"), ("bob", "skip", "opted out"), ("eve", "send", ""))
    )
    assert before.data[0].text[-1] == "2"
    assert "opted out" in before.layout.yaxis.ticktext
    after = figures.waterfall(RESULTS)
    assert after.data[0].text[-1] == str(RESULTS.count("accepted"))
    with pytest.raises(DataError, match="decision"):
        figures.waterfall(pd.DataFrame({"customer_id": []}))


def test_funnel_bars_and_whiskers_are_the_table():
    """Bars are the counts and whiskers the Wilson ends, in customers; what was planned is known and has none."""
    table = RESULTS.funnel[RESULTS.funnel["step"] != "held out"]
    bars = figures.funnel(RESULTS).data[0]
    assert list(bars.x) == table["customers"].tolist()
    ends = np.array(bars.x) + np.array(bars.error_x.array)
    assert ends[1:] == pytest.approx((table["high"] * table["total"]).to_numpy()[1:])
    assert bars.error_x.array[0] == bars.error_x.arrayminus[0] == 0


def test_the_carts_of_the_chart_are_all_carts():
    """The bars over time add up to the carts of the table, rule by rule."""
    figure = figures.carts(RESULTS)
    over_time = {bar.name: sum(bar.y) for bar in figure.data if bar.orientation != "h"}
    assert over_time == RESULTS.carts["rule"].value_counts().to_dict()


def test_the_lift_card_says_the_verdict_and_shows_the_interval():
    """The words and the ends of the interval are those of the table."""
    figure = figures.lift(RESULTS)
    words = figure.layout.title.subtitle.text.replace("<br>", " ")
    assert words == RESULTS.verdict
    difference, row_of_lift = figure.data[-1], RESULTS.lift.iloc[0]
    assert difference.x[0] - difference.error_x.arrayminus[0] == pytest.approx(100 * row_of_lift["low"])
    assert difference.x[0] + difference.error_x.array[0] == pytest.approx(100 * row_of_lift["high"])


def test_the_lift_card_has_no_interval_before_the_end():
    """While the campaign runs the card shows rates and words, and no interval that is meant for one look."""
    early = metrics.results(*campaign(280), END - pd.Timedelta("2D"))
    assert not early.is_complete
    figure = figures.lift(early)
    assert figure.layout.title.subtitle.text.replace("<br>", " ") == early.verdict
    assert [list(part.error_x.array or []) for part in figure.data] == [[0], [0], []]
    assert "told when the days are over, on 29 November at 09:00 UTC" in figure.to_json()


@pytest.mark.parametrize(
    "title",
    ["<a href='https://example.com'>x</a>", "<b>bold</b>", "Salt & $alt$ <br> pepper", "a\u202eb\nc", "rice " * 60, ""],
)
def test_a_hostile_title_stays_text(title):
    """No title puts a tag, a formula, a line break or a flood of letters into a chart."""
    found = results([row("ann", title=title), row("bob", "oil-1l", title=title)], *cart("ann", ("rice-5kg", 1, "9")))
    (label,) = figures.carts(found).layout.yaxis2.ticktext
    assert not set("<>$\n\u202e") & set(label)
    assert label
    assert len(label) < 100


def test_two_products_of_one_title_keep_two_bars():
    """Bars are told apart by product_retailer_id, not by what they are called."""
    rows = [row("ann", title="Rice"), row("bob", "rice-1kg", title="Rice")]
    figure = figures.carts(results(rows, *cart("ann", ("rice-5kg", 1, "9")), *cart("bob", ("rice-1kg", 1, "2"))))
    assert figure.layout.yaxis2.ticktext == ("Rice", "Rice")
    assert sorted(place for bar in figure.data if bar.orientation == "h" for place in bar.y) == [0, 1]


def test_failures_name_class_code_and_denominator():
    """Each bar says what failed, under which code, and out of how many."""
    found = results([row("ann"), row("bob")], status("ann", "failed", code=131047))
    figure = figures.failures(found)
    assert figure.layout.yaxis.ticktext == ("<b>window closed</b> · 131047<br>1 of 2 accepted",)
    assert figure.data[0].x == (50.0,)


def test_results_are_not_changed_by_drawing():
    """Drawing leaves the frames of the results as they were."""
    before = {name: getattr(RESULTS, name).copy() for name in (*(draw.__name__ for draw in ALL), "arms", "sends")}
    for draw in ALL:
        draw(RESULTS)
    for name, frame in before.items():
        pd.testing.assert_frame_equal(getattr(RESULTS, name), frame)
    assert RESULTS.carts["attributed_value"].map(type).eq(Decimal).all()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("customers", [0, 1, 50, 100_000])
def test_every_chart_is_drawn_in_a_browser(chromium, scheme, customers):
    """In Chromium, light and dark, each chart is drawn without an error, and no label is cut off at its edges."""
    rows, events, header = campaign(customers)
    rows, events, others = spread(rows, events)
    found = metrics.results(rows, events, header, START + pd.Timedelta("6D"), others=others)
    drawn = "".join(draw(found).to_html(full_html=False, include_plotlyjs=False) for draw in ALL)
    page, faults = chromium.new_page(viewport={"width": 760, "height": 900}, color_scheme=scheme), []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.set_content(f"<script>{get_plotlyjs()}</script>{drawn}")
    page.wait_for_function(f"document.querySelectorAll('.js-plotly-plot .main-svg').length >= {len(ALL)}")
    cut = page.evaluate(
        """() => [...document.querySelectorAll('.js-plotly-plot')].flatMap((chart) => {
          const edge = chart.getBoundingClientRect();
          return [...chart.querySelectorAll('text')].filter((text) => {
            const box = text.getBoundingClientRect();
            return box.width && (box.left < edge.left - 1 || box.right > edge.right + 1);
          }).map((text) => text.textContent);
        })"""
    )
    page.close()
    assert (faults, cut) == ([], [])
