"""The way from the workspace to the app: events, and interactions that wait for its answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, Literal, Protocol

from deploy.workspace.errors import NotDelivered
from deploy.workspace.state import APP_ID, BOT_USER, JSON, State

Kind = Literal["interactive", "slash_commands"]

ACK_SECONDS = 3.0
RETRY_SECONDS = (0.0, 60.0, 300.0)
"""What Slack waits before it brings an event again: docs.slack.dev, Events API, retries."""


class Delivery(Protocol):
    """One way of reaching the app: Socket Mode, or signed HTTP requests."""

    async def event(self, payload: JSON) -> None:
        """Bring an event to the app, again where it is not acknowledged; NotDelivered when all tries failed."""

    async def interaction(self, kind: Kind, payload: JSON) -> JSON | None:
        """Bring an interaction to the app, once, and return what its acknowledgement carries."""

    async def close(self) -> None:
        """Let go of everything that is open."""


class AppLink:
    """Sends what happens to the app, by whichever delivery is set, and remembers what it sent."""

    def __init__(self, state: State, delivery: Delivery) -> None:
        self._state = state
        self.delivery = delivery
        self.sent: list[JSON] = []
        self.acknowledged: dict[str, float] = {}
        """Seconds that each event took from its sending to its acknowledgement, by its id."""
        self._tasks: set[asyncio.Task[None]] = set()

    def event(self, event: JSON) -> JSON:
        """Tell the app of an event, without waiting for it; returns the whole envelope."""
        body = {
            "token": "local",
            "type": "event_callback",
            "team_id": self._state.team_id,
            "enterprise_id": self._state.enterprise_id,
            "api_app_id": APP_ID,
            "event_id": self._state.next_id("Ev"),
            "event_time": int(time.time()),
            "authorizations": [
                {
                    "team_id": self._state.team_id,
                    "user_id": BOT_USER,
                    "is_bot": True,
                    "enterprise_id": self._state.enterprise_id,
                    "is_enterprise_install": self._state.installed_by_org,
                }
            ],
            "event": {**event, "event_ts": event.get("event_ts") or self._state.next_ts()},
        }
        self.sent.append(body)
        self._in_background(self._bring(body))
        return body

    def redeliver(self, event_id: str | None, times: int) -> JSON | None:
        """Send an event (the last one without an id) again, as Slack does when an acknowledgement gets lost."""
        for body in reversed(self.sent):
            if event_id in (None, body["event_id"]):
                for _ in range(times):
                    self._in_background(self._bring(body))
                return body
        return None

    async def interaction(self, kind: Kind, payload: JSON) -> JSON | None:
        """Send an interaction and return what the app's acknowledgement says; NotDelivered when there is none."""
        return await self.delivery.interaction(kind, payload)

    def forget(self) -> None:
        """Give up what is still on its way, and what was sent before."""
        for task in self._tasks:
            task.cancel()
        self.sent.clear()
        self.acknowledged.clear()

    async def quiet(self) -> None:
        """Wait until the app has acknowledged every event, or until every try is used up."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.delivery.close()

    async def _bring(self, body: JSON) -> None:
        began = time.monotonic()
        try:
            await self.delivery.event(body)
        except NotDelivered as failure:
            body["workspace_failure"] = failure.reason
        else:
            self.acknowledged[body["event_id"]] = time.monotonic() - began

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
