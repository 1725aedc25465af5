"""
A review of 10,000 proposals in a real JupyterLab in a real Chromium: beside the same shop in pages of ipywidgets.

    python benchmarks/reviewing.py [--proposals 10000] [--runs 5]

Times are from the key or click to what is on the screen, in milliseconds, medians of several but for the jump; bytes
are those of the kernel's messages until the first card is drawn, JupyterLab's own among them. The pages show ten
proposals at a time, as one would write it in an afternoon: buttons and HTML, all of them widgets.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.browser import launched, opened, serving

OURS = """
from tests.review_shop import proposals
from wa_products.widgets import review
shown = review(*proposals({n}))
shown
"""
PAGES = """
import html
import ipywidgets as w
from tests.review_shop import proposals
rows, _ = proposals({n})
rows = rows[rows["decision"] == "send"].to_dict("records")
found, page, states = rows, [0], {{}}
box, count, search = w.VBox(), w.Label(), w.Text(placeholder="search")
def line(row):
    told = w.HTML(f"<b>{{html.escape(row['title'])}}</b> {{row['price']}}<br>{{html.escape(row['body'])}}")
    told.add_class("peer-line")
    yes, no = w.Button(description="Approve"), w.Button(description="Reject")
    yes.add_class("peer-yes")
    def decide(state):
        states[row["customer_id"]] = state
        draw()
    yes.on_click(lambda _: decide("approved"))
    no.on_click(lambda _: decide("rejected"))
    return w.HBox([told, w.Label(states.get(row["customer_id"], "")), yes, no])
def draw():
    some = found[10 * page[0]:10 * page[0] + 10]
    box.children = [line(row) for row in some]
    count.value = f"{{page[0] + 1}} of {{-(-len(found) // 10)}}, {{len(states)}} decided"
def turn(to):
    page[0] = to
    draw()
def seek(change):
    global found
    found = [row for row in rows if change["new"] in row["title"]]
    turn(0)
