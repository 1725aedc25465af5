"""Orders in any long table."""

from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from tests.exporting import A, B, codes, row_of, table
from tests.workbooks import workbook
from wa_products.errors import DataError
from wa_products.exports import aliases, read_orders
from wa_products.exports.formats import FORMATS, long_orders
from wa_products.exports.listed import each
from wa_products.exports.names import normal
from wa_products.identities import customer_id


@pytest.fixture
def read(tmp_path):
    """Return a function that writes an orders export and reads it back."""

    def read(content, region="GB", timezone="UTC", **options):
        path = tmp_path / "export.dat"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_orders(path, region, timezone, **options)

    return read


LANGUAGES = {
    "de": (
        "Bestellnummer",
        "Telefonnummer",
        "Bestelldatum",
        "Artikelname",
        "Menge",
        "Einzelpreis",
        "Währung",
        "Bestellstatus",
    ),
    "es": (
        "Nº de pedido",
        "Teléfono",
        "Fecha del pedido",
        "Nombre del producto",
        "Cantidad",
        "Precio unitario",
        "Moneda",
        "Estado",
    ),
    "fr": (
        "Numéro de commande",
        "Téléphone",
        "Date de commande",
        "Nom du produit",
        "Quantité",
        "Prix unitaire",
        "Devise",
        "Statut",
    ),
    "it": (
        "Numero d'ordine",
        "Cellulare",
        "Data ordine",
        "Nome prodotto",
        "Quantità",
        "Prezzo unitario",
        "Valuta",
        "Stato",
    ),
    "pt": (
        "Número do pedido",
        "Celular",
        "Data do pedido",
        "Nome do produto",
        "Quantidade",
        "Preço unitário",
        "Moeda",
        "Situação",
    ),
    "nl": (
        "Bestelnummer",
        "Telefoonnummer",
        "Besteldatum",
        "Productnaam",
        "Aantal",
        "Stukprijs",
        "Valuta",
        "Bestelstatus",
    ),
    "ru": (
        "Номер заказа",
        "Телефон",
        "Дата заказа",
        "Название товара",
        "Количество",
        "Цена",
        "Валюта",
        "Статус заказа",
    ),
    "tr": (
        "Sipariş No",
        "Cep Telefonu",
        "Sipariş Tarihi",
        "Ürün Ad\u0131",
        "Adet",
        "Birim Fiyat",
        "Para Birimi",
        "Sipariş Durumu",
    ),
    "id": (
        "Nomor Pesanan",
        "Nomor HP",
        "Tanggal Pesanan",
        "Nama Produk",
        "Jumlah",
        "Harga Satuan",
        "Mata Uang",
        "Status Pesanan",
    ),
    "ar": ("رقم الطلب", "رقم الهاتف", "تاريخ الطلب", "اسم المنتج", "الكمية", "السعر", "العملة", "حالة الطلب"),
}


@pytest.mark.parametrize("names", LANGUAGES.values(), ids=LANGUAGES)
def test_columns_have_names_in_ten_languages(read, names):
    """Nobody renames a column: number, phone, time, title, quantity, price, currency and status are found."""
    rows = [("#7", "07700 900201", "2026-05-16 10:00", "Tea", "2", "3,50", "EUR", "ok")]
    orders, _ = read(table(names, *rows, delimiter=";"))
    found = orders.loc[0, ["order_id", "phone", "title", "quantity", "unit_price", "currency", "status"]].tolist()
    assert found == ["#7", A, "Tea", 2, Decimal("3.50"), "EUR", "ok"]


CANCELLED = (
    "Storniert",
    "Cancelado",
    "Annulée",
    "Annullato",
    "Geannuleerd",
    "Отменён",
    "İptal edildi",
    "Dibatalkan",
    "ملغي",
)


@pytest.mark.parametrize("status", CANCELLED)
def test_cancelled_in_any_language_is_no_purchase(read, status):
    """A status in the shop's language counts like the English one."""
    orders, issues = read(table(("phone", "date", "sku", "status"), (A, "2026-05-16", "t", status)))
    assert not orders["is_purchase"][0]
    assert "1 orders: cancelled" in set(issues["value"])


