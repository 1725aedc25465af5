"""Every notebook runs from the top, is committed without outputs, and shows nobody's number."""

import json
import re
from pathlib import Path

import papermill
import pytest

from wa_products.ledger import Ledger

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
NUMBER = re.compile(r"\+?44\s?0?\s?7700\s?900\d{3}|07700\s?900\d{3}")
LINES = 10
SHOWN = {  # what stands on a line of a cell, and what is drawn of it
    r"wa\.figures\.waterfall\(": ".js-plotly-plot",
    r"px\.bar\(": ".js-plotly-plot",
    r"review$": ".wa-review [role=option]",
    r"desk$": ".wa-desk [role=option]",
    r"IFrame\(": "iframe[src^='data:text/html']",
}
ROOT = Path(__file__).parent.parent


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    """Return the path of each committed notebook."""
    return request.param


def code_cells(path):
    """Return the code cells of the notebook at `path`."""
    return [cell for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]


def test_a_notebook_is_committed_without_outputs(notebook):
    """No cell holds an output or an execution count."""
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in code_cells(notebook))


def test_cells_are_short_and_the_first_holds_the_parameters(notebook):
    """Ten lines a cell at most; the first code cell is tagged for scheduled runs."""
    cells = code_cells(notebook)
    assert all(len("".join(cell["source"]).splitlines()) <= LINES for cell in cells)
    assert cells[0]["metadata"]["tags"] == ["parameters"]


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # what papermill and its kernel client warn of is theirs
def test_a_notebook_runs_from_the_top(notebook, tmp_path):
    """Executed headless, every cell succeeds, and no output shows a phone number."""
    made = tmp_path / notebook.name
    papermill.execute_notebook(notebook, made, cwd=notebook.parent, progress_bar=False)
    outputs = json.dumps([cell["outputs"] for cell in code_cells(made)])
    assert NUMBER.search(outputs) is None


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("parameters", [{}, {"dry_run": False}], ids=["as it is", "live"])
def test_the_sending_notebook_sends_only_when_told(parameters, tmp_path):
    """Run as it is the notebook about sending posts nothing and writes nothing; without `dry_run` it sends, once."""
    made, kept = tmp_path / "30_send.ipynb", tmp_path / "ledger.db"
    parameters = {"ledger_url": f"sqlite:///{kept}", **parameters}
    notebook = ROOT / "notebooks" / "30_send.ipynb"
    papermill.execute_notebook(notebook, made, parameters, cwd=notebook.parent, progress_bar=False)
    with Ledger(f"sqlite:///{kept}") as ledger:
        sends = ledger.sends()
        assert ledger.campaigns().empty == sends.empty == ("dry_run" not in parameters)
    assert sends["customer_id"].is_unique


def quick(notebook, folder):
    """Return a copy of the notebook with less of what takes long and is run in full without a browser."""
    made, text = folder / notebook.name, notebook.read_text("utf-8")
    made.write_text(text.replace("cutoffs: int = 4", "cutoffs: int = 1").replace("range(3)", "range(2)"), "utf-8")
    return made


@pytest.fixture
def beside(lab):
    """Put what the notebooks read where they look for it, beside their copies in the folder of JupyterLab."""
    links = {lab.root.parent / "data" / name: ROOT / "data" / name for name in ("demo", "messy")}
    for link, target in (links | {lab.root / "policies": ROOT / "notebooks" / "policies"}).items():
        if not link.exists():
            link.parent.mkdir(exist_ok=True)
            link.symlink_to(target)


@pytest.mark.slow
@pytest.mark.usefixtures("beside")
def test_a_notebook_runs_in_jupyterlab(notebook, tab, tmp_path):
    """In JupyterLab in Chromium every cell runs without an error, charts and widgets are drawn, nothing is fetched."""
    code = "\n".join("".join(cell["source"]) for cell in code_cells(notebook))
    tab.open_notebook(quick(notebook, tmp_path)).run_all()
    assert not tab.failures()
    for shown, selector in SHOWN.items():
        if re.search(f"^{shown}", code, re.MULTILINE):
            tab.page.locator(selector).first.wait_for(state="attached")
    assert (tab.foreign, tab.errors) == ([], [])
