"""
Strict, recorded runs of notebooks, for the hours at which nobody looks.

A run reads its parameters before the first cell, sends nothing unless three say so (the command, the notebook's own
parameter, the settings) and only what a person approved, keeps all that it made in a folder of its own, and says by
its exit code how it ended.
"""

from __future__ import annotations

import logging
import os
import signal
import tempfile
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import papermill
from filelock import FileLock, Timeout
from papermill.exceptions import PapermillExecutionError

from wa_products import approvals
from wa_products.errors import DataError, RunError, SettingsError, TooManyFailures, WaProductsError
from wa_products.metrics import failures
from wa_products.runs import cleaning, hooks, pages, parameters, records
from wa_products.runs.records import FAILED, REFUSED, SUCCEEDED, TOO_MANY, Run
from wa_products.settings import SENDING, Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pandas as pd

__all__ = ["FAILED", "SUCCEEDED", "TOO_MANY", "Run", "folder", "note", "require_few_failures", "run"]

DRY_RUN, COVERS = "dry_run", ("policy", "plan")  # names of parameters that mean the same in every notebook
_FOLDER = "WA_RUN_FOLDER"


def run(
    notebook: Path,
    given: Iterable[str] = (),
    *,
    live: bool = False,
    runs: Path = Path("runs"),
    cwd: Path | None = None,
    on_failure: str = "",
    progress: bool = False,
) -> Run:
    """
    Execute `notebook` with the parameters `given` (``name=value``) in a new folder below `runs`; return how it ended.

    The folder, named by time, notebook and chance, has ``run.ipynb``, ``run.html`` (offline), ``run.log`` and
    ``summary.json``; to the notebook it is `folder`, and it may add files. A dry run is told so twice: ``dry_run`` is
    set to True, and ``WA_DRY_RUN=1`` stops `send` whatever the cells say. Parameters called ``policy`` and ``plan``
    name a signed policy and a reviewed plan: they must be sound, and in a live run `send` refuses what they do not
    cover. The notebook runs in `cwd`, by default where it lies. `on_failure` is a command, which gets the summary as
    input, or an http(s) URL to which it is posted: of a run that failed, was refused or was killed.

    Raises DataError for parameters or a notebook that cannot be run, PlanError for a policy or plan that was changed,
    and SettingsError where `live` lacks a setting, all before the first cell; RunError where another run is going on
    in `runs`.
    """
    try:
        source, values, environment = _prepared(notebook, given, live=live, cwd=cwd or notebook.parent)
        made, earlier = _recorded(source, notebook, values, environment, live=live, runs=runs, cwd=cwd, bar=progress)
    except WaProductsError as error:
        _tell_refused(on_failure, notebook, str(error), live=live)
        raise
    for each in [*earlier, *([] if made.state == SUCCEEDED else [made])]:
        if on_failure and (fault := hooks.tell(on_failure, each.summary)):
            made.notes.append(fault)
    return made


def require_few_failures(outcomes: pd.DataFrame, *, most: float = 0.2) -> None:
    """Raise TooManyFailures where more than the share `most` of the tried `outcomes` is refused or unknown."""
    failed, tried = failures.failed_and_tried(outcomes)
    if tried and failed / tried > most:
        raise TooManyFailures(f"{failed:,} of {tried:,} messages were refused or are unknown, more than {most:.0%}")


def folder() -> Path:
    """Return the folder of the run that a notebook is in, or a new private one where it is run by hand."""
    return Path(os.environ.get(_FOLDER) or tempfile.mkdtemp(prefix="wa-products-"))


def note(text: str) -> None:
    """Print `text`, which in a scheduled run stands in its summary, too, and is told to whoever started it."""
    print(text)  # noqa: T201  # that is what it is for
    if into := os.environ.get(_FOLDER):
        records.note(Path(into), text)


def _prepared(
    notebook: Path, given: Iterable[str], *, live: bool, cwd: Path
) -> tuple[nbformat.NotebookNode, dict[str, Any], dict[str, str]]:
    """Return the notebook, its parameters and what its environment says, all checked."""
    source = _opened(notebook)
    known = parameters.declared(source)
    values = parameters.read(known, given)
    _agree(known, values, live=live)
    effective = {name: each.default for name, each in known.items()} | values
    named = [effective[name] for name in COVERS if isinstance(effective.get(name), str) and effective[name]]
    covered_by = approvals.handed_down(cwd / name for name in named)
    environment = {"WA_COVERED_BY": covered_by} | ({} if live else {"WA_DRY_RUN": "1"})
    return source, values, environment | {"PLOTLY_RENDERER": pages.RENDERER}


