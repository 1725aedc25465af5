"""`wa-products sandbox`."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from wa_products.commands.shared import OK, command
from wa_products.errors import DataError

if TYPE_CHECKING:
    import argparse

    from wa_products.commands.shared import Commands
    from wa_products.sandbox import Sandbox

_ROUND = 0.5  # seconds between two looks for webhooks that are due


def add(commands: Commands) -> None:
    """Add the command."""
    added = command(
        commands, "sandbox", run, "serve a local Cloud API with shoppers, and a page that shows it", "--data data/demo"
    )
    added.add_argument("--data", type=Path, help="the folder of exports whose shop it is; default: the demo shop")
    added.add_argument("--port", type=int, default=8765, help="default 8765")
    added.add_argument("--host", default="127.0.0.1", help="default 127.0.0.1: nobody else can reach it")
    added.add_argument("--seed", type=int, default=7, help="another seed, other shoppers (default 7)")
    added.add_argument("--as-of", metavar="TIME", help="when its clock starts; default: when the exports are of")
    added.add_argument("--speed", type=float, default=1.0, help="seconds that pass in it in one of ours (default 1)")
    added.add_argument("--shape", choices=("2025", "2026"), default="2026", help="the year whose webhooks it sends")
    added.add_argument("--throughput", type=int, help="messages a second that the number takes (default 80)")
    added.add_argument("--webhooks", metavar="URL", help="post webhooks there, signed, and again until answered")
    added.add_argument("--log", type=Path, metavar="FILE", help="append webhook bodies to this file, one a line")


def run(arguments: argparse.Namespace) -> int:
    """Serve until interrupted."""
    import uvicorn  # noqa: PLC0415  # each command loads only what it needs

    sandbox = _made(arguments)
    if arguments.webhooks and not sandbox.verify(arguments.webhooks):
        told = f"it did not answer the challenge with the verify token {sandbox.settings.verify_token!r}"
        raise DataError(f"{arguments.webhooks} is no receiver: {told}")
    if arguments.log:
        arguments.log.touch()
    print(_greeting(sandbox, f"http://{arguments.host}:{arguments.port}"), flush=True)
    stopped = threading.Event()
    postman = threading.Thread(target=_deliver, args=(sandbox, arguments.webhooks, arguments.log, stopped))
    postman.start()
    try:
        uvicorn.run(sandbox.app, host=arguments.host, port=arguments.port, log_level="warning", lifespan="off")
    except KeyboardInterrupt:
        pass  # that is how one ends it
    finally:
        stopped.set()
        postman.join()
    return OK


def _made(arguments: argparse.Namespace) -> Sandbox:
    from wa_products.demo import DEMO_SHOP  # noqa: PLC0415
    from wa_products.exports import load  # noqa: PLC0415
    from wa_products.sandbox import Sandbox  # noqa: PLC0415

    if not 0 < arguments.speed <= 100_000:  # noqa: PLR2004  # more than a day a second helps nobody
        raise DataError(f"--speed is above 0 and at most 100,000, not {arguments.speed:g}")
    if arguments.throughput is not None and arguments.throughput < 1:
        raise DataError(f"--throughput is a whole number from 1 on, not {arguments.throughput}")
    speed = arguments.speed
    return Sandbox(
        load(arguments.data or DEMO_SHOP),
        seed=arguments.seed,
        as_of=arguments.as_of,
        shape=arguments.shape,
        throughput=arguments.throughput,
        tick=lambda: time.monotonic() * speed,
    )


def _greeting(sandbox: Sandbox, url: str) -> str:
    told = sandbox.settings
    names = {
        "WA_GRAPH_URL": url,
        "WA_TOKEN": told.token,
        "WA_PHONE_NUMBER_ID": told.phone_number_id,
        "WA_BUSINESS_ACCOUNT_ID": told.business_account_id,
        "WA_CATALOG_ID": told.catalog_id,
        "WA_APP_SECRET": told.app_secret,
        "WA_VERIFY_TOKEN": told.verify_token,
    }
    exports = "\n".join(f"export {name}={value}" for name, value in names.items())
    look = f"Look at it on {url}/ and end it with Ctrl-C. For a client (nothing of it is secret):"
    return f"{sandbox!r}\n{look}\n\n{exports}\n"


def _deliver(sandbox: Sandbox, url: str | None, log: Path | None, stopped: threading.Event) -> None:
    """Deliver and write down webhooks as they come, until told to stop, and what is left then."""
    written, last = 0, False
    while not last:
        last = stopped.wait(_ROUND)
        if url:
            sandbox.deliver(url)
        if log:
            written = sandbox.write_log(log, start=written)
