"""
The review: proposals beside a phone that shows each message as the customer will see it.

Python owns the truth. The browser shows windows of the list and one card at a time, which it asks for by message,
and reports what the person did; rows and states are checked here. The widget's state, which a notebook may save,
holds nothing about a customer; the plain table beside it, for where widgets do not render, has hashed ids only.
"""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import pandas as pd
import traitlets

from wa_products import frames, payloads, selection
from wa_products.errors import DataError
from wa_products.plans import Plan
from wa_products.widgets.cards import Cards
from wa_products.widgets.decisions import APPROVED, OPEN, REJECTED, Decisions
from wa_products.widgets.queries import SHOWS, SORTS, Finder, Query
from wa_products.widgets.tables import as_html

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable

    from wa_products.datasets import Dataset

WINDOW = 40
_HERE = Path(__file__).parent
_VIEWS = 16
_NAMED = 200


def review(
    chosen: pd.DataFrame, data: Dataset, *, decisions: str | os.PathLike[str] | None = None, by: str = ""
) -> Review:
    """
    Return a widget in which a person looks at the rows of `chosen`, edits, approves and rejects them.

    `chosen` is what `select` returned for `data`. `decisions` is a file that keeps every decision as it is made and
    gives it back on reopening, as long as the row has not changed; without it they live as long as the kernel.
    `by` is the name written beside each, by default the user's. Raises DataError for a frame of another shape.
    """
    return Review(chosen, data, decisions=decisions, by=by)


