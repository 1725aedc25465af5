# ruff: noqa: RUF001  # headers in other alphabets
"""WooCommerce product exports in every language of the dictionary, with the quirks of its exporter."""

from decimal import Decimal

import pytest

from tests.shop_files import codes, read, write
from wa_products.exports.names import normal
from wa_products.exports.translations import NAMES, attribute_of

FIELDS = (
    *("id", "type", "sku", "name", "published", "visibility", "short", "description", "starts", "ends", "in_stock"),
    *("stock", "sale", "regular", "categories", "images", "parent", "attribute", "value"),
)
ENGLISH = (
    *("ID", "Type", "SKU", "Name", "Published", "Visibility in catalog", "Short description", "Description"),
    *("Date sale price starts", "Date sale price ends", "In stock?", "Stock", "Sale price", "Regular price"),
    *("Categories", "Images", "Parent", "Attribute 1 name", "Attribute 1 value(s)"),
)
HEADERS = {
    "en": ENGLISH,
    "en_GB": tuple(name.replace("in catalog", "in catalogue").upper() for name in ENGLISH),
    "de": (
        *("ID", "Typ", "Artikelnummer", "Name", "Veröffentlicht", "Sichtbarkeit im Katalog", "Kurzbeschreibung"),
        *("Beschreibung", "Datum, an dem Angebotspreis beginnt", "Datum, an dem Angebotspreis endet", "Vorrätig?"),
        *("Bestand", "Angebotspreis", "Regulärer Preis", "Kategorien", "Bilder", "Übergeordnetes Produkt"),
        *("Attribut 1 Name", "Attribut 1 Wert(e)"),
    ),
    "es": (
        *("ID", "Tipo", "SKU", "Nombre", "Publicado", "Visibilidad en el catálogo", "Descripción corta", "Descripción"),
        *("Día en que empieza el precio rebajado", "Día en que termina el precio rebajado", "¿Existencias?"),
        *("Inventario", "Precio rebajado", "Precio normal", "Categorías", "Imágenes", "Superior"),
        *("Nombre del atributo 1", "Valor(es) del atributo 1"),
    ),
    "fr": (
        *("ID", "Type", "UGS", "Nom", "Publié", "Visibilité dans le catalogue", "Description courte", "Description"),
        *("Date de début de promo", "Date de fin de promo", "En stock ?", "Stock", "Tarif promo", "Tarif régulier"),
        *("Catégories", "Images", "Parent", "Nom de l’attribut 1", "Valeur(s) de l’attribut 1 "),
    ),
    "it": (
        *("ID", "Tipo", "COD", "Nome", "Pubblicato", "Visibilità nel catalogo", "Breve descrizione", "Descrizione"),
        *("Data di partenza del prezzo in saldo", "Data in cui termina l'offerta", "In stock?", "Magazzino"),
        *("Prezzo in offerta", "Prezzo di listino", "Categorie", "Immagine", "Genitore"),
        *("Nome dell'attributo 1", "Valore dell'attributo 1"),
    ),
    "nl": (
        *("ID", "Type", "Artikelnummer", "Naam", "Gepubliceerd", "Zichtbaarheid in catalogus", "Korte omschrijving"),
        *("Beschrijving", "Startdatum actieprijs", "Einddatum actieprijs", "Op voorraad?", "Voorraad", "Actieprijs"),
        *("Reguliere prijs", "Categorieën", "Afbeeldingen", "Hoofd", "Naam eigenschap 1", "Waarde eigenschap 1"),
    ),
    "pt_BR": (
        *("ID", "Tipo", "SKU", "Nome", "Publicado", "Visibilidade no catálogo", "Descrição curta", "Descrição"),
        *("Data de preço promocional começa em", "Data de preço promocional termina em", "Em estoque?", "Estoque"),
        *("Preço promocional", "Preço", "Categorias", "Imagens", "Ascendente"),
        *("Nome do atributo 1", "Valores do atributo 1"),
    ),
    "ru": (
        *("ID", "Тип", "Артикул", "Имя", "Опубликован", "Видимость в каталоге", "Короткое описание", "Описание"),
        *("Дата начала действия продажной цены", "Дата окончания действия продажной цены", "Наличие", "Запасы"),
        *("Цена распродажи", "Базовая цена", "Категории", "Изображения", "Родительский"),
        *("Имя атрибута 1", "Значение(-я) аттрибута(-ов) 1"),
    ),
    "pl": (
        *("ID", "Typ", "SKU", "Nazwa", "Opublikowano", "Widoczność w katalogu", "Krótki opis", "Opis"),
        *("Data rozpoczęcia promocji", "Data zakończenia promocji", "W magazynie?", "Stan magazynowy"),
        *("Cena promocyjna", "Cena", "Kategorie", "Obrazki", "Element nadrzędny"),
        *("Nazwa atrybutu 1", "Wartości atrybutu 1"),
    ),
    "tr": (
        *("Kimlik", "Tür", "Stok kodu (SKU)", "İsim", "Yayımlanmış", "Katalogda görünürlük", "Kısa açıklama"),
        *("Açıklama", "İndirimli fiyatın başladığı tarih", "İndirimli fiyatın bittiği tarih", "Stokta?", "Stok"),
        *("İndirimli satış fiyatı", "Normal fiyat", "Kategoriler", "Görseller", "Ebeveyn"),
        *("Nitelik 1 ismi", "Nitelik 1 değer(ler)i"),
    ),
    "ar": (
        *("المعرّف", "النوع", "رمز المنتج", "الاسم", "منشور", "الظهور في الكتالوج", "وصف قصير", "الوصف"),
        *("تاريخ بدء سعر التخفيض", "تاريخ انتهاء سعر التخفيض", "متوفر في المخزون؟", "المخزون", "سعر التخفيض"),
        *("السعر العادي", "التصنيفات", "الصور", "الأصل", "اسم السمة 1", "قيمة (قيم) السمة 1"),
    ),
    "id": (
        *("ID", "Tipe", "SKU", "Nama", "Diterbitkan", "Visibilitas di katalog", "Deskripsi singkat", "Deskripsi"),
        *("Tanggal mulai harga obral", "Tanggal berakhir harga obral", "Stok tersedia?", "Stok", "Harga obral"),
        *("Harga normal", "Kategori", "Gambar", "Induk", "Nama atribut 1", "Nilai atribut 1"),
    ),
}
SIMPLE = {
    "id": "7",
    "type": "simple",
    "sku": "00042",
    "name": "Tea",
    "published": "1",
    "visibility": "visible",
    "description": r"<b>Green</b>\nleaves, first line\nsecond",
    "in_stock": "1",
    "stock": "4",
    "regular": "1234,50",
    "sale": "999,90",
    "starts": "2026-11-19 00:00:00",
    "ends": "2026-11-21",
    "categories": r"Drinks > Tea\, green, Offers",
    "images": "https://shop.example/tea.jpg, https://shop.example/tea-2.jpg",
}
VARIABLE = {
    "id": "20",
    "type": "variable",
    "sku": "hood",
    "name": "Hoodie",
    "published": "1",
    "description": "<p>Warm</p>",
    "categories": "Clothes",
    "images": "https://shop.example/hood.jpg",
    "attribute": "Colour",
    "value": "Blue, Red",
    "in_stock": "1",
}
BLUE = {
    "id": "21",
    "type": "variation, downloadable, virtual",
    "sku": "'-5A",
    "published": "1",
    "in_stock": "1",
    "regular": "45,00",
    "parent": "id:20",
    "attribute": "Colour",
    "value": "Blue",
}
RED = BLUE | {"id": "22", "sku": "", "name": "Hoodie - Red", "parent": "hood", "value": "Red", "in_stock": "0"}
ROWS = [SIMPLE, VARIABLE, BLUE, RED]


