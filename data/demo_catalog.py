# ruff: noqa: E501 (the shelf is a table, one product a line)

"""
The products of the demo shop, and its catalog export as Meta's Commerce Manager writes it.

The shop sells refills, so most products are used up and bought again: each variant carries the usual number of
days that one pack lasts. Brands, titles and texts are invented.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from typing import NamedTuple

SITE = "https://shop.example"


class Category(NamedTuple):
    """What the products of one shelf share: id prefix, product type, spread of the reorder interval, look."""

    prefix: str
    product_type: str
    google: str
    spread: float
    colour: str


CATEGORIES = {
    "coffee": Category("CF", "Drinks > Coffee", "1868", 0.18, "#7a4a2b"),
    "tea": Category("TE", "Drinks > Tea", "2073", 0.25, "#3f7d58"),
    "dog": Category("DG", "Pets > Dog", "3530", 0.12, "#b5652b"),
    "cat": Category("CT", "Pets > Cat", "3367", 0.12, "#6a5acd"),
    "laundry": Category("LA", "Home > Laundry", "2754", 0.20, "#2f6fb0"),
    "cleaning": Category("CL", "Home > Cleaning", "4974", 0.28, "#159a9c"),
    "skin": Category("SK", "Care > Skin", "567", 0.25, "#d98695"),
    "hair": Category("HR", "Care > Hair", "486", 0.22, "#a3578f"),
    "pantry": Category("PA", "Food > Pantry", "430", 0.30, "#d6a13a"),
    "kitchen": Category("KI", "Home > Kitchen", "668", 0.35, "#8a8f98"),
}

# shelf | title | brand | drawing | variants: option price days-a-pack-lasts, ... | description
# Days 0: nobody buys it at regular intervals.
SHELF = """
coffee | House Espresso | Kettlewick | pouch | 250 g 6.49 16, 1 kg 21.50 44 | Chocolate and toasted hazelnut; our everyday beans, roasted every Tuesday.
coffee | Harbour Blend | Kettlewick | pouch | 250 g 6.99 17, 1 kg 22.90 46 | Caramel sweetness and a soft finish. Good in a moka pot, better with milk.
coffee | Night Shift Decaf | Kettlewick | pouch | 250 g 7.29 20, 1 kg 23.90 55 | Water-process decaf with cocoa and plum, for the cup after dinner.
coffee | Ridgeway Filter | Kettlewick | pouch | 250 g 7.99 15, 1 kg 25.50 42 | A light roast with apricot and black tea. Ground for filter on request.
coffee | Old Mill Dark | Pennywort | pouch | 250 g 5.99 18, 1 kg 19.90 48 | Dark, smoky and low in acidity. The one your grandfather would like.
coffee | Instant Refill Tin | Pennywort | tin | 200 g 7.49 28 | Freeze-dried arabica to top up the jar you already own.
coffee | Cold Brew Bags | Kettlewick | box | 10 bags 8.49 21 | Ten bags, each makes a litre overnight in the fridge.
coffee | Paper Filters | Kettlewick | box | 40 cones 1.79 38, 100 cones 3.49 85 | Unbleached filters for hand and machine.
coffee | Descaler | Otterwash | bottle | 500 ml 4.99 110 | Citric descaler for espresso machines and kettles; two treatments.
coffee | Oat Barista | Mossbeck | carton | 1 L 1.95 8, 6 x 1 L 10.90 30 | Oat drink that steams well and does not split.
tea | Breakfast Loose Leaf | Tumbledown | tin | 125 g 4.79 24, 500 g 15.50 75 | Brisk Assam and Kenyan leaf, strong enough for milk.
tea | Earl Grey Bergamot | Tumbledown | tin | 125 g 5.29 27, 500 g 16.90 80 | Black tea with real bergamot oil and a few cornflowers.
tea | Green Gunpowder | Tumbledown | tin | 125 g 5.49 26 | Rolled green leaf with a clean, slightly smoky cup.
tea | Peppermint Leaf | Tumbledown | tin | 75 g 3.99 30, 300 g 12.50 95 | Whole peppermint leaf and nothing else.
tea | Rooibos Vanilla | Tumbledown | tin | 125 g 4.99 32 | Caffeine free, round and sweet without sugar.
tea | Chai Masala | Tumbledown | tin | 150 g 5.99 29, 500 g 17.50 85 | Cardamom, ginger, clove and black pepper over a malty base.
tea | Camomile Flowers | Tumbledown | tin | 60 g 4.49 33 | Whole flower heads for a quiet evening.
tea | Paper Tea Sacks | Tumbledown | box | 100 pieces 3.29 70 | Fill-your-own sacks, compostable at home.
tea | شاي بالنعناع | Tumbledown | tin | 100 g 4.89 30 | Moroccan style mint tea; the label is in Arabic.
dog | Chicken Kibble | Barkley Row | sack | 2 kg 11.90 17, 6 kg 31.50 42, 12 kg 56.00 78 | Complete dry food for adult dogs with 40 % chicken.
dog | Salmon Kibble | Barkley Row | sack | 2 kg 13.50 18, 6 kg 35.90 44 | Grain free with salmon and sweet potato, for sensitive stomachs.
dog | Puppy Kibble | Barkley Row | sack | 2 kg 12.50 16, 6 kg 33.00 40 | Small pieces with extra calcium for the first twelve months.
dog | Lamb Trays | Barkley Row | tray | 10 x 150 g 13.90 11, 30 x 150 g 38.00 30 | Wet food in recyclable trays.
dog | Dental Sticks | Barkley Row | box | 28 sticks 8.99 28 | One a day keeps the plaque away.
dog | Liver Treats | Barkley Row | pouch | 250 g 5.49 24 | Air-dried liver, broken into small rewards.
dog | Compost Bags | Mossbeck | box | 120 bags 6.49 40 | Strong, plant based and without scent.
cat | Chicken Bites | Whiskerby | sack | 1.5 kg 9.90 21, 4 kg 22.90 52 | Crunchy complete food for adult cats.
cat | Indoor Bites | Whiskerby | sack | 1.5 kg 10.50 22, 4 kg 24.50 55 | Fewer calories, more fibre, less fur on the sofa.
cat | Tuna Pouches | Whiskerby | tray | 12 x 85 g 7.90 10, 48 x 85 g 28.50 34 | Flaked tuna in jelly.
cat | Wood Litter | Whiskerby | sack | 10 L 6.90 18, 30 L 17.50 45 | Clumping litter from sawmill leftovers.
cat | Salmon Cream | Whiskerby | box | 8 sticks 3.20 15 | A lickable treat that makes friends.
cat | Malt Paste | Whiskerby | tube | 100 g 4.99 50 | Helps with hairballs; cats think that it is a treat.
laundry | Laundry Liquid | Otterwash | bottle | 1 L 5.90 26, 5 L 24.50 105 | Plant based, for colours at 30 degrees. Send the bottle back when it is empty.
laundry | Sensitive Laundry Liquid | Otterwash | bottle | 1 L 6.20 27, 5 L 25.90 108 | No perfume, no dye, no enzymes.
laundry | Fabric Softener | Otterwash | bottle | 1 L 4.50 33, 5 L 18.90 120 | Light linen scent. A little goes a long way.
laundry | Washing Powder | Otterwash | box | 2 kg 8.90 38, 6 kg 23.50 100 | For whites and towels, with oxygen bleach.
laundry | Stain Soap | Otterwash | bar | 200 g 3.50 90 | A bar for collars and grass.
laundry | Oxygen Bleach | Otterwash | pouch | 1 kg 6.40 70 | Percarbonate for soaking. Also brightens tea towels.
laundry | Wool Wash | Otterwash | bottle | 500 ml 5.20 80 | For jumpers, silk and other fragile things.
cleaning | Washing-up Liquid | Otterwash | bottle | 500 ml 2.90 22, 5 L 19.50 150 | Cuts grease, kind to hands. Apple and mint.
cleaning | Dishwasher Tablets | Otterwash | box | 30 pieces 6.90 28, 90 pieces 18.50 78 | Plastic-free tablets in a box.
cleaning | Dishwasher Salt | Otterwash | pouch | 2 kg 3.20 75 | Coarse salt, the whole trick against limescale.
cleaning | Rinse Aid | Otterwash | bottle | 500 ml 3.60 65 | Citric rinse aid for clear glasses.
cleaning | All-purpose Cleaner | Otterwash | bottle | 750 ml 3.40 40, 5 L 17.90 160 | Orange oil. For worktops, doors and sticky fingers.
cleaning | Bathroom Cleaner | Otterwash | bottle | 750 ml 3.70 42 | Removes limescale without the smell of a swimming pool.
cleaning | Toilet Cleaner | Otterwash | bottle | 750 ml 3.30 35 | Pine and lactic acid.
cleaning | Glass Spray | Otterwash | bottle | 500 ml 3.10 75 | No streaks if you use less than you think.
cleaning | Scrub Sponges | Mossbeck | box | 4 pieces 3.90 45 | Cellulose and sisal.
cleaning | Bin Liners | Mossbeck | box | 30 L 4.20 38, 60 L 5.60 50 | Compostable liners that hold.
cleaning | Toilet Roll | Mossbeck | box | 24 rolls 14.90 30, 48 rolls 27.50 58 | Bamboo, three ply, wrapped in paper.
cleaning | Kitchen Roll | Mossbeck | box | 8 rolls 9.90 36 | Two ply bamboo, half sheets.
cleaning | Lemon Soap <img src=x onerror=alert(document.domain)> | Otterwash | bottle | 500 ml 3.00 0 | <script>alert("catalog")</script>A supplier pasted its web page into the title.
skin | Hand Soap | Fernleigh | bottle | 500 ml 4.60 24, 5 L 29.00 170 | Rosemary and mint. Fits our glass pump.
skin | Body Wash | Fernleigh | bottle | 500 ml 5.90 30, 2 L 19.50 95 | Oat and neroli, without sulphates.
skin | Day Cream Refill | Fernleigh | jar | 50 ml 12.90 48 | Light cream with jojoba; click the pod into the jar.
skin | Night Cream Refill | Fernleigh | jar | 50 ml 14.90 55 | Richer, with shea and evening primrose.
skin | Cleansing Balm | Fernleigh | jar | 90 g 13.50 60 | Takes off the day, mascara too.
skin | Face Oil | Fernleigh | dropper | 30 ml 15.90 65 | Rosehip and squalane, four drops at night.
skin | Sun Cream SPF 30 | Fernleigh | tube | 150 ml 13.90 0 | Mineral filter, no white cast.
skin | Deodorant Refill | Fernleigh | bar | Cedar 6.90 42, Citrus 6.90 42, Unscented 6.90 44 | Slides into the case you have.
skin | Toothpaste Tabs | Fernleigh | pouch | 125 pieces 6.20 32, 500 pieces 21.00 115 | Chew, brush, done.
skin | Bath Salts 🌈🛁 | Fernleigh | pouch | 1 kg 7.90 50 | Sea salt with lavender, and yes, it fizzes ✨
hair | Shampoo | Fernleigh | bottle | 500 ml 7.20 38, 2 L 24.90 130 | For every day. Nettle and pine.
hair | Moisture Shampoo | Fernleigh | bottle | 500 ml 7.90 36, 2 L 26.90 125 | For dry and curly hair.
hair | Conditioner | Fernleigh | bottle | 500 ml 7.50 40, 2 L 25.50 140 | Softens without weight.
hair | Shampoo Bar | Fernleigh | bar | Nettle 6.50 50, Rose 6.50 50 | Two bottles in a bar.
hair | Hair Mask | Fernleigh | jar | 200 ml 10.90 62 | Once a week for ten minutes.
hair | Beard Oil | Fernleigh | dropper | 30 ml 9.90 58 | Cedar and black pepper.
pantry | Porridge Oats | Mossbeck | sack | 1 kg 2.40 18, 5 kg 9.90 70 | Whole rolled oats from one mill.
pantry | Crunchy Granola | Mossbeck | pouch | 500 g 5.40 14, 2 kg 18.90 48 | Baked with honey and sunflower seeds.
pantry | Basmati Rice | Mossbeck | sack | 1 kg 3.60 28, 5 kg 15.90 110 | Aged grain, long and separate.
pantry | Red Lentils | Mossbeck | pouch | 1 kg 3.20 40 | They cook in fifteen minutes.
pantry | Penne | Mossbeck | box | 500 g 1.60 12, 3 kg 7.90 55 | Bronze-cut durum wheat.
pantry | Passata | Mossbeck | bottle | 700 g 1.90 13, 6 x 700 g 10.20 52 | Sieved tomatoes in a bottle that comes back.
pantry | Olive Oil | Mossbeck | bottle | 500 ml 8.90 33, 3 L 42.00 150 | Early harvest, peppery. Refill from the can.
pantry | Sunflower Oil | Mossbeck | bottle | 1 L 3.90 45 | Cold pressed for frying.
pantry | Almonds | Mossbeck | pouch | 500 g 7.40 25, 1 kg 13.90 46 | Whole and unsalted.
pantry | Peanut Butter | Pennywort | jar | 340 g 3.80 19, 1 kg 8.90 50 | Peanuts and a little salt. Stir first.
pantry | Wildflower Honey | Pennywort | jar | 340 g 5.90 38 | Runny, from hedgerows.
pantry | Dark Chocolate | Pennywort | bar | 100 g 2.60 10, 10 x 100 g 23.00 60 | 72 % with sea salt.
pantry | Strong Flour | Mossbeck | sack | 1.5 kg 2.70 27, 16 kg 21.90 180 | Bread flour, stone ground.
pantry | Sea Salt | Mossbeck | pouch | 500 g 2.20 100 | Flakes from a tidal pool.
pantry | Maple Syrup | Pennywort | bottle | 250 ml 6.40 48 | Dark and proper.
kitchen | Travel Cup | Kettlewick | cup | Slate / 12 oz 16.00 0, Sage / 12 oz 16.00 0, Slate / 16 oz 18.00 0, Sage / 16 oz 18.00 0 | Steel, two walls, closes tight.
kitchen | Pump Bottle | Otterwash | bottle | Amber 7.50 0, Clear 7.50 0 | Half a litre of glass for refills.
kitchen | Storage Jar | Mossbeck | jar | 0.5 L 5.50 0, 1 L 6.90 0, 2 L 9.50 0 | Glass with a cork lid.
kitchen | Cotton Bags | Mossbeck | pouch | 3 pieces 6.90 0 | For bread, fruit and what falls out of other bags.
kitchen | Wax Wraps | Mossbeck | box | 3 sizes 9.90 0 | Beeswax on cotton, lasts a year.
kitchen | Water Filter | Otterwash | box | 1 piece 6.90 31, 6 pieces 34.00 0 | Cartridge for jugs, thirty days each.
kitchen | Dish Brush Head | Mossbeck | box | 2 pieces 4.20 60 | Replacement heads for the beech brush.
kitchen | Starter Kit - Kitchen | Otterwash | box | 29.00 0 | Everything under the sink in one box.
kitchen | {long} | Mossbeck | box | 39.00 0 | Somebody put the whole description into the title.
"""

LONG_TITLE = (
    "The Complete Zero Waste Kitchen Starter Collection with Two Glass Pump Bottles, Four Cellulose Sponges, One Beech "
    "Dish Brush, Three Cotton Bags, Six Wax Wraps and a Handwritten Guide to Refilling"
)
OUT_OF_STOCK = (
    "TE-GREENGUN-125",
    "DG-LAMBTRAY-30",
    "SK-NIGHTCRE-50",
    "CL-GLASSSPR-500",
    "PA-ALMONDS-1",
    "KI-TRAVELCU-SAGE16",
)
HIDDEN = "PA-SEASALT-500"
DUPLICATED = "LA-STAINSOA-200"
PADDED = "SK-SUNCREAM-150"  # its availability has a leading blank
PREORDER = "KI-STARTERK"
NUMERIC_IDS = {  # old ids that a spreadsheet would eat
    "DG-CHICKENK-6": "00731",
    "CL-TOILETRO-24": "0042",
    "LA-LAUNDRYL-1": "0108",
    "PA-PASSATA-700": "0009",
}
SALE_WINDOWS = {
    "current": "2026-11-13T00:00+00:00/2026-11-27T23:59+00:00",
    "expired": "2026-06-01T00:00+01:00/2026-06-14T23:59+01:00",
    "none": "",
}
ON_SALE = {
    "current": (1, 14, 27, 45, 61, 78, 96, 110, 125, 139),
    "expired": (5, 33, 58, 83, 104, 132),
    "none": (9, 38, 66, 90, 118, 144),
}


@dataclass(frozen=True, kw_only=True)
class Product:
    """One row of the catalog: a variant that can be sent, with what the simulation knows about it."""

    retailer_id: str
    group: str
    shelf: str
    title: str
    option: str
    brand: str
    drawing: str
    description: str
    price: float
    days: int
    image: str

    @property
    def line_name(self) -> str:
        """The product as an order line names it: the title, then the options."""
        return f"{self.title} - {self.option}" if self.option else self.title

    @property
    def category(self) -> Category:
        """The shelf's facts."""
        return CATEGORIES[self.shelf]


