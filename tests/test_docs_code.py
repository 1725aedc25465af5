"""The code of the documentation runs, page by page, on the demo shop in a folder of its own."""

import contextlib
import shlex
import shutil
import sys
from types import ModuleType

import pytest

from tests.docs_pages import ELSEWHERE, PAGES, ROOT, WRITTEN
from tests.test_commands_sandbox import running, until
from tests.test_docs import commands
from tests.test_sandbox_http import served
from wa_products import receiver
from wa_products.__main__ import main
from wa_products.ledger import Ledger
from wa_products.sandbox import APP_SECRET, VERIFY_TOKEN
from wa_products.settings import Settings

SPOKEN = [page for page in PAGES if page.path.stem not in ELSEWHERE and "```python" in page.text]
ALONE = ("backtest", "doctor", "listen", "plan", "reparse", "resolve", "store")  # no network, and an end of their own


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return an empty folder to be in, with the repository's data."""
    shutil.copytree(ROOT / "data" / "demo", tmp_path / "data" / "demo")
    shutil.copytree(ROOT / "data" / "messy", tmp_path / "data" / "messy")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("page", SPOKEN, ids=lambda page: page.path.stem)
@pytest.mark.usefixtures("folder")
def test_the_python_of_a_page_runs_from_the_top(page, monkeypatch):
    """Every Python block of a page runs after those before it, and warns of nothing."""
    module = ModuleType(page.path.stem)
    monkeypatch.setitem(sys.modules, module.__name__, module)  # where what a page defines can be found again
    for info, line, code in page.fences:
        if info == "python":
            exec(compile("\n" * line + code, page.path, "exec"), vars(module))  # noqa: S102  # our own pages


@pytest.mark.slow
def test_commands_that_need_no_account_run(folder, capsys):
    """The lines of the pages that need exports and a ledger alone end well, in a folder as they suppose it."""
    shutil.copytree(folder / "data" / "demo", folder / "exports")
    shutil.copy(folder / "data" / "demo" / "webhooks.jsonl", folder)
    Ledger("sqlite:///ledger.db").close()
    (own,) = (code for page in PAGES for _, _, code in page.fences if "class LastBought" in code)
    (folder / "my_rules.py").write_text(own)
    lines = {line: shlex.split(line, comments=True)[1:] for line in commands(WRITTEN)}
    tried = {line: words for line, words in lines.items() if words[0] in ALONE and "SEND_ID" not in words}
    assert {words[0] for words in tried.values()} == set(ALONE)
    for line, words in tried.items():
        code = 2
        with contextlib.suppress(SystemExit):
            code = main(words)
        assert code == 0, (line, capsys.readouterr().err)


@pytest.mark.slow
def test_the_rehearsal_of_going_live_goes_as_written(folder, monkeypatch, capsys):
    """Receiver, sandbox over HTTP, plan, check, dry run, live run and report: the lines of the page, in their order."""
    section = next(page for page in WRITTEN if page.path.stem == "sandbox").sections["a-rehearsal-of-going-live"]
    assert f"WA_APP_SECRET={APP_SECRET} WA_VERIFY_TOKEN={VERIFY_TOKEN}" in section
    lines = [shlex.split(line)[1:] for line in section.splitlines() if line.startswith("wa-products ")]
    shutil.copytree(folder / "data" / "demo", folder / "exports")
    shop = folder / "exports" / "shop.toml"
    shop.write_text("\n".join(line for line in shop.read_text("utf-8").splitlines() if "as_of" not in line))
    settings = Settings(app_secret=APP_SECRET, verify_token=VERIFY_TOKEN)
    with (
        Ledger("sqlite:///ledger.db") as ledger,
        served(receiver.app(settings, ledger)) as webhooks,
        running("--data", "exports", "--webhooks", f"{webhooks}/") as (http, told),
    ):
        for name, value in told.items():
            monkeypatch.setenv(name, value)
        for chat in http.get("/sandbox/state").json()["chats"][:12]:
            http.post("/sandbox/act", json={"customer_id": chat["id"], "what": "write", "text": "Hello"})
        until(lambda: len(ledger.answers()) == 12)
        for words in lines:
            if words[0] not in ("receive", "sandbox"):
                assert main(words) == 0, (words, capsys.readouterr())
            if "--live" in words:
                http.post("/sandbox/advance", params={"by": "8D"})
                until(lambda: "delivered" in set(ledger.events()["status"]))
    assert "messages were accepted" in capsys.readouterr().out
    assert (folder / "report.html").stat().st_size > 0