def test_two_columns_for_one_field_are_asked_about(read):
    """Two phones under two names that differ: the error names both, and nothing is chosen."""
    with pytest.raises(DataError, match=r"'phone'.*'mobile'"):
        read(table(("phone", "mobile", "date", "sku"), (A, B, "2026-05-16", "t")))
    with pytest.raises(DataError, match=r"'order_date'.*'created_at'"):
        read(table(("phone", "order_date", "created_at", "sku"), (A, "2026-05-16", "2026-05-17", "t")))
    orders, _ = read(table(("phone", "mobile", "date", "sku"), (A, A, "2026-05-16", "t")))
    assert list(orders["phone"]) == [A]


def test_names_mean_one_field_each():
    """No name stands for two fields, so that no column can be read as two things."""
    fields = {name: value for name, value in vars(aliases).items() if name.isupper() and isinstance(value, tuple)}
    places = pd.Series([(normal(word), field) for field, words in fields.items() for word in set(map(normal, words))])
    names = places.str[0]
    assert sorted(set(names[names.duplicated()])) == []


def test_billing_and_shipping_phones_are_no_such_case(read):
    """Phone, shipping and billing phone are three fields; the first that holds a number counts, others are flagged."""
    names = ("phone", "shipping_phone", "billing_phone", "country", "date", "sku")
    orders, issues = read(
        table(names, ("", "07700 900202", A, "GB", "2026-05-16", "t"), ("x", "", B, "GB", "2026-05-16", "t"))
    )
    assert list(orders["phone"]) == [B, B]
    assert {"phones_differ", "phone_unreadable"} <= codes(issues)


def test_a_total_at_the_foot_is_no_order(read):
    """The last row that only sums up is set aside, and blank rows are not counted."""
    orders, issues = read(
        table(
            ("phone", "date", "sku", "quantity"), (A, "2026-05-16", "t", "2"), ("", "", "", ""), ("Total", "", "", "2")
        )
    )
    assert len(orders) == 1
    assert "footer" in codes(issues)


def test_excel_serial_dates_are_reported(read):
    """A date that a spreadsheet made a number is set aside with its value, never read as another time."""
    orders, issues = read(table(("phone", "date", "sku"), (A, "45383.5", "t"), (B, "2026-05-16", "t")))
    assert list(orders["phone"]) == [B]
    assert issues.set_index("code").loc["time_excel_serial", "value"] == "45383.5"


def test_phones_that_excel_ruined_are_reported(read):
    """A number in scientific form has lost its digits: it is no phone, in a phone column and as a wa_id."""
    names = ("wa_id", "phone", "date", "sku")
    orders, issues = read(table(names, ("", "8.80609E+12", "2026-05-16", "t"), ("5,51199E+12", "", "2026-05-17", "t")))
    assert list(orders["phone"]) == ["", ""]
    assert list(issues.loc[issues["code"] == "phone_scientific", "value"]) == ["8.80609E+12", "5,51199E+12"]


def test_no_key_loses_a_character(read):
    """Leading zeros, long numbers and words that look like missing values stay what the file says."""
    names = ("order_id", "customer_id", "product_id", "sku", "date", "product_name")
    orders, _ = read(table(names, ("0007", "00123", "6575323075694000000001", "0000080446392", "2026-05-16", "NA")))
    assert orders.loc[0, ["order_id", "item_id", "sku", "title"]].tolist() == [
        "0007",
        "6575323075694000000001",
        "0000080446392",
        "NA",
    ]
    assert orders["customer_id"][0] == customer_id("shop", "00123")


