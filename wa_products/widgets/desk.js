// The view of a desk: threads, one conversation, what to show the customer, and the button that sends it.

const ROW = 58; // height of a line of the list in pixels; shared.css has the same
const TABS = [["unread", "To answer"], ["open", "Open"], ["closed", "Closed"]];
const KEYS = [["↑ ↓", "thread"], ["1 2 3", "suggestion"], ["c", "catalog"], ["e", "edit"], ["Ctrl Enter", "send"], ["d", "done"], ["/", "search"]];
const OFFERS = { request: "Asked for it", reorder: "Due again", recommendation: "New for them" };

function render({ model, el }) {
  const uid = `wa${Math.random().toString(36).slice(2, 10)}`;
  const id = (name) => `${uid}-${name}`;
  const facts = model.get("facts");
  const send = (message) => model.send({ ...message, view: uid });
  const time = ticking();

  // What is shown, nothing of which is the truth
  let show = "unread";
  let seq = 0;
  let flying = 0;
  let again = false;
  let thread = null; // the conversation on the phone
  let draft = null; // the product that would be sent
  let looking = 0; // the search on its way
  let drafting = false;
  let wanted = false;
  let sending = false;
  const drafts = new Map(); // what was chosen and typed, by customer

  // The page, built once
  const tabs = TABS.map(([name, label]) => {
    const count = h("span", { class: "wa-count" });
    const tab = h("button", { type: "button", class: "wa-tab", "aria-pressed": "false", onclick: () => { show = name; ask(); } }, label, count);
    return { name, el: tab, count };
  });
  const search = h("input", { type: "search", class: "wa-search", placeholder: "Search threads …", "aria-label": "Search threads", "aria-keyshortcuts": "/", autocomplete: "off", spellcheck: false });
  const empty = h("p", { class: "wa-empty", hidden: true }, "Nobody waits here.");
  const screen = phone("as the customer sees it", (product) => send({ k: "picture", product }));
  const state = h("div", { class: "wa-verdict" });
  const offers = h("div", { class: "wa-choices wa-offers", role: "group", "aria-label": "Suggestions" });
  const finding = h("input", { type: "search", class: "wa-find", placeholder: "Any product of the catalog …", "aria-label": "Search the catalog", "aria-keyshortcuts": "c", autocomplete: "off", spellcheck: false });
  const results = h("div", { class: "wa-choices wa-results", role: "group", "aria-label": "Products found" });
  const fields = textFields({ id, name: "desk", limits: facts.limits, changed: typed });
  const payload = h("pre", { class: "wa-payload", tabIndex: 0, role: "group", "aria-label": "Request as it will be sent" });
  const problem = h("p", { class: "wa-problem", hidden: true });
  const post = button("Send", "wa-button wa-approve wa-send", () => dispatch(), "Control+Enter");
  const aside = button("Done, no answer", "wa-button wa-done", () => thread && send({ k: "done", customer: thread.customer }), "d");
  const fate = h("p", { class: "wa-outcome", hidden: true });
  const status = h("div", { class: "wa-status", role: "status" });
  const say = teller(status);
  const list = virtualList({ id, label: "Threads", height: ROW, page: facts.window, make: line, fill, ask: (from) => send({ k: "rows", seq, from }), chosen: look, pressed: (at) => go(at) });
  const side = h("section", { class: "wa-side", "aria-label": "What to send" },
    state, h("h4", {}, "Suggested for them"), offers, finding, results, fields.el,
    h("div", { class: "wa-actions" }, post, aside), fate,
    h("details", { class: "wa-request" }, h("summary", {}, "Request, as it will be sent"), problem, payload,
      h("p", { class: "wa-small" }, "The address is hidden here.")));
  const root = frame("desk", "Desk",
    h("div", { class: "wa-head" }, h("div", { class: "wa-tabs", role: "group", "aria-label": "Show" }, ...tabs.map((t) => t.el)),
      h("div", { class: "wa-tools" }, search)),
    h("div", { class: "wa-main" },
      h("section", { class: "wa-list", "aria-label": "List" }, list.el, empty),
      h("section", { class: "wa-stage", "aria-label": "Conversation" }, screen.el), side),
    h("div", { class: "wa-foot" }, status, help(KEYS)));
  el.append(root);

  // The threads
  function line() {
    const part = (cls) => h("span", { class: cls });
    const [mark, name, chip, about, left] = ["wa-mark", "wa-title", "wa-chip", "wa-about", "wa-left"].map(part);
    name.dir = about.dir = chip.dir = "auto";
    const option = h("div", { class: "wa-row wa-thread", role: "option" }, mark,
      h("span", { class: "wa-line" }, name, left), h("span", { class: "wa-line" }, chip, about));
    return { option, mark, name, chip, about, left };
  }

  function fill(slot, item, at) {
    const { option } = slot;
    option.setAttribute("aria-selected", at === list.current);
    option.dataset.state = !item ? "waiting" : item.unread ? "unread" : item.open ? "open" : "closed";
    text(slot.mark, item ? (item.unread ? (item.asked ? "?" : "●") : item.open ? "○" : "–") : "");
    text(slot.name, item ? item.name : "…");
    text(slot.chip, item?.asked ? `asks: ${item.asked}` : "");
    slot.chip.hidden = !item?.asked;
    slot.chip.dataset.kind = "request";
    text(slot.about, item ? item.last : "");
    const left = item ? remaining(item.closes, time.now()) : "";
    text(slot.left, item?.open ? `⏳ ${left}` : left);
    slot.left.classList.toggle("wa-soon", Boolean(item?.open) && item.closes - time.now() < SOON);
    option.setAttribute("aria-label", item ? `${item.name}, ${item.unread ? (item.asked ? `asks about ${item.asked}` : "to answer") : item.open ? "open" : "closed"}, ${item.last}, window ${left}` : "loading");
  }

  function go(at) {
    if (!list.total) return;
    keepDraft();
    list.select(at);
    const item = list.item();
    if (item) say(`${number(list.current + 1)} of ${number(list.total)}: ${item.name}`);
  }

  function ask(stay = false) {
    tabs.forEach((t) => t.el.setAttribute("aria-pressed", String(t.name === show)));
    if (flying) { again = true; return; }
    again = false;
    seq += 1;
    flying = seq;
    send({ k: "query", seq, show, text: search.value, keep: list.item()?.customer ?? "", stay });
    const mine = seq;
    setTimeout(() => {
      if (flying !== mine) return;
      flying = 0;
      say("No answer from the kernel yet. If it was restarted, run this cell again.", true);
    }, 8000);
  }

  // The conversation
  let opening = "";
  function look() {
    const item = list.item();
    if (!item || opening) return;
    if (thread?.customer !== item.customer) {
      opening = item.customer;
      send({ k: "open", customer: item.customer });
    }
  }

  function open(m) {
    const fresh = thread?.customer !== m.customer;
    thread = m;
    time.set(m.now);
    const kept = drafts.get(m.customer);
    if (fresh) {
      fate.hidden = true;
      finding.value = "";
      results.replaceChildren();
    }
    offers.replaceChildren(...m.offers.map((offer, n) => choice(offer, n)));
    if (!m.offers.length) offers.replaceChildren(h("p", { class: "wa-small" }, "Nothing is known that they might want: search the catalog."));
    if (fresh) choose(kept?.offer ?? m.offers[0] ?? null, kept);
    else redraw();
    check();
  }

  function choice(offer, n = -1) {
    const blocked = Boolean(offer.not);
    const chosen = h("button", { type: "button", class: "wa-choice", "aria-pressed": "false", onclick: () => choose(offer), ...(n >= 0 ? { "aria-keyshortcuts": String(n + 1) } : {}) },
      h("span", { class: "wa-name", dir: "auto" }, offer.title || offer.product), h("span", { class: "wa-price" }, money(offer.price, offer.currency)),
      h("span", { class: "wa-about" }, ...(n >= 0 ? [h("span", { class: "wa-chip" }, OFFERS[offer.kind])] : []), " ",
        h("bdi", {}, blocked ? `cannot be sent: ${offer.not}` : offer.why ?? offer.product)));
    if (n >= 0) chosen.querySelector(".wa-chip").dataset.kind = offer.kind;
    chosen.disabled = blocked;
    chosen.offer = offer;
    return chosen;
  }

  function choose(offer, texts) {
    draft = offer;
    fields.set(texts ?? offer ?? { body: "", footer: "" });
    redraw();
    check();
  }

  function redraw() {
    for (const box of [offers, results]) {
      for (const chosen of box.querySelectorAll(".wa-choice")) chosen.setAttribute("aria-pressed", String(chosen.offer.product === draft?.product));
    }
    screen.show(thread.talk.map((m) => (m.from === "shop" ? screen.sent(m) : screen.theirs(m))), draft);
    typed();
    screen.settle();
  }

  // Why nothing can be sent, "" where it can. Python asks the ledger and the clock once more when it is sent.
  function bar() {
    if (!thread) return "No thread is chosen.";
    if (thread.why) return thread.why;
    if (thread.closes - facts.margin <= time.now()) return `The customer service window closes ${thread.closing}: nothing can be sent until they write again.`;
    return "";
  }

  function check() {
    const why = bar();
    state.dataset.state = why ? "skipped" : "approved";
    text(state, why ? `✕ ${why}` : `⏳ ${remaining(thread.closes, time.now())} left, closes ${thread.closing}`);
    post.disabled = Boolean(why) || !draft || Boolean(draft.not) || fields.tooLong() || sending;
    text(post, sending ? "Sending …" : "Send");
    aside.disabled = !thread;
    text(aside, thread && !thread.unread && thread.open ? "Back to answer" : "Done, no answer");
    fields.lock(!draft);
    screen.el.classList.toggle("wa-off", Boolean(why));
  }

  function typed() {
    fields.count();
    if (draft) screen.write(fields.body.value, fields.footer.value);
    check();
    written();
  }

  const chosen = () => ({ customer: thread.customer, product: draft.product, kind: draft.kind, ...fields.values() });

  // The request as Python would make it; one at a time, the last wanted last
  function written() {
    if (!draft || !thread) {
      payload.replaceChildren("No product is chosen.");
      return;
    }
    if (drafting) { wanted = true; return; }
    drafting = true;
    send({ k: "draft", ...chosen() });
  }

  function keepDraft() {
    if (!thread || !draft) return;
    if (draft.product !== thread.offers[0]?.product || fields.differs(draft)) drafts.set(thread.customer, { offer: draft, ...fields.values() });
    else drafts.delete(thread.customer);
  }

  function dispatch() {
    if (post.disabled) {
      const why = bar();
      say(why || "Choose a product first.", true);
      return;
    }
    sending = true;
    check();
    say("Sending …");
    send({ k: "send", ...chosen() });
  }

  function counted() {
    const counts = model.get("counts");
    for (const t of tabs) text(t.count, number(counts[t.name]) + (t.name === "unread" && counts.enquiries ? ` (${number(counts.enquiries)} ask)` : ""));
  }

  // What Python says
  const hear = {
    listed(m) {
      if (m.seq !== flying) return;
      flying = 0;
      time.set(m.now);
      if (again) { ask(); return; }
      if (!m.total && seq === 1) { show = "open"; ask(); return; }
      list.begin({ total: m.total, from: m.from, items: m.rows, at: m.at });
      empty.hidden = m.total > 0;
      if (m.total) list.select(list.current);
      else list.draw();
    },
    rows(m) {
      if (m.seq !== seq) return;
      list.store(m.from, m.rows);
      list.draw();
      look();
    },
    thread(m) {
      opening = "";
      if (list.item() && list.item().customer !== m.customer) { look(); return; }
      open(m);
    },
    picture: (m) => screen.keep(m.product, m.picture),
    found(m) {
      if (m.seq !== looking) return;
      results.replaceChildren(...m.products.map((offer) => choice(offer)));
      if (!m.products.length) results.replaceChildren(h("p", { class: "wa-small" }, "No product has these words."));
    },
    drafted(m) {
      drafting = false;
      payload.replaceChildren(...(m.payload ? coloured(m.payload) : ["No request can be made."]));
      problem.hidden = !m.problem;
      text(problem, m.problem);
      if (wanted) { wanted = false; written(); }
    },
    sent(m) {
      sending = false;
      const good = m.outcome === "accepted";
      fate.hidden = false;
      fate.classList.toggle("wa-bad", !good);
      text(fate, [good ? `Sent: ${m.words}. What becomes of it shows in the conversation.` : m.words, ...m.warned].join(" "));
      say(good ? `Sent: ${m.words}` : m.words, !good);
      drafts.delete(m.customer);
      if (good && thread?.customer === m.customer) draft = null;
    },
    news(m) {
      time.set(m.now);
      ask(true);
      if (thread && !opening) {
        opening = thread.customer;
        send({ k: "open", customer: thread.customer });
      }
    },
    pong: (m) => { pulse.heard(); time.set(m.now); },
    refused(m) {
      pulse.heard();
      if (m.view && m.view !== uid) return;
      if (m.to === "query") flying = 0;
      if (m.to === "open") opening = "";
      if (m.to === "draft") drafting = wanted = false;
      if (m.to === "send") {
        sending = false;
        fate.hidden = false;
        fate.classList.add("wa-bad");
        text(fate, m.why);
        check();
      }
      say(m.why, true);
    },
  };
  const listen = (message) => {
    if (message?.view && message.view !== uid) return;
    hear[message?.k]?.(message);
  };

  // Keys
  const moves = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, Home: -Infinity, End: Infinity };
  const acts = {
    1: () => offers.querySelectorAll("button")[0]?.click(),
    2: () => offers.querySelectorAll("button")[1]?.click(),
    3: () => offers.querySelectorAll("button")[2]?.click(),
    c: () => finding.focus(),
    e: () => { if (draft) { fields.body.focus(); fields.body.select(); } },
    d: () => aside.click(),
    "/": () => { search.focus(); search.select(); },
  };

  root.addEventListener("keydown", (event) => {
    const field = event.target.closest("input, textarea, select");
    if (event.ctrlKey || event.metaKey || event.altKey) {
      if (event.key === "Enter" && !event.altKey) { event.preventDefault(); event.stopPropagation(); dispatch(); }
      return;
    }
    if (event.key !== "Tab") event.stopPropagation();
    if (event.key === "Escape") {
      event.preventDefault();
      if (field === search && search.value) { search.value = ""; ask(); }
      list.el.focus({ preventScroll: true });
      return;
    }
    if (field) {
      if (field === search && ["Enter", "ArrowDown"].includes(event.key)) { event.preventDefault(); list.el.focus({ preventScroll: true }); }
      return;
    }
    if (event.target.closest("pre, .wa-chat, .wa-side") && /^(Arrow|Page|Home|End)/.test(event.key)) return;
    if (event.target.closest("button, summary") && /^(Enter| )$/.test(event.key)) return;
    const leap = list.leap();
    const step = { ...moves, PageDown: leap, PageUp: -leap }[event.key];
    if (step === undefined && !acts[event.key]) return;
    event.preventDefault();
    if (step === undefined) acts[event.key]();
    else go(list.current + step);
  });

  search.addEventListener("input", () => ask());
  finding.addEventListener("input", () => { looking += 1; send({ k: "find", seq: looking, text: finding.value, asked: Boolean(thread?.asked) }); });
  model.on("msg:custom", listen);
  model.on("change:counts", counted);
  const pulse = beating(2500, () => send({ k: "ping" }));
  const clockwork = setInterval(() => { list.redraw(); if (thread) check(); }, 5_000);
  counted();
  ask();

  return () => {
    model.off("msg:custom", listen);
    model.off("change:counts", counted);
    list.stop();
    pulse.stop();
    clearInterval(clockwork);
  };
}

export default { render };