last = w.Button(description="Last")
last.add_class("peer-last")
first = w.Button(description="First")
first.add_class("peer-first")
last.on_click(lambda _: turn((len(found) - 1) // 10))
first.on_click(lambda _: turn(0))
search.observe(seek, "value")
box.add_class("peer-box"); count.add_class("peer-count"); search.add_class("peer-search")
draw()
root = w.VBox([search, w.HBox([first, last, count]), box])
root.add_class("peer")
root
"""
WITHIN = """async ([selector, before, after]) => {
  while (!document.querySelector(selector)) await new Promise(requestAnimationFrame);
  const root = document.querySelector(selector), start = performance.now();
  new Function('root', before)(root);
  const done = new Function('root', 'return ' + after);
  while (!done(root)) {
    if (performance.now() - start > 60000) throw new Error('waited in vain for ' + after);
    await new Promise(requestAnimationFrame);
  }
  return performance.now() - start;
}"""
KEY = "root.querySelector('.wa-scroll').dispatchEvent(new KeyboardEvent('keydown', {key: '%s', bubbles: true}))"
AT = "root.querySelector('.wa-current:not([hidden])')?.getAttribute('aria-posinset') === '%s'"
READY = " && root.querySelector('.wa-current:not([hidden])').dataset.state !== 'waiting'"
TYPE = "const s = root.querySelector('%s'); s.value = '%s'; s.dispatchEvent(new Event('input', {bubbles: true}))"
UNDONE = AT % 1 + " && root.querySelector('.wa-undo').disabled"
SEARCH = ".wa-search"
CHOOSE = "const s = root.querySelector('[aria-label=Kind]'); s.value = '%s'; s.dispatchEvent(new Event('change'))"


def main():
    """Run both and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--proposals", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as home, serving(Path(home)) as lab, launched() as browser:
        with opened(lab, browser) as tab:
            ours = review(tab, asked.proposals, asked.runs)
        with opened(lab, browser) as tab:
            pages = peer(tab, asked.proposals, asked.runs)
    print(f"{asked.proposals:,} proposals, median of {asked.runs}\n")
    print(f"{'':44}{'review':>10}{'pages':>10}{'ratio':>8}")
    for name, value in ours.items():
        other = pages.get(name)
        beside = f"{other:>10,.0f}{value / other:>8.2f}" if other else ""
        print(f"{name:44}{value:>10,.0f}{beside}")


def review(tab, n, runs):
    """Return the figures of the review."""
    tab.open_cells(OURS.format(n=n)).run_all()
    took = measuring(tab, ".wa-review", runs)
    shown = n - n // 10
    first = tab.page.evaluate(WITHIN, [".wa-review", "", "root.querySelector('.wa-ours')"])
    found = {"first card after the kernel answered, ms": first, "bytes until then": sum(tab.received)}
    found["DOM nodes"] = tab.nodes(".wa-review")
    # The first jump alone: what it fetched is remembered.
    found["jump to the end, ms"] = tab.page.evaluate(WITHIN, [".wa-review", KEY % "End", AT % shown + READY])
    tab.page.evaluate(WITHIN, [".wa-review", KEY % "Home", AT % 1])
    found["approve, ms"] = took(KEY % "a", AT % 2, f"{KEY % 'u'}; {KEY % 'Home'}", UNDONE)
    title = "root.querySelector('[role=option]:not([hidden]) .wa-title').textContent === '%s'"
    chip = "root.querySelector('[role=option]:not([hidden]) .wa-chip').dataset.kind === '%s'"
    count = f"root.querySelector('.wa-scope').textContent %s 'All {shown:,}:'"
    wanted = title % "Coffee beans 77 kg" + " && " + count % "!=="
    found["search, ms"] = took(TYPE % (SEARCH, "beans 77 kg"), wanted, TYPE % (SEARCH, ""), count % "===")
    found["filter by kind, ms"] = took(
        CHOOSE % "request", chip % "request" + " && " + count % "!==", CHOOSE % "", count % "==="
    )
    print(f"after all that: {tab.nodes('.wa-review')} nodes; foreign requests {tab.foreign}; errors {tab.errors}")
    return found


def peer(tab, n, runs):
    """Return the figures of the pages of ipywidgets."""
    tab.open_cells(PAGES.format(n=n)).run_all()
    took = measuring(tab, ".peer", runs)
    first = tab.page.evaluate(WITHIN, [".peer", "", "root.querySelectorAll('.peer-line b').length === 10"])
    found = {"first card after the kernel answered, ms": first, "bytes until then": sum(tab.received)}
    found["DOM nodes"] = tab.nodes(".peer")
    count = (
        "root.querySelector('.peer-count').textContent.includes('%s') && root.querySelectorAll('.peer-line b').length"
    )
    press = "const b = root.querySelector('.%s'); (b.querySelector('button') ?? b).click()"
    pages = -(-(n - n // 10) // 10)
    found["jump to the end, ms"] = took(
        press % "peer-last", count % f"{pages} of", press % "peer-first", count % "1 of"
    )
    found["search, ms"] = took(
        TYPE % (".peer-search input", "beans 77 kg") + "; s.dispatchEvent(new Event('change', {bubbles: true}))",
        "root.querySelector('.peer-line b')?.textContent === 'Coffee beans 77 kg'",
        TYPE % (".peer-search input", "") + "; s.dispatchEvent(new Event('change', {bubbles: true}))",
        "root.querySelector('.peer-line b')?.textContent === 'Coffee beans 1 kg'",
    )
    # Each approval draws the page anew: its last button is new then.
    pressed = "root.was = root.querySelector('.peer-box').lastElementChild; " + press % "peer-yes"
    anew = "root.querySelectorAll('.peer-line b').length === 10 && root.querySelector('.peer-box').lastElementChild"
    found["approve, ms"] = took(pressed, anew + " !== root.was", "", "true")
    return found


def measuring(tab, selector, runs):
    """Return what measures an act, undone by another after each run, by its median."""

    def took(before, after, back, undone):
        times = []
        for _ in range(runs):
            times.append(tab.page.evaluate(WITHIN, [selector, before, after]))
            tab.page.evaluate(WITHIN, [selector, back, undone])
        return statistics.median(times)

    return took


if __name__ == "__main__":
    main()
