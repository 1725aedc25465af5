"""Widgets for the notebook: a person sees each message as the customer will, decides, answers, and watches it go."""

from wa_products.widgets.desks import Desk, desk
from wa_products.widgets.panels import Panel, panel
from wa_products.widgets.reviews import Review, review

__all__ = ["Desk", "Panel", "Review", "desk", "panel", "review"]
