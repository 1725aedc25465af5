// The view of a review. Python owns the truth: this file shows windows of the list and one card at a time,
// and reports what the person did.

const ROW = 58; // height of a line of the list in pixels; review.css has the same
const CARDS = 80; // cards remembered
const LISTED = 30; // differences shown
const TABS = [["open", "To decide"], ["approved", "Approved"], ["rejected", "Rejected"], ["skipped", "Skipped"], ["all", "All"]];
const SORTS = [["proposed", "As proposed"], ["probability", "Likeliest first"], ["closes", "Closing soonest"],
  ["price", "Cheapest first"], ["title", "By product"], ["customer", "By customer"]];
const LEAST = [["0", "Any likelihood"], ["0.02", "At least 2 %"], ["0.05", "At least 5 %"], ["0.1", "At least 10 %"],
  ["0.2", "At least 20 %"], ["0.3", "At least 30 %"], ["0.5", "At least 50 %"]];
const CLOSINGS = [["", "Any window"], ["1", "Closes within 1 h"], ["3", "Within 3 h"], ["6", "Within 6 h"], ["12", "Within 12 h"], ["closed", "Closed by now"]];
const EVERYTHING = { text: "", kind: "", reason: "", product: "", least: 0, closing: "" };
const KEYS = [["↑ ↓", "move"], ["a", "approve"], ["r", "reject"], ["e", "edit"], ["s", "other product"], ["x", "pick"], ["t", "write to many"], ["u", "undo"], ["/", "search"]];

