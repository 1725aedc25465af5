"""A folder of exports, or exports named one by one, to one Dataset."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from wa_products import events, frames
from wa_products.datasets import Dataset
from wa_products.errors import DataError
from wa_products.exports.catalogs import catalog_at
from wa_products.exports.contract import Kind, Options
from wa_products.exports.crosswalk import match
from wa_products.exports.enrichment import enriched, is_shop
from wa_products.exports.issues import COUNTS, Found, counted, refuse
from wa_products.exports.kept import Files
from wa_products.exports.people import identified
from wa_products.exports.readers import SHAPES, Part
from wa_products.exports.rejected import is_rejected
from wa_products.exports.repeats import settled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wa_products.ledger import Ledger

SHOP = "shop.toml"
IMAGES = "images"
_PICTURES = frozenset({".png", ".jpg", ".jpeg"})
_NOT_EXPORTS = frozenset({".md", ".txt.md", ".toml", ".db", ".html", ".ipynb", *_PICTURES})
_NAMES = ("catalog_id", "currency", "region", "timezone")


@dataclass(frozen=True, kw_only=True)
class Shop:
    """What shop.toml says."""

    currency: str = ""
    region: str = ""
    timezone: str = ""
    catalog_id: str = ""
    as_of: pd.Timestamp | None = None


def load(
    folder: str | Path | None = None,
    *,
    catalog: str | Path | pd.DataFrame | None = None,
    orders: str | Path | pd.DataFrame | None = None,
    inbound: str | Path | pd.DataFrame | None = None,
    as_of: pd.Timestamp | str | None = None,
    ledger: Ledger | None = None,
    strict: bool = False,
    cache: bool = True,
) -> Dataset:
    """
    Return the shop of a folder of exports, told apart by content, or of the exports and frames that are named.

    A folder may hold shop.toml (currency, region, timezone, catalog_id, as_of) and ``images/``. What `ledger` stored
    joins in: its messages, carts and sends. Later orders and messages than `as_of` are not there; without it the
    shop's own is taken, else the moment of loading. What large files gave is kept in ``.wa_products_cache`` beside
    them, readable by you alone, unless `cache` is False; it never changes what is returned. Raises DataError for what
    is missing, empty or of no known format, with `strict` for the first error in a file.
    """
    root = _folder(folder)
    shop = read_shop(root / SHOP) if root is not None else Shop()
    moment = _moment(as_of) or shop.as_of or pd.Timestamp.now("UTC")
    options = Options(as_of=moment, currency=shop.currency, region=shop.region, timezone=shop.timezone)
    named: dict[Kind, Any] = {"catalog": catalog, "orders": orders, "inbound": inbound}
    files = Files(_files(root, named), options, cache=cache)
    given = list(_frames(named))
    if not files.paths and not given and ledger is None:
        raise DataError("there is nothing to load: give a folder, or catalog=, orders= and inbound=")
    alone = not given and ledger is None
    together = files.together(_together) if alone else _together([*files.parts(), *given], ledger)
    if strict:
        refuse(together["issues"])
    return _dataset(together, shop, options, root, ledger)


def read_shop(path: Path) -> Shop:
    """Return what a shop.toml says. Raises DataError where it is no TOML or a value has the wrong kind."""
    if not path.is_file():
        return Shop()
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        zone = said.get("timezone") or "UTC"
        ZoneInfo(zone)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{SHOP} is not valid TOML: {error}") from error
    except (KeyError, ValueError, TypeError, OSError) as error:
        raise DataError(
            f"{SHOP}: there is no time zone {said.get('timezone')!r}: use one such as Europe/Madrid"
        ) from error
    wrong = [name for name in _NAMES if not isinstance(said.get(name, ""), str)]
    if wrong:
        raise DataError(f"{SHOP}: {' and '.join(wrong)} must be text in quotes")
    texts = {name: said.get(name, "").strip() for name in _NAMES}
    upper = {name: texts[name].upper() for name in ("currency", "region")}
    return Shop(**{**texts, **upper}, as_of=_moment(said.get("as_of"), zone))


def _folder(folder: str | Path | None) -> Path | None:
    if folder is None:
        return None
    root = Path(folder)
    if not root.is_dir():
        what = (
            "is a file: give its folder, or name it as catalog=, orders= or inbound="
            if root.exists()
            else "does not exist"
        )
        raise DataError(f"the folder {root} {what}")
    return root


def _moment(value: object, timezone: str = "UTC") -> pd.Timestamp | None:
    if value is None:
        return None
    try:
        at = pd.Timestamp(value)
    except (ValueError, TypeError) as error:
        raise DataError(f"as_of {value!r} is not a time: write it as 2026-11-20T09:00:00Z") from error
    at = at.tz_localize(timezone) if at.tzinfo is None else at
    return at.tz_convert("UTC").as_unit("us")


def _files(root: Path | None, named: Mapping[Kind, Any]) -> list[tuple[Path, Kind | None]]:
    """Return the exports of a folder, of whatever kind, and those that are named for what they give."""
    files: list[tuple[Path, Kind | None]] = []
    if root is not None:
        files += [(path, None) for path in sorted(root.iterdir()) if path.is_file() and _is_export(path)]
        if not files:
            raise DataError(f"the folder {root} holds no exports: put the files of the shop into it")
    return files + [
        (Path(given), kind)
        for kind, given in named.items()
        if given is not None and not isinstance(given, pd.DataFrame)
    ]


def _is_export(path: Path) -> bool:
    return (
        not path.name.startswith((".", "~$")) and path.suffix.casefold() not in _NOT_EXPORTS and not is_rejected(path)
    )


def _frames(named: Mapping[Kind, Any]) -> Iterator[Part]:
    for kind, given in named.items():
        if isinstance(given, pd.DataFrame):
            shape = SHAPES[kind]
            frame = frames.conform(frames.require(given, _REQUIRED[kind], kind), shape, kind)
            yield Part(kind, frame, frames.empty(frames.ISSUES), Found(kind, rows_in=len(given), kept=len(given)))


_REQUIRED: dict[Kind, list[str]] = {
    "catalog": ["product_retailer_id"],
    "orders": ["order_id", "ordered_at"],
    "inbound": ["message_id", "received_at"],
}


def _together(parts: list[Part], ledger: Ledger | None = None) -> dict[str, pd.DataFrame]:
    """Return catalog, orders, inbound and issues of all parts, whatever the moment from which they are looked at."""
    found = {kind: _stacked([part.frame for part in parts if part.kind == kind], kind) for kind in get_args(Kind)}
    if ledger is not None:
        stored = ledger.events()
        found["orders"] = _stacked([found["orders"], events.orders(stored)], "orders")
        found["inbound"] = _stacked([found["inbound"], events.inbound(stored)], "inbound")
    catalog, joined = _catalog(parts)
    inbound = found["inbound"].drop_duplicates("message_id", ignore_index=True)
    once, repeated = _once(found["orders"])
    orders, more = _matched(once, catalog)
    orders, inbound, people = identified(orders, inbound)
    issues = [*_of_each_file(parts), joined, repeated, more, people]
    counts = [part.found.counts(part.kind) for part in parts]
    return {"catalog": catalog, "orders": orders, "inbound": inbound, "issues": counted(_joined(issues), counts)}


def _of_each_file(parts: list[Part]) -> list[pd.DataFrame]:
    """Return the issues of each file; one that gave frames of two kinds was read twice and has each issue once."""
    by_file: dict[str, list[pd.DataFrame]] = {}
    for part in parts:
        by_file.setdefault(part.found.file, []).append(part.issues)
    return [some[0] if len(some) == 1 else _joined(some).drop_duplicates() for some in by_file.values()]


def _joined(issues: list[pd.DataFrame]) -> pd.DataFrame:
    filled = [frame for frame in issues if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else frames.empty(frames.ISSUES)


def _dataset(
    together: dict[str, pd.DataFrame], shop: Shop, options: Options, root: Path | None, ledger: Ledger | None
) -> Dataset:
    """Return what was known at the moment from which the shop is looked at."""
    catalog = catalog_at(together["catalog"], options.as_of)
    orders, inbound, later = _until(together["orders"], together["inbound"], options.as_of)
    issues = counted(_joined([together["issues"], later]), together["issues"].attrs[COUNTS])
    return Dataset(
        catalog=catalog,
        orders=orders,
        inbound=inbound,
        as_of=options.as_of,
        issues=issues,
        sends=ledger.sends() if ledger is not None else frames.empty(frames.SENDS),
        catalog_id=shop.catalog_id,
        currency=shop.currency,
        region=shop.region,
        timezone=shop.timezone or "UTC",
        pictures=_pictures(root, catalog),
    )


def _stacked(parts: list[pd.DataFrame], kind: str) -> pd.DataFrame:
    filled = [part for part in parts if len(part)]
    if not filled:
        return frames.empty(SHAPES[kind])
    joined = filled[0] if len(filled) == 1 else pd.concat(filled, ignore_index=True)
    blank = {name: joined[name].fillna("") for name in joined.columns if joined[name].dtype == "str"}
    return frames.conform(joined.assign(**blank) if len(filled) > 1 else joined, SHAPES[kind], kind)


def _catalog(parts: list[Part]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the Meta catalog with what shop exports add to it, and the issues of joining the two."""
    given = [part.frame for part in parts if part.kind == "catalog"]
    meta = _stacked([frame for frame in given if not is_shop(frame)], "catalog")
    return enriched(meta, _stacked([frame for frame in given if is_shop(frame)], "catalog"))