def products() -> list[Product]:
    """Return every product in the order of the shelves, one a variant."""
    found = []
    for number, line in enumerate(SHELF.replace("{long}", LONG_TITLE).strip().splitlines(), start=101):
        shelf, title, brand, drawing, variants, description = (part.strip() for part in line.split(" | "))
        parsed = [_variant(text) for text in variants.split(", ")]
        for option, price, days in parsed:
            retailer_id = _retailer_id(CATEGORIES[shelf].prefix, title, option, number)
            found.append(
                Product(
                    retailer_id=NUMERIC_IDS.get(retailer_id, retailer_id),
                    group=f"g{number}" if len(parsed) > 1 else "",
                    shelf=shelf,
                    title=title,
                    option=option,
                    brand=brand,
                    drawing=drawing,
                    description=description,
                    price=price,
                    days=days,
                    image=f"{retailer_id.lower()}.png",
                )
            )
    return found


def _variant(text: str) -> tuple[str, float, int]:
    *option, price, days = text.split(" ")
    return " ".join(option), float(price), int(days)


def _retailer_id(prefix: str, title: str, option: str, number: int) -> str:
    word = re.sub(r"[^A-Z]", "", title.partition("<")[0].upper())[:8] or f"N{number}"
    size = re.match(r"(?:\w+ x )?[\w.]+", option)
    colour = option.partition(" / ")
    tail = f"{colour[0]}{colour[2][:2]}" if colour[1] else (size[0].partition(" ")[0] if size else "")
    return "-".join(filter(None, (prefix, word, tail.upper().replace(".", ""))))


