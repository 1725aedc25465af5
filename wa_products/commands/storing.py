"""`wa-products store`: exports of any size to an order store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wa_products.commands.shared import OK, command

if TYPE_CHECKING:
    import argparse

    from wa_products.commands.shared import Commands


def add(commands: Commands) -> None:
    """Add the command."""
    store = command(
        commands,
        "store",
        run,
        "keep exports that do not fit into memory as an order store: a folder of Parquet files",
        "exports shop.store",
    )
    store.add_argument("folder", type=Path, help="catalog and order exports, webhook logs, shop.toml")
    store.add_argument("store", type=Path, help="where the store is or is to be; new exports are added to it")


def run(arguments: argparse.Namespace) -> int:
    """Build the store, or add to it; stopped, it goes on where it was."""
    from wa_products.stores.building import build  # noqa: PLC0415  # each command loads only what it needs

    print(f"{build(arguments.folder, arguments.store)!r}\nNext: wa-products plan {arguments.store} ...")
    return OK
