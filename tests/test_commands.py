"""The `wa-products` command, as typed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from wa_products.commands import main, parser

ROOT = Path(__file__).parent.parent
NUMBER = re.compile(r"(\+?44|0)\s?7700\s?900\d{3}")


def command(*words, cwd, **environment):
    """Run `wa-products` with `words` in a clean environment and return what it did."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WA_")}
    return subprocess.run(
        [sys.executable, "-m", "wa_products", *map(str, words)],
        capture_output=True, text=True, cwd=cwd, env={**clean, **environment}, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Run the demo twice in one folder; return the folder and both runs."""
    folder = tmp_path_factory.mktemp("demo")
    return folder, command("demo", cwd=folder), command("demo", cwd=folder)


def test_the_demo_ends_with_a_report(demo):
    """One command goes from exports to a report, says each step with its counts, and exits 0."""
    folder, first, _ = demo
    assert first.returncode == 0, first.stderr
    steps = ["load", "propose", "select", "review", "send", "listen", "measure"]
    assert [line.split()[0] for line in first.stdout.splitlines()[: len(steps)]] == steps
    assert (folder / "wa-products-demo" / "report.html").stat().st_size > 0


def test_the_demo_again_sends_nothing_twice(demo):
    """A second run on the same ledger posts no message."""
    _, first, second = demo
    assert second.returncode == 0, second.stderr
    assert " accepted" in first.stdout
    assert "nothing was sent this time" in second.stdout


def test_the_demo_shows_nobody(demo):
    """No phone number and no token in what is printed or in the report."""
    folder, first, second = demo
    report = (folder / "wa-products-demo" / "report.html").read_text("utf-8")
    for text in (first.stdout, first.stderr, second.stdout, second.stderr, report):
        assert NUMBER.search(text) is None
        assert "Bearer" not in text


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("demo", "--shop", "nowhere"), "nowhere"),
        (("plan", "nowhere", "--campaign", "c", "--approved-by", "me"), "nowhere"),
        (("plan", "strange", "--campaign", "c", "--approved-by", "me"), "strange.csv"),
        (("plan", "empty", "--campaign", "c", "--approved-by", "me"), "empty"),
        (("send", "none.jsonl"), "none.jsonl"),
        (("report", "no-such-campaign"), "no-such-campaign"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path, typed, words, sentence):
    """A missing file, an unknown format, a missing plan or campaign: one sentence, exit code 2, nothing raised."""
    (tmp_path / "strange").mkdir()
    (tmp_path / "strange" / "strange.csv").write_text("colour,mood\nred,glad\n")
    (tmp_path / "empty").mkdir()
    code, said = typed(tmp_path, *words)
    assert code == 2
    assert sentence in said
    assert len(said.strip().splitlines()) == 1


def test_missing_settings_are_all_named(tmp_path):
    """Without settings, sending names every one that is missing and exits 2."""
    exports = ROOT / "data" / "demo"
    made = command("plan", exports, "--campaign", "c", "--approved-by", "me", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    done = command("send", "plan.jsonl", cwd=tmp_path)
    assert done.returncode == 2
    assert all(name in done.stderr for name in ("WA_TOKEN", "WA_PHONE_NUMBER_ID", "WA_CATALOG_ID"))
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", parser()._subparsers._group_actions[0].choices)
def test_each_command_explains_itself(capsys, name):
    """`--help` describes the command and gives an example."""
    with pytest.raises(SystemExit, match="0"):
        main([name, "--help"])
    assert f"example: wa-products {name}" in " ".join(capsys.readouterr().out.split())


@pytest.mark.slow
def test_the_real_shoppers_go_through_the_loop(tmp_path):
    """The whole loop runs on 2,469 real households and ends with a report."""
    done = command("demo", "--shop", "completejourney", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.search(r"2,4\d\d customers", done.stdout)
    assert (tmp_path / "wa-products-completejourney" / "report.html").exists()
