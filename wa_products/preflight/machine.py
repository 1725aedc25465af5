"""What this machine has and what it lacks, before anything is asked of the Cloud API. Only reads."""

from __future__ import annotations

import platform
import shutil
import stat
import sys
import webbrowser
from dataclasses import fields
from email.utils import parsedate_to_datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pandas as pd
from packaging.requirements import Requirement

from wa_products import settings
from wa_products.errors import SettingsError
from wa_products.ledger import opening
from wa_products.ledger.health import health
from wa_products.preflight.findings import COLUMNS, FAIL, OK, WARN, Finding
from wa_products.settings import RECEIVING, SECRETS, SENDING, Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wa_products.client import Clock

_NAME = "wa-products"
_EXTRAS = {
    "excel": "workbooks (.xlsx, .xls)",
    "fast": "hundreds of messages a second",
    "keyring": "secrets in the system's keyring",
    "postgres": "a ledger on PostgreSQL",
    "completejourney": "the demo on real shoppers",
}
_TASKS = {
    "to send": SENDING,
    "to receive": RECEIVING,
    "to check which catalog is linked": ("token", "phone_number_id", "catalog_id", "business_account_id"),
}
_LITTLE, _TOO_LITTLE = 2 << 30, 100 << 20  # bytes free
_OFF, _FAR_OFF, _SECONDS = 10, 120, 10  # of a clock; and how long to wait for the other one
_SHOWN_FROM = 8  # characters; of a shorter id nothing is shown


def doctor(environ: Mapping[str, str], clock: Clock) -> pd.DataFrame:
    """
    Return what was found, one row a finding: ``name``, ``state`` (ok, warn, fail), ``what``, ``what_to_do``.

    Versions, settings (masked), the ledger, the disk, a browser, the clock, and what is missing for what. A fail is
    what keeps the package from working; a warn may be as it should. Nothing is asked of the network but the time, of
    the Cloud API's server, and that only where a token is set.
    """
    found = [_python(), *_packages()]
    try:
        values = settings.found(environ)
        known = Settings(**{name: each.value for name, each in values.items()})
    except SettingsError as error:
        found.append(Finding("settings", FAIL, str(error), "mend it in the environment"))
        values, known = {}, Settings()
    found += [_setting(name, each) for name, each in values.items()]
    found += [
        *_strange(environ),
        *_readable(environ),
        *_tasks(known),
        *_ledger(known.ledger),
        _disk(known.ledger),
        _browser(),
    ]
    found.append(_clock(known, clock))
    return pd.DataFrame(found, columns=list(COLUMNS)).astype("str")


def _python() -> Finding:
    return Finding("python", OK, f"{platform.python_version()} on {platform.system()} {platform.machine()}")


def _packages() -> list[Finding]:
    """Return the version of the package, and which of its requirements are not met, each extra by itself."""
    try:
        needed = [Requirement(line) for line in metadata.requires(_NAME) or []]
    except metadata.PackageNotFoundError:
        return [Finding("packages", WARN, f"{_NAME} is not installed, it runs from its sources", "pip install -e .")]
    lacking = [fault for each in needed if _applies(each, "") and (fault := _lacking(each))]
    what = f"{_NAME} {metadata.version(_NAME)}"
    main = (
        Finding("packages", FAIL, f"{what}, but {', '.join(lacking)}", f"pip install --upgrade {_NAME}")
        if lacking
        else Finding("packages", OK, f"{what} and all {sum(_applies(each, '') for each in needed)} that it needs")
    )
    return [main, *(_extra(extra, use, needed) for extra, use in _EXTRAS.items())]


def _extra(extra: str, use: str, needed: list[Requirement]) -> Finding:
    mine = [each for each in needed if _applies(each, extra) and not _applies(each, "")]
    if lacking := [fault for each in mine if (fault := _lacking(each))]:
        return Finding(f"extra {extra}", WARN, f"{', '.join(lacking)}: for {use}", f"pip install '{_NAME}[{extra}]'")
    return Finding(f"extra {extra}", OK, use)


def _applies(each: Requirement, extra: str) -> bool:
    return each.marker is None or each.marker.evaluate({"extra": extra})


def _lacking(each: Requirement) -> str:
    try:
        have = metadata.version(each.name)
    except metadata.PackageNotFoundError:
        return f"{each.name} is not installed"
    return "" if each.specifier.contains(have, prereleases=True) else f"{each.name} is {have}, not {each.specifier}"


def _setting(name: str, found: settings.Found) -> Finding:
    """Return a setting as it may be shown: of a secret its length, of an id its last digits, of a URL no password."""
    if name in SECRETS:
        shown = f"{len(found.value):,} characters"
    elif name == "ledger":
        shown = opening.target_of(found.value).render_as_string(hide_password=True)
    elif name.endswith("_id"):
        shown = f"…{found.value[-4:]}" if len(found.value) >= _SHOWN_FROM else "set"
    else:
        shown = found.value
    return Finding(f"WA_{name.upper()}", OK, shown + ("" if found.by == f"WA_{name.upper()}" else f", by {found.by}"))


