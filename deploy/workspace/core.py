"""The parts of a running workspace, put together."""

from __future__ import annotations

import copy
from collections.abc import Sequence

from deploy.workspace.app_link import AppLink
from deploy.workspace.calls import CallLog, Faults
from deploy.workspace.changes import Changes
from deploy.workspace.feed import Feed
from deploy.workspace.files import Files
from deploy.workspace.interactions import Interactions
from deploy.workspace.membership import Membership
from deploy.workspace.messages import Messages
from deploy.workspace.people import People
from deploy.workspace.socket_mode import SocketMode
from deploy.workspace.state import State
from deploy.workspace.streams import Streams
from deploy.workspace.triggers import ResponseUrls, Triggers
from deploy.workspace.views import Views


class Core:
    """What every route works on. Made inside a running event loop."""

    def __init__(
        self,
        state: State,
        *,
        bot_token: str,
        app_token: str,
        signing_secret: str,
        scopes: Sequence[str],
        stream_seconds: float,
        ack_seconds: float,
        retry_seconds: Sequence[float],
        trigger_seconds: float,
    ) -> None:
        self.state = state
        self.bot_token = bot_token
        self.app_token = app_token
        self.signing_secret = signing_secret
        self.scopes = tuple(scopes)
        self.feed = Feed()
        self.ack_seconds = ack_seconds
        self.sockets = SocketMode(ack_seconds, retry_seconds)
        self.app = AppLink(state, self.sockets)
        self.messages = Messages(state, self.feed, self.app)
        self.streams = Streams(state, self.feed, self.messages, stream_seconds)
        self.membership = Membership(state, self.feed, self.messages, self.app)
        self.changes = Changes(state, self.messages, self.membership, self.app)
        self.people = People(state, self.app)
        self.files = Files(state, self.messages, self.app)
        self.views = Views(state, self.feed)
        self.triggers = Triggers(trigger_seconds)
        self.response_urls = ResponseUrls()
        self.interactions = Interactions(
            state, self.feed, self.app, self.messages, self.views, self.triggers, self.response_urls
        )
        self.calls = CallLog()
        self.faults = Faults()

    def reset(self, pristine: State) -> None:
        """Forget all that happened; the app's sockets and the way to reach it stay."""
        url = self.state.url
        self.streams.close()
        self.state.__dict__.update(copy.deepcopy(pristine).__dict__)
        self.state.url = url
        self.messages.page_fields.clear()
        self.views.close_all()
        self.app.forget()
        self.calls.entries.clear()
        self.faults.clear()

    async def close(self) -> None:
        self.streams.close()
        await self.app.close()
        await self.sockets.close()