def export(path, rows=ROWS, language="en", **changes):
    """Write a WooCommerce export of `rows`, dicts by field, in a language; return its path."""
    names = dict(zip(FIELDS, HEADERS[language], strict=True))
    given = [{names[field]: value for field, value in row.items()} for row in rows]
    return write(path / "products.csv", list(names.values()), given, **changes)


@pytest.mark.parametrize("language", HEADERS)
def test_header_of_each_language(language, tmp_path):
    """In each language the same products are read as in English, every field of them."""
    catalog, _ = read(export(tmp_path, language=language))
    other, _ = read(export(tmp_path))
    here = [name for name in other.columns if name not in HEADERS["en"]]
    assert here == [name for name in catalog.columns if name not in {given.strip() for given in HEADERS[language]}]
    assert catalog[here].equals(other[here])


def test_each_name_means_one_field():
    """No column name of the dictionary stands for two fields, whatever its language."""
    meanings = {}
    for field, names in NAMES.items():
        for name in names:
            assert meanings.setdefault(normal(name), field) == field


@pytest.mark.parametrize("language", HEADERS)
def test_attribute_columns_are_known(language):
    """The name and the value of an attribute are told apart in each language, with its number."""
    name, value = HEADERS[language][-2:]
    assert attribute_of(name.replace("1", "12")) == ("name", 12)
    assert attribute_of(value) == ("value", 1)


