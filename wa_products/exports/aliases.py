"""
What shops call the columns of orders and threads, by field; and the words for orders that were no purchase.

Names are compared by `names.normal`: case, accents, blanks and punctuation do not count. The languages are English,
German, Spanish, French, Italian, Portuguese, Dutch, Russian, Turkish, Indonesian and Arabic.
"""

from __future__ import annotations

from wa_products.exports.names import normal, words


def _names(text: str) -> tuple[str, ...]:
    """Return the names in `text`, each also without its breaks, as in ``orderDate``."""
    return tuple(dict.fromkeys(name for word in words(text) for name in (word, word.replace("_", ""))))


WA_ID = _names("wa_id waid whatsapp_id whatsapp_wa_id from_wa_id contact_wa_id")
USER_ID = _names("bsuid business_scoped_user_id whatsapp_user_id from_user_id contact_bsuid")
WHATSAPP = _names(
    """
    whatsapp whatsapp_number whatsapp_phone whatsapp_phone_number whatsapp_no wa_number wa_phone no_whatsapp
    numero_whatsapp numero_de_whatsapp whatsapp_nummer номер_whatsapp whatsapp_numarasi nomor_whatsapp
    واتساب رقم_الواتساب
    """
)
PHONE = _names(
    """
    phone phone_number phone_no phonenumber customer_phone customer_phone_number contact_phone contact_number
    buyer_phone
    mobile mobile_phone mobile_number cell cell_phone cellphone msisdn telephone telephone_number tel recipient_phone
    telefon telefonnummer handy handynummer mobilnummer mobiltelefon rufnummer kundentelefon
    telefono numero_de_telefono telefono_movil movil celular numero_de_celular telefono_cliente
    telephone_portable numero_de_telephone portable numero_telephone numero_di_telefono cellulare numero_cellulare
    telefone numero_de_telefone telemovel telefone_celular numero_do_telefone telefone_do_cliente
    telefoonnummer telefoon mobiel mobiel_nummer gsm
    телефон номер_телефона мобильный мобильный_телефон телефон_клиента
    telefon_numarasi cep_telefonu cep telefon_no
    telepon nomor_telepon no_telepon nomor_hp no_hp hp nomor_handphone no_telp
    الهاتف رقم_الهاتف هاتف الجوال رقم_الجوال موبايل رقم_الموبايل
    """
)
SHIPPING_PHONE = _names(
    """
    shipping_phone phone_shipping delivery_phone shipping_phone_number telefon_lieferung telefono_envio
    telefono_de_envio
    telephone_livraison telefono_spedizione telefone_entrega telefoon_verzending телефон_доставки teslimat_telefonu
    telepon_pengiriman هاتف_الشحن
    """
)
BILLING_PHONE = _names(
    """
    billing_phone phone_billing billing_phone_number telefon_rechnung telefono_facturacion telefono_de_facturacion
    telephone_facturation telefono_fatturazione telefone_faturamento telefone_cobranca telefoon_facturatie
    телефон_оплаты fatura_telefonu telepon_penagihan هاتف_الفاتورة
    """
)
EMAIL = _names(
    """
    email e_mail mail customer_email email_address buyer_email contact_email user_email
    e_mail_adresse kunden_e_mail correo correo_electronico courriel adresse_e_mail adresse_email
    indirizzo_email posta_elettronica endereco_de_email e_mail_do_cliente e_mailadres
    эл_почта электронная_почта почта e_posta eposta e_posta_adresi surel alamat_email البريد_الالكتروني البريد
    """
)
BILLING_EMAIL = _names("billing_email email_billing")
CUSTOMER = _names(
    """
    customer_id customer_number customer_no customer_key customer_reference_id client_id user_id buyer_id member_id
    shopper_id contact_id
    kundennummer kunden_id kunden_nr kundennr id_cliente codigo_cliente numero_de_cliente id_client numero_client
    code_client codice_cliente numero_cliente id_do_cliente codigo_do_cliente klantnummer klant_id
    id_клиента номер_клиента код_клиента musteri_id musteri_no musteri_numarasi id_pelanggan nomor_pelanggan
    رقم_العميل معرف_العميل
    """
)
BUYER = _names(
    "customer client buyer kunde cliente acheteur klant клиент покупатель musteri pelanggan pembeli العميل الزبون"
)
RETAILER_ID = _names("product_retailer_id retailer_id content_id content_ids catalog_item_id facebook_id meta_id")
VARIANT_ID = _names(
    """
    variant_id variation_id product_variant_id item_variation_id lineitem_variant_id varianten_id id_variante
    id_da_variacao id_variacao id_variazione id_de_variation variatie_id id_вариации varyasyon_id id_variasi
    معرف_المتغير
    """
)
PRODUCT_ID = _names(
    """
    product_id item_id item_product_id lineitem_product_id article_id listing_id produkt_id artikel_id id_producto
    id_del_producto id_articulo id_produit id_article id_du_produit id_prodotto id_articolo id_produto id_do_produto
    id_товара id_продукта код_товара urun_id urun_kimligi id_produk kode_produk معرف_المنتج رقم_المنتج
    """
)
SKU = _names(
    """
    sku item_sku product_sku seller_sku variant_sku lineitem_sku line_item_sku article_number item_number product_code
    item_code stock_code artikelnummer artikel_nr art_nr artikelnr referencia referencia_del_producto codigo
    codigo_producto codigo_articulo reference reference_produit code_article codice codice_articolo codice_prodotto
    referencia_do_produto codigo_do_produto artikelcode productcode артикул stok_kodu urun_kodu kode_barang kode_sku
    رمز_المنتج
    """
)
TITLE = _names(
    """
    product_title product_name item_name item_title line_item_name lineitem_name item_description product_description
    listing_title
    artikelname artikelbezeichnung produktname produktbezeichnung bezeichnung
    nombre_del_producto nombre_producto nombre_del_articulo nombre_articulo
    nom_du_produit nom_produit nom_de_l_article nom_article designation libelle
    nome_prodotto nome_del_prodotto nome_articolo nome_dell_articolo
    nome_do_produto nome_produto nome_do_item nome_do_artigo
    productnaam artikelnaam product_naam artikelomschrijving
    название_товара наименование наименование_товара название
    urun_adi urun_ismi kalem_adi nama_produk nama_barang nama_item
    اسم_المنتج اسم_الصنف
    """
)
ITEM = _names(
    """
    product item article artikel produkt producto articulo produit prodotto articolo produto artigo товар продукт urun
    produk barang المنتج الصنف
    """
)
NAME = _names("title titel titulo titre titolo judul name nombre nom nome naam имя ad nama الاسم")
LINK = _names("product_url product_link item_url link url permalink")
TIME = _names(
    """
    ordered_at order_date order_time order_datetime order_created_at order_created date_ordered date_of_order
    purchase_date purchase_time purchased_at date_purchased sale_date sold_at created_at created created_on
    creation_date date_created date timestamp datetime date_time event_time event_timestamp transaction_date
    transaction_time placed_at
    datum bestelldatum auftragsdatum kaufdatum bestellt_am erstellt_am erstellungsdatum zeitpunkt zeitstempel
    fecha fecha_de_pedido fecha_del_pedido fecha_pedido fecha_de_compra fecha_compra fecha_de_creacion fecha_venta
    fecha_y_hora fecha_hora
    date_de_commande date_commande date_de_la_commande date_d_achat date_achat date_de_creation date_et_heure
    data data_ordine data_dell_ordine data_acquisto data_di_acquisto data_vendita data_creazione data_e_ora
    data_do_pedido data_pedido data_da_compra data_compra data_de_criacao data_da_venda data_e_hora data_hora
    besteldatum orderdatum aankoopdatum datum_bestelling aangemaakt_op besteld_op
    дата дата_заказа дата_покупки дата_создания дата_и_время время_заказа
    tarih siparis_tarihi satin_alma_tarihi olusturma_tarihi satis_tarihi tarih_saat
    tanggal tanggal_pesanan tanggal_order tanggal_pembelian tanggal_transaksi waktu waktu_pesanan
    التاريخ تاريخ_الطلب تاريخ_الشراء تاريخ
    """
)
CLOCK = _names("time uhrzeit hora heure ora tijd время saat jam الوقت")
ZONE = _names("time_zone timezone zeitzone zona_horaria fuseau_horaire fuso_orario fuso_horario tijdzone часовой_пояс")
QUANTITY = _names(
    """
    quantity qty quantity_refund quantity_ordered ordered_quantity item_quantity item_qty lineitem_quantity
    line_item_quantity units count pieces
    menge anzahl stuck stuckzahl bestellmenge cantidad cantidades unidades cant quantite qte nombre_d_articles unites
    quantita qta pezzi unita quantidade qtd qtde unidade aantal hoeveelheid stuks
    количество кол_во колво шт adet miktar jumlah kuantitas qty_pesanan الكمية كمية العدد
    """
)
PRICE = _names(
    """
    unit_price price item_price item_cost price_per_unit unit_cost lineitem_price line_item_price product_price
    sale_price_per_unit selling_price price_each
    preis einzelpreis stuckpreis artikelpreis verkaufspreis precio precio_unitario precio_por_unidad precio_del_articulo
    precio_unidad coste_del_articulo prix prix_unitaire prix_de_l_article cout_de_l_article
    prezzo prezzo_unitario costo_articolo prezzo_articolo preco preco_unitario custo_do_item preco_do_item
    valor_unitario
    prijs stukprijs eenheidsprijs artikelprijs цена цена_за_единицу цена_за_шт стоимость_товара
    fiyat birim_fiyat birim_fiyati urun_fiyati harga harga_satuan harga_barang السعر سعر_الوحدة سعر
    """
)
ORDER_SUBTOTAL = _names("order_subtotal order_subtotal_amount order_items_total")
ORDER_DISCOUNT = _names("order_discount order_discount_amount cart_discount cart_discount_amount discount_total")
LINE_TOTAL = _names(
    """
    line_total item_total gross_sales line_amount total_price item_subtotal lineitem_total line_item_total
    zeilensumme gesamtpreis positionssumme total_linea total_de_linea total_ligne total_riga total_do_item
    regeltotaal сумма_строки satir_toplami total_harga اجمالي_السطر
    """
)
ORDER_ID = _names(
    """
    order_id orderid order id_order id_pedido pedido_id id_del_pedido id_de_pedido id_commande id_de_commande id_ordine
    id_do_pedido bestell_id bestelling_id
    id_заказа siparis_id id_pesanan معرف_الطلب
    """
)
ORDER_NUMBER = _names(
    """
    order_number order_no order_name order_ref order_reference ordernumber
    bestellnummer bestell_nr auftragsnummer auftragsnr bestellung
    pedido numero_de_pedido numero_pedido no_pedido no_de_pedido n_de_pedido num_pedido numero_del_pedido
    numero_de_orden orden
    numero_de_commande commande numero_commande n_commande n_de_commande
    ordine numero_ordine numero_d_ordine n_ordine numero_dell_ordine numero_do_pedido
    bestelnummer ordernummer bestelling заказ номер_заказа siparis siparis_no siparis_numarasi
    pesanan nomor_pesanan no_pesanan nomor_order no_order الطلب رقم_الطلب طلب
    """
)
RECEIPT = _names(
    """
    transaction_id receipt_id receipt_number invoice_id invoice_number purchase_id order_key basket_id rechnungsnummer
    """
)
CURRENCY = _names(
    """
    currency order_currency currency_code lineitem_currency wahrung wahrungscode moneda divisa devise monnaie valuta
    moeda munteenheid valutacode валюта para_birimi doviz mata_uang kode_mata_uang العملة عملة
    """
)
STATUS = _names(
    """
    status order_status order_state
    bestellstatus auftragsstatus bestellungsstatus estado estado_del_pedido estado_de_pedido estado_pedido statut
    statut_de_la_commande statut_commande etat_de_la_commande stato stato_ordine stato_dell_ordine situacao
    status_do_pedido estado_do_pedido situacao_do_pedido bestelstatus orderstatus статус статус_заказа состояние_заказа
    durum siparis_durumu status_pesanan status_order الحالة حالة_الطلب حالة
    """
)
PAYMENT_STATUS = _names("financial_status payment_status zahlungsstatus estado_del_pago estado_de_pago")
CANCELLED_AT = _names("cancelled_at canceled_at cancelled_on canceled_on date_cancelled")
EVENT = _names("event event_type event_name action")
COUNTRY = _names(
    """
    country country_code billing_country country_billing country_code_billing billing_country_code customer_country
    land landercode lander_code pais codigo_de_pais codigo_pais pays code_pays paese codice_paese codigo_do_pais
    landcode
    страна код_страны ulke ulke_kodu negara kode_negara الدولة البلد رمز_الدولة
    """
)
SHIPPING_COUNTRY = _names("shipping_country country_shipping country_code_shipping shipping_country_code")

