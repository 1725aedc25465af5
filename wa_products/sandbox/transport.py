"""An httpx transport that drives an ASGI app in this process, without an event loop, a socket or a thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Scope


class InProcess(httpx.BaseTransport):
    """
    Answers each request by running the app's coroutine to its end at once.

    So it works where an event loop already runs, as in Jupyter. The app must not wait for anything but its request:
    one that sleeps, or asks for a thread, is refused with RuntimeError.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the app's response."""
        body = request.read()
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        _run(self._app(_scope(request), receive, send))
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
