"""What stays of a run: its own folder, and in it ``summary.json``, written at the beginning and again at the end."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from wa_products.runs import cleaning

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RUNNING, SUCCEEDED, FAILED, TOO_MANY = "running", "succeeded", "failed", "too many failures"
KILLED, REFUSED = "killed", "refused"
PRIVATE, _OURS_ALONE = 0o700, 0o077
_SUMMARY, _NOTES = "summary.json", "notes.txt"


@dataclass
class Run:
    """How one run of a notebook ended, as its ``summary.json`` says; `folder` holds everything that it made."""

    notebook: str
    folder: Path
    parameters: dict[str, Any]
    is_live: bool
    started_at: str
    ended_at: str = ""
    state: str = RUNNING
    error: str = ""
    cell: int | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def summary(self) -> bytes:
        """The run as the text of ``summary.json``."""
        return (json.dumps(asdict(self), indent=2, default=str, ensure_ascii=False) + "\n").encode()


def begin(notebook: Path, values: dict[str, Any], runs: Path, *, live: bool) -> Run:
    """Make the folder of a new run and say in it that the run goes on."""
    started = datetime.now(UTC)
    folder = runs / f"{started:%Y%m%dT%H%M%SZ}_{notebook.stem}_{uuid4().hex[:6]}"
    folder.mkdir(mode=PRIVATE)
    made = Run(str(notebook), folder, values, live, _text(started))
    with private():
        (folder / _SUMMARY).write_bytes(made.summary)
    return made


def end(made: Run, secrets: list[bytes]) -> None:
    """Take secrets out of all that the run wrote, which fails it, and write down how it ended."""
    with private():
        made.notes += _noted(made.folder)
        if found := cleaning.cleaned(made.folder, secrets):
            made.state = FAILED if made.state in (SUCCEEDED, TOO_MANY) else made.state
            made.notes.append(f"a secret stood in {', '.join(found)} and was taken out: change it, mend the notebook")
            made.error = made.error or made.notes[-1]
        clean = [cleaning.taken_out(text.encode(), secrets).decode() for text in (made.error, *made.notes)]
        made.error, made.notes = clean[0], clean[1:]
        made.ended_at = _text(datetime.now(UTC))
        (made.folder / _SUMMARY).write_bytes(made.summary)


def killed(runs: Path) -> list[Run]:
    """Return the runs of this folder that did not come to their end; to be called under its lock, when none goes on."""
    found = []
    for path in sorted(runs.glob(f"*_*/{_SUMMARY}")):
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            if told["state"] == RUNNING:
                known = {part.name: told[part.name] for part in fields(Run)}
                why = "killed before its end: what it sent is in the ledger, and a new run goes on from there"
                found.append(Run(**known | {"folder": path.parent, "state": KILLED, "error": why}))
        except (OSError, ValueError, KeyError, TypeError):
            continue  # not a summary of ours
    return found


def note(folder: Path, text: str) -> None:
    """Keep a line that the run's summary is to tell."""
    with private(), (folder / _NOTES).open("a", encoding="utf-8") as file:
        file.write(" ".join(text.split()) + "\n")


def _noted(folder: Path) -> list[str]:
    path = folder / _NOTES
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


@contextmanager
def private() -> Iterator[None]:
    """Let what is written be read by its owner alone."""
    before = os.umask(_OURS_ALONE)
    try:
        yield
    finally:
        os.umask(before)
