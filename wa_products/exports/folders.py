"""A folder of exports, or exports named one by one, to one Dataset."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from wa_products import frames
from wa_products.datasets import REMEMBERED, Dataset
from wa_products.errors import DataError
from wa_products.exports.catalogs import catalog_at
from wa_products.exports.contract import Kind, Options
from wa_products.exports.issues import COUNTS, Found, counted, refuse
from wa_products.exports.joining import stacked_issues, together
from wa_products.exports.kept import Files
from wa_products.exports.readers import SHAPES, Part
from wa_products.exports.rejected import is_rejected
from wa_products.stores.manifests import is_store
from wa_products.stores.opening import opened

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

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

    The folder may also be an order store, see `wa_products.stores`: its orders are then read part by part.
    A folder may hold shop.toml (currency, region, timezone, catalog_id, as_of) and ``images/``. What `ledger` stored
    joins in: all carts, the messages and sends of the last 400 days, and of older messages only those that say how a
    customer stands, see `Ledger.remembered`. Later orders and messages than `as_of` are not there; without it the
    shop's own is taken, else the moment of loading. What large files gave is kept in ``.wa_products_cache`` beside
    them, readable by you alone, unless `cache` is False; it never changes what is returned. Raises DataError for what
    is missing, empty or of no known format, with `strict` for the first error in a file.
    """
    if is_store(folder):
        if not (catalog is orders is inbound is None):
            raise DataError(f"{folder} is an order store, which is a whole shop: give nothing beside it but a ledger")
        return opened(Path(str(folder)), _moment(as_of), ledger)
    root = _folder(folder)
    shop = read_shop(root / SHOP) if root is not None else Shop()
    options = options_of(shop, _moment(as_of))
    named: dict[Kind, Any] = {"catalog": catalog, "orders": orders, "inbound": inbound}
    files = Files(_files(root, named), options, cache=cache)
    given = list(_frames(named))
    if not files.paths and not given and ledger is None:
        raise DataError("there is nothing to load: give a folder, or catalog=, orders= and inbound=")
    heard = None if ledger is None else ledger.remembered(options.as_of - REMEMBERED)
    alone = not given and heard is None
    found = files.together(together) if alone else together([*files.parts(), *given], heard)
    if strict:
        refuse(found["issues"])
    return _dataset(found, shop, options, root, ledger)


def exports_of(folder: str | Path) -> tuple[Shop, list[Path]]:
    """Return what shop.toml of a folder says, and its exports. Raises DataError where there are none."""
    root = _folder(folder)
    assert root is not None  # noqa: S101  # a folder was given
    return read_shop(root / SHOP), [path for path, _ in _files(root, {})]


def load_files(root: Path, paths: Sequence[Path], shop: Shop) -> Dataset:
    """Return the shop of some of the exports of a folder."""
    options = options_of(shop)
    found = Files([(path, None) for path in paths], options, cache=False).together(together)
    return _dataset(found, shop, options, root, None)


def options_of(shop: Shop, as_of: pd.Timestamp | None = None) -> Options:
    """Return how a shop has its exports read: as of a moment, where nobody says as of its own, else of now."""
    moment = as_of or shop.as_of or pd.Timestamp.now("UTC")
    return Options(as_of=moment, currency=shop.currency, region=shop.region, timezone=shop.timezone)


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


def _dataset(
    found: dict[str, pd.DataFrame], shop: Shop, options: Options, root: Path | None, ledger: Ledger | None
) -> Dataset:
    """Return what was known at the moment from which the shop is looked at."""
    catalog = catalog_at(found["catalog"], options.as_of)
    orders, inbound, later = _until(found["orders"], found["inbound"], options.as_of)
    issues = counted(stacked_issues([found["issues"], later]), found["issues"].attrs[COUNTS])
    return Dataset(
        catalog=catalog,
        orders=orders,
        inbound=inbound,
        as_of=options.as_of,
        issues=issues,
        sends=ledger.sends(options.as_of - REMEMBERED) if ledger is not None else frames.empty(frames.SENDS),
        catalog_id=shop.catalog_id,
        currency=shop.currency,
        region=shop.region,
        timezone=shop.timezone or "UTC",
        pictures=_pictures(root, catalog),
    )


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
