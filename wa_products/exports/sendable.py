"""Why a product cannot be shown in a message, or nothing: the first reason that applies, in words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wa_products.exports.names import normal, words

if TYPE_CHECKING:
    from wa_products.exports.columns import Column

DUPLICATE_ID = "duplicate id"
IN_STOCK, OUT_OF_STOCK, PREORDER, UNKNOWN = "in stock", "out of stock", "preorder", "unknown"
_AVAILABLE = frozenset(
    words(
        """
    instock in_stock available available_for_order availablefororder true 1 yes y verfugbar auf_lager
    disponible en_stock disponibile en_existencia в_наличии есть_в_наличии var stokta op_voorraad
    em_estoque متوفر tersedia
    """
    )
)
_GONE = frozenset(
    words(
        """
    outofstock out_of_stock false 0 no n soldout sold_out discontinued archived pending mark_as_sold
    markassold mark_as_expired markasexpired unavailable not_available ausverkauft nicht_auf_lager
    agotado sin_existencias rupture_de_stock en_rupture_de_stock esaurito нет_в_наличии tukendi
    stokta_yok niet_op_voorraad sem_estoque fora_de_estoque غير_متوفر habis
    """
    )
)
_LATER = frozenset(["preorder", "pre_order", "backorder", "back_order", "onbackorder"])
_REVIEWED = frozenset({"", "approved", "no_review"})
_HIDDEN = frozenset(
    words(
        """
    hidden staging unpublished private false 0 whitelist_only
    """
    )
)
_LONGEST_ID = 100
SCIENTIFIC = re.compile(r"\d(?:[.,]\d+)?[eE]\+?\d+")


def availability(value: str) -> str:
    """
    Return one of the four words for what an export says; what is not known is ``unknown``, never in stock.

    >>> availability(" in_stock"), availability("FALSE"), availability("maybe")
    ('in stock', 'out of stock', 'unknown')
    """
    plain = normal(value).rpartition("schema_org_")[2]
    for known, meaning in ((_AVAILABLE, IN_STOCK), (_GONE, OUT_OF_STOCK), (_LATER, PREORDER)):
        if plain in known:
            return meaning
    return UNKNOWN


def review(value: str) -> str:
    """
    Return what WhatsApp's review says, out of a bare word or of the list that the Graph API gives by channel.

    >>> review("APPROVED"), review('[{"key": "SHOPS", "value": "APPROVED"}, {"key": "WHATSAPP", "value": "REJECTED"}]')
    ('approved', 'rejected')
    """
    by_channel = re.search(r"WHATSAPP[\"'\s:=,]+(?:value[\"'\s:=]+)?(\w+)", value)
    return (by_channel[1] if by_channel else value).strip().casefold()


def unusable_id(value: str) -> bool:
    """Return whether no catalog item can have this id: too long, hidden characters, or rewritten by a spreadsheet."""
    return len(value) > _LONGEST_ID or not value.isprintable() or bool(SCIENTIFIC.fullmatch(value.strip()))


def compliant_in_india(origin: Column, importer: Column, category: Column) -> np.ndarray:
    """Return which rows carry what India asks for: the country of origin, and the importer unless that is India."""
    exempt = category.where(lambda value: value.strip().upper() == "COUNTRY_ORIGIN_EXEMPT")
    home = origin.where(lambda value: value.strip().upper() in {"IN", "INDIA"})
    return exempt | home | (~origin.is_blank & ~importer.is_blank)


def not_sendable(catalog: pd.DataFrame, *, currency: str, status: pd.Series, compliant: np.ndarray) -> pd.Series:
    """
    Return for each row why it cannot be sent, ``""`` where it can.

    `currency` is the catalog's own, `status` the item's state (active, draft, archived), `compliant` what India asks.
    """
    ids = catalog["product_retailer_id"]
    state = status.str.strip().str.casefold()
    visibility = catalog["visibility"].str.strip().str.casefold()
    checks = {
        DUPLICATE_ID: ids.duplicated(keep=False),
        "unusable id": pd.Series([unusable_id(value) for value in ids], index=catalog.index, dtype="bool"),
        "title missing": catalog["title"].str.strip() == "",
        "price missing": catalog["price"].isna(),
        "currency differs": (catalog["currency"] != currency) & (currency != ""),
        "draft": (state == "draft") | (visibility == "draft"),
        "archived": state.isin(["archived", "deleted", "discontinued"]) | (visibility == "archived"),
        "hidden": visibility.isin(_HIDDEN) | state.isin(["hidden", "inactive", "unpublished"]),
        "review not approved": ~catalog["review"].isin(
            [v for v in catalog["review"].unique() if review(v) in _REVIEWED]
        ),
        "out of stock": catalog["availability"] == OUT_OF_STOCK,
        "availability unknown": catalog["availability"] == UNKNOWN,
        "India compliance missing": ~compliant,
    }
    chosen = np.select([np.asarray(check, dtype=bool) for check in checks.values()], list(checks), default="")
    return pd.Series(chosen, index=catalog.index, dtype="str")
