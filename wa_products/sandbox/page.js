/* Shows what the sandbox tells of itself. All text goes in as text: nothing here makes HTML of a string. */
"use strict";

const EVERY = 1500; // milliseconds between two looks
const KINDS = new Map([["lost", "lost answer"], ["reset", "reset before"], ["slow", "slow answer"], ["429", "HTTP 429"], ["5xx", "HTTP 5xx"], ["bad json", "bad JSON"], ["code", "a code"]]);
const $ = (id) => document.getElementById(id);
let chat = new URLSearchParams(location.search).get("chat") || "";
let search = "";
let seen = "";
let drawn = {};

/** Make an element with a class, properties and children; a string child becomes a text node. */
function make(tag, { cls = "", ...rest } = {}, ...children) {
  const made = document.createElement(tag);
  if (cls) made.className = cls;
  for (const [name, value] of Object.entries(rest)) {
    if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== ""));
  return made;
}

const isolated = (text, cls = "") => make("bdi", { cls }, text);
const time = (at) => (at ? at.slice(11, 16) : "");
const day = (at) => new Date(at).toLocaleDateString("en-GB", { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });
const hue = (text) => `hue-${[...text].reduce((sum, letter) => sum + letter.codePointAt(0), 0) % 6}`;
const initial = (text) => ([...text.trim()][0] || "?").toUpperCase();
const face = (name) => make("span", { cls: `face ${hue(name)}`, ariaHidden: "true" }, initial(name));

async function ask(path, method = "GET", body = undefined) {
  const options = { method, ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }) };
  const answer = await fetch(path, options);
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.error?.message || `HTTP ${answer.status}`);
  return told;
}

async function act(path, method, body) {
  try {
    await ask(path, method, body);
    $("alert").hidden = true;
  } catch (error) {
    $("alert").textContent = error.message;
    $("alert").hidden = false;
  }
  await look();
}

/** Draw a part again only where what it shows has changed, so that scrolling, focus and open details stay. */
function draw(id, shown, children) {
  const key = JSON.stringify(shown);
  if (drawn[id] === key) return false;
  drawn[id] = key;
  $(id).replaceChildren(...children());
  return true;
}

function picture(product) {
  if (product.has_picture) return make("img", { cls: "picture", alt: "", src: `/sandbox/picture/${encodeURIComponent(product.product)}` });
  return make("span", { cls: `picture ${hue(product.product)}`, ariaHidden: "true" }, initial(product.title));
}

function productCard(product, only) {
  return make("div", { cls: only ? "product only" : "product" },
    picture(product),
    make("div", { cls: "said" },
      isolated(product.title, "title"),
      make("div", { cls: "price" }, isolated(product.price)),
      product.is_out ? make("div", { cls: "out" }, "not for sale") : ""));
}

function cartTable(cart) {
  const rows = cart.lines.map((line) => make("tr", {},
    make("td", {}, `${line.quantity} ×`), make("td", {}, isolated(line.title)), make("td", {}, isolated(line.price))));
  const total = make("tr", { cls: "total" }, make("td"), make("td", {}, "Total"), make("td", {}, isolated(cart.total)));
  const pieces = cart.lines.reduce((sum, line) => sum + line.quantity, 0);
  const caption = make("caption", {}, `Cart, ${pieces} ${pieces === 1 ? "item" : "items"}`);
  return make("div", { cls: "cart" }, make("table", {}, caption, make("tbody", {}, ...rows, total)));
}

const remark = (cart) => (cart.note ? make("p", { cls: "remark" }, isolated(cart.note)) : "");

function ticks(line) {
  if (line.from === "customer") return make("span", { cls: line.is_read ? "read" : "two", title: line.is_read ? "read by the shop" : "sent" }, "✓✓ ");
  const marks = { accepted: "⋯ ", sent: "✓ ", delivered: "✓✓ ", read: "✓✓ ", failed: `failed: ${line.code} ` };
  const cls = { read: "read", delivered: "two", failed: "failed" }[line.status] || "";
  return make("span", { cls, title: line.status }, marks[line.status]);
}