def test_junk_before_the_mark(tmp_path):
    """A line end, a tab and a mark before a Russian header are no part of it."""
    catalog, _ = read(export(tmp_path, language="ru", head="\n\t\ufeff"))
    assert list(catalog.index) == ["7", "20", "21", "22"]


def test_variations_are_sold_and_their_parent_is_not(tmp_path):
    """A variation has its parent's title, text, category and picture; the parent needs no price and cannot be sent."""
    catalog, issues = read(export(tmp_path))
    assert catalog.loc["20", "not_sendable_reason"] == "parent of variants"
    assert "price_missing" not in codes(issues)
    assert list(catalog.loc[["21", "22"], "title"]) == ["Hoodie - Blue", "Hoodie - Red"]
    assert set(catalog.loc[["21", "22"], "description"]) == {"Warm"}
    assert set(catalog.loc[["21", "22"], "item_group_id"]) == {"20"}
    assert set(catalog.loc[["21", "22"], "image_link"]) == {"https://shop.example/hood.jpg"}
    assert list(catalog.loc[["21", "22"], "options"]) == ["Blue", "Red"]
    assert list(catalog.loc[["21", "22"], "not_sendable_reason"]) == ["no Meta catalog", "out of stock"]


def test_the_exporters_escapes_are_undone(tmp_path):
    r"""An apostrophe before a formula sign, a literal \n and a comma inside a list are read as they were meant."""
    catalog, _ = read(export(tmp_path))
    assert list(catalog["sku"]) == ["00042", "hood", "-5A", ""]
    assert catalog.loc["7", "description"] == "Green\nleaves, first line\nsecond"
    assert catalog.loc["7", "product_type"] == "Drinks > Tea, green"
    assert catalog.loc["7", "additional_image_link"] == "https://shop.example/tea-2.jpg"


def test_decimal_comma_and_shop_time(tmp_path):
    """Prices with a decimal comma are exact; a sale holds between days of the shop's own zone."""
    catalog, _ = read(export(tmp_path), timezone="Europe/Berlin")
    assert (catalog.loc["7", "price"], catalog.loc["7", "sale_price"]) == (Decimal("1234.50"), Decimal("999.90"))
    assert catalog.loc["7", "sale_starts_at"].isoformat() == "2026-11-18T23:00:00+00:00"
    assert catalog.loc["7", "sale_ends_at"].isoformat() == "2026-11-21T22:59:00+00:00"


def test_sale_times_without_zone_are_said(tmp_path):
    """Where nobody names the shop's zone, the sale's times are read as UTC with a warning."""
    _, issues = read(export(tmp_path), timezone="")
    assert "sale_window_without_zone" in codes(issues)


