"""Errors say what to do, chain, and survive a trip between processes."""

import pickle
from contextlib import contextmanager

import pytest

from wa_products import errors

CODED = [errors.CloudAPIError, errors.WindowClosed, errors.RateLimited, errors.NotInCatalog, errors.AuthError,
         errors.RecipientError]  # fmt: skip
PLAIN = [errors.DataError, errors.SettingsError, errors.PlanError, errors.LedgerError, errors.NotSent,
         errors.OutcomeUnknown, errors.TooManyFailures, errors.RunError]  # fmt: skip


def made(kind):
    """Return an error of `kind` with something in every field."""
    options = {"code": 131047, "details": "more", "fbtrace_id": "A1", "http_status": 400, "retry_after": 2.0}
    return kind("what happened", **options) if kind in CODED else kind("what happened")


@contextmanager
def transaction():
    """Let an error pass through a context manager, as a database transaction does."""
    yield


@pytest.mark.parametrize("kind", CODED + PLAIN)
def test_an_error_pickles_with_all_it_carries(kind):
    """An error comes back from pickle with its message and fields."""
    error = made(kind)
    again = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own bytes
    assert (str(again), again.__dict__) == (str(error), error.__dict__)


@pytest.mark.parametrize("kind", CODED + PLAIN)
def test_an_error_chains_through_a_context_manager(kind):
    """An error raised inside a transaction comes out itself, with its cause."""
    cause = KeyError("x")
    with pytest.raises(kind) as caught, transaction():
        raise made(kind) from cause
    assert caught.value.__cause__ is cause
    assert isinstance(caught.value, errors.WaProductsError)


def test_the_tree_in_the_docstring_is_the_tree():
    """Every class is drawn in the module's docstring, and every name drawn is a class."""
    classes = {name for name, value in vars(errors).items() if isinstance(value, type)}
    drawn = {word for line in (errors.__doc__ or "").splitlines() for word in line.split()[:1] if word in classes}
    assert drawn == classes
