"""Slack's side of OAuth: the address where a person agrees, and tokens for a code or for an older token."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urljoin

from aiohttp import ClientSession
from pydantic import SecretStr
from slack_sdk.errors import SlackApiError

from bot.tenancy.client import REFUSED
from bot.tenancy.registry import Grant, Installation
from bot.tenancy.settings import is_workspace
from handlers.slack_client import SlackClient


class NotGranted(Exception):
    """Slack's answer grants nothing that can be used. The text says why, in Slack's word or in a few."""


@dataclass(frozen=True, slots=True)
class OAuth:
    """The app as Slack knows it. `redirect`: where Slack sends people back; empty: as the app is configured there."""

    base_url: str
    session: ClientSession
    client_id: str
    client_secret: SecretStr
    scopes: Sequence[str]
    clock: Callable[[], datetime]
    redirect: str = ""

    def address(self, state: str) -> str:
        """Where a person agrees to the installation."""
        asked = {"client_id": self.client_id, "scope": ",".join(self.scopes), "user_scope": "", "state": state}
        if self.redirect:
            asked["redirect_uri"] = self.redirect
        return f"{urljoin(self.base_url, '/oauth/v2/authorize')}?{urlencode(asked)}"

    async def granted(self, code: str) -> Grant:
        """What Slack gives for a code. Raises NotGranted, and SlackApiError and OSError where Slack does not answer."""
        more = {"redirect_uri": self.redirect} if self.redirect else {}
        answer = await self._access(code=code, **more)
        enterprise, team = _named(answer.get("enterprise")), _named(answer.get("team"))
        whole = bool(answer.get("is_enterprise_install"))
        identifier, name = enterprise if whole else team
        token = str(answer.get("access_token") or "")
        if not token or (whole and not identifier.startswith("E")) or (not whole and not is_workspace(identifier)):
            raise NotGranted("it named no workspace and no token")
        refresh = answer.get("refresh_token")
        return Grant(
            id=identifier,
            enterprise=enterprise[0] or None,
            name=name or identifier,
            bot_user=str(answer.get("bot_user_id") or ""),
            scopes=str(answer.get("scope") or ""),
            installed_by=str((answer.get("authed_user") or {}).get("id") or ""),
            bot_token=token,
            refresh_token=str(refresh) if refresh else None,
            expires_at=self._expiry(answer) if refresh else None,
        )

    async def renewed(self, installation: Installation) -> tuple[str, str, datetime]:
        """A new token, the token that renews that one, and when it ends. Raises as `granted` does."""
        answer = await self._access(grant_type="refresh_token", refresh_token=installation.refresh_token)
        token, refresh = str(answer.get("access_token") or ""), str(answer.get("refresh_token") or "")
        if not token or not refresh:
            raise NotGranted("its answer holds no tokens")
        return token, refresh, self._expiry(answer)

    async def refusal(self, installation: Installation) -> str:
        """Slack's word for why it does not take its token; "" where it does, or would if it were renewed.

        Raises SlackApiError and OSError where Slack does not say.
        """
        try:
            await self._client(installation.bot_token).auth_test()
        except SlackApiError as error:
            word = str(error.response.get("error") or "")
            if word not in REFUSED:
                raise
            return "" if word == "token_expired" else word
        return ""

    async def revoke(self, grant: Grant) -> None:
        """Gives back a token that is not wanted. Raises SlackApiError and OSError."""
        await self._client(grant.bot_token).auth_revoke()

    async def uninstall(self, installation: Installation) -> None:
        """Takes the app out of a workspace. Raises SlackApiError and OSError."""
        secret = self.client_secret.get_secret_value()
        await self._client(installation.bot_token).apps_uninstall(client_id=self.client_id, client_secret=secret)

    async def _access(self, **asked: Any) -> Mapping[str, Any]:
        client = self._client(None).careful()
        try:
            secret = self.client_secret.get_secret_value()
            asked |= {"client_id": self.client_id, "client_secret": secret}
            answer = await client.api_call("oauth.v2.access", data=asked)
        except SlackApiError as error:
            if error.response.status_code == 200:
                raise NotGranted(str(error.response.get("error") or "")) from None
            raise
        data = answer.data
        return data if isinstance(data, dict) else {}

    def _client(self, token: str | None) -> SlackClient:
        return SlackClient(token, metrics=None, base_url=self.base_url, session=self.session)

    def _expiry(self, answer: Mapping[str, Any]) -> datetime:
        return self.clock() + timedelta(seconds=int(answer.get("expires_in") or 0))


def _named(value: object) -> tuple[str, str]:
    if not isinstance(value, Mapping):
        return "", ""
    return str(value.get("id") or ""), str(value.get("name") or "")
