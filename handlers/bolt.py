"""Bolt, as the bot uses it: one that knows what it has not finished."""

from __future__ import annotations

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
        super().__init__(**options)
        self.under_way = UnderWay()

    async def async_dispatch(self, req: AsyncBoltRequest) -> BoltResponse:
        """What Slack gets as an answer; 503 once draining began."""
        if self.under_way.draining:
            return BoltResponse(status=503, body="")
        response: BoltResponse = await self.under_way.run(super().async_dispatch(req))
        return response
