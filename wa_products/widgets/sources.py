"""The browser's side of a widget: its parts read from beside this file and put together, without a build step."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).parent


def script(*names: str) -> str:
    """Return these ``.js`` files as one module; all but the last only declare what the last uses."""
    return _joined(names, "js")


def style(*names: str) -> str:
    """Return these ``.css`` files as one."""
    return _joined(names, "css")


def _joined(names: tuple[str, ...], kind: str) -> str:
    return "\n".join((_HERE / f"{name}.{kind}").read_text(encoding="utf-8") for name in names)
