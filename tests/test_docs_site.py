"""The site as it is built: without a warning, without a network, with everything public in it."""

import inspect
import json
import re
import subprocess
import sys
from functools import cache
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup, Comment
from sphinx.util.inventory import InventoryFile

import wa_products as wa
from tests.docs_pages import DOCS
from wa_products import codes
from wa_products.metrics import Results
from wa_products.widgets import Desk, Panel, Review

pytestmark = pytest.mark.slow
LOADED = {"src", "srcset", "data", "poster", "action"}
WAITS = {"stylesheet", "icon", "preload", "prefetch", "preconnect", "dns-prefetch", "modulepreload", "manifest"}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Return the folder of the site, built as `make docs` builds it."""
    made = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--keep-going", "--builder", "html"]
    done = subprocess.run([*command, DOCS, made], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return made


@cache
def read(path):
    """Return a page of the site."""
    return BeautifulSoup(path.read_text("utf-8"), "html.parser")


@cache
def places(path):
    """Return what an anchor may name on a page of the site."""
    return {tag["id"] for tag in read(path).find_all(id=True)}


def test_the_site_loads_nothing_from_outside(site):
    """No page, style or script of the site fetches a font, a script, a style or a picture from elsewhere."""
    found = []
    for path in site.rglob("*.html"):
        for tag in read(path).find_all(True):
            fetched = [tag[name] for name in LOADED & tag.attrs.keys()]
            fetched += [tag["href"]] if tag.name == "link" and WAITS & set(tag.get("rel", ())) else []
            found += [(path.name, url) for url in fetched if urlsplit(url).netloc]
    for path in site.rglob("*.css"):
        urls = re.findall(r"(?:url\(|@import)\s*[\"']?([^\"')\s]+)", path.read_text("utf-8"))
        found += [(path.name, url) for url in urls if urlsplit(url).netloc]
    assert found == []
    assert len(list(site.rglob("*.html"))) > len(list(DOCS.glob("*.md")))


def test_every_link_of_the_site_leads_somewhere(site):
    """Each link within the site leads to a file that is there and, with an anchor, to that place in it."""
    lost = []
    for path in site.rglob("*.html"):
        for link in read(path).find_all("a", href=True):
            url = urlsplit(link["href"])
            if url.scheme or url.netloc or link["href"] == "#":
                continue
            target = (path.parent / unquote(url.path)).resolve() if url.path else path
            there = target.is_file() and (
                not url.fragment or target.suffix != ".html" or unquote(url.fragment) in places(target)
            )
            lost += [] if there else [(path.name, link["href"])]
    assert lost == []


def test_the_reference_has_every_public_name_and_method(site):
    """Each name of the face, and each public method and property of its classes, is explained in the reference."""
    inventory = InventoryFile.loads((site / "objects.inv").read_bytes(), uri="")
    known = {name for kind in inventory.data if kind.startswith("py:") for name in inventory.data[kind]}
    wanted = {f"wa_products.{name}" for name in wa.__all__}
    kinds = [getattr(wa, name) for name in wa.__all__ if inspect.isclass(getattr(wa, name))]
    named = {kind: f"wa_products.{kind.__name__}" for kind in kinds if not issubclass(kind, Exception)}
    named |= {kind: f"wa_products.widgets.{kind.__name__}" for kind in (Review, Panel, Desk)}
    named |= {Results: "wa_products.metrics.Results"}
    for kind, name in named.items():
        own = {each for each, value in vars(kind).items() if not each.startswith("_") and is_told(value)}
        wanted |= {f"{name}.{each}" for each in own}
    assert sorted(wanted - known) == []


def test_full_names_in_docstrings_lead_to_what_they_name(site):
    """Where a docstring names something of ours in full, the reference links to it."""
    names = read(site / "reference" / "python.html").select("code.xref.py-obj")
    lost = {name.text for name in names if name.text.startswith("wa_products.") and name.find_parent("a") is None}
    assert sorted(lost) == []


def is_told(value):
    """Return whether a member of a class is a method or a property, and not a field or what a widget is made of."""
    return (
        inspect.isroutine(value) or isinstance(value, property | classmethod | staticmethod) or hasattr(value, "func")
    )


def test_the_search_finds_error_codes(site):
    """The search of the site knows each code of the error table."""
    index = (site / "searchindex.js").read_text("utf-8").removeprefix("Search.setIndex(").removesuffix(")")
    assert {str(code) for code in codes.RULES} <= json.loads(index)["indexentries"].keys()


def test_no_page_shows_raw_markup(site):
    """What stands in backticks became code: no page shows one, or an unread role or directive."""
    for path in site.rglob("*.html"):
        body = read(path).find("article")
        if body is None:
            continue
        texts = [each for each in body.find_all(string=True) if not isinstance(each, Comment)]
        words = " ".join(each for each in texts if each.find_parent(["code", "pre"]) is None)
        assert "`" not in words, (path.name, words[max(0, words.index("`") - 80) : words.index("`") + 80])
        assert not re.search(r":(?:py|ref|doc):", words), path.name
