"""`/switchboard`: what I can do, what I do with people's words; and for admins, who changed what."""

from __future__ import annotations

from slack_sdk.web.async_client import AsyncWebClient

from bot.audit import Audit, Entry
from bot.core import Core
from handlers.blocks import help
from handlers.commands.privacy import said_of_training
from handlers.markdown import escape, shorten
from handlers.origin import Origin
from handlers.permissions import Deed, Roles

LAST = 10


class SwitchboardCommand:
    """The help; `privacy` and `audit` after it."""

    def __init__(self, client: AsyncWebClient, core: Core, roles: Roles) -> None:
        self._client = client
        self._core = core
        self._roles = roles

    async def run(self, origin: Origin, text: str) -> None:
        """What follows `/switchboard`. Raises NotAllowed."""
        line = origin.line(self._client)
        words = text.casefold().split()
        if words[:1] == ["privacy"]:
            await line.say(await said_of_training(self._core, origin.person, words[1:]))
            return
        if words != ["audit"]:
            await line.say(help.TEXT, help.help_blocks())
            return
        await self._roles.need(origin.person, Deed.SEE_AUDIT)
        entries = await Audit(self._core.engine).entries(most=LAST)
        if not entries:
            await line.say("Nothing was changed yet.")
            return
        lines = "\n".join(map(_line, entries))
        await line.say(f"The last {len(entries)} changes; `switchboard audit` prints all.\n{lines}")


def _line(entry: Entry) -> str:
    who = f"<@{entry.who}>" if entry.who[:1] in ("U", "W") else entry.who
    change = " → ".join(escape(shorten(value, 80)) for value in (entry.before, entry.after) if value)
    when = f"<!date^{int(entry.at.timestamp())}^{{date_short_pretty}} {{time}}|{entry.at:%Y-%m-%d %H:%M} UTC>"
    what = f"{entry.action}, {escape(shorten(entry.subject, 80))}"
    return f"• {when} {who}: {what}{f': {change}' if change else ''}"