def _opened(notebook: Path) -> nbformat.NotebookNode:
    try:
        return nbformat.read(notebook, as_version=4)
    except FileNotFoundError as error:
        raise DataError(f"there is no notebook at {notebook}") from error
    except (OSError, ValueError, nbformat.reader.NotJSONError) as error:
        raise DataError(f"{notebook} is no notebook: {type(error).__name__}") from error


def _agree(known: dict[str, parameters.Parameter], values: dict[str, Any], *, live: bool) -> None:
    """Let a run be live only where the command, the notebook's parameter and the settings all say so."""
    settings = Settings.from_env(needs=())
    wants = values.get(DRY_RUN) is False
    if wants and not live:
        raise DataError(f"{DRY_RUN}=false is only half of it: add --live to send, or leave it out for a dry run")
    if live and not wants:
        there = f"add -p {DRY_RUN}=false" if DRY_RUN in known else f"this notebook has no parameter {DRY_RUN}"
        raise DataError(f"--live is only half of it: {there}")
    if live and settings.require(*SENDING).is_dry:
        raise SettingsError("WA_DRY_RUN is set, so nothing is to be sent from here: unset it, or leave --live out")
    if DRY_RUN in known:
        values[DRY_RUN] = not live


def _recorded(
    source: nbformat.NotebookNode,
    notebook: Path,
    values: dict[str, Any],
    environment: dict[str, str],
    *,
    live: bool,
    runs: Path,
    cwd: Path | None,
    bar: bool,
) -> tuple[Run, list[Run]]:
    """Run under the lock; return the run, and those before it that were killed, which only now can be told."""
    runs.mkdir(parents=True, exist_ok=True, mode=records.PRIVATE)
    secrets = cleaning.spellings(Settings.from_env(needs=()).secrets)
    try:
        with FileLock(runs / ".lock", timeout=0):
            earlier = records.killed(runs)
            for each in earlier:
                records.end(each, secrets)
            made = records.begin(notebook, values, runs, live=live)
            made.notes += [f"an earlier run was killed before its end: {each.folder}" for each in earlier]
            _execute(source, made, environment, (cwd or notebook.parent).resolve(), bar=bar)
            _draw(made)
            records.end(made, secrets)
            return made, earlier
    except Timeout as error:
        raise RunError(f"another run is going on in {runs}; wait for its end, or give --runs another folder") from error


def _execute(source: nbformat.NotebookNode, made: Run, environment: dict[str, str], cwd: Path, *, bar: bool) -> None:
    into = made.folder.resolve()
    try:
        with (
            records.private(),
            _environment(environment | {_FOLDER: str(into)}),
            _logged(into / "run.log"),
            _ended_by_signals(),
        ):
            papermill.execute_notebook(
                source,
                into / "run.ipynb",
                parameters=made.parameters,
                cwd=cwd,
                progress_bar=bar,
                log_output=True,
                extra_arguments=["--IPKernelApp.log_level=ERROR"],  # its advice would be in every mail of cron's
            )
        made.state = SUCCEEDED
    except PapermillExecutionError as error:
        made.state = TOO_MANY if error.ename == TooManyFailures.__name__ else FAILED
        made.error, made.cell = f"{error.ename}: {error.evalue}", error.cell_index
    except KeyboardInterrupt as error:
        made.state, made.error = FAILED, str(error) or "interrupted"
    except Exception as error:  # noqa: BLE001  # whatever a kernel dies of, the run is recorded and its exit code tells
        made.state, made.error = FAILED, f"{type(error).__name__}: {error}"


def _draw(made: Run) -> None:
    executed = made.folder / "run.ipynb"
    if not executed.exists():
        return
    try:
        page = pages.page(nbformat.read(executed, as_version=4), made.folder.name)
    except Exception as error:  # noqa: BLE001  # a page that cannot be drawn leaves the run as it ended
        made.notes.append(f"there is no run.html: {type(error).__name__}: {error}")
        return
    with records.private():
        (made.folder / "run.html").write_text(page, encoding="utf-8")


def _tell_refused(hook: str, notebook: Path, error: str, *, live: bool) -> None:
    """Tell the hook of a run that did not begin: it has no folder and no summary of its own."""
    if hook:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        hooks.tell(hook, Run(str(notebook), Path(), {}, live, now, now, REFUSED, error).summary)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let a request to end, as of systemd or timeout, end the run as Ctrl-C does: recorded, and with its kernel."""

    def end(number: int, _frame: object) -> None:
        raise KeyboardInterrupt(f"ended by {signal.Signals(number).name}")

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Hand `values` down to the kernel that is started here."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _logged(path: Path) -> Iterator[None]:
    """Write what papermill tells, outputs of cells among it, to `path`."""
    logger, handler = logging.getLogger("papermill"), logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    level, propagate = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate
        handler.close()
