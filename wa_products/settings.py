"""Settings from the environment: the one place that reads it. Secrets stay out of every repr."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from wa_products.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

SENDING = ("token", "phone_number_id", "catalog_id")
RECEIVING = ("app_secret", "verify_token")
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """
    What the Cloud API and the ledger need to be reached; each field is the environment variable ``WA_`` plus its name.

    Fields not needed for a task may stay ``""``: `require` asks for those of a task. Raises SettingsError naming
    every malformed field, never its value.
    """

    token: str = field(default="", repr=False)
    app_secret: str = field(default="", repr=False)
    verify_token: str = field(default="", repr=False)
    phone_number_id: str = ""
    business_account_id: str = ""
    catalog_id: str = ""
    graph_url: str = "https://graph.facebook.com"
    graph_version: str = "v25.0"
    rate: str = ""  # messages a second, where the account cannot tell: 20 for a number shared with the Business app
    dry_run: str = ""  # 1: nothing is sent, whatever a notebook says
    ledger: str = field(default="sqlite:///ledger.db", repr=False)  # a PostgreSQL URL may hold a password

    def __post_init__(self) -> None:
        """Refuse what would break later, or carry the token over an open line."""
        url = urlsplit(self.graph_url)
        faults = {
            "WA_TOKEN": bool(self.token) and not re.fullmatch(r"[!-~]+", self.token),
            "WA_GRAPH_URL": not (url.hostname and (url.scheme == "https" or url.hostname in _LOCAL)),
            "WA_GRAPH_VERSION": not re.fullmatch(r"v\d+\.\d+", self.graph_version),
            "WA_PHONE_NUMBER_ID": not re.fullmatch(r"\w*", self.phone_number_id),
            "WA_DRY_RUN": self.dry_run not in {"", "0", "1"},
            "WA_RATE": not re.fullmatch(r"|[1-9]\d{0,3}", self.rate),
        }
        if found := [name for name, is_wrong in faults.items() if is_wrong]:
            raise SettingsError(
                f"malformed: {', '.join(found)}. A token is one word, the URL starts with https:// "
                f"(http:// only on this machine), the version looks like v25.0, an id is digits, "
                "a rate from 1 to 9999, a dry run is 0 or 1"
            )

    @property
    def is_dry(self) -> bool:
        """Whether nothing is to be sent with these settings."""
        return self.dry_run == "1"

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, *, needs: Collection[str] = SENDING) -> Self:
        """
        Read the settings from `environ`, by default the process's environment; blank counts as missing.

        ``WA_TOKEN_FILE`` names a file that holds the token. `needs` are the fields the task cannot do without,
        by default those of sending. Raises SettingsError naming every missing one at once.
        """
        env = {name: value.strip() for name, value in (os.environ if environ is None else environ).items()}
        found = {part.name: env.get(f"WA_{part.name.upper()}", "") for part in fields(cls)}
        if not found["token"] and env.get("WA_TOKEN_FILE"):
            found["token"] = _read_token(env["WA_TOKEN_FILE"])
        return cls(**{name: value for name, value in found.items() if value}).require(*needs)

    def require(self, *needs: str) -> Self:
        """Return the settings, or raise SettingsError naming every one of `needs` that is missing."""
        missing = [name for name in needs if not getattr(self, name)]
        if missing:
            others = [name for name in (*SENDING, *RECEIVING, "business_account_id") if not getattr(self, name)]
            also = [_variable(name) for name in others if name not in missing]
            raise SettingsError(
                f"not set: {', '.join(map(_variable, missing))}"
                + (f" (other tasks also need {', '.join(also)})" if also else "")
                + ". Set them in the environment; the README says where Meta shows each"
            )
        return self


def _variable(name: str) -> str:
    return "WA_TOKEN (or WA_TOKEN_FILE)" if name == "token" else f"WA_{name.upper()}"


def _read_token(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"WA_TOKEN_FILE names {path}, which cannot be read: {type(error).__name__}") from error
