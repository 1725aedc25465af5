"""What all tests share: Hypothesis profiles and the small hand-made shop."""

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

from tests.shops import AS_OF, shop
from wa_products.commands import main

pytest_plugins = ["tests.browser"]

_EVERYWHERE = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow], "print_blob": True}
settings.register_profile("quick", max_examples=30, **_EVERYWHERE)
settings.register_profile("thorough", max_examples=300, **_EVERYWHERE)  # pytest --hypothesis-profile=thorough
settings.load_profile("quick")
# Started in the background by a script, this process and all that it starts would be deaf to interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    """Mark the tests that drive a real browser, which want the machine for themselves."""
    for item in items:
        if "chromium" in item.fixturenames:
            item.add_marker("browser")


@pytest.fixture
def data():
    """Return a shop of four products and five customers, as of `AS_OF`."""
    return shop()


@pytest.fixture
def as_of():
    """Return the moment from which the small shop is looked at."""
    return AS_OF


@pytest.fixture
def typed(monkeypatch, capsys):
    """
    Return a function that runs a command as typed in a folder, within this process: its exit code and what it printed.

    A process of its own would spend seconds on imports; what a command does to one is shown where one is started.
    """

    def run(folder, *words, **environment):
        for name in [name for name in os.environ if name.startswith("WA_")]:
            monkeypatch.delenv(name)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(folder)
        code = main([str(word) for word in words])
        return code, "".join(capsys.readouterr())

    return run
