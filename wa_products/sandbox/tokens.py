"""Access tokens: what each may do and until when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wa_products.errors import DataError
from wa_products.sandbox.clocks import SECOND, moment
from wa_products.sandbox.refusals import bad_token, expired_token, no_token, not_permitted

if TYPE_CHECKING:
    from collections.abc import Iterable

MESSAGING, MANAGEMENT, CATALOG = "whatsapp_business_messaging", "whatsapp_business_management", "catalog_management"
SCOPES = (CATALOG, MANAGEMENT, MESSAGING)
APP_ID = "100000000000004"


@dataclass(frozen=True)
class Grant:
    """What a token may do (`scopes`) and until when, in microseconds since 1970; 0 is for good."""

    scopes: tuple[str, ...]
    expires_at: int = 0

    def is_valid(self, now: int) -> bool:
        """Return whether it has not expired."""
        return not self.expires_at or now < self.expires_at


class Tokens:
    """The tokens of one sandbox; the first may do all, for good. None is ever in a repr."""

    def __init__(self, token: str) -> None:
        self._first = token
        self._grants = {token: Grant(SCOPES)}

    def issue(self, scopes: Iterable[str], expires_at: int = 0) -> str:
        """Return a further token. Raises DataError for a permission that does not exist here."""
        wanted = tuple(sorted(set(scopes)))
        if strange := [scope for scope in wanted if scope not in SCOPES]:
            raise DataError(f"there is no permission {strange[0]!r} here: {', '.join(SCOPES)}")
        token = f"{self._first}-{len(self._grants) + 1}"
        self._grants[token] = Grant(wanted, expires_at)
        return token

    def revoke(self, token: str) -> None:
        """Let a token be one that nobody knows."""
        self._grants.pop(token, None)

    def check(self, token: str, scope: str, now: int) -> None:
        """Raise Refusal unless this token may do what `scope` permits; ``""`` is for what any valid token may do."""
        if not token:
            raise no_token()
        if (grant := self._grants.get(token)) is None:
            raise bad_token()
        if not grant.is_valid(now):
            raise expired_token(moment(grant.expires_at), moment(now))
        if scope and scope not in grant.scopes:
            raise not_permitted(scope)

    def facts(self, token: str, now: int) -> dict[str, Any]:
        """Return what ``debug_token`` tells of a token."""
        if (grant := self._grants.get(token)) is None:
            error = {"code": 190, "message": "Invalid OAuth access token - Cannot parse access token"}
            return {"error": error, "is_valid": False, "scopes": []}
        told = {"app_id": APP_ID, "type": "SYSTEM_USER", "application": "Sandbox app", "data_access_expires_at": 0}
        told |= {"expires_at": grant.expires_at // SECOND, "is_valid": grant.is_valid(now)}
        return {**told, "scopes": list(grant.scopes)}