def _strange(environ: Mapping[str, str]) -> list[Finding]:
    """Return the variables that look like settings and are none: misspelled, most likely."""
    files = [f"WA_{name.upper()}_FILE" for name in SECRETS]
    ours = {*files, "WA_KEYRING", "WA_RUN_FOLDER", *(f"WA_{part.name.upper()}" for part in fields(Settings))}
    todo = "look for a misspelling: it is not read"
    return [
        Finding(name, WARN, "there is no such setting", todo)
        for name in sorted(environ)
        if name.startswith("WA_") and name not in ours
    ]


def _readable(environ: Mapping[str, str]) -> list[Finding]:
    """Return which files with secrets others can read."""
    found = []
    for variable in (f"WA_{name.upper()}_FILE" for name in SECRETS):
        path = Path(environ.get(variable) or "/nowhere/at/all")
        if path.exists() and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO) and sys.platform != "win32":
            found.append(Finding(variable, WARN, "others on this machine can read the file", f"chmod 600 {path}"))
    return found


def _tasks(known: Settings) -> list[Finding]:
    """Return for each task which settings it lacks."""
    found = []
    for task, needs in _TASKS.items():
        missing = [f"WA_{name.upper()}" for name in needs if not getattr(known, name)]
        if missing:
            found.append(Finding(task, WARN, f"not set: {', '.join(missing)}", "set them; the sandbox needs none"))
        else:
            found.append(Finding(task, OK, "all that it needs is set"))
    if known.is_dry:
        found.append(Finding("dry run", WARN, "WA_DRY_RUN is set: nothing is sent from here", "unset it to send"))
    return found


def _ledger(url: str) -> list[Finding]:
    try:
        told = health(url)
    except SettingsError as error:
        return [Finding("ledger", FAIL, str(error), "mend it, or set WA_LEDGER to another")]
    if told is None:
        return [Finding("ledger", OK, "none yet: it is made when something is sent or heard")]
    if told.faults:
        todo = "stop all that writes to it and take a backup: sqlite3 FILE .recover, then look at what is lost"
        return [Finding("ledger", FAIL, f"it is damaged: {told.faults[0]}", todo)]
    if told.step > told.last_step:
        what = f"written by a newer {_NAME} (step {told.step}, this one knows {told.last_step})"
        return [Finding("ledger", FAIL, what, f"pip install --upgrade {_NAME}")]
    counts = ", ".join(f"{number:,} {name}" for name, number in told.counts.items())
    older = f"; at step {told.step}, and climbs to {told.last_step} when it is opened" * (told.step < told.last_step)
    found = [Finding("ledger", OK, f"sound, {_bytes(told.size)}, {counts}{older}")]
    if not told.is_private:
        found.append(Finding("ledger", WARN, "others on this machine can read it: it holds addresses", "chmod 600 it"))
    return found


def _disk(url: str) -> Finding:
    target = opening.target_of(url)
    is_file = target.get_backend_name() == "sqlite" and target.database not in (None, "", ":memory:")
    folder = Path(target.database or "").resolve().parent if is_file else Path.cwd()
    where = "where the ledger is" if is_file else "in this folder"
    free = shutil.disk_usage(folder if folder.exists() else Path.cwd()).free
    if free < _LITTLE:
        todo = "make room: a ledger that cannot be written to stops a campaign"
        return Finding("disk", FAIL if free < _TOO_LITTLE else WARN, f"{_bytes(free)} free {where}", todo)
    return Finding("disk", OK, f"{_bytes(free)} free {where}")


def _browser() -> Finding:
    try:
        return Finding("browser", OK, webbrowser.get().__class__.__name__.lower())
    except webbrowser.Error:
        what = "none that can be opened from here: scheduled runs need none, reviews do"
        return Finding("browser", WARN, what, "jupyter lab --no-browser, and open it from another machine")


def _clock(known: Settings, clock: Clock) -> Finding:
    """Return how far this machine's clock is off from that of the Cloud API's server; no token is sent there."""
    if not known.token:
        return Finding("clock", OK, f"{clock.now():%Y-%m-%d %H:%M:%S} UTC; not compared, since no token is set")
    host, todo = urlsplit(known.graph_url).hostname, "set it by a time server: windows close to the second"
    try:
        told = httpx.head(known.graph_url, timeout=_SECONDS).headers["date"]
        off = abs((clock.now() - pd.Timestamp(parsedate_to_datetime(told))).total_seconds())
    except (httpx.HTTPError, KeyError, TypeError, ValueError) as error:
        what = f"the time of {host} cannot be asked: {type(error).__name__}"
        return Finding("clock", WARN, what, "mend the network or WA_GRAPH_URL")
    state = OK if off < _OFF else WARN if off < _FAR_OFF else FAIL
    return Finding("clock", state, f"{off:.0f} seconds from that of {host}", "" if state == OK else todo)


def _bytes(number: int) -> str:
    units = [("GB", 1 << 30), ("MB", 1 << 20), ("kB", 1 << 10)]
    return next((f"{number / size:,.1f} {unit}" for unit, size in units if number >= size), f"{number:,} bytes")
