// What the widgets share. Every text from outside is set as text, never as markup.

const SIGNS = { "": "○", approved: "✓", rejected: "✕", skipped: "–" };
const WORDS = { "": "To decide", approved: "Approved", rejected: "Rejected", skipped: "Skipped" };
const KINDS = { request: "asked for it", reorder: "reorder", recommendation: "new for them" };
const SOON = 3_600_000; // a window that closes within an hour is marked

function h(tag, props = {}, ...children) {
  const el = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "string") el.setAttribute(name, value);
    else el[name] = value;
  }
  el.append(...children);
  return el;
}

function button(label, cls, onclick, key) {
  return h("button", { type: "button", class: cls, onclick, ...(key ? { "aria-keyshortcuts": key } : {}) }, label);
}

const text = (el, value) => { if (el.textContent !== value) el.textContent = value; };
const number = (n) => Number(n ?? 0).toLocaleString("en");
const length = (value) => [...value].length; // code points, as Python counts
const plural = (n, one, many = `${one}s`) => `${number(n)} ${n === 1 ? one : many}`;

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

// How long a window is open yet: "5 h 10", "42 min", "closed".
function remaining(closes, now) {
  if (closes === null || closes === undefined) return "no window";
  const minutes = Math.floor((closes - now) / 60_000);
  if (minutes < 0) return "closed";
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")}`;
}

// Time as Python has it: a page may be reloaded hours later, and a browser's clock be wrong.
function ticking() {
  let ahead = 0;
  return {
    set: (now) => { if (now) ahead = now - Date.now(); },
    now: () => Date.now() + ahead,
  };
}

// A heartbeat that shows what others did. It waits for its answer, so a busy kernel is not flooded.
function beating(every, beat) {
  let waiting = 0;
  const timer = setInterval(() => {
    if (document.visibilityState !== "visible" || waiting > Date.now()) return;
    waiting = Date.now() + 60_000;
    beat();
  }, every);
  return { heard: () => { waiting = 0; }, stop: () => clearInterval(timer) };
}

// Keys pressed in a widget stay in it: JupyterLab looks for this attribute before it runs a shortcut, and Notebook 7,
// whose shortcuts come before a widget hears of the key, on the focused element alone.
const SUPPRESS = "data-lm-suppress-shortcuts";
function frame(name, label, ...children) {
  const inner = h("div", { class: "wa-frame" }, ...children);
  const root = h("div", { class: `wa wa-${name}`, role: "region", "aria-label": label, [SUPPRESS]: "true" }, inner);
  root.addEventListener("focusin", (event) => event.target.setAttribute(SUPPRESS, "true"), true);
  return root;
}

function help(keys) {
  return h("div", { class: "wa-help", "aria-hidden": "true" },
    ...keys.map(([key, what]) => h("span", {}, h("kbd", {}, key), ` ${what}`)));
}

function teller(status) {
  return (words, alarm = false) => {
    text(status, alarm ? `⚠ ${words}` : words);
    status.classList.toggle("wa-alarm", alarm);
  };
}
