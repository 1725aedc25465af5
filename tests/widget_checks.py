"""What every widget is held to in the browser: no foreign request, no console error, nothing serious from axe-core."""

from pathlib import Path

import axe_playwright_python

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
SERIOUS = {"serious", "critical"}
_RUN = """async (selector) => {
  const found = await axe.run(document.querySelector(selector), {resultTypes: ['violations']});
  return found.violations.map((v) => [v.impact, v.id, v.nodes.map((n) => n.html.slice(0, 160))]);
}"""


def clean(tab):
    """Check that nothing left loopback and nothing was wrong in the console."""
    assert tab.foreign == []
    assert tab.errors == []


def serious(tab, selector):
    """Return the serious faults that axe-core finds in the first match of `selector`."""
    if not tab.page.evaluate("() => 'axe' in window"):
        tab.page.evaluate(f"() => {{ const module = undefined, exports = undefined, define = undefined; {AXE} }}")
    return [fault for fault in tab.page.evaluate(_RUN, selector) if fault[0] in SERIOUS]


def keys_change_nothing(tab, widget, places, escapes=()):
    """Press JupyterLab's own keys wherever the focus can be, and check that the notebook is as it was."""
    cells = tab.count_cells()
    for place in places:
        widget.locator(place).first.focus()
        for key in "abddxvmzyrujk00ii":
            tab.page.keyboard.press(key)
        for key in escapes:
            tab.page.keyboard.press(key)
    assert tab.count_cells() == cells
    assert tab.ask("print('alive')") == "alive"
