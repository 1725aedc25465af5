"""The documentation: every link leads somewhere, everything public is explained, every question has its answer."""

import doctest
import importlib
import re
import shlex
import tomllib

import conf
import generate
import pytest

import wa_products as wa
from tests.docs_pages import DOCS, ELSEWHERE, NOTEBOOKS, PAGES, README, ROOT, WRITTEN, Page
from wa_products import attribution, codes, pacing, selection, windows
from wa_products.campaigns.breakers import TOO_MANY
from wa_products.commands import parser
from wa_products.exports import folders
from wa_products.ledger.unknowns import PATIENCE
from wa_products.metrics.intervals import FINAL
from wa_products.metrics.sequential import ENOUGH

QUESTIONS = 20
LEAST_WORDS = 25
WORDS = "\n".join(page.text for page in WRITTEN)


def test_every_link_leads_to_a_file_and_a_heading():
    """No page links to a file or a heading that is not there."""
    lost = [
        f"{page.name}: {file.name}#{anchor}"
        for page in [*PAGES, *NOTEBOOKS, README]
        for file, anchor in page.inner_links
        if not file.exists() or (anchor and anchor not in Page(file).sections)
    ]
    assert lost == []


def test_no_page_is_left_out_of_the_site():
    """Each page stands in the table of contents, and is at most two clicks from the first."""
    listed = {"index", *(name for names in conf.CHAPTERS.values() for name in names)}
    assert {page.path.relative_to(DOCS).with_suffix("").as_posix() for page in PAGES} == listed
    by_path = {page.path: page for page in PAGES}
    near = {file for file, _ in by_path[DOCS / "index.md"].inner_links if file in by_path}
    far = {file for each in near for file, _ in by_path[each].inner_links}
    assert set(by_path) - {DOCS / "index.md"} <= near | far


def test_what_the_code_tells_is_told_as_it_is():
    """The pages of commands, settings, tables, formats and errors are what the code says now: else `make docs`."""
    stale = [name for name, text in generate.pages().items() if (DOCS / "reference" / name).read_text("utf-8") != text]
    assert stale == []


@pytest.mark.parametrize("name", [name for name in wa.__all__ if not name.endswith("Error")])
def test_every_public_name_has_its_place_in_a_page(name):
    """Each name of the face is used or explained in a page that a person wrote, not in the reference alone."""
    assert re.search(rf"\bwa\.{name}\b", WORDS)


def test_every_error_is_in_the_reference():
    """Each error of the package stands in the error table and in the reference."""
    every = {name for name in wa.__all__ if name.endswith(("Error", "Unknown"))}
    table, python = ((DOCS / "reference" / name).read_text("utf-8") for name in ("errors.md", "python.md"))
    assert {name for name in every - {"WaProductsError"} if f"`{name}`" not in table} == set()
    assert {error.__name__ for error in generate.RAISED if error.__name__ not in python} == set()


def test_every_chart_is_told():
    """Each chart stands in a page that a person wrote and in the reference."""
    python = (DOCS / "reference" / "python.md").read_text("utf-8")
    assert [name for name in wa.figures.__all__ if f"wa.figures.{name}" not in WORDS] == []
    assert set(wa.figures.__all__) <= set(re.findall(r"autofunction:: (?:.*\.)?(\w+)$", python, re.MULTILINE))


def test_every_command_is_used_in_a_page():
    """Each command is shown at work in a page, not in the reference alone."""
    (known,) = (action for action in parser()._actions if action.dest == "command")
    assert [name for name in known.choices if f"wa-products {name}" not in WORDS] == []


