"""
Strict, recorded runs of notebooks, for the hours at which nobody looks.

A run reads its parameters before the first cell, sends nothing unless three say so (the command, the notebook's own
parameter, the settings), keeps all that it made in a folder of its own, and says by its exit code how it ended.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import nbformat
import papermill
from filelock import FileLock, Timeout
from papermill.exceptions import PapermillExecutionError

from wa_products.errors import DataError, RunError, SettingsError, TooManyFailures
from wa_products.metrics import failures
from wa_products.runs import pages, parameters
from wa_products.settings import SENDING, Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pandas as pd

__all__ = ["Run", "require_few_failures", "run"]

SUCCEEDED, FAILED, TOO_MANY = "succeeded", "failed", "too many failures"
DRY_RUN, FOLDER = "dry_run", "WA_RUN_FOLDER"
_PRIVATE, _OURS_ALONE = 0o700, 0o077
_LEAST_SECRET = 8  # letters; a shorter one would be found in any text
_HOOK_SECONDS = 30


@dataclass
class Run:
    """How one run of a notebook ended, as its ``summary.json`` says; `folder` holds everything that it made."""

    notebook: str
    folder: Path
    parameters: dict[str, Any]
    is_live: bool
    started_at: str
    ended_at: str = ""
    state: str = ""
    error: str = ""
    cell: int | None = None
    notes: list[str] = field(default_factory=list)


def run(
    notebook: Path,
    given: Iterable[str] = (),
    *,
    live: bool = False,
    runs: Path = Path("runs"),
    on_failure: str = "",
    progress: bool = False,
) -> Run:
    """
    Execute `notebook` with the parameters `given` (``name=value``) in a new folder below `runs`; return how it ended.

    The folder, named by time, notebook and chance, has ``run.ipynb``, ``run.html`` (offline), ``run.log`` and
    ``summary.json``; it is ``WA_RUN_FOLDER`` to the notebook, which may add files. A dry run is told so twice:
    ``dry_run`` is set to True, and ``WA_DRY_RUN=1`` stops `send` whatever the cells say. `on_failure` is a command,
    which gets ``summary.json`` as input, or an http(s) URL to which it is posted.

    Raises DataError for parameters or a notebook that cannot be run, and SettingsError where `live` lacks a setting,
    both before the first cell; RunError where another run is going on in `runs`.
    """
    source = _opened(notebook)
    known = parameters.declared(source)
    values = parameters.read(known, given)
    _agree(known, values, live=live)
    runs.mkdir(parents=True, exist_ok=True, mode=_PRIVATE)
    try:
        with FileLock(runs / ".lock", timeout=0):
            made = _begun(notebook, values, runs, live=live)
            _execute(source, made, notebook.resolve().parent, progress=progress)
            _finish(made)
    except Timeout as error:
        raise RunError(f"another run is going on in {runs}; wait for its end, or give --runs another folder") from error
    if made.state != SUCCEEDED and on_failure:
        _tell(on_failure, made)
    return made


def require_few_failures(outcomes: pd.DataFrame, *, most: float = 0.2) -> None:
    """Raise TooManyFailures where more than the share `most` of the tried `outcomes` is refused or unknown."""
    failed, tried = failures.failed_and_tried(outcomes)
    if tried and failed / tried > most:
        raise TooManyFailures(f"{failed:,} of {tried:,} messages were refused or are unknown, more than {most:.0%}")


def _opened(notebook: Path) -> nbformat.NotebookNode:
    try:
        return nbformat.read(notebook, as_version=4)
    except FileNotFoundError as error:
        raise DataError(f"there is no notebook at {notebook}") from error
    except (OSError, ValueError, nbformat.reader.NotJSONError) as error:
        raise DataError(f"{notebook} is no notebook: {type(error).__name__}") from error


def _agree(known: dict[str, parameters.Parameter], values: dict[str, Any], *, live: bool) -> None:
    """Let a run be live only where the command, the notebook's parameter and the settings all say so."""
    wants = values.get(DRY_RUN) is False
    if wants and not live:
        raise DataError(f"{DRY_RUN}=false is only half of it: add --live to send, or leave it out for a dry run")
    if live and not wants:
        there = f"add -p {DRY_RUN}=false" if DRY_RUN in known else f"this notebook has no parameter {DRY_RUN}"
        raise DataError(f"--live is only half of it: {there}")
    if live and Settings.from_env(needs=SENDING).is_dry:
        raise SettingsError("WA_DRY_RUN is set, so nothing is to be sent from here: unset it, or leave --live out")
    if DRY_RUN in known:
        values[DRY_RUN] = not live


