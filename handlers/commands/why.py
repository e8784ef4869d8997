"""`/model why`: which setting applies to me, here, and where it comes from."""

from __future__ import annotations

from bot.core import Core
from bot.selection.data_rules import NO_CHANNEL
from handlers.blocks.why import Told, answer, why_blocks
from handlers.commands.typed import about_to_ask
from handlers.origin import Origin
from handlers.shapes import JSON


async def told_why(core: Core, origin: Origin) -> tuple[str, list[JSON]]:
    """The answer as text and as blocks. A thread is told of where the words came from one."""
    channel = origin.channel or NO_CHANNEL
    barred = await core.data_rules.barred(channel)
    told = Told(
        switched=await core.switches.of(about_to_ask(origin, core.clock())),
        lists=await core.allow_lists.of(channel),
        allowed=[card.name for card in core.models.usable() if card.name not in barred],
        barred=barred,
        in_thread=origin.thread is not None,
        now=core.clock(),
    )
    return answer(told, origin.person), why_blocks(told, origin.person)
