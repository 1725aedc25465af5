"""docs/scheduling.md, as it is written: its cron line, its units and its job each start a run that ends as it says."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

import wa_products as wa
from wa_products import approvals

ROOT = Path(__file__).parent.parent
DOC = (ROOT / "docs" / "scheduling.md").read_text("utf-8")
NOTEBOOK = ROOT / "notebooks" / "70_daily_campaign.ipynb"
TOKEN = "a-token-nobody-has"  # noqa: S105  # made up
CELL = """\
import json, os
from wa_products import approvals, runs, settings
known = settings.Settings.from_env()
told = {"shop": shop, "dry_run": dry_run, "account": account, "policy": approvals.SignedPolicy.load(policy).by}
(runs.folder() / "told.json").write_text(json.dumps(told | {"number": known.phone_number_id, "held": len(known.token)}))
"""
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]


def blocks(kind):
    """Return the blocks of code of one kind, in their order."""
    return re.findall(rf"```{kind}\n(.*?)```", DOC, re.DOTALL)


def shell(words, cwd, **environment):
    """Run a line as cron does: by sh, in an environment with nothing of ours."""
    bare = {"HOME": str(cwd), "PATH": "/usr/bin:/bin", "SHELL": "/bin/sh", "LANG": "C.UTF-8"}
    return subprocess.run(
        ["/bin/sh", "-c", words], cwd=cwd, env=bare | environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def shop(tmp_path):
    """Make the folder that the page calls /srv/shop: program, token, settings, a signed policy, a small notebook."""
    home = tmp_path / "shop"
    for part in ("venv/bin", "notebooks", "exports"):
        (home / part).mkdir(parents=True)
    program = home / "venv" / "bin" / "wa-products"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m wa_products "$@"\n')
    program.chmod(0o755)
    (home / "token").write_text(TOKEN)
    (home / "token").chmod(0o600)
    (home / "settings").write_text(here(blocks("sh")[2], home))
    (home / "policy.toml").write_text(blocks("toml")[0])
    sign = next(line for line in blocks("sh")[0].splitlines() if line.startswith("wa-products sign"))
    lasting = re.sub(r"--until \S+", "--until 2100-01-01", here(sign, home))
    done = shell(lasting.replace("wa-products", str(program), 1), home)
    assert done.returncode == 0, done.stderr
    daily = nbformat.read(NOTEBOOK, as_version=4)
    daily.cells = [*(cell for cell in daily.cells if "parameters" in cell.metadata.get("tags", [])), code(CELL)]
    nbformat.write(daily, home / "notebooks" / NOTEBOOK.name)
    return home


def here(text, home):
    """Return a text of the page for the folder at `home`."""
    return text.replace("/srv/shop", str(home))


def code(text):
    """Return a cell."""
    return nbformat.v4.new_code_cell(text)


def require_run(home):
    """Assert that one live run of the daily notebook succeeded, with what the page gives it and no token in it."""
    folders = list((home / "runs").glob("*_70_daily_campaign_*"))
    assert len(folders) == 1
    summary, told = (json.loads((folders[0] / name).read_text()) for name in ("summary.json", "told.json"))
    assert (summary["state"], summary["is_live"]) == ("succeeded", True)
    expected = {"shop": str(home / "exports"), "dry_run": False, "account": "mine", "policy": "Ana"}
    assert told == expected | {"number": "106540352242922", "held": len(TOKEN)}
    assert not [path for path in folders[0].iterdir() if TOKEN in path.read_text("utf-8")]


def test_the_cron_line(shop):
    """It has five fields of time, no % that cron would cut at, and runs by sh without a terminal or settings."""
    line = here(blocks("cron")[0].strip(), shop)
    times, words = re.fullmatch(r"((?:[\d*/,-]+\s+){5})(\S.*)", line).groups()
    assert len(times.split()) == 5
    assert "%" not in words
    done = shell(words, shop)
    assert done.returncode == 0, done.stderr
    require_run(shop)
    changed = (shop / "policy.toml").read_text().replace("max_sends = 150", "max_sends = 1500")
    (shop / "policy.toml").write_text(changed)
    again = shell(words, shop)
    assert again.returncode == 2
    assert "was changed after Ana signed it" in again.stderr
    assert json.loads((shop / "failures.jsonl").read_text())["state"] == "refused"


def test_the_systemd_units(shop, tmp_path):
    """Its service runs with the credential for a token and what stands in its environment; its calendar can be read."""
    service, timer = (here(block, shop) for block in blocks("ini"))
    lines = [line.partition("=")[::2] for line in service.splitlines()]
    said = [shlex.split(value.replace("%d", str(shop)))[0] for name, value in lines if name == "Environment"]
    start = next(value for name, value in lines if name == "ExecStart")
    bare = {"PATH": "/usr/bin:/bin", "HOME": str(shop), "LANG": "C.UTF-8"}
    environment = bare | dict(each.split("=", 1) for each in said)
    done = subprocess.run(shlex.split(start), cwd="/", env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    require_run(shop)
    if analyze := shutil.which("systemd-analyze"):
        (tmp_path / "campaign.service").write_text(service.replace("User=shop\n", ""))
        (tmp_path / "campaign.timer").write_text(timer)
        units = [str(tmp_path / name) for name in ("campaign.service", "campaign.timer")]
        checked = subprocess.run([analyze, "verify", *units], capture_output=True, text=True, check=False)
        assert "campaign" not in checked.stderr, checked.stderr
        calendar = re.search(r"OnCalendar=(.*)", timer).group(1)
        assert subprocess.run([analyze, "calendar", calendar], capture_output=True, check=False).returncode == 0


def test_the_job_of_jupyter_scheduler(shop, monkeypatch):
    """A job of one cell, run by jupyter-scheduler itself, completes with the strict run, and fails where that fails."""
    scheduler = pytest.importorskip("jupyter_scheduler.scheduler", reason="see .ci/run: in an environment of its own")
    models, orm = (pytest.importorskip(f"jupyter_scheduler.{name}") for name in ("models", "orm"))
    environments = pytest.importorskip("jupyter_scheduler.environments")
    for name, value in re.findall(r"export (\w+)=(\S+)", (shop / "settings").read_text()):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(shop / "data"))
    job = nbformat.v4.new_notebook(cells=[code(here(blocks("python")[1], shop))])
    job.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(job, shop / "morning.ipynb")
    database = f"sqlite:///{shop / 'jobs.db'}"
    orm.create_tables(database)
    made = scheduler.Scheduler(
        root_dir=str(shop), db_url=database, environments_manager=environments.StaticEnvironmentManager()
    )
    asked = models.CreateJob(input_uri="morning.ipynb", runtime_environment_name="", name="morning")
    assert ended(made, made.create_job(asked)).status == "COMPLETED"
    require_run(shop)
    (shop / "policy.toml").write_text("kinds = []")
    failed = ended(made, made.create_job(asked))
    assert failed.status == "FAILED"
    assert "nobody signed" in failed.status_message


def test_what_waits_is_reviewed(tmp_path):
    """The lines about the review open the file of a run and make a plan of what is approved."""
    data = wa.load(ROOT / "data" / "demo")
    chosen = wa.select(wa.propose(data, [wa.Popular(horizon_days=7)], k=1), data)
    approvals.save_waiting(chosen[chosen["decision"] == "send"], wa.Policy(), tmp_path / "waiting.jsonl")
    lines = blocks("python")[0].replace("/srv/shop/exports", str(ROOT / "data" / "demo"))
    lines = lines.replace("/srv/shop/runs/...", str(tmp_path)).replace("/srv/shop", str(tmp_path))
    with wa.Ledger("sqlite://") as ledger:
        opened, rest = lines.split("\n", 1)
        names = {"wa": wa, "ledger": ledger}
        exec(opened, names)  # noqa: S102  # our own page
        approved = names["review"].approve_all()
        exec(rest, names)  # noqa: S102  # as above
    assert len(wa.Plan.load(tmp_path / "plan.jsonl")) == approved > 0


def ended(scheduler, job):
    """Wait until a job has ended; return what is known of it."""
    for _ in range(1200):
        told = scheduler.get_job(job)
        if told.status in {"COMPLETED", "FAILED"}:  # STOPPED is what a job is called before it begins
            return told
        time.sleep(0.1)
    pytest.fail(f"the job did not end: {told}")
