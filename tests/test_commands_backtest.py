"""`wa-products backtest`, as typed."""

import sys

import pandas as pd
import pytest

from tests.test_commands import ROOT, command
from wa_products import commands

OWN = """
import pandas as pd

class First:
    name = "first"
    def fit(self, data):
        self.product = data.catalog.loc[data.catalog["sendable"], "product_retailer_id"].iloc[0]
        return self
    def recommend(self, customer_ids, k):
        return pd.DataFrame({"customer_id": customer_ids, "product_retailer_id": self.product, "score": 1.0})

class Needs:
    def __init__(self, something): ...
"""


@pytest.fixture
def folder(tmp_path):
    """Return a folder with a recommender of its own."""
    (tmp_path / "my_rules.py").write_text(OWN)
    return tmp_path


def test_one_line_a_recommender(folder):
    """A recommender from this folder is scored beside the rules of the bench; all metrics go to the file asked for."""
    exports = ROOT / "data" / "demo"
    done = command("backtest", exports, "--recommender", "my_rules:First", "--cutoffs", "1", "--horizon", "14D",
                   "--baseline", "oracle", "--out", "scores.csv", cwd=folder)  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = {line.split()[0]: line for line in done.stdout.splitlines() if line.strip()}
    assert {"first", "popularity", "count", "gp-topfreq", "tifuknn", "oracle"} <= set(lines)
    assert "less oracle" in done.stdout
    assert "of 48 settings" in done.stdout
    assert "first" in done.stderr  # what the progress bar is at
    scores = pd.read_csv(folder / "scores.csv")
    assert "hit@1" in set(scores["metric"])
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("nowhere",), "nowhere"),
        (("demo", "--recommender", "my_rules"), "MODULE:CLASS"),
        (("demo", "--recommender", "no_such_rules:First"), "no_such_rules"),
        (("demo", "--recommender", "my_rules:Second"), "has no Second"),
        (("demo", "--recommender", "my_rules:Needs"), "without arguments"),
        (("demo", "--cutoffs", "soon"), "is no time"),
        (("demo", "--horizon", "soon"), "no length of time"),
        (("demo", "--baseline", "luck"), "luck"),
    ],
)
def test_bad_input_is_one_sentence(folder, monkeypatch, capsys, words, sentence):
    """A missing shop, recommender, time or baseline: one sentence, exit code 2, no traceback."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr("sys.path", [*sys.path])
    assert commands.main(["backtest", *words]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert len(said.strip().splitlines()) == 1