HELP = {  # the row above the header, in the language of whoever downloaded the file
    "id": "# Obligatorio | Un código propio y único para cada artículo, de 100 caracteres como máximo.",
    "title": "# Obligatorio | El nombre del artículo, sin mayúsculas de más. Hasta 200 caracteres.",
    "description": "# Obligatorio | Qué es y para qué sirve, en texto sin formato.",
    "availability": "# Obligatorio | Si se puede comprar ahora. | Valores: in stock; out of stock",
    "condition": "# Obligatorio | El estado del artículo. | Valores: new; used",
    "price": "# Obligatorio | Importe, espacio y moneda. Usa punto para los decimales: 7.99 GBP",
    "link": "# Obligatorio | La página donde se compra el artículo.",
    "image_link": "# Obligatorio | La dirección de la foto principal, 500 x 500 píxeles o más.",
    "brand": "# Obligatorio | La marca, o un código del fabricante.",
}
COLUMNS = [
    *HELP, "google_product_category", "fb_product_category", "quantity_to_sell_on_facebook", "sale_price",
    "sale_price_effective_date", "item_group_id", "gender", "color", "size", "age_group", "material", "pattern",
    "shipping", "shipping_weight", "gtin", "video[0].url", "video[0].tag[0]", "product_tags[0]", "product_tags[1]",
    "style[0]", "product_type", "visibility",
]  # fmt: skip


