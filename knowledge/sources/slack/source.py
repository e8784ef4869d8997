"""A Slack channel: its threads, the messages that say something, and its files, as the channel shows them now.

Slack tells of no changes since a time, so the history is walked through as a whole when the program starts and once a
day; in between live events tell (`find`), and each refresh looks at the last week again. Whatever a page of history
does not name is gone. An interrupted walk is gone on with, and a whole one follows.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from knowledge import access
from knowledge.errors import DocumentUnreachable, SourceUnavailable
from knowledge.sources.base import Checkpoint, Gone, Listed, Listing, Past, Reading
from knowledge.sources.slack import channel as channels
from knowledge.sources.slack.api import NotThere, SlackApi
from knowledge.sources.slack.channel import Channel
from knowledge.sources.slack.files import Files, url_of
from knowledge.sources.slack.names import Names
from knowledge.sources.slack.state import State, Walk
from knowledge.sources.slack.threads import Threads

WHOLE_EVERY = timedelta(hours=24)
_NEWS = timedelta(days=7)
_AHEAD = timedelta(minutes=1)  # Slack's clock may be before ours
_FRESH = 60.0  # seconds that a walk believes a channel's privacy
FILES = "files/"


class SlackSource:
    """The `Source` port over one channel (`channel`: "#name" or an id), `days` back; `public` may read a public one."""

    kind = "slack"

    def __init__(
        self,
        name: str,
        channel: str,
        public: frozenset[str],
        api: SlackApi,
        cache_dir: Path,
        *,
        days: int = 365,
        with_files: bool = True,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.name = name
        self._asked = channel
        self._public = access.parse_scopes(public)
        self._api = api
        self._days = timedelta(days=days)
        self._with_files = with_files
        self._clock = clock
        self._id = None if channel.startswith("#") else channel
        self._channel: Channel | None = None
        self._loaded = float("-inf")
        self._walks = 0
        self._has_walked = False
        self._known_files: set[str] = set()
        names = Names(api)
        self._threads = Threads(api, names, cache_dir / "threads")
        self._files = Files(api, names)

    @property
    def channel_id(self) -> str | None:
        """The id of the channel; None until it was first looked for by its name."""
        return self._id

    async def channel(self) -> Channel | None:
        """The channel as it is now; None where Slack shows it no more. Raises SourceUnavailable, also for a name that
        no channel has."""
        if self._id is None:
            self._id = await channels.find(self._api, self._asked)
        return await self._now(believed=0)

    def has_file(self, identifier: str) -> bool:
        """Whether a file was in the channel when it was last looked at."""
        return FILES + identifier in self._known_files

    async def listings(self, past: Past) -> AsyncIterator[Listed]:
        """What is there of the channel, or of its last week. Raises SourceUnavailable."""
        state = State.read(past.state, self._asked)
        self._id = state.channel or self._id or await channels.find(self._api, self._asked)
        channel = await self._now(believed=0)
        if channel is None or not channel.is_open:
            for path in past.versions:
                yield Gone(path)
            raise SourceUnavailable(self._why_hidden(channel))
        if access.to_key(channel.readers) != state.readers:
            async for listed in self._as_known(channel, past):
                yield listed
        state = replace(state, channel=channel.id, readers=access.to_key(channel.readers))
        if not channel.is_member:  # archived: nothing is said there any more, and the bot is let in no more
            if not past.versions:
                raise SourceUnavailable(
                    f"#{channel.name} is archived, and nothing of it was read before. Unarchive it, invite the bot "
                    "with /invite, and refresh."
                )
            yield Checkpoint(state.written())
            return
        plan = self._plan(state)
        await self._threads.begin(anew=plan.is_whole)
        try:
            if self._with_files:
                async for listed in self._file_listings(channel, plan, past.versions):
                    yield listed
            async for listed in self._walk(channel, plan, state, past.versions):
                yield listed
        except NotThere:
            raise SourceUnavailable(
                f"#{channel.name} was closed to the bot while it was read. The next refresh says how it stands."
            ) from None

    async def find(self, path: str) -> Listing | None:
        """One thread or file as it is now; None where it is gone. Raises SourceUnavailable."""
        # The event of its closing may have come to another process than the message: nothing is believed here.
        channel = await self._now(believed=0)
        if channel is None or not channel.is_member:
            return None
        try:
            if path.startswith(FILES):
                return await self._find_file(channel, path)
            message = await self._api.message(channel.id, path) if path > self._floor() else None
            return await self._threads.listing(channel, message, path=path, walk=self._walks) if message else None
        except NotThere:
            return None

    async def _find_file(self, channel: Channel, path: str) -> Listing | None:
        file = await self._files.info(path.removeprefix(FILES)) if self._with_files else None
        listing = self._files.listing(channel, file, path=path) if file else None
        if listing is not None:
            self._known_files.add(path)
        return listing

    async def read(self, listing: Listing) -> Reading:
        """One document. Raises DocumentUnreadable and DocumentUnreachable."""
        channel = self._channel
        if channel is None:
            raise DocumentUnreachable("The channel has not been looked for yet.")
        try:
            if listing.path.startswith(FILES):
                return await self._files.reading(channel, listing)
            return await self._threads.reading(channel, listing)
        except SourceUnavailable as error:
            raise DocumentUnreachable(str(error)) from None

    async def close(self) -> None:
        """Holds nothing: the connection is the bot's."""

    async def _now(self, *, believed: float) -> Channel | None:
        """The channel, as it was at most `believed` seconds ago; None where Slack shows it no more."""
        if self._id is None:
            return None
        if time.monotonic() - self._loaded > believed:
            try:
                self._channel = await channels.load(self._api, self._id, self._public)
            except NotThere:
                self._channel = None
            self._loaded = time.monotonic()
        return self._channel

    def _why_hidden(self, channel: Channel | None) -> str:
        name = f"#{channel.name}" if channel else self._asked
        if channel is not None:
            return (
                f"The bot is not in {name}, so nothing of it is found any more. Invite it there with /invite and "
                "refresh, or forget the source."
            )
        return (
            f"{name} was deleted, or the bot was taken out of it: nothing of it is found any more. Invite the bot "
            "with /invite and refresh, or forget the source."
        )

    async def _as_known(self, channel: Channel, past: Past) -> AsyncIterator[Listed]:
        """All that is known, unread, for the readers of now: they do not wait for the walk."""
        for path, version in past.versions.items():
            url = url_of(version) if path.startswith(FILES) else await self._threads.link(channel.id, path)
            yield Listing(path, version, channel.readers, url)

    def _plan(self, state: State) -> _Plan:
        now = self._clock()
        unfinished = state.unfinished(now, WHOLE_EVERY)
        is_whole = unfinished is None and (not self._has_walked or state.is_whole_due(now, WHOLE_EVERY))
        return _Plan(now, is_whole, unfinished)

    async def _file_listings(self, channel: Channel, plan: _Plan, known: Mapping[str, str]) -> AsyncIterator[Listed]:
        """All files of the channel, or those of its last week, and its canvases."""
        listed: set[str] = set()
        since = plan.now - (self._days if plan.is_thorough else _NEWS)
        found = [file async for file in self._api.files(channel.id, since.timestamp())]
        shared = {file["id"] for file in found}
        for identifier in channel.canvases:
            canvas = await self._files.info(identifier) if identifier not in shared else None
            found += [canvas] if canvas else []
        for file in found:
            listing = self._files.listing(channel, file, path=FILES + str(file["id"]))
            if listing is not None:
                listed.add(listing.path)
                yield listing
        if plan.is_thorough:
            self._known_files = listed
            for path in known:
                if path.startswith(FILES) and path not in listed:
                    yield Gone(path)
        else:
            self._known_files |= listed

    async def _walk(
        self, channel: Channel, plan: _Plan, state: State, known: Mapping[str, str]
    ) -> AsyncIterator[Listed]:
        """The history down to the oldest day, or the last week of it, with a checkpoint after each page."""
        floor, top = self._floor(), _ts(plan.now + _AHEAD)
        times = _Times(known)
        state = replace(state, walks=state.walks + plan.is_whole)
        self._walks = state.walks
        news = None
        if plan.unfinished is not None:
            news = _ts(datetime.fromisoformat(plan.unfinished.began))
        elif not plan.is_whole:
            news = max(floor, _ts(plan.now - _NEWS))
        if news is not None:
            async for listed in self._span(channel, news, top, times):
                if not isinstance(listed, _Mark):
                    yield listed
        if plan.is_thorough:
            walk = plan.unfinished or Walk(plan.now.isoformat(), top)
            async for listed in self._span(channel, floor, walk.low, times):
                if isinstance(listed, _Mark):
                    yield Checkpoint(replace(state, walk=replace(walk, low=listed.low)).written())
                else:
                    yield listed
            state = replace(state, walk=None, whole=None if plan.unfinished else walk.began)
        for path in times.between("", floor):
            yield Gone(path)
        self._has_walked = True
        yield Checkpoint(state.written())

    async def _span(
        self, channel: Channel, oldest: str, latest: str, known: _Times
    ) -> AsyncIterator[Listing | Gone | _Mark]:
        """What is there between two times (both left out), and what is gone from there, with a mark after each page."""
        upper = latest
        async for messages, more in self._api.history(channel.id, oldest=oldest, latest=latest):
            await self._check(channel)
            listed: set[str] = set()
            for message in messages:
                path = str(message["ts"])
                version = known.versions.get(path)
                listing = await self._threads.listing(channel, message, path=path, walk=self._walks, known=version)
                if listing is not None:
                    listed.add(path)
                    yield listing
            lower = str(messages[-1]["ts"]) if more else oldest
            for path in known.between(lower, upper):
                if path not in listed and path != oldest:
                    yield Gone(path)
            upper = lower
            yield _Mark(lower)

    async def _check(self, channel: Channel) -> None:
        """A long walk may not go on for readers that the channel has no more. Raises SourceUnavailable."""
        now = await self._now(believed=_FRESH)
        if now is None or now.readers != channel.readers:
            raise SourceUnavailable(
                f"Who may read #{channel.name} changed while it was read. The next refresh goes on with that."
            )

    def _floor(self) -> str:
        return _ts(self._clock() - self._days)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a refresh goes through: the whole history, the rest of an unfinished walk, or the last week."""

    now: datetime
    is_whole: bool
    unfinished: Walk | None

    @property
    def is_thorough(self) -> bool:
        """Whether all is named that is there, so that the rest is gone."""
        return self.is_whole or self.unfinished is not None


@dataclass(frozen=True, slots=True)
class _Mark:
    """Everything down to `low` has been told."""

    low: str


class _Times:
    """The threads that are known, in the order of their time. Slack's ids of messages sort as text."""

    def __init__(self, versions: Mapping[str, str]) -> None:
        self.versions = versions
        self._sorted = sorted(path for path in versions if not path.startswith(FILES))

    def between(self, oldest: str, latest: str) -> list[str]:
        """Those from `oldest` on, before `latest`."""
        return self._sorted[bisect_left(self._sorted, oldest) : bisect_left(self._sorted, latest)]


def _ts(moment: datetime) -> str:
    return f"{moment.timestamp():.6f}"
