"""
A real JupyterLab in a real Chromium: the fixtures `lab`, `chromium` and `tab`; under `BOTH` Notebook 7 as well.

Everything JupyterLab writes goes to a temporary folder; the token travels in the environment. A tab records every
request that leaves loopback and every console error. Where there is no Chromium the tests are skipped, except in
CI (``CI=true``), where they fail.
"""

import json
import os
import secrets
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import nbformat
import pytest

ROOT = Path(__file__).parent.parent
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-dev-shm-usage", "--disable-sync", "--no-first-run",
]  # fmt: skip
NOTEBOOKS_OWN = ("/lsp/status", "'schema'")  # what Notebook 7 says of itself in the console
STARTS, READY, RUNS = 120, 120_000, 300_000  # seconds, milliseconds, milliseconds
_READY = """() => {
  const shown = window.jupyterapp?.shell?.currentWidget, kernel = shown?.sessionContext?.session?.kernel;
  return shown?.context?.isReady && kernel && kernel.connectionStatus === 'connected' && kernel.status === 'idle';
}"""
_RUN = "async () => await window.jupyterapp.commands.execute('notebook:run-all-cells')"
_ASK = """async (code) => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const request = kernel.requestExecute({code, store_history: false});
  let said = '';
  request.onIOPub = (message) => {
    if (message.header.msg_type === 'stream') said += message.content.text;
    if (message.header.msg_type === 'error') said += message.content.ename + ': ' + message.content.evalue;
  };
  await request.done;
  return said.trim();
}"""
_FAILURES = """() => window.jupyterapp.shell.currentWidget.content.model.toJSON().cells
  .flatMap((cell) => cell.outputs ?? []).filter((output) => output.output_type === 'error')
  .map((output) => output.ename + ': ' + output.evalue)"""
_CELLS = "() => window.jupyterapp.shell.currentWidget.content.model.cells.length"
_THEME = "async (theme) => await window.jupyterapp.commands.execute('apputils:change-theme', {theme})"


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab server: its address, its token (never in a repr), the folder it serves."""

    base: str
    token: str = field(repr=False)
    root: Path
    app: str = "jupyterlab"

    def address(self, path):
        """Return the address that opens the notebook at `path` below the folder, in a fresh workspace."""
        place = "lab/tree" if self.app == "jupyterlab" else "notebooks"
        return f"{self.base}/{place}/{quote(str(path))}?token={self.token}&reset"

    def close_kernels(self):
        """Shut down every kernel that a test left running."""
        headers = {"Authorization": f"token {self.token}"}
        for session in httpx.get(f"{self.base}/api/sessions", headers=headers, timeout=30).json():
            httpx.delete(f"{self.base}/api/sessions/{session['id']}", headers=headers, timeout=30)


BOTH = pytest.mark.parametrize("tab", ["jupyterlab", "notebook"], indirect=True)


@dataclass
class Tab:
    """One browser page with a notebook in it; `foreign` and `errors` hold what should not have happened."""

    page: object
    lab: Lab
    foreign: list = field(default_factory=list)
    errors: list = field(default_factory=list)
    received: list = field(default_factory=list)

    def open_cells(self, *cells, name="test.ipynb"):
        """Write a notebook of these code cells and open it; return this tab."""
        return self._open(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]), name)

    def open_notebook(self, path):
        """Open a copy of the notebook at `path` and wait for its kernel; return this tab."""
        return self._open(nbformat.read(path, as_version=4), Path(path).name)

    def _open(self, notebook, name):
        # A notebook without a kernel's name would wait for somebody to choose one.
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        notebook.metadata.setdefault("kernelspec", kernel)
        nbformat.write(notebook, self.lab.root / name)
        self.page.goto(self.lab.address(name))
        self.page.wait_for_function(_READY, timeout=READY)
        return self

    def run_all(self):
        """Run every cell and wait for the last; raise AssertionError naming what a cell raised."""
        self.page.set_default_timeout(RUNS)
        assert self.page.evaluate(_RUN), f"a cell failed: {self.failures()}"
        self.page.set_default_timeout(30_000)
        return self

    def failures(self):
        """Return the error outputs of the notebook."""
        return self.page.evaluate(_FAILURES)

    def ask(self, code):
        """Run `code` in the kernel outside the notebook and return what it printed."""
        return self.page.evaluate(_ASK, code)

    def count_cells(self):
        """Return how many cells the notebook has."""
        return self.page.evaluate(_CELLS)

    def theme(self, name):
        """Switch to a theme of JupyterLab, for example ``JupyterLab Dark``."""
        self.page.evaluate(_THEME, name)
        self.page.wait_for_function(
            "(light) => document.body.dataset.jpThemeLight === light", arg=str("Dark" not in name).lower()
        )

    def nodes(self, selector):
        """Return how many elements there are below the first match of `selector`."""
        return self.page.locator(selector).first.evaluate("(el) => el.querySelectorAll('*').length")

    def watch(self):
        """Record requests that leave loopback, console errors, and the bytes of each kernel message."""
        self.page.on("request", lambda request: self._requested(request.url))
        self.page.on("console", lambda said: self._said(said) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self._failed(str(error)))
        self.page.on("websocket", lambda ws: ws.on("framereceived", lambda frame: self.received.append(len(frame))))
        return self

    def _requested(self, url):
        parts = urlsplit(url)
        if parts.scheme not in {"data", "blob", "about"} and parts.hostname != "127.0.0.1":
            self.foreign.append(url)

    def _said(self, said):
        self._failed(f"{said.text} ({said.location.get('url', '').partition('?')[0]})")

    def _failed(self, what):
        if self.lab.app == "jupyterlab" or not any(own in what for own in NOTEBOOKS_OWN):
            self.errors.append(what)


@pytest.fixture(scope="session")
def chromium():
    """Return a headless Chromium for the session."""
    if not Path(CHROMIUM).exists():
        missing = f"there is no {CHROMIUM}: apt-get install chromium"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(missing)
    pytest.importorskip("playwright.sync_api")
    with launched() as browser:
        yield browser


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """Return a JupyterLab server on a free port of loopback, its every file in a temporary folder."""
    with serving(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture(scope="session")
def notebook(tmp_path_factory):
    """Return a server of Notebook 7, as `lab` is one of JupyterLab."""
    with serving(tmp_path_factory.mktemp("notebook"), "notebook") as lab:
        yield lab


@pytest.fixture
def tab(request, chromium):
    """Return a fresh tab that records, of Notebook 7 where `BOTH` asks for it; its kernels are shut down afterwards."""
    server = "notebook" if getattr(request, "param", "") == "notebook" else "lab"
    with opened(request.getfixturevalue(server), chromium) as tab:
        yield tab


@contextmanager
def launched():
    """Launch a headless Chromium."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # without it these tests are skipped

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def serving(home, app="jupyterlab"):
    """Run a server of JupyterLab, or with `app` ``notebook`` of Notebook 7, that keeps all its files in `home`."""
    root = home / "notebooks"
    root.mkdir()
    _settle(home)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    lab = Lab(f"http://127.0.0.1:{port}", secrets.token_urlsafe(24), root, app)
    log = (home / "server.log").open("w+", encoding="utf-8")
    with (
        log,
        subprocess.Popen(
            _command(root, port, app), env=_environment(home, lab.token), stdout=log, stderr=log
        ) as server,
    ):
        try:
            _wait(lab, server, log)
            yield lab
            lab.close_kernels()
        finally:
            server.terminate()
            server.wait(30)


