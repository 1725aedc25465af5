"""
Webhooks on their way: posted, signed, and posted again on Meta's way where the answer is not 200.

What was not answered with 200 comes again at once, then after a minute, two, four and so on, for seven days of the
sandbox's time; then it is dropped. Bodies overtake one another on the way, as retries do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from wa_products.sandbox.clocks import SECOND
from wa_products.sandbox.webhooks import signature

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from wa_products.sandbox.journals import Posted

FIRST_PAUSE, KEPT = 60 * SECOND, 7 * 86_400 * SECOND
TIMEOUT = 10.0
_OK = "200"


@dataclass
class Letter:
    """One body that waits to be delivered: since when, when next, and how often it was tried."""

    posted: Posted
    since: int
    due: int
    tries: int = 0

    def put_off(self, now: int) -> None:
        """Let it come again later, the later the more often it was tried."""
        self.tries += 1
        self.due = now if self.tries == 1 else now + FIRST_PAUSE * 2 ** (self.tries - 2)

    def is_dropped(self, now: int) -> bool:
        """Return whether nobody will try any more."""
        return now - self.since > KEPT


class Postman:
    """Carries bodies to a URL; holds those that were not taken there."""

    def __init__(self) -> None:
        self._waiting: list[Letter] = []

    def hand_over(self, posted: Iterable[Posted], now: int) -> None:
        """Take bodies to be delivered from `now` on."""
        self._waiting += [Letter(each, now, now) for each in posted]

    def give_back(self) -> list[Posted]:
        """Return what waits, and hold it no more."""
        kept, self._waiting = self._waiting, []
        return [letter.posted for letter in kept]

    def deliver(self, post: Callable[[bytes], str], now: int) -> int:
        """Try what is due with `post`, which returns the HTTP status or an error's name; return how many were taken."""
        taken, held = 0, []
        for letter in self._waiting:
            if letter.is_dropped(now):
                continue
            if _carried(letter, post, now):
                taken += 1
            else:
                held.append(letter)
        self._waiting = held
        return taken


def _carried(letter: Letter, post: Callable[[bytes], str], now: int) -> bool:
    while letter.due <= now:
        answer = post(letter.posted.body)
        letter.posted.attempts.append((now, answer))
        if answer == _OK:
            return True
        letter.put_off(now)
    return False


def post(http: httpx.Client, url: str, body: bytes, app_secret: str) -> str:
    """POST one body, signed; return the HTTP status, or the name of the error where there is none."""
    headers = {"content-type": "application/json", "user-agent": "facebookexternalua"}
    headers["x-hub-signature-256"] = signature(body, app_secret)
    try:
        return str(http.post(url, content=body, headers=headers, timeout=TIMEOUT).status_code)
    except httpx.TransportError as error:
        return type(error).__name__


def verify(http: httpx.Client, url: str, verify_token: str, challenge: str) -> bool:
    """Ask a receiver, as Meta does at first, to answer with the challenge; return whether it does."""
    asked = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": verify_token}
    try:
        answer = http.get(url, params=asked, timeout=TIMEOUT)
    except httpx.TransportError:
        return False
    return answer.status_code == httpx.codes.OK and answer.text == challenge
