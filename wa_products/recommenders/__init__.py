"""
Taste: which product for which customer, how probable, and why.

A recommender is any object with ``name``, ``fit(data) -> self`` and ``recommend(customer_ids, k) -> frame``; see
`wa_products.recommenders.protocol`. There is no base class and no registration.
"""

from __future__ import annotations

from wa_products.recommenders.popular import Popular
from wa_products.recommenders.protocol import RECOMMENDED, Recommender
from wa_products.recommenders.ranked import Ranked
from wa_products.recommenders.reorder import Reorder
from wa_products.recommenders.requested import Requested
from wa_products.recommenders.together import Together

__all__ = ["RECOMMENDED", "Popular", "Ranked", "Recommender", "Reorder", "Requested", "Together"]
