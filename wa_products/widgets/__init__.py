"""Widgets for the notebook: a person sees each message as the customer will, and decides."""

from wa_products.widgets.reviews import Review, review

__all__ = ["Review", "review"]
