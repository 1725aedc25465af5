"""
Receives webhooks: checks the signature, stores the raw body and what it says, and only then answers 200.

Meta sends again, for days, whatever is not answered with 200, so nothing that was refused for the moment is lost, and
nothing is answered with 200 that a crash could still lose. Sources: Meta, "Create a webhook endpoint" (verification,
signature) and "Webhooks overview" (bodies of up to 3 MB, batches, retries).
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from wa_products import events
from wa_products.receiver.writers import Full, Writer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

    from wa_products.ledger import Ledger
    from wa_products.settings import Settings

__all__ = ["Counts", "app"]

BODY_LIMIT = 3 * 1024 * 1024
PATIENCE = 10.0  # seconds for a body to arrive
SIGNATURE = "x-hub-signature-256"
LOG = logging.getLogger(__name__)


@dataclass
class Counts:
    """How many bodies were stored, refused for good, and put off until they come again."""

    stored: int = 0
    refused: int = 0
    put_off: int = 0


def app(settings: Settings, ledger: Ledger, *, patience: float = PATIENCE) -> Starlette:
    """
    Return the ASGI app that takes webhooks for `ledger`, at any path; ``/health`` tells whether it does.

    One thread writes; what waits for it is bounded, and 503 is answered beyond. Bodies must arrive within `patience`
    seconds. ``app.state.counts`` has the `Counts`. Raises SettingsError without the app secret and the verify token.
    """
    settings.require("app_secret", "verify_token")
    writer, counts = Writer(ledger), Counts()

    def verify(request: Request) -> Response:
        asked = request.query_params
        token = asked.get("hub.verify_token", "").encode()
        right = hmac.compare_digest(token, settings.verify_token.encode())
        if asked.get("hub.mode") != "subscribe" or not right:
            counts.refused += 1
            return _answer(HTTPStatus.FORBIDDEN, "the verify token is not ours")
        return PlainTextResponse(asked.get("hub.challenge", ""))

    async def take(request: Request) -> Response:
        try:
            await _take(request, writer, settings.app_secret, patience)
        except _Refused as refusal:
            later = refusal.status == HTTPStatus.SERVICE_UNAVAILABLE
            counts.put_off += later
            counts.refused += not later
            return _answer(refusal.status, refusal.why)
        counts.stored += 1
        return _answer(HTTPStatus.OK, "")

    async def endpoint(request: Request) -> Response:
        return await take(request) if request.method == "POST" else verify(request)

    async def health(_request: Request) -> Response:
        return _answer(HTTPStatus.OK, "ok") if writer.works else _answer(HTTPStatus.SERVICE_UNAVAILABLE, writer.fault)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await asyncio.to_thread(writer.close)

    made = Starlette(
        routes=[
            Route("/health", health, methods=["GET"]),
            Route("/{path:path}", endpoint, methods=["GET", "POST"]),
        ],
        lifespan=lifespan,
    )
    made.state.counts = counts
    return made


class _Refused(Exception):
    """What is answered instead of 200, and why."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(status, why)
        self.status, self.why = status, why


async def _take(request: Request, writer: Writer, app_secret: str, patience: float) -> None:
    """Store the body of a request. Raises _Refused where it is not."""
    try:
        async with asyncio.timeout(patience):
            body = await _body(request)
    except TimeoutError:
        raise _Refused(HTTPStatus.REQUEST_TIMEOUT, f"the body did not arrive within {patience:g} s") from None
    except ClientDisconnect:
        raise _Refused(HTTPStatus.BAD_REQUEST, "the body did not arrive") from None
    if not events.verify(body, request.headers.get(SIGNATURE), app_secret):
        raise _Refused(HTTPStatus.FORBIDDEN, "the signature is not that of this body under our app secret")
    if not _is_json(body):
        raise _Refused(HTTPStatus.BAD_REQUEST, "the body is not JSON")
    try:
        await writer.store(body)
    except Full:
        raise _Refused(HTTPStatus.SERVICE_UNAVAILABLE, "too much waits to be written: send it again") from None
    except Exception as error:  # noqa: BLE001  # whatever it was, the body must come again
        LOG.error("a webhook was not stored (%s): it is to come again", type(error).__name__)  # noqa: TRY400  # no body
        raise _Refused(HTTPStatus.SERVICE_UNAVAILABLE, "the ledger cannot be written to: send it again") from None


async def _body(request: Request) -> bytes:
    """Return the raw body. Raises _Refused as soon as it is too long."""
    too_long = _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body has at most {BODY_LIMIT:,} bytes")
    told = request.headers.get("content-length", "0")
    if not told.isdigit() or int(told) > BODY_LIMIT:
        raise too_long
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > BODY_LIMIT:
            raise too_long
        parts.append(part)
    return b"".join(parts)


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    except RecursionError:
        pass  # too deep to be read, and signed: it is kept
    return True


def _answer(status: HTTPStatus, why: str) -> Response:
    headers = {HTTPStatus.SERVICE_UNAVAILABLE: {"retry-after": "1"}}.get(status, {})
    if status in (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE):
        headers = {"connection": "close"}  # the rest of the body is not waited for
    return PlainTextResponse(why, status, headers)
