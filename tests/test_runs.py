"""Notebooks run without a person: strict before the first cell, recorded, and never live by mistake."""

import html
import json
import os
import signal
import stat
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import quote

import nbformat
import pandas as pd
import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st

from tests.campaign import CATALOG, plan
from tests.faulty_server import serving
from wa_products import runs
from wa_products.errors import DataError, TooManyFailures
from wa_products.runs import cleaning, parameters

CELL = """\
campaign: str
dry_run: bool = True
most: int = 5
share: float = 0.2
names = ["a"]
note: str | None = None
made = object()
"""
COVERED = """\
plan: str = ""
policy: str = ""
dry_run: bool = True
"""
SENDING = (
    "import wa_products as wa\n"
    "with wa.Ledger('sqlite:///ledger.db') as ledger, wa.Client(wa.Settings.from_env()) as client:\n"
    "    wa.send({}, ledger=ledger, client=client, dry_run=dry_run, progress=False)"
)
TOKEN = "a-token-nobody-has"  # noqa: S105  # made up
LIVE = {"WA_TOKEN": TOKEN, "WA_PHONE_NUMBER_ID": "1", "WA_CATALOG_ID": "2"}
KERNEL = pytest.mark.filterwarnings("default")  # what the kernel client warns of is its own


def notebook(path, *cells, declared=CELL):
    """Write a notebook of code cells, the first of them the parameters; return its path."""
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in (declared, *cells)])
    made.cells[0].metadata["tags"] = ["parameters"]
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(made, path)
    return path


def declared(text=CELL):
    """Return the parameters of a cell."""
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text)])
    made.cells[0].metadata["tags"] = ["parameters"]
    return parameters.declared(made)


def test_each_value_gets_the_type_that_the_cell_declares():
    """Texts become what their parameter is annotated as, or what its value is."""
    given = ["campaign=2026-11", "dry_run=no", "most=7", "share=1e-2", 'names=["b", "c"]', "note=None"]
    assert parameters.read(declared(), given) == {
        "campaign": "2026-11",
        "dry_run": False,
        "most": 7,
        "share": 0.01,
        "names": ["b", "c"],
        "note": None,
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("campain=x", "no parameter 'campain'"),
        ("most=lots", "most should be of type int, got 'lots'"),
        ("most=5.0", "most should be of type int"),
        ("share=nan", "share should be of type float"),
        ("dry_run=maybe", "dry_run should be of type bool"),
        ("names=b", "names should be of type list"),
        ("names=__import__('os').getcwd()", "names should be of type list"),
        ("made=1", "made is declared as anything"),
        ("most", "'most' should look like name=value"),
    ],
)
def test_what_cannot_be_meant_is_refused(text, said):
    """Unknown names, values of another type and texts that are no pair are each told in words."""
    with pytest.raises(DataError, match=said.replace("(", r"\\(")):
        parameters.read(declared(), ["campaign=x", text])


def test_all_faults_are_told_at_once():
    """A missing value, a misspelled name and one given twice stand in one message."""
    with pytest.raises(DataError) as caught:
        parameters.read(declared(), ["campain=x", "most=1", "most=2"])
    assert all(part in str(caught.value) for part in ("'campain'", "most is given twice", "campaign must be given"))


@given(st.text(max_size=20))
def test_a_text_parameter_takes_any_text_as_it_is(text):
    """What is given for a text is the text, whatever it looks like: it is data, never code."""
    assert parameters.read(declared(), [f"campaign={text}"]) == {"campaign": text}


@pytest.mark.parametrize("cell", ["token = 'x'", "def f(:", "WA_APP_SECRET: str"])
def test_a_cell_with_a_secret_or_no_python_is_refused(cell):
    """Secrets are no parameters, and a cell that cannot be read is no parameters cell."""
    with pytest.raises(DataError):
        declared(cell)


def test_too_many_failures_are_raised():
    """A fifth may fail, more may not; customers held out are not counted."""
    rows = pd.DataFrame({"outcome": ["accepted"] * 8 + ["refused", "unknown"] + ["held out"] * 5})
    runs.require_few_failures(rows, most=0.2)
    runs.require_few_failures(rows.iloc[:0])
    with pytest.raises(TooManyFailures, match="2 of 10"):
        runs.require_few_failures(rows, most=0.19)


