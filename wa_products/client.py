"""
The Cloud API over httpx: one message a call, and every way it can end told apart.

Accepted, refused with a code, never left this machine, or unknown: only these four. A request that may have arrived
is never repeated here, because the Cloud API knows no idempotency key and a second request is a second message.
"""

from __future__ import annotations

import json
import logging
import re
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol, Self

import httpx
import pandas as pd

from wa_products import codes, pacing
from wa_products.errors import CloudAPIError, NotSent, OutcomeUnknown
from wa_products.transports import Fast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from wa_products.settings import Settings

CONNECTIONS = 32  # 80 messages a second at 0.4 s an answer; httpx looks through all of them for each request
TIMEOUT = httpx.Timeout(connect=5, write=10, read=20, pool=30)
DEADLINE = 30.0
_LARGEST_ANSWER = 1_000_000
_OK, _FIRST_SERVER_ERROR, _REQUEST_TIMEOUT = 200, 500, 408
_PAGE, _PAUSES, _LONGEST_PAUSE = "200", (1.0, 4.0), 16.0  # of reading; a page, and seconds
# Raised before the first byte of the request is written.
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL)


def _without_token(record: logging.LogRecord) -> bool:
    """Take the token out of the address that httpx logs: the one question about a token asks for it there."""
    if "input_token=" in (told := record.getMessage()):
        record.msg, record.args = re.sub(r"input_token=[^&\s\"]*", "input_token=(hidden)", told), ()
    return True


logging.getLogger("httpx").addFilter(_without_token)


class _Secret(str):
    """A text that a traceback which shows variables does not show."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "(hidden)"


class Clock(Protocol):
    """Where a client takes its time from; the sandbox brings its own."""

    def now(self) -> pd.Timestamp:
        """Return the moment, in UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass."""
        ...


class SystemClock:
    """The time of this machine."""

    def now(self) -> pd.Timestamp:
        """Return the moment, in UTC."""
        return pd.Timestamp(datetime.now(UTC))

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass."""
        time.sleep(seconds)


@dataclass(frozen=True)
class Accepted:
    """An accepted message: not yet sent, let alone delivered. The ids hold a phone number and stay out of the repr."""

    wamid: str = field(repr=False)
    wa_id: str = field(default="", repr=False)
    user_id: str = field(default="", repr=False)


