"""
A local Cloud API that knows commerce: catalog, 24 h window, carts, and customers who behave.

It refuses what Meta refuses, in Meta's words, and its customers read, ignore, ask, fill carts or say STOP, all from
one seed. Served in process to our client, or over HTTP to anyone's::

    sandbox = Sandbox(data)
    with sandbox.client() as client:
        client.send(payload)
    sandbox.advance("3D")
    bodies = sandbox.webhooks()

Where it differs from Meta, or Meta is not known well enough:

- Only text and single-product messages are taken; all other types are refused with 131051. No templates, so a closed
  window cannot be opened by the business. Any version in the path is taken, also an expired one.
- The catalog starts visible; Meta's default is hidden. A product whose review is not approved or that is hidden is
  refused with 131009; one out of stock is taken (for both, what Meta does at send time is not documented).
- A customer who stopped marketing messages gets a failed status 131050; documented for templates only.
  A text STOP is told to the business and binds nobody but the business. Blocking of customers by the business
  (130403) is not there.
- ``failed`` statuses echo ``biz_opaque_callback_data``; Meta's are not confirmed to.
- Lengths count code points. A phone without its ``+`` is read as a full number; Meta may add a country code.
- Throughput (80 a second) is counted only where the clock ticks (`tick`): while it stands still no second passes.
  The pair rate (one in 6 s, 45 borrowed ahead) is counted on either clock.
- In process, time moves by `Sandbox.advance` alone, and webhooks are pulled by `Sandbox.webhooks`; over HTTP by
  ``POST /sandbox/advance?by=3D`` and ``GET /sandbox/webhooks``. `Sandbox.deliver` posts them, signed, to a URL;
  what was not answered with 200 comes again with the next call, not on Meta's timetable.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Self

import httpx
import pandas as pd

from wa_products.client import Client
from wa_products.sandbox import webhooks
from wa_products.sandbox.clocks import ClientClock, Clock, moment
from wa_products.sandbox.endpoints import build
from wa_products.sandbox.transport import InProcess
from wa_products.sandbox.world import World
from wa_products.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.applications import Starlette

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
    shopper does. `shape` is the year whose webhooks it sends, ``"2025"`` or ``"2026"``.
    """

    def __init__(
        self,
        data: Dataset,
        *,
        seed: int = 7,
        as_of: pd.Timestamp | str | None = None,
        shape: webhooks.Shape = "2026",
        tick: Callable[[], float] | None = None,
    ) -> None:
        shop = data if as_of is None else _seen_at(data, pd.Timestamp(as_of))
        self._clock = Clock(shop.as_of, tick)
        self._undelivered: list[bytes] = []
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
            shape=shape,
        )
        self.app: Starlette = build(self._world, TOKEN)

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

    def client(self) -> Client:
        """Return a client that reaches this sandbox in process and goes by its clock."""
        return Client(self.settings, transport=InProcess(self.app), clock=ClientClock(self._clock))

    def advance(self, by: pd.Timedelta | str) -> Self:
        """Move the clock by a span such as ``"3D"`` and let the shoppers act; return the sandbox."""
        self._world.advance(by)
        return self

    def webhooks(self) -> list[bytes]:
        """Return the webhook bodies that have arrived and were not taken yet, as the raw bytes of their POSTs."""
        taken, self._undelivered = [*self._undelivered, *self._world.take()], []
        return taken

    def deliver(self, url: str, *, app_secret: str = APP_SECRET) -> int:
        """POST the bodies not taken yet to `url`, signed as Meta signs; return how many were answered with 200."""
        waiting = self.webhooks()
        with httpx.Client() as http:
            self._undelivered = [body for body in waiting if not _posted(http, url, body, app_secret)]
        return len(waiting) - len(self._undelivered)

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


def app(data: Dataset, *, seed: int = 7, tick: Callable[[], float] | None = None) -> Starlette:
    """Return the ASGI app of a new sandbox, for uvicorn or another server."""
    return Sandbox(data, seed=seed, tick=tick).app


def _posted(http: httpx.Client, url: str, body: bytes, app_secret: str) -> bool:
    headers = {"content-type": "application/json", "x-hub-signature-256": webhooks.signature(body, app_secret)}
    try:
        return http.post(url, content=body, headers=headers).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _seen_at(data: Dataset, as_of: pd.Timestamp) -> Dataset:
    at = as_of.tz_localize("UTC") if as_of.tzinfo is None else as_of.tz_convert("UTC")
    return data.before(at) if at < data.as_of else replace(data, as_of=at)
