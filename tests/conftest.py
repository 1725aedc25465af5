"""What all tests share: Hypothesis profiles and the small hand-made shop."""

import signal

import pytest
from hypothesis import HealthCheck, settings

from tests.shops import AS_OF, shop

pytest_plugins = ["tests.browser"]

_EVERYWHERE = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow], "print_blob": True}
settings.register_profile("quick", max_examples=30, **_EVERYWHERE)
settings.register_profile("thorough", max_examples=300, **_EVERYWHERE)  # pytest --hypothesis-profile=thorough
settings.load_profile("quick")
# Started in the background by a script, this process and all that it starts would be deaf to interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def data():
    """Return a shop of four products and five customers, as of `AS_OF`."""
    return shop()


@pytest.fixture
def as_of():
    """Return the moment from which the small shop is looked at."""
    return AS_OF
