"""`/knowledge add`: understands what somebody wrote, asks what is not sure, adds the source and reads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.core import Core
from bot.domain import PlaceKind
from bot.errors import NotAllowed, SourceNotFound
from handlers.audience import Places
from handlers.blocks import adding, words
from handlers.blocks import knowledge as knowledge_blocks
from handlers.known import Known
from handlers.markdown import escape
from handlers.origin import Origin
from handlers.permissions import Deed, Roles
from handlers.refreshing import embedding_cost, refreshed
from handlers.shapes import JSON
from knowledge import access
from knowledge.sources.kinds import SourceSpec

log = structlog.get_logger(__name__)

HOW = (
    "Write what to add after it: an address (`/knowledge add https://handbook.example/`), a repository, a feed, or a "
    "channel that you are in (`/knowledge add #help`)."
)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What may be added: the readings of it, and who may find it (scopes with their words)."""

    specs: list[SourceSpec]
    readers: list[tuple[str, str]]


class Adding:
    """An admin adds anything, for everyone or for the channel that they are in; a member adds a channel."""

    def __init__(
        self,
        client: AsyncWebClient,
        core: Core,
        roles: Roles,
        places: Places,
        known: Known,
        next_refresh: Callable[[datetime], datetime | None],
    ) -> None:
        self._client = client
        self._core = core
        self._roles = roles
        self._places = places
        self._known = known
        self._next_refresh = next_refresh

    async def open(self, origin: Origin, text: str) -> None:
        """Shows what was understood. Raises SourceNotFound where that is nothing, and NotAllowed."""
        if not text:
            await origin.line(self._client).say(HOW)
            return
        wanted = await self._understood(origin, text)
        now = self._core.clock()
        upcoming = self._next_refresh(now)
        again = f" and looked through again for changes, next {words.until(upcoming, now)}" if upcoming else ""
        note = f"It is read now{again}. {await embedding_cost(self._core)}"
        view = adding.adding_modal(text, wanted.specs, wanted.readers, note, origin.metadata())
        await self._client.views_open(trigger_id=str(origin.trigger_id), view=view)

    def wrong(self, payload: JSON) -> dict[str, str]:
        """What is wrong with the modal's values by block, in words."""
        name, _, _ = adding.written(payload)
        if not name:
            return {adding.NAME: "Give it a name."}
        if self._core.sources.is_taken(name):
            return {adding.NAME: f"There is a source called “{name}” already. Choose another name."}
        return {}

    async def submitted(self, payload: JSON) -> None:
        """Adds the source, reads it, and says what was found. Raises NotAllowed, SourceExists."""
        origin = Origin.of(payload)
        line = origin.line(self._client)
        name, kind, reader = adding.written(payload)
        wanted = await self._understood(origin, adding.text_of(payload))
        spec = next((each for each in wanted.specs if each.kind == kind), wanted.specs[0])
        scopes = [scope for scope, _ in wanted.readers]
        readers = access.parse_scopes([reader if reader in scopes else scopes[0]])
        await self._core.sources.add(replace(spec, name=name, readers=readers), origin.person)
        log.info("source_added", source=name, kind=spec.kind, person=origin.person)
        await line.say(f"*{escape(name)}* is added. I am reading it now, and tell you when I am done.")
        await refreshed(self._core, line, [name])
        source = await self._known.source(name, origin.person)
        await line.say(f"I have read {name}.", knowledge_blocks.added(source, _outcome(source.status.documents, name)))

    async def _understood(self, origin: Origin, text: str) -> _Wanted:
        if len(text) > adding.MOST_TEXT:
            raise SourceNotFound(f"That is too long to be an address; I take up to {adding.MOST_TEXT:,} characters.")
        specs = self._core.sources.recognise(text)
        if specs and specs[0].kind == "slack":
            await self._roles.need(origin.person, Deed.ADD_CHANNEL)
            return await self._channel(origin, specs[0])
        await self._roles.need(origin.person, Deed.ADD_ANYTHING)
        if not specs:
            raise SourceNotFound(f"I do not know what “{text}” is. {HOW}")
        return _Wanted(specs, await self._readers(origin))

    async def _channel(self, origin: Origin, spec: SourceSpec) -> _Wanted:
        named = str(spec.options["channel"])
        found = await self._places.named(origin.person, named)
        if found is None:
            raise NotAllowed(
                "I see no such channel that both you and I are in. Join it, invite me there with "
                "`/invite @Switchboard`, and add it again."
            )
        channel, name = found
        place = await self._places.place(origin.workspace, channel)
        members = (access.channel(channel), f"The members of #{name}")
        everyone = (access.EVERYONE, "Everyone: the channel is public")
        free = self._core.sources.free_name(f"#{name}")
        readers = [everyone if place.kind is PlaceKind.CHANNEL else members]
        return _Wanted([replace(spec, name=free, options={**spec.options, "channel": channel})], readers)

    async def _readers(self, origin: Origin) -> list[tuple[str, str]]:
        everyone = (access.EVERYONE, "Everyone")
        if origin.channel is None:
            return [everyone]
        place = await self._places.place(origin.workspace, origin.channel)
        if place.kind is PlaceKind.DM:
            return [everyone, (access.user(origin.person), "Only I")]
        here = (access.channel(origin.channel), "The members of this channel")
        return [everyone, here] if place.kind is PlaceKind.CHANNEL else [here, everyone]


def _outcome(documents: int, name: str) -> str:
    if documents:
        return f"I have read *{escape(name)}*: {words.counted(documents, 'document')} can be found from now on."
    return (
        f"I could not read anything of *{escape(name)}*. I try again at each refresh; `/knowledge forget "
        f"{escape(name)}` removes it."
    )
