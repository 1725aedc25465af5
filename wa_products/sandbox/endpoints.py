"""The world over HTTP: a Starlette app with Meta's paths, and two of our own under ``/sandbox``: time, webhooks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from wa_products.errors import DataError
from wa_products.sandbox import chance
from wa_products.sandbox.clocks import moment
from wa_products.sandbox.refusals import Refusal, bad_token, missing, no_node, no_path, no_token

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import Request
    from starlette.responses import Response

    from wa_products.sandbox.world import World

PAGE, LARGEST_PAGE = 25, 1000
_NUMBER_FIELDS = (
    "id,verified_name,code_verification_status,display_phone_number,quality_rating,platform_type,throughput"
)
_PRODUCT_FIELDS = "id,name,retailer_id"
_SCOPES = ("catalog_management", "whatsapp_business_management", "whatsapp_business_messaging")
_TRUE = {"true": True, "1": True, "false": False, "0": False}


class Graph:
    """The endpoints of one world, for the holder of one token."""

    def __init__(self, world: World, token: str) -> None:
        self.world, self._token = world, token

    async def messages(self, request: Request) -> Response:
        """Take a message, or note that an inbound one was read."""
        self._enter(request, self.world.sender.phone_number_id)
        try:
            message = json.loads(await request.body())
        except ValueError:
            raise Refusal(400, 100, "(#100) Invalid parameter") from None
        if isinstance(message, dict) and message.get("status") == "read":
            if not message.get("message_id"):
                raise missing("message_id")
            return JSONResponse({"success": True})
        usage = [{"type": "whatsapp", "call_count": 1, "total_cputime": 1, "total_time": 1}]
        usage[0]["estimated_time_to_regain_access"] = 0
        headers = {"x-business-use-case-usage": json.dumps({self.world.sender.business_account_id: usage})}
        return JSONResponse(self.world.accept(message), headers=headers)

    async def commerce_settings(self, request: Request) -> Response:
        """Tell the commerce settings of the number, or change them."""
        self._enter(request, self.world.sender.phone_number_id)
        shelf = self.world.shelf
        if request.method == "POST":
            given = {**request.query_params, **await _json_object(request)}
            for name in ("is_catalog_visible", "is_cart_enabled"):
                if name in given:
                    setattr(shelf, name, _flag(name, given[name]))
            return JSONResponse({"success": True})
        told = {name: getattr(shelf, name) for name in ("is_cart_enabled", "is_catalog_visible")}
        return JSONResponse({"data": [{**told, "id": chance.token(0, "settings", shelf.catalog_id)}]})

    async def products(self, request: Request) -> Response:
        """Tell the products of the catalog, a page at a time."""
        shelf = self.world.shelf
        self._enter(request, shelf.catalog_id)
        limit = _limit(request)
        names = sorted(_asked(request, shelf.products))
        start = next((n for n, name in enumerate(names) if name > _cursor_name(request)), len(names))
        page = names[start : start + limit]
        wanted = request.query_params.get("fields", _PRODUCT_FIELDS)
        data = [_chosen(shelf.node(name), wanted) for name in page]
        if not page:
            return JSONResponse({"data": []})
        paging: dict[str, Any] = {"cursors": {"before": _cursor(page[0]), "after": _cursor(page[-1])}}
        if start + limit < len(names):
            paging["next"] = str(request.url.include_query_params(after=_cursor(page[-1])))
        return JSONResponse({"data": data, "paging": paging})

    async def debug_token(self, request: Request) -> Response:
        """Tell what a token may do; ours may do all, and no other is known."""
        self._authorize(request)
        if not (given := request.query_params.get("input_token", "")):
            raise missing("input_token")
        if given != self._token:
            return JSONResponse({"data": {"is_valid": False, "scopes": []}})
        facts = {"app_id": "100000000000004", "type": "SYSTEM_USER", "application": "Sandbox app"}
        return JSONResponse({"data": {**facts, "is_valid": True, "expires_at": 0, "scopes": list(_SCOPES)}})

    async def product_catalogs(self, request: Request) -> Response:
        """Tell the catalog that is linked to the business account."""
        self._enter(request, self.world.sender.business_account_id)
        return JSONResponse({"data": [{"id": self.world.shelf.catalog_id, "name": "Sandbox catalog"}]})

    async def node(self, request: Request) -> Response:
        """Tell the fields of the number, of the business account or of the catalog."""
        sender, shelf = self.world.sender, self.world.shelf
        self._enter(request, sender.phone_number_id, sender.business_account_id, shelf.catalog_id)
        health = {"health_status": {"can_send_message": "AVAILABLE"}}
        known: dict[str, tuple[dict[str, Any], str]] = {
            sender.phone_number_id: ({**_number(sender.display_phone_number), **health}, _NUMBER_FIELDS),
            sender.business_account_id: ({"name": "Sandbox shop", "currency": "EUR", **health}, "id,name"),
            shelf.catalog_id: ({"name": "Sandbox catalog", "product_count": len(shelf.products)}, "id,name"),
        }
        node_id = request.path_params["node"]
        fields, wanted = known[node_id]
        return JSONResponse(_chosen({"id": node_id, **fields}, request.query_params.get("fields", wanted)))

    async def advance(self, request: Request) -> Response:
        """Move the clock: ``POST /sandbox/advance?by=3D``. Not Meta's."""
        try:
            self.world.advance(request.query_params.get("by", ""))
        except DataError as error:
            return JSONResponse({"error": {"message": str(error)}}, status_code=400)
        return JSONResponse({"now": moment(self.world.clock.now).isoformat()})

    async def webhooks(self, _: Request) -> Response:
        """Hand out the webhook bodies that were not taken yet, each as its own text. Not Meta's."""
        return JSONResponse({"data": [body.decode() for body in self.world.take()]})

    def _enter(self, request: Request, *nodes: str) -> None:
        """Raise Refusal unless the request shows our token and names one of `nodes`."""
        self._authorize(request)
        if request.path_params["node"] not in nodes:
            raise no_node(request.path_params["node"], request.method)

    def _authorize(self, request: Request) -> None:
        given = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        given = given or request.query_params.get("access_token", "")
        if not given:
            raise no_token()
        if given != self._token:
            raise bad_token()