def command(folder, *words, **environment):
    """Run `wa-products run` in `folder`; return the finished process."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WA_")}
    return subprocess.run(
        [sys.executable, "-m", "wa_products", "run", *map(str, words)],
        cwd=folder,
        env=kept | {"PYTHONPATH": str(Path(__file__).parent.parent)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("words", "environment", "said"),
    [
        (["none.ipynb"], {}, "there is no notebook at none.ipynb"),
        (["n.ipynb"], {}, "campaign must be given"),
        (["n.ipynb", "-p", "campain=x"], {}, "no parameter 'campain'"),
        (["n.ipynb", "-p", "campaign=x", "-p", "most=lots"], {}, "most should be of type int"),
        (["n.ipynb", "-p", "campaign=x", "--live"], LIVE, "--live is only half of it"),
        (["n.ipynb", "-p", "campaign=x", "-p", "dry_run=false"], LIVE, "add --live"),
        (["n.ipynb", "-p", "campaign=x", "-p", "dry_run=false", "--live"], {}, "WA_TOKEN"),
        (["n.ipynb", "-p", "campaign=x", "-p", "dry_run=false", "--live"], LIVE | {"WA_DRY_RUN": "1"}, "WA_DRY_RUN"),
    ],
)
def test_a_run_that_must_not_be_ends_before_the_first_cell(tmp_path, typed, words, environment, said):
    """Bad parameters and half a wish to send end with one sentence and code 2, and nothing was run."""
    notebook(tmp_path / "n.ipynb", "open('ran', 'w').close()")
    code, told = typed(tmp_path, "run", *words, **environment)
    assert code == 2
    assert said in told
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "runs").exists()


def test_two_runs_do_not_overlap(tmp_path, typed):
    """While a run holds the folder, another ends with code 1 and says why."""
    notebook(tmp_path / "n.ipynb")
    (tmp_path / "runs").mkdir()
    with FileLock(tmp_path / "runs" / ".lock"):
        code, told = typed(tmp_path, "run", "n.ipynb", "-p", "campaign=x")
    assert code == 1
    assert "another run is going on in runs" in told


@pytest.mark.slow
@KERNEL
def test_a_run_started_during_another_ends(tmp_path):
    """While a notebook runs, a second run in the same folder ends with code 1 and tells the hook; the first goes on."""
    words = [
        sys.executable,
        "-m",
        "wa_products",
        "run",
        "n.ipynb",
        "-p",
        "campaign=y",
        "--on-failure",
        "cat > told.json",
    ]
    path = notebook(
        tmp_path / "n.ipynb",
        f"import subprocess\nprint(subprocess.run({words!r}).returncode)",
        "open('ran', 'w').close()",
    )
    done = command(tmp_path, path, "-p", "campaign=x")
    assert done.returncode == 0, done.stderr
    assert "another run is going on" in json.loads((tmp_path / "told.json").read_text())["error"]
    folders = list((tmp_path / "runs").glob("*_n_*"))
    assert len(folders) == 1
    assert ">1\n<" in (folders[0] / "run.html").read_text("utf-8")
    assert (tmp_path / "ran").exists()


@pytest.mark.slow
@KERNEL
def test_a_dry_run_keeps_all_it_made_for_its_owner(tmp_path):
    """Notebook, page, log and summary lie in a new folder that nobody else can read; the notebook knows it is dry."""
    path = notebook(
        tmp_path / "n.ipynb",
        "import os, plotly.graph_objects as go\nprint(campaign, dry_run, os.environ['WA_DRY_RUN'])",
        "from wa_products import runs\n(runs.folder() / 'own.txt').touch()\nruns.note('12 rows\\nwait')",
        "go.Figure(go.Bar(y=[1, 2]))",
    )
    first, second = (command(tmp_path, path, "-p", "campaign=x") for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0), first.stderr
    assert first.stderr == "wa-products run: 12 rows wait\n"
    folders = sorted((tmp_path / "runs").glob("*_n_*"))
    assert len(folders) == 2
    for folder in folders:
        files = {file.name: file for file in folder.iterdir()}
        assert sorted(files) == ["notes.txt", "own.txt", "run.html", "run.ipynb", "run.log", "summary.json"]
        assert not any(stat.S_IMODE(each.stat().st_mode) & 0o077 for each in (folder, *files.values()))
        summary = json.loads(files["summary.json"].read_text())
        assert (summary["state"], summary["parameters"]) == ("succeeded", {"campaign": "x", "dry_run": True})
        assert summary["notes"] == ["12 rows wait"]
        page = files["run.html"].read_text("utf-8")
        assert "x True 1" in page
        assert "Plotly.newPlot" in page


@pytest.mark.slow
@KERNEL
def test_a_page_asks_for_nothing(tmp_path, tab):
    """The page of a run draws its chart in a browser and asks for nothing outside."""
    path = notebook(tmp_path / "n.ipynb", "import plotly.graph_objects as go\ngo.Figure(go.Bar(y=[1, 2]))")
    made = runs.run(path, ["campaign=x"], runs=tmp_path / "runs")
    asked = []
    page = tab.page.context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"file://{made.folder / 'run.html'}")
    page.locator(".js-plotly-plot .bars").wait_for()
    page.close()
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []


class Ear(BaseHTTPRequestHandler):
    """A place to which failures are posted."""

    heard = []  # noqa: RUF012  # one test uses it

    def do_POST(self):  # the name that the server calls
        """Keep the body."""
        self.heard.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


@pytest.mark.slow
@KERNEL
def test_a_failing_run_says_where_and_tells_the_hook(tmp_path):
    """A failing cell ends with code 1, its number and error in the summary, and the hook gets that summary."""
    path = notebook(tmp_path / "n.ipynb", "1 + 1", "1 / 0", "open('ran', 'w').close()")
    server = HTTPServer(("127.0.0.1", 0), Ear)
    Thread(target=server.serve_forever, daemon=True).start()
    done = command(tmp_path, path, "-p", "campaign=x", "--on-failure", f"http://127.0.0.1:{server.server_port}/")
    server.shutdown()
    server.server_close()
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
    assert [(told["state"], told["error"]) for told in Ear.heard] == [("failed", "ZeroDivisionError: division by zero")]
    assert not (tmp_path / "ran").exists()
    told = command(tmp_path, path, "-p", "campaign=x", "--on-failure", "cat > told.json")
    assert told.returncode == 1
    assert json.loads((tmp_path / "told.json").read_text())["state"] == "failed"


@pytest.mark.slow
@KERNEL
def test_a_bad_failure_rate_ends_with_code_3(tmp_path):
    """A notebook that finds too many failures ends its run with code 3."""
    path = notebook(
        tmp_path / "n.ipynb",
        "import pandas as pd\nfrom wa_products import runs",
        "runs.require_few_failures(pd.DataFrame({'outcome': ['refused', 'accepted']}))",
    )
    done = command(tmp_path, path, "-p", "campaign=x")
    assert done.returncode == 3, done.stderr
    assert "1 of 2 messages" in done.stderr


@pytest.mark.slow
@KERNEL
def test_a_token_in_an_output_is_taken_out_and_fails_the_run(tmp_path):
    """A token that a cell shows stands in no file afterwards, and the run failed."""
    path = notebook(tmp_path / "n.ipynb", "import os\nprint(os.environ['WA_TOKEN'])", "os.environ['WA_TOKEN']")
    done = command(tmp_path, path, "-p", "campaign=x", **LIVE)
    assert done.returncode == 1
    assert "was taken out" in done.stderr
    for text in (done.stdout, done.stderr, *(p.read_text("utf-8") for p in tmp_path.rglob("*") if p.is_file())):
        assert TOKEN not in text


@pytest.mark.slow
@KERNEL
def test_a_dry_run_sends_nothing_whatever_its_cells_say(tmp_path):
    """A notebook that would send in spite of its parameter is stopped by the settings."""
    cell = (
        "import wa_products as wa\nfrom tests.campaign import plan\n"
        "with wa.Ledger('sqlite://') as ledger, wa.Client(wa.Settings.from_env()) as client:\n"
        "    wa.send(plan(3), ledger=ledger, client=client, dry_run=False)"
    )
    done = command(tmp_path, notebook(tmp_path / "n.ipynb", cell), "-p", "campaign=x", **LIVE)
    assert done.returncode == 1
    assert "WA_DRY_RUN is set" in done.stderr


@pytest.mark.slow
@KERNEL
def test_a_killed_run_is_run_again(tmp_path):
    """
    A run killed while it sends leaves the folder free at once, and the next one goes on; nobody gets a second message.

    The next run says so of the killed one, tells the hook, and takes the secrets out of what it left.
    """
    reviewed = plan(40, now=pd.Timestamp.now("UTC")).save(tmp_path / "plan.jsonl")
    path = notebook(
        tmp_path / "n.ipynb",
        "import os\nopen('pids', 'w').write(f'{os.getppid()} {os.getpid()}')\nprint(os.environ['WA_TOKEN'])",
        SENDING.format("wa.Plan.load(plan)"),
        declared=COVERED,
    )

    def orders(number, _):
        if number == 12:
            for pid in (tmp_path / "pids").read_text().split():
                os.kill(int(pid), signal.SIGKILL)
        return "lost" if number == 12 else "ok"

    with serving(orders) as server:
        account = LIVE | {"WA_CATALOG_ID": CATALOG, "WA_GRAPH_URL": server.url}
        words = (path, "-p", f"plan={reviewed}", "-p", "dry_run=false", "--live", "--on-failure", "cat >> told.json")
        killed = command(tmp_path, *words, **account)
        before = len(server.taken)
        path.write_text(path.read_text().replace("print(os.environ['WA_TOKEN'])", ""))
        again = command(tmp_path, *words, **account)
    assert killed.returncode < 0
    assert again.returncode == 0, again.stderr
    assert "an earlier run was killed before its end" in again.stderr
    assert (server.doubles(), before < len(server.taken) <= 40) == (0, True)
    told = [json.loads(each.read_text()) for each in sorted((tmp_path / "runs").glob("*/summary.json"))]
    assert sorted(each["state"] for each in told) == ["killed", "succeeded"]
    assert json.loads((tmp_path / "told.json").read_text())["state"] == "killed"
    assert not [path for path in tmp_path.rglob("*") if TOKEN.encode() in _bytes(path)]


def _bytes(path):
    return path.read_bytes() if path.is_file() else b""


@pytest.mark.slow
@KERNEL
def test_a_run_that_is_told_to_end_is_recorded(tmp_path):
    """SIGTERM, as of systemd or timeout, ends the run with code 1, its summary written and its kernel gone."""
    path = notebook(
        tmp_path / "n.ipynb", "import os, signal, time\nopen('kernel', 'w').write(str(os.getpid()))",
        "os.kill(os.getppid(), signal.SIGTERM)\ntime.sleep(60)", "open('ran', 'w').close()",
    )  # fmt: skip
    done = command(tmp_path, path, "-p", "campaign=x")
    assert done.returncode == 1
    assert "ended by SIGTERM" in done.stderr
    summary = json.loads(next((tmp_path / "runs").glob("*/summary.json")).read_text())
    assert (summary["state"], summary["error"]) == ("failed", "ended by SIGTERM")
    assert not (tmp_path / "ran").exists()
    assert not Path(f"/proc/{(tmp_path / 'kernel').read_text()}").exists()


@pytest.mark.slow
@KERNEL
def test_a_live_run_sends_only_what_is_covered(tmp_path):
    """A live run sends the reviewed plan that it was given, once; a plan that a notebook makes by itself is refused."""
    now = pd.Timestamp.now("UTC")
    reviewed = plan(2, now=now).save(tmp_path / "plan.jsonl")
    given = notebook(tmp_path / "given.ipynb", SENDING.format("wa.Plan.load(plan)"), declared=COVERED)
    own = notebook(
        tmp_path / "own.ipynb", "import pandas as pd\nfrom tests.campaign import plan as made",
        SENDING.format("made(2, campaign='own', now=pd.Timestamp.now('UTC'))"), declared=COVERED,
    )  # fmt: skip
    with serving() as server:
        account = LIVE | {"WA_CATALOG_ID": CATALOG, "WA_GRAPH_URL": server.url}
        words = ("-p", f"plan={reviewed}", "-p", "dry_run=false", "--live")
        sent, again, refused = (command(tmp_path, each, *words, **account) for each in (given, given, own))
    assert (sent.returncode, again.returncode, refused.returncode) == (0, 0, 1), sent.stderr + refused.stderr
    assert "not the reviewed plan of 'c1'" in refused.stderr
    assert (server.requests, server.doubles()) == (2, 0)


def test_a_changed_policy_ends_before_the_first_cell(tmp_path, typed):
    """A policy that nobody signed, or that was changed since, is refused with code 2, in a dry run as well."""
    rules = tmp_path / "policy.toml"
    rules.write_text('kinds = ["reorder"]\n')
    notebook(tmp_path / "n.ipynb", "open('ran', 'w').close()", declared=COVERED)
    words = ("run", "n.ipynb", "-p", "policy=policy.toml", "--on-failure", "cat > told.json")
    unsigned = typed(tmp_path, *words)
    signed = typed(tmp_path, "sign", rules, "--by", "Ana", "--until", "2100-01-01", "--at-most", 5)
    rules.write_text(rules.read_text().replace("at_most = 5", "at_most = 50"))
    changed = typed(tmp_path, *words)
    assert [code for code, _ in (unsigned, signed, changed)] == [2, 0, 2]
    assert "nobody signed" in unsigned[1]
    assert "at most 5 messages in all" in signed[1]
    assert "was changed after Ana signed it" in changed[1]
    assert json.loads((tmp_path / "told.json").read_text())["state"] == "refused"
    assert not (tmp_path / "ran").exists()


def test_secrets_are_found_however_they_are_written(tmp_path):
    """As they are, escaped in JSON, in JSON within JSON, in HTML or in an address; what is too short to tell stays."""
    secret = 'a"<b>\\&c/dé'  # noqa: S105  # made up
    forms = [secret, json.dumps(secret), json.dumps(json.dumps(secret)), html.escape(secret), quote(secret, safe="")]
    for n, form in enumerate(forms):
        (tmp_path / f"{n}.txt").write_text(f"before {form} after")
    (tmp_path / "other.txt").write_text("short")
    assert cleaning.cleaned(tmp_path, cleaning.spellings([secret, "short"])) == [f"{n}.txt" for n in range(len(forms))]
    assert not [text for text in (p.read_text() for p in tmp_path.iterdir()) if "<b>" in text or "&amp;" in text]