function bubble(line) {
  const products = line.products || [];
  const wide = products.length || line.cart ? " wide" : "";
  const failed = line.status === "failed" ? " failed" : "";
  const links = { "Product": "View", "Products": "View items", "Carousel": "View items", "Catalog": "View catalog" };
  return make("div", { cls: `bubble ${line.from}${wide}${failed}` },
    line.is_forwarded ? make("div", { cls: "forwarded" }, "Forwarded") : "",
    line.header ? make("h3", {}, isolated(line.header)) : "",
    ...products.map((product) => productCard(product, products.length === 1 && line.from === "business")),
    line.cart ? cartTable(line.cart) : make("div", { cls: "text" }, isolated(line.text)),
    line.cart ? remark(line.cart) : "",
    line.footer ? make("div", { cls: "footer" }, isolated(line.footer)) : "",
    make("span", { cls: "meta" }, ticks(line), time(line.at)),
    line.kind ? make("span", { cls: "link" }, links[line.kind]) : "");
}

function wall(open) {
  const children = [];
  let last = "";
  for (const line of open.lines) {
    const today = day(line.at);
    if (today !== last) children.push(make("div", { cls: "day" }, (last = today)));
    children.push(bubble(line));
  }
  if (open.is_typing) children.push(make("div", { cls: "typing" }, "typing…"));
  return children.length ? children : [make("p", { cls: "empty" }, "Nothing was said yet.")];
}

function showChat(open) {
  for (const part of $("write").elements) part.disabled = !open;
  $("acts").hidden = !open;
  $("face").textContent = "S";
  $("under").textContent = open?.is_typing ? "typing…" : "business account";
  if (open) showStanding(open);
  // Last, because what stands below takes height from the wall.
  const changed = draw("wall", open, () => (open ? wall(open) : [make("p", { cls: "empty" }, "Choose a chat.")]));
  if (changed && open) $("wall").scrollTop = $("wall").scrollHeight;
}

function showStanding(open) {
  const window = open.closes_at ? `window open until ${day(open.closes_at)} ${time(open.closes_at)}` : "window closed";
  const states = [open.is_blocked && "blocked by the shop", open.is_blocking && "has blocked the shop", open.is_stopped && "wants no marketing"];
  $("beside").replaceChildren(isolated(open.name), ` (${open.phone}): `, [window, ...states.filter(Boolean)].join(", "));
}

function chatButton(each) {
  return make("li", {}, make("button", { type: "button", cls: "chat", ariaCurrent: String(each.id === chat), onclick: () => choose(each.id) },
    face(each.name), isolated(each.name, "name"), make("span", { cls: "when" }, time(each.at)),
    isolated(each.last, "last"), make("span", { cls: each.is_open ? "window open" : "window" }, each.is_open ? "open" : "closed")));
}

function cartCard(cart) {
  return make("article", { cls: "card" },
    make("header", {}, make("button", { type: "button", onclick: () => choose(cart.id) }, isolated(cart.name)),
      make("time", {}, `${day(cart.at)} ${time(cart.at)}`)),
    cartTable(cart), remark(cart));
}

function summary(body) {
  const found = [];
  for (const entry of body.entry) for (const { field, value } of entry.changes) {
    for (const status of value.statuses || []) found.push(status.status);
    for (const message of value.messages || []) found.push(message.type);
    if (field !== "messages") found.push(field);
  }
  const counts = new Map();
  for (const each of found) counts.set(each, (counts.get(each) || 0) + 1);
  return [...counts].map(([name, n]) => (n > 1 ? `${n} ${name}` : name)).join(", ");
}

function webhookCard(each) {
  const body = JSON.parse(each.body);
  const tries = each.attempts.map((attempt) => make("span", { cls: attempt.answer === "200" ? "ok" : "bad" }, ` ${attempt.answer}`));
  return make("details", { cls: "card" },
    make("summary", {}, make("span", {}, `#${each.number} `, isolated(summary(body)), ...tries), make("span", { cls: "when" }, `${day(each.at)} ${each.at.slice(11, 19)}`)),
    make("pre", {}, JSON.stringify(body, null, 2)));
}

