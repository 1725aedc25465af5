// The two texts of a message, with counters that count as the limits do.

function textFields({ id, name, limits, changed }) {
  const field = (tag, part, props) => h(tag, { class: `wa-${part}`, id: id(name + part), dir: "auto", "aria-describedby": id(`${name}${part}count`), ...props });
  const body = field("textarea", "body", { rows: 4 });
  const footer = field("input", "footer", { type: "text" });
  const counters = Object.fromEntries(["body", "footer"].map((part) => [part, h("span", { class: "wa-counter", id: id(`${name}${part}count`) })]));
  const label = (words, part) => h("div", { class: "wa-label" }, h("label", { for: id(name + part) }, words), counters[part]);
  const el = h("div", { class: "wa-texts" }, label("Body", "body"), body, label("Footer", "footer"), footer);
  const over = (part, longest) => (longest ?? length({ body, footer }[part].value)) - limits[part];

  const texts = {
    el,
    body,
    footer,
    isField: (target) => target === body || target === footer,
    tooLong: () => over("body") > 0 || over("footer") > 0,
    values: () => ({ body: body.value, footer: footer.value }),
    differs: (card) => body.value !== card.body || footer.value !== card.footer,
    set(values) {
      body.value = values.body;
      footer.value = values.footer;
    },
    lock(locked) { body.readOnly = footer.readOnly = locked; },
    // `longest` has the lengths of the longest texts where these are templates
    count(longest) {
      for (const [n, part] of ["body", "footer"].entries()) {
        const input = { body, footer }[part];
        const size = longest ? longest[n] : length(input.value);
        const above = over(part, size);
        const units = !longest && input.value.length > limits[part] && above <= 0;
        const words = above > 0 ? `${number(above)} too many, ${limits[part]} at most` : `${size} / ${limits[part]}${units ? " · emoji may count double" : ""}`;
        text(counters[part], longest ? `longest: ${words}` : words);
        counters[part].classList.toggle("wa-alarm", above > 0);
        input.setAttribute("aria-invalid", String(above > 0));
      }
    },
  };
  body.addEventListener("input", changed);
  footer.addEventListener("input", changed);
  return texts;
}
