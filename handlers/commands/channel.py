"""`/model value` and `/model local`: what admins set for a whole channel besides its model."""

from __future__ import annotations

from bot.core import Core
from bot.errors import NotAllowed
from bot.selection.figures import worth
from bot.selection.value import Value
from handlers.markdown import escape
from handlers.origin import Origin
from handlers.permissions import Deed, Roles

VALUES = "`/model value frugal`, `balanced` or `best`, or `/model value auto` for the configured one"
_HERE = frozenset({"here", "for this channel"})
_EXPLAINED = {
    Value.FRUGAL: "cheap answers first",
    Value.BALANCED: "as good as is worth its price",
    Value.BEST: "the best answers, within reason",
}


class ChannelCommand:
    """Reads and changes a channel's settings."""

    def __init__(self, core: Core, roles: Roles) -> None:
        self._core = core
        self._roles = roles

    async def value(self, origin: Origin, words: str) -> str:
        """What a point of quality is worth in this channel, or a change of it. Raises NotAllowed."""
        channel, wanted = _channel(origin), _without_here(words)
        if not wanted:
            return await self._told(channel)
        if wanted != "auto" and wanted not in set(Value):
            return f"I do not know the value “{escape(wanted)}”. Write {VALUES}."
        await self._roles.need(origin.person, Deed.SET_VALUE)
        value = None if wanted == "auto" else Value(wanted)
        await self._core.channels.set_value(channel, value, origin.person)
        now = (await self._core.channels.of(channel)).value
        undo = "" if value is None else " `/model value auto` goes back to the configured one."
        return f"From now on, {worth(now.value, now.point_worth)}.{undo}"

    async def local(self, origin: Origin, words: str) -> str:
        """Whether this channel's questions may leave this machine, or a change of it. Raises NotAllowed."""
        channel, wanted = _channel(origin), _without_here(words)
        if wanted in ("on", "off"):
            await self._roles.need(origin.person, Deed.SET_LOCAL)
            await self._core.channels.set_local(channel, wanted == "on", origin.person)
        elif wanted:
            return f"I do not know “{escape(wanted)}”. Write `/model local on` or `/model local off`."
        if not (await self._core.channels.of(channel)).stay_local:
            return "This channel's questions may be sent to every model that can be used. `/model local on` changes it."
        barred = await self._core.data_rules.barred(channel)
        here = [f"*{card.name}*" for card in self._core.models.usable() if card.name not in barred]
        return f"This channel's questions stay on this machine. {', '.join(here)} may answer them."

    async def _told(self, channel: str) -> str:
        now = await self._core.channels.of(channel)
        origin = "set for this channel" if now.is_own else "as configured"
        lines = [
            f"• {'*' if value is now.value else ''}{worth(value.value, value.point_worth).removesuffix(' here')}"
            f"{'*' if value is now.value else ''} ({_EXPLAINED[value]})"
            for value in Value
        ]
        return "\n".join([f"Here it is *{now.value}* ({origin}).", *lines, f"An admin changes it with {VALUES}."])


def _channel(origin: Origin) -> str:
    if origin.channel is None:
        raise NotAllowed("I do not know which channel you mean. Type the command in the channel itself.")
    return origin.channel


def _without_here(words: str) -> str:
    """The words without "here", which goes without saying."""
    text = " ".join(words.lower().split())
    for place in _HERE:
        text = text.removesuffix(place).strip()
    return text
