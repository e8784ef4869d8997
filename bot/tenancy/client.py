"""Slack's Web API for one workspace of many, with the token that it has now."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Self

from aiohttp import ClientSession
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from handlers.slack_client import SlackClient

if TYPE_CHECKING:
    from bot.costs.metrics import Metrics

REFUSED = frozenset({"invalid_auth", "account_inactive", "token_revoked", "token_expired"})
"""What Slack says to a token that it does not take."""
GONE = frozenset({"account_inactive", "token_revoked"})
"""Those of them that prove that the token is gone. It says `invalid_auth` also to whoever calls from an address that is
not on the app's list."""

Refused = Callable[[str, str], Awaitable[str | None]]
"""Told a token and Slack's word for why it is refused; gives the token to use instead, None where there is none."""


class TenantClient(SlackClient):
    """A client that asks for a newer token once where its own is refused, and calls again with that.

    `team_id` is named in every call where the token is that of an organisation, which has many.
    """

    def __init__(
        self,
        token: str | None,
        *,
        base_url: str,
        session: ClientSession,
        refused: Refused,
        metrics: Metrics | None = None,
        careful: bool = False,
        team_id: str | None = None,
    ) -> None:
        super().__init__(token, metrics=metrics, careful=careful, base_url=base_url, session=session, team_id=team_id)
        self._shared = session
        self._refused = refused

    def careful(self) -> Self:
        """The same, with calls that are not repeated where they broke off."""
        return type(self)(
            self.token,
            base_url=self.base_url,
            session=self._shared,
            refused=self._refused,
            metrics=self._metrics,
            careful=True,
            team_id=self.default_params.get("team_id"),
        )

    async def api_call(self, api_method: str, **arguments: Any) -> AsyncSlackResponse:
        """As in SlackClient. Raises SlackApiError."""
        used = str(self.token)
        try:
            return await super().api_call(api_method, **arguments)
        except SlackApiError as error:
            word = str(error.response.get("error") or "")
            if word not in REFUSED or (newer := await self._refused(used, word)) is None:
                raise
            self.token = newer
            return await super().api_call(api_method, **arguments)
