"""The short-lived permissions that come with an interaction: trigger ids and response URLs."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass

from deploy.workspace.errors import ApiError
from deploy.workspace.state import Channel

TRIGGER_SECONDS = 3.0
RESPONSE_URL_SECONDS = 30 * 60
RESPONSE_URL_USES = 5


@dataclass
class Trigger:
    user: str
    born: float
    exchanged: bool = False


class Triggers:
    """Trigger ids: good for one view, for a few seconds, for the person who caused them."""

    def __init__(self, lifetime: float = TRIGGER_SECONDS) -> None:
        self._lifetime = lifetime
        self._known: dict[str, Trigger] = {}

    def issue(self, user: str) -> str:
        trigger_id = f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        self._known[trigger_id] = Trigger(user, time.monotonic())
        return trigger_id

    def exchange(self, trigger_id: str) -> str:
        """The person whose interaction it was; ApiError where the trigger is unknown, used or too old."""
        trigger = self._known.get(trigger_id)
        if trigger is None:
            raise ApiError("invalid_trigger_id")
        if trigger.exchanged:
            raise ApiError("exchanged_trigger_id")
        if time.monotonic() - trigger.born > self._lifetime:
            raise ApiError("expired_trigger_id")
        trigger.exchanged = True
        return trigger.user


@dataclass
class ResponseUrl:
    """Where an app may answer an interaction: as `user` in `channel`, about the message `ts` if there is one."""

    user: str
    channel: Channel
    thread_ts: str | None
    ts: str | None
    born: float
    uses: int = 0


class ResponseUrls:
    """Response URLs by their secret part: five answers in thirty minutes."""

    def __init__(self) -> None:
        self._known: dict[str, ResponseUrl] = {}

    def issue(self, user: str, channel: Channel, thread_ts: str | None = None, ts: str | None = None) -> str:
        """The path of a new response URL, below the workspace's address."""
        key = secrets.token_urlsafe(18)
        self._known[key] = ResponseUrl(user, channel, thread_ts, ts, time.monotonic())
        return f"/response/{key}"

    def use(self, key: str) -> ResponseUrl:
        """The URL's meaning, counted as one use; ApiError where it is unknown, too old or used up."""
        found = self._known.get(key)
        if found is None or time.monotonic() - found.born > RESPONSE_URL_SECONDS:
            raise ApiError("expired_url")
        if found.uses >= RESPONSE_URL_USES:
            raise ApiError("used_url")
        found.uses += 1
        return found
