"""
Charts: a frame or `Results` in, a plain plotly Figure out; the chart ``x(results)`` draws the frame ``results.x``.

Colours can be told apart by the colour-blind, and every chart reads on light and dark pages.
"""

from wa_products.figures.failing import failure_hours, failure_rate, failures
from wa_products.figures.lifting import lift, monitor, sensitivity
from wa_products.figures.ranking import backtest, calibration
from wa_products.figures.shopping import carts, products
from wa_products.figures.steps import funnel, waterfall
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
    "products",
    "reliability",
    "sensitivity",
    "time_to_cart",
    "waterfall",
]
