"""Charts: a frame or `Results` in, a plain plotly Figure out; ``x(results)`` draws the frame ``results.x``."""

from wa_products.figures.failing import failure_hours, failure_rate, failures
from wa_products.figures.lifting import lift, monitor, sensitivity
from wa_products.figures.ranking import backtest, calibration
from wa_products.figures.shopping import carts, products
from wa_products.figures.steps import funnel, waterfall
from wa_products.figures.surveying import overview
from wa_products.figures.timing import fatigue, reliability, time_to_cart

__all__ = [
    "backtest",
    "calibration",
    "carts",
    "failure_hours",
    "failure_rate",
    "failures",
    "fatigue",
    "funnel",
    "lift",
    "monitor",
    "overview",
    "products",
    "reliability",
    "sensitivity",
    "time_to_cart",
    "waterfall",
]
