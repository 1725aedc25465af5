"""Bad inputs 63 to 70: what may be wrong with messages and threads."""

import json

from tests.exports.bad import Bad

A, B, NEW = "447700900301", "447700900302", "447700900303"
FIRST = "1779000000"
NOT_USED = "message not used"
HELLO = {"type": "text", "text": {"body": "hello"}}


def message(number=1, **change):
    """Return one message of a customer."""
    return {"from": A, "id": f"wamid.{number}", "timestamp": FIRST, **HELLO, **change}


def body(*messages, **value):
    """Return a webhook body of these messages."""
    content = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": "5"}, "messages": messages, **value}
    return {"entry": [{"id": "9", "changes": [{"field": "messages", "value": content}]}]}


def log(*bodies):
    """Return a log, one body a line; a text stands as it is."""
    return "".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in bodies)


def inbound(*bodies, kept, issues=()):
    """Return a log and what comes of it."""
    return Bad(kind="inbound", content=log(*bodies), kept=kept, issues=issues)


def threads(column, at, **who):
    """Return an export of threads with a time under this name."""
    names = [*who, column]
    return ",".join(names) + "\n" + ",".join([*who.values(), at]) + "\n"


GOOD = body(message(9))
US = "US.13491208655302741918"
CASES = {
    "63 a time that is no number": inbound(
        body(message(timestamp="asdf")),
        GOOD,
        kept=("wamid.9",),
        issues=(("timestamp_unreadable", "error", 1, 1, "timestamp", "asdf", NOT_USED),),
    ),
    "63 a time to come": inbound(
        body(message(timestamp="4779000000")),
        GOOD,
        kept=("wamid.9",),
        issues=(("timestamp_future", "error", 1, 1, "timestamp", "4779000000", NOT_USED),),
    ),
    "63 milliseconds": inbound(body(message(timestamp=FIRST + "000")), kept=("wamid.1",), issues=()),
    "64 a user id and no number": inbound(
        body({**message(), "from": None, "from_user_id": US}, contacts=[{"user_id": US, "profile": {"name": "Jo"}}]),
        kept=("wamid.1",),
    ),
    "65 a user id where the number belongs": inbound(body(message(**{"from": US})), kept=("wamid.1",)),
    "66 a message that comes twice": inbound(
        GOOD,
        GOOD,
        kept=("wamid.9",),
        issues=(("message_repeated", "info", 2, 2, "id", "wamid.9", "merged"),),
    ),
    "67 a message to a group": inbound(
        body(message(group_id="g1")),
        GOOD,
        kept=("wamid.1", "wamid.9"),
        issues=(("unsupported", "info", 1, 1, "type", "a group message", "kept where its sender is known"),),
    ),
    "68 a line that is no JSON": inbound(
        GOOD,
        "",
        '{"cut',
        body(message(2)),
        kept=("wamid.9", "wamid.2"),
        issues=(("not_json", "error", 2, 3, "", '{"cut', "row set aside"),),
    ),
    "69 a time that either side moves": Bad(
        kind="inbound",
        content=threads("last_interaction", "2026-11-20T08:00:00Z", phone="+" + A),
        refused="'last_interaction' also moves when the shop writes",
    ),
    "69 a list of contacts": Bad(
        kind="inbound", content=threads("email", "jo@example.com", phone="+" + A), refused="cannot tell active threads"
    ),
    "70 a number that changed": inbound(
        body(message(1)),
        body({**message(2), "type": "system", "system": {"type": "user_changed_number", "wa_id": NEW, "body": "x"}}),
        body(message(3, **{"from": NEW})),
        kept=("wamid.1", "wamid.2", "wamid.3"),
    ),
}
