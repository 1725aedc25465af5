"""Settings from the environment: the one place that reads it. Secrets stay out of every repr."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self
from urllib.parse import unquote, urlsplit

from wa_products.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

SENDING = ("token", "phone_number_id", "catalog_id")
RECEIVING = ("app_secret", "verify_token")
SECRETS = ("token", "app_secret", "verify_token")  # which may also lie in a file, or in the system's keyring
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
    covered_by: str = ""  # set in scheduled runs: the files without whose approval nothing is sent, see `approvals`
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

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must stand nowhere: the secrets that are set, and the password of the ledger's URL."""
        try:
            password = urlsplit(self.ledger).password or ""
        except ValueError:
            password = ""
        return tuple(filter(None, (*(getattr(self, name) for name in SECRETS), password, unquote(password))))

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, *, needs: Collection[str] = SENDING) -> Self:
        """
        Read the settings from `environ`, by default the process's environment; blank counts as missing.

        A secret may also lie in a file, which ``WA_TOKEN_FILE`` names (or ``WA_APP_SECRET_FILE``,
        ``WA_VERIFY_TOKEN_FILE``), or in the system's keyring under its name, ``WA_TOKEN``, with the service that
        ``WA_KEYRING`` names; this wants the extra `keyring`. The environment comes before the file, the file before
        the keyring. `needs` are the fields the task cannot do without, by default those of sending. Raises
        SettingsError naming every missing one at once, and where a file or the keyring cannot be read.
        """
        return cls(**{name: each.value for name, each in found(environ).items()}).require(*needs)

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


class Found(NamedTuple):
    """The value of a setting, and the variable by which it was found; the value stays out of the repr."""

    value: str
    by: str

    def __repr__(self) -> str:
        return f"Found(by={self.by!r})"


def found(environ: Mapping[str, str] | None = None) -> dict[str, Found]:
    """Return each setting that `environ` leads to, by the name of its field, as `Settings.from_env` reads them."""
    env = {name: value.strip() for name, value in (os.environ if environ is None else environ).items()}
    looked = {part.name: _looked_up(part.name, env) for part in fields(Settings)}
    return {name: each for name, each in looked.items() if each.value}


def _looked_up(name: str, env: Mapping[str, str]) -> Found:
    variable = f"WA_{name.upper()}"
    if env.get(variable) or name not in SECRETS:
        return Found(env.get(variable, ""), variable)
    if path := env.get(f"{variable}_FILE"):
        return Found(_in_file(f"{variable}_FILE", path), f"{variable}_FILE")
    service = env.get("WA_KEYRING")
    return Found(_in_keyring(service, variable) if service else "", "WA_KEYRING")


def _in_file(variable: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{variable} names {path}, which cannot be read: {type(error).__name__}") from error


def _in_keyring(service: str, name: str) -> str:
    try:
        import keyring  # noqa: PLC0415  # an extra
        from keyring.errors import KeyringError  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise SettingsError("WA_KEYRING needs the package keyring: pip install 'wa-products[keyring]'") from error
    try:
        return (keyring.get_password(service, name) or "").strip()
    except KeyringError as error:
        raise SettingsError(
            f"WA_KEYRING names the service {service}, but the keyring cannot be read: {type(error).__name__}"
        ) from None


def _variable(name: str) -> str:
    return "WA_TOKEN (or WA_TOKEN_FILE, or WA_KEYRING)" if name == "token" else f"WA_{name.upper()}"