class Review(anywidget.AnyWidget):
    """The widget that `review` returns; `approved`, `decisions`, `to_frame` and `plan` give back what was decided."""

    _esm = _HERE / "review.js"
    _css = _HERE / "review.css"
    counts = traitlets.Dict(help="rows by what became of them").tag(sync=True)
    facts = traitlets.Dict(help="what the controls offer; nothing about a customer").tag(sync=True)

    def __init__(
        self,
        chosen: pd.DataFrame,
        data: Dataset,
        *,
        decisions: str | os.PathLike[str] | None = None,
        by: str = "",
    ) -> None:
        rows = frames.conform(frames.require(chosen, frames.SELECTED, "the chosen rows"), frames.SELECTED, "chosen")
        if (twice := rows.duplicated(["customer_id", "product_retailer_id"])).any():
            raise DataError(f"{int(twice.sum())} of the chosen rows stand there twice: one a customer and product")
        self._index = chosen.index
        self._data = data
        self._limits = selection.limits(chosen, data)
        self._decisions = Decisions(rows.reset_index(drop=True), decisions, by or _user())
        self._cards = Cards(self._decisions, data)
        self._finder = Finder(self._decisions)
        self._views: dict[str, tuple[Query, list[int]]] = {}
        super().__init__(counts=self._count(), facts=self._facts())
        self.on_msg(self._heard)

    # What was decided

    @property
    def approved(self) -> pd.DataFrame:
        """The approved rows with their texts as edited: a frame of `frames.SELECTED`."""
        frame = self.to_frame()
        return frame[frame["approval"] == APPROVED].drop(columns=["approval", "edited"])

    @property
    def decisions(self) -> pd.DataFrame:
        """One row for each decided or edited: ``approval``, ``edited``, the texts, ``decided_by``, ``decided_at``."""
        marks = self._decisions.marks
        frame = self.to_frame()[["customer_id", "product_retailer_id", "approval", "edited", "body", "footer"]]
        frame["decided_by"] = pd.Series([mark.by for mark in marks], index=frame.index, dtype="str")
        frame["decided_at"] = pd.to_datetime(
            pd.Series([mark.at or None for mark in marks], index=frame.index), utc=True
        )
        return frame[(frame["approval"] != OPEN) | frame["edited"]]

    def to_frame(self) -> pd.DataFrame:
        """Return every row, texts as edited, with ``approval`` (approved, rejected or ``""``) and ``edited``."""
        marks = self._decisions.marks
        rows = self._decisions.rows.assign(
            body=pd.Series([mark.body for mark in marks], dtype="str"),
            footer=pd.Series([mark.footer for mark in marks], dtype="str"),
            approval=pd.Series([mark.state for mark in marks], dtype="str"),
            edited=pd.Series([self._decisions.edited(row) for row in range(len(marks))], dtype="bool"),
        )
        return rows.set_index(self._index)

    def plan(self, *, campaign: str, approved_by: str, holdout: float) -> Plan:
        """Freeze the approved rows as the plan of `campaign`; raises PlanError as `Plan.make` does."""
        threads = self._data.threads[["customer_id", "to", "recipient", "last_inbound_at", "closes_at"]]
        approved = self.approved.drop(columns="closes_at").merge(threads, on="customer_id", how="left")
        chosen = self._decisions.rows
        sendable = set(chosen.loc[chosen["decision"] == selection.SEND, "customer_id"])
        left = len(sendable - set(approved["customer_id"]))
        return Plan.make(
            approved,
            campaign=campaign,
            catalog_id=self._data.catalog_id,
            approved_by=approved_by,
            created_at=self._data.as_of,
            holdout=holdout,
            waterfall=(*selection.waterfall(chosen), *([("not approved", left)] if left else [])),
            limits=self._limits,
        )

    # Deciding without a browser

    def approve(self, customer_ids: Iterable[str]) -> int:
        """Approve the rows to send of these customers; return how many changed. Raises DataError where one has none."""
        return self._decide_for(customer_ids, APPROVED)

    def reject(self, customer_ids: Iterable[str]) -> int:
        """Reject the rows to send of these customers; return how many changed. Raises DataError where one has none."""
        return self._decide_for(customer_ids, REJECTED)

    def approve_all(self, where: Callable[[pd.DataFrame], pd.Series] | None = None) -> int:
        """
        Approve every row to send that is not rejected; return how many changed.

        `where` narrows them: given `to_frame()`, it returns a boolean for each row, for example
        ``lambda rows: rows["probability"] > 0.2``.
        """
        frame = self.to_frame()
        wanted = (frame["decision"] == selection.SEND) & (frame["approval"] != REJECTED)
        if where is not None:
            wanted &= where(frame)
        return self._decide([row for row, this in enumerate(wanted) if this], APPROVED)

    def _decide_for(self, customer_ids: Iterable[str], state: str) -> int:
        wanted = {customer_ids} if isinstance(customer_ids, str) else set(customer_ids)
        customers = self._decisions.rows["customer_id"].tolist()
        rows = [row for row, c in enumerate(customers) if c in wanted and self._decisions.sendable[row]]
        if missing := sorted(wanted - {customers[row] for row in rows}):
            raise DataError(f"{len(missing)} of these customers have no row to send, the first is {missing[0]}")
        return self._decide(rows, state)

    def _decide(self, rows: list[int], state: str) -> int:
        changed = self._decisions.decide(rows, state)
        self._tell(changed)
        return len(changed)

    # The conversation with the browser

    def _heard(self, _widget: object, content: object, _buffers: object) -> None:
        for message in self.answer(content):
            self.send(message)

    def answer(self, content: object) -> list[dict[str, Any]]:
        """Return the messages that answer one message of the browser; a malformed one is refused in words."""
        message = content if isinstance(content, dict) else {}
        handlers: dict[str, Callable[[dict[str, Any]], list[dict[str, Any]]]] = {
            "query": self._on_query,
            "rows": self._on_rows,
            "open": self._on_open,
            "set": self._on_set,
            "bulk": self._on_bulk,
            "edit": self._on_edit,
            "undo": self._on_undo,
        }
        try:
            return handlers[_one_of(message, "k", tuple(handlers))](message)
        except (DataError, OSError) as error:
            return [{"k": "refused", "view": message.get("view"), "why": str(error)}]

    def _on_query(self, content: dict[str, Any]) -> list[dict[str, Any]]:
        query = Query(
            text=_text(content, "text"),
            show=_one_of(content, "show", SHOWS),
            kind=_text(content, "kind"),
            reason=_text(content, "reason"),
            sort=_one_of(content, "sort", SORTS),
        )
        view, found = _text(content, "view"), self._finder.find(query)
        self._views.pop(view, None)
        self._views[view] = query, found
        for oldest in list(self._views)[:-_VIEWS]:
            del self._views[oldest]
        keep = content.get("keep")
        at = found.index(keep) if type(keep) is int and keep in set(found) else 0
        begin = max(0, at - WINDOW // 2)
        answer = {"k": "listed", "view": view, "seq": content.get("seq"), "total": len(found), "at": at, "from": begin}
        return [answer | {"rows": [self._cards.line(row) for row in found[begin : begin + WINDOW]]}]

    def _on_rows(self, content: dict[str, Any]) -> list[dict[str, Any]]:
        _, shown = self._shown(content)
        begin = _whole(content, "from", len(shown) + 1)
        lines = [self._cards.line(row) for row in shown[begin : begin + WINDOW]]
        return [{"k": "rows", "view": content["view"], "seq": content.get("seq"), "from": begin, "rows": lines}]

    def _on_open(self, content: dict[str, Any]) -> list[dict[str, Any]]:
        row = _whole(content, "row", len(self._decisions.rows))
        card = self._cards.card(row, picture=content.get("picture") is True)
        return [{"k": "card", "view": _text(content, "view"), "card": card}]

    def _on_set(self, content: dict[str, Any]) -> list[dict[str, Any]]:
        row = _whole(content, "row", len(self._decisions.rows))
        return self._changed(self._decisions.decide([row], _text(content, "state")))

    def _on_bulk(self, content: dict[str, Any]) -> list[dict[str, Any]]:
        """Decide the undecided of a list; what was decided stays, but in the list of the approved or the rejected."""
        query, shown = self._shown(content)
        decided_too = query.show in (APPROVED, REJECTED)
        marks, sendable = self._decisions.marks, self._decisions.sendable
        rows = [row for row in shown if sendable[row] and (decided_too or marks[row].state == OPEN)]
        return self._changed(self._decisions.decide(rows, _text(content, "state")))

    def _on_edit(self, content: dict[str, Any]) -> list[dict[str, Any]]:
        row = _whole(content, "row", len(self._decisions.rows))
        return self._changed(self._decisions.edit(row, _text(content, "body"), _text(content, "footer")))

    def _on_undo(self, _content: dict[str, Any]) -> list[dict[str, Any]]:
        return self._changed(self._decisions.undo())

    def _shown(self, content: dict[str, Any]) -> tuple[Query, list[int]]:
        """Return what the view lists: bulk actions touch what the person sees, not what a new query would find."""
        if (view := _text(content, "view")) not in self._views:
            raise DataError("this view is too old: change its search or filter once, then go on")
        return self._views[view]

    def _changed(self, rows: list[int]) -> list[dict[str, Any]]:
        """Return the news for every view of this review."""
        self.counts = self._count()
        named = [self._cards.mark(row) for row in rows] if len(rows) <= _NAMED else []
        return [{"k": "changed", "rows": named, "number": len(rows)}]

    def _tell(self, rows: list[int]) -> None:
        for message in self._changed(rows):
            self.send(message)

    def _count(self) -> dict[str, Any]:
        decisions = self._decisions
        states = [m.state if s else "skipped" for m, s in zip(decisions.marks, decisions.sendable, strict=True)]
        counted = {
            name: states.count(state) for name, state in zip(SHOWS, (OPEN, APPROVED, REJECTED, "skipped"), strict=False)
        }
        return {**counted, "all": len(states), "undo": decisions.undoable}

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
            "window": WINDOW,
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


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def _text(content: dict[str, Any], name: str) -> str:
    if not isinstance(value := content.get(name), str):
        raise DataError(f"the widget sent a message whose {name} is no text")
    return value


def _one_of(content: dict[str, Any], name: str, known: tuple[str, ...]) -> str:
    if (value := _text(content, name)) not in known:
        raise DataError(f"the widget sent an unknown {name}: {value!r}")
    return value


def _whole(content: dict[str, Any], name: str, below: int) -> int:
    value = content.get(name)
    if type(value) is not int or not 0 <= value < below:
        raise DataError(f"the widget sent a {name} that does not exist")
    return value
