"""The purchases of a shop as whole numbers, so that a million of them are counted and compared in moments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from wa_products.datasets import Dataset

DAY = pd.Timedelta(days=1)


@dataclass(frozen=True, eq=False, kw_only=True)
class Book:
    """
    Lines as arrays of one length: codes of customer and product, and the time.

    The codes are places in `customers` and `products`, both sorted, so the smaller code is the smaller id.
    """

    customers: pd.Index
    products: pd.Index
    customer: np.ndarray
    product: np.ndarray
    at: pd.Series

    @classmethod
    def of(cls, data: Dataset) -> Book:
        """Return the purchases of `data`, each line with its customer; later ones than ``as_of`` are not looked at."""
        return cls.told(data.purchases[data.purchases["ordered_at"] <= data.as_of])

    @classmethod
    def told(cls, lines: pd.DataFrame) -> Book:
        """Return the order `lines` that have a customer."""
        lines = lines[lines["customer_id"] != ""]
        customer, customers = pd.factorize(lines["customer_id"], sort=True)
        product, products = pd.factorize(lines["product_retailer_id"], sort=True)
        return cls(
            customers=pd.Index(customers, dtype="str"),
            products=pd.Index(products, dtype="str"),
            customer=customer.astype("int64"),
            product=product.astype("int64"),
            at=lines["ordered_at"].reset_index(drop=True),
        )

    @property
    def keys(self) -> np.ndarray:
        """One number for each line's customer and product."""
        return self.customer * len(self.products) + self.product

    def find(self, customer_ids: pd.Series, product_ids: pd.Series) -> np.ndarray:
        """Return the keys of pairs given as ids; -1 where the book does not know one of them."""
        customer = self.customers.get_indexer(customer_ids).astype("int64")
        product = self.products.get_indexer(product_ids)
        return np.where((customer < 0) | (product < 0), -1, customer * len(self.products) + product)

    def days(self, until: pd.Timestamp) -> np.ndarray:
        """Return for each line the whole days from it to `until`, at least 1: within the last 24 hours it is 1."""
        ago = np.ceil(((until - self.at) / DAY).to_numpy("float64"))
        return np.maximum(ago, 1).astype("int64")


def tally(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the different `keys`, sorted, which of them each row has, and how many rows each has."""
    different, row, number = np.unique(keys, return_inverse=True, return_counts=True)
    return different, row, number
