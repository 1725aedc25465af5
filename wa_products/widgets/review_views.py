"""What a review answers to its views: windows of the list, cards, and what came of each decision."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from wa_products.errors import DataError
from wa_products.widgets import messages
from wa_products.widgets.decisions import APPROVED, OPEN, REJECTED, fault
from wa_products.widgets.differences import differences
from wa_products.widgets.moments import millis
from wa_products.widgets.queries import CLOSINGS, SHOWS, SORTS, Query
from wa_products.widgets.shelves import priced
from wa_products.widgets.templates import fill

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import pandas as pd

    from wa_products.client import Client
    from wa_products.datasets import Dataset
    from wa_products.widgets.cards import Cards
    from wa_products.widgets.decisions import Decisions
    from wa_products.widgets.messages import Message
    from wa_products.widgets.queries import Finder
    from wa_products.widgets.shelves import Shelf

WINDOW = 40
_VIEWS = 16
_NAMED = 200


class ReviewViews:
    """
    The answers of one review to the messages of its views. Rows and states are checked here, never in a browser.

    `names` has the names of customers for texts with fields; `now` tells the time.
    """

    def __init__(
        self,
        decisions: Decisions,
        cards: Cards,
        finder: Finder,
        shelf: Shelf,
        data: Dataset,
        *,
        client: Client | None,
        names: Mapping[str, str],
        now: Callable[[], pd.Timestamp],
    ) -> None:
        self._decisions, self._cards, self._finder, self._shelf = decisions, cards, finder, shelf
        self._data, self._client, self._names, self._now = data, client, names, now
        self._views: dict[str, tuple[Query, list[int], list[dict[str, Any]] | None]] = {}
        self._differences: list[dict[str, Any]] | None = None
        self._handlers: messages.Handlers = {
            "query": self._on_query,
            "rows": self._on_rows,
            "open": self._on_open,
            "set": self._on_set,
            "bulk": self._on_bulk,
            "edit": self._on_edit,
            "write": self._on_write,
            "swap": self._on_swap,
            "find": self._on_find,
            "undo": lambda _: self.changed(self._decisions.undo()),
            "compare": self._on_compare,
            "ping": lambda _: [{"k": "pong", "now": millis(self._now())}],
        }

    def answer(self, content: object) -> list[Message]:
        """Return the messages that answer one message of a browser, what others did since first."""
        others = self._decisions.catch_up()
        return [*(self.changed(others) if others else []), *messages.answered(content, self._handlers)]

    def changed(self, rows: Sequence[int]) -> list[Message]:
        """Return the news of these rows for every view of the review."""
        self._finder.changed(rows)
        named = [self._cards.line(row) for row in rows] if len(rows) <= _NAMED else []
        return [{"k": "changed", "rows": named, "number": len(rows)}]

    # Looking

    def _on_query(self, content: Message) -> list[Message]:
        query = Query(
            text=messages.text(content, "text"),
            show=messages.one_of(content, "show", SHOWS),
            kind=messages.text(content, "kind"),
            reason=messages.text(content, "reason"),
            product=messages.text(content, "product"),
            least=messages.share(content, "least"),
            closing=messages.one_of(content, "closing", CLOSINGS),
            sort=messages.one_of(content, "sort", SORTS),
        )
        view, found = messages.text(content, "view"), self._finder.find(query, self._now())
        groups = self._finder.groups(found) if content.get("group") is True else None
        self._views.pop(view, None)
        self._views[view] = query, found, groups
        for oldest in list(self._views)[:-_VIEWS]:
            del self._views[oldest]
        keep = content.get("keep")
        at = found.index(keep) if groups is None and type(keep) is int and keep in set(found) else 0
        begin = max(0, at - WINDOW // 2)
        told = {"seq": content.get("seq"), "total": len(found if groups is None else groups), "number": len(found)}
        answer = {"k": "listed", "view": view, **told, "at": at, "from": begin, "now": millis(self._now())}
        return [answer | {"rows": self._window(view, begin)}]

    def _on_rows(self, content: Message) -> list[Message]:
        _, found, groups = self._shown(content)
        begin = messages.whole(content, "from", len(found if groups is None else groups) + 1)
        lines = self._window(content["view"], begin)
        return [{"k": "rows", "view": content["view"], "seq": content.get("seq"), "from": begin, "rows": lines}]

    def _window(self, view: str, begin: int) -> list[dict[str, Any]]:
        _, found, groups = self._views[view]
        if groups is not None:
            return [self._cards.group(group) for group in groups[begin : begin + WINDOW]]
        return [self._cards.line(row) for row in found[begin : begin + WINDOW]]

    def _on_open(self, content: Message) -> list[Message]:
        card = self._cards.card(self._row(content), picture=content.get("picture") is True)
        return [{"k": "card", "view": messages.text(content, "view"), "card": card}]

    def _on_find(self, content: Message) -> list[Message]:
        found = self._shelf.search(messages.text(content, "text"))
        return [{"k": "found", "view": messages.text(content, "view"), "seq": content.get("seq"), "products": found}]

    def _on_compare(self, content: Message) -> list[Message]:
        if self._client is None:
            raise DataError("Meta's catalog cannot be asked: give client= to the review")
        if self._differences is None or content.get("again") is True:
            self._differences = self.compare(self._client)
        told = {"differences": self._differences, "number": len(self._to_send()), "now": millis(self._now())}
        return [{"k": "compared", "view": messages.text(content, "view"), **told}]

    def compare(self, client: Client) -> list[dict[str, Any]]:
        """Return what Meta's catalog has otherwise of the products that may be sent."""
        return differences(client, self._data, self._to_send())

    def _to_send(self) -> set[str]:
        products = self._decisions.columns["product_retailer_id"]
        return {product for product, send in zip(products, self._decisions.sendable, strict=True) if send}

    # Deciding

    def _on_set(self, content: Message) -> list[Message]:
        return self.changed(self._decisions.decide([self._row(content)], messages.text(content, "state")))

    def _on_bulk(self, content: Message) -> list[Message]:
        """Decide the rows picked; without any the undecided of a list, or the decided of the list of such alone."""
        state = messages.text(content, "state")
        if (picked := messages.rows(content, len(self._decisions.marks))) is not None:
            return self.changed(self._decisions.decide(self._sendable(picked), state))
        query, shown, _ = self._shown(content)
        products, marks = self._decisions.columns["product_retailer_id"], self._decisions.marks
        product = content.get("product")
        decided_too = query.show in (APPROVED, REJECTED)
        rows = [row for row in self._sendable(shown) if decided_too or marks[row].state == OPEN]
        rows = [row for row in rows if product is None or products[row] == product]
        return self.changed(self._decisions.decide(rows, state))

    def _on_edit(self, content: Message) -> list[Message]:
        texts = messages.text(content, "body"), messages.text(content, "footer")
        return self.changed(self._decisions.edit({self._row(content): texts}))

    def _on_swap(self, content: Message) -> list[Message]:
        return self.changed(self._decisions.swap(self._row(content), messages.text(content, "product")))

    def _on_write(self, content: Message) -> list[Message]:
        """Write a text with fields to the rows picked, else to all that are shown; without ``do`` only try it."""
        picked = messages.rows(content, len(self._decisions.marks))
        rows = self._sendable(self._shown(content)[1] if picked is None else picked)
        written, faults = self._written(rows, content)
        why = (
            f"{len(faults):,} of {len(rows):,} texts cannot be written: {next(iter(faults.values()))}" if faults else ""
        )
        if content.get("do") is True:
            if why or not rows:
                raise DataError(why or "no row to write to is among those chosen")
            return self.changed(self._decisions.edit(written))
        sample = next((row for row in (content.get("row"), *rows) if type(row) is int and row in written), None)
        told = {"seq": content.get("seq"), "number": len(rows), "why": why, "row": sample}
        told["body"], told["footer"] = written[sample] if sample is not None else ("", "")
        told["longest"] = [max((len(texts[n]) for texts in written.values()), default=0) for n in (0, 1)]
        return [{"k": "tried", "view": messages.text(content, "view"), **told}]

    def _written(self, rows: Iterable[int], content: Message) -> tuple[dict[int, tuple[str, str]], dict[int, str]]:
        """Return the texts of each row and, where a row cannot have its text, why."""
        templates = [None if content.get(name) is None else messages.text(content, name) for name in ("body", "footer")]
        columns, marks = self._decisions.columns, self._decisions.marks
        price = cache(lambda amount, currency: priced(amount, currency, self._data.region))
        written, faults = {}, {}
        for row in rows:
            values = {
                "name": self._names.get(columns["customer_id"][row], ""),
                "product": columns["title"][row],
                "price": price(columns["price"][row], columns["currency"][row]),
            }
            kept = marks[row].body, marks[row].footer
            try:
                body, footer = (
                    text if template is None else fill(template, values)
                    for template, text in zip(templates, kept, strict=True)
                )
            except DataError as error:
                faults[row] = str(error)
                continue
            written[row] = body, footer
            if why := fault(body, footer):
                faults[row] = why
        return written, faults

    def _sendable(self, rows: Iterable[int]) -> list[int]:
        return [row for row in rows if self._decisions.sendable[row]]

    def _row(self, content: Message) -> int:
        return messages.whole(content, "row", len(self._decisions.marks))

    def _shown(self, content: Message) -> tuple[Query, list[int], list[dict[str, Any]] | None]:
        """Return what the view lists: bulk actions touch what the person sees, not what a new query would find."""
        if (view := messages.text(content, "view")) not in self._views:
            raise DataError("this view is too old: change its search or filter once, then go on")
        return self._views[view]
