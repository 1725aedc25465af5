"""
What Meta refuses, in its envelope and its words: code, message, details, HTTP status.

The words are those seen in Meta's documents or in answers that others published. Where none was found for a case,
the details say the case plainly; the code is what a client should branch on.
"""

from __future__ import annotations

from typing import Any

PERMISSIONS = (
    "Object with ID '{node}' does not exist, cannot be loaded due to missing permissions, or does not support this "
    "operation. Please read the Graph API documentation at https://developers.facebook.com/docs/graph-api"
)
_MESSAGES = {
    130429: "Rate limit hit",
    131008: "Required parameter is missing",
    131009: "Parameter value is not valid",
    131021: "Recipient cannot be sender",
    131026: "Message undeliverable",
    131047: "Re-engagement message",
    131050: "User has stopped marketing messages from this business",
    131051: "Unsupported message type",
    131056: "(Business Account, Consumer Account) pair rate limit hit",
}
_DETAILS = {
    130429: "Cloud API message throughput has been reached.",
    131021: "Recipient cannot be sender",
    131026: "Message undeliverable.",
    131047: "Message failed to send because more than 24 hours have passed since the customer last replied to this "
    "number.",
    131050: "In order to maintain a healthy ecosystem engagement, the message failed to be delivered: "
    "the user stopped marketing messages from this business.",
    131051: "Message type is not currently supported",
    131056: "Message failed to send because there were too many messages sent from this phone number to the same phone "
    "number in a short period of time.",
}
OUTDATED = (
    "Message failed to send because the recipient's WhatsApp app is too old to show this message. "
    "Ask the recipient to update WhatsApp."
)
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
    """Return the refusal of a message with one of the WhatsApp codes, HTTP 400."""
    return Refusal(400, code, f"(#{code}) {_MESSAGES[code]}", details=details or _DETAILS.get(code, ""))


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


def no_path(path: str) -> Refusal:
    """Return the refusal of a path that is no endpoint."""
    return Refusal(400, 2500, f"Unknown path components: {path}")


def failure(code: int, details: str = "") -> dict[str, Any]:
    """Return one entry of `errors` in a failed status."""
    title = _MESSAGES[code]
    error_data = {"details": details or _DETAILS[code]}
    return {"code": code, "title": title, "message": title, "error_data": error_data, "href": HELP}