class Client:
    """
    Sends messages from one business number. Use it as a context manager, or call `close`.

    `base_url` and `transport` (any httpx transport) take the place of Meta's servers; `clock` that of this machine's.
    With a transport of its own a client sends one message at a time, else up to `workers` at once; the transport
    `wa_products.transports.Fast` is for hundreds a second.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        base_url: str | None = None,
        transport: httpx.BaseTransport | None = None,
        clock: Clock | None = None,
    ) -> None:
        settings.require("token", "phone_number_id")
        self.catalog_id = settings.catalog_id
        self.phone_number_id = settings.phone_number_id
        self.business_account_id = settings.business_account_id
        self.rate = settings.rate
        self.is_dry = settings.is_dry
        self.covered_by = settings.covered_by
        self.clock = clock or SystemClock()
        self._fast = transport if isinstance(transport, Fast) else None
        self.workers = self._fast.connections if self._fast else CONNECTIONS if transport is None else 1
        self._like: httpx.Request | None = None
        self._pool = ThreadPoolExecutor(CONNECTIONS)  # its threads start when they are needed
        self._version = settings.graph_version
        self._hide = _hiding(settings.token)
        self._http = httpx.Client(
            base_url=base_url or settings.graph_url,
            headers={"Authorization": f"Bearer {settings.token}"},
            timeout=TIMEOUT,
            limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
            transport=transport,
        )

    def now(self) -> pd.Timestamp:
        """Return the moment as this client's clock has it, in UTC."""
        return self.clock.now()

    def send(self, payload: dict[str, Any]) -> Accepted:
        """
        Post one message of `wa_products.payloads` and return what the Cloud API answered to it.

        Raises CloudAPIError (one of its subclasses) where it refuses, NotSent where the request provably never left,
        OutcomeUnknown where it left and no clear answer came.
        """
        if self._fast:
            return self.submit(payload).result()
        return _told(lambda: self._exchange("POST", f"{self.phone_number_id}/messages", json=payload))

    def submit(self, payload: dict[str, Any]) -> Future[Accepted]:
        """Begin to post one message; the future ends as `send` does. With one worker it has ended already."""
        if not self._fast and self.workers > 1:
            return self._pool.submit(self.send, payload)
        ended: Future[Accepted] = Future()
        if not self._fast:
            _end(ended, lambda: self.send(payload))
            return ended
        flight = self._fast.submit(self._message(payload), deadline=DEADLINE, largest=_LARGEST_ANSWER)
        flight.add_done_callback(lambda done: _end(ended, lambda: _told(lambda: self._parts(done.result()))))
        return ended

    def get(self, path: str, **params: str) -> dict[str, Any]:
        """
        Read a node or an edge of the Graph API, such as ``"<id>/products"``; return the JSON object it answers with.

        Reading changes nothing, so a lost or throttled answer is asked for again. Raises CloudAPIError where it is
        refused, NotSent where no answer comes.
        """
        for pause in (*_PAUSES, None):
            try:
                return self._read(path, params)
            except CloudAPIError as error:
                rule = codes.rule(error.code, error.details, error.http_status)
                wait = max(rule.pause, error.retry_after or 0)
                if pause is None or rule.action != "retry" or wait > _LONGEST_PAUSE:
                    raise
                self.clock.sleep(wait)
            except NotSent:
                if pause is None:
                    raise
                self.clock.sleep(pause)
        raise AssertionError("the last try returns or raises")

    def pages(self, path: str, **params: str) -> Iterator[dict[str, Any]]:
        """Yield the entries of an edge, page after page, asked for as they are needed."""
        page = {"limit": _PAGE, **params}
        while True:
            body = self.get(path, **page)
            yield from (entry for entry in body.get("data") or () if isinstance(entry, dict))
            paging = body.get("paging") or {}
            after = (paging.get("cursors") or {}).get("after")
            if not paging.get("next") or not after:
                return
            page["after"] = after

    def limit(self) -> float:
        """Return how many messages a second the number may send: as set, else as the account tells, else 80."""
        if self.rate:
            return float(self.rate)
        try:
            level = self._read(self.phone_number_id, {"fields": "throughput"})["throughput"]["level"]
        except (CloudAPIError, NotSent, LookupError, TypeError):
            return pacing.RATE
        return pacing.LEVELS.get(level, pacing.RATE)

    def token_facts(self) -> dict[str, Any]:
        """Return what the Graph API tells of the token: ``is_valid``, ``scopes``, ``expires_at``; raises as `get`."""
        token = _Secret(self._http.headers["Authorization"].removeprefix("Bearer "))
        found = self.get("debug_token", input_token=token).get("data")
        return found if isinstance(found, dict) else {}

    def close(self) -> None:
        """Close all connections."""
        self._pool.shutdown()
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Client of number {self.phone_number_id} at {self._http.base_url.host}>"

    def _message(self, payload: dict[str, Any]) -> httpx.Request:
        """Return the request of a message; to build all of it anew each time would cost as much as to send it."""
        like = self._like
        if like is None:
            path = f"/{self._version}/{self.phone_number_id}/messages"
            like = self._like = self._http.build_request("POST", path, headers={"Content-Type": "application/json"})
            del like.headers["Content-Length"]
        content = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
        return httpx.Request("POST", like.url, headers=like.headers, content=content, extensions=like.extensions)

    def _read(self, path: str, params: dict[str, str]) -> dict[str, Any]:
        # As in `send`, the errors of httpx hold the token and are not chained to ours.
        try:
            status, headers, raw = self._exchange("GET", path, params=params)
        except Exception as error:  # noqa: BLE001  # whatever broke, there is no answer
            raise NotSent(f"no answer to reading {path} ({type(error).__name__}); nothing was sent") from None
        body = _parsed(raw, status, headers)
        if status == _OK and isinstance(body, dict):
            return body
        if status in (_OK, _REQUEST_TIMEOUT) or status >= _FIRST_SERVER_ERROR:
            raise NotSent(f"no answer to reading {path} (HTTP {status} without JSON or code); nothing was sent")
        raise codes.refusal(0, f"HTTP {status} without an error code", http_status=status, retry_after=_wait(headers))

    def _exchange(self, method: str, path: str, **content: Any) -> tuple[int, httpx.Headers, bytes]:  # noqa: ANN401  # httpx's own
        """Return status, headers and body; a body that drips in past the deadline is a lost answer."""
        until = time.monotonic() + DEADLINE
        raw = bytearray()
        with self._http.stream(method, f"/{self._version}/{path}", **content) as response:
            for chunk in response.iter_bytes():
                raw += chunk
                if len(raw) > _LARGEST_ANSWER or time.monotonic() > until:
                    raise OutcomeUnknown("the answer was too slow or too long; the message may be on its way")
            return response.status_code, response.headers, self._hide(response.status_code, bytes(raw))

    def _parts(self, response: httpx.Response) -> tuple[int, httpx.Headers, bytes]:
        return response.status_code, response.headers, self._hide(response.status_code, response.content)


