"""The sources of knowledge as one person may see them."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from bot.core import Core
from bot.errors import NotAllowed, SourceNotFound
from bot.sources import SAVED
from handlers.audience import Places
from handlers.permissions import Roles
from knowledge import access
from knowledge.reports import SourceStatus


@dataclass(frozen=True, slots=True)
class KnownSource:
    """A source for one person. `may_change`: they may refresh it, and forget it where it is not configured."""

    status: SourceStatus
    readers: frozenset[str]
    is_configured: bool
    may_change: bool


class Known:
    """What somebody added for a few is shown to these alone: even its name may tell too much."""

    def __init__(self, core: Core, roles: Roles, places: Places) -> None:
        self._core = core
        self._roles = roles
        self._places = places

    async def scopes(self, person: str) -> frozenset[str]:
        """What the person may read."""
        return (await self._places.alone(person)).scopes

    async def sources(self, person: str) -> list[KnownSource]:
        """All that the person may see, the configured ones first."""
        scopes, admin = await self.scopes(person), await self._roles.is_admin(person)
        statuses = {status.name: status for status in await self._core.knowledge.status()}
        held = await self._core.knowledge.sources_for(scopes)
        seen = []
        for added in await self._core.sources.all():
            status = statuses.get(added.spec.name)
            if status is None:
                continue
            # A channel that was closed since has other readers than its source was added for.
            is_open = added.spec.name in held or (not status.documents and access.readable(added.spec.readers, scopes))
            if is_open or (admin and added.is_configured):
                may = admin or added.origin == person
                seen.append(KnownSource(status, added.spec.readers, added.is_configured, may))
        saved = statuses.get(SAVED.name)
        if saved is not None and saved.documents and admin:
            seen.append(KnownSource(saved, access.PUBLIC, True, may_change=True))
        return seen

    async def source(self, name: str, person: str) -> KnownSource:
        """The one of this name, in any case. Raises SourceNotFound with the nearest that the person may see."""
        seen = {source.status.name: source for source in await self.sources(person)}
        wanted = name.strip().strip("“”\"'")
        for known in seen:
            if wanted.casefold() == known.casefold():
                return seen[known]
        near = difflib.get_close_matches(wanted, seen, n=1)
        names = f"Did you mean “{near[0]}”?" if near else f"There are: {', '.join(seen) or 'none yet'}."
        raise SourceNotFound(f"There is no source called “{wanted}”. {names}")

    async def changeable(self, name: str, person: str, to_do: str) -> KnownSource:
        """The same, where the person may change it. Raises SourceNotFound and NotAllowed."""
        source = await self.source(name, person)
        if not source.may_change:
            raise NotAllowed(f"Only an admin, or who added it, can {to_do} “{source.status.name}”.")
        return source
