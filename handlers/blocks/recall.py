"""A source that changed: what an answer leant on, what stands there now, and a button to ask again."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from bot.recall.showing import Shown
from handlers.blocks.answer import address
from handlers.blocks.parts import button, context, fitting, section
from handlers.markdown import escape, shorten
from handlers.shapes import JSON
from knowledge.still_stands import Difference, Word

ASK_AGAIN = "recall_ask_again"
SOURCES = 3
PLACES = 2
"""How many sources a note shows, and of each how many places; the others are counted."""
ANSWERS = 10
"""How many answers a message names that tells of many."""
_CLOSED = "A source of this answer has changed. Not everybody who reads here may read it now, so I do not show it."
_TITLE = 100


def headline(shown: Sequence[Shown]) -> str:
    """One line, for notifications and for clients without blocks."""
    first = next((one for one in shown if not one.is_closed), None)
    if first is None:
        return _CLOSED
    what = "was deleted" if first.is_gone else "has changed"
    more = f" (and {len(shown) - 1} more)" if len(shown) > 1 else ""
    return f"The source of this answer {what}: {shorten(first.title, _TITLE)}{more}"


def note(shown: Sequence[Shown], recall: str, *, asked: str = "") -> list[JSON]:
    """The blocks of a note. `asked`: the question that it is about, for somebody who reads it elsewhere."""
    blocks: list[JSON] = []
    if asked:
        blocks.append(context(f"You asked: “{escape(shorten(' '.join(asked.split()), 150))}”"))
    open_ones = [one for one in shown if not one.is_closed]
    for one in open_ones[:SOURCES]:
        what = "was deleted" if one.is_gone else "has changed"
        blocks.append(section(f"*The source of this answer {what}:* {_named(one)}"))
        blocks += [section(_sides(each, is_gone=one.is_gone)) for each in one.differences[:PLACES]]
        if left := len(one.differences) - PLACES:
            blocks += [context(f"and {_counted(left, 'more place')} in it")] if left > 0 else []
    if left := len(open_ones) - SOURCES:
        blocks += [context(f"and {_counted(left, 'more source')}")] if left > 0 else []
    if len(open_ones) < len(shown):
        blocks.append(section(_CLOSED))
    ask = button("Ask again", ASK_AGAIN, recall)
    return [*fitting(blocks), {"type": "actions", "elements": [ask]}, context("The answer itself stays as it is.")]


def asked_again(blocks: Sequence[JSON], person: str) -> list[JSON]:
    """The note once somebody has asked again: without its button."""
    return [*(each for each in blocks if each.get("type") != "actions"), context(f"<@{person}> asked again.")]


def counted(titles: Sequence[tuple[str, str, str]], number: int) -> tuple[str, list[JSON]]:
    """One message on many answers, as text and blocks. `titles`: of some, the question, a link to the answer ("" where
    there is none) and the source."""
    text = f"And {_counted(number, 'more answer')} here: {'its' if number == 1 else 'their'} sources have changed."
    lines = []
    for question, link, source in titles[:ANSWERS]:
        words = escape(shorten(" ".join(question.split()), 80)).replace("|", "¦")
        lines.append(
            f"• {f'<{link}|{words}>' if link else words}{f': {escape(shorten(source, 60))}' if source else ''}"
        )
    if left := number - len(lines):
        lines.append(f"• and {left} more")
    return text, [section(f"*{text}*"), section("\n".join(lines))]


def _named(one: Shown) -> str:
    title = escape(shorten(" ".join(one.title.split()), _TITLE)).replace("|", "¦")
    return f"<{address(one.url)}|{title}>" if one.url else title


def _sides(difference: Difference, *, is_gone: bool) -> str:
    before = f">*It said:* {_marked(difference.before, '~')}"
    if is_gone:
        return before
    if not difference.after:
        return f"{before}\n>*Now:* this does not stand there any more."
    return f"{before}\n>*It says now:* {_marked(difference.after, '*')}"


def _marked(words: Sequence[Word], mark: str) -> str:
    """Words in mrkdwn, those that differ between marks."""
    runs = []
    for differs, run in itertools.groupby(words, key=lambda word: word.differs):
        text = escape(" ".join(word.text for word in run)).translate(_UNMARKED)
        runs.append(f"{mark}{text}{mark}" if differs and text.strip() else text)
    return " ".join(runs)


_UNMARKED = str.maketrans({"*": "∗", "~": "∼", "`": "ˋ", "_": "_\u2060"})
"""Signs that mrkdwn would take for marks, as letters that look like them."""


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
