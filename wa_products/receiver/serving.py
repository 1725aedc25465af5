"""The receiver as a server of its own: a port of this machine, and no patience with those who dawdle."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from wa_products.errors import SettingsError
from wa_products.receiver import PATIENCE, app

if TYPE_CHECKING:
    from collections.abc import Callable

    from wa_products.ledger import Ledger
    from wa_products.receiver import Counts
    from wa_products.settings import Settings

CONNECTIONS = 1000
HEADERS = 64 * 1024  # bytes


def serve(
    settings: Settings, ledger: Ledger, *, host: str, port: int, ready: Callable[[str], None] = lambda _url: None
) -> Counts:
    """
    Receive until interrupted or terminated; return what came. `ready` is told the URL once the port is ours.

    Raises SettingsError where a setting is missing or the port cannot be had.
    """
    made = app(settings, ledger)
    with _bound(host, port) as line:
        name = f"[{host}]" if ":" in host else host
        config = uvicorn.Config(
            made,
            http=_Impatient,
            ws="none",
            log_level="warning",
            access_log=False,  # it would hold the verify token
            server_header=False,
            limit_concurrency=CONNECTIONS,
            timeout_graceful_shutdown=int(PATIENCE),
        )
        ready(f"http://{name}:{line.getsockname()[1]}")
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[line])
    counts: Counts = made.state.counts
    return counts


def _bound(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=512
        )
    except (OSError, OverflowError) as error:
        raise SettingsError(
            f"port {port} of {host} cannot be had ({getattr(error, 'strerror', None) or error}): choose another "
            f"with --port, or end what has it"
        ) from None


class _Impatient(AutoHTTPProtocol):  # type: ignore[misc, valid-type]  # one of two: the fast one if installed
    """Hangs up on headers that are too slow or too long; bodies are the app's to be impatient with."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._seen = 0
        self._alarm: asyncio.TimerHandle | None = None
        self._wait()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._is_answering():
            self._rest()
        else:
            self._wait()
            self._seen += len(data)
            if self._seen > HEADERS:
                self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._rest()
        super().connection_lost(exc)

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _wait(self) -> None:
        if self._alarm is None:
            self._alarm = asyncio.get_running_loop().call_later(PATIENCE, self.transport.abort)

    def _rest(self) -> None:
        self._seen = 0
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
