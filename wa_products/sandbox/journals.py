"""What has happened, kept to be looked at: who wrote what, what became of each message, which webhooks went out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Heard(NamedTuple):
    """Something a customer sent: when (microseconds since 1970), its id, and its content as in the webhook."""

    at: int
    customer_id: str
    id: str
    content: dict[str, Any]


class Step(NamedTuple):
    """One status of a message: its name, when, and the code where it failed."""

    name: str
    at: int
    code: int = 0


@dataclass
class Posted:
    """One webhook body: when it was ready to go, and how each attempt to deliver it ended (when, HTTP status)."""

    number: int
    at: int
    body: bytes = field(repr=False)
    attempts: list[tuple[int, str]] = field(default_factory=list)


class Journal:
    """The memory of one sandbox."""

    def __init__(self) -> None:
        self.heard: dict[str, list[Heard]] = {}
        self.steps: dict[str, list[Step]] = {}
        self.posted: list[Posted] = []
        self.carts: list[Heard] = []
        self.read: set[str] = set()
        self._sender_of: dict[str, str] = {}
        self.typing: dict[str, int] = {}  # until when the business is seen typing, by customer

    def hear(self, heard: Heard) -> None:
        """Keep what a customer sent."""
        self.heard.setdefault(heard.customer_id, []).append(heard)
        self._sender_of[heard.id] = heard.customer_id
        if heard.content["type"] == "order":
            self.carts.append(heard)

    def mark_read(self, message_id: str, typing_until: int = 0, sender: str = "") -> None:
        """Keep that the business read a message (of `sender`), and until when it is seen typing in that chat."""
        self.read.add(message_id)
        if typing_until and (who := sender or self._sender_of.get(message_id)):
            self.typing[who] = typing_until

    def step(self, wamid: str, name: str, at: int, code: int = 0) -> None:
        """Keep what became of a message."""
        self.steps.setdefault(wamid, []).append(Step(name, at, code))

    def post(self, at: int, body: bytes) -> Posted:
        """Keep a webhook body; return its entry."""
        self.posted.append(Posted(len(self.posted), at, body))
        return self.posted[-1]
