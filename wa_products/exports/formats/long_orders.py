"""Any long table of order lines, by the names that shops give its columns: who, what, when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wa_products.exports.columns import Column
from wa_products.exports.contract import Format, Options
from wa_products.exports.names import normal, words
from wa_products.exports.orders import Lines, build_orders

if TYPE_CHECKING:
    from wa_products.exports.issues import Found
    from wa_products.exports.tables import Table

_PHONE = words(
    """
    phone whatsapp whatsapp_number phone_number mobile mobile_phone msisdn celular telefono telefone
    telefon telephone cell customer_phone billing_phone handynummer numero_de_telefono телефон telepon
    cep_telefonu الهاتف
    """
)
_WA_ID = ("wa_id",)
_CUSTOMER = words(
    """
    customer_id client_id user_id customer cliente kunde klant kundennummer id_cliente client клиент
    musteri
    """
)
_EMAIL = ["email", "e_mail", "customer_email", "mail", "correo"]
_ITEM = ["product_retailer_id", "retailer_id", "content_id"]
_ID = words(
    """
    product_id variant_id variation_id item_id article_id artikelnummer id_producto id_produto
    """
)
_SKU = words(
    """
    sku item_sku product_sku seller_sku referencia codigo artikel_nr артикул
    """
)
_TITLE = words(
    """
    title product_name item_name product item name article artikel producto produto prodotto produit
    naam titel titulo nombre товар urun produk المنتج
    """
)
_TIME = words(
    """
    ordered_at created_at order_date order_time date timestamp time datetime purchase_date purchased_at
    sale_date fecha fecha_de_pedido datum bestelldatum data data_do_pedido date_de_commande besteldatum
    дата tarih tanggal التاريخ
    """
)
_QUANTITY = words(
    """
    quantity qty cantidad menge quantidade quantite quantita aantal количество adet jumlah الكمية units
    """
)
_PRICE = words(
    """
    unit_price price item_price precio preis preco prix prezzo prijs цена fiyat harga السعر
    """
)
_ORDER = words(
    """
    order_id order_number order_no order id_pedido pedido bestellnummer numero_de_commande bestelnummer
    """
)
_CURRENCY = words(
    """
    currency moneda wahrung moeda devise valuta валюта para_birimi mata_uang
    """
)
_STATUS = words(
    """
    status order_status estado stato statut bestellstatus financial_status статус durum
    """
)
_COUNTRY = words(
    """
    country country_code billing_country region pais land
    """
)
_NOT_BOUGHT = frozenset(
    words(
        """
    cancelled canceled voided refunded failed expired test draft checkout_draft abandoned
    """
    )
)
_OF_LINE = frozenset({"product_retailer_id", "item_id", "sku", "title", "quantity", "unit_price"})
_ALIASES = (
    _PHONE,
    _WA_ID,
    _CUSTOMER,
    _EMAIL,
    _ITEM,
    _ID,
    _SKU,
    _TITLE,
    _TIME,
    _QUANTITY,
    _PRICE,
    _ORDER,
    _CURRENCY,
    _STATUS,
)


def read(table: Table, options: Options, found: Found) -> pd.DataFrame:
    """Return the order lines; rows without an order number are one order where customer and time are the same."""
    named = {
        "email": _EMAIL,
        "wa_id": _WA_ID,
        "shop_customer": _CUSTOMER,
        "product_retailer_id": _ITEM,
        "item_id": _ID,
        "sku": _SKU,
        "title": _TITLE,
        "ordered_at": _TIME,
        "quantity": _QUANTITY,
        "unit_price": _PRICE,
        "currency": _CURRENCY,
    }
    fields = {field: table.column(*names) for field, names in named.items() if table.names(*names)}
    phone = table.column(*_PHONE)
    order_id = _order_ids(table, fields, phone)
    status = table.column(*_STATUS).recoded(lambda value: normal(value) or "unknown")
    order = order_id.deduplicated().codes
    lines = Lines(
        file=table.file,
        records=table.records,
        line_no=pd.Series(order).groupby(order).cumcount().to_numpy() + 1,
        order=np.arange(len(table)),
        fields={name: fields[name] for name in fields if name in _OF_LINE},
        order_fields={
            **{name: fields[name] for name in fields if name not in _OF_LINE},
            "order_id": order_id,
            "status": status,
            "excluded": status.recoded(lambda value: value if value in _NOT_BOUGHT else ""),
        },
        phones=[("phone", phone, table.column(*_COUNTRY).recoded(_iso))],
    )
    return build_orders(lines, options, found)


def _order_ids(table: Table, fields: dict[str, Column], phone: Column) -> Column:
    given = table.column(*_ORDER)
    if not given.is_blank.any():
        return given
    who = (
        fields.get("wa_id", phone)
        .or_else(phone)
        .or_else(fields.get("shop_customer", phone))
        .or_else(fields.get("email", phone))
        .texts()
    )
    key = who + "\x1f" + fields["ordered_at"].texts()
    made = pd.Series(pd.factorize(key)[0] + 1, dtype="str")
    return given.or_else(Column.of(table.file + ":" + made))


def _iso(country: str) -> str:
    plain = country.strip().upper()
    return plain if len(plain) == len("GB") else ""


FORMAT = Format(
    name="a long table of order lines",
    readers={"orders": read},
    required=((*_PHONE, *_WA_ID, *_CUSTOMER, *_EMAIL), (*_TIME,), (*_ITEM, *_ID, *_SKU, *_TITLE)),
    known=frozenset(normal(name) for names in _ALIASES for name in names),
    wanted=frozenset(normal(name) for names in (*_ALIASES, _COUNTRY) for name in names),
)
