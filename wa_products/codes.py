"""
What each error code of the Cloud API asks of a sender of product messages.

Sources: Meta, "Error codes" (September 2026), with an older edition for what the newer leaves out; the texts by which
131009 is told apart are those that operators reported. `action` says what to do with the refused message:

``retry``  wait and try again: the same request can succeed. Later runs may try again, too.
``drop``   final for this customer in this campaign.
``fix``    the request or the data is wrong: final until somebody mends it.
``stop``   nothing can be sent: halt the campaign. Whoever was refused so can be tried by a later run.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from wa_products.errors import AuthError, CloudAPIError, NotInCatalog, RateLimited, RecipientError, WindowClosed

Action = Literal["retry", "drop", "fix", "stop"]


class Rule(NamedTuple):
    """
    What a code means and asks for.

    `pause` is the first wait of a retry in seconds; each further wait is four times as long. `whole_number` tells that
    the pause holds for everything the number sends; `suppress` that the customer gets nothing until they write again;
    `product` that the product cannot be shown to anybody.
    """

    meaning: str
    error: type[CloudAPIError]
    action: Action
    pause: float = 0
    whole_number: bool = False
    suppress: bool = False
    product: bool = False


RULES: dict[int, Rule] = {
    0: Rule("the app user is not authenticated", AuthError, "stop"),
    1: Rule("invalid request or server error", CloudAPIError, "retry", 1),
    2: Rule("the service is down or overloaded", CloudAPIError, "retry", 4, whole_number=True),
    3: Rule("capability or permission is missing", AuthError, "stop"),
    4: Rule("the app's call limit is reached", RateLimited, "retry", 60, whole_number=True),
    10: Rule("permission is missing", AuthError, "stop"),
    33: Rule("the phone number id is wrong or deleted", AuthError, "stop"),
    100: Rule("a parameter is unknown, misspelt or too long", CloudAPIError, "fix"),
    104: Rule("no access token was sent", AuthError, "stop"),
    190: Rule("the access token has expired or is invalid", AuthError, "stop"),
    368: Rule("the account is blocked for a policy violation", AuthError, "stop"),
    613: Rule("a rate limit of this call is reached", RateLimited, "retry", 60, whole_number=True),
    80007: Rule("the business account's call limit is reached", RateLimited, "retry", 60, whole_number=True),
    80008: Rule("the business account's call limit is reached", RateLimited, "retry", 60, whole_number=True),
    130403: Rule("the business has blocked this customer", RecipientError, "drop", suppress=True),
    130429: Rule("the number's throughput is exceeded", RateLimited, "retry", 1, whole_number=True),
    130472: Rule("the customer is in an experiment of Meta", RecipientError, "drop"),
    130497: Rule("the business may not write to this country", RecipientError, "drop"),
    130501: Rule("this type of message is not for groups", CloudAPIError, "fix"),
    131000: Rule("something went wrong at Meta", CloudAPIError, "retry", 1),
    131005: Rule("access denied", AuthError, "stop"),
    131008: Rule("a required parameter is missing", CloudAPIError, "fix"),
    131009: Rule("a parameter has a bad value", CloudAPIError, "fix"),
    131016: Rule("the service is unavailable", CloudAPIError, "retry", 4, whole_number=True),
    131021: Rule("sender and recipient are the same", RecipientError, "drop"),
    131026: Rule("undeliverable: not on WhatsApp, or the app too old", RecipientError, "drop", suppress=True),
    131030: Rule("the customer is not on the test number's list", RecipientError, "fix"),
    131031: Rule("the account is locked", AuthError, "stop"),
    131037: Rule("the number has no approved display name", AuthError, "stop"),
    131042: Rule("the account's payment is not set up", AuthError, "stop"),
    131045: Rule("the number is not registered", AuthError, "stop"),
    131047: Rule("more than 24 hours since the customer wrote", WindowClosed, "drop"),
    131048: Rule("too many of the number's messages were reported as spam", AuthError, "stop"),
    131049: Rule("Meta withheld it to keep engagement healthy", RecipientError, "drop"),
    131050: Rule("the customer stopped marketing from this business", RecipientError, "drop", suppress=True),
    131051: Rule("this type of message is not supported", CloudAPIError, "fix"),
    131052: Rule("media could not be downloaded", CloudAPIError, "fix"),
    131053: Rule("media could not be uploaded", CloudAPIError, "fix"),
    131055: Rule("this call is for marketing messages only", CloudAPIError, "fix"),
    131056: Rule("too many messages to this customer", RateLimited, "retry", 1),
    131057: Rule("the account is in maintenance", CloudAPIError, "retry", 15, whole_number=True),
    131060: Rule("the message is currently unavailable", CloudAPIError, "drop"),
    131062: Rule("this message cannot go to a business-scoped user id", RecipientError, "drop"),
    131063: Rule("marketing templates are off on the Cloud API", CloudAPIError, "fix"),
    131064: Rule("messaging is limited after misclassified templates", AuthError, "stop"),
    133000: Rule("an earlier deregistration of the number failed", AuthError, "stop"),
    133004: Rule("the server is unavailable", CloudAPIError, "retry", 4, whole_number=True),
    133005: Rule("the number's PIN is wrong", AuthError, "stop"),
    133006: Rule("the number must be verified again", AuthError, "stop"),
    133008: Rule("too many wrong PINs", AuthError, "stop"),
    133009: Rule("PINs were entered too fast", AuthError, "stop"),
    133010: Rule("the number is not registered", AuthError, "stop"),
    133015: Rule("the number was deleted too recently", AuthError, "stop"),
    133016: Rule("too many registrations of the number", AuthError, "stop"),
    134011: Rule("the terms of payment are not accepted", CloudAPIError, "fix"),
    134100: Rule("this call is for marketing messages only", CloudAPIError, "fix"),
    134101: Rule("this call is for marketing messages only", CloudAPIError, "fix"),
    134102: Rule("this call is for marketing messages only", CloudAPIError, "fix"),
    135000: Rule("a parameter is wrong", CloudAPIError, "fix"),
    137000: Rule("the customer's identity has changed", RecipientError, "drop"),
    2494100: Rule("the number is in maintenance", CloudAPIError, "retry", 60, whole_number=True),
}  # fmt: skip
RANGES: tuple[tuple[range, Rule], ...] = (
    (range(200, 300), Rule("permission is missing", AuthError, "stop")),
    (range(132000, 132070), Rule("a template or a flow is at fault", CloudAPIError, "fix")),
)
# 131009 says only "bad value"; the details say which, and the remedies differ.
DETAILS_OF_131009: tuple[tuple[str, Rule], ...] = (
    (
        "check if catalog is linked",
        Rule("the catalog is not linked, or hidden in the commerce settings", NotInCatalog, "stop"),
    ),
    ("products not found in fb catalog", Rule("the product is not in the catalog", NotInCatalog, "drop", product=True)),
    ("product not found for", Rule("the product is not in the catalog", NotInCatalog, "drop", product=True)),
)
UNCLASSIFIED = Rule("a code that this package does not know", CloudAPIError, "drop")
# Answers without a code, by HTTP status. 5xx are not here: whether the message was taken is not known.
UNCODED: dict[int, Rule] = {
    429: Rule("too many requests", RateLimited, "retry", 4, whole_number=True),
    401: Rule("not authenticated", AuthError, "stop"),
    403: Rule("forbidden", AuthError, "stop"),
    404: Rule("no such address: check WA_GRAPH_URL and WA_PHONE_NUMBER_ID", AuthError, "stop"),
    407: Rule("the proxy asks for authentication", AuthError, "stop"),
}
REFUSED_UNCODED = Rule("refused without a code", CloudAPIError, "fix")
TRIES = 4
SUPPRESSING = frozenset(code for code, rule in RULES.items() if rule.suppress)
STOPPING = frozenset(code for code, rule in RULES.items() if code and rule.action == "stop")
LATER = frozenset({"retry", "stop"})


def rule(code: int, details: str = "", http_status: int = 0) -> Rule:
    """
    Return what `code` asks for; `details` tells the cases of 131009 apart, `http_status` those without any code.

    A code of 0 with an HTTP status other than 401 is an answer without a code.

    >>> rule(131009, "Products not found in FB Catalog").action
    'drop'
    """
    if code == 0 and http_status not in (0, 401):
        return UNCODED.get(http_status, REFUSED_UNCODED)
    if code == 131009:  # noqa: PLR2004  # the one code with cases
        told = details.casefold()
        return next((case for words, case in DETAILS_OF_131009 if words in told), RULES[code])
    if code in RULES:
        return RULES[code]
    return next((found for codes, found in RANGES if code in codes), UNCLASSIFIED)


def refusal(
    code: int,
    message: str,
    *,
    details: str = "",
    fbtrace_id: str = "",
    http_status: int = 0,
    retry_after: float | None = None,
) -> CloudAPIError:
    """Return, not raise, the error of a refused request: of the class that `rule` names."""
    found = rule(code, details, http_status)
    return found.error(
        message or found.meaning,
        code=code,
        details=details,
        fbtrace_id=fbtrace_id,
        http_status=http_status,
        retry_after=retry_after,
    )


def pause(found: Rule, tries: int, retry_after: float | None = None) -> float | None:
    """Return how many seconds to wait after the n-th refused try (from 1), None where it is not to be tried again."""
    if found.action != "retry" or tries >= TRIES:
        return None
    return max(found.pause * 4.0 ** (tries - 1), retry_after or 0)
