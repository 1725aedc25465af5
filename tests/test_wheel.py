"""The wheel: what it holds, and that it works in a clean environment, far from the repository."""

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.slow


def run(*words, cwd, **environment):
    """Run a command without anything that leads to the repository; return what it said."""
    kept = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    kept = {name: value for name, value in kept.items() if not name.startswith("WA_")}
    done = subprocess.run(
        list(map(str, words)), cwd=cwd, env=kept | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel from the repository, without a network; return its path."""
    out = tmp_path_factory.mktemp("wheel")
    offline = ("--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", *offline, "--wheel-dir", out, ROOT, cwd=out)
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def clean(wheel, tmp_path_factory):
    """Install the wheel into a new environment that borrows its dependencies from this one; return its programs."""
    home = tmp_path_factory.mktemp("clean")
    run(sys.executable, "-m", "venv", "--without-pip", home / "venv", cwd=home)
    programs = home / "venv" / "bin"
    site = run(programs / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=home).strip()
    (Path(site) / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    offline = ("--no-deps", "--no-index", "--disable-pip-version-check")
    run(sys.executable, "-m", "pip", "--python", programs / "python", "install", "--quiet", *offline, wheel, cwd=home)
    return programs


def test_every_file_of_the_package_is_in_the_wheel(wheel):
    """Scripts and styles of the widgets, templates and pages lie beside the modules; and the course, with its shops."""
    held = set(zipfile.ZipFile(wheel).namelist())
    files = {path.relative_to(ROOT).as_posix() for path in (ROOT / "wa_products").rglob("*") if path.is_file()}
    assert {name for name in files if "__pycache__" not in name} <= held
    course = {name.removeprefix("wa_products/course/") for name in held if name.startswith("wa_products/course/")}
    kept = {path for part in ("notebooks", "data/demo", "data/messy") for path in (ROOT / part).rglob("*.*")}
    names = {path.relative_to(ROOT).as_posix() for path in kept if path.is_file()}
    assert course == {name for name in names if "/." not in name and not name.endswith(".db")}


def test_the_demo_runs_from_the_wheel(clean, tmp_path):
    """In an empty folder, without the repository, the whole loop ends with a report, by the package of the wheel."""
    where = run(clean / "python", "-c", "import wa_products; print(wa_products.__file__)", cwd=tmp_path)
    assert where.startswith(str(clean.parent))
    assert "The report is wa-products-demo/report.html" in run(clean / "wa-products", "demo", cwd=tmp_path)
    assert (tmp_path / "wa-products-demo" / "report.html").stat().st_size > 1_000_000


def test_the_course_is_taken_from_the_wheel(clean, tmp_path):
    """The notebooks are copied with what they read, and one of them runs with widgets, charts and review in it."""
    run(clean / "wa-products", "demo", "--course", tmp_path / "course", cwd=tmp_path)
    quickstart = tmp_path / "course" / "notebooks" / "00_quickstart.ipynb"
    templates = str(Path(sysconfig.get_path("data")) / "share" / "jupyter")  # they do not lie with the modules
    told = run(clean / "wa-products", "run", quickstart, cwd=tmp_path, JUPYTER_PATH=templates)
    assert told.startswith("succeeded: runs/")
    page = next((tmp_path / "runs").glob("*/run.html")).read_text("utf-8")
    assert "Plotly.newPlot" in page
    assert "Review of" in page
