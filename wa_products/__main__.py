"""The `wa-products` command; `python -m wa_products` is the same."""

from __future__ import annotations

import sys

from wa_products.commands import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
