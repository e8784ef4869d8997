"""The shortcut "Add to knowledge": keeps one thread and its files, for those who can read them in Slack."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.audit import Action, Change, noted
from bot.core import Core
from handlers.blocks import saved
from handlers.identity import Identity
from handlers.markdown import shorten
from handlers.origin import Origin
from handlers.shapes import JSON, pressed
from handlers.text import said
from knowledge.errors import KnowledgeError
from knowledge.sources.slack import SavedSource, paths_of

log = structlog.get_logger(__name__)

_TITLE = 80
_NOTHING = (
    "There is nothing in it that I could find later: I keep what people wrote and files that I can read, not what I "
    "said myself. “Save as example” keeps a good answer."
)


@dataclass(frozen=True, slots=True)
class Saving:
    """Adds and removes what people choose."""

    client: AsyncWebClient
    core: Core
    identity: Identity

    async def add(self, payload: JSON) -> None:
        """Keeps the message's thread and the message's files, and says who finds them.

        Raises KnowledgeError where the bot may not read there.
        """
        origin = Origin.of(payload)
        message: JSON = payload["message"]
        channel = await self._shelf().channel(str(origin.channel))
        paths = paths_of(channel.id, message)
        kept, problems = await self._keep(paths)
        if not kept:
            await origin.line(self.client).say(" ".join(problems) or _NOTHING)
            return
        log.info("saved_from_slack", person=origin.person, paths=kept)
        await self._noted(Action.THREAD_SAVED, kept, origin.person)
        title = await self._title(message) if paths[0] in kept else ""
        files = [str(file.get("name")) for file in message.get("files") or () if any(_is(file, path) for path in kept)]
        text = saved.saved_text(title, files, channel.readers, channel.name)
        await origin.line(self.client).say(text, saved.saved_blocks(text, problems, kept))

    async def keep_thread(self, channel: str, thread: str, person: str) -> str:
        """Keeps a thread. Says why it cannot be, "" where it is found from now on."""
        try:
            there = await self._shelf().channel(channel)
            kept, problems = await self._keep(paths_of(there.id, {"ts": thread}))
        except KnowledgeError as error:
            return str(error)
        if not kept:
            return " ".join(problems) or _NOTHING
        log.info("saved_from_slack", person=person, paths=kept)
        await self._noted(Action.THREAD_SAVED, kept, person)
        return ""

    async def remove(self, payload: JSON) -> None:
        """Undoes it."""
        origin = Origin.of(payload)
        shelf, paths = self._shelf(), saved.paths_in(pressed(payload))
        await shelf.remove(paths)
        for path in paths:
            await self.core.knowledge.follow(shelf.name, path)
        log.info("removed_from_knowledge", person=origin.person, paths=paths)
        await self._noted(Action.THREAD_REMOVED, paths, origin.person)
        await origin.line(self.client).say("Removed. I do not find it any more.")

    async def _noted(self, action: Action, paths: list[str], person: str) -> None:
        change = Change(action=action, subject=" ".join(paths))
        await noted(self.core.engine, change, by=person, at=self.core.clock())

    async def _keep(self, paths: list[str]) -> tuple[list[str], list[str]]:
        """What of it is found now, and why the rest is not."""
        shelf = self._shelf()
        new = set(await shelf.save(paths))
        try:
            for path in paths:
                await self.core.knowledge.follow(shelf.name, path)
        except KnowledgeError:
            await shelf.remove(new)
            raise
        broken = {
            problem.path: problem.sentence
            for status in await self.core.knowledge.status()
            if status.name == shelf.name
            for problem in status.problems
            if problem.path in paths
        }
        await shelf.remove(new & broken.keys())
        there = await shelf.saved()
        return [path for path in paths if path in there and path not in broken], list(broken.values())

    async def _title(self, message: JSON) -> str:
        words = said(str(message.get("text") or ""), (await self.identity.bot()).user)
        first = next((line for line in words.splitlines() if line.strip()), "") or "without words"
        return shorten(first, _TITLE)

    def _shelf(self) -> SavedSource:
        found = next((source for source in self.core.knowledge.sources if isinstance(source, SavedSource)), None)
        if found is None:
            raise KnowledgeError("What people save is read while the bot is connected to Slack. Try again in a minute.")
        return found


def _is(file: JSON, path: str) -> bool:
    return path.endswith(f"/files/{file.get('id')}")
