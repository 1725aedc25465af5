// The phone: a chat as the customer sees it, with the product card in it.

const KEPT = 80; // pictures remembered
const PICTURE = /^data:image\/(png|jpeg|gif);base64,[A-Za-z0-9+/=]+$/;

// `want` asks for the picture of a product that is not known yet.
function phone(subtitle, want = () => {}) {
  const pictures = new Map();
  const asked = new Set();
  const chat = h("div", { class: "wa-chat", role: "group", "aria-label": "What the customer sees", tabIndex: 0 });
  const el = h("div", { class: "wa-phone" },
    h("div", { class: "wa-bar" }, h("span", { class: "wa-avatar", "aria-hidden": "true" }, "S"),
      h("div", {}, h("div", { class: "wa-shop" }, "Your shop"), h("div", { class: "wa-sub" }, subtitle))),
    chat);
  let saying = null;
  let footing = null;

  function picture(card) {
    const box = h("div", { class: "wa-picture" });
    box.card = card;
    draw(box);
    if (!pictures.has(card.product) && !asked.has(card.product)) {
      asked.add(card.product);
      want(card.product);
    }
    return box;
  }

  function draw(box) {
    const { card } = box;
    const known = pictures.get(card.product);
    const image = (src) => {
      const img = h("img", { alt: "", loading: "lazy", referrerPolicy: "no-referrer", draggable: false });
      img.onerror = () => box.replaceChildren(h("span", { class: "wa-nopic" }, "This picture could not be read."));
      img.src = src;
      box.replaceChildren(img);
    };
    const url = secure(card.link);
    if (known) image(known);
    else if (url) {
      box.replaceChildren(h("span", { class: "wa-nopic" }, "Picture not loaded"),
        button(`Load from ${url.hostname}`, "wa-quiet wa-load", () => image(url.href)));
    } else box.replaceChildren(h("span", { class: "wa-letter", "aria-hidden": "true" }, [...(card.title || "?")][0].toUpperCase()));
  }

  function product(card) {
    return h("div", { class: "wa-product" }, h("div", { class: "wa-name", dir: "auto" }, card.title || card.product),
      h("div", { class: "wa-cost" }, h("span", {}, money(card.price, card.currency)),
        ...(card.was ? [" ", h("s", {}, money(card.was, card.currency))] : [])));
  }

  function cart(lines) {
    return h("div", { class: "wa-cart" }, h("strong", {}, "🛒 Cart"),
      ...lines.map((l) => h("div", {}, h("bdi", {}, `${l.quantity} × ${l.title}`), " ", h("span", { class: "wa-price" }, money(l.price, l.currency)))));
  }

  return {
    el,
    chat,
    knows: (name) => pictures.has(name),
    keep(name, src) {
      if (src && PICTURE.test(src)) pictures.set(name, src);
      else if (!pictures.has(name)) pictures.set(name, "");
      for (const old of pictures.size > KEPT ? [pictures.keys().next().value] : []) {
        pictures.delete(old);
        asked.delete(old);
      }
      for (const box of chat.querySelectorAll(".wa-picture")) if (box.card.product === name) draw(box);
    },
    // A message of the customer, what it was about above it; a cart has its lines
    theirs: (m) => h("div", { class: "wa-bubble wa-theirs" },
      ...(m.about ? [h("div", { class: "wa-quote", dir: "auto" }, m.about)] : []),
      ...(m.cart?.length ? [cart(m.cart)] : []),
      h("span", { class: m.text ? "wa-text" : "wa-text wa-kind", dir: "auto" }, ...(m.text ? styled(m.text) : m.cart?.length ? [] : [`[${m.kind}]`])),
      h("time", {}, m.at)),
    // A message of the shop that was sent, how far it came below it
    sent: (m) => {
      const status = h("div", { class: m.bad ? "wa-fate wa-bad" : "wa-fate" }, m.status, h("time", {}, m.at));
      const texts = [...(m.body ? [h("div", { class: "wa-text", dir: "auto" }, ...styled(m.body))] : []), ...(m.footer ? [h("div", { class: "wa-foottext", dir: "auto" }, m.footer)] : [])];
      const ours = h("div", { class: "wa-bubble wa-ours wa-small-card" }, picture(m.card), product(m.card), ...texts, status);
      return ours;
    },
    ours: (card, ...below) => h("div", { class: "wa-bubble wa-ours" }, picture(card), product(card), ...below,
      h("div", { class: "wa-view" }, "View")),
    // The bubbles, and the card whose texts `write` fills
    show(bubbles, card) {
      chat.replaceChildren(...bubbles);
      saying = footing = null;
      if (!card) {
        chat.scrollTop = chat.scrollHeight;
        return;
      }
      saying = h("div", { class: "wa-text", dir: "auto" });
      footing = h("div", { class: "wa-foottext", dir: "auto" });
      const ours = this.ours(card, saying, footing);
      ours.classList.add("wa-draft");
      chat.append(ours);
    },
    write(body, footer) {
      if (!saying) return;
      saying.replaceChildren(...styled(body));
      saying.hidden = !body.trim();
      text(footing, footer);
      footing.hidden = !footer.trim();
    },
    // The top of the card is always in sight
    settle() {
      const ours = chat.querySelector(".wa-draft");
      chat.scrollTop = ours ? Math.min(chat.scrollHeight, ours.offsetTop - chat.offsetTop - 8) : chat.scrollHeight;
    },
  };
}