function faultCard(fault) {
  const left = fault.times === null ? "always" : `${fault.times} times`;
  const whom = fault.customer_id ? "one customer" : "anybody";
  const what = fault.what === "code" ? `code ${fault.code}` : KINDS.get(fault.what);
  return make("article", { cls: "card" }, `${what}: every ${fault.every}. message to ${whom}, ${left}; ${fault.done} of ${fault.seen} so far`);
}

function faultForm() {
  const choice = make("select", { name: "what" }, ...[...KINDS].map(([value, name]) => make("option", { value }, name)));
  const number = (name, label, value) => make("label", {}, label, make("input", { name, type: "number", min: "1", value }));
  const form = make("form", { cls: "add" },
    make("label", {}, "What goes wrong", choice), number("code", "Code (for a code)", ""),
    number("times", "Times (empty: always)", "1"), number("every", "Each n-th", "1"),
    make("span", { cls: "wide" }, make("button", { type: "submit" }, "Add"),
      make("button", { type: "button", onclick: () => act("/sandbox/faults", "DELETE") }, "Clear all")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const given = Object.fromEntries(new FormData(form));
    const rule = { what: given.what, every: Number(given.every), times: given.times ? Number(given.times) : null };
    act("/sandbox/faults", "POST", given.what === "code" ? { ...rule, code: Number(given.code) } : rule);
  });
  return form;
}

function show(told) {
  $("now").textContent = `${day(told.now)} ${told.now.slice(11, 19)} UTC`;
  draw("facts", [told.counts, told.visible, told.cart, told.shape], () => [
    ...Object.entries(told.counts).map(([name, n]) => make("span", {}, make("b", {}, n.toLocaleString("en-GB")), ` ${name}`)),
    make("span", { cls: told.visible ? "" : "off" }, told.visible ? "catalog visible" : "catalog hidden"),
    make("span", { cls: told.cart ? "" : "off" }, told.cart ? "cart on" : "cart off"),
    make("span", {}, `webhooks of ${told.shape}`)]);
  draw("chats", [told.chats, chat], () => told.chats.map(chatButton));
  showChat(told.chat);
  const none = (words) => [make("p", { cls: "empty" }, words)];
  draw("carts", told.carts, () => (told.carts.length ? told.carts.map(cartCard) : none("No carts yet. Move the clock.")));
  draw("webhooks", told.webhooks, () => (told.webhooks.length ? told.webhooks.map(webhookCard) : none("No webhooks yet. Move the clock.")));
  if (!$("faults").firstChild) $("faults").append(faultForm(), make("div", { id: "rules" }));
  draw("rules", told.faults, () => told.faults.map(faultCard));
}

async function look() {
  const asked = `/sandbox/state?${new URLSearchParams({ chat, search })}`;
  seen = asked;
  try {
    const told = await ask(asked);
    if (seen === asked) show(told); // else somebody chose another chat meanwhile
  } catch {
    $("now").textContent = "the sandbox does not answer";
  }
}

function choose(id) {
  chat = id;
  history.replaceState(null, "", `/?${new URLSearchParams({ chat })}`);
  look();
}

for (const button of document.querySelectorAll("[data-by]")) {
  button.addEventListener("click", () => act(`/sandbox/advance?by=${button.dataset.by}`, "POST"));
}
for (const button of document.querySelectorAll("[data-act]")) {
  button.addEventListener("click", () => act("/sandbox/act", "POST", { customer_id: chat, what: button.dataset.act }));
}
for (const tab of document.querySelectorAll("[role=tab]")) {
  tab.addEventListener("click", () => {
    for (const each of document.querySelectorAll("[role=tab]")) {
      each.setAttribute("aria-selected", String(each === tab));
      $(each.getAttribute("aria-controls")).hidden = each !== tab;
    }
  });
}
$("search").addEventListener("input", () => { search = $("search").value.trim(); look(); });
$("write").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("words").value.trim();
  $("words").value = "";
  if (text && chat) act("/sandbox/act", "POST", { customer_id: chat, what: "write", text });
});
setInterval(() => { if (!document.hidden) look(); }, EVERY);
look();
