"""`/switchboard`: what I can do, what I do with people's words, notes on sources; and for admins, who changed what."""

from __future__ import annotations

from slack_sdk.web.async_client import AsyncWebClient

from bot.audit import Audit, Entry
from bot.core import Core
from handlers.blocks import help
from handlers.commands.coverage import coverage
from handlers.commands.owner import owner_of_channel
from handlers.commands.privacy import said_of_training
from handlers.commands.recall import recall
from handlers.markdown import escape, shorten
from handlers.origin import Origin
from handlers.permissions import Deed, Roles

LAST = 10


class SwitchboardCommand:
    """The help, and what follows `audit`, `coverage`, `owner`, `privacy` and `recall`."""

    def __init__(self, client: AsyncWebClient, core: Core, roles: Roles) -> None:
        self._client = client
        self._core = core
        self._roles = roles

    async def run(self, origin: Origin, text: str) -> None:
        """What follows `/switchboard`. Raises NotAllowed and UnusableWords."""
        line = origin.line(self._client)
        word, _, rest = text.strip().partition(" ")
        match word.casefold():
            case "audit":
                await line.say(await self._audit(origin))
            case "privacy":
                await line.say(await said_of_training(self._core, origin.person, rest.casefold().split()))
            case "coverage":
                await line.say(await coverage(self._core, self._roles, origin))
            case "owner":
                await line.say(await owner_of_channel(self._client, self._core, self._roles, origin, rest))
            case "recall":
                await line.say(await recall(self._core, self._roles, origin, rest))
            case _:
                await line.say(help.TEXT, help.help_blocks())

    async def _audit(self, origin: Origin) -> str:
        await self._roles.need(origin.person, Deed.SEE_AUDIT)
        entries = await Audit(self._core.engine).entries(most=LAST)
        if not entries:
            return "Nothing was changed yet."
        lines = "\n".join(map(_line, entries))
        return f"The last {len(entries)} changes; `switchboard audit` prints all.\n{lines}"


def _line(entry: Entry) -> str:
    who = f"<@{entry.who}>" if entry.who[:1] in ("U", "W") else entry.who
    change = " → ".join(escape(shorten(value, 80)) for value in (entry.before, entry.after) if value)
    when = f"<!date^{int(entry.at.timestamp())}^{{date_short_pretty}} {{time}}|{entry.at:%Y-%m-%d %H:%M} UTC>"
    what = f"{entry.action}, {escape(shorten(entry.subject, 80))}"
    return f"• {when} {who}: {what}{f': {change}' if change else ''}"
