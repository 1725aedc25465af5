// The view of a review. Python owns the truth: this file shows windows of the list and one card at a time,
// and reports what the person did. Every text from outside is set as text, never as markup.

const ROW = 58; // height of a line of the list in pixels; review.css has the same
const POOL = 40; // never more lines in the page than this, whatever the layout does
const KEPT = 80; // cards remembered
const SIGNS = { "": "○", approved: "✓", rejected: "✕", skipped: "–" };
const WORDS = { "": "To decide", approved: "Approved", rejected: "Rejected", skipped: "Skipped" };
const KINDS = { request: "asked for it", reorder: "reorder", recommendation: "new for them" };
const TABS = [["open", "To decide"], ["approved", "Approved"], ["rejected", "Rejected"], ["skipped", "Skipped"], ["all", "All"]];
const SORTS = [["proposed", "As proposed"], ["probability", "Likeliest first"], ["closes", "Closing soonest"],
  ["price", "Cheapest first"], ["title", "By product"], ["customer", "By customer"]];
const PICTURE = /^data:image\/(png|jpeg|gif);base64,[A-Za-z0-9+/=]+$/;
const HELP = [["↑ ↓", "move"], ["a", "approve"], ["r", "reject"], ["e", "edit"], ["u", "undo"], ["/", "search"]];

function h(tag, props = {}, ...children) {
  const el = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "string") el.setAttribute(name, value);
    else el[name] = value;
  }
  el.append(...children);
  return el;
}

const text = (el, value) => { if (el.textContent !== value) el.textContent = value; };
const number = (n) => Number(n ?? 0).toLocaleString("en");
const length = (value) => [...value].length; // code points, as Python counts

const formats = new Map();
function money(amount, currency) {
  if (!amount) return "";
  try {
    if (!formats.has(currency)) formats.set(currency, new Intl.NumberFormat(undefined, { style: "currency", currency }));
    return formats.get(currency).format(amount);
  } catch {
    return `${amount} ${currency}`.trim();
  }
}

// WhatsApp's own marks: *bold*, _italic_, ~struck~.
function styled(value) {
  const tags = { "*": "strong", _: "em", "~": "s" };
  const nodes = [];
  let done = 0;
  for (const m of value.matchAll(/(^|[\s(])([*_~])([^\s*_~](?:[^\n*_~]*[^\s*_~])?)\2(?=$|[\s.,!?;:)])/g)) {
    nodes.push(value.slice(done, m.index + m[1].length), h(tags[m[2]], {}, m[3]));
    done = m.index + m[0].length;
  }
  return [...nodes, value.slice(done)].slice(0, 60);
}

function coloured(json) {
  const nodes = [];
  let done = 0;
  for (const m of json.matchAll(/"(?:\\.|[^"\\])*"(\s*:)?/g)) {
    nodes.push(json.slice(done, m.index), h("span", { class: m[1] ? "wa-key" : "wa-string" }, m[0]));
    done = m.index + m[0].length;
  }
  return [...nodes, json.slice(done)];
}

function secure(link) {
  try {
    const url = new URL(link);
    return url.protocol === "https:" ? url : null;
  } catch {
    return null;
  }
}

function options(select, pairs) {
  select.replaceChildren(...pairs.map(([value, label]) => h("option", { value }, label)));
}

