"""`/switchboard coverage`: the topics of the week on which questions found no answer."""

from __future__ import annotations

from bot.core import Core
from bot.people.coverage import Topic
from handlers.markdown import escape, shorten
from handlers.origin import Origin
from handlers.permissions import Deed, Roles

_SHOWN = 15


async def coverage(core: Core, roles: Roles, origin: Origin) -> str:
    """All topics, with words of questions from public channels alone. Raises NotAllowed."""
    await roles.need(origin.person, Deed.SEE_COVERAGE)
    topics = await core.coverage.topics(core.clock(), everything=False)
    if not topics:
        return "Every question of the last seven days found an answer that nobody disliked."
    total = sum(topic.count for topic in topics)
    lines = [f"*{total} {_noun(total)} of the last seven days found no good answer.*", *map(_line, topics[:_SHOWN])]
    if left := len(topics) - _SHOWN:
        lines += [f"• and {left} more topics: `switchboard coverage` prints all"] if left > 0 else []
    return "\n".join(lines)


def _line(topic: Topic) -> str:
    name = f"*{escape(topic.name)}*" if topic.name else "Asked in private"
    trend = f", {topic.before} the week before" if topic.before else ", new this week"
    example = f": “{escape(shorten(' '.join(topic.example.split()), 120))}”" if topic.example else ""
    whom = f" · ask <@{topic.owner}>" if topic.owner else ""
    return f"• {name} ({topic.count}{trend}){example}{whom}"


def _noun(number: int) -> str:
    return "question" if number == 1 else "questions"