LAST_INBOUND = _names(
    """
    last_inbound_at last_inbound last_inbound_time last_inbound_message last_inbound_message_at last_incoming_at
    last_incoming_message last_incoming_message_at last_incoming_message_time last_incoming_time
    last_message_received_at last_message_received last_received_message_at last_received_at last_received_message
    last_customer_message last_customer_message_at last_customer_message_time last_message_from_customer
    last_message_from_contact last_contact_message_at last_user_message last_user_message_at last_message_from_user
    customer_last_message_at customer_last_wrote_at last_customer_reply last_customer_reply_at last_reply_from_customer
    last_client_message_at inbound_at received_at last_inbound_timestamp last_incoming_message_timestamp
    customer_last_message last_customer_message_timestamp last_message_received_time last_message_received_date
    letzte_eingehende_nachricht letzte_nachricht_des_kunden letzte_kundennachricht letzte_empfangene_nachricht
    letzte_nachricht_vom_kunden zuletzt_empfangen
    ultimo_mensaje_recibido ultimo_mensaje_entrante ultimo_mensaje_del_cliente fecha_ultimo_mensaje_recibido
    fecha_del_ultimo_mensaje_recibido ultimo_mensaje_recibido_el
    dernier_message_recu dernier_message_entrant dernier_message_du_client date_du_dernier_message_recu
    ultimo_messaggio_ricevuto ultimo_messaggio_in_arrivo ultimo_messaggio_del_cliente ultimo_messaggio_in_entrata
    ultima_mensagem_recebida ultima_mensagem_do_cliente ultima_mensagem_de_entrada data_da_ultima_mensagem_recebida
    laatst_ontvangen_bericht laatste_inkomende_bericht laatste_bericht_van_klant laatste_klantbericht
    laatste_ontvangen_bericht laatste_bericht_klant
    последнее_входящее последнее_входящее_сообщение последнее_полученное_сообщение последнее_сообщение_клиента
    последнее_сообщение_от_клиента
    son_gelen_mesaj son_alinan_mesaj son_musteri_mesaji musterinin_son_mesaji son_gelen_mesaj_tarihi
    pesan_masuk_terakhir pesan_terakhir_diterima pesan_terakhir_pelanggan pesan_terakhir_dari_pelanggan
    اخر_رسالة_واردة اخر_رسالة_مستلمة اخر_رسالة_من_العميل
    """
)
EITHER_WAY = _names(
    """
    last_interaction last_interaction_time last_interaction_at last_interacted_at last_activity last_activity_at
    last_activity_time last_message last_message_at last_message_time last_message_date last_message_timestamp
    last_contacted last_contacted_at last_conversation_at last_conversation last_chat last_chat_at last_chat_time
    last_updated last_updated_at last_seen last_seen_at last_active last_active_at updated_at lastupdated
    conversation_updated_at conversation_timestamp last_non_activity_message last_contact last_contact_at
    letzte_interaktion letzte_aktivitat letzte_nachricht letzter_kontakt letzte_nachricht_am
    ultima_interaccion ultima_actividad ultimo_mensaje ultimo_contacto fecha_ultimo_mensaje
    derniere_interaction derniere_activite dernier_message dernier_contact
    ultima_interazione ultima_attivita ultimo_messaggio ultimo_contatto
    ultima_interacao ultima_atividade ultima_mensagem ultimo_contato
    laatste_interactie laatste_activiteit laatste_bericht laatste_contact
    последнее_взаимодействие последняя_активность последнее_сообщение последний_контакт
    son_etkilesim son_etkinlik son_aktivite son_mesaj
    interaksi_terakhir aktivitas_terakhir pesan_terakhir kontak_terakhir
    اخر_تفاعل اخر_نشاط اخر_رسالة
    """
)
OPTED_OUT = _names("opted_out opt_out optout unsubscribed is_unsubscribed blocked is_blocked marketing_opt_out stopped")
OPTED_IN = _names("allow_broadcast allowbroadcast")