def _told(exchange: Callable[[], tuple[int, httpx.Headers, bytes]]) -> Accepted:
    """Return what the answer of an exchange says, or raise what it or its absence means."""
    # The errors of httpx hold the request with its token, so they are not chained to ours.
    try:
        status, headers, raw = exchange()
    except _NEVER_LEFT as error:
        raise NotSent(f"no connection to the Cloud API ({type(error).__name__}); nothing was sent") from None
    except OutcomeUnknown:
        raise
    except Exception as error:  # noqa: BLE001  # whatever else breaks, the request may have arrived
        raise OutcomeUnknown(f"the answer was lost ({type(error).__name__}); the message may be on its way") from None
    return _answer(status, headers, raw)


def _hiding(token: str) -> Callable[[int, bytes], bytes]:
    """Return what takes the token out of a refusal: Meta repeats one that it cannot read. Kept out of every repr."""
    forms = [json.dumps(token)[1:-1].encode(), json.dumps(token)[1:-1].replace("/", "\\/").encode(), token.encode()]

    def hide(status: int, raw: bytes) -> bytes:
        for form in forms if status != _OK else ():
            raw = raw.replace(form, b"(hidden)")
        return raw

    return hide


def _end(future: Future[Accepted], get: Callable[[], Accepted]) -> None:
    """Let a future end with what `get` returns or raises."""
    try:
        future.set_result(get())
    except Exception as error:  # noqa: BLE001  # whoever holds the future asks for it
        future.set_exception(error)


def _parsed(raw: bytes, status: int, headers: httpx.Headers) -> object:
    """Return the JSON of an answer, None where it is none. Raises CloudAPIError where it holds an error code."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, dict) and isinstance(error.get("code"), int):
        raise _refused(error, status, headers)
    return body


def _answer(status: int, headers: httpx.Headers, raw: bytes) -> Accepted:
    body = _parsed(raw, status, headers)
    if status == _OK:
        return _accepted(body)
    if status >= _FIRST_SERVER_ERROR or status == _REQUEST_TIMEOUT:
        raise OutcomeUnknown(f"HTTP {status} without an error code; the message may be on its way")
    raise codes.refusal(0, f"HTTP {status} without an error code", http_status=status, retry_after=_wait(headers))


def _refused(error: dict[str, Any], status: int, headers: httpx.Headers) -> CloudAPIError:
    data = error.get("error_data")
    details = data.get("details") if isinstance(data, dict) else data
    return codes.refusal(
        error["code"],
        str(error.get("message") or ""),
        details=details if isinstance(details, str) else "",
        fbtrace_id=str(error.get("fbtrace_id") or ""),
        http_status=status,
        retry_after=_wait(headers),
    )


def _accepted(body: object) -> Accepted:
    message, contact = _first(body, "messages"), _first(body, "contacts")
    wamid = message.get("id")
    if not isinstance(wamid, str) or not wamid:
        raise OutcomeUnknown("HTTP 200 without a message id; the message may be on its way")
    return Accepted(wamid, str(contact.get("wa_id") or "").strip(), str(contact.get("user_id") or "").strip())


def _first(body: object, part: str) -> dict[str, Any]:
    values = body.get(part) if isinstance(body, dict) else None
    return values[0] if isinstance(values, list) and values and isinstance(values[0], dict) else {}


def _wait(headers: httpx.Headers) -> float | None:
    try:
        seconds = float(headers.get("Retry-After", ""))
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None