def export(shop: list[Product]) -> str:
    """Return the text of the catalog export, without its byte-order mark."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="")
    writer.writerow({column: HELP.get(column, "# Opcional | Puedes dejarlo en blanco.") for column in COLUMNS})
    writer.writeheader()
    for position, product in enumerate(shop):
        row = _row(product, position)
        writer.writerow(row)
        if product.retailer_id == DUPLICATED:
            writer.writerow(row | {"title": f"{product.title} (old label)", "price": "3.20 GBP"})
    return text.getvalue()


def _row(product: Product, position: int) -> dict[str, str]:
    colour, _, size = product.option.rpartition(" / ")
    is_colour = bool(product.option) and not any(map(str.isdigit, product.option))
    return {
        "id": product.retailer_id,
        "title": product.title,
        "description": product.description,
        "availability": _availability(product.retailer_id),
        "condition": "new",
        "price": f"{product.price:.2f} GBP",
        "link": f"{SITE}/products/{product.image.removesuffix('.png')}",
        "image_link": f"{SITE}/images/{product.image}",
        "brand": product.brand,
        "google_product_category": product.category.google,
        "item_group_id": product.group,
        "color": size if is_colour else colour,
        "size": "" if is_colour else size,
        "product_tags[0]": product.shelf,
        "product_type": product.category.product_type,
        "visibility": "hidden" if product.retailer_id == HIDDEN else "published",
    } | _sale(product.price, position)


def _availability(retailer_id: str) -> str:
    if retailer_id in OUT_OF_STOCK:
        return "out of stock"
    return {PADDED: " in stock", PREORDER: "preorder"}.get(retailer_id, "in stock")


def _sale(price: float, position: int) -> dict[str, str]:
    for window, positions in ON_SALE.items():
        if position in positions:
            reduced = round(price * 0.85, 1) - 0.01
            return {"sale_price": f"{reduced:.2f} GBP", "sale_price_effective_date": SALE_WINDOWS[window]}
    return {}
