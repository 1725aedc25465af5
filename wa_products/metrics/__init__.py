"""What a campaign came to: states, funnel, failures, carts, arms and lift, each number with its denominator."""

from wa_products.attribution import PROMPT
from wa_products.metrics.cells import cells, lifts, pooled
from wa_products.metrics.failures import WHAT_TO_DO, explain
from wa_products.metrics.intervals import detectable, needed, newcombe, ratio, sample_ratio, wilson
from wa_products.metrics.overviews import overview
from wa_products.metrics.results import HORIZON, Results, in_mind, results, start_of
from wa_products.metrics.sequential import ENOUGH, always_valid, evidence
from wa_products.metrics.spending import spending
from wa_products.metrics.tables import foresight, waterfall
from wa_products.metrics.verdicts import early_verdict, verdict

__all__ = [
    "ENOUGH",
    "HORIZON",
    "PROMPT",
    "WHAT_TO_DO",
    "Results",
    "always_valid",
    "cells",
    "detectable",
    "early_verdict",
    "evidence",
    "explain",
    "foresight",
    "in_mind",
    "lifts",
    "needed",
    "newcombe",
    "overview",
    "pooled",
    "ratio",
    "results",
    "sample_ratio",
    "spending",
    "start_of",
    "verdict",
    "waterfall",
    "wilson",
]
