"""
What a run without a person may send: what a policy covers that a person signed, or a plan that a person reviewed.

Everything else waits in a file, which `wa_products.review` opens.
"""

from wa_products.approvals.covering import apply, require_cover, sent
from wa_products.approvals.handing import handed_down, taken_up
from wa_products.approvals.signed import SignedPolicy, sign
from wa_products.approvals.waiting import read_waiting, save_waiting

__all__ = [
    "SignedPolicy",
    "apply",
    "handed_down",
    "read_waiting",
    "require_cover",
    "save_waiting",
    "sent",
    "sign",
    "taken_up",
]
