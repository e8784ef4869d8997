"""Secrets: from the environment, or from a file that the environment names. Never from the configuration file."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import SecretStr

from bot.errors import ConfigError
from knowledge.chroma import ChromaServer

Mode = Literal["workspace", "socket", "http"]


@dataclass(frozen=True, slots=True)
class SlackSecrets:
    """What Slack gave the app. All None: the local workspace is used."""

    bot_token: SecretStr | None
    app_token: SecretStr | None
    signing_secret: SecretStr | None
    client_id: str = ""
    client_secret: SecretStr | None = None

    @property
    def many(self) -> bool:
        """Whether workspaces install the bot by OAuth. With a bot token there is one workspace, which it belongs to."""
        return self.bot_token is None and bool(self.client_id) and self.client_secret is not None

    @property
    def mode(self) -> Mode:
        """How events come in. Raises ConfigError where a part is missing."""
        if self.bot_token is None and not self.many:
            if self.client_id or self.client_secret:
                missing = "SLACK_CLIENT_SECRET" if self.client_id else "SLACK_CLIENT_ID"
                raise ConfigError(f"{missing} is missing. Both stand under “Basic Information › App Credentials”.")
            if self.app_token or self.signing_secret:
                raise ConfigError("SLACK_BOT_TOKEN is missing. It begins with xoxb- (see “OAuth & Permissions”).")
            return "workspace"
        if self.app_token is not None:
            return "socket"
        if self.signing_secret is not None:
            return "http"
        alone = "SLACK_CLIENT_ID and SLACK_CLIENT_SECRET alone are" if self.many else "SLACK_BOT_TOKEN alone is"
        raise ConfigError(
            f"{alone} not enough. Add SLACK_APP_TOKEN (begins with xapp-) for Socket Mode, or "
            "SLACK_SIGNING_SECRET for events over HTTP."
        )


def read_secret(name: str) -> SecretStr | None:
    """The variable `name`, or the stripped text of the file that `<name>_FILE` names; None where neither is set.

    Raises ConfigError where the file cannot be read or is empty.
    """
    if value := os.environ.get(name, "").strip():
        return SecretStr(value)
    file = os.environ.get(f"{name}_FILE", "").strip()
    if not file:
        return None
    try:
        text = Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{name}_FILE names {file}, which could not be read: {type(error).__name__}.") from error
    if not text:
        raise ConfigError(f"{name}_FILE names {file}, which is empty.")
    return SecretStr(text)


def slack_secrets() -> SlackSecrets:
    """SLACK_BOT_TOKEN, SLACK_APP_TOKEN, SLACK_SIGNING_SECRET, SLACK_CLIENT_ID and SLACK_CLIENT_SECRET, each checked by
    its prefix where it has one."""
    client_id = read_secret("SLACK_CLIENT_ID")
    found = SlackSecrets(
        bot_token=read_secret("SLACK_BOT_TOKEN"),
        app_token=read_secret("SLACK_APP_TOKEN"),
        signing_secret=read_secret("SLACK_SIGNING_SECRET"),
        client_id=client_id.get_secret_value() if client_id else "",
        client_secret=read_secret("SLACK_CLIENT_SECRET"),
    )
    for name, value, prefix in (
        ("SLACK_BOT_TOKEN", found.bot_token, "xoxb-"),
        ("SLACK_APP_TOKEN", found.app_token, "xapp-"),
    ):
        if value is not None and not value.get_secret_value().startswith(prefix):
            raise ConfigError(f"{name} does not begin with {prefix}; another token was probably copied.")
    return found


def chroma_server(address: str) -> ChromaServer | None:
    """The Chroma server at an address, with CHROMA_TOKEN; None where there is no address. Raises ConfigError."""
    if not address:
        return None
    token = read_secret("CHROMA_TOKEN")
    return ChromaServer(address, token.get_secret_value() if token is not None else "")


def mlflow_headers() -> dict[str, str]:
    """What an MLflow server is told of who asks, from the variables that MLflow's own client reads:
    MLFLOW_TRACKING_USERNAME with MLFLOW_TRACKING_PASSWORD, else MLFLOW_TRACKING_TOKEN; nothing where neither is set."""
    user, password = read_secret("MLFLOW_TRACKING_USERNAME"), read_secret("MLFLOW_TRACKING_PASSWORD")
    if user is not None and password is not None:
        both = f"{user.get_secret_value()}:{password.get_secret_value()}"
        return {"Authorization": f"Basic {base64.b64encode(both.encode()).decode()}"}
    token = read_secret("MLFLOW_TRACKING_TOKEN")
    return {"Authorization": f"Bearer {token.get_secret_value()}"} if token is not None else {}


def provider_keys(variables: Mapping[str, str | None]) -> dict[str, SecretStr]:
    """The keys that are there, by provider. `variables`: provider → the variable of its key, None where it has none."""
    return {
        provider: secret
        for provider, variable in variables.items()
        if variable and (secret := read_secret(variable)) is not None
    }
