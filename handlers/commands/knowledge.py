"""/knowledge: what the bot knows, and what is added to it and forgotten."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from datetime import UTC, datetime

from slack_sdk.web.async_client import AsyncWebClient

from bot.core import Core
from bot.errors import SourceNotFound, UnusableQuestion
from handlers.adding import Adding
from handlers.blocks import knowledge as knowledge_blocks
from handlers.commands.owner import owner_of_source
from handlers.known import Known, KnownSource
from handlers.markdown import escape
from handlers.origin import Origin
from handlers.permissions import Deed, Roles
from handlers.refreshing import embedding_cost, note_refresh, refreshed
from handlers.shapes import JSON, pressed
from knowledge.filters import Filters
from knowledge.reports import lacking

FOUND = 5
VERBS = ("status", "list", "search", "add", "refresh", "forget", "owner", "help")
_NARROWED = re.compile(r"""(?<!\S)(in|since|lang):(?:["“](?P<quoted>[^"”]*)["”]|(?P<bare>\S+))""", re.IGNORECASE)


class KnowledgeCommand:
    """The command. Each person sees, and finds, what they may read."""

    def __init__(
        self,
        client: AsyncWebClient,
        core: Core,
        roles: Roles,
        known: Known,
        adding: Adding,
        next_refresh: Callable[[datetime], datetime | None],
    ) -> None:
        self._client = client
        self._core = core
        self._roles = roles
        self._known = known
        self._adding = adding
        self._next_refresh = next_refresh

    async def run(self, origin: Origin, text: str) -> None:
        """What follows `/knowledge`. Raises SourceNotFound, NotAllowed, UnusableQuestion and knowledge's errors."""
        verb, _, rest = text.strip().partition(" ")
        rest = rest.strip()
        match verb.lower():
            case "" | "status" | "list":
                await self._status(origin, rest)
            case "search":
                await self._search(origin, rest)
            case "add":
                await self._adding.open(origin, rest)
            case "refresh":
                await self._refresh(origin, rest)
            case "forget":
                await self._ask_to_forget(origin, rest)
            case "owner":
                told = await owner_of_source(self._client, self._core, self._roles, self._known, origin, rest)
                await origin.line(self._client).say(told)
            case "help":
                await origin.line(self._client).say(knowledge_blocks.USAGE)
            case _:
                near = difflib.get_close_matches(verb.lower(), VERBS, n=1)
                hint = f"Did you mean `/knowledge {near[0]}`? " if near else ""
                told = f"I do not know “/knowledge {escape(text.strip())}”. {hint}You can write:\n"
                await origin.line(self._client).say(told + knowledge_blocks.USAGE)

    async def refresh_pressed(self, payload: JSON) -> None:
        """The button "Refresh" beside a source in a message."""
        await self._refresh(Origin.of(payload), pressed(payload))

    async def forget_pressed(self, payload: JSON) -> None:
        """The button "Forget it"."""
        origin = Origin.of(payload)
        source = await self._removable(pressed(payload), origin.person)
        name = source.status.name
        await self._core.sources.forget(name, by=origin.person)
        await origin.line(self._client).say(f"*{escape(name)}* and all that came from it are forgotten.")

    async def _status(self, origin: Origin, name: str) -> None:
        line, now = origin.line(self._client), self._core.clock()
        upcoming, cost = self._next_refresh(now), await embedding_cost(self._core)
        if name:
            source = await self._known.source(name, origin.person)
            await line.say(f"About {source.status.name}", knowledge_blocks.details(source, now, upcoming, cost))
            return
        blocks = knowledge_blocks.status(
            await self._known.sources(origin.person),
            now,
            upcoming=upcoming,
            embedding=cost,
            is_refreshing=self._core.knowledge.is_refreshing,
            lacking=lacking(self._core.knowledge.troubles),
        )
        await line.say("What I know", blocks)

    async def _search(self, origin: Origin, text: str) -> None:
        wanted, filters = narrowed(text)
        if not wanted:
            raise UnusableQuestion("Write what to look for: `/knowledge search TEXT`, for example “VPN since:2026-01”.")
        if filters.sources:
            named = [await self._known.source(name, origin.person) for name in sorted(filters.sources)]
            filters = Filters(
                frozenset(source.status.name for source in named), filters.updated_after, filters.languages
            )
        scopes = await self._known.scopes(origin.person)
        found = await self._core.knowledge.search(wanted, scopes=scopes, k=FOUND, filters=filters)
        blocks = knowledge_blocks.found(text, found.passages, self._core.clock())
        await origin.line(self._client).say("What I found", blocks)

    async def _refresh(self, origin: Origin, name: str) -> None:
        line = origin.line(self._client)
        if name:
            source = await self._known.changeable(name, origin.person, "refresh")
            names, what = [source.status.name], f"*{escape(source.status.name)}*"
        else:
            await self._roles.need(origin.person, Deed.REFRESH_ALL)
            names, what = None, "the sources"
        await line.say(f"I am looking through {what} for changes. I will tell you when I am done.")
        await note_refresh(self._core, names, origin.person)
        report = await refreshed(self._core, line, names)
        await line.say("The knowledge is up to date.", knowledge_blocks.refreshed(report))

    async def _ask_to_forget(self, origin: Origin, name: str) -> None:
        if not name:
            raise UnusableQuestion("Write which source to forget: `/knowledge forget NAME`. `/knowledge` lists them.")
        source = await self._removable(name, origin.person)
        blocks = knowledge_blocks.forget_question(source)
        await origin.line(self._client).say(f"Shall I forget {source.status.name}?", blocks)

    async def _removable(self, name: str, person: str) -> KnownSource:
        source = await self._known.changeable(name, person, "forget")
        if source.is_configured:
            raise SourceNotFound(
                f"“{source.status.name}” stands in the configuration: remove it under `[knowledge]` in "
                "`switchboard.toml`, and start me again."
            )
        return source


def narrowed(text: str) -> tuple[str, Filters]:
    """The words to look for, and what `in:`, `since:` and `lang:` narrow them to. Raises UnusableQuestion."""
    said: dict[str, list[str]] = {"in": [], "since": [], "lang": []}
    for found in _NARROWED.finditer(text):
        said[found.group(1).lower()].append(found.group("quoted") or found.group("bare") or "")
    after = max((_moment(value) for value in said["since"]), default=None)
    languages = frozenset(value.lower() for value in said["lang"])
    return " ".join(_NARROWED.sub(" ", text).split()), Filters(frozenset(said["in"]), after, languages)


def _moment(text: str) -> datetime:
    for form in ("%Y-%m-%d", "%Y-%m", "%Y"):
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise UnusableQuestion(f"“since:{text}” is no date. Write a year, a month or a day: since:2026, since:2026-01-31.")
