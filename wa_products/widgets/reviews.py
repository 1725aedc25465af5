"""
The review: proposals beside a phone that shows each message as the customer will see it.

Python owns the truth. The browser shows windows of the list and one card at a time, which it asks for by message,
and reports what the person did; rows and states are checked here. The widget's state, which a notebook may save,
holds nothing about a customer; the plain table beside it, for where widgets do not render, has hashed ids only.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import anywidget
import pandas as pd
import traitlets

from wa_products import frames, payloads, plans, selection
from wa_products.approvals import read_waiting
from wa_products.errors import DataError
from wa_products.selection import Policy
from wa_products.widgets import sources
from wa_products.widgets.alternatives import HELD
from wa_products.widgets.cards import Cards
from wa_products.widgets.decisions import APPROVED, OPEN, REJECTED, Decisions
from wa_products.widgets.moments import clock
from wa_products.widgets.queries import SHOWS, Finder
from wa_products.widgets.review_views import WINDOW, ReviewViews
from wa_products.widgets.shelves import Shelf
from wa_products.widgets.tables import as_html
from wa_products.widgets.templates import FIELDS
from wa_products.widgets.users import user

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from wa_products.client import Client
    from wa_products.datasets import Dataset
    from wa_products.plans import Plan

    Files = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


def review(
    chosen: pd.DataFrame | str | os.PathLike[str],
    data: Dataset,
    *,
    decisions: Files | None = None,
    by: str = "",
    client: Client | None = None,
    names: Mapping[str, str] | None = None,
) -> Review:
    """
    Return a widget in which a person looks at the rows of `chosen`, edits, approves and rejects them.

    `chosen` is what `select` returned for `data`, or the file in which a run left what waits for a person
    (`wa_products.approvals.save_waiting`). `decisions` is a file that keeps every decision as it is made and
    gives it back on reopening, as long as the row has not changed; without it they live as long as the kernel. Of
    several files the first is written to and the others are read: analysts who decide at once, each in a file of
    their own, or all in one, lose nothing. `by` is the name written beside each, by default the user's. With a
    `client` the products are compared with Meta's catalog. `names` maps customer ids to names, for texts that address
    a customer. Raises DataError for a frame of another shape.
    """
    rows = chosen if isinstance(chosen, pd.DataFrame) else read_waiting(chosen, data)
    return Review(rows, data, decisions=decisions, by=by, client=client, names=names)


class Review(anywidget.AnyWidget):
    """The widget that `review` returns; `approved`, `decisions`, `to_frame` and `plan` give back what was decided."""

    _esm = sources.script("shared", "lists", "phones", "texts", "review")
    _css = sources.style("shared", "review")
    counts = traitlets.Dict(help="rows by what became of them").tag(sync=True)
    facts = traitlets.Dict(help="what the controls offer; nothing about a customer").tag(sync=True)

    def __init__(
        self,
        chosen: pd.DataFrame,
        data: Dataset,
        *,
        decisions: Files | None = None,
        by: str = "",
        client: Client | None = None,
        names: Mapping[str, str] | None = None,
    ) -> None:
        rows = frames.conform(frames.require(chosen, frames.SELECTED, "the chosen rows"), frames.SELECTED, "chosen")
        if (twice := rows.duplicated(["customer_id", "product_retailer_id"])).any():
            raise DataError(f"{int(twice.sum())} of the chosen rows stand there twice: one a customer and product")
        self._index, self._data = chosen.index, data
        self._limits = selection.limits(chosen, data)
        shelf = Shelf(data)
        self._decisions = Decisions(rows.reset_index(drop=True), shelf, _paths(decisions), by or user())
        cards, finder, self._client = Cards(self._decisions, data, shelf), Finder(self._decisions), client
        now = clock(data, client)
        self._views = ReviewViews(
            self._decisions, cards, finder, shelf, data, client=client, names=names or {}, now=now
        )
        super().__init__(counts=self._count(), facts=self._facts())
        self.on_msg(self._heard)

    # What was decided

    @property
    def approved(self) -> pd.DataFrame:
        """The approved rows with their texts and products as changed: a frame of `frames.SELECTED`."""
        frame = self.to_frame()
        return frame[frame["approval"] == APPROVED].drop(columns=["approval", "edited", "instead_of"])

    @property
    def decisions(self) -> pd.DataFrame:
        """One row for each decided or edited: ``approval``, ``edited``, the texts, ``decided_by``, ``decided_at``."""
        frame, marks = self.to_frame(), self._decisions.marks
        names = ["customer_id", "product_retailer_id", "instead_of", "approval", "edited", "body", "footer"]
        at = pd.to_datetime(pd.Series([mark.at or None for mark in marks], frame.index), utc=True, format="ISO8601")
        by = pd.Series([mark.by for mark in marks], frame.index, dtype="str")
        told = frame[names].assign(decided_by=by, decided_at=at)
        return told[(told["approval"] != OPEN) | told["edited"]]

    def to_frame(self) -> pd.DataFrame:
        """
        Return every row, texts and products as changed.

        Added are ``approval`` (approved, rejected or ``""``), ``edited``, and ``instead_of``, the product first
        proposed where a person chose another.
        """
        decisions, rows, columns = self._decisions, self._decisions.rows, self._decisions.columns
        swapped = {name: pd.Series(columns[name], dtype=rows[name].dtype) for name in HELD}
        instead = [
            proposed if mark.product else ""
            for proposed, mark in zip(rows["product_retailer_id"], decisions.marks, strict=True)
        ]
        told = {
            "body": pd.Series([mark.body for mark in decisions.marks], dtype="str"),
            "footer": pd.Series([mark.footer for mark in decisions.marks], dtype="str"),
            "approval": pd.Series([mark.state for mark in decisions.marks], dtype="str"),
            "edited": pd.Series([decisions.edited(row) for row in range(len(rows))], dtype="bool"),
            "instead_of": pd.Series(instead, dtype="str"),
        }
        return rows.assign(**swapped, **told).set_index(self._index)

    def plan(self, *, campaign: str, approved_by: str, holdout: float) -> Plan:
        """Freeze the approved rows as the plan of `campaign`; raises PlanError as `Plan.make` does."""
        named = {"campaign": campaign, "approved_by": approved_by}
        rows = self._decisions.rows
        return plans.approved(self.approved, rows, self._data, **named, holdout=holdout, limits=self._limits)

    def differences(self) -> pd.DataFrame:
        """
        Return what Meta's catalog has otherwise of the products that may be sent: ``product_retailer_id, title, what``.

        Raises DataError where the review has no client to ask with.
        """
        if self._client is None:
            raise DataError("Meta's catalog cannot be asked: give client= to the review")
        found = pd.DataFrame(self._views.compare(self._client), columns=["product", "title", "what"])
        return found.rename(columns={"product": "product_retailer_id"}).astype("str")

    # Deciding without a browser

    def approve(self, customer_ids: Iterable[str]) -> int:
        """Approve the rows to send of these customers; return how many changed. Raises DataError where one has none."""
        return self._decide_for(customer_ids, APPROVED)

    def reject(self, customer_ids: Iterable[str]) -> int:
        """Reject the rows to send of these customers; return how many changed. Raises DataError where one has none."""
        return self._decide_for(customer_ids, REJECTED)

    def approve_all(self, where: Policy | Callable[[pd.DataFrame], pd.Series] | None = None) -> int:
        """
        Approve every row to send that is not rejected; return how many changed.

        `where` narrows them, for runs that nobody watches: a `Policy`, of which those rows are approved that it would
        send; or a function that is given `to_frame()` and returns a boolean for each row, for example
        ``lambda rows: rows["probability"] > 0.2``.
        """
        frame = self.to_frame()
        wanted = (frame["decision"] == selection.SEND) & (frame["approval"] != REJECTED)
        if isinstance(where, Policy):
            proposals = frame[wanted][list(frames.PROPOSALS)]
            allowed = selection.select(proposals, self._data, where)["decision"] == selection.SEND
            wanted &= allowed.reindex(frame.index, fill_value=False)
        elif where is not None:
            wanted &= where(frame)
        return self._decide([row for row, this in enumerate(wanted) if this], APPROVED)

    def _decide_for(self, customer_ids: Iterable[str], state: str) -> int:
        wanted = {customer_ids} if isinstance(customer_ids, str) else set(customer_ids)
        customers = self._decisions.columns["customer_id"]
        rows = [row for row, c in enumerate(customers) if c in wanted and self._decisions.sendable[row]]
        if missing := sorted(wanted - {customers[row] for row in rows}):
            raise DataError(f"{len(missing)} of these customers have no row to send, the first is {missing[0]}")
        return self._decide(rows, state)

    def _decide(self, rows: list[int], state: str) -> int:
        changed = self._decisions.decide(rows, state)
        self._tell(self._views.changed(changed))
        return len(changed)

    # The conversation with the browser

    def answer(self, content: object) -> list[dict[str, Any]]:
        """Return the messages that answer one message of the browser; a malformed one is refused in words."""
        answers = self._views.answer(content)
        if any(each["k"] == "changed" for each in answers):
            self.counts = self._count()
        return answers

    def _heard(self, _widget: object, content: object, _buffers: object) -> None:
        self._tell(self.answer(content))

    def _tell(self, messages: Iterable[dict[str, Any]]) -> None:
        self.counts = self._count()
        for message in messages:
            self.send(message)

    def _count(self) -> dict[str, Any]:
        decisions = self._decisions
        states = [m.state if s else "skipped" for m, s in zip(decisions.marks, decisions.sendable, strict=True)]
        named = zip(SHOWS, (OPEN, APPROVED, REJECTED, "skipped"), strict=False)
        return {
            **{name: states.count(state) for name, state in named},
            "all": len(states),
            "undo": decisions.undoable,
        }

    def _facts(self) -> dict[str, Any]:
        rows, decisions = self._decisions.rows, self._decisions
        notices = []
        if decisions.withdrawn:
            notices.append(f"{decisions.withdrawn:,} earlier decisions were withdrawn: their rows have changed since")
        if decisions.unreadable:
            notices.append(f"{decisions.unreadable:,} lines of the decisions file are broken and were left out")
        if not self._data.catalog_id:
            notices.append("The catalog_id is unknown, so no plan can be made: set it in shop.toml")
        return {
            "kinds": [[str(k), int(n)] for k, n in rows["kind"].value_counts().items()],
            "reasons": [[str(k), int(n)] for k, n in rows.loc[rows["reason"] != "", "reason"].value_counts().items()],
            "as_of": f"{self._data.as_of.tz_convert(self._data.timezone):%d %b %Y %H:%M %Z}",
            "notices": notices,
            "limits": {"body": payloads.BODY, "footer": payloads.FOOTER},
            "fields": list(FIELDS),
            "window": WINDOW,
            "meta": self._client is not None,
        }

    def _caption(self) -> str:
        n = self._count()
        sendable = n["open"] + n["approved"] + n["rejected"]
        return (
            f"Review of {n['all']:,} proposals: {sendable:,} to send, of them {n['approved']:,} approved and "
            f"{n['rejected']:,} rejected; {n['skipped']:,} skipped"
        )

    def __repr__(self) -> str:
        return f"<{self._caption()}>"

    def _repr_mimebundle_(self, **kwargs: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Add a plain table for where widgets do not render; texts are escaped."""
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        return {**data, "text/plain": repr(self), "text/html": as_html(self._decisions, self._caption())}, metadata


def _paths(decisions: Files | None) -> list[str | os.PathLike[str]]:
    if decisions is None:
        return []
    return [decisions] if isinstance(decisions, str | os.PathLike) else list(decisions)
