"""The sandbox's page in a real Chromium: chats as on a phone, carts, webhooks; offline, and hostile text as text."""

import io
import re

import pandas as pd
import pytest
from PIL import Image

from tests.sandbox_shop import CATALOG_ID, shop
from tests.test_sandbox_http import served
from wa_products.payloads import single_product
from wa_products.sandbox import Sandbox

pytestmark = pytest.mark.slow

HOSTILE = (
    "<img src=x onerror=\"window.fired='img'\">",
    "<script>window.fired='script'</script>",
    "\"><svg onload=window.fired='svg'>",
    "javascript:window.fired='link'",
    "{{7*7}} ${7*7} <b>bold</b>",
    "\u202egnp.exe\u202c first",
)
WALL, BUBBLES, TITLES = "#wall", "#wall .bubble", "#wall .product .title"


@pytest.fixture
def told():
    """Return a sandbox in which one customer with a hostile cart, note and question was offered hostile products."""
    data = shop()
    titles = dict(enumerate(HOSTILE))
    catalog = data.catalog.assign(title=[titles.get(n, title) for n, title in enumerate(data.catalog["title"])])
    sandbox = Sandbox(type(data)(**{**vars_of(data), "catalog": catalog}))
    thread = next(row for row in data.threads.itertuples() if row.is_open and row.to)
    with sandbox.client() as client:
        for n in range(len(HOSTILE)):
            product = {"catalog_id": CATALOG_ID, "product_retailer_id": f"P{n}"}
            client.send(single_product(to=thread.to, **product, body=HOSTILE[n], footer=HOSTILE[4]))
    for words in HOSTILE:
        sandbox.act(thread.customer_id, "write", text=words)
    sandbox.act(thread.customer_id, "order", items=[("P0", 2), ("P1", 1)], note=HOSTILE[0])
    sandbox.advance("1min")
    return sandbox, thread.customer_id


def vars_of(data):
    """Return the fields of a dataset."""
    return {name: getattr(data, name) for name in ("catalog", "orders", "inbound", "as_of", "catalog_id")}


@pytest.fixture
def page(chromium):
    """Return a page that remembers what it asked of others, and what went wrong on it."""
    context = chromium.new_context(viewport={"width": 1400, "height": 900}, locale="en-GB", timezone_id="UTC")
    page = context.new_page()
    page.foreign, page.errors = [], []
    page.on("request", lambda request: None if local(request.url) else page.foreign.append(request.url))
    page.on("console", lambda said: page.errors.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    yield page
    context.close()


def local(url):
    """Return whether an address is on loopback, or none at all."""
    return re.match(r"http://127\.0\.0\.1:|data:|about:", url)


def test_hostile_text_is_text(told, page):
    """Titles, bodies, footers, notes and questions of any kind are shown as they are; nothing of them runs."""
    sandbox, who = told
    with served(sandbox.app) as url:
        page.goto(f"{url}/?chat={who}")
        page.locator(BUBBLES).nth(len(HOSTILE) * 2).wait_for()
        words = page.locator(f"{BUBBLES} .text").all_inner_texts()
        titles = page.locator(TITLES).all_inner_texts()
        assert set(HOSTILE) <= set(words)
        assert set(HOSTILE) <= set(titles)
        assert HOSTILE[0] in page.locator("#carts .remark").all_inner_texts()
        page.locator("#tab-webhooks").click()
        page.locator("#webhooks summary").first.click()
        assert "whatsapp_business_account" in page.locator("#webhooks pre").first.inner_text()
        assert page.evaluate("window.fired") is None
        assert page.locator("#wall img, #wall script, #wall svg, #wall b").count() == 0
    assert (page.foreign, page.errors) == ([], [])


def test_a_chat_looks_like_a_chat(told, page, tmp_path):
    """The shop's bubbles stand left, the customer's right and green; the picture holds many colours and no overflow."""
    sandbox, who = told
    with served(sandbox.app) as url:
        page.goto(f"{url}/?chat={who}")
        page.locator(f"{BUBBLES}.customer").first.wait_for()
        boxes = {side: page.locator(f"{BUBBLES}.{side}").first.bounding_box() for side in ("business", "customer")}
        wall = page.locator(WALL).bounding_box()
        greens = page.locator(f"{BUBBLES}.customer").first.evaluate("el => getComputedStyle(el).backgroundColor")
        wide = page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        at_end = page.locator(WALL).evaluate("el => el.scrollHeight - el.scrollTop - el.clientHeight < 2")
        shot = page.screenshot(path=tmp_path / "chat.png")
    assert boxes["business"]["x"] - wall["x"] < 20
    assert wall["x"] + wall["width"] - (boxes["customer"]["x"] + boxes["customer"]["width"]) < 30
    red, green, blue = (int(part) for part in re.findall(r"\d+", greens)[:3])
    assert green > red
    assert green > blue
    assert wide
    assert at_end
    assert len(Image.open(io.BytesIO(shot)).convert("RGB").getcolors(1_000_000)) > 200


def test_the_page_steers_the_sandbox(told, page):
    """Time moves by a button, the customer writes and blocks, faults are added and cleared; a mistake is said."""
    sandbox, who = told
    before = sandbox.now
    with served(sandbox.app) as url:
        page.goto(f"{url}/?chat={who}")
        page.locator(f"{BUBBLES}.customer").first.wait_for()
        page.get_by_label("Write as the customer").fill("Is <b>this</b> fresh?")
        page.get_by_role("button", name="Send").click()
        page.locator(f"{BUBBLES}.customer", has_text="Is <b>this</b> fresh?").wait_for()
        page.get_by_role("button", name="+1 h").click()
        page.locator("#now", has_text="10:01").wait_for()
        page.get_by_role("button", name="Block the shop").click()
        page.locator("#beside", has_text="has blocked the shop").wait_for()
        page.get_by_role("tab", name="Faults").click()
        page.get_by_role("button", name="Add", exact=True).click()
        page.locator("#rules", has_text="lost answer: every 1. message to anybody, 1 times; 0 of 0").wait_for()
        page.get_by_label("What goes wrong").select_option("code")
        page.get_by_role("button", name="Add", exact=True).click()
        page.get_by_role("alert").get_by_text("code 0 is not known here").wait_for()
        page.get_by_role("button", name="Clear all").click()
        page.locator("#rules article").first.wait_for(state="detached")
    assert sandbox.now - before == pd.Timedelta("1h")
    assert any(b"fresh?" in body for body in sandbox.webhooks())
    assert page.foreign == []


def test_chats_are_found(told, page):
    """The chats that moved last come first; a search leaves those whose name holds the words."""
    sandbox, who = told
    with served(sandbox.app) as url:
        page.goto(url)
        names = page.locator("#chats .name")
        names.first.wait_for()
        name = sandbox._world.addresses.people[who].name
        assert names.first.inner_text() == name
        many = names.count()
        page.get_by_role("searchbox").fill(name.upper())
        page.wait_for_function("n => document.querySelectorAll('#chats .name').length < n", arg=many)
        assert set(names.all_inner_texts()) == {name}
        names.first.click()
        page.locator(BUBBLES).first.wait_for()
    assert (page.foreign, page.errors) == ([], [])