@pytest.mark.parametrize(("said", "reason"), [("'-1", "draft"), ("-1", "draft"), ("0", "hidden"), ("maybe", "hidden")])
def test_unpublished_parent_hides_its_variations(said, reason, tmp_path):
    """A published variation of a draft or private product is not shown."""
    catalog, issues = read(export(tmp_path, [VARIABLE | {"published": said}, BLUE]))
    assert catalog.loc["21", "visibility"] == reason
    assert catalog.loc["21", "not_sendable_reason"] == reason
    assert ("published_unknown" in codes(issues)) == (said == "maybe")


def test_variation_without_its_parent(tmp_path):
    """A variation whose parent is not in the file is kept, cannot be sent and is named with the parent it wants."""
    catalog, issues = read(export(tmp_path, [SIMPLE, BLUE]))
    assert catalog.loc["21", "not_sendable_reason"] == "parent unknown"
    [lost] = issues[issues["code"] == "parent_missing"].to_dict("records")
    assert (lost["row"], lost["line"], lost["value"]) == (2, 3, "id:20")


def test_parent_without_variations(tmp_path):
    """A variable product alone is nothing to send, and is said to have no variations."""
    catalog, issues = read(export(tmp_path, [SIMPLE, VARIABLE]))
    assert catalog.loc["20", "not_sendable_reason"] == "parent of variants"
    assert list(issues[issues["code"] == "parent_without_variants"]["row"]) == [2]


def test_two_parents_of_one_sku_are_none(tmp_path):
    """A variation never takes a parent by a SKU that two products carry."""
    rows = [VARIABLE, VARIABLE | {"id": "30", "name": "Coat"}, RED]
    catalog, issues = read(export(tmp_path, rows))
    assert catalog.loc["22", "not_sendable_reason"] == "parent unknown"
    assert "parent_missing" in codes(issues)


def test_stock_of_the_parent_and_backorders(tmp_path):
    """A variation may keep its parent's stock; on backorder is preorder; nothing said is unknown."""
    rows = [
        VARIABLE | {"in_stock": "0", "stock": "0"},
        BLUE | {"in_stock": "", "stock": "parent"},
        RED | {"in_stock": "backorder"},
        SIMPLE | {"in_stock": "perhaps"},
    ]
    catalog, issues = read(export(tmp_path, rows))
    assert list(catalog["availability"]) == ["out of stock", "out of stock", "preorder", "unknown"]
    assert list(issues[issues["code"] == "availability_unknown"]["value"]) == ["perhaps"]


def test_some_columns_alone(tmp_path):
    """An export of few columns is known, and what it lacks is unknown rather than in stock."""
    header = ["ID", "Тип", "Артикул", "Имя", "Опубликован", "Базовая цена", "Мета: _x"]
    rows = [dict(zip(header, ["5", "simple", "A-1", "Чай", "1", "300", "kept"], strict=True))]
    catalog, issues = read(write(tmp_path / "p.csv", header, rows), currency="RUB")
    assert catalog.loc["5", ["title", "availability", "Мета: _x"]].tolist() == ["Чай", "unknown", "kept"]
    assert catalog.loc["5", "price"] == Decimal(300)
    assert "availability_not_in_file" in codes(issues)


def test_a_plugins_column_of_the_same_name(tmp_path):
    """Where a plugin's column has another name for a field, the exporter's own is used and this is said."""
    header = ["ID", "Type", "Name", "Published", "Regular price", "Brands", "Marca"]
    rows = [dict(zip(header, ["5", "simple", "Tea", "1", "3.00", "Leaf", "Other"], strict=True))]
    catalog, issues = read(write(tmp_path / "p.csv", header, rows))
    assert catalog.loc["5", ["brand", "Marca"]].tolist() == ["Leaf", "Other"]
    assert list(issues[issues["code"] == "two_columns_one_field"]["column"]) == ["Marca"]
