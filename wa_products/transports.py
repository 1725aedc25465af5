"""
The fast way over the line: aiohttp under httpx, many requests in flight on one event loop instead of a thread each.

The extra ``fast``. It is an httpx transport like any other, and can also begin a request without waiting for its end.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any
from urllib.request import getproxies

import httpx

from wa_products.errors import OutcomeUnknown, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

CONNECTIONS = 256  # at 800 messages a second and a third of a second an answer
DEADLINE = 30.0
LARGEST_ANSWER = 1_000_000


class Fast(httpx.BaseTransport):
    """
    A transport that has up to `connections` requests in flight, for `Client(settings, transport=Fast())`.

    Close it, or the client that has it. Raises SettingsError where the extra ``fast`` is not installed.
    """

    def __init__(self, connections: int = CONNECTIONS) -> None:
        self.connections = connections
        self._line, self._provably_unsent = _line(connections)
        self._loop = _new_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="wa-products fast", daemon=True)
        self._thread.start()

    def submit(
        self, request: httpx.Request, *, deadline: float = DEADLINE, largest: int = LARGEST_ANSWER
    ) -> Future[httpx.Response]:
        """
        Begin a request and return at once; the future ends with the whole response, or as `handle_request` raises.

        It ends with TimeoutError after `deadline` seconds and with OutcomeUnknown past `largest` bytes.
        """
        future: Future[httpx.Response] = Future()
        self._loop.call_soon_threadsafe(self._begin, future, self._exchange(request, deadline, largest))
        return future

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the whole response to a request, or raise an error of httpx, as its own transports do."""
        return self.submit(request).result()

    def close(self) -> None:
        """Close all connections; what is in flight is lost."""
        if not self._loop.is_closed():
            asyncio.run_coroutine_threadsafe(self._shut(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def _begin(self, future: Future[httpx.Response], exchange: Coroutine[Any, Any, httpx.Response]) -> None:
        async def carried_out() -> None:
            try:
                future.set_result(await exchange)
            except BaseException as error:  # noqa: BLE001  # a cancelled exchange, too, must end its future
                future.set_exception(error if isinstance(error, Exception) else httpx.ReadError("closed in mid-flight"))

        task = self._loop.create_task(carried_out())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _exchange(self, request: httpx.Request, deadline: float, largest: int) -> httpx.Response:
        async with asyncio.timeout(deadline):
            try:
                response = await self._line.handle_async_request(request)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                # httpx-aiohttp calls every lost connection a ConnectTimeout, also one lost after the request was sent.
                if isinstance(error.__cause__, self._provably_unsent):
                    raise
                raise httpx.ReadError("the connection was lost after the request was begun") from None
            raw = bytearray()
            try:
                async for chunk in response.aiter_raw():
                    raw += chunk
                    if len(raw) > largest:
                        raise OutcomeUnknown("the answer was too long; the message may be on its way")
            finally:
                await response.aclose()
        return httpx.Response(response.status_code, headers=response.headers, content=bytes(raw))

    async def _shut(self) -> None:
        flying = list(self._tasks)
        for task in flying:
            task.cancel()
        await asyncio.gather(*flying, return_exceptions=True)
        await self._line.aclose()


def _line(connections: int) -> tuple[httpx.AsyncBaseTransport, tuple[type[Exception], ...]]:
    """Return the aiohttp transport, and the errors of aiohttp that come before the first byte of a request."""
    try:
        import aiohttp  # noqa: PLC0415  # of the extra
        from httpx_aiohttp import AiohttpTransport  # noqa: PLC0415  # of the extra
    except ModuleNotFoundError as error:
        raise SettingsError(f"the fast transport needs {error.name}: pip install 'wa-products[fast]'") from error

    trusted = httpx.create_ssl_context()
    # Asked to look for a proxy, aiohttp looks anew for each request, in a thread: a third of what a message costs.
    by_proxy = bool(getproxies())

    def session() -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=connections, ssl=trusted)
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=by_proxy)

    unsent = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)
    return AiohttpTransport(verify=trusted, client=session), unsent


def _new_loop() -> asyncio.AbstractEventLoop:
    """Return a new event loop: that of uvloop where it is installed, as it costs a third less."""
    try:
        import uvloop  # noqa: PLC0415  # of the extra, and not on Windows
    except ModuleNotFoundError:
        make: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
    else:
        make = uvloop.new_event_loop
    return make()
