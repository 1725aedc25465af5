"""What a widget shows where widgets do not render: its first rows as an escaped HTML table."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wa_products.widgets.decisions import Decisions

SHOWN = 10
_HEADINGS = ("decision", "customer", "product", "price", "kind", "message", "why")


def cells(decisions: Decisions) -> list[tuple[str, ...]]:
    """Return the first rows, those to send before the skipped, as texts under `_HEADINGS`."""
    order = sorted(range(len(decisions.rows)), key=lambda row: not decisions.sendable[row])[:SHOWN]
    return [_cells(decisions, row) for row in order]


def as_html(decisions: Decisions, caption: str) -> str:
    """Return the first rows as an HTML table in which every text is escaped."""
    rest = len(decisions.rows) - SHOWN
    more = f"{rest:,} more rows: review.to_frame() has them all." if rest > 0 else ""
    return table(_HEADINGS, cells(decisions), caption, more)


def table(headings: Sequence[str], cells: Sequence[Sequence[str]], caption: str, more: str = "") -> str:
    """Return texts as an HTML table under a caption, every one of them escaped."""
    head = "".join(f"<th>{escape(name)}</th>" for name in headings)
    rows = ("".join(f"<td><bdi>{escape(text)}</bdi></td>" for text in row) for row in cells)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    told = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f"<p><strong>{escape(caption)}</strong></p>{told}" + (f"<p>{escape(more)}</p>" if more else "")


def _cells(decisions: Decisions, row: int) -> tuple[str, ...]:
    values, mark = {name: column[row] for name, column in decisions.columns.items()}, decisions.marks[row]
    state = mark.state or "to decide" if decisions.sendable[row] else f"skipped: {values['reason']}"
    price = "" if values["price"] is None else f"{values['price']} {values['currency']}"
    return (state, values["customer_id"], values["title"], price, values["kind"], mark.body, values["why"])