def test_numbers_in_pages_are_those_of_the_code():
    """Words, codes and figures that a page gives are the ones that the code goes by."""
    of = {page.path.stem: " ".join(page.text.split()) for page in WRITTEN}
    stops = [f"`{word}`" for word in (*windows.STOP_WORDS, *windows.START_WORDS)]
    most = [f"{failed} of the last {last}" for last, failed in TOO_MANY.items() if failed < last]
    told = {
        "privacy": [*stops, *map(str, codes.SUPPRESSING), {5: "five minutes"}[windows.MARGIN.seconds // 60]],
        "statistics": [f"{ENOUGH:.0f} to 1", f"{1 - FINAL:.0%}".replace("%", " %")],
        "measure": [f"{1 - FINAL:.0%}".replace("%", " of 100"), {"4h": "four hours"}[attribution.PROMPT]],
        "send": [*most, f"{pacing.RATE:g} messages a second", {15: "a quarter of an hour"}[PATIENCE.seconds // 60]],
    }
    assert {(page, words) for page, every in told.items() for words in every if words not in of[page]} == set()


def test_every_extra_is_told():
    """The first page says what each extra of the package is for."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    index = Page(DOCS / "index.md").text
    assert [name for name in extras if f"| `{name}` |" not in index] == []


def test_every_notebook_has_its_line():
    """The course names every notebook."""
    assert {page.path for page in NOTEBOOKS} <= {file for file, _ in Page(DOCS / "notebooks.md").inner_links}


def test_every_reason_and_rule_is_explained():
    """Why a proposal is skipped, why a product cannot be sent, and each rule of attribution stand on their pages."""
    of = {page.path.name: page.text for page in WRITTEN}
    assert [reason for reason in selection._LADDER if reason and f"`{reason}" not in of["propose.md"]] == []
    assert [rule for rule in attribution.RULES if f"`{rule}`" not in of["measure.md"]] == []
    code = (ROOT / "wa_products" / "exports" / "sendable.py").read_text("utf-8")
    reasons = re.findall(r'^        "([a-zA-Z ]+)": ', code[code.index("checks = {") :], re.MULTILINE)
    assert len(reasons) > 9
    assert [reason for reason in reasons if f"`{reason}`" not in of["exports.md"]] == []


def test_twenty_questions_are_answered_in_two_clicks():
    """From the first page to the questions, from there to the answer: a section with something in it."""
    page = Page(DOCS / "questions.md")
    assert page.path in {file for file, _ in Page(DOCS / "index.md").inner_links}
    lines = re.findall(r"^(\d+)\. \[[^\]]+\?\]\(([^)]+)\)", page.text, re.MULTILINE)
    assert [int(number) for number, _ in lines] == list(range(1, QUESTIONS + 1))
    for file, anchor in page.inner_links:
        answer = Page(file).sections[anchor] if anchor else Page(file).text
        assert len(answer.split()) >= LEAST_WORDS, (file.name, anchor)


def commands(pages):
    """Return every line of the shell blocks of `pages` that runs our command, once."""
    blocks = [code for page in pages for info, _, code in page.fences if info in ("", "sh")]
    whole = [code.replace("\\\n", " ") for code in blocks]
    lines = {part.strip() for code in whole for line in code.splitlines() for part in line.split("&&")}
    return sorted(line for line in lines if line.startswith("wa-products "))


@pytest.mark.parametrize("line", commands([*PAGES, *NOTEBOOKS, README]))
def test_every_command_line_is_one(line):
    """The command takes every line as a page has it: names, options, values."""
    _, *words = shlex.split(line, comments=True)
    assert parser().parse_args(words).command == words[0]


def test_every_code_block_is_of_a_kind_that_is_tried():
    """Python and SQL are run, shell and TOML are read; nothing else stands in a block but what a program prints."""
    kinds = {
        "python",
        "postgresql",
        "sh",
        "toml",
        "text",
        "cron",
        "ini",
        "{eval-rst}",
        "{include} ../wa_products/sandbox/DIVERGENCES.md",
    }
    assert {info for page in PAGES for info, _, _ in page.fences} <= kinds


SPOKEN = [path for path in sorted((ROOT / "wa_products").rglob("*.py")) if ">>> " in path.read_text("utf-8")]


@pytest.mark.parametrize("path", SPOKEN, ids=lambda path: path.stem)
def test_the_examples_of_docstrings_give_what_they_say(path):
    """Each example in a docstring runs, and gives what stands below it."""
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    tried = doctest.testmod(importlib.import_module(name))
    assert (tried.failed, tried.attempted > 0) == (0, True)


def test_pages_that_are_tried_elsewhere_are():
    """A page whose code is not run here has a test of its own, which reads it."""
    for page, test in ELSEWHERE.items():
        assert f"{page}.md" in (ROOT / "tests" / test).read_text("utf-8")


def test_every_toml_is_read(tmp_path):
    """A shop.toml of a page is taken by `load`, a policy by `Policy`, and no line of it is ignored."""
    blocks = [code for page in [*PAGES, README] for info, _, code in page.fences if info == "toml"]
    assert blocks
    for code in blocks:
        if "kinds" in (policy := tomllib.loads(code)):
            assert wa.Policy.from_dict(policy) != wa.Policy()
            continue
        (tmp_path / "shop.toml").write_text(code)
        shop = vars(folders.read_shop(tmp_path / "shop.toml"))
        assert all(shop[name] for name in tomllib.loads(code))


def test_symptoms_are_in_the_words_that_people_see():
    """A symptom in quotes is what the package prints; the dots stand for what differs."""
    code = "".join(path.read_text("utf-8") for path in sorted((ROOT / "wa_products").rglob("*.py")))
    plain = re.sub(r'["\']\s*\n\s*f?["\']', "", code).casefold()
    headings = re.findall(r"^### (.*)$", Page(DOCS / "troubleshooting.md").text, re.MULTILINE)
    quoted = [words for heading in headings for words in re.findall(r'"([^"]+)"', heading)]
    said = [part.strip(" :") for words in quoted for part in words.split("...") if part.strip(" :")]
    assert len(said) > 8
    assert [part for part in said if part.casefold() not in plain] == []