# Which orders say nothing about the next purchase, by the word of their status.
_WORDS = {
    "cancelled": """
        cancelled canceled cancel storniert abgebrochen cancelado cancelada anulado anulada annule annulee annullato
        annullata geannuleerd отменен отменено отменена отменён iptal iptal_edildi iptal_edilen dibatalkan batal ملغي
        ملغى ملغية voided void
        """,
    "refunded": """
        refunded refund fully_refunded chargeback chargedback returned erstattet ruckerstattet zuruckerstattet
        reembolsado reembolsada devuelto rembourse remboursee rimborsato rimborsata estornado devolvido terugbetaald
        возвращен возвращено возврат возвращён iade iade_edildi iade_edilmis dikembalikan مسترد مستردة
        """,
    "failed": """
        failed failure declined rejected expired fehlgeschlagen fallido fallida fallo echouee echoue echec fallito
        fallita malsucedido falhou falhado mislukt неудачный неудавшийся не_удался basarisiz gagal فشل فاشل
        """,
    "draft": """
        draft checkout_draft auto_draft trash abandoned entwurf borrador brouillon bozza rascunho concept черновик
        taslak konsep draf مسودة
        """,
    "test": "test test_order testorder testbestellung prueba",
}
_NO_PURCHASE = {normal(word): reason for reason, said in _WORDS.items() for word in words(said)}
_KEPT_WORDS = frozenset({"voided", "expired"})


def status_of(value: str) -> str:
    """Return a status comparably written, without WooCommerce's prefix; ``"unknown"`` for a blank one."""
    return normal(value).removeprefix("wc_") or "unknown"


def no_purchase(value: str) -> str:
    """
    Return why an order of this status is no purchase, ``""`` where it is one.

    >>> no_purchase("Storniert"), no_purchase("wc-failed"), no_purchase("Pending payment")
    ('cancelled', 'failed', '')
    """
    status = status_of(value)
    return status if status in _KEPT_WORDS else _NO_PURCHASE.get(status, "")
