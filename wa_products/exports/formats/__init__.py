"""
The formats that are known, one module each; a new one needs its module and its line here.

A module offers ``FORMAT``, a `contract.Format`. A table format names the columns it cannot do without (any of several
names each) and one reader: ``read(table, options, found)`` picks its columns from the `Table` and hands them, named
as in `catalogs.FIELDS` or `orders.FIELDS`, to `catalogs.build_catalog` or `orders.build_orders`, which do the rest.
A JSON format has a `recognise` that looks at the first document. Where two table formats fit, the one with more
columns wins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wa_products.exports.formats import (
    bigcommerce_products,
    chatwoot,
    google_catalog,
    graph_products,
    long_orders,
    magento_products,
    meta_catalog,
    prestashop_products,
    refused,
    shopify_orders,
    shopify_products,
    square_catalog,
    threads,
    webhooks,
    webtoffee_orders,
    wix_products,
    woo_orders_json,
    woocommerce_products,
    xml_feed,
    yandex_yml,
)

if TYPE_CHECKING:
    from wa_products.exports.contract import Format

FORMATS: tuple[Format, ...] = (
    meta_catalog.FORMAT,
    shopify_orders.FORMAT,
    shopify_products.FORMAT,
    webhooks.FORMAT,
    woocommerce_products.FORMAT,
    wix_products.FORMAT,
    prestashop_products.FORMAT,
    magento_products.FORMAT,
    bigcommerce_products.FORMAT,
    square_catalog.FORMAT,
    woo_orders_json.FORMAT,
    webtoffee_orders.FORMAT,
    long_orders.WOOCOMMERCE,
    long_orders.NAMED,
    google_catalog.FORMAT,
    graph_products.FORMAT,
    yandex_yml.FORMAT,
    xml_feed.FORMAT,
    long_orders.FORMAT,
    threads.FORMAT,
    threads.EITHER_WAY,
    threads.CONTACTS,
    chatwoot.FORMAT,
    chatwoot.CONTACTS,
    refused.STRIPE,
)
