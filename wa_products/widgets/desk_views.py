"""What a desk answers to its views: threads, conversations, suggestions, and what came of each send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from wa_products import campaigns, selection
from wa_products.errors import DataError
from wa_products.widgets import messages
from wa_products.widgets.answers import Answer, answer, closed
from wa_products.widgets.cards import masked, request
from wa_products.widgets.moments import millis, told
from wa_products.widgets.shelves import Shelf
from wa_products.widgets.shops import Shop
from wa_products.widgets.suggestions import Suggestions
from wa_products.widgets.talks import standing, talk
from wa_products.widgets.waiting import SHOWS, waiting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wa_products.campaigns.sources import Mailbox
    from wa_products.client import Client
    from wa_products.datasets import Dataset
    from wa_products.ledger import Ledger
    from wa_products.recommenders import Recommender
    from wa_products.widgets.messages import Message

WINDOW, SNIPPET, VIEWS = 40, 160, 16


class DeskViews:
    """
    The answers of one desk to the messages of its views. Customers and products are checked here, never in a browser.

    `sent` has the outcomes of what was sent from here.
    """

    def __init__(
        self,
        data: Dataset,
        *,
        ledger: Ledger,
        client: Client,
        by: str,
        policy: selection.Policy,
        recommenders: Sequence[Recommender] | None,
        names: Mapping[str, str],
        mailbox: Mailbox | None,
    ) -> None:
        self._ledger, self._client, self._mailbox, self._by, self._names = ledger, client, mailbox, by, names
        self._shop, self._shelf = Shop(data, ledger, client.now), Shelf(data)
        self._suggestions = Suggestions(self._shelf, policy, recommenders)
        self._timezone = data.timezone
        self._done = ledger.asides()
        self._texts: dict[str, tuple[str, str]] = {}
        self._views: dict[str, list[str]] = {}
        self.sent: list[dict[str, Any]] = []
        self._shop.refresh()
        self._learn()
        self._handlers: messages.Handlers = {
            "query": self._on_query,
            "rows": self._on_rows,
            "open": self._on_open,
            "picture": self._on_picture,
            "find": self._on_find,
            "draft": self._on_draft,
            "send": self._on_send,
            "done": self._on_done,
            "ping": lambda _: [{"k": "pong", "now": self._now()}],
        }

    @property
    def threads(self) -> pd.DataFrame:
        """The threads in the order in which to answer, with the columns of `waiting.WAITING`."""
        return waiting(self._shop, self._asked, self._done)

    def answer(self, content: object) -> list[Message]:
        """Return the messages that answer one message of a browser, what the ledger heard since first."""
        return [*self.news(), *messages.answered(content, self._handlers)]

    def news(self) -> list[Message]:
        """Take in what the ledger heard since; return the news of it for every view."""
        if self._mailbox is not None:
            campaigns.listen(self._mailbox, ledger=self._ledger)
        done, self._done = self._done, self._ledger.asides()
        if self._shop.refresh():
            self._learn()
        elif self._done.equals(done):
            return []
        return [{"k": "news", "now": self._now()}]

    def title(self, product: str) -> str:
        """Return the title of a product, ``""`` for one that is not in the catalog."""
        return self._shelf.title(product)

    def _learn(self) -> None:
        self._suggestions.learn(self._shop.data)
        self._asked = self._suggestions.asked(self._shop.data.threads["customer_id"].tolist())

    def _now(self) -> int | None:
        return millis(self._client.now())

    # The threads

    def _on_query(self, content: Message) -> list[Message]:
        view, show = messages.text(content, "view"), messages.one_of(content, "show", SHOWS)
        rows, keep = self.threads, content.get("keep")
        wanted = rows["unread"] if show == "unread" else rows["is_open"] == (show == "open")
        if words := messages.text(content, "text").casefold().split():
            found = [all(word in told for word in words) for told in self._searched(rows)]
            wanted &= pd.Series(found, rows.index, dtype="bool")
        shown, before = rows.loc[wanted, "customer_id"].tolist(), self._views.pop(view, [])
        if content.get("stay") is True and keep in before:
            # Who was just answered stays under the agent's hand, where they were.
            shown = [customer for customer in shown if customer != keep]
            shown.insert(before.index(keep), keep)
        self._views[view] = shown
        for oldest in list(self._views)[:-VIEWS]:
            del self._views[oldest]
        at = shown.index(keep) if keep in shown else 0
        begin = max(0, at - WINDOW // 2)
        place = {"total": len(shown), "at": at, "from": begin, "rows": self._window(view, begin)}
        return [{"k": "listed", "view": view, "seq": content.get("seq"), "now": self._now(), **place}]

    def _on_rows(self, content: Message) -> list[Message]:
        if (view := messages.text(content, "view")) not in self._views:
            raise DataError("this view is too old: choose a tab once, then go on")
        begin = messages.whole(content, "from", len(self._views[view]) + 1)
        lines = self._window(view, begin)
        return [{"k": "rows", "view": view, "seq": content.get("seq"), "from": begin, "rows": lines}]

    def _window(self, view: str, begin: int) -> list[Message]:
        some = self._views[view][begin : begin + WINDOW]
        return [self._line(row) for row in self.threads.set_index("customer_id", drop=False).loc[some].itertuples()]

    def _line(self, row: Any) -> Message:  # noqa: ANN401  # a row of `threads`
        return {
            "customer": row.customer_id,
            "name": self._names.get(row.customer_id, "") or masked(row.to or row.recipient or "unknown"),
            "asked": self.title(row.asked) if row.unread else "",
            "last": (row.last_text or (f"[{row.last_kind}]" if row.last_kind else ""))[:SNIPPET],
            "at": told(row.last_at, self._timezone),
            "closes": millis(row.closes_at),
            "open": bool(row.is_open),
            "unread": bool(row.unread),
        }

    def _searched(self, rows: pd.DataFrame) -> list[str]:
        told = zip(rows["customer_id"], rows["last_text"], rows["asked"], strict=True)
        names = [(self._names.get(who, ""), who, text, self.title(product)) for who, text, product in told]
        return ["\n".join(each).casefold() for each in names]

    def _on_done(self, content: Message) -> list[Message]:
        """Put a customer aside until they write again, or take that back."""
        customer = self._customer(content)
        rows = self.threads
        unread = bool(rows.loc[rows["customer_id"] == customer, "unread"].any())
        is_aside = unread or customer not in self._done.index
        at = max(self._client.now(), self._shop.data.as_of)  # a webhook may be stamped ahead of this clock
        self._ledger.set_aside(customer, by=self._by, at=at, is_aside=is_aside)
        self._done = self._ledger.asides()
        return [{"k": "news", "now": self._now()}]

    # One of them

    def _on_open(self, content: Message) -> list[Message]:
        customer = self._customer(content)
        self._shop.meet(customer)
        return [self._thread(customer, messages.text(content, "view"))]

    def _thread(self, customer: str, view: str) -> Message:
        rows = self.threads
        row = next(rows[rows["customer_id"] == customer].itertuples())
        return {
            "k": "thread",
            "view": view,
            **self._line(row),
            "closing": told(row.closes_at, self._timezone),
            "why": closed(customer, self._shop, self._ledger, self._client.now()),
            "talk": talk(customer, self._shop, self._shelf, self._texts, self._timezone),
            "offers": self._suggestions.offer(customer),
            "now": self._now(),
        }

    def _on_picture(self, content: Message) -> list[Message]:
        product = messages.text(content, "product")
        told = {"product": product, "picture": self._shelf.picture(product)}
        return [{"k": "picture", "view": messages.text(content, "view"), **told}]

    def _on_find(self, content: Message) -> list[Message]:
        kind = "request" if content.get("asked") is True else "recommendation"
        found = self._shelf.search(messages.text(content, "text"))
        offers = [{**each, **self._suggestions.texts(kind, each["product"]), "kind": kind} for each in found]
        return [{"k": "found", "view": messages.text(content, "view"), "seq": content.get("seq"), "products": offers}]

    # Sending

    def _on_draft(self, content: Message) -> list[Message]:
        chosen = self._chosen(content)
        address = self._shop.threads.set_index("customer_id").loc[chosen.customer_id, ["to", "recipient"]].to_dict()
        told = request(address, self._shop.data.catalog_id, chosen.product, chosen.body, chosen.footer)
        return [{"k": "drafted", "view": messages.text(content, "view"), **told}]

    def _on_send(self, content: Message) -> list[Message]:
        chosen, view = self._chosen(content), messages.text(content, "view")
        self._shop.meet(chosen.customer_id)
        row, warned = answer(chosen, self._shop, self._shelf, self._ledger, self._client, by=self._by)
        self.sent.append(row)
        self._texts[row["send_id"]] = chosen.body, chosen.footer
        self._shop.refresh()
        self._shop.meet(chosen.customer_id)
        sent = {"k": "sent", "view": view, "customer": chosen.customer_id, "outcome": row["outcome"], "warned": warned}
        return [{**sent, "words": self._words(row)}, self._thread(chosen.customer_id, view), {"k": "news", "now": None}]

    def _words(self, row: dict[str, Any]) -> str:
        found = self._shop.sends[self._shop.sends["send_id"] == row["send_id"]]
        if row["outcome"] in ("accepted", "refused", "unknown") and len(found):
            return standing(next(found.itertuples()))[0]
        return f"{row['outcome']}: {row['details']}"

    def _customer(self, content: Message) -> str:
        if (customer := messages.text(content, "customer")) not in set(self._shop.data.threads["customer_id"]):
            raise DataError("the widget sent a customer who has never written")
        return customer

    def _chosen(self, content: Message) -> Answer:
        product = messages.text(content, "product")
        if product not in self._shelf.products:
            raise DataError("the widget sent a product that does not exist")
        texts = (messages.text(content, name) for name in ("body", "footer"))
        body, footer = (text if text.strip() else "" for text in texts)
        return Answer(self._customer(content), product, body, footer, messages.one_of(content, "kind", selection.KINDS))
