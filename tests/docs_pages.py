"""The pages of the documentation, read as Markdown: headings, links, code blocks."""

import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
_MARKDOWN = MarkdownIt("commonmark").enable("table")
_OUTSIDE = re.compile(r"[a-z]+:", re.IGNORECASE)


@dataclass(frozen=True)
class Page:
    """One page; `name` is its path from the root of the repository."""

    path: Path

    @property
    def name(self):
        """Return the path as a person would write it."""
        return str(self.path.relative_to(ROOT))

    @cached_property
    def text(self):
        """Return the page as it is written; of a notebook the text between the code."""
        text = self.path.read_text("utf-8")
        if self.path.suffix != ".ipynb":
            return text
        cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "markdown"]
        return "\n\n".join("".join(cell["source"]) for cell in cells)

    @cached_property
    def tokens(self):
        """Return the page as Markdown tokens."""
        return _MARKDOWN.parse(self.text)

    @property
    def fences(self):
        """Return each code block: its language, its first line, its code."""
        return [(token.info, token.map[0] + 1, token.content) for token in self.tokens if token.type == "fence"]

    @property
    def links(self):
        """Return the targets of all links."""
        spans = [child for token in self.tokens if token.type == "inline" for child in token.children]
        return [span.attrs["href"] for span in spans if span.type == "link_open"]

    @property
    def inner_links(self):
        """Return where links to our own files go: file and anchor."""
        targets = [link.partition("#") for link in self.links if not _OUTSIDE.match(link)]
        return [((self.path.parent / file).resolve() if file else self.path, anchor) for file, _, anchor in targets]

    @cached_property
    def sections(self):
        """Return the words under each heading, code blocks and deeper headings among them, by anchor."""
        heads = [(n, t) for n, t in enumerate(self.tokens) if t.type == "heading_open"]
        lines = self.text.splitlines()
        found = {}
        for place, (n, head) in enumerate(heads):
            later = [t.map[0] for _, t in heads[place + 1 :] if t.tag <= head.tag]
            found[anchor(self.tokens[n + 1].content)] = "\n".join(lines[head.map[1] : min(later, default=len(lines))])
        return found


def anchor(title):
    """Return the anchor of a heading, as forges and the site make it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")


PAGES = [Page(path) for path in sorted(DOCS.rglob("*.md")) if "_site" not in path.parts]
WRITTEN = [page for page in PAGES if page.path.parent == DOCS]  # by a person; the reference tells itself
ELSEWHERE = {"scheduling": "test_scheduling.py"}  # pages whose code has tests of its own
NOTEBOOKS = [Page(path) for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]
README = Page(ROOT / "README.md")
