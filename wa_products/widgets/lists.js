// A list of any length of which only the lines in sight are in the page.

const POOL = 40; // never more lines in the page than this, whatever the layout does

// `make` builds a line, `fill(slot, item, at)` draws an item in it (undefined while it is on its way), `ask(from)`
// wants a window of `page` items, `chosen(at)` tells of a move. Heights are in pixels, as in the style sheet.
function virtualList({ id, label, height, page, make, fill, ask, chosen, pressed }) {
  const spacer = h("div", { class: "wa-spacer", role: "presentation" });
  const el = h("div", { class: "wa-scroll", role: "listbox", tabIndex: 0, "aria-label": label, id: id("list") }, spacer);
  const pool = [];
  const asked = new Set(); // windows on their way
  const list = { el, items: new Map(), total: 0, current: 0 };
  let seen = 0; // the height last observed: while a theme is swapped, a measurement may be 0 for a frame
  let waiting = 0;
  const high = () => seen || el.clientHeight;

  function line() {
    const slot = make();
    slot.option.addEventListener("mousedown", (event) => {
      event.preventDefault();
      el.focus({ preventScroll: true });
      pressed(slot.option.position, event);
    });
    spacer.append(slot.option);
    return slot;
  }

  list.draw = () => {
    const first = Math.max(0, Math.min(Math.floor(el.scrollTop / height) - 2, list.total - 1));
    const last = Math.min(list.total, Math.ceil((el.scrollTop + high()) / height) + 2, first + POOL);
    while (pool.length < last - first) pool.push(line());
    pool.forEach((slot, n) => {
      slot.option.hidden = n >= last - first;
      if (!slot.option.hidden) place(slot, first + n);
    });
    for (let at = first; at < last; at += 1) if (!list.items.has(at)) list.fetch(at);
    if (list.total) el.setAttribute("aria-activedescendant", id(`r${list.current}`));
    else el.removeAttribute("aria-activedescendant");
  };

  function place(slot, at) {
    const { option } = slot;
    option.position = at;
    option.id = id(`r${at}`);
    option.style.transform = `translateY(${at * height}px)`;
    option.setAttribute("aria-posinset", at + 1);
    option.setAttribute("aria-setsize", list.total);
    option.classList.toggle("wa-current", at === list.current);
    fill(slot, list.items.get(at), at);
  }

  list.fetch = (at) => {
    const from = Math.floor(at / page) * page;
    if (asked.has(from)) return;
    asked.add(from);
    ask(from);
  };

  list.store = (from, items) => {
    asked.delete(from);
    items.forEach((item, n) => list.items.set(from + n, item));
    if (list.items.size > 20 * page) {
      const near = Math.floor(el.scrollTop / height);
      for (const at of list.items.keys()) if (Math.abs(at - near) > 5 * page) list.items.delete(at);
    }
  };

  list.begin = ({ total, from, items, at }) => {
    asked.clear();
    list.items = new Map();
    list.total = total;
    list.current = Math.max(0, Math.min(at, total - 1));
    list.store(from, items);
    spacer.style.height = `${total * height}px`;
    el.hidden = total === 0;
    el.scrollTop = Math.max(0, Math.min(el.scrollTop, total * height));
  };

  // What is remembered may be wrong: ask again for what is in sight, forget the rest
  list.refresh = () => {
    asked.clear();
    const first = Math.floor(el.scrollTop / height);
    for (const at of list.items.keys()) if (Math.abs(at - first) > POOL) list.items.delete(at);
    for (const at of list.items.keys()) list.fetch(at);
  };

  list.select = (at) => {
    list.current = Math.max(0, Math.min(list.total - 1, at));
    const top = list.current * height;
    if (top < el.scrollTop) el.scrollTop = top;
    else if (top + height > el.scrollTop + high()) el.scrollTop = top + height - high();
    list.draw();
    chosen(list.current);
  };

  list.item = () => list.items.get(list.current);
  list.leap = () => Math.max(1, Math.floor(high() / height) - 1);
  list.redraw = () => { if (!waiting) waiting = requestAnimationFrame(() => { waiting = 0; list.draw(); }); };
  el.addEventListener("scroll", list.redraw, { passive: true });
  const sized = new ResizeObserver(([entry]) => { seen = entry.contentRect.height; list.redraw(); });
  sized.observe(el);
  list.stop = () => { sized.disconnect(); cancelAnimationFrame(waiting); };
  return list;
}