def test_a_name_is_no_customer(read):
    """Two people may have one name: it makes no customer, while an e-mail or a phone in its place does."""
    names = ("customer", "date", "sku")
    rows = [
        ("Ana Silva", "2026-05-16", "t"),
        ("Ana", "2026-05-17", "t"),
        ("a@example.com", "2026-05-17", "t"),
        (A, "2026-05-18", "t"),
    ]
    orders, issues = read(table(names, *rows))
    assert list(orders["customer_id"]) == [
        "",
        "",
        customer_id("email", "a@example.com"),
        customer_id("phone", A[1:]),
    ]
    assert "customer_is_a_name" in codes(issues)


def test_the_variant_goes_before_the_product(read):
    """What can be sent is the leaf: the variant's id, the product's where there is none."""
    names = ("phone", "date", "product_id", "variation_id")
    orders, _ = read(
        table(names, (A, "2026-05-16", "20", "23"), (A, "2026-05-17", "20", "0"), (A, "2026-05-18", "20", ""))
    )
    assert list(orders["item_id"]) == ["23", "20", "20"]


def test_rows_without_an_order_number_are_grouped_by_customer_and_time(read):
    """The same customer at the same time bought one order; another customer at that time another."""
    rows = [(A, "2026-05-16 10:00", "t"), (A, "2026-05-16 10:00", "u"), (B, "2026-05-16 10:00", "t")]
    orders, _ = read(table(("phone", "date", "sku"), *rows))
    assert orders["order_id"].nunique() == 2
    assert list(orders["line_no"]) == [1, 2, 1]


def test_event_tables_count_purchases_alone(read):
    """In a table of events a view is no purchase, and says so."""
    names = ("timestamp", "event_name", "content_id", "phone", "value")
    orders, issues = read(
        table(names, ("2026-05-16T10:00Z", "ViewContent", "x", A, ""), ("2026-05-16T10:05Z", "Purchase", "x", A, ""))
    )
    assert list(orders["is_purchase"]) == [False, True]
    assert list(orders["product_retailer_id"]) == ["x", "x"]
    assert "1 orders: event ViewContent" in set(issues["value"])


def test_square_items_are_a_long_table(read):
    """Square's items: date and clock in two columns, money with a sign, refunds negative, customers by their id."""
    names = (
        *("Date", "Time", "Time Zone", "Item", "Qty", "SKU", "Gross Sales", "Transaction ID", "Event Type"),
        *("Customer ID", "Customer Name"),
    )
    rows = [
        ("2026-04-05", "10:11:12", "UTC", "Tea", "2", "T1", "$28.00", "tx1", "Payment", "CUST1", "Jo Doe"),
        ("2026-04-06", "10:11:12", "UTC", "Tea", "-1", "T1", "-$14.00", "tx2", "Refund", "CUST1", "Jo Doe"),
    ]
    orders, _ = read(table(names, *rows), currency="USD")
    assert list(orders["ordered_at"].dt.strftime("%H:%M:%S")) == ["10:11:12"] * 2
    assert orders["unit_price"][0] == Decimal(14)
    assert orders["currency"][0] == "USD"
    assert list(orders["is_purchase"]) == [True, False]
    assert set(orders["customer_id"]) == {customer_id("shop", "CUST1")}


def test_etsy_items_are_a_long_table(read):
    """Etsy's sold items, whose order id and transaction id differ, are grouped by the order."""
    names = ("Sale Date", "Item Name", "Buyer", "Quantity", "Price", "Transaction ID", "Order ID", "SKU", "Currency")
    rows = [
        ("2026-05-16", "Mug", "jo99", "1", "9.00", "t1", "o1", "", "EUR"),
        ("2026-05-16", "Cup", "jo99", "1", "5.00", "t2", "o1", "", "EUR"),
    ]
    orders, _ = read(table(names, *rows))
    assert list(orders["order_id"]) == ["o1", "o1"]
    assert set(orders["customer_id"]) == {customer_id("shop", "jo99")}


def test_stripe_is_refused_in_words(read):
    """Payments say what was paid, not what was bought."""
    names = ("id", "Amount", "Fee", "Created (UTC)", "Customer Email", "Description", "Status")
    with pytest.raises(DataError, match="does not say what was sold"):
        read(table(names, ("ch_1", "10.00", "0.30", "2026-05-16 10:00", "a@example.com", "x", "Paid")))