def build(world: World, token: str) -> Starlette:
    """Return the ASGI app of a world."""
    graph, node = Graph(world, token), "/{version}/{node}"
    routes = [
        Route("/sandbox/advance", graph.advance, methods=["POST"]),
        Route("/sandbox/webhooks", graph.webhooks, methods=["GET"]),
        Route(f"{node}/messages", graph.messages, methods=["POST"]),
        Route(f"{node}/whatsapp_commerce_settings", graph.commerce_settings, methods=["GET", "POST"]),
        Route(f"{node}/products", graph.products, methods=["GET"]),
        Route(f"{node}/product_catalogs", graph.product_catalogs, methods=["GET"]),
        Route("/{version}/debug_token", graph.debug_token, methods=["GET"]),
        Route(node, graph.node, methods=["GET"]),
    ]
    return Starlette(routes=routes, exception_handlers={Refusal: _refused, 404: _refused, 405: _refused})


async def _refused(request: Request, error: Exception) -> Response:
    return _answer(request, error) if isinstance(error, Refusal) else _answer(request, no_path(request.url.path))


def _answer(request: Request, error: Refusal) -> Response:
    trace = chance.token(0, request.url.path, error.body["error"]["message"], size=8)
    headers = {"x-fb-trace-id": trace, "facebook-api-version": request.url.path.split("/")[1]}
    headers["www-authenticate"] = f'OAuth "Facebook Platform" "{error.body["error"]["type"]}"'
    return JSONResponse({"error": {**error.body["error"], "fbtrace_id": trace}}, error.status, headers)


async def _json_object(request: Request) -> dict[str, Any]:
    try:
        given = json.loads(await request.body() or b"{}")
    except ValueError:
        return {}
    return given if isinstance(given, dict) else {}


def _flag(name: str, value: object) -> bool:
    if str(value).casefold() not in _TRUE:
        raise Refusal(400, 100, f"(#100) Param {name} must be a boolean")
    return _TRUE[str(value).casefold()]


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", str(PAGE))
    if not text.isdecimal() or not 1 <= int(text) <= LARGEST_PAGE:
        raise Refusal(400, 100, f"(#100) Param limit must be a number between 1 and {LARGEST_PAGE}")
    return int(text)


def _asked(request: Request, names: Iterable[str]) -> Iterable[str]:
    """Return the products that a filter by retailer ids leaves, the one filter that there is here."""
    if not (text := request.query_params.get("filter", "")):
        return names
    try:
        wanted = set(json.loads(text)["retailer_id"]["is_any"])
    except (ValueError, LookupError, TypeError):
        raise Refusal(400, 100, "(#100) Param filter must be a valid product filter") from None
    return (name for name in names if name in wanted)


def _cursor(name: str) -> str:
    return name.encode().hex()


def _cursor_name(request: Request) -> str:
    try:
        return bytes.fromhex(request.query_params.get("after", "")).decode()
    except ValueError:
        raise Refusal(400, 100, "(#100) Invalid cursors values") from None


def _chosen(fields: dict[str, Any], wanted: str) -> dict[str, Any]:
    # Braces ask Meta for parts of a field; here the whole field comes.
    names = {name.partition("{")[0].strip() for name in wanted.split(",")} | {"id"}
    return {name: value for name, value in fields.items() if name in names}


def _number(display_phone_number: str) -> dict[str, Any]:
    return {
        "verified_name": "Sandbox shop",
        "code_verification_status": "VERIFIED",
        "display_phone_number": f"+{display_phone_number}",
        "quality_rating": "GREEN",
        "platform_type": "CLOUD_API",
        "status": "CONNECTED",
        "throughput": {"level": "STANDARD"},
    }
