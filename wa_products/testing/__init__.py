"""
For those who write their own recommender: the contract as a check, and a small shop with known answers.

>>> from wa_products.recommenders import Popular
>>> check_recommender(Popular())
"""

from wa_products.testing.contract import check_recommender
from wa_products.testing.shops import AS_OF, small_shop

__all__ = ["AS_OF", "check_recommender", "small_shop"]
