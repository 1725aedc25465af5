"""
What can go wrong, by what the reader can do about it.

WaProductsError
    DataError (also ValueError)   an export or a frame breaks its contract: mend the data
    SettingsError                 a setting is missing or malformed: set it
    PlanError                     a plan is changed, expired or unapproved: review again
    LedgerError                   the ledger's database failed: mend it, then run again, which goes on
    CloudAPIError                 the Cloud API refused the request
        WindowClosed              the customer last wrote more than 24 h ago: wait for them
        RateLimited               too fast for the number, the pair or the account: slow down
        NotInCatalog              the product cannot be shown: mend the catalog or its link
        AuthError                 token, permission or account: mend the account, stop the run
        RecipientError            this customer cannot receive it: leave them out
    NotSent                       no connection, the request never left: mend the network, send again
    OutcomeUnknown                the request left and no answer came: listen, never resend
    TooManyFailures               a run sent, and more failed than allowed: look before the next one
    RunError                      a scheduled run could not begin: another one is going on
"""

from __future__ import annotations


class WaProductsError(Exception):
    """Base of every error of this package; never raised itself."""


class DataError(WaProductsError, ValueError):
    """An export or a frame breaks its contract. The message names what, where, and what to do."""


class SettingsError(WaProductsError):
    """A setting is missing or malformed. The message names every such setting."""


class PlanError(WaProductsError):
    """A plan was changed after approval, has expired, or was never approved. Review it again."""


class LedgerError(WaProductsError):
    """The ledger's database failed at work: full, locked, gone. Mend it and run again; nothing goes out twice by it."""


class CloudAPIError(WaProductsError):
    """
    The Cloud API refused a request with a coded error.

    Attributes: ``code`` (int), ``message``, ``details`` (what Meta adds in ``error_data``),
    ``fbtrace_id`` (for Meta's support), ``http_status`` (int) and ``retry_after`` (seconds, or None).
    """

    def __init__(
        self,
        message: str,
        *,
        code: int = 0,
        details: str = "",
        fbtrace_id: str = "",
        http_status: int = 0,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.details = details
        self.fbtrace_id = fbtrace_id
        self.http_status = http_status
        self.retry_after = retry_after

    def __str__(self) -> str:
        extra = f": {self.details}" if self.details and self.details != self.message else ""
        return f"{self.message}{extra} (code {self.code})"


class WindowClosed(CloudAPIError):
    """The customer last wrote more than 24 h ago. Wait for the next inbound message."""


class RateLimited(CloudAPIError):
    """Too many requests for this number, this customer or this account. Slow down and try again."""


class NotInCatalog(CloudAPIError):
    """The product or the catalog cannot be shown to customers. Mend the catalog, then propose again."""


class AuthError(CloudAPIError):
    """Token, permission, registration or account state. Stop the run and mend the account."""


class RecipientError(CloudAPIError):
    """This customer cannot receive the message. Leave the customer out until they write again."""


class OutcomeUnknown(WaProductsError):
    """The request left this machine and no answer came back. Listen to the webhooks; never resend."""


class NotSent(WaProductsError):
    """No connection was made and nothing was sent. Mend the network or WA_GRAPH_URL; sending again is safe."""


class TooManyFailures(WaProductsError):
    """More of what a run sent was refused or lost than allowed. Look at the failures before the next run."""


class RunError(WaProductsError):
    """A scheduled run could not begin, because another one is going on. Wait for its end."""
