"""
Google Merchant product data (TSV, CSV), under Google's names in the languages in which its templates come.

What Google and Meta name alike is read alike. In its TSV a quote is data: the screen of a TV measures 15".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wa_products.exports.catalogs import build_catalog
from wa_products.exports.contract import Format, Options
from wa_products.exports.formats.meta_catalog import ADDITIONAL, NAMES, named, with_pictures
from wa_products.exports.names import normal, words

if TYPE_CHECKING:
    import pandas as pd

    from wa_products.exports.issues import Found
    from wa_products.exports.tables import Table

GOOGLE = {
    "id": ("id", "identificador", "identifiant", "ID de producto", "item id"),
    "title": ("title", "Titel", "título", "titre", "titolo", "название"),
    "description": ("description", "Beschreibung", "descripción", "descrizione", "beschrijving", "descrição"),
    "price": ("price", "Preis", "precio", "prix", "prezzo", "prijs", "preço", "цена"),
    "sale_price": (
        "sale_price",
        "Sonderangebotspreis",
        "precio de oferta",
        "prix soldé",
        "prezzo scontato",
        "actieprijs",
    ),
    "sale_price_effective_date": (
        *(
            "sale_price_effective_date",
            "Sonderangebotszeitraum",
            "fecha de oferta",
            "période de validité du prix soldé",
        ),
        *("data di validità del prezzo scontato", "ingangsdatum actieprijs"),
    ),
    "availability": (
        *("availability", "Verfügbarkeit", "disponibilidad", "disponibilité", "disponibilità", "beschikbaarheid"),
        *("disponibilidade", "наличие"),
    ),
    "link": ("link", "enlace", "lien"),
    "image_link": (
        *("image_link", "Bildlink", "enlace imagen", "lien image", "link immagine", "afbeeldingslink"),
        *("link da imagem", "ссылка на изображение"),
    ),
    "additional_image_link": ("additional_image_link", "zusätzlicher Bildlink", "enlace imagen adicional"),
    "brand": ("brand", "Marke", "marca", "marque", "merk", "бренд"),
    "item_group_id": ("item_group_id", "Artikelgruppennummer", "identificador de grupo"),
    "product_type": ("product_type", "Produkttyp", "tipo de producto", "catégorie de produit", "tipo di prodotto"),
}
_OWN = words(
    """
    identifier_exists ads_redirect unit_pricing_measure unit_pricing_base_measure availability_date
    google_product_category mobile_link custom_label_0 mpn gtin condition shipping tax multipack is_bundle adult
    expiration_date promotion_id excluded_destination included_destination energy_efficiency_class cost_of_goods_sold
    loyalty_points installment shipping_label product_highlight product_detail size_system size_type
    """
)
FIELDS = {
    field: tuple(dict.fromkeys(name for known in names for name in GOOGLE.get(known, (known,))))
    for field, names in NAMES.items()
}


def read(table: Table, options: Options, found: Found) -> pd.DataFrame:
    """Return the catalog, one row a product."""
    rows = with_pictures(table, GOOGLE[ADDITIONAL])
    return build_catalog(rows, named(rows, FIELDS), options, found)


FORMAT = Format(
    name="a Google Merchant product file",
    readers={"catalog": read},
    required=tuple(GOOGLE[name] for name in ("id", "title", "price", "availability")),
    known=frozenset(normal(name) for names in GOOGLE.values() for name in names) | frozenset(_OWN),
)
