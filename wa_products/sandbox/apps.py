"""The ASGI app of a world: Meta's paths, and the sandbox's own under ``/sandbox``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.routing import Route

from wa_products.sandbox import chance
from wa_products.sandbox.controls import Controls
from wa_products.sandbox.endpoints import Graph
from wa_products.sandbox.refusals import Refusal, no_path
from wa_products.sandbox.spoiled import Line

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from wa_products.sandbox.world import World

_USAGE = {"call_count": 1, "total_cputime": 1, "total_time": 1}


class Headers:
    """Adds to Meta's endpoints the headers that Meta sends."""

    def __init__(self, app: ASGIApp, business_account_id: str) -> None:
        self._app = app
        usage = [{"type": "whatsapp", **_USAGE, "estimated_time_to_regain_access": 0}]
        self._of_messages = ("x-business-use-case-usage", json.dumps({business_account_id: usage}))
        self._of_others = ("x-app-usage", json.dumps(dict.fromkeys(_USAGE, 0)))
        self._requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and add the headers to its answer."""
        path = str(scope.get("path", ""))
        if not path.startswith("/v"):
            return await self._app(scope, receive, send)
        self._requests += 1
        trace = chance.token(0, path, self._requests, size=8)
        usage = self._of_messages if path.endswith("/messages") else self._of_others
        told = [("facebook-api-version", path.split("/")[1]), ("x-fb-trace-id", trace), ("x-fb-rev", "1000000000")]
        added = [(name.encode(), value.encode()) for name, value in [*told, ("x-fb-request-id", f"R{trace}"), usage]]

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *added]
            await send(message)

        scope["sandbox.trace"] = trace
        return await self._app(scope, receive, with_headers)


def build(world: World) -> ASGIApp:
    """Return the ASGI app of a world."""
    graph, controls, node = Graph(world), Controls(world), "/{version}/{node}"
    routes = [
        Route("/", controls.page),
        Route("/sandbox/page/{file}", controls.page),
        Route("/sandbox/picture/{product:path}", controls.picture),
        Route("/sandbox/divergences", controls.divergences),
        Route("/sandbox/state", controls.state),
        Route("/sandbox/advance", controls.advance, methods=["POST"]),
        Route("/sandbox/webhooks", controls.webhooks),
        Route("/sandbox/log", controls.log),
        Route("/sandbox/faults", controls.faults, methods=["GET", "POST", "DELETE"]),
        Route("/sandbox/act", controls.act, methods=["POST"]),
        Route("/sandbox/tokens", controls.token, methods=["POST"]),
        Route(f"{node}/messages", graph.messages, methods=["POST"]),
        Route(f"{node}/whatsapp_commerce_settings", graph.commerce_settings, methods=["GET", "POST"]),
        Route(f"{node}/products", graph.products),
        Route(f"{node}/product_catalogs", graph.product_catalogs),
        Route(f"{node}/phone_numbers", graph.phone_numbers),
        Route(f"{node}/message_history", graph.message_history),
        Route(f"{node}/block_users", graph.block_users, methods=["GET", "POST", "DELETE"]),
        Route("/{version}/debug_token", graph.debug_token),
        Route(node, graph.node),
    ]
    around = [Middleware(Headers, business_account_id=world.sender.business_account_id)]
    handlers = {Refusal: _refused, 404: _refused, 405: _refused}
    # Around all, because Starlette itself wraps the server's `send`.
    return Line(Starlette(routes=routes, middleware=around, exception_handlers=handlers))


async def _refused(request: Request, error: Exception) -> Response:
    refusal = error if isinstance(error, Refusal) else no_path(request.url.path)
    told = refusal.body["error"]
    headers = {"www-authenticate": f'OAuth "Facebook Platform" "{told["type"]}"'}
    trace = request.scope.get("sandbox.trace") or chance.token(0, request.url.path, size=8)
    return JSONResponse({"error": {**told, "fbtrace_id": trace}}, refusal.status, headers)
