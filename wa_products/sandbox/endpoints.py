"""Meta's endpoints for one world, as a Starlette app's functions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from wa_products.sandbox import chance, rules
from wa_products.sandbox.catalogs import chosen, page_of
from wa_products.sandbox.refusals import Refusal, missing, no_node
from wa_products.sandbox.spoiled import spoiled
from wa_products.sandbox.tokens import CATALOG, MANAGEMENT, MESSAGING

if TYPE_CHECKING:
    from starlette.requests import Request

    from wa_products.sandbox.world import World

HISTORY_PAGE, HISTORY_LARGEST_PAGE = 25, 100
_NUMBER_FIELDS = (
    "id,verified_name,code_verification_status,display_phone_number,quality_rating,platform_type,throughput"
)
_TRUE = {"true": True, "1": True, "false": False, "0": False}
_HISTORY_STATUSES = {"sent": "SENT", "delivered": "DELIVERED", "read": "READ", "failed": "FAILED"}
_TYPING = 25_000_000  # microseconds


class Graph:
    """The endpoints of one world, for the holders of its tokens."""

    def __init__(self, world: World) -> None:
        self.world, self.tokens = world, world.tokens

    async def messages(self, request: Request) -> Response:
        """Take a message, or note that an inbound one was read."""
        self._enter(request, MESSAGING, self.world.sender.phone_number_id)
        try:
            message = json.loads(await request.body())
        except ValueError:
            raise Refusal(400, 100, "(#100) Invalid parameter") from None
        if isinstance(message, dict) and message.get("status") == "read":
            rules.check_reading(message)
            self.world.read(message["message_id"], typing_for=_TYPING if "typing_indicator" in message else 0)
            return JSONResponse({"success": True})
        answer, fault = self.world.accept(message)
        return spoiled(fault, answer) if fault else JSONResponse(answer)

    async def commerce_settings(self, request: Request) -> Response:
        """Tell the commerce settings of the number, or change them."""
        self._enter(request, MANAGEMENT, self.world.sender.phone_number_id)
        shelf = self.world.shelf
        if request.method == "POST":
            given = {**request.query_params, **await json_object(request)}
            for name in ("is_catalog_visible", "is_cart_enabled"):
                if name in given:
                    setattr(shelf, name, _flag(name, given[name]))
            return JSONResponse({"success": True})
        told = {name: getattr(shelf, name) for name in ("is_cart_enabled", "is_catalog_visible")}
        return JSONResponse({"data": [{**told, "id": chance.token(0, "settings", shelf.catalog_id)}]})

    async def products(self, request: Request) -> Response:
        """Tell the products of the catalog, a page at a time."""
        self._enter(request, CATALOG, self.world.shelf.catalog_id)
        return JSONResponse(page_of(self.world.shelf, request.query_params, request.url))

    async def debug_token(self, request: Request) -> Response:
        """Tell what a token may do."""
        self._authorize(request, "")
        if not (given := request.query_params.get("input_token", "")):
            raise missing("input_token")
        return JSONResponse({"data": self.tokens.facts(given, self.world.clock.now)})

    async def product_catalogs(self, request: Request) -> Response:
        """Tell the catalog that is linked to the business account."""
        self._enter(request, MANAGEMENT, self.world.sender.business_account_id)
        return JSONResponse({"data": [{"id": self.world.shelf.catalog_id, "name": "Sandbox catalog"}]})

    async def phone_numbers(self, request: Request) -> Response:
        """Tell the numbers of the business account: the one there is."""
        self._enter(request, MANAGEMENT, self.world.sender.business_account_id)
        fields = {"id": self.world.sender.phone_number_id, **self._number()}
        return JSONResponse({"data": [chosen(fields, request.query_params.get("fields", _NUMBER_FIELDS))]})

    async def message_history(self, request: Request) -> Response:
        """Tell what became of messages, the newest first; of one where ``message_id`` names it."""
        self._enter(request, MESSAGING, self.world.sender.phone_number_id)
        given = request.query_params
        limit = given.get("limit", str(HISTORY_PAGE))
        if not limit.isdecimal() or not 1 <= int(limit) <= HISTORY_LARGEST_PAGE:
            raise Refusal(400, 100, f"(#100) Param limit must be a number between 1 and {HISTORY_LARGEST_PAGE}")
        start = _offset(given.get("after", ""))
        found = self.world.history(given.get("message_id", ""))
        page = [_history(wamid, steps) for wamid, steps in found[start : start + int(limit)]]
        paging: dict[str, Any] = (
            {"cursors": {"before": f"{start:x}", "after": f"{start + len(page):x}"}} if page else {}
        )
        if page and start + len(page) < len(found):
            paging["next"] = str(request.url.include_query_params(after=f"{start + len(page):x}"))
        return JSONResponse({"data": page, **({"paging": paging} if paging else {})})

    async def block_users(self, request: Request) -> Response:
        """Block customers, unblock them, or tell who is blocked."""
        self._enter(request, MESSAGING, self.world.sender.phone_number_id)
        if request.method == "GET":
            blocked = [{"messaging_product": "whatsapp", "wa_id": wa_id} for wa_id in self.world.blocked()]
            return JSONResponse({"data": [{"block_users": blocked}]})
        users = (await json_object(request)).get("block_users")
        if not isinstance(users, list) or not users:
            raise missing("block_users")
        done, failed = self.world.block(users, blocks=request.method == "POST")
        word = "added_users" if request.method == "POST" else "removed_users"
        told = {word: done, **({"failed_users": failed} if failed else {})}
        return JSONResponse({"messaging_product": "whatsapp", "block_users": told})

    async def node(self, request: Request) -> Response:
        """Tell the fields of the number, of the business account, of the catalog or of one product."""
        sender, shelf, node_id = self.world.sender, self.world.shelf, request.path_params["node"]
        if name := shelf.names.get(node_id):
            self._enter(request, CATALOG, node_id)
            wanted = request.query_params.get("fields", "id,name,retailer_id")
            return JSONResponse(chosen(shelf.node(name), wanted))
        self._enter(request, "", sender.phone_number_id, sender.business_account_id, shelf.catalog_id)
        known: dict[str, tuple[dict[str, Any], str]] = {
            sender.phone_number_id: ({**self._number(), **self._health("PHONE_NUMBER", node_id)}, _NUMBER_FIELDS),
            sender.business_account_id: (
                {"name": "Sandbox shop", "currency": "EUR", **self._health("WABA", node_id)},
                "id,name",
            ),
            shelf.catalog_id: ({"name": "Sandbox catalog", "product_count": len(shelf.products)}, "id,name"),
        }
        fields, usual = known[node_id]
        return JSONResponse(chosen({"id": node_id, **fields}, request.query_params.get("fields", usual)))

    def _number(self) -> dict[str, Any]:
        level = "STANDARD" if self.world.desk.throughput <= 80 else "HIGH"  # noqa: PLR2004  # Meta's two levels
        return {
            "verified_name": "Sandbox shop",
            "code_verification_status": "VERIFIED",
            "display_phone_number": f"+{self.world.sender.display_phone_number}",
            "quality_rating": "GREEN",
            "platform_type": "CLOUD_API",
            "status": "CONNECTED",
            "throughput": {"level": level},
        }

    @staticmethod
    def _health(kind: str, node_id: str) -> dict[str, Any]:
        entity = {"entity_type": kind, "id": node_id, "can_send_message": "AVAILABLE"}
        return {"health_status": {"can_send_message": "AVAILABLE", "entities": [entity]}}

    def _enter(self, request: Request, scope: str, *nodes: str) -> None:
        """Raise Refusal unless the request shows a token with that permission and names one of `nodes`."""
        self._authorize(request, scope)
        if request.path_params["node"] not in nodes:
            raise no_node(request.path_params["node"], request.method)

    def _authorize(self, request: Request, scope: str) -> None:
        given = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        given = given or request.query_params.get("access_token", "")
        self.tokens.check(given, scope, self.world.clock.now)


async def json_object(request: Request) -> dict[str, Any]:
    """Return the JSON object in the body of a request; an empty one where it holds none."""
    try:
        given = json.loads(await request.body() or b"{}")
    except ValueError:
        return {}
    return given if isinstance(given, dict) else {}


def _flag(name: str, value: object) -> bool:
    if str(value).casefold() not in _TRUE:
        raise Refusal(400, 100, f"(#100) Param {name} must be a boolean")
    return _TRUE[str(value).casefold()]


def _offset(cursor: str) -> int:
    try:
        return int(cursor or "0", 16)
    except ValueError:
        raise Refusal(400, 100, "(#100) Invalid cursors values") from None


def _history(wamid: str, steps: list[Any]) -> dict[str, Any]:
    events = [
        {"delivery_status": _HISTORY_STATUSES[step.name], "timestamp": str(step.at // 1_000_000)}
        | {"webhook_update_state": "COMPLETED"}
        | ({"error_description": f"{step.code}"} if step.code else {})
        for step in steps
    ]
    return {"id": chance.token(0, wamid, size=8), "message_id": wamid, "events": {"data": events}}
