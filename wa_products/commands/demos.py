"""`wa-products demo`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wa_products.commands.shared import OK, command

if TYPE_CHECKING:
    import argparse

    from wa_products.commands.shared import Commands


def add(commands: Commands) -> None:
    """Add the command."""
    demo = command(commands, "demo", run, "the whole loop on a demo shop, without an account")
    demo.add_argument(
        "--shop",
        default="demo",
        help="demo (made up), completejourney (real shoppers; needs the extra of that name), or a folder of exports",
    )
    demo.add_argument("--out", type=Path, help="where ledger, plan and report go; default: wa-products-demo, or -SHOP")
    demo.add_argument(
        "--course", type=Path, metavar="FOLDER", help="only copy the notebooks and the made-up shops into a new folder"
    )
    demo.add_argument("--ledger", help="another ledger, as a URL; default: a file in --out")


def run(arguments: argparse.Namespace) -> int:
    """Run the loop and say where the report is."""
    from wa_products import demo  # noqa: PLC0415  # each command loads only what it needs

    if arguments.course is not None:
        print(f"Next: jupyter lab {demo.copy_course(arguments.course) / 'notebooks' / '00_quickstart.ipynb'}")
        return OK
    out = arguments.out or Path(
        "wa-products-demo" if arguments.shop == "demo" else f"wa-products-{_name(arguments.shop)}"
    )
    path = demo.run(shop=arguments.shop, out=out, ledger_url=arguments.ledger)
    print(f"\nThe report is {path}\nOpen it in a browser; it needs no network.")
    print("Next: wa-products demo --course FOLDER for the notebooks, or wa-products plan FOLDER with your own exports.")
    return OK


def _name(shop: str) -> str:
    """Return the name of a shop or of its folder: two shops in one ledger would be measured as one."""
    return Path(shop).resolve().name
