"""
Decide which one product to show each WhatsApp customer, look at it, send it safely, measure what it brought.

The loop, a verb a step: `load`, `propose`, `select`, `review`, `send`, `listen`, `measure`, then `report`.
"""

from wa_products import figures, testing
from wa_products.campaigns import listen, measure, send
from wa_products.client import Client
from wa_products.datasets import Dataset
from wa_products.errors import CloudAPIError, DataError, OutcomeUnknown, PlanError, SettingsError, WaProductsError
from wa_products.exports import load, read_catalog, read_inbound, read_orders
from wa_products.ledger import Ledger
from wa_products.plans import Plan
from wa_products.preflight import check
from wa_products.proposals import propose
from wa_products.recommenders import Popular, Ranked, Reorder, Requested, Together
from wa_products.reports import report
from wa_products.sandbox import Sandbox
from wa_products.selection import Policy, select
from wa_products.settings import Settings
from wa_products.trials import backtest
from wa_products.widgets import desk, panel, review

__all__ = [
    "Client",
    "CloudAPIError",
    "DataError",
    "Dataset",
    "Ledger",
    "OutcomeUnknown",
    "Plan",
    "PlanError",
    "Policy",
    "Popular",
    "Ranked",
    "Reorder",
    "Requested",
    "Sandbox",
    "Settings",
    "SettingsError",
    "Together",
    "WaProductsError",
    "backtest",
    "check",
    "desk",
    "figures",
    "listen",
    "load",
    "measure",
    "panel",
    "propose",
    "read_catalog",
    "read_inbound",
    "read_orders",
    "report",
    "review",
    "select",
    "send",
    "testing",
]
