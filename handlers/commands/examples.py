"""`/examples`: the team's reviewed questions and answers."""

from __future__ import annotations

from dataclasses import dataclass

from slack_sdk.web.async_client import AsyncWebClient

from bot.core import Core
from bot.learning.editor import Editor, may_change
from bot.learning.reviewed import Reviewed
from handlers.blocks.example_list import USAGE, Wanted, example_list
from handlers.examples import ExampleModals
from handlers.markdown import escape
from handlers.origin import Origin
from handlers.permissions import Deed, Roles
from handlers.shapes import JSON, pressed


@dataclass(frozen=True, slots=True)
class ExamplesCommand:
    """Lists what the person may read, and opens the modals."""

    client: AsyncWebClient
    core: Core
    roles: Roles
    modals: ExampleModals

    async def run(self, origin: Origin, text: str) -> None:
        """What follows `/examples`. Raises NotAllowed."""
        first, _, rest = " ".join(text.split()).partition(" ")
        which = first.casefold()
        if which in ("add", "import") and not rest:
            await self.roles.need(origin.person, Deed.KEEP_EXAMPLE)
            await (self.modals.add(origin) if which == "add" else self.modals.open_import(origin))
        elif which == "find" and rest:
            await self._list(origin, Wanted("find", rest[:200]))
        elif which in ("flagged", "mine", "retired") and not rest:
            await self._list(origin, Wanted(which))
        elif not which:
            await self._list(origin, Wanted())
        else:
            await origin.line(self.client).say(f"I do not know “/examples {escape(text.strip())}”. {USAGE}")

    async def turned(self, payload: JSON) -> None:
        """Another page."""
        origin = Origin.of(payload)
        said, blocks = await self._page(origin, Wanted.of(pressed(payload)))
        await origin.line(self.client).replace(said, blocks)

    async def _list(self, origin: Origin, wanted: Wanted) -> None:
        await origin.line(self.client).say(*await self._page(origin, wanted))

    async def _page(self, origin: Origin, wanted: Wanted) -> tuple[str, list[JSON]]:
        editor = await self.modals.editor(origin)
        found = [one for one in await self.core.examples.listed(editor.scopes) if _is_wanted(one, wanted, editor)]
        theirs = {one.example.id for one in found if may_change(one, editor)}
        return example_list(wanted, found, theirs, self.core.examples.today())


def _is_wanted(one: Reviewed, wanted: Wanted, editor: Editor) -> bool:
    if (one.retired is not None) is not (wanted.which == "retired"):
        return False
    if wanted.which == "find":
        example = one.example
        said = " ".join((example.question, example.answer, *example.tags)).casefold()
        return all(word.removeprefix("#") in said for word in wanted.words.casefold().split())
    if wanted.which == "flagged":
        return one.flag is not None
    return wanted.which != "mine" or editor.person in (one.kept_by, one.example.saved_by)
