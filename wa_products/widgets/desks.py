"""
The desk of a human agent: who waits for an answer, what was said, which product to show, and one click to send it.

Python owns the truth, as in a review: the browser shows what it asked for. What is sent goes through the ledger and
the checks of a campaign. The widget's state, which a notebook may save, holds nothing about a customer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anywidget
import pandas as pd
import traitlets

from wa_products import frames, payloads, selection
from wa_products.errors import DataError
from wa_products.widgets import sources
from wa_products.widgets.desk_views import WINDOW, DeskViews
from wa_products.widgets.moments import told
from wa_products.widgets.tables import table
from wa_products.widgets.users import user
from wa_products.windows import MARGIN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from wa_products.campaigns.sources import Mailbox
    from wa_products.client import Client
    from wa_products.datasets import Dataset
    from wa_products.ledger import Ledger
    from wa_products.recommenders import Recommender

SHOWN = 10
_HEADINGS = ("customer", "asked for", "last message", "window closes")


def desk(
    data: Dataset,
    *,
    ledger: Ledger,
    client: Client,
    by: str = "",
    policy: selection.Policy | None = None,
    recommenders: Sequence[Recommender] | None = None,
    names: Mapping[str, str] | None = None,
    mailbox: Mailbox | None = None,
) -> Desk:
    """
    Return a widget in which an agent answers the open threads of `data`, each with one product.

    What the `ledger` hears, from a receiver or from `listen` in another cell, shows within seconds; a `mailbox`, such
    as a sandbox, is listened to by the desk itself. `by` is the name under which messages are approved, by default
    the user's; `policy` has the texts; `recommenders` suggest, by default as in `propose`; `names` maps customer ids
    to names. Raises DataError where the catalog_id is unknown.
    """
    if not data.catalog_id:
        raise DataError("the catalog_id is unknown, so nothing can be sent: set it in shop.toml")
    views = DeskViews(
        data,
        ledger=ledger,
        client=client,
        by=by or user() or "desk",
        policy=policy or selection.Policy(),
        recommenders=recommenders,
        names=names or {},
        mailbox=mailbox,
    )
    return Desk(views, data.timezone)


class Desk(anywidget.AnyWidget):
    """The widget that `desk` returns; `threads` and `sent` give back what it shows and what was sent."""

    _esm = sources.script("shared", "lists", "phones", "texts", "desk")
    _css = sources.style("shared", "desk")
    counts = traitlets.Dict(help="threads by their state").tag(sync=True)
    facts = traitlets.Dict(help="what the controls offer; nothing about a customer").tag(sync=True)

    def __init__(self, views: DeskViews, timezone: str) -> None:
        self._views, self._timezone = views, timezone
        limits = {"body": payloads.BODY, "footer": payloads.FOOTER}
        facts = {"limits": limits, "window": WINDOW, "margin": int(MARGIN.total_seconds() * 1000)}
        super().__init__(counts=self._count(), facts=facts)
        self.on_msg(self._heard)

    @property
    def threads(self) -> pd.DataFrame:
        """
        The threads in the order in which to answer: unread enquiries, what else is unread, the rest by closing time.

        The `threads` frame and ``last_kind, last_text, last_at, answered_at, unread, enquiry, asked``.
        """
        return self._views.threads

    @property
    def sent(self) -> pd.DataFrame:
        """The outcomes of what was sent from this desk: the `outcomes` frame."""
        every = pd.DataFrame(self._views.sent, columns=list(frames.OUTCOMES))
        return frames.conform(every, frames.OUTCOMES, "the desk")

    def refresh(self) -> bool:
        """Take in what the ledger heard since, and show it; return whether there was anything."""
        news = self._views.news()
        self._tell(news)
        return bool(news)

    def answer(self, content: object) -> list[dict[str, Any]]:
        """Return the messages that answer one message of the browser; a malformed one is refused in words."""
        answers = self._views.answer(content)
        if any(each["k"] == "news" for each in answers):
            self.counts = self._count()
        return answers

    def _heard(self, _widget: object, content: object, _buffers: object) -> None:
        self._tell(self.answer(content))

    def _tell(self, messages: Iterable[dict[str, Any]]) -> None:
        for message in messages:
            self.counts = self._count() if message["k"] == "news" else self.counts
            self.send(message)

    def _count(self) -> dict[str, int]:
        rows = self.threads
        return {
            "unread": int(rows["unread"].sum()),
            "enquiries": int(rows["enquiry"].sum()),
            "open": int(rows["is_open"].sum()),
            "closed": int((~rows["is_open"]).sum()),
        }

    def __repr__(self) -> str:
        n = self._count()
        return f"<Desk of {n['open']:,} open threads: {n['unread']:,} to answer, {n['enquiries']:,} ask for a product>"

    def _repr_mimebundle_(self, **kwargs: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Add a plain table for where widgets do not render; texts are escaped."""
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        rows = self.threads
        cells = [
            (row.customer_id, self._views.title(row.asked), row.last_text, told(row.closes_at, self._timezone))
            for row in rows.head(SHOWN).itertuples()
        ]
        more = f"{len(rows) - SHOWN:,} more threads: desk.threads has them all." if len(rows) > SHOWN else ""
        return {
            **data,
            "text/plain": repr(self),
            "text/html": table(_HEADINGS, cells, repr(self)[1:-1], more),
        }, metadata
