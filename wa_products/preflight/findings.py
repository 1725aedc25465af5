"""What a finding is, and how a question that is not answered becomes one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from wa_products.errors import AuthError, CloudAPIError, NotSent

if TYPE_CHECKING:
    from collections.abc import Callable

OK, WARN, FAIL = "ok", "warn", "fail"
COLUMNS = ("name", "state", "what", "what_to_do")
_NOT_FOUND = 404
_UNAUTHORIZED = 401
_TOKEN_REFUSED = frozenset({102, 104, 190})


class Finding(NamedTuple):
    """One row of a check."""

    name: str
    state: str
    what: str
    what_to_do: str = ""


class Unreachable(Exception):  # named by what happened, as in the package's errors
    """No answer comes from the Cloud API at all."""


def asked(name: str, subject: str, look: Callable[[], list[Finding]], *, vital: bool = False) -> list[Finding]:
    """
    Return what `look` finds; where it is refused or nothing comes back, a finding that says so.

    `vital` is for what nothing can be sent without: refused, it fails, unless the endpoint is not there at all, as
    with solution providers that pass on messages alone. Raises Unreachable where there is no answer to a vital one.
    """
    try:
        return look()
    except CloudAPIError as error:
        missing = error.code == 0 and error.http_status == _NOT_FOUND
        if refused_token(error):
            return [Finding(name, FAIL, f"the token is refused: {error}", "make a new token and set WA_TOKEN")]
        if vital and not missing:
            todo = "set its right id, or grant it to the token"
            return [Finding(name, FAIL, f"{subject} cannot be read: {error}", todo)]
        what = f"{subject} cannot be read here: {error}"
        todo = "some solution providers do not offer it: look in their console"
        if isinstance(error, AuthError) and not missing:
            todo = "grant the token whatsapp_business_management and catalog_management, or look it up by hand"
        return [Finding(name, WARN, what, todo)]
    except NotSent as error:
        if vital:
            raise Unreachable(str(error)) from None
        return [Finding(name, WARN, f"{subject} cannot be read: {error}", "check again later")]


def refused_token(error: CloudAPIError) -> bool:
    """Return whether it is the token itself that is refused."""
    return error.code in _TOKEN_REFUSED or (error.code == 0 and error.http_status == _UNAUTHORIZED)
