# ruff: noqa: RUF001  # other alphabets are what this module is about
"""
The column names of WooCommerce's product exporter, which writes them in the language of whoever exports.

``NAMES`` holds for each field what it is called in English, German, Spanish, French, Italian, Dutch, Portuguese,
Russian, Polish, Turkish, Arabic and Indonesian, in the wordings of several releases. No name stands for two fields,
so the language need not be known and a header may mix them, as one with columns of plugins does.
"""

from __future__ import annotations

import re

from wa_products.exports.names import normal

NAMES: dict[str, tuple[str, ...]] = {
    "id": ("ID", "Kimlik", "Identifiant", "Identifikator", "Identyfikator", "المعرّف", "معرف", "المعرف"),
    "type": ("Type", "Typ", "Tipo", "Тип", "Tür", "النوع", "نوع", "Tipe", "Jenis"),
    "sku": (
        *(
            "SKU",
            "Artikelnummer",
            "Art.-Nr.",
            "Artikelnummer (SKU)",
            "UGS",
            "COD",
            "Código",
            "REF",
            "Ref",
            "Referência",
        ),
        *("Артикул", "Stok kodu (SKU)", "Stok kodu", "رمز المنتج", "رمز المنتج (SKU)", "رمز التخزين (SKU)"),
    ),
    "gtin": (
        *("GTIN, UPC, EAN, or ISBN", "GTIN, UPC, EAN oder ISBN", "GTIN, UPC, EAN o ISBN", "GTIN, UPC, EAN ou ISBN"),
        *("GTIN, UPC, EAN, o ISBN", "GTIN, UPC, EAN of ISBN", "GTIN, UPC, EAN или ISBN", "GTIN, UPC, EAN lub ISBN"),
        *("GTIN, UPC, EAN veya ISBN", "GTIN أو UPC أو EAN أو ISBN", "GTIN, UPC, EAN, atau ISBN", "GTIN UPC EAN ISBN"),
    ),
    "name": ("Name", "Nombre", "Nom", "Nome", "Naam", "Имя", "Название", "Nazwa", "İsim", "Ad", "الاسم", "Nama"),
    "published": (
        *("Published", "Veröffentlicht", "Publicado", "Publié", "Pubblicato", "Gepubliceerd", "Опубликован"),
        *("Опубликовано", "Opublikowano", "Opublikowany", "Yayımlanmış", "Yayımlandı", "Yayınlanmış", "منشور"),
        *("تم النشر", "Dipublikasikan", "Diterbitkan"),
    ),
    "visibility": (
        *("Visibility in catalog", "Visibility in catalogue", "Sichtbarkeit im Katalog", "Katalogsichtbarkeit"),
        *("Visibilidad en el catálogo", "Visibilité dans le catalogue", "Visibilità nel catalogo"),
        *("Zichtbaarheid in catalogus", "Visibilidade no catálogo", "Видимость в каталоге", "Widoczność w katalogu"),
        *("Katalogda görünürlük", "الظهور في الكتالوج", "الرؤية في الكتالوج", "الظهور في الكاتالوج"),
        *("Visibilitas di katalog", "Visibilitas dalam katalog", "Visibilitas katalog"),
    ),
    "short_description": (
        *("Short description", "Kurzbeschreibung", "Descripción corta", "Description courte", "Breve descrizione"),
        *("Descrizione breve", "Korte omschrijving", "Korte beschrijving", "Descrição curta", "Короткое описание"),
        *("Краткое описание", "Krótki opis", "Kısa açıklama", "وصف قصير", "الوصف القصير", "وصف مختصر"),
        *("Deskripsi singkat", "Deskripsi pendek"),
    ),
    "description": (
        *("Description", "Beschreibung", "Descripción", "Descrizione", "Beschrijving", "Omschrijving", "Descrição"),
        *("Описание", "Opis", "Açıklama", "الوصف", "وصف", "Deskripsi"),
    ),
    "sale_starts": (
        *("Date sale price starts", "Datum, an dem Angebotspreis beginnt", "Datum, an dem der Angebotspreis beginnt"),
        *("Angebotspreis gültig ab", "Día en que empieza el precio rebajado", "Date de début de promo"),
        *("Data di partenza del prezzo in saldo", "Startdatum actieprijs", "Data de preço promocional começa em"),
        *("Дата начала действия продажной цены", "Дата начала действия цены распродажи", "Data rozpoczęcia promocji"),
        *(
            "İndirimli fiyatın başladığı tarih",
            "تاريخ بدء سعر التخفيض",
            "تاريخ بداية سعر التخفيض",
            "تاريخ بدء سعر البيع",
        ),
        *("Tanggal mulai harga obral", "Tanggal harga obral dimulai", "Tanggal mulai harga diskon"),
    ),
    "sale_ends": (
        *("Date sale price ends", "Datum, an dem Angebotspreis endet", "Datum, an dem der Angebotspreis endet"),
        *("Angebotspreis gültig bis", "Día en que termina el precio rebajado", "Date de fin de promo"),
        *("Data in cui termina l'offerta", "Termine data del prezzo di vendita", "Einddatum actieprijs"),
        *("Data de preço promocional termina em", "Дата окончания действия продажной цены"),
        *("Дата окончания действия цены распродажи", "Data zakończenia promocji", "İndirimli fiyatın bittiği tarih"),
        *("تاريخ انتهاء سعر التخفيض", "تاريخ نهاية سعر التخفيض", "تاريخ انتهاء سعر البيع"),
        *("Tanggal berakhir harga obral", "Tanggal harga obral berakhir", "Tanggal berakhir harga diskon"),
    ),
    "in_stock": (
        *(
            "In stock?",
            "Vorrätig?",
            "Auf Lager?",
            "¿Existencias?",
            "¿En inventario?",
            "¿Hay existencias?",
            "En stock ?",
        ),
        *("En inventaire?", "Disponibile?", "Op voorraad?", "Em estoque?", "Em stock?", "В наличии?", "Наличие"),
        *("W magazynie?", "Na stanie?", "Stokta?", "Stokta mı?", "متوفر في المخزون؟", "هل متوفر في المخزون؟"),
        *("متوفر بالمخزون؟", "في المخزون؟", "Stok tersedia?", "Tersedia?", "Ada stok?", "Dalam stok?"),
    ),
    "stock": (
        *("Stock", "Bestand", "Lager", "Lagerbestand", "Inventario", "Inventaire", "Magazzino", "Voorraad", "Estoque"),
        *("Запасы", "Остаток", "Stan magazynowy", "Stok", "المخزون", "مخزون", "الكمية المتوفرة"),
    ),
    "backorders": (
        *("Backorders allowed?", "Lieferrückstände erlaubt?", "Lieferrückstande erlaubt?", "Rückstände erlaubt?"),
        *("¿Permitir reservas de productos agotados?", "Autoriser les commandes de produits en rupture ?"),
        *("Abilita gli ordini arretrati?", "Nabestellingen toestaan?", "São permitidas encomendas?"),
        *("Задержанный заказ возможен?", "Pozwalać na zamówienia oczekujące (na dostawę do magazynu)?"),
        *("Yok satmaya izin?", "Ön Siparişe İzin Ver?", "السماح بالطلب المسبق؟", "هل يُسمح بالطلبات المؤجلة؟"),
        *("Pesanan di muka diizinkan?", "Izinkan pesanan tertunda?"),
    ),
    "sale_price": (
        *("Sale price", "Angebotspreis", "Precio rebajado", "Precio de oferta", "Tarif promo", "Prix promo"),
        *("Prix de vente", "Prezzo in offerta", "Actieprijs", "Preço promocional", "Цена распродажи", "Акционная цена"),
        *("Cena promocyjna", "İndirimli satış fiyatı", "İndirimli fiyat", "سعر التخفيض", "سعر البيع", "السعر المخفض"),
        *("Harga obral", "Harga diskon", "Harga promo"),
    ),
    "regular_price": (
        *("Regular price", "Regulärer Preis", "Normaler Preis", "Precio normal", "Precio regular", "Tarif régulier"),
        *("Prix de base", "Prix régulier", "Prezzo di listino", "Prezzo normale", "Reguliere prijs", "Normale prijs"),
        *("Preço", "Preço normal", "Preço regular", "Базовая цена", "Обычная цена", "Cena", "Cena regularna"),
        *("Normal fiyat", "السعر العادي", "السعر الافتراضي", "السعر الأصلي", "Harga normal", "Harga reguler"),
        *("Harga biasa",),
    ),
    "categories": (
        *(
            "Categories",
            "Kategorien",
            "Categorías",
            "Catégories",
            "Categorie",
            "Categorieën",
            "Categorias",
            "Категории",
        ),
        *("Kategorie", "Kategoriler", "التصنيفات", "تصنيفات", "الأقسام", "Kategori"),
    ),
    "images": (
        *("Images", "Bilder", "Imágenes", "Immagine", "Immagini", "Afbeeldingen", "Imagens", "Изображения", "Obrazki"),
        *("Obrazy", "Görseller", "الصور", "صور", "Gambar"),
    ),
    "parent": (
        *("Parent", "Übergeordnetes Produkt", "Übergeordnet", "Superior", "Principal", "Genitore", "Hoofd"),
        *("Bovenliggend", "Ascendente", "Produto ascendente", "Родительский", "Element nadrzędny", "Nadrzędny"),
        *("Ebeveyn", "المنتج الأب", "الأصل", "أصل", "الأب", "المنتج الرئيسي", "Induk", "Produk induk"),
    ),
    "brands": (
        *("Brands", "Brand", "Marken", "Marke", "Marcas", "Marca", "Marques", "Marque", "Marchi", "Merken", "Бренды"),
        *("Бренд", "Marki", "Markalar", "العلامات التجارية", "Merek"),
    ),
}
_ATTRIBUTE_NAMES = (
    *("Attribute {} name", "Attribut {} Name", "Nombre del atributo {}", "Nom de l’attribut {}", "Attributo {} nome"),
    *("Nome dell'attributo {}", "Naam eigenschap {}", "Nome do atributo {}", "Имя атрибута {}", "Название атрибута {}"),
    *("Nazwa atrybutu {}", "Nitelik {} ismi", "Nitelik {} adı", "اسم السمة {}", "اسم الخاصية {}", "اسم الصفة {}"),
    *("Nama atribut {}", "Atribut {} nama"),
)
_ATTRIBUTE_VALUES = (
    *("Attribute {} value(s)", "Attribut {} Wert(e)", "Valor(es) del atributo {}", "Valeur(s) de l’attribut {}"),
    *("Attributo {} valuta(e)", "Attributo {} valore(i)", "Valore dell'attributo {}", "Waarde eigenschap {}"),
    *("Waarde(n) eigenschap {}", "Valores do atributo {}", "Valor(es) do atributo {}"),
    *("Значение(-я) аттрибута(-ов) {}", "Значение(-я) атрибута(-ов) {}", "Значения атрибута {}"),
    *("Wartości atrybutu {}", "Wartość(-ci) atrybutu {}", "Nitelik {} değer(ler)i", "قيمة السمة {}", "قيم السمة {}"),
    *("قيمة (قيم) السمة {}", "قيمة الخاصية {}", "قيم الخاصية {}", "قيمة (قيم) الخاصية {}"),
    *("Nilai atribut {}", "Atribut {} nilai"),
)


def _pattern(templates: tuple[str, ...]) -> re.Pattern[str]:
    plain = (re.escape(normal(template.format("9999"))).replace("9999", r"(\d+)") for template in templates)
    return re.compile("|".join(f"(?:{each})" for each in plain))


_NAME, _VALUE = _pattern(_ATTRIBUTE_NAMES), _pattern(_ATTRIBUTE_VALUES)


def attribute_of(name: str) -> tuple[str, int]:
    """
    Return what an attribute column holds and its number: ``name``, ``value`` or ``""`` with 0 for another column.

    >>> attribute_of("Attribut 2 Wert(e)"), attribute_of("Имя атрибута 1"), attribute_of("Attribute 1 visible")
    (('value', 2), ('name', 1), ('', 0))
    """
    for kind, pattern in (("name", _NAME), ("value", _VALUE)):
        if match := pattern.fullmatch(normal(name)):
            return kind, int(next(group for group in match.groups() if group))
    return "", 0
