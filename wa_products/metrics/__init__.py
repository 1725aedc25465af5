"""What a campaign came to: states, funnel, failures, carts, arms and lift, each number with its denominator."""

from wa_products.metrics.failures import WHAT_TO_DO, explain
from wa_products.metrics.intervals import detectable, newcombe, sample_ratio, wilson
from wa_products.metrics.results import Results, results
from wa_products.metrics.tables import verdict, waterfall

__all__ = [
    "WHAT_TO_DO",
    "Results",
    "detectable",
    "explain",
    "newcombe",
    "results",
    "sample_ratio",
    "verdict",
    "waterfall",
    "wilson",
]
