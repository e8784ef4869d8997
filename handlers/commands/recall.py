"""`/switchboard recall`: whether a channel's threads are told of sources that changed."""

from __future__ import annotations

from bot.core import Core
from handlers.commands.typed import whole_channel
from handlers.markdown import escape
from handlers.origin import Origin
from handlers.permissions import Deed, Roles

_ON = "When a source of an answer here changes, I say so in its thread. `/switchboard recall off` ends that."
_OFF = "Threads here do not hear of sources that change. `/switchboard recall on` switches that on again."


async def recall(core: Core, roles: Roles, origin: Origin, words: str) -> str:
    """How it is in this channel, or a change of it. Raises NotAllowed and UnusableWords."""
    channel, wanted = whole_channel(origin, "This"), words.strip().casefold()
    if wanted in ("on", "off"):
        await roles.need(origin.person, Deed.SET_RECALL)
        await core.channels.set_recall(channel, wanted == "on", origin.person)
    elif wanted:
        return f"I do not know “{escape(wanted)}”. Write `/switchboard recall on` or `/switchboard recall off`."
    if not core.settings.recall.per_day:
        return "No thread hears of sources that change: `recall.per_day` is 0 in the configuration."
    return _ON if (await core.channels.of(channel)).recall else _OFF
