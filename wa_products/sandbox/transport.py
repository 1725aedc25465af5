"""An httpx transport that drives an ASGI app in this process, without an event loop, a socket or a thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from wa_products.sandbox.spoiled import HANG_UP, WAIT

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Scope


class InProcess(httpx.BaseTransport):
    """
    Answers each request by running the app's coroutine to its end at once.

    So it works where an event loop already runs, as in Jupyter. The app must not wait for anything but its request:
    one that sleeps, or asks for a thread, is refused with RuntimeError. What the app has to say about time and hanging
    up goes through its scope (`spoiled`): a slow answer takes time by `sleep`, not of this machine.
    """

    def __init__(self, app: ASGIApp, sleep: Callable[[float], None] = lambda _: None) -> None:
        self._app, self._sleep = app, sleep

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the app's response. Raises httpx's errors where the app hangs up, or answers too late."""
        body = request.read()
        sent: list[Message] = []
        asked = iter([{"type": "http.request", "body": body, "more_body": False}])
        patience = request.extensions.get("timeout", {}).get("read")

        def wait(seconds: float) -> None:
            self._sleep(seconds if patience is None else min(seconds, patience))
            if patience is not None and seconds >= patience:
                raise httpx.ReadTimeout("The read operation timed out", request=request)

        async def receive() -> Message:
            return next(asked, {"type": "http.disconnect"})

        async def send(message: Message) -> None:
            sent.append(message)

        scope = {**_scope(request), HANG_UP: lambda: None, WAIT: wait}
        _run(self._app(scope, receive, send))
        if not sent:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.", request=request)
        start = sent[0]
        content = b"".join(message.get("body", b"") for message in sent[1:])
        return httpx.Response(start["status"], headers=start["headers"], content=content, request=request)


def _run(coroutine: Any) -> None:  # noqa: ANN401  # Starlette types an app's answer as an Awaitable, which has no send
    try:
        coroutine.send(None)
    except StopIteration:
        return
    coroutine.close()
    raise RuntimeError("an app that waits cannot be driven in process: serve it over HTTP")


def _scope(request: httpx.Request) -> Scope:
    url = request.url
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "scheme": url.scheme,
        "path": url.path,
        "raw_path": url.raw_path.partition(b"?")[0],
        "root_path": "",
        "query_string": url.query,
        "server": (url.host, url.port),
        "client": ("127.0.0.1", 0),
    }
