"""Policies signed by a person: a TOML file, whose table ``signature`` says by whom, until when and for how many."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from wa_products.errors import DataError, PlanError
from wa_products.policies import Policy

if TYPE_CHECKING:
    import os

_SIGNATURE = re.compile(r"^\s*\[\s*signature\s*\].*", re.MULTILINE | re.DOTALL)
_PARTS = ("by", "at", "until", "at_most", "digest")


@dataclass(frozen=True, kw_only=True)
class SignedPolicy:
    """
    A policy that a person signed: what it would send may go out without them, until `until`, `at_most` messages in all.

    `digest` is the SHA-256 of everything else, so that any later change shows. `policy.max_sends` caps one campaign,
    `at_most` all campaigns that are sent by this signature.
    """

    policy: Policy
    by: str
    at: pd.Timestamp
    until: pd.Timestamp
    at_most: int
    digest: str

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a policy that `sign` signed. Raises PlanError where it is unsigned or was changed since."""
        told = _read(Path(path))
        signature = told.pop("signature", None)
        if signature is None:
            raise PlanError(f"nobody signed {path}: wa-products sign {path} --by NAME --until DATE --at-most NUMBER")
        if not isinstance(signature, dict) or not set(signature) >= set(_PARTS):
            raise PlanError(f"the signature of {path} is cut short: sign it again")
        policy = _policy(told, path)
        if _digest(policy, signature) != signature["digest"]:
            raise PlanError(f"{path} was changed after {signature['by']} signed it: look at it, and sign it again")
        at, until = (pd.Timestamp(signature[name]).tz_convert("UTC") for name in ("at", "until"))
        return cls(
            policy=policy,
            by=signature["by"],
            at=at,
            until=until,
            at_most=signature["at_most"],
            digest=signature["digest"],
        )

    @property
    def signature(self) -> str:
        """What stands as ``approved_by`` in the plans of this policy; by it the ledger counts its messages."""
        return f"{self.by}, by the signed policy {self.digest[:16]}"

    def check(self, at: pd.Timestamp) -> None:
        """Raise PlanError where the policy has ended at `at`."""
        if at >= self.until:
            raise PlanError(f"the policy that {self.by} signed ended at {self.until:%Y-%m-%d %H:%M} UTC: sign it again")

    def __str__(self) -> str:
        return f"signed by {self.by}, until {self.until:%Y-%m-%d %H:%M} UTC, at most {self.at_most:,} messages in all"


def sign(path: str | os.PathLike[str], *, by: str, at: pd.Timestamp, until: pd.Timestamp, at_most: int) -> SignedPolicy:
    """
    Sign the policy in the TOML file at `path`: write, or write anew, its table ``signature``, and change nothing else.

    Raises DataError where the file is no policy, `by` is no name, `until` is over at `at`, or `at_most` is below 1.
    """
    target = Path(path)
    told = _unsigned(_read(target))
    policy = _policy(told, path)
    name = " ".join(by.split())
    if not name or not name.isprintable():
        raise DataError("a signature needs the name of a person")
    if until <= at:
        raise DataError(f"a policy that ends at {until:%Y-%m-%d %H:%M} UTC is over already: give a later --until")
    if at_most < 1:
        raise DataError(f"a policy is signed for 1 message or more, not {at_most}")
    signature: dict[str, Any] = {"by": name, "at": _whole(at), "until": _whole(until), "at_most": at_most}
    signature["digest"] = _digest(policy, signature)
    lines = [f"{key} = {_toml(value)}" for key, value in signature.items()]
    above = _SIGNATURE.sub("", target.read_text(encoding="utf-8")).rstrip("\n")
    text = "\n".join([above, "", "[signature]", *lines, ""])
    if _unsigned(tomllib.loads(text)) != told:
        raise DataError(f"{path} goes on below its table [signature]: move that to the end")
    target.write_text(text, encoding="utf-8")
    return SignedPolicy.load(target)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(f"there is no policy at {path}") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DataError(f"{path} is no policy in TOML: {error}") from error


def _unsigned(told: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name != "signature"}


def _policy(told: dict[str, Any], path: object) -> Policy:
    try:
        return Policy.from_dict(told)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error


def _digest(policy: Policy, signature: dict[str, Any]) -> str:
    """Return the digest of all that the policy means, so that another default shows as well as another word."""
    signed = {name: value for name, value in signature.items() if name != "digest"}
    told = json.dumps([policy.to_dict(), signed], sort_keys=True, ensure_ascii=False, default=_plain)
    return sha256(told.encode()).hexdigest()


def _plain(value: object) -> str:
    return pd.Timestamp(value).isoformat() if isinstance(value, datetime) else str(value)


def _whole(at: pd.Timestamp) -> pd.Timestamp:
    return at.tz_convert("UTC").floor("s")


def _toml(value: object) -> str:
    """Return a value of a signature as TOML writes it, whose strings in double quotes are those of JSON."""
    return f"{value:%Y-%m-%dT%H:%M:%SZ}" if isinstance(value, pd.Timestamp) else json.dumps(value, ensure_ascii=False)
