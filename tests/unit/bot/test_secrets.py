from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.secrets import provider_keys, read_secret, slack_secrets


def test_no_token_means_the_local_workspace() -> None:
    assert slack_secrets().mode == "workspace"


@pytest.mark.parametrize(
    ("given", "mode"),
    [({"SLACK_APP_TOKEN": "xapp-1"}, "socket"), ({"SLACK_SIGNING_SECRET": "s"}, "http")],
)
def test_the_second_secret_decides_how_events_come(
    given: dict[str, str], mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"SLACK_BOT_TOKEN": "xoxb-1", **given}.items():
        monkeypatch.setenv(name, value)
    assert slack_secrets().mode == mode


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"SLACK_BOT_TOKEN": "xoxb-1"}, "SLACK_BOT_TOKEN alone is not enough"),
        ({"SLACK_APP_TOKEN": "xapp-1"}, "SLACK_BOT_TOKEN is missing"),
        ({"SLACK_BOT_TOKEN": "xoxp-1"}, "does not begin with xoxb-"),
    ],
)
def test_an_incomplete_set_says_what_is_missing(
    given: dict[str, str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=told):
        _ = slack_secrets().mode


def test_a_secret_can_stand_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "token"
    file.write_text("sk-1\n")
    monkeypatch.setenv("OPENAI_API_KEY_FILE", str(file))
    secret = read_secret("OPENAI_API_KEY")
    assert secret is not None
    assert secret.get_secret_value() == "sk-1"
    assert "sk-1" not in repr(provider_keys({"openai": "OPENAI_API_KEY", "ollama": None}))


def test_an_empty_or_missing_secret_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY_FILE", str(tmp_path / "no"))
    with pytest.raises(ConfigError, match="could not be read"):
        read_secret("OPENAI_API_KEY")
    (tmp_path / "no").touch()
    with pytest.raises(ConfigError, match="is empty"):
        read_secret("OPENAI_API_KEY")
