"""Who sits at this machine."""

from __future__ import annotations

import getpass


def user() -> str:
    """Return the name of the user of this machine, ``""`` where there is none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
