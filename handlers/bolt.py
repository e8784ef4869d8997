"""Bolt, as the bot uses it: one that knows what it has not finished."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from handlers.slack_client import SlackClient
from handlers.under_way import UnderWay


class Bolt(AsyncApp):
    """An AsyncApp whose dispatches are under way from the first step, which asks Slack whose token it has.

    Nobody else waits for them: closing a socket leaves the frames that it brought in tasks of their own. Once
    draining began none is taken on or acknowledged: Slack sends it again, to another process or to the next.
    """

    client: SlackClient

    def __init__(self, **options: Any) -> None:
        with _without("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET"):
            super().__init__(**options)
        self.under_way = UnderWay()

    def use_token(self, token: str, workspace: str | None) -> None:
        """From now on every call has this token; `workspace` is named in each where the token is an organisation's."""
        self.client.token = self._token = token
        self.client.default_params.pop("team_id", None)
        if workspace is not None:
            self.client.default_params["team_id"] = workspace

    async def async_dispatch(self, req: AsyncBoltRequest) -> BoltResponse:
        """What Slack gets as an answer; 503 once draining began."""
        if self.under_way.draining:
            return BoltResponse(status=503, body="")
        response: BoltResponse = await self.under_way.run(super().async_dispatch(req))
        return response


@contextmanager
def _without(*names: str) -> Iterator[None]:
    """Hides variables: where it finds these two, Bolt begins an OAuth of its own, keeps tokens in plain files and
    forgets the token that it was given."""
    kept = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(kept)