def test_a_table_that_lacks_its_customer_is_told_so(read):
    """An unknown header names the nearest format and what is missing."""
    with pytest.raises(DataError, match="of no known format"):
        read(table(("when", "what", "how_many"), ("2026-05-16", "t", "1")))


def test_parquet_keeps_decimals_times_and_dictionaries(tmp_path):
    """A Parquet table's decimals, zones, days, dictionaries and whole floats come out as what they are."""
    columns = {
        "order_id": pa.array([7, 8], pa.int64()),
        "phone": pa.array([A, B]).dictionary_encode(),
        "date": pa.array([1_780_000_000_123_456_789, None], pa.timestamp("ns", tz="Europe/Madrid")),
        "sku": pa.array(["0042", "0043"]).dictionary_encode(),
        "quantity": pa.array([2.0, float("nan")]),
        "price": pa.array([Decimal("12.50"), Decimal("0.99")], pa.decimal128(9, 2)),
    }
    parquet.write_table(pa.table(columns), tmp_path / "orders.parquet")
    orders, issues = read_orders(tmp_path / "orders.parquet")
    row = orders.loc[0, ["order_id", "phone", "sku", "quantity", "unit_price"]].tolist()
    assert row == ["7", A, "0042", 2, Decimal("12.50")]
    assert orders["ordered_at"][0] == pd.Timestamp(1_780_000_000_123_456, unit="us", tz="UTC")
    assert row_of(issues, "time_missing") == [(2, 2)]


def test_a_workbook_of_orders(tmp_path):
    """A sheet with a title above, date cells, numbers and numbers as text, merged cells and a total reads like text."""
    at = pd.Timestamp("2026-05-16 10:00")
    rows = [
        ["Orders of May"],
        [],
        ["Order", "Phone", "Order date", "SKU", "Quantity", "Price"],
        [1001, 447700900201, at, "0042", 2, 3.5],
        ["", "", "", "0043", "1", "2.50"],
        [1002, "+447700900202", 46158.5, "0042", 1, 3.5],
        ["Total", "", "", "", 4, 13],
    ]
    book = workbook({"Notes": [["How to read this"]], "Orders": rows}, merged=("A4:A5", "B4:B5", "C4:C5"))
    (tmp_path / "orders.xlsx").write_bytes(book)
    orders, issues = read_orders(tmp_path / "orders.xlsx", "GB", "Europe/London")
    found = orders[["order_id", "line_no", "phone", "sku", "quantity"]].to_numpy().tolist()
    assert found == [["1001", 1, A, "0042", 2], ["1001", 2, A, "0043", 1]]
    assert list(orders["unit_price"]) == [Decimal("3.5"), Decimal("2.50")]
    assert set(orders["ordered_at"]) == {pd.Timestamp("2026-05-16T09:00Z")}
    assert row_of(issues, "time_excel_serial") == [(3, 6)]
    assert {"footer", "rows_above_header"} <= codes(issues)


def test_every_format_has_a_name_of_its_own():
    """The names that errors show tell the formats apart."""
    names = [form.name for form in FORMATS]
    assert len(set(names)) == len(names)


def test_the_header_of_a_catalog_is_no_long_table():
    """Titles and prices without a customer and a time are no orders."""
    assert long_orders.FORMAT.score(["id", "title", "price", "availability"]) == 0
    assert long_orders.NAMED.score(["name", "phone", "created_at"]) == 0


@given(st.decimals("0.01", "9999", places=2), st.integers(1, 20))
def test_the_price_of_one_is_written_plainly(total, quantity):
    """What one piece cost is never written so that its decimal sign could mean thousands."""
    written = each(total, Decimal(quantity))
    assert len(written.partition(".")[2]) in {2, 4}
    assert abs(Decimal(written) * quantity - total) <= Decimal("0.0001") * quantity
