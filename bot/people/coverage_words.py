"""The topics that found no answer in lines of text: the same in Slack, in a report and on the command line."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.people.coverage import Topic

Written = Callable[[str], str]
DAYS = "the last seven days"
COVERED = f"Every question of {DAYS} found an answer that nobody disliked."
_NAME, _EXAMPLE = 80, 120


def lines(
    topics: Sequence[Topic], when: str, *, most: int, more: str, owner: Written = str, plain: Written = str
) -> list[str]:
    """How many questions there were, a line for each of the `most` largest topics, and the others counted; none where
    there are no topics.

    `when`: of which days, such as "last week"; `more`: where all topics stand; `owner`: how a person is written, by
    their id; `plain`: how words are written that people said.
    """
    if not topics:
        return []
    named = [topic for topic in topics if topic.name]
    shown, rest = named[:most], named[most:]
    private = [topic for topic in topics if not topic.name]
    total = sum(topic.count for topic in topics)
    told = [f"{_number(total, 'question')} of {when} found no good answer."]
    told += [_line(topic, owner, plain) for topic in shown]
    if rest:
        number = sum(topic.count for topic in rest)
        told.append(f"• and {_number(len(rest), 'more topic')} ({_number(number, 'question')}): {more}")
    if private:
        told.append(f"• Asked in private {_counted(private)}")
    return told


def _line(topic: Topic, owner: Written, plain: Written) -> str:
    example = f": “{plain(_shorten(topic.example, _EXAMPLE))}”" if topic.example else ""
    whom = f" · ask {owner(topic.owner)}" if topic.owner else ""
    return f"• {plain(_shorten(topic.name, _NAME))} {_counted([topic])}{example}{whom}"


def _counted(topics: Sequence[Topic]) -> str:
    now, before = sum(topic.count for topic in topics), sum(topic.before for topic in topics)
    return f"({now:,}, {f'{before:,} the week before' if before else 'new this week'})"


def _number(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _shorten(text: str, limit: int) -> str:
    whole = " ".join(text.split())
    return whole if len(whole) <= limit else whole[: limit - 1].rstrip() + "…"
