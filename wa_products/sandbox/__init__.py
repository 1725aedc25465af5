"""
A local Cloud API that knows commerce: catalog, 24 h window, carts, and customers who behave.

It refuses what Meta refuses, in Meta's words, and its customers read, ignore, ask, fill carts or say STOP, all from
one seed. Served in process to our client, or over HTTP to anyone's::

    sandbox = Sandbox(data)
    with sandbox.client() as client:
        client.send(payload)
    sandbox.advance("3D")
    bodies = sandbox.webhooks()

``wa-products sandbox --data data/demo`` serves it on a port, with a page that shows the chats. Where it differs from
Meta, and what of Meta is not confirmed, stands in DIVERGENCES.md beside this module and in `Sandbox.divergences`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast, get_args

import httpx
import pandas as pd

from wa_products.client import Client
from wa_products.errors import DataError
from wa_products.sandbox import chance, webhooks
from wa_products.sandbox.apps import build
from wa_products.sandbox.clocks import ClientClock, Clock, moment
from wa_products.sandbox.controls import DIVERGENCES
from wa_products.sandbox.deliveries import Postman, post, verify
from wa_products.sandbox.people import act
from wa_products.sandbox.transport import InProcess
from wa_products.sandbox.world import World
from wa_products.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp

    from wa_products.datasets import Dataset

__all__ = ["Sandbox", "app"]

TOKEN, APP_SECRET, VERIFY_TOKEN = "sandbox-token", "sandbox-app-secret", "sandbox-verify-token"  # made up
PHONE_NUMBER_ID, BUSINESS_ACCOUNT_ID, CATALOG_ID = "100000000000001", "100000000000002", "100000000000003"
BUSINESS_PHONE = "15555550100"


class Sandbox:
    """
    A Cloud API for the shop `data`, with its customers of `data.threads` as shoppers.

    The clock starts at `as_of` (else at `data.as_of`), with the shop as it was known then, and moves only by
    `advance`, or also by `tick` (a function that returns seconds, such as `time.monotonic`). `seed` fixes what every
    shopper does. `shape` is the year whose webhooks it sends, ``"2025"`` or ``"2026"``. `throughput` is how many
    messages a second the number takes (80, with what comes in); by default it is counted only where the clock ticks.

    `faults` holds what goes wrong on purpose: ``sandbox.faults.add("lost", times=3)``, see
    `wa_products.sandbox.faults.Fault`.
    """

    divergences: str = DIVERGENCES

    def __init__(
        self,
        data: Dataset,
        *,
        seed: int = 7,
        as_of: pd.Timestamp | str | None = None,
        shape: webhooks.Shape = "2026",
        tick: Callable[[], float] | None = None,
        throughput: int | None = None,
    ) -> None:
        shop = data if as_of is None else _seen_at(data, as_of)
        self._clock = Clock(shop.as_of, tick)
        self._postman = Postman()
        numbers = shop.inbound["phone_number_id"]
        number = numbers[numbers != ""].mode()
        self.sender = webhooks.Sender(
            BUSINESS_ACCOUNT_ID, PHONE_NUMBER_ID if number.empty else number[0], BUSINESS_PHONE
        )
        self._world = World(
            shop,
            seed=seed,
            clock=self._clock,
            sender=self.sender,
            catalog_id=shop.catalog_id or CATALOG_ID,
            shape=_known_shape(shape),
            throughput=throughput,
            token=TOKEN,
        )
        self.faults = self._world.faults
        self.app: ASGIApp = build(self._world)

    @property
    def now(self) -> pd.Timestamp:
        """The sandbox's time, UTC."""
        return moment(self._clock.now)

    @property
    def settings(self) -> Settings:
        """The made-up settings with which this sandbox is reached."""
        return Settings(
            token=TOKEN,
            app_secret=APP_SECRET,
            verify_token=VERIFY_TOKEN,
            phone_number_id=self.sender.phone_number_id,
            business_account_id=self.sender.business_account_id,
            catalog_id=self._world.shelf.catalog_id,
            graph_url="https://sandbox.invalid",
        )

    @property
    def people(self) -> pd.DataFrame:
        """The shoppers' habits, one row a customer, without address or name: what no real shop can know."""
        return self._world.people.drop(columns=["key", "wa_id", "user_id", "name"]).reset_index()

    @property
    def tastes(self) -> pd.DataFrame:
        """The shoppers' needs, one row a customer and product: every how many days, since when, how heavy."""
        return self._world.tastes.copy()

    def client(self, *, token: str = "") -> Client:
        """Return a client that reaches this sandbox in process, with `token` or all permissions, by its clock."""
        settings, clock = self.settings, ClientClock(self._clock)
        settings = replace(settings, token=token) if token else settings
        return Client(settings, transport=InProcess(self.app, clock.sleep), clock=clock)

    def token(self, *scopes: str, expires_in: float | None = None) -> str:
        """
        Return a token with these permissions alone, good for `expires_in` seconds of the sandbox's time.

        Raises DataError for a permission that is none of ``whatsapp_business_messaging``,
        ``whatsapp_business_management`` and ``catalog_management``.
        """
        return self._world.issue(scopes, expires_in)

    def advance(self, by: pd.Timedelta | str) -> Self:
        """Move the clock by a span such as ``"3D"`` and let the shoppers act; return the sandbox."""
        self._world.advance(by)
        return self

    def act(self, customer_id: str, what: str, **details: Any) -> str:  # noqa: ANN401  # by what they do
        """
        Let a customer do something now, for example ``act(who, "write", text="Hello")``; return its id.

        What customers can do, and with which details, stands in `wa_products.sandbox.people.act`. Webhooks come some
        seconds later.
        """
        return act(self._world, customer_id, what, **details)

    def webhooks(self) -> list[bytes]:
        """Return the webhook bodies that have gone out and were not taken yet, as the raw bytes of their POSTs."""
        held = self._postman.give_back()
        return [posted.body for posted in [*held, *self._world.take()]]

    def write_log(self, path: Path | str, *, start: int = 0) -> int:
        """
        Write all webhook bodies so far to a file, one a line, as `listen` and `load` read it; return how many.

        With `start` those from there on are added to the file: ``start = sandbox.write_log(path, start=start)``.
        """
        self._world.flush()
        posted = self._world.journal.posted[start:]
        with Path(path).open("ab" if start else "wb") as file:
            file.writelines(each.body + b"\n" for each in posted)
        return start + len(posted)

    def deliver(self, url: str, *, app_secret: str = APP_SECRET, transport: httpx.BaseTransport | None = None) -> int:
        """
        POST what has gone out to `url`, signed as Meta signs; return how many bodies were answered with 200.

        The others come again at once, and later with each call when they are due: after a minute, two, four and so
        on of the sandbox's time, for seven days; then they are dropped. `transport` takes the place of the network.
        """
        now = self._clock.now
        self._postman.hand_over(self._world.take(), now)
        with httpx.Client(transport=transport) as http:
            return self._postman.deliver(lambda body: post(http, url, body, app_secret), now)

    def verify(
        self, url: str, *, verify_token: str = VERIFY_TOKEN, transport: httpx.BaseTransport | None = None
    ) -> bool:
        """Ask the receiver at `url` to answer with a challenge, as Meta does before it delivers; return if it does."""
        with httpx.Client(transport=transport) as http:
            return verify(http, url, verify_token, chance.token(0, url, size=6))

    def change_number(self, customer_id: str, wa_id: str) -> None:
        """
        Let a customer move to the number `wa_id` (digits) now, and the business be told of it.

        Raises DataError for a customer without a thread or phone, and for a number that is somebody's.
        """
        self._world.change_number(customer_id, wa_id)

    def truth(self, planned: pd.DataFrame | None = None, *, horizon: pd.Timedelta | str = "3D") -> pd.DataFrame:
        """
        Return one row a customer: the cart they would have made without the message, and the one with it.

        Columns: `customer_id`, `was_messaged` (a product message was accepted), `product_retailer_id`, `since` (when
        it was accepted; for others the time of the first send), `cart_without_message` and `cart_with_message`
        (whether the first cart after `since` comes within `horizon`) with their times in `..._at`, `true_effect`
        (with minus without, NaN where no message is known) and `expected_effect` (its mean over the draws of chance).

        The true lift of a campaign is the mean of `true_effect` over the customers who were messaged. `planned` (such
        as the rows of a plan) adds those who were not, held out for instance, as if their product had been sent: the
        mean over all is then the true lift of the plan. Carts are as with a cart that is enabled.
        """
        return self._world.truth(planned, pd.Timedelta(horizon))

    def __repr__(self) -> str:
        return f"<Sandbox of {len(self._world.people):,} shoppers at {self.now:%Y-%m-%d %H:%M:%S} UTC>"


def app(data: Dataset, *, seed: int = 7, tick: Callable[[], float] | None = None) -> ASGIApp:
    """Return the ASGI app of a new sandbox, for uvicorn or another server."""
    return Sandbox(data, seed=seed, tick=tick).app


def _known_shape(shape: str) -> webhooks.Shape:
    if shape not in get_args(webhooks.Shape):
        raise DataError(f"webhooks have the shape of {' or '.join(get_args(webhooks.Shape))}, not of {shape!r}")
    return cast("webhooks.Shape", shape)


def _seen_at(data: Dataset, as_of: pd.Timestamp | str) -> Dataset:
    try:
        at = pd.Timestamp(as_of)
    except ValueError as error:
        raise DataError(f"the clock starts at a time such as '2026-11-20 09:00', not at {as_of!r}") from error
    at = at.tz_localize("UTC") if at.tzinfo is None else at.tz_convert("UTC")
    return data.before(at) if at < data.as_of else replace(data, as_of=at)
