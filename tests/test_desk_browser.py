"""The desk and the sending panel in a real JupyterLab in a real Chromium."""

import re

import pytest

from tests.browser import BOTH
from tests.widget_checks import clean, keys_change_nothing, serious

pytest_plugins = ("tests.browser",)
pytestmark = pytest.mark.slow
expect = pytest.importorskip("playwright.sync_api").expect
expect.set_options(timeout=20_000)  # a loaded machine takes its time

BUYING = """
from tests.desk_shop import buying
scene = buying()
scene.desk
"""
HOSTILE = """
from tests.desk_shop import hostile
desk = hostile()
desk
"""
PANEL = """
import tempfile, time
import wa_products as wa
from tests.desk_shop import DEMO
data = wa.load(DEMO)
review = wa.review(wa.select(wa.propose(data), data), data)
review.approve_all()
plan = review.plan(campaign="browser", approved_by="ana", holdout=0.1)
ledger, client = wa.Ledger(f"sqlite:///{tempfile.mkdtemp()}/ledger.db"), wa.Sandbox(data).client()
submit = client.submit
client.submit = lambda payload: (time.sleep(0.02), submit(payload))[1]
panel = wa.panel(plan, ledger=ledger, client=client)
panel
"""


def widget_of(tab, name, cell, *more):
    """Open a notebook with this cell, run it, and return the widget in it."""
    tab.open_cells(cell, *more).run_all()
    widget = tab.page.locator(f".wa-{name}").first
    widget.wait_for()
    return widget


def test_an_enquiry_is_answered_in_one_click_and_the_cart_appears(tab):
    """An agent at the sandbox: a shopper asks, what they asked for is suggested first, sent, and their cart comes."""
    widget = widget_of(tab, "desk", BUYING, "1 + 1")
    customer = tab.ask("print(scene.customer)")
    widget.locator(".wa-search").fill(customer)
    expect(widget.locator("[role=option]:visible")).to_have_count(1)
    expect(widget.locator("[role=option]:visible .wa-chip")).to_contain_text("asks: ")
    asked = widget.locator("[role=option]:visible .wa-chip").inner_text().removeprefix("asks: ")
    first = widget.locator(".wa-offers .wa-choice").first
    expect(first.locator(".wa-name")).to_have_text(asked)
    expect(first).to_have_attribute("aria-pressed", "true")
    expect(widget.locator(".wa-draft .wa-name")).to_have_text(asked)
    widget.locator(".wa-send").click()
    expect(widget.locator(".wa-outcome")).to_contain_text("Sent: taken by WhatsApp")
    expect(widget.locator(".wa-fate").last).to_contain_text("taken by WhatsApp")
    tab.ask("scene.sandbox.advance('20h')")
    expect(widget.locator(".wa-cart").last).to_contain_text("Cart")
    expect(widget.locator(".wa-fate").last).to_contain_text(re.compile("delivered|read"))
    assert tab.ask("print(scene.desk.sent['outcome'].tolist())") == "['accepted']"
    keys_change_nothing(tab, widget, (".wa-scroll", ".wa-choice", ".wa-chat", ".wa-tab", "summary"), ("Escape",))
    assert tab.nodes(".wa-desk") <= 400
    clean(tab)


def test_a_closed_window_cannot_be_sent_to(tab):
    """The button is off, the reason in words; so it is for a window that closes while the thread is open."""
    widget = widget_of(tab, "desk", BUYING)
    expect(widget.locator(".wa-send")).to_be_enabled()
    widget.locator(".wa-tab").nth(2).click()
    expect(widget.locator(".wa-verdict")).to_contain_text(
        re.compile("customer service window close[ds] .* until they write again")
    )
    expect(widget.locator(".wa-send")).to_be_disabled()
    widget.locator(".wa-scroll").focus()
    tab.page.keyboard.press("Control+Enter")
    expect(widget.locator(".wa-status")).to_contain_text("until they write again")
    assert tab.ask("print(len(scene.desk.sent))") == "0"
    clean(tab)