function render({ model, el }) {
  const uid = `wa${Math.random().toString(36).slice(2, 10)}`;
  const id = (name) => `${uid}-${name}`;
  const facts = model.get("facts");
  const send = (message) => model.send({ ...message, view: uid });
  const time = ticking();

  // What is shown, nothing of which is the truth
  let query = { ...EVERYTHING, show: "open", sort: "proposed", group: false };
  let title = ""; // of the product that the list is narrowed to
  let seq = 0;
  let flying = 0; // the query on its way
  let again = false; // another is wanted after it
  let found = 0; // rows in the list, grouped or not
  let shown = null; // the card on the phone
  let asking = false; // a card is on its way
  let forced = -1; // the row whose saved text replaces what the fields hold
  let anchor = 0; // where a range of picks begins
  const picked = new Set();
  const cards = new Map();
  const drafts = new Map(); // texts that are too long to be kept, by row

  // The page, built once
  const tabs = TABS.map(([show, label]) => {
    const count = h("span", { class: "wa-count" });
    const tab = h("button", { type: "button", class: "wa-tab", "aria-pressed": "false", onclick: () => ask({ show, reason: "" }) }, label, count);
    return { show, el: tab, count };
  });
  const search = h("input", { type: "search", class: "wa-search", placeholder: "Search …", "aria-label": "Search product, customer, why, text", "aria-keyshortcuts": "/", autocomplete: "off", spellcheck: false });
  const choice = (label, pairs, change) => {
    const select = h("select", { "aria-label": label });
    options(select, pairs);
    select.addEventListener("change", () => ask(change(select.value)));
    return select;
  };
  const named = (all, pairs) => [["", all], ...pairs.map(([k, n]) => [k, `${k} (${number(n)})`])];
  const kind = choice("Kind", named("Every kind", facts.kinds), (value) => ({ kind: value }));
  const reason = choice("Reason for skipping", named("Every reason", facts.reasons), (value) => ({ reason: value }));
  const least = choice("Likelihood", LEAST, (value) => ({ least: Number(value) }));
  const closing = choice("Window", CLOSINGS, (value) => ({ closing: value }));
  const sort = choice("Order", SORTS, (value) => ({ sort: value }));
  const grouping = button("By product", "wa-quiet wa-toggle", () => ask({ group: !query.group, product: "" }), "g");
  const narrowed = button("", "wa-quiet wa-narrowed", () => ask({ product: "", group: true }));
  const clear = button("Clear filters", "wa-quiet wa-clear", () => { search.value = ""; ask({ ...EVERYTHING }); });
  const heading = h("span", { class: "wa-scope" });
  const approveAll = button("Approve", "wa-quiet wa-approve-all", () => bulk("approved"));
  const rejectAll = button("Reject", "wa-quiet wa-reject-all", () => bulk("rejected"));
  const writeAll = button("Write …", "wa-quiet wa-write", () => many(true), "t");
  const unpick = button("Unpick", "wa-quiet wa-unpick", () => { picked.clear(); list.draw(); scoped(); });
  const undo = button("Undo", "wa-quiet wa-undo", () => send({ k: "undo" }), "u");
  const empty = h("p", { class: "wa-empty", hidden: true }, "Nothing here.");
  const screen = phone("as the customer sees it");
  const meta = h("p", { class: "wa-meta", hidden: true });
  const note = h("p", { class: "wa-note" }, `Drawn from the catalog export as of ${facts.as_of}. WhatsApp draws the real card from Meta’s catalog: title, price and picture there are what the customer gets. Windows are checked again at sending.`);
  const verdict = h("div", { class: "wa-verdict" });
  const approve = button("✓ Approve", "wa-button wa-approve", () => press("approved"), "a");
  const reject = button("✕ Reject", "wa-button wa-reject", () => press("rejected"), "r");
  const why = h("p", { class: "wa-why", dir: "auto" });
  const dl = h("dl", { class: "wa-facts" });
  const fields = textFields({ id, name: "one", limits: facts.limits, changed: typed });
  const save = button("Save text", "wa-quiet", () => keep());
  const restore = button("Discard change", "wa-quiet", () => discard());
  const others = h("div", { class: "wa-choices" });
  const finding = h("input", { type: "search", class: "wa-find", placeholder: "Any product of the catalog …", "aria-label": "Search the catalog for another product", autocomplete: "off", spellcheck: false });
  const results = h("div", { class: "wa-choices", role: "group", "aria-label": "Products found" });
  const swapping = h("details", { class: "wa-swap" }, h("summary", { "aria-keyshortcuts": "s" }, "Another product"), others, finding, results);
  const payload = h("pre", { class: "wa-payload", tabIndex: 0, role: "group", "aria-label": "Request as it will be sent" });
  const problem = h("p", { class: "wa-problem", hidden: true });
  const status = h("div", { class: "wa-status", role: "status" });
  const say = teller(status);
  const template = writing();
  const differs = h("div", { class: "wa-notices wa-differs", hidden: true });
  const editing = h("div", { class: "wa-edit" }, fields.el, h("div", { class: "wa-saving" }, save, restore));
  const side = h("section", { class: "wa-side", "aria-label": "The proposal" },
    h("div", { class: "wa-judge" }, verdict, h("div", { class: "wa-actions" }, approve, reject),
      h("h4", {}, "Why this product"), why, dl, swapping),
    h("div", { class: "wa-right" }, editing, template.el),
    h("details", { class: "wa-request", open: true }, h("summary", {}, "Request, as it will be sent"), problem, payload,
      h("p", { class: "wa-small" }, "The address is hidden here.")));
  const notices = h("div", { class: "wa-notices", hidden: !facts.notices.length }, ...facts.notices.map((n) => h("p", {}, n)));
  const list = virtualList({ id, label: "Proposals", height: ROW, page: facts.window, make: line, fill, ask: (from) => send({ k: "rows", seq, from }), chosen: () => look(), pressed });
  list.el.setAttribute("aria-multiselectable", "true");
  const root = frame("review", "Review of proposals",
    h("div", { class: "wa-head" }, h("div", { class: "wa-tabs", role: "group", "aria-label": "Show" }, ...tabs.map((t) => t.el)),
      h("div", { class: "wa-tools" }, search, sort)),
    h("div", { class: "wa-filters", role: "group", "aria-label": "Filters" }, kind, reason, least, closing, grouping, narrowed, clear),
    notices, differs,
    h("div", { class: "wa-main" },
      h("section", { class: "wa-list", "aria-label": "List" }, list.el, empty, h("div", { class: "wa-bulk" }, heading, approveAll, rejectAll, writeAll, unpick, undo)),
      h("section", { class: "wa-stage", "aria-label": "Preview" }, screen.el, meta, note), side),
    h("div", { class: "wa-foot" }, status, help(KEYS)));
  el.append(root);

  // The list
  function line() {
    const part = (cls) => h("span", { class: cls });
    const [pick, mark, name, price, chip, about, left] = ["wa-pick", "wa-mark", "wa-title", "wa-price", "wa-chip", "wa-about", "wa-left"].map(part);
    name.dir = about.dir = "auto";
    const option = h("div", { class: "wa-row", role: "option" }, pick, mark,
      h("span", { class: "wa-line" }, name, price), h("span", { class: "wa-line" }, chip, about, left));
    return { option, pick, mark, name, price, chip, about, left };
  }

  function fill(slot, item, at) {
    const { option } = slot;
    const chosen = picked.size ? Boolean(item && picked.has(item.row)) : at === list.current;
    option.setAttribute("aria-selected", chosen);
    option.classList.toggle("wa-picked", picked.size > 0 && chosen);
    text(slot.pick, item && !item.group ? (picked.size && chosen ? "☑" : "☐") : "");
    text(slot.price, item ? money(item.price, item.currency) : "");
    text(slot.name, item ? item.title || item.product : "…");
    if (item?.group) fillGroup(slot, item);
    else fillRow(slot, item);
  }

  function fillRow(slot, item) {
    const { option } = slot;
    option.dataset.state = item ? item.state || "open" : "waiting";
    text(slot.mark, item ? SIGNS[item.state] : "");
    text(slot.chip, item ? KINDS[item.kind] ?? item.kind : "");
    slot.chip.dataset.kind = item ? item.kind : "";
    const about = item ? (item.state === "skipped" ? item.reason : item.why) : "";
    const changed = item?.swapped ? "⇄ other product" : item?.edited ? "✎ edited" : "";
    text(slot.about, changed ? `${changed} · ${about}` : about);
    const left = item && item.state !== "skipped" ? remaining(item.closes, time.now()) : "";
    text(slot.left, left && left !== "closed" ? `⏳ ${left}` : left);
    slot.left.classList.toggle("wa-soon", Boolean(left) && (left === "closed" || item.closes - time.now() < SOON));
    option.setAttribute("aria-label", item ? `${picked.has(item.row) ? "Picked. " : ""}${item.title || item.product}, ${slot.price.textContent}, ${KINDS[item.kind] ?? item.kind}, ${WORDS[item.state]}${changed ? `, ${changed.slice(2)}` : ""}, ${about}${left ? `, window ${left}` : ""}` : "loading");
  }

  function fillGroup(slot, item) {
    const parts = [["open", "to decide"], ["approved", "approved"], ["rejected", "rejected"], ["skipped", "skipped"]];
    const rows = parts.reduce((sum, [name]) => sum + (item[name] ?? 0), 0);
    const about = parts.filter(([name]) => item[name]).map(([name, words]) => `${number(item[name])} ${words}`).join(" · ");
    slot.option.dataset.state = item.open ? "open" : item.approved ? "approved" : item.rejected ? "rejected" : "skipped";
    text(slot.mark, "▸");
    text(slot.chip, plural(rows, "row"));
    slot.chip.dataset.kind = "";
    text(slot.about, about);
    text(slot.left, "");
    slot.option.setAttribute("aria-label", `${item.title || item.product}, ${plural(rows, "row")}: ${about}. Enter shows them.`);
  }

  function pressed(at, event) {
    const item = list.items.get(at);
    if (!item) return;
    if (item.group) {
      if (at === list.current) enter();
      else list.select(at);
    } else if (event.shiftKey) range(at);
    else {
      if (event.ctrlKey || event.metaKey || event.target.closest(".wa-pick")) toggle(at);
      go(at);
    }
  }

  function toggle(at) {
    const item = list.items.get(at);
    if (!item || item.group) return;
    if (!picked.delete(item.row)) picked.add(item.row);
    anchor = at;
    list.draw();
    scoped();
  }

  function range(to) {
    for (let at = Math.min(anchor, to); at <= Math.max(anchor, to); at += 1) {
      const item = list.items.get(at);
      if (item && !item.group) picked.add(item.row);
    }
    const from = anchor;
    go(to);
    anchor = from;
    scoped();
  }

  function go(at, loud = true) {
    const next = Math.max(0, Math.min(list.total - 1, at));
    if (!list.total || (next !== list.current && !settle())) return;
    anchor = next;
    list.select(next);
    const item = list.item();
    if (loud && item) say(`${number(next + 1)} of ${number(list.total)}: ${item.title || item.product}${item.group ? "" : `, ${WORDS[item.state].toLowerCase()}`}`);
  }

  function enter() {
    const item = list.item();
    if (!item?.group) return;
    title = item.title || item.product;
    ask({ group: false, product: item.product });
    list.el.focus({ preventScroll: true });
  }

  // A query goes at once, the next when its answer is here: fast typing never waits and never piles up
  function ask(change) {
    if (!settle()) return;
    query = { ...query, ...change };
    controls();
    if (flying) again = true;
    else fly();
  }

  function fly() {
    again = false;
    seq += 1;
    flying = seq;
    send({ k: "query", seq, ...query, keep: list.item()?.row ?? -1 });
    const mine = seq;
    setTimeout(() => {
      if (flying !== mine) return;
      flying = 0;
      say("No answer from the kernel yet. If it was restarted, run this cell again.", true);
    }, 8000);
  }

  function controls() {
    tabs.forEach((t) => t.el.setAttribute("aria-pressed", String(t.show === query.show)));
    reason.hidden = !facts.reasons.length || !["skipped", "all"].includes(query.show);
    [kind.value, reason.value, least.value, closing.value] = [query.kind, query.reason, String(query.least), query.closing];
    grouping.setAttribute("aria-pressed", String(query.group));
    narrowed.hidden = !query.product;
    text(narrowed, `‹ All products · ${title}`);
    clear.hidden = !Object.entries(EVERYTHING).some(([name, value]) => query[name] !== value);
  }

  // The card: the one wanted last is shown, those passed over are never asked for
  function look() {
    const item = list.item();
    if (!item) return;
    if (cards.has(item.row)) show(cards.get(item.row));
    else if (!asking) {
      asking = true;
      send({ k: "open", row: item.row, picture: !screen.knows(item.product) });
    }
    judge();
  }

  function judge() {
    const item = list.item();
    const state = item ? (item.group ? "" : item.state) : "skipped";
    const here = shown && item && shown.row === item.row;
    verdict.dataset.state = state || "open";
    const by = here && shown.by && shown.state === state ? ` by ${shown.by}, ${shown.at.slice(0, 16).replace("T", " ")} UTC` : "";
    text(verdict, !item ? "Nothing chosen" : item.group ? `A product with ${plural((item.open ?? 0) + (item.approved ?? 0) + (item.rejected ?? 0) + (item.skipped ?? 0), "row")}, one of them shown`
      : `${SIGNS[state]} ${WORDS[state]}${state === "skipped" ? `: ${item.reason}` : by}${item.swapped ? " · other product" : item.edited ? " · text edited" : ""}`);
    for (const [control, name] of [[approve, "approved"], [reject, "rejected"]]) {
      control.setAttribute("aria-pressed", String(state === name));
      control.disabled = state === "skipped";
    }
    text(approve, item?.group ? `✓ Approve ${number(item.open)}` : "✓ Approve");
    text(reject, item?.group ? `✕ Reject ${number(item.open)}` : "✕ Reject");
    // Until its card is here the fields still hold another row's text: nothing typed may go to the wrong customer.
    const locked = state === "skipped" || !here || Boolean(item.group);
    fields.lock(locked);
    swapping.hidden = locked;
    screen.el.classList.toggle("wa-off", state === "skipped" || state === "rejected");
  }

  function show(card) {
    const fresh = !shown || shown.row !== card.row;
    const typing = !fresh && dirty() && forced !== card.row;
    shown = card;
    if (!typing) {
      const draft = drafts.get(card.row) ?? card;
      drafts.delete(card.row);
      forced = -1;
      fields.set(draft);
      if (fresh && document.activeElement === fields.body) fields.body.select();
    }
    if (fresh) {
      finding.value = "";
      results.replaceChildren();
    }
    text(why, card.why || "No reason was given.");
    payload.replaceChildren(...(card.payload ? coloured(card.payload) : ["No request can be made of this row."]));
    problem.hidden = !card.problem;
    text(problem, card.problem);
    offers(others, card.others, card.proposed !== card.product && !card.others.some((o) => o.product === card.proposed) ? [card.proposed] : []);
    told();
    atMeta();
    screen.show(card.messages.map(screen.theirs), card);
    typed();
    if (fresh) template.attempt();
    screen.settle();
    judge();
  }

  function told() {
    if (!shown) return;
    const left = remaining(shown.closes, time.now());
    const rows = [["Kind", KINDS[shown.kind] ?? shown.kind], ["From", shown.source],
      ["Likely", shown.probability === null ? "" : `${(shown.probability * 100).toFixed(shown.probability < 0.1 ? 1 : 0)} %${shown.horizon ? ` within ${shown.horizon} days` : ""}`],
      ["Due", shown.due], ["Window", shown.closing ? `${left === "closed" ? "closed" : `⏳ ${left} left, closes`} ${shown.closing}` : "none"],
      ["Customer", shown.customer], ["Product", shown.product], ["In place of", shown.proposed === shown.product ? "" : shown.proposed]];
    dl.replaceChildren(...rows.filter(([, v]) => v).flatMap(([k, v]) => [h("dt", {}, k), h("dd", { dir: "auto" }, v)]));
  }

  // Another product
  function offers(box, products, extra = []) {
    const offer = (p) => {
      const chosen = h("button", { type: "button", class: "wa-choice", onclick: () => swap(p.product) },
        h("span", { class: "wa-name", dir: "auto" }, p.title || p.product), h("span", { class: "wa-price" }, money(p.price, p.currency)),
        h("span", { class: "wa-about", dir: "auto" }, p.not ? `cannot be sent: ${p.not}` : p.why ?? p.product));
      chosen.disabled = Boolean(p.not) || p.product === shown?.product;
      return chosen;
    };
    box.replaceChildren(...products.map(offer), ...extra.map((name) => button(`Back to ${name}`, "wa-quiet", () => swap(name))));
  }

  function swap(product) {
    if (!settle()) return;
    forced = shown.row;
    send({ k: "swap", row: shown.row, product });
    say("Another product: decide on it anew.");
    list.el.focus({ preventScroll: true });
  }

  // Editing one
  const dirty = () => shown !== null && fields.differs(shown);

  function typed() {
    fields.count();
    if (!template.open()) screen.write(fields.body.value, fields.footer.value);
    const changed = dirty();
    save.hidden = restore.hidden = !changed;
    save.disabled = fields.tooLong();
  }

  function keep() {
    if (!dirty()) return true;
    if (save.disabled) {
      say("The text is too long and was not saved.", true);
      return false;
    }
    const item = list.item();
    forced = shown.row;
    send({ k: "edit", row: shown.row, ...fields.values() });
    shown = { ...shown, ...fields.values() };
    cards.delete(shown.row);
    if (item && item.row === shown.row && item.state === "approved") say("Text saved. The approval was withdrawn: approve it again.");
    else say("Text saved.");
    if (item && item.row === shown.row) Object.assign(item, { state: item.state === "skipped" ? "skipped" : "", edited: true });
    typed();
    list.draw();
    judge();
    return true;
  }

  // Before another row: what is typed is kept, on disk where it can be sent, as a draft where it is too long
  function settle() {
    if (!dirty()) return true;
    if (save.disabled) {
      drafts.set(shown.row, fields.values());
      say("The text of the last row is too long: it is not saved and waits there as a draft.", true);
      return true;
    }
    return keep();
  }

  function discard() {
    fields.set(shown);
    drafts.delete(shown.row);
    typed();
    list.el.focus({ preventScroll: true });
  }

  // Writing to many, by a text with fields
  function writing() {
    const texts = textFields({ id, name: "many", limits: facts.limits, changed: () => attempt() });
    const use = ["body", "footer"].map((part) => h("input", { type: "checkbox", checked: part === "body", "aria-label": `Write the ${part}`, onchange: () => attempt() }));
    const chips = facts.fields.map((name) => button(`{${name}}`, "wa-quiet wa-field", () => insert(name === "name" ? "{name|there}" : `{${name}}`)));
    const scope = h("p", { class: "wa-small" });
    const fault = h("p", { class: "wa-problem", hidden: true });
    const done = button("Write", "wa-quiet wa-do", () => attempt(true));
    const box = h("div", { class: "wa-many", role: "group", "aria-label": "Write to several", hidden: true },
      h("h4", {}, "Write to several"), scope, h("div", { class: "wa-fields" }, ...chips),
      h("div", { class: "wa-uses" }, ...use.map((input, n) => h("label", {}, input, ["Body", "Footer"][n]))),
      texts.el, fault, h("div", { class: "wa-saving" }, done, button("Cancel", "wa-quiet", () => many(false))));
    let tries = 0;
    let trying = false;
    let wanted = false;

    function insert(field) {
      texts.body.setRangeText(field, texts.body.selectionStart, texts.body.selectionEnd, "end");
      texts.body.focus();
      attempt();
    }

    function attempt(really = false) {
      const [body, footer] = ["body", "footer"].map((part, n) => (use[n].checked ? texts[part].value : null));
      texts.body.disabled = !use[0].checked;
      texts.footer.disabled = !use[1].checked;
      if (really) send({ k: "write", do: true, body, footer, ...scoping() });
      else if (trying) wanted = true;
      else {
        tries += 1;
        trying = true;
        send({ k: "write", seq: tries, body, footer, row: shown?.row ?? -1, ...scoping() });
      }
      if (really) many(false);
    }

    return {
      el: box,
      body: texts.body,
      open: () => !box.hidden,
      toggle(open) {
        box.hidden = !open;
        editing.hidden = open;
        trying = wanted = false;
        if (!open) return;
        if (!texts.body.value && shown) texts.set({ body: "", footer: fields.footer.value });
        texts.body.focus();
        attempt();
      },
      attempt: () => { if (!box.hidden) attempt(); },
      tried(m) {
        trying = false;
        if (box.hidden) return;
        texts.count(m.longest);
        text(scope, `${picked.size ? "To the picked" : "To all shown"}: ${plural(m.number, "row")} to send. {name|there} puts a word where a name is unknown. Approvals are withdrawn.`);
        fault.hidden = !m.why;
        text(fault, m.why);
        done.disabled = Boolean(m.why) || !m.number;
        text(done, `Write to ${plural(m.number, "row")}`);
        if (m.row !== null && m.row === shown?.row) screen.write(m.body, m.footer);
        if (wanted) { wanted = false; attempt(); }
      },
    };
  }

  function many(open) {
    if (open && !settle()) return;
    template.toggle(open);
    typed();
    if (!open) list.el.focus({ preventScroll: true });
  }

  // Deciding
  const scoping = () => (picked.size ? { rows: [...picked] } : {});

  function press(state) {
    const item = list.item();
    if (item && !item.group && item.state === state) decide("", false);
    else decide(state, true);
  }

  function decide(state, onward) {
    const item = list.item();
    if (!item) return;
    if (item.group) {
      send({ k: "bulk", state, product: item.product });
      return;
    }
    if (item.state === "skipped") {
      say(`Skipped (${item.reason}): it cannot be decided.`, true);
      return;
    }
    if (shown && shown.row === item.row && !keep()) return;
    item.state = state;
    send({ k: "set", row: item.row, state });
    const did = state ? WORDS[state] : "Decision withdrawn";
    if (onward && list.current < list.total - 1) {
      go(list.current + 1, false);
      const next = list.item();
      say(`${did}. ${number(list.current + 1)} of ${number(list.total)}: ${next ? next.title || next.product : ""}`);
    } else {
      list.draw();
      judge();
      say(`${did}.`);
    }
  }

  function bulk(state) {
    if (dirty() && !keep()) return;
    send({ k: "bulk", state, ...scoping() });
    picked.clear();
    scoped();
  }

  function scoped() {
    const size = picked.size || found;
    text(heading, picked.size ? `${number(size)} picked:` : `All ${number(size)}:`);
    approveAll.disabled = !size || (!picked.size && ["skipped", "approved"].includes(query.show));
    rejectAll.disabled = !size || (!picked.size && ["skipped", "rejected"].includes(query.show));
    writeAll.disabled = !size || (!picked.size && query.show === "skipped");
    unpick.hidden = !picked.size;
    approveAll.title = rejectAll.title = !picked.size && ["open", "all"].includes(query.show) ? "The undecided of this list, beyond what is in sight too; a decision that was made stays" : "";
    template.attempt();
  }

  function counted() {
    const counts = model.get("counts");
    tabs.forEach((t) => text(t.count, number(counts[t.show])));
    undo.disabled = !counts.undo;
    text(undo, counts.undo ? `Undo: ${counts.undo}` : "Undo");
  }

  // Meta's catalog
  let different = null;

  function atMeta() {
    const own = (different ?? []).filter((d) => d.product && d.product === shown?.product).map((d) => d.what);
    meta.hidden = !own.length;
    text(meta, `⚠ In Meta’s catalog: ${own.join("; ")}`);
  }

  function compared(m) {
    const fresh = different === null;
    different = m.differences;
    const at = new Date(m.now).toISOString().slice(11, 16);
    const unread = different.filter((d) => !d.product).map((d) => d.what);
    const apart = different.filter((d) => d.product);
    const words = unread.length ? `Meta’s catalog was not compared: ${unread.join("; ")}`
      : apart.length ? `⚠ Meta’s catalog differs from the export for ${number(apart.length)} of ${plural(m.number, "product")} (${at} UTC)`
        : `✓ Meta’s catalog has ${plural(m.number, "product")} as the export does (${at} UTC)`;
    const more = apart.length > LISTED ? [h("li", {}, `and ${number(apart.length - LISTED)} more: review.differences() has them all`)] : [];
    const details = h("details", {}, h("summary", {}, words),
      h("ul", {}, ...apart.slice(0, LISTED).map((d) => h("li", {}, h("bdi", {}, d.title || d.product), ": ", h("bdi", {}, d.what))), ...more));
    const retry = button("Compare again", "wa-quiet", () => { say("Asking Meta’s catalog …"); send({ k: "compare", again: true }); });
    differs.hidden = false;
    differs.classList.toggle("wa-fine", !different.length);
    differs.replaceChildren(apart.length ? details : h("p", {}, words), retry);
    if (!fresh) say(words);
    atMeta();
  }

  // What Python says
  const hear = {
    listed(m) {
      if (m.seq !== flying) return;
      flying = 0;
      time.set(m.now);
      if (again) {
        fly();
        return;
      }
      const counts = model.get("counts");
      if (!m.total && seq === 1 && counts.all) { // nothing is left to decide: open on what was decided
        ask({ show: counts.approved ? "approved" : "all" });
        return;
      }
      found = m.number;
      picked.clear();
      anchor = m.at;
      list.begin({ total: m.total, from: m.from, items: m.rows, at: m.at });
      empty.hidden = m.total > 0;
      scoped();
      if (m.total) list.select(list.current);
      else { list.draw(); judge(); }
      say(query.group ? `${plural(m.total, "product")} in ${plural(m.number, "row")}` : `${number(m.total)} shown`);
    },
    rows(m) {
      if (m.seq !== seq) return;
      const waiting = !list.item();
      list.store(m.from, m.rows);
      list.draw();
      if (waiting) look();
      else judge();
    },
    card(m) {
      const first = !shown;
      asking = false;
      screen.keep(m.card.product, m.card.picture);
      delete m.card.picture;
      cards.set(m.card.row, m.card);
      for (const old of cards.size > CARDS ? [cards.keys().next().value] : []) cards.delete(old);
      look();
      if (first && facts.meta) send({ k: "compare" });
    },
    changed(m) {
      const news = new Map(m.rows.map((row) => [row.row, row]));
      for (const item of list.items.values()) if (!item.group) Object.assign(item, news.get(item.row));
      for (const row of news.keys()) cards.delete(row);
      if (m.number > news.size) {
        cards.clear();
        list.refresh();
      }
      if (query.group && m.number) ask({});
      if (m.number > 1) say(`${number(m.number)} rows changed.`);
      else if (!m.number) say("Nothing to change.");
      list.draw();
      look();
    },
    found(m) {
      offers(results, m.products);
      if (!m.products.length) results.replaceChildren(h("p", { class: "wa-small" }, "No product has these words."));
    },
    tried: (m) => template.tried(m),
    compared,
    pong: (m) => { pulse.heard(); time.set(m.now); },
    refused(m) {
      asking = false;
      if (m.to === "query") flying = 0;
      pulse.heard();
      if (m.view && m.view !== uid) return;
      say(m.why, true);
      cards.clear();
      list.refresh();
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
    e: () => {
      const item = list.item();
      if (!item || item.group || item.state === "skipped") return;
      if (template.open()) many(false);
      fields.body.focus(); // before its card is here, too: nothing can be typed until then
      fields.body.select();
    },
    s: () => { if (!swapping.hidden) { swapping.open = true; finding.focus(); } },
    t: () => { if (!writeAll.disabled) many(true); },
    x: () => toggle(list.current),
    " ": () => toggle(list.current),
    g: () => ask({ group: !query.group, product: "" }),
    Enter: enter,
    "/": () => { search.focus(); search.select(); },
  };

  function leave(field) {
    if (field === search && search.value) { search.value = ""; ask({ text: "" }); }
    else if (fields.isField(field) && dirty()) discard();
    else if (template.open()) many(false);
    else if (!field && picked.size) unpick.click();
    else if (!field && query.product) ask({ product: "", group: true });
    list.el.focus({ preventScroll: true });
  }

  root.addEventListener("keydown", (event) => {
    const field = event.target.closest("input, textarea, select");
    if (event.ctrlKey || event.metaKey || event.altKey) {
      if (event.key === "Enter" && fields.isField(field) && keep()) list.el.focus({ preventScroll: true });
      return;
    }
    if (event.key !== "Tab") event.stopPropagation();
    if (event.key === "Escape") {
      event.preventDefault();
      leave(field);
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
    else if (event.shiftKey) range(Math.max(0, Math.min(list.total - 1, list.current + step)));
    else go(list.current + step);
  });

  let looking = 0;
  search.addEventListener("input", () => ask({ text: search.value }));
  finding.addEventListener("input", () => { looking += 1; send({ k: "find", seq: looking, text: finding.value }); });
  model.on("msg:custom", listen);
  model.on("change:counts", counted);
  const pulse = beating(5000, () => send({ k: "ping" }));
  const clockwork = setInterval(() => { list.redraw(); told(); }, 15_000);
  counted();
  ask({});

  return () => {
    model.off("msg:custom", listen);
    model.off("change:counts", counted);
    list.stop();
    pulse.stop();
    clearInterval(clockwork);
  };
}

export default { render };
