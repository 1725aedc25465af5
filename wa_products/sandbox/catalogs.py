"""Reading the catalog: its products a page at a time, forwards and backwards, filtered, with the fields asked for."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Any

from wa_products.sandbox import filters
from wa_products.sandbox.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.datastructures import URL

    from wa_products.sandbox.shelves import Shelf

PAGE, LARGEST_PAGE = 25, 1000
_FIELDS = "id,name,retailer_id"
_APPROVED = frozenset({"approved", "no_review"})


def page_of(shelf: Shelf, asked: Mapping[str, str], url: URL) -> dict[str, Any]:
    """
    Return the page of products that `asked` (the query) asks for, as the Graph API tells it.

    Read are `limit`, `after` or `before`, `fields`, `filter`, `error_type`, `return_only_approved_products` and
    `summary`. Raises Refusal for values that make no sense.
    """
    names, limit = _wanted(shelf, asked), _limit(asked)
    if "before" in asked:
        end = bisect_left(names, _read_cursor(asked["before"]))
        start = max(0, end - limit)
    else:
        start = bisect_right(names, _read_cursor(asked["after"])) if "after" in asked else 0
        end = min(len(names), start + limit)
    page = names[start:end]
    answer: dict[str, Any] = {"data": [chosen(shelf.node(name), asked.get("fields", _FIELDS)) for name in page]}
    if page:
        answer["paging"] = {"cursors": {"before": _cursor(page[0]), "after": _cursor(page[-1])}}
        if end < len(names):
            link = url.remove_query_params("before").include_query_params(after=_cursor(page[-1]))
            answer["paging"]["next"] = str(link)
        if start > 0:
            link = url.remove_query_params("after").include_query_params(before=_cursor(page[0]))
            answer["paging"]["previous"] = str(link)
    if asked.get("summary", "false") not in {"false", "0"}:
        answer["summary"] = {"total_count": len(names)}
    return answer


def chosen(fields: dict[str, Any], wanted: str) -> dict[str, Any]:
    """Return the fields that `wanted` names, and the id. Of parts asked for in braces the whole field comes."""
    names = {name.partition("{")[0].strip() for name in wanted.split(",")} | {"id"}
    return {name: value for name, value in fields.items() if name in names}


def _wanted(shelf: Shelf, asked: Mapping[str, str]) -> list[str]:
    """Return the retailer ids, sorted, of the products that the filters leave."""
    names = sorted(shelf.products)
    if text := asked.get("filter", ""):
        rule = filters.read(text)
        try:
            names = [name for name in names if filters.fits(rule, shelf.node(name))]
        except ValueError:
            raise Refusal(400, 100, filters.NOT_VALID) from None
    if kind := asked.get("error_type", ""):
        names = [name for name in names if any(e["error_type"] == kind.upper() for e in shelf.node(name)["errors"])]
    if asked.get("return_only_approved_products", "false").casefold() in {"true", "1"}:
        names = [name for name in names if shelf.node(name)["review_status"] in _APPROVED]
    return names


def _limit(asked: Mapping[str, str]) -> int:
    text = asked.get("limit", str(PAGE))
    if not text.isdecimal() or not 1 <= int(text) <= LARGEST_PAGE:
        raise Refusal(400, 100, f"(#100) Param limit must be a number between 1 and {LARGEST_PAGE}")
    return int(text)


def _cursor(name: str) -> str:
    return name.encode().hex()


def _read_cursor(cursor: str) -> str:
    try:
        return bytes.fromhex(cursor).decode()
    except ValueError:
        raise Refusal(400, 100, "(#100) Invalid cursors values") from None
