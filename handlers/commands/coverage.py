"""`/switchboard coverage`: the topics of the week on which questions found no answer."""

from __future__ import annotations

from bot.core import Core
from bot.people.coverage_words import COVERED, DAYS, lines
from handlers.markdown import escape
from handlers.origin import Origin
from handlers.permissions import Deed, Roles
from knowledge import access

_SHOWN = 15


async def coverage(core: Core, roles: Roles, origin: Origin) -> str:
    """The topics, with words of questions from public channels alone. Raises NotAllowed."""
    await roles.need(origin.person, Deed.SEE_COVERAGE)
    topics = await core.coverage.topics(core.clock(), access.MEMBERS)
    told = lines(topics, DAYS, most=_SHOWN, more="`switchboard coverage`", owner="<@{}>".format, plain=escape)
    return "\n".join((f"*{told[0]}*", *told[1:])) if told else COVERED
