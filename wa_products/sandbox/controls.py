"""
What the sandbox offers beside Meta's endpoints, for people who look and tests that steer: all under ``/sandbox``.

It asks for no token: whoever reaches the port may use it. Serve it on loopback.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from wa_products.errors import DataError
from wa_products.sandbox.clocks import moment
from wa_products.sandbox.endpoints import json_object
from wa_products.sandbox.people import act
from wa_products.sandbox.views import state

if TYPE_CHECKING:
    from starlette.requests import Request

    from wa_products.sandbox.world import World

_KINDS = {"page.html": "text/html", "page.css": "text/css", "page.js": "text/javascript"}
_FILES = {name: (Path(__file__).parent / name).read_bytes() for name in _KINDS}
DIVERGENCES = (Path(__file__).parent / "DIVERGENCES.md").read_text("utf-8")
# Whatever stands in a title or a note: no script but ours runs, and nothing is fetched from elsewhere.
_POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'"


class Controls:
    """The sandbox's own endpoints."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def page(self, request: Request) -> Response:
        """Show the page, or a file of it."""
        name = request.path_params.get("file", "page.html")
        headers = {"content-security-policy": _POLICY, "x-content-type-options": "nosniff", "cache-control": "no-cache"}
        return Response(_FILES[name], headers=headers, media_type=_KINDS[name])

    async def picture(self, request: Request) -> Response:
        """Show the picture of a product that lies beside the exports."""
        picture = self.world.data.pictures.get(request.path_params["product"])
        if picture is None:
            return Response(status_code=404)
        kind = "image/png" if picture.startswith(b"\x89PNG") else "image/jpeg"
        headers = {"x-content-type-options": "nosniff", "cache-control": "max-age=3600"}
        return Response(picture, headers=headers, media_type=kind)

    async def divergences(self, _: Request) -> Response:
        """Show where the sandbox differs from Meta."""
        return Response(DIVERGENCES, media_type="text/plain")

    async def state(self, request: Request) -> Response:
        """Tell what the page shows: ``?chat=`` a customer id, ``?search=`` part of a name."""
        asked = request.query_params
        return JSONResponse(state(self.world, chat=asked.get("chat", ""), search=asked.get("search", "")))

    async def advance(self, request: Request) -> Response:
        """Move the clock: ``POST /sandbox/advance?by=3D``."""
        try:
            self.world.advance(request.query_params.get("by", ""))
        except DataError as error:
            return _wrong(error)
        return JSONResponse({"now": moment(self.world.clock.now).isoformat()})

    async def webhooks(self, _: Request) -> Response:
        """Hand out the webhook bodies that were not taken yet, each as its own text."""
        return JSONResponse({"data": [posted.body.decode() for posted in self.world.take()]})

    async def log(self, _: Request) -> Response:
        """Hand out all webhook bodies so far, one a line."""
        self.world.flush()
        lines = [posted.body + b"\n" for posted in self.world.journal.posted]
        return Response(b"".join(lines), media_type="application/x-ndjson")

    async def faults(self, request: Request) -> Response:
        """Add a rule (``POST`` with its fields as JSON), tell the rules, or clear them (``DELETE``)."""
        if request.method == "DELETE":
            self.world.faults.clear()
        elif request.method == "POST":
            given = await json_object(request)
            try:
                self.world.faults.add(str(given.pop("what", "")), **given)  # type: ignore[arg-type]  # it is checked there
            except DataError as error:
                return _wrong(error)
        return JSONResponse({"data": self.world.faults.told()})

    async def act(self, request: Request) -> Response:
        """Let a customer do something now: ``POST`` with `customer_id`, `what` and its details as JSON."""
        given: dict[str, Any] = await json_object(request)
        try:
            done = act(self.world, str(given.pop("customer_id", "")), str(given.pop("what", "")), **given)
        except DataError as error:
            return _wrong(error)
        return JSONResponse({"id": done})

    async def token(self, request: Request) -> Response:
        """Issue a token: ``POST`` with `scopes` and, where it expires, `expires_in` seconds as JSON."""
        given = await json_object(request)
        seconds = given.get("expires_in")
        scopes = given.get("scopes", [])
        if not isinstance(scopes, list) or not (seconds is None or isinstance(seconds, int)):
            return _wrong(DataError("scopes is a list of permissions, expires_in a whole number of seconds"))
        try:
            return JSONResponse({"access_token": self.world.issue(scopes, seconds)})
        except DataError as error:
            return _wrong(error)


def _wrong(error: DataError) -> Response:
    return JSONResponse({"error": {"message": str(error)}}, status_code=400)
