import os
import pickle

import pytest

from wa_products.errors import SettingsError
from wa_products.settings import Settings

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
