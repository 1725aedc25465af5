"""From a run to its notebook: by which files what it sends must be covered, each with the digest that it has now."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wa_products.approvals.signed import SignedPolicy
from wa_products.errors import PlanError
from wa_products.plans import Plan

if TYPE_CHECKING:
    from collections.abc import Iterable

NOTHING = "nothing"


def load(path: Path) -> Plan | SignedPolicy:
    """Read a signed policy (``.toml``) or a reviewed plan; raises PlanError or DataError where it is none."""
    return SignedPolicy.load(path) if path.suffix == ".toml" else Plan.load(path)


def handed_down(paths: Iterable[Path]) -> str:
    """Return what ``WA_COVERED_BY`` is to say in the environment of a notebook; `taken_up` reads it there."""
    return "\n".join(f"{load(path).digest} {path.resolve()}" for path in paths) or NOTHING


def taken_up(told: str) -> list[Plan | SignedPolicy]:
    """Return the plans and policies that `handed_down` named. Raises PlanError where one was changed since."""
    found = []
    for line in [] if told == NOTHING else told.splitlines():
        digest, _, path = line.partition(" ")
        cover = load(Path(path))
        if cover.digest != digest:
            raise PlanError(f"{path} was changed while the run went on")
        found.append(cover)
    return found
