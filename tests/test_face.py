"""The public face: few names, sorted, all there; and a README that runs."""

import re
from pathlib import Path

import pytest

import wa_products as wa

README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
MOST_NAMES = 35


def test_the_face_is_small_and_sorted():
    """`__all__` is sorted, has no name twice, and stays small."""
    assert sorted(set(wa.__all__)) == wa.__all__
    assert len(wa.__all__) <= MOST_NAMES


@pytest.mark.parametrize("name", wa.__all__)
def test_every_public_name_is_there_and_explained(name):
    """Each public name can be imported and has a docstring."""
    assert getattr(wa, name).__doc__


def test_the_readme_has_code_by_line_14():
    """A reader sees how to start within the first 14 lines."""
    assert "```python" in README.splitlines()[:14]


def test_the_readme_loop_runs_as_written(tmp_path, monkeypatch, capsys):
    """The Python of the README, run as it stands, ends with a report."""
    (tmp_path / "data").symlink_to(Path(__file__).parent.parent / "data")
    monkeypatch.chdir(tmp_path)
    code = re.search(r"```python\n(.*?)```", README, re.DOTALL).group(1)
    exec(compile(code, "README.md", "exec"), {})  # noqa: S102  # our own README
    assert (tmp_path / "report.html").stat().st_size > 0
    assert "Traceback" not in capsys.readouterr().err