def _begun(notebook: Path, values: dict[str, Any], runs: Path, *, live: bool) -> Run:
    started = datetime.now(UTC)
    folder = runs / f"{started:%Y%m%dT%H%M%SZ}_{notebook.stem}_{uuid4().hex[:6]}"
    folder.mkdir(mode=_PRIVATE)
    return Run(str(notebook), folder, values, live, _text(started))


def _execute(source: nbformat.NotebookNode, made: Run, cwd: Path, *, progress: bool) -> None:
    folder = made.folder.resolve()
    environment = {FOLDER: str(folder), "PLOTLY_RENDERER": pages.RENDERER} | (
        {} if made.is_live else {"WA_DRY_RUN": "1"}
    )
    made.state = SUCCEEDED
    try:
        with _private(), _environment(environment), _logged(folder / "run.log"):
            papermill.execute_notebook(
                source,
                folder / "run.ipynb",
                parameters=made.parameters,
                cwd=cwd,
                progress_bar=progress,
                log_output=True,
            )
    except PapermillExecutionError as error:
        made.state = TOO_MANY if error.ename == TooManyFailures.__name__ else FAILED
        made.error, made.cell = f"{error.ename}: {error.evalue}", error.cell_index
    except KeyboardInterrupt:
        made.state, made.error = FAILED, "interrupted"
    except Exception as error:  # noqa: BLE001  # whatever a kernel dies of, the run is recorded and its exit code tells
        made.state, made.error = FAILED, f"{type(error).__name__}: {error}"


def _finish(made: Run) -> None:
    """Write the page and the summary, and take secrets out of all that was written."""
    with _private():
        executed = made.folder / "run.ipynb"
        if executed.exists():
            page = pages.page(nbformat.read(executed, as_version=4), made.folder.name)
            (made.folder / "run.html").write_text(page, encoding="utf-8")
        secrets = _secrets(Settings.from_env(needs=()))
        if found := _cleaned(made.folder, secrets):
            made.state = FAILED
            made.notes.append(f"a secret stood in {', '.join(found)} and was taken out: change it, mend the notebook")
            made.error = made.error or made.notes[-1]
        made.error = _without(made.error.encode(), secrets).decode()
        made.ended_at = _text(datetime.now(UTC))
        summary = json.dumps(asdict(made), indent=2, default=str)
        (made.folder / "summary.json").write_text(summary + "\n", encoding="utf-8")


def _cleaned(folder: Path, secrets: list[bytes]) -> list[str]:
    """Take the secrets out of each file of the folder; return the names of those that held one."""
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        held = path.read_bytes()
        cleaned = _without(held, secrets)
        if cleaned != held:
            path.write_bytes(cleaned)
            found.append(str(path.relative_to(folder)))
    return found


def _secrets(settings: Settings) -> list[bytes]:
    values = (settings.token, settings.app_secret, settings.verify_token)
    return [value.encode() for value in values if len(value) >= _LEAST_SECRET]


def _without(data: bytes, secrets: list[bytes]) -> bytes:
    for secret in secrets:
        data = data.replace(secret, b"(taken out)")
    return data


def _tell(hook: str, made: Run) -> None:
    """Give the summary of a failed run to a URL or a command; that it cannot be given is noted, and no more."""
    summary = (made.folder / "summary.json").read_bytes()
    try:
        if hook.startswith(("http://", "https://")):
            answer = httpx.post(
                hook, content=summary, headers={"content-type": "application/json"}, timeout=_HOOK_SECONDS
            )
            answer.raise_for_status()
        else:
            subprocess.run(hook, input=summary, shell=True, check=True, timeout=_HOOK_SECONDS)  # noqa: S602  # the user's own command
    except (httpx.HTTPError, OSError, subprocess.SubprocessError) as error:
        made.notes.append(f"the hook could not be told: {type(error).__name__}")


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


@contextmanager
def _private() -> Iterator[None]:
    """Let what is written be read by its owner alone."""
    before = os.umask(_OURS_ALONE)
    try:
        yield
    finally:
        os.umask(before)


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
