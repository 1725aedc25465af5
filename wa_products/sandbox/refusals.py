"""
What Meta refuses, in its envelope and its words: code, message, details, HTTP status.

The words are those seen in Meta's documents or in answers that others published. Where none was found for a case,
the details say the case plainly; the code is what a client should branch on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

PERMISSIONS = (
    "Object with ID '{node}' does not exist, cannot be loaded due to missing permissions, or does not support this "
    "operation. Please read the Graph API documentation at https://developers.facebook.com/docs/graph-api"
)
_MESSAGES = {
    1: "An unknown error occurred",
    2: "Service temporarily unavailable",
    3: "Application does not have the capability to make this API call.",
    4: "Application request limit reached",
    10: "Application does not have permission for this action",
    368: "Temporarily blocked for policies violations",
    80007: "Rate limit issues",
    130403: "User is blocked by the business",
    130429: "Rate limit hit",
    130472: "User's number is part of an experiment",
    130497: "Business account is restricted from messaging users in this country.",
    130501: "Message type is not currently supported for groups",
    131000: "Something went wrong",
    131005: "Access denied",
    131008: "Required parameter is missing",
    131009: "Parameter value is not valid",
    131016: "Service unavailable",
    131021: "Recipient cannot be sender",
    131026: "Message undeliverable",
    131031: "Business Account locked",
    131042: "Business eligibility payment issue",
    131045: "Incorrect certificate",
    131047: "Re-engagement message",
    131048: "Spam rate limit hit",
    131049: "This message was not delivered to maintain healthy ecosystem engagement.",
    131050: "User has stopped marketing messages from this business",
    131051: "Unsupported message type",
    131056: "(Business Account, Consumer Account) pair rate limit hit",
    131057: "Account in maintenance mode",
    133010: "Phone number not registered",
}
_DETAILS = {
    130403: "Message failed to send because this user was blocked by the business.",
    130429: "Cloud API message throughput has been reached.",
    130472: "Message was not sent as part of an experiment.",
    131000: "Message failed to send due to an unknown error.",
    131016: "A service is temporarily unavailable.",
    131021: "Recipient cannot be sender",
    131026: "Message undeliverable.",
    131047: "Message failed to send because more than 24 hours have passed since the customer last replied to this "
    "number.",
    131048: "Message failed to send because there are restrictions on how many messages can be sent from this phone "
    "number.",
    131049: "In order to maintain a healthy ecosystem engagement, the message failed to be delivered.",
    131050: "In order to maintain a healthy ecosystem engagement, the message failed to be delivered: "
    "the user stopped marketing messages from this business.",
    131051: "Message type is not currently supported",
    131056: "Message failed to send because there were too many messages sent from this phone number to the same phone "
    "number in a short period of time.",
}
_STATUSES = {2: 503, 3: 500, 10: 403, 368: 403, 130497: 403, 131000: 500, 131005: 403, 131016: 500, 131031: 403}
_STATUSES |= {131045: 500, 131057: 500}
LATER = frozenset({130472, 131026, 131047, 131049, 131050})  # told by a failed status after a 200
KNOWN = frozenset(_MESSAGES)
OUTDATED = (
    "Message failed to send because the recipient's WhatsApp app is too old to show this message. "
    "Ask the recipient to update WhatsApp."
)
NOT_FOUND = "Products not found in FB Catalog"
NOT_LINKED = (
    "Products could not be shown. Check if catalog is linked to the WhatsApp Business Account and the catalog is "
    "enabled in the WhatsApp Commerce Settings"
)
HELP = "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/"


class Refusal(Exception):  # named by what happened, as in the package's errors
    """One refused request: `status` is the HTTP status, `body` the JSON that Meta answers with."""

    def __init__(self, status: int, code: int, message: str, *, details: str = "", **more: object) -> None:
        super().__init__(message)
        error: dict[str, Any] = {"message": message, "type": more.pop("type", "OAuthException"), "code": code, **more}
        if details:
            error["error_data"] = {"messaging_product": "whatsapp", "details": details}
        self.status = status
        self.body = {"error": error}


def coded(code: int, details: str = "") -> Refusal:
    """Return the refusal of a request with one of the codes above, with the HTTP status that Meta's list has for it."""
    more = {"is_transient": True} if code in {1, 2} else {}
    words = details or _DETAILS.get(code, "")
    return Refusal(_STATUSES.get(code, 400), code, f"(#{code}) {_MESSAGES[code]}", details=words, **more)


def missing(parameter: str) -> Refusal:
    """Return the refusal of a request that lacks a parameter."""
    return Refusal(400, 100, f"(#100) The parameter {parameter} is required.")


def no_node(node: str, method: str) -> Refusal:
    """Return the refusal of a request for an id that this token cannot see."""
    words = f"Unsupported {method.lower()} request. {PERMISSIONS.format(node=node)}"
    return Refusal(400, 100, words, type="GraphMethodException", error_subcode=33)


def no_token() -> Refusal:
    """Return the refusal of a request without a token."""
    return Refusal(401, 104, "An access token is required to request this resource.")


def bad_token() -> Refusal:
    """Return the refusal of a request whose token is not ours."""
    return Refusal(401, 190, "Invalid OAuth access token - Cannot parse access token")


def expired_token(expired: pd.Timestamp, now: pd.Timestamp) -> Refusal:
    """Return the refusal of a request whose token was ours until `expired`; both times are told in Pacific time."""
    then, moment = (f"{at.tz_convert('America/Los_Angeles'):%A, %d-%b-%y %H:%M:%S %Z}" for at in (expired, now))
    words = f"Error validating access token: Session has expired on {then}. The current time is {moment}."
    return Refusal(401, 190, words, error_subcode=463)


def not_permitted(scope: str) -> Refusal:
    """Return the refusal of a request whose token lacks the permission `scope`."""
    if scope == "whatsapp_business_messaging":
        return coded(10)
    return Refusal(403, 10, f"(#10) This endpoint requires the '{scope}' permission")


def no_path(path: str) -> Refusal:
    """Return the refusal of a path that is no endpoint."""
    return Refusal(400, 2500, f"Unknown path components: {path}")


def failure(code: int, details: str = "") -> dict[str, Any]:
    """Return one entry of `errors` in a failed status."""
    title = _MESSAGES[code]
    error_data = {"details": details or _DETAILS.get(code, title)}
    return {"code": code, "title": title, "message": title, "error_data": error_data, "href": HELP}


def check_length(name: str, value: object, least: int, most: int) -> None:
    """Raise Refusal unless `value` is a text of `least` to `most` characters."""
    if not isinstance(value, str):
        raise coded(131009, f"{name} must be a string.")
    if not least <= len(value) <= most:
        raise coded(131009, f"{name} text length invalid. Min length: {least}, Max length: {most}")
