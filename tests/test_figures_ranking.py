"""Charts of a backtest hold the numbers of its frame."""

import pandas as pd
import pytest

import wa_products as wa
from wa_products import backtests
from wa_products.errors import DataError
from wa_products.testing import small_shop


@pytest.fixture(scope="module")
def scores():
    """Return the bench of Reorder on the small shop."""
    rules = ("count", "oracle")
    return backtests.backtest(small_shop(), [wa.Reorder(horizon_days=7)], cutoffs=2, beside=rules, validation=0)


def pooled(scores, metric):
    """Return the rows of one metric for all cutoffs together."""
    return scores[(scores["metric"] == metric) & scores["cutoff"].isna()].set_index("recommender")


def test_backtest_shows_every_value_and_its_interval(scores):
    """Each recommender has its mark at its value in per cent, with bars to the ends of its interval."""
    figure = wa.figures.backtest(scores)
    rows = pooled(scores, "hit@1").sort_values(["value", "recommender"], ascending=[False, True])
    assert [label.strip("</b>") for label in figure.layout.yaxis.ticktext] == [*rows.index]
    shown = {}
    for trace in figure.data:
        if trace.xaxis == "x" and trace.mode == "markers+text":
            for x, y, up, down in zip(trace.x, trace.y, trace.error_x.array, trace.error_x.arrayminus, strict=True):
                shown[rows.index[y]] = (x - down, x, x + up)
    for name, row in rows.iterrows():
        assert shown[name] == pytest.approx((100 * row["low"], 100 * row["value"], 100 * row["high"]))


def test_backtest_shows_differences_and_single_cutoffs(scores):
    """Beside it stands the difference to the baseline, none for itself; small marks are the cutoffs."""
    figure = wa.figures.backtest(scores, "ndcg@10")
    rows = pooled(scores, "ndcg@10")
    differences = [x for trace in figure.data if trace.xaxis == "x2" for x in trace.x]
    assert sorted(differences) == pytest.approx(sorted(100 * rows["difference"].dropna()))
    small = figure.data[0]
    assert len(small.x) == 2 * len(rows)
    assert "at 2 cutoffs" in figure.layout.title.subtitle.text


def test_backtest_in_units(scores):
    """Money is shown in its currency as it is."""
    figure = wa.figures.backtest(scores, "revenue of hits", part="GBP")
    assert max(x for trace in figure.data if trace.mode == "markers+text" and trace.xaxis == "x" for x in trace.x) == (
        pytest.approx(pooled(scores, "revenue of hits")["value"].max())
    )
    assert figure.layout.annotations[0].text == "GBP"


def test_calibration_shows_what_was_said_and_what_happened(scores):
    """Each bin has its mark; the name tells the calibration error."""
    figure = wa.figures.calibration(scores)
    (own,) = [trace for trace in figure.data if trace.name and trace.name.startswith("reorder")]
    rows = scores[(scores["metric"] == "calibration") & scores["cutoff"].isna()]
    assert list(own.x) == pytest.approx(list(100 * rows["said"]))
    assert list(own.y) == pytest.approx(list(100 * rows["value"]))
    assert f"{pooled(scores, 'ece').loc['reorder', 'value']:.3f}" in own.name


def test_calibration_without_probabilities_says_so(scores):
    """Where nobody gives a probability, the chart is a sentence."""
    figure = wa.figures.calibration(scores, recommenders=["count"])
    assert "No probability" in figure.layout.annotations[0].text


def test_hostile_names_stay_text(scores):
    """A name with tags is shown as it is."""
    renamed = scores.assign(recommender=scores["recommender"].replace("reorder", "<b>re</b>$x$"))
    assert any("&lt;b&gt;re" in label for label in wa.figures.backtest(renamed).layout.yaxis.ticktext)
    names = [trace.name for trace in wa.figures.calibration(renamed).data if trace.name]
    assert names == [name for name in names if "<" not in name and "$" not in name]


def test_what_was_not_measured_is_refused(scores):
    """An unknown metric, part or recommender, and a frame that is no backtest, are refused with what there is."""
    with pytest.raises(DataError, match="did not measure 'luck'; it has hit@1"):
        wa.figures.backtest(scores, "luck")
    with pytest.raises(DataError, match="comes in GBP, not in 'EUR'"):
        wa.figures.backtest(scores, "revenue of hits", part="EUR")
    double = pd.concat([scores, scores[scores["part"] == "GBP"].assign(part="EUR")])
    with pytest.raises(DataError, match="choose one as part"):
        wa.figures.backtest(double, "revenue of hits")
    with pytest.raises(DataError, match="has no 'nobody'"):
        wa.figures.calibration(scores, recommenders=["nobody"])
    with pytest.raises(DataError, match="lacks the columns"):
        wa.figures.calibration(scores[["recommender"]])
