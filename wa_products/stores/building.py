"""From exports of any size to a store: small files at once, large tables of orders piece by piece."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wa_products.exports import folders
from wa_products.exports.caches import digest
from wa_products.exports.joining import stacked_issues, together
from wa_products.exports.readers import read_file
from wa_products.stores import opening
from wa_products.stores.pieces import header_of, pieces
from wa_products.stores.writing import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from wa_products.datasets import Dataset
    from wa_products.exports.contract import Options
    from wa_products.exports.headers import Header
    from wa_products.stores.pieces import Piece

LARGE = 256_000_000  # bytes: a larger table of orders is taken in piece by piece
PIECE = 64_000_000
_ALIASES = ["customer_id", "wa_id", "user_id", "previous_wa_id", "previous_user_id"]


def build(
    folder: str | Path, root: str | Path, *, large: int = LARGE, piece: int = PIECE, say: Callable[[str], None] = print
) -> Store:
    """
    Take all exports of `folder` into the store at `root`, made there if need be; what was taken in before is passed by.

    Catalog, messages, issues and what shop.toml says are kept beside the orders. CSV tables of orders of more than
    `large` bytes are read in pieces, so that memory does not grow with them; only there somebody who uses a number that
    another customer gave up is not told apart. Stopped at any point, the same call goes on. Raises DataError as
    `wa_products.load` does.
    """
    shop, paths = folders.exports_of(folder)
    tables = {path: header_of(path) for path in paths if path.stat().st_size > large}
    at_once = [path for path in paths if tables.get(path) is None]
    data = folders.load_files(Path(folder), at_once, shop)
    store = Store(root)
    taken = len(data.orders) and store.append(data.orders, _name(at_once, shop))
    say(f"{len(data.orders):,} order lines of {len(at_once)} files: {'taken in' if taken else 'nothing new'}")
    issues = [data.issues]
    for path, header in tables.items():
        if header is not None:
            table = _Table(
                path=path,
                header=header,
                options=folders.options_of(shop),
                told=_name([path], shop),
                data=data,
                store=store,
                say=say,
            )
            issues += table.take(piece)
    for name, frame in {"catalog": data.catalog, "inbound": data.inbound, "issues": stacked_issues(issues)}.items():
        opening.keep(store.root, name, frame)
    store.describe(
        catalog_id=shop.catalog_id,
        currency=shop.currency,
        region=shop.region,
        timezone=shop.timezone,
        as_of="" if shop.as_of is None else shop.as_of.isoformat(),
    )
    say(f"merging {len(store.manifest.segments)} segments")
    store.merge()
    return store


def _name(paths: list[Path], shop: folders.Shop) -> str:
    """Return a name of what files hold, as `shop` has them read."""
    told = f"{sorted(map(digest, paths))} {shop.currency} {shop.region} {shop.timezone}"
    return hashlib.sha256(told.encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class _Table:
    """A large table of orders on its way into a store; `told` is the name of what it holds."""

    path: Path
    header: Header
    options: Options
    told: str
    data: Dataset
    store: Store
    say: Callable[[str], None]

    def take(self, size: int) -> list[pd.DataFrame]:
        """Take in what is not there yet, in pieces of `size` bytes; return the issues of all pieces."""
        issues, records, lines = [], 0, 0
        base = hashlib.sha256(f"{self.told} {size}".encode()).hexdigest()
        for number, piece in enumerate(pieces(self.path, self.header, size)):
            name = f"{base} {number}"
            kept = f".issues-{base[:24]}-{number}"
            if name not in self.store.manifest.taken:
                orders, found = self._read(piece)
                opening.keep(self.store.root, kept, _moved(found, records, lines))
                orders = orders.assign(source_row=orders["source_row"] + records)
                self.store.append(orders, name, goes_on=number > 0)
            issues.append(opening.kept(self.store.root, kept))
            records, lines = records + piece.records, lines + piece.lines
            self.say(f"{self.path.name}: {records:,} rows taken in")
        return issues

    def _read(self, piece: Piece) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return order lines and issues of a piece, its customers under the ids that the messages have for them."""
        with tempfile.TemporaryDirectory(dir=self.store.root, prefix=".new-") as folder:
            alone = Path(folder) / self.path.name
            alone.write_bytes(piece.content)
            read = read_file(alone, self.options, "orders")
        said = self.data.inbound.drop_duplicates(_ALIASES)
        found = together([opening.part("catalog", self.data.catalog), opening.part("inbound", said), *read])
        ids = found["inbound"].merge(said, on="message_id").drop_duplicates("customer_id_x")
        names = ids.set_index("customer_id_x")["customer_id_y"]
        return opening.under(found["orders"], names), found["issues"]


def _moved(issues: pd.DataFrame, records: int, lines: int) -> pd.DataFrame:
    """Return the issues of a piece with the rows and lines of the whole file."""
    row, line = issues["row"], issues["line"]
    return issues.assign(row=row.where(row < 1, row + records), line=line.where(line < 1, line + lines))
