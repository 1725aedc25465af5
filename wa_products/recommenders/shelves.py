"""Which shelf a product stands on, by the path of its category, where the catalog tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    import numpy as np

BETWEEN = ">"


def shelves(catalog: pd.DataFrame, products: pd.Index) -> list[np.ndarray]:
    """
    Return a code for each of `products` at two levels of its category, the coarser first; none where nothing is told.

    The finer level is the whole path of ``product_type``, the coarser the path without its last part. A product
    without a category is a shelf of its own.
    """
    told = catalog.drop_duplicates("product_retailer_id").set_index("product_retailer_id")["product_type"]
    path = told.reindex(products).fillna("").str.strip()
    if not (path != "").any():
        return []
    parent = path.str.rpartition(BETWEEN)[0].str.strip()
    own = "\0" + pd.Series(products, index=path.index)
    fine = path.where(path != "", own)
    return [pd.factorize(level, sort=True)[0] for level in (parent.where(parent != "", fine), fine)]