@BOTH
def test_the_whole_desk_by_keyboard(tab):
    """Thread, suggestion, catalog, text, send: no mouse."""
    widget = widget_of(tab, "desk", BUYING)
    keys = tab.page.keyboard
    widget.locator(".wa-draft").wait_for()
    widget.locator(".wa-scroll").focus()
    keys.press("j")
    expect(widget.locator("[role=option][aria-selected=true]:visible")).to_have_attribute("aria-posinset", "2")
    keys.press("c")
    keys.type("basmati")
    expect(widget.locator(".wa-results .wa-choice").first).to_contain_text("Basmati")
    keys.press("Tab")
    keys.press("Enter")
    expect(widget.locator(".wa-draft .wa-name")).to_have_text("Basmati Rice")
    keys.press("e")
    keys.type("Here is the rice.")
    expect(widget.locator(".wa-draft .wa-text")).to_have_text("Here is the rice.")
    keys.press("Control+Enter")
    expect(widget.locator(".wa-outcome")).to_contain_text("Sent")
    assert tab.ask("print(scene.desk.sent['product_retailer_id'].str.startswith('PA-BASMATIR').all())") == "True"
    clean(tab)


def test_hostile_threads_never_run(tab):
    """Messages, names, titles and links that would run as markup stay text."""
    widget = widget_of(tab, "desk", HOSTILE)
    widget.locator(".wa-draft").wait_for()
    widget.locator(".wa-scroll").focus()
    for _ in range(6):
        tab.page.keyboard.press("j")
        tab.page.wait_for_timeout(80)
    expect(widget.locator(".wa-theirs").first).to_contain_text("<script>")
    assert widget.locator("script, iframe, svg, b, .wa-ours img[onerror]").count() == 0
    assert tab.page.evaluate("() => window.fired ?? ''") == ""
    clean(tab)


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_axe_finds_no_serious_fault_at_the_desk(tab, theme):
    """Open and closed threads, a search open; narrow too."""
    widget = widget_of(tab, "desk", BUYING)
    tab.theme(theme)
    widget.locator(".wa-draft").wait_for()
    widget.locator(".wa-find").fill("tea")
    expect(widget.locator(".wa-results .wa-choice").first).to_be_visible()
    tab.page.wait_for_timeout(300)
    assert serious(tab, ".wa-desk") == []
    tab.page.set_viewport_size({"width": 760, "height": 1000})
    widget.locator(".wa-tab").nth(2).click()
    expect(widget.locator(".wa-send")).to_be_disabled()
    assert serious(tab, ".wa-desk") == []
    assert widget.evaluate("(el) => el.scrollWidth <= el.clientWidth")
    clean(tab)


def test_a_campaign_is_paused_stopped_and_finished(tab):
    """Two clicks send; pause holds, stop ends, sending again goes on; and nobody is sent to twice."""
    widget = widget_of(tab, "panel", PANEL, "1 + 1")
    go, hold, phase = widget.locator(".wa-go"), widget.locator(".wa-hold"), widget.locator(".wa-phase")
    go.click()
    expect(go).to_contain_text("Click again")
    assert tab.ask("print(len(ledger.sends()))") == "0"
    go.click()
    expect(phase).to_have_text("Sending")
    hold.click()
    expect(phase).to_have_text("Paused")
    posted = int(tab.ask("print(panel.state['done'])"))
    assert serious(tab, ".wa-panel") == []
    assert int(tab.ask("print(panel.state['done'])")) == posted
    hold.click()
    expect(phase).to_have_text("Sending")
    widget.locator(".wa-halt").click()
    expect(phase).to_have_text("Stopped")
    go.click()
    go.click()
    expect(phase).to_have_text("Done", timeout=90_000)
    expect(widget.locator(".wa-class").first).to_contain_text("taken by WhatsApp")
    counts = "s = ledger.sends(); print(len(s) == s['customer_id'].nunique() == (plan.arms == 'treated').sum())"
    assert tab.ask(counts) == "True"
    keys_change_nothing(tab, widget, (".wa-halt, .wa-go",))
    clean(tab)


def test_the_stop_button_of_the_notebook_ends_a_run_in_the_cell(tab):
    """Interrupted, the panel says so, the ledger has every outcome, and the rest is sent later."""
    tab.open_cells(PANEL, "panel.run()")
    tab.page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }")
    widget = tab.page.locator(".wa-panel").first
    expect(widget.locator(".wa-phase")).to_have_text("Sending", timeout=60_000)
    tab.page.evaluate(
        "async () => await window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.interrupt()"
    )
    expect(widget.locator(".wa-phase")).to_have_text("Stopped", timeout=60_000)
    tab.page.wait_for_function(
        "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'"
    )
    assert re.fullmatch(
        r"0 True", tab.ask("o = panel.outcomes['outcome']; print((o == 'unknown').sum(), (o == '').sum() > 0)")
    )
    clean(tab)
