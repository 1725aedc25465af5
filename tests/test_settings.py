import os
import pickle
import re
import sys

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from wa_products.errors import SettingsError
from wa_products.settings import Settings, found

TOKEN = "EAAB-secret-token"  # noqa: S105  # made up
FULL = {"WA_TOKEN": TOKEN, "WA_PHONE_NUMBER_ID": "1067", "WA_CATALOG_ID": "194836987003835"}


def test_from_env():
    """The settings are read by name, with defaults for the rest, and spaces around a value do not count."""
    settings = Settings.from_env({**FULL, "WA_TOKEN": f" {TOKEN}\n", "WA_LEDGER": "sqlite:///x.db"})
    assert (settings.token, settings.phone_number_id, settings.ledger) == (TOKEN, "1067", "sqlite:///x.db")
    assert (settings.graph_url, settings.graph_version) == ("https://graph.facebook.com", "v25.0")


def test_the_environment_of_the_process(monkeypatch):
    """Without an argument the process's own environment is read."""
    for name in [name for name in os.environ if name.startswith("WA_")]:
        monkeypatch.delenv(name)
    for name, value in FULL.items():
        monkeypatch.setenv(name, value)
    assert Settings.from_env().token == TOKEN


def test_all_that_is_missing_is_named_at_once():
    """One error names every missing setting, blank ones too."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({"WA_PHONE_NUMBER_ID": " "})
    for name in ("WA_TOKEN", "WA_PHONE_NUMBER_ID", "WA_CATALOG_ID", "WA_APP_SECRET", "WA_VERIFY_TOKEN"):
        assert name in str(caught.value)


def test_a_task_asks_for_its_own():
    """A receiver needs no token, only what it checks signatures with."""
    settings = Settings.from_env({"WA_APP_SECRET": "a", "WA_VERIFY_TOKEN": "b"}, needs=["app_secret", "verify_token"])
    with pytest.raises(SettingsError, match="WA_TOKEN"):
        settings.require("token")


def test_a_token_file(tmp_path):
    """The token may lie in a file, which may end with a line break or start with a byte-order mark."""
    path = tmp_path / "token"
    path.write_text(f"\ufeff{TOKEN}\n", encoding="utf-8")
    env = {**FULL, "WA_TOKEN": "", "WA_TOKEN_FILE": str(path)}
    assert Settings.from_env(env).token == TOKEN
    with pytest.raises(SettingsError, match="WA_TOKEN_FILE"):
        Settings.from_env({**env, "WA_TOKEN_FILE": str(tmp_path / "none")})


def test_every_secret_may_lie_in_a_file(tmp_path):
    """The app secret and the verify token, too; the environment comes before the file."""
    path = tmp_path / "secret"
    path.write_text("in-the-file\n")
    names = {"WA_APP_SECRET_FILE": str(path), "WA_VERIFY_TOKEN_FILE": str(path), "WA_VERIFY_TOKEN": "set"}
    settings = Settings.from_env(names, needs=())
    assert (settings.app_secret, settings.verify_token) == ("in-the-file", "set")


class Drawer(KeyringBackend):
    """A keyring in memory, or one that stays locked."""

    priority = 1
    held, is_locked = {("shop", "WA_TOKEN"): TOKEN}, False

    def get_password(self, service, username):
        """Return what lies there."""
        if self.is_locked:
            raise KeyringLocked(TOKEN)
        return self.held.get((service, username))

    def set_password(self, service, username, password):
        """Take nothing in."""


@pytest.fixture
def drawer():
    """Put a keyring of our own in the place of the system's."""
    before, ours = keyring.get_keyring(), Drawer()
    keyring.set_keyring(ours)
    yield ours
    keyring.set_keyring(before)


def test_a_token_in_the_keyring(drawer, tmp_path):
    """The keyring is asked last, only where its service is named, and what it lacks is missing as anywhere."""
    env = {**FULL, "WA_TOKEN": "", "WA_KEYRING": "shop"}
    assert Settings.from_env(env).token == TOKEN
    (tmp_path / "token").write_text("another")
    assert Settings.from_env({**env, "WA_TOKEN_FILE": str(tmp_path / "token")}).token == "another"  # noqa: S105
    assert Settings.from_env({**env, "WA_TOKEN": "set"}).token == "set"  # noqa: S105  # made up
    for without in ({**env, "WA_KEYRING": ""}, {**env, "WA_KEYRING": "another"}):
        with pytest.raises(SettingsError, match="WA_KEYRING"):
            Settings.from_env(without)
    drawer.is_locked = True
    with pytest.raises(SettingsError, match=r"shop.*KeyringLocked") as caught:
        Settings.from_env(env)
    assert TOKEN not in str(caught.value)


def test_a_keyring_that_is_not_installed_is_said(monkeypatch):
    """Who names a service without the package learns which extra brings it."""
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(SettingsError, match=re.escape("wa-products[keyring]")):
        Settings.from_env({**FULL, "WA_TOKEN": "", "WA_KEYRING": "shop"})


def test_what_must_stand_nowhere():
    """The secrets of the settings are those that are set, and the password of the ledger, written either way."""
    settings = Settings(token=TOKEN, ledger="postgresql://u:p%40ss@h/d")
    assert set(settings.secrets) == {TOKEN, "p%40ss", "p@ss"}
    assert Settings().secrets == ()


def test_where_a_setting_was_found(tmp_path):
    """Each setting names the variable that led to it, and its repr keeps the value to itself."""
    (tmp_path / "token").write_text(TOKEN)
    told = found({"WA_TOKEN_FILE": str(tmp_path / "token"), "WA_RATE": "20", "WA_CATALOG_ID": " "})
    assert {name: each.by for name, each in told.items()} == {"token": "WA_TOKEN_FILE", "rate": "WA_RATE"}
    assert TOKEN not in repr(told)


def test_secrets_are_not_shown():
    """No secret stands in the repr, nor the ledger's URL, which may hold a password."""
    secrets = {"token": TOKEN, "app_secret": "app-secret", "verify_token": "verify", "ledger": "postgresql://u:pw@h/d"}
    settings = Settings(**secrets)
    assert not [secret for secret in secrets.values() if secret in repr(settings)]
    assert pickle.loads(pickle.dumps(settings)) == settings  # noqa: S301  # our own bytes


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("token", "two words"),
        ("token", "line\nbreak"),
        ("token", "tokén"),
        ("graph_url", "http://graph.facebook.com"),
        ("graph_url", "graph.facebook.com"),
        ("graph_version", "25"),
        ("phone_number_id", "10/67"),
        ("rate", "fast"),
        ("rate", "0"),
    ],
)
def test_malformed(name, value):
    """A malformed setting is refused by name without its value, a token over an open line too."""
    with pytest.raises(SettingsError, match=f"WA_{name.upper()}") as caught:
        Settings(**{name: value})
    assert value not in str(caught.value).split("A token")[0]
