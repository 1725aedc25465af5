"""Answers that go wrong on purpose, over HTTP and in process alike."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from wa_products.sandbox.faults import Fault

HANG_UP, WAIT = "sandbox.hang_up", "sandbox.wait"  # in the scope: how to end the connection, how to let time pass


class Line:
    """An ASGI app that tells the one behind it how to hang up. Servers give no other way to end without an answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        # uvicorn's `send` is a method of what holds the connection; others' need not be.
        transport = getattr(getattr(send, "__self__", None), "transport", None)
        if transport is not None:
            scope.setdefault(HANG_UP, transport.abort)
        await self._app(scope, receive, send)


class HungUp(Response):
    """No answer: the connection ends. Where the server gives no way to do that, half an answer and no more."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """End the connection."""
        if hang_up := scope.get(HANG_UP):
            hang_up()
            while (await receive())["type"] != "http.disconnect":
                pass
        else:
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
            await send({"type": "http.response.body", "body": b"{", "more_body": True})


class Slow(JSONResponse):
    """The right answer, `seconds` late."""

    def __init__(self, content: Any, seconds: float) -> None:  # noqa: ANN401  # any JSON
        super().__init__(content)
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait, then answer."""
        if wait := scope.get(WAIT):
            wait(self._seconds)
        else:
            await asyncio.sleep(self._seconds)
        await super().__call__(scope, receive, send)


def spoiled(fault: Fault, answer: dict[str, Any] | None) -> Response:
    """Return the response in the place of `answer`, None where the message was not taken."""
    if fault.what in {"lost", "reset"}:
        return HungUp()
    if fault.what == "slow" and answer is not None:
        return Slow(answer, fault.seconds)
    if fault.what == "429":
        headers = {} if fault.retry_after is None else {"retry-after": f"{fault.retry_after:g}"}
        return Response("Too many requests", 429, headers, "text/plain")
    if fault.what == "bad json":
        return Response("<!DOCTYPE html><title>Sorry, something went wrong.</title>", 200, media_type="text/html")
    if fault.what == "code" and answer is not None:
        return JSONResponse(answer)
    return Response("<!DOCTYPE html><title>Error</title>", fault.status, media_type="text/html")
