"""
Which message a cart answers, and how sure that is. Who, not how much more: that only the holdout tells.

An ``order`` webhook does not name the message it answers (Meta, "Order messages webhook reference"), so a cart is
held against the messages its customer received, and the first rule that fits in the order of `RULES` wins.
"""

from wa_products.attribution.baskets import attributed, cart_lines, lines, money_of, total
from wa_products.attribution.pairs import CONTENDERS, answerable, asked, contenders, received
from wa_products.attribution.rules import ANSWERS, CARTS, EXPLANATIONS, PROMPT, RULES, attribute, claimed, claims, span

__all__ = [
    "ANSWERS",
    "CARTS",
    "CONTENDERS",
    "EXPLANATIONS",
    "PROMPT",
    "RULES",
    "answerable",
    "asked",
    "attribute",
    "attributed",
    "cart_lines",
    "claimed",
    "claims",
    "contenders",
    "lines",
    "money_of",
    "received",
    "span",
    "total",
]