function render({ model, el }) {
  const uid = `wa${Math.random().toString(36).slice(2, 10)}`;
  const facts = model.get("facts");
  const page = facts.window;
  const send = (message) => model.send({ ...message, view: uid });

  // What is shown, nothing of which is the truth
  let query = { text: "", show: "open", kind: "", reason: "", sort: "proposed" };
  let seq = 0;
  let total = 0;
  let current = 0; // position in the list
  let shown = null; // the card on the phone
  let asking = 0; // when a card was asked for; 0 is never
  let forced = -1; // the row whose saved text replaces what the fields hold
  let lines = new Map(); // position -> line
  const asked = new Set(); // windows on their way
  const cards = new Map();
  const pictures = new Map();
  const drafts = new Map(); // texts that are too long to be kept, by row

  // The page, built once
  const id = (name) => `${uid}-${name}`;
  const button = (label, cls, onclick, key) => h("button", { type: "button", class: cls, onclick, ...(key ? { "aria-keyshortcuts": key } : {}) }, label);
  const tabs = TABS.map(([show, label]) => {
    const count = h("span", { class: "wa-count" });
    const el = h("button", { type: "button", class: "wa-tab", "aria-pressed": "false", onclick: () => ask({ show, reason: "" }) }, label, count);
    return { show, el, count };
  });
  const search = h("input", { type: "search", class: "wa-search", placeholder: "Search …", "aria-label": "Search product, customer, why, text", "aria-keyshortcuts": "/", autocomplete: "off", spellcheck: false });
  const kind = h("select", { "aria-label": "Kind" });
  const reason = h("select", { "aria-label": "Reason for skipping" });
  const sort = h("select", { "aria-label": "Order" });
  options(kind, [["", "Every kind"], ...facts.kinds.map(([k, n]) => [k, `${k} (${number(n)})`])]);
  options(reason, [["", "Every reason"], ...facts.reasons.map(([k, n]) => [k, `${k} (${number(n)})`])]);
  options(sort, SORTS);
  const approveAll = button("Approve shown", "wa-quiet", () => bulk("approved"));
  const rejectAll = button("Reject shown", "wa-quiet", () => bulk("rejected"));
  const undo = button("Undo", "wa-quiet wa-undo", () => send({ k: "undo" }), "u");
  const spacer = h("div", { class: "wa-spacer", role: "presentation" });
  const scroll = h("div", { class: "wa-scroll", role: "listbox", tabIndex: 0, "aria-label": "Proposals", id: id("list") }, spacer);
  const empty = h("p", { class: "wa-empty", hidden: true }, "Nothing here.");
  const chat = h("div", { class: "wa-chat", role: "group", "aria-label": "What the customer sees", tabIndex: 0 });
  const note = h("p", { class: "wa-note" }, `Drawn from the catalog export as of ${facts.as_of}. WhatsApp draws the real card from Meta’s catalog: title, price and picture there are what the customer gets. Windows are checked again at sending.`);
  const phone = h("div", { class: "wa-phone" },
    h("div", { class: "wa-bar" }, h("span", { class: "wa-avatar", "aria-hidden": "true" }, "S"),
      h("div", {}, h("div", { class: "wa-shop" }, "Your shop"), h("div", { class: "wa-sub" }, "as the customer sees it"))),
    chat);
  const verdict = h("div", { class: "wa-verdict" });
  const approve = button("✓ Approve", "wa-button wa-approve", () => press("approved"), "a");
  const reject = button("✕ Reject", "wa-button wa-reject", () => press("rejected"), "r");
  const why = h("p", { class: "wa-why", dir: "auto" });
  const dl = h("dl", { class: "wa-facts" });
  const body = h("textarea", { class: "wa-body", id: id("body"), rows: 4, dir: "auto", "aria-describedby": id("bodycount") });
  const footer = h("input", { type: "text", class: "wa-footer", id: id("footer"), dir: "auto", "aria-describedby": id("footercount") });
  const bodyCount = h("span", { class: "wa-counter", id: id("bodycount") });
  const footerCount = h("span", { class: "wa-counter", id: id("footercount") });
  const save = button("Save text", "wa-quiet", () => keep());
  const restore = button("Discard change", "wa-quiet", () => discard());
  const payload = h("pre", { class: "wa-payload", tabIndex: 0, "aria-label": "Request as it will be sent" });
  const problem = h("p", { class: "wa-problem", hidden: true });
  const status = h("div", { class: "wa-status", role: "status" });
  const side = h("section", { class: "wa-side", "aria-label": "The proposal" },
    h("div", { class: "wa-judge" }, verdict, h("div", { class: "wa-actions" }, approve, reject),
      h("h4", {}, "Why this product"), why, dl),
    h("div", { class: "wa-edit" },
      h("div", { class: "wa-label" }, h("label", { for: id("body") }, "Body"), bodyCount), body,
      h("div", { class: "wa-label" }, h("label", { for: id("footer") }, "Footer"), footerCount), footer,
      h("div", { class: "wa-saving" }, save, restore)),
    h("details", { open: true }, h("summary", {}, "Request, as it will be sent"), problem, payload,
      h("p", { class: "wa-small" }, "The address is hidden here. Sending adds biz_opaque_callback_data, the id of the send.")));
  const notices = h("div", { class: "wa-notices", hidden: !facts.notices.length }, ...facts.notices.map((n) => h("p", {}, n)));
  const root = h("div", { class: "wa-review", role: "region", "aria-label": "Review of proposals", "data-lm-suppress-shortcuts": "true" }, h("div", { class: "wa-frame" },
    h("div", { class: "wa-head" }, h("div", { class: "wa-tabs", role: "group", "aria-label": "Show" }, ...tabs.map((t) => t.el)),
      h("div", { class: "wa-tools" }, search, kind, reason, sort)),
    notices,
    h("div", { class: "wa-main" },
      h("section", { class: "wa-list", "aria-label": "List" }, scroll, empty, h("div", { class: "wa-bulk" }, approveAll, rejectAll, undo)),
      h("section", { class: "wa-stage", "aria-label": "Preview" }, phone, note), side),
    h("div", { class: "wa-foot" }, status, h("div", { class: "wa-help", "aria-hidden": "true" },
      ...HELP.map(([key, what]) => h("span", {}, h("kbd", {}, key), ` ${what}`))))));
  el.append(root);

  function say(words, alarm = false) {
    text(status, words);
    status.classList.toggle("wa-alarm", alarm);
  }

  // The list: only the lines in sight are in the page
  const pool = [];
  function line() {
    const part = (cls) => h("span", { class: cls });
    const [mark, title, price, chip, about] = ["wa-mark", "wa-title", "wa-price", "wa-chip", "wa-about"].map(part);
    title.dir = about.dir = "auto";
    const option = h("div", { class: "wa-row", role: "option" }, mark,
      h("span", { class: "wa-line" }, title, price), h("span", { class: "wa-line" }, chip, about));
    option.addEventListener("mousedown", (event) => { event.preventDefault(); scroll.focus({ preventScroll: true }); select(option.position); });
    spacer.append(option);
    return { option, mark, title, price, chip, about };
  }

  function draw() {
    const first = Math.max(0, Math.min(Math.floor(scroll.scrollTop / ROW) - 2, total - 1));
    const last = Math.min(total, Math.ceil((scroll.scrollTop + high()) / ROW) + 2, first + POOL);
    while (pool.length < last - first) pool.push(line());
    pool.forEach((slot, n) => {
      slot.option.hidden = n >= last - first;
      if (!slot.option.hidden) fill(slot, first + n);
    });
    for (let at = first; at < last; at += 1) if (!lines.has(at)) fetch(at);
    if (total) scroll.setAttribute("aria-activedescendant", id(`r${current}`));
    else scroll.removeAttribute("aria-activedescendant");
  }

  function fill(slot, at) {
    const found = lines.get(at);
    const { option } = slot;
    option.position = at;
    option.id = id(`r${at}`);
    option.style.transform = `translateY(${at * ROW}px)`;
    option.setAttribute("aria-posinset", at + 1);
    option.setAttribute("aria-setsize", total);
    option.setAttribute("aria-selected", at === current);
    option.dataset.state = found ? found.state || "open" : "waiting";
    const price = found ? money(found.price, found.currency) : "";
    text(slot.mark, found ? SIGNS[found.state] : "");
    text(slot.title, found ? found.title || found.product : "…");
    text(slot.price, price);
    text(slot.chip, found ? KINDS[found.kind] ?? found.kind : "");
    slot.chip.dataset.kind = found ? found.kind : "";
    const about = found ? (found.state === "skipped" ? found.reason : found.why) : "";
    text(slot.about, found && found.edited ? `✎ edited · ${about}` : about);
    option.setAttribute("aria-label", found ? `${found.title || found.product}, ${price}, ${KINDS[found.kind] ?? found.kind}, ${WORDS[found.state]}${found.edited ? ", edited" : ""}, ${about}` : "loading");
  }

  function fetch(at) {
    const from = Math.floor(at / page) * page;
    if (asked.has(from)) return;
    asked.add(from);
    send({ k: "rows", seq, from });
  }

  function store(from, rows) {
    rows.forEach((row, n) => lines.set(from + n, row));
    if (lines.size > 20 * page) {
      const near = Math.floor(scroll.scrollTop / ROW);
      for (const at of lines.keys()) if (Math.abs(at - near) > 5 * page) lines.delete(at);
    }
  }

  // What is remembered may be wrong: ask again for what is in sight, forget the rest
  function refresh() {
    cards.clear();
    asked.clear();
    const first = Math.floor(scroll.scrollTop / ROW);
    const near = (at) => Math.abs(at - first) <= POOL;
    for (const at of lines.keys()) if (!near(at)) lines.delete(at);
    for (const at of lines.keys()) fetch(at);
  }

  let frame = 0;
  const redraw = () => { if (!frame) frame = requestAnimationFrame(() => { frame = 0; draw(); }); };
  scroll.addEventListener("scroll", redraw, { passive: true });
  let seen = 0; // the height last observed: while a theme is swapped, a measurement may be 0 for a frame
  const high = () => seen || scroll.clientHeight;
  const sized = new ResizeObserver(([entry]) => { seen = entry.contentRect.height; redraw(); });
  sized.observe(scroll);

  function ask(change) {
    if (!settle()) return;
    query = { ...query, ...change };
    seq += 1;
    asked.clear();
    send({ k: "query", seq, ...query, keep: lines.get(current)?.row ?? -1 });
    tabs.forEach((t) => t.el.setAttribute("aria-pressed", String(t.show === query.show)));
    reason.hidden = !facts.reasons.length || !["skipped", "all"].includes(query.show);
    reason.value = query.reason;
    const mine = seq;
    setTimeout(() => { if (mine === seq && !heard.has(mine)) say("No answer from the kernel yet. If it was restarted, run this cell again.", true); }, 8000);
  }
  const heard = new Set();

  function select(at, { smooth = true } = {}) {
    if (!total) return;
    const next = Math.max(0, Math.min(total - 1, at));
    if (next !== current && !settle()) return;
    current = next;
    const top = current * ROW;
    if (top < scroll.scrollTop) scroll.scrollTop = top;
    else if (top + ROW > scroll.scrollTop + high()) scroll.scrollTop = top + ROW - high();
    draw();
    look();
    if (smooth) announce();
  }

  function announce() {
    const found = lines.get(current);
    if (found) say(`${number(current + 1)} of ${number(total)}: ${found.title || found.product}, ${WORDS[found.state].toLowerCase()}`);
  }

  // The card: the one wanted last is shown, those passed over are never asked for
  function look() {
    const found = lines.get(current);
    if (!found) return;
    if (cards.has(found.row)) show(cards.get(found.row));
    else if (!asking) {
      asking = 1;
      send({ k: "open", row: found.row, picture: !pictures.has(found.product) });
    }
    actions(found);
  }

  function actions(found) {
    const state = found ? found.state : "skipped";
    verdict.dataset.state = state || "open";
    const by = shown && found && shown.row === found.row && shown.by && shown.state === state ? ` by ${shown.by}, ${shown.at.slice(0, 16).replace("T", " ")} UTC` : "";
    text(verdict, found ? `${SIGNS[state]} ${WORDS[state]}${state === "skipped" ? `: ${found.reason}` : by}${found.edited ? " · text edited" : ""}` : "Nothing chosen");
    for (const [el, name] of [[approve, "approved"], [reject, "rejected"]]) {
      el.setAttribute("aria-pressed", String(state === name));
      el.disabled = state === "skipped";
    }
    // Until its card is here the fields still hold another row's text: nothing typed may go to the wrong customer.
    body.readOnly = footer.readOnly = state === "skipped" || !shown || shown.row !== found.row;
    phone.classList.toggle("wa-off", state === "skipped" || state === "rejected");
  }

  function show(card) {
    const fresh = !shown || shown.row !== card.row;
    const typing = !fresh && dirty() && forced !== card.row;
    shown = card;
    if (!typing) {
      const draft = drafts.get(card.row) ?? card;
      drafts.delete(card.row);
      forced = -1;
      body.value = draft.body;
      if (fresh && document.activeElement === body) body.select();
      footer.value = draft.footer;
    }
    text(why, card.why || "No reason was given.");
    const rows = [["Kind", KINDS[card.kind] ?? card.kind], ["From", card.source],
      ["Likely", card.probability === null ? "" : `${(card.probability * 100).toFixed(0)} %${card.horizon ? ` within ${card.horizon} days` : ""}`],
      ["Due", card.due], ["Window", card.closes ? `closes ${card.closes} (${card.left} at load)` : "none"],
      ["Customer", card.customer], ["Product", card.product]];
    dl.replaceChildren(...rows.filter(([, v]) => v).flatMap(([k, v]) => [h("dt", {}, k), h("dd", { dir: "auto" }, v)]));
    payload.replaceChildren(...(card.payload ? coloured(card.payload) : ["No request can be made of this row."]));
    problem.hidden = !card.problem;
    text(problem, card.problem);
    bubbles();
    actions(lines.get(current));
  }

  function bubbles() {
    const theirs = shown.messages.map((m) => h("div", { class: "wa-bubble wa-theirs" },
      ...(m.about ? [h("div", { class: "wa-quote", dir: "auto" }, m.about)] : []),
      h("span", { class: m.text ? "wa-text" : "wa-text wa-kind", dir: "auto" }, ...(m.text ? styled(m.text) : [`[${m.kind}]`])),
      h("time", {}, m.at)));
    const footing = h("div", { class: "wa-foottext", dir: "auto" });
    const saying = h("div", { class: "wa-text", dir: "auto" });
    const ours = h("div", { class: "wa-bubble wa-ours" }, picture(),
      h("div", { class: "wa-product" }, h("div", { class: "wa-name", dir: "auto" }, shown.title || shown.product),
        h("div", { class: "wa-cost" }, h("span", {}, money(shown.price, shown.currency)),
          ...(shown.was ? [" ", h("s", {}, money(shown.was, shown.currency))] : []))),
      saying, footing, h("div", { class: "wa-view" }, "View"));
    chat.replaceChildren(...theirs, ours);
    chat.text = saying;
    chat.foot = footing;
    typed();
    chat.scrollTop = Math.min(chat.scrollHeight, ours.offsetTop - chat.offsetTop - 8); // the top of the card is always in sight
  }

  function picture() {
    const known = pictures.get(shown.product);
    const box = h("div", { class: "wa-picture" });
    const image = (src) => {
      const img = h("img", { alt: "", loading: "lazy", referrerPolicy: "no-referrer", draggable: false });
      img.onerror = () => box.replaceChildren(h("span", { class: "wa-nopic" }, "This picture could not be read."));
      img.src = src;
      box.replaceChildren(img);
    };
    const url = secure(shown.link);
    if (known) image(known);
    else if (url) {
      box.append(h("span", { class: "wa-nopic" }, "Picture not loaded"),
        button(`Load from ${url.hostname}`, "wa-quiet wa-load", () => image(url.href)));
    } else box.append(h("span", { class: "wa-letter", "aria-hidden": "true" }, [...(shown.title || "?")][0].toUpperCase()));
    return box;
  }

  // Editing
  const dirty = () => shown !== null && (body.value !== shown.body || footer.value !== shown.footer);
  const over = (field, name) => length(field.value) - facts.limits[name];

  function typed() {
    for (const [field, counter, name] of [[body, bodyCount, "body"], [footer, footerCount, "footer"]]) {
      const n = over(field, name);
      const units = field.value.length > facts.limits[name] && n <= 0;
      text(counter, n > 0 ? `${number(n)} too many, ${facts.limits[name]} at most` : `${length(field.value)} / ${facts.limits[name]}${units ? " · emoji may count double" : ""}`);
      counter.classList.toggle("wa-alarm", n > 0);
      field.setAttribute("aria-invalid", String(n > 0));
    }
    if (chat.text) {
      chat.text.replaceChildren(...styled(body.value));
      chat.text.hidden = !body.value.trim();
      text(chat.foot, footer.value);
      chat.foot.hidden = !footer.value.trim();
    }
    const changed = dirty();
    save.hidden = restore.hidden = !changed;
    save.disabled = over(body, "body") > 0 || over(footer, "footer") > 0;
  }

  function keep() {
    if (!dirty()) return true;
    if (save.disabled) {
      say("The text is too long and was not saved.", true);
      return false;
    }
    const found = lines.get(current);
    forced = shown.row;
    send({ k: "edit", row: shown.row, body: body.value, footer: footer.value });
    shown = { ...shown, body: body.value, footer: footer.value };
    cards.delete(shown.row);
    if (found && found.row === shown.row && found.state === "approved") say("Text saved. The approval was withdrawn: approve it again.");
    else say("Text saved.");
    if (found && found.row === shown.row) Object.assign(found, { state: found.state === "skipped" ? "skipped" : "", edited: true });
    typed();
    draw();
    actions(found);
    return true;
  }

  // Before another row: what is typed is kept, on disk where it can be sent, as a draft where it is too long
  function settle() {
    if (!dirty()) return true;
    if (save.disabled) {
      drafts.set(shown.row, { body: body.value, footer: footer.value });
      say("The text of the last row is too long: it is not saved and waits there as a draft.", true);
      return true;
    }
    return keep();
  }

  function discard() {
    body.value = shown.body;
    footer.value = shown.footer;
    drafts.delete(shown.row);
    typed();
    scroll.focus({ preventScroll: true });
  }

  // Deciding
  function press(state) {
    const found = lines.get(current);
    if (found && found.state === state) decide("", false);
    else decide(state, true);
  }

  function decide(state, onward) {
    const found = lines.get(current);
    if (!found) return;
    if (found.state === "skipped") {
      say(`Skipped (${found.reason}): it cannot be decided.`, true);
      return;
    }
    if (shown && shown.row === found.row && !keep()) return;
    found.state = state;
    send({ k: "set", row: found.row, state });
    draw();
    actions(found);
    const did = state ? WORDS[state] : "Decision withdrawn";
    if (onward && current < total - 1) {
      select(current + 1, { smooth: false });
      const next = lines.get(current);
      say(`${did}. ${number(current + 1)} of ${number(total)}: ${next ? next.title || next.product : ""}`);
    } else say(`${did}.`);
  }

  function bulk(state) {
    if (dirty() && !keep()) return;
    send({ k: "bulk", state });
  }

  function counted() {
    const counts = model.get("counts");
    tabs.forEach((t) => text(t.count, number(counts[t.show])));
    undo.disabled = !counts.undo;
    text(undo, counts.undo ? `Undo: ${counts.undo}` : "Undo");
    approveAll.disabled = !total || ["skipped", "approved"].includes(query.show);
    rejectAll.disabled = !total || ["skipped", "rejected"].includes(query.show);
    approveAll.title = rejectAll.title = query.show === "open" || query.show === "all" ? "The undecided of this list, beyond what is in sight too; a decision that was made stays" : "";
  }

  // What Python says
  const hear = {
    listed(m) {
      if (m.seq !== seq) return;
      const counts = model.get("counts");
      if (!m.total && seq === 1 && counts.all) { // nothing is left to decide: open on what was decided
        ask({ show: counts.approved ? "approved" : "all" });
        return;
      }
      heard.clear();
      heard.add(seq);
      lines = new Map();
      ({ total } = m);
      store(m.from, m.rows);
      spacer.style.height = `${total * ROW}px`;
      empty.hidden = total > 0;
      scroll.hidden = total === 0;
      current = m.at;
      scroll.scrollTop = Math.max(0, Math.min(scroll.scrollTop, total * ROW));
      counted();
      if (total) select(current, { smooth: false });
      else { draw(); actions(null); }
      say(`${number(total)} shown`);
    },
    rows(m) {
      if (m.seq !== seq) return;
      const waiting = !lines.has(current);
      asked.delete(m.from);
      store(m.from, m.rows);
      draw();
      if (waiting) look();
      else actions(lines.get(current));
    },
    card(m) {
      asking = 0;
      if (m.card.picture && PICTURE.test(m.card.picture)) pictures.set(m.card.product, m.card.picture);
      else if (!pictures.has(m.card.product)) pictures.set(m.card.product, "");
      for (const old of pictures.size > KEPT ? [pictures.keys().next().value] : []) pictures.delete(old);
      delete m.card.picture;
      cards.set(m.card.row, m.card);
      for (const old of cards.size > KEPT ? [cards.keys().next().value] : []) cards.delete(old);
      look();
    },
    changed(m) {
      if (m.rows.length) {
        const news = new Map(m.rows.map((row) => [row.row, row]));
        for (const found of lines.values()) Object.assign(found, news.get(found.row));
        for (const row of news.keys()) cards.delete(row);
      } else if (m.number) {
        refresh();
      }
      if (m.number > 1) say(`${number(m.number)} rows changed.`);
      else if (!m.number) say("Nothing to change.");
      draw();
      look();
    },
    refused(m) {
      asking = 0;
      if (m.view && m.view !== uid) return;
      say(m.why, true);
      refresh();
    },
  };
  const listen = (message) => {
    if (message?.view && message.view !== uid) return;
    hear[message?.k]?.(message);
  };

  // Keys
  const moves = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, Home: -Infinity, End: Infinity };
  const acts = {
    a: () => decide("approved", true),
    r: () => decide("rejected", true),
    u: () => send({ k: "undo" }),
    e: () => { if (lines.get(current)?.state !== "skipped") { body.focus(); body.select(); } },
    "/": () => { search.focus(); search.select(); },
  };
  root.addEventListener("keydown", (event) => {
    const field = event.target.closest("input, textarea, select");
    if (event.ctrlKey || event.metaKey || event.altKey) {
      if (event.key === "Enter" && (field === body || field === footer) && keep()) scroll.focus({ preventScroll: true });
      return;
    }
    if (event.key !== "Tab") event.stopPropagation();
    if (event.key === "Escape") {
      event.preventDefault();
      if (field === search && search.value) { search.value = ""; ask({ text: "" }); }
      else if ((field === body || field === footer) && dirty()) discard();
      else scroll.focus({ preventScroll: true });
      return;
    }
    if (field) {
      if (field === search && ["Enter", "ArrowDown"].includes(event.key)) { event.preventDefault(); scroll.focus({ preventScroll: true }); }
      return;
    }
    if (event.target.closest("pre, .wa-chat, .wa-side") && /^(Arrow|Page|Home|End)/.test(event.key)) return;
    const leap = Math.max(1, Math.floor(high() / ROW) - 1);
    const step = { ...moves, PageDown: leap, PageUp: -leap }[event.key];
    if (step === undefined && !acts[event.key]) return;
    event.preventDefault();
    if (step !== undefined) select(current + step);
    else acts[event.key]();
  });

  let wait = 0;
  search.addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(() => ask({ text: search.value }), 120); });
  kind.addEventListener("change", () => ask({ kind: kind.value }));
  reason.addEventListener("change", () => ask({ reason: reason.value }));
  sort.addEventListener("change", () => ask({ sort: sort.value }));
  body.addEventListener("input", typed);
  footer.addEventListener("input", typed);
  model.on("msg:custom", listen);
  model.on("change:counts", counted);
  counted();
  ask({});

  return () => {
    model.off("msg:custom", listen);
    model.off("change:counts", counted);
    sized.disconnect();
    cancelAnimationFrame(frame);
    clearTimeout(wait);
  };
}

export default { render };
