"""What all tests share: Hypothesis profiles and the small hand-made shop."""

import pytest
from hypothesis import HealthCheck, settings

from tests.shops import AS_OF, shop

pytest_plugins = ["tests.browser"]

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("default")


@pytest.fixture
def data():
    """Return a shop of four products and five customers, as of `AS_OF`."""
    return shop()


@pytest.fixture
def as_of():
    """Return the moment from which the small shop is looked at."""
    return AS_OF
