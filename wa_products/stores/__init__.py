"""
Order lines on disk, in parts of customers: for shops that do not fit into memory.

A store is a folder of Parquet files, each with some customers' lines sorted by customer, product and time. `Store`
takes in frames of orders, `building.build` whole folders of exports, and `wa_products.load` opens what they made.
"""

from __future__ import annotations

from wa_products.stores.lines import StoredOrders
from wa_products.stores.manifests import is_store
from wa_products.stores.writing import Store

__all__ = ["Store", "StoredOrders", "is_store"]
