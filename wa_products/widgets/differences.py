"""Where the products to be sent stand otherwise at Meta than in the export."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from wa_products.preflight import products
from wa_products.preflight.findings import OK

if TYPE_CHECKING:
    from collections.abc import Collection

    from wa_products.client import Client
    from wa_products.datasets import Dataset

_PRODUCT = "product "


def differences(client: Client, data: Dataset, names: Collection[str]) -> list[dict[str, Any]]:
    """
    Return what Meta's catalog has otherwise than the export of these products: ``product``, ``title``, ``what``.

    ``product`` is ``""`` where the catalog could not be read, and ``what`` says why. Nothing where all agree.
    """
    some = data.catalog[data.catalog["product_retailer_id"].isin(list(names))]
    titles = dict(zip(some["product_retailer_id"], some["title"], strict=True))
    found = products.differences(client, None, replace(data, catalog=some))
    named = [(each.name.removeprefix(_PRODUCT), each) for each in found if each.state != OK]
    return [
        {"product": name if name in titles else "", "title": titles.get(name, ""), "what": each.what}
        for name, each in named
    ]