def _once(orders: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the orders with those that several files hold but once, and what was merged."""
    found = Found("")
    files = pd.factorize(orders["source_file"])[0]
    once = settled(orders, pd.factorize(orders["order_id"])[0] * (files.max(initial=0) + 1) + files, found)
    return once.reset_index(drop=True), found.frame(np.zeros(0, dtype="int64"), None)


def _matched(orders: pd.DataFrame, catalog: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    if catalog.empty or orders.empty:
        return orders, frames.empty(frames.ISSUES)
    matched, _ = match(orders, catalog)
    lost = matched["product_retailer_id"] == ""
    if not lost.any():
        return matched, frames.empty(frames.ISSUES)
    found = Found("")
    found.add(
        "item_not_in_catalog",
        "warning",
        column="product_retailer_id",
        values=[f"{int(lost.sum())} of {len(matched)} lines"],
        action="rows kept without product",
        hint="exports.crosswalk.report(data.orders) lists their titles by revenue",
    )
    return matched, found.frame(np.zeros(0), None)


def _until(
    orders: pd.DataFrame, inbound: pd.DataFrame, as_of: pd.Timestamp
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return what was known at `as_of`, and one issue that counts what came later."""
    known, heard = orders["ordered_at"] <= as_of, inbound["received_at"] <= as_of
    later = int((~known).sum()), int((~heard).sum())
    if not any(later):
        return orders, inbound, frames.empty(frames.ISSUES)
    found = Found("")
    found.add(
        "later_than_as_of",
        "info",
        values=[f"{later[0]} order lines, {later[1]} messages"],
        action="left out",
        hint="they came after as_of, from which the shop is looked at",
    )
    return orders[known], inbound[heard], found.frame(np.zeros(0), None)


def _pictures(root: Path | None, catalog: pd.DataFrame) -> dict[str, bytes]:
    images = root / IMAGES if root is not None else None
    if images is None or not images.is_dir():
        return {}
    there = {path.name: path for path in sorted(images.iterdir()) if path.suffix.casefold() in _PICTURES}
    named = catalog["image_link"].map(lambda link: unquote(urlsplit(link).path.rpartition("/")[2]))
    kept: dict[str, bytes] = {}
    content = {name: path.read_bytes() for name, path in there.items()}
    for product, name in zip(catalog["product_retailer_id"], named, strict=True):
        if name in content:
            kept[product] = content[name]
    return kept