@contextmanager
def opened(lab, browser):
    """Open a tab that records requests, errors and bytes."""
    context = browser.new_context(viewport={"width": 1500, "height": 1000}, locale="en-GB", timezone_id="UTC")
    context.set_default_timeout(30_000)
    yield Tab(context.new_page(), lab).watch()
    context.close()
    lab.close_kernels()


def _settle(home):
    """Turn off the news and the check for updates, whose notice would cover a corner and ask the network."""
    folder = home / "settings" / "@jupyterlab" / "apputils-extension"
    folder.mkdir(parents=True)
    quiet = {"fetchNews": "false", "checkForUpdates": False}
    (folder / "notification.jupyterlab-settings").write_text(json.dumps(quiet), encoding="utf-8")


def _command(root, port, app):
    silent = ["--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    return [
        sys.executable, "-m", app, "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
        "--ServerApp.port_retries=0", f"--ServerApp.root_dir={root}", "--expose-app-in-browser",
        *(silent if app == "jupyterlab" else ()),
    ]  # fmt: skip


def _environment(home, token):
    folders = {
        "JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data", "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings", "JUPYTERLAB_WORKSPACES_DIR": "workspaces", "IPYTHONDIR": "ipython",
    }  # fmt: skip
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    return {
        **os.environ,
        **{name: str(home / folder) for name, folder in folders.items()},
        "JUPYTER_TOKEN": token,
        "PYTHONPATH": path,
    }


def _wait(lab, server, log):
    until = time.monotonic() + STARTS
    while time.monotonic() < until and server.poll() is None:
        try:
            headers = {"Authorization": f"token {lab.token}"}
            if httpx.get(f"{lab.base}/api/status", headers=headers, timeout=5).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    log.seek(0)
    pytest.fail(f"JupyterLab did not start:\n{log.read()[-3000:]}")
