"""What `switchboard recall` prints: the answers that lean on a document, and what would be told of them now."""

from __future__ import annotations

from collections import defaultdict

import sqlalchemy as sa
from rich.console import Console
from rich.markup import escape

from bot.config import Settings
from bot.core import Core, open_core
from bot.errors import SourceNotFound
from bot.recall.leanings import Leaning
from bot.recall.showing import Shown
from bot.storage.recall_tables import leanings
from knowledge.still_stands import Word


async def show(settings: Settings, document: str, out: Console) -> None:
    """Prints it, and tells and changes nothing. `document`: a path or a title; "" for all. Raises SourceNotFound where
    no answer leans on it."""
    async with open_core(settings) as core:
        by_question = await _leaning(core, document)
        if document and not by_question:
            raise SourceNotFound(
                f"No answer of the last {settings.recall.days} days leans on “{document}”. Write its path inside its "
                "source, or its title as the answers show it."
            )
        changed = 0
        for question_id, cited in by_question.items():
            shown = await core.showing.of(cited, None)
            if shown:
                changed += 1
                await _print(core, question_id, shown, out)
        count, which = len(by_question), f"on “{escape(document)}”" if document else "on documents"
        answers = "1 answer leans" if count == 1 else f"{count:,} answers lean"
        out.print(f"{answers} {which}; of {changed:,} the words stand there no more." if count else "No answer yet.")


async def _leaning(core: Core, document: str) -> dict[str, list[Leaning]]:
    wanted = leanings.c.path == document, leanings.c.title == document, leanings.c.document == document
    query = sa.select(leanings).order_by(leanings.c.cited_at.desc(), leanings.c.question_id, leanings.c.number)
    found: defaultdict[str, list[Leaning]] = defaultdict(list)
    async with core.engine.connect() as connection:
        for row in await connection.execute(query.where(sa.or_(*wanted)) if document else query):
            found[row.question_id].append(Leaning.of(row))
    return found


async def _print(core: Core, question_id: str, shown: list[Shown], out: Console) -> None:
    question = await core.assistant.asked(question_id)
    where = question.place.channel if question is not None else "?"
    out.print(f"[bold]{escape(question.text if question is not None else question_id)}[/] [dim]in {where}[/]")
    for one in shown:
        out.print(f"  {escape(one.title)} {'was deleted' if one.is_gone else 'has changed'}")
        for each in one.differences:
            out.print(f"    it said:     {_words(each.before, 'red')}")
            if not one.is_gone:
                out.print(f"    it says now: {_words(each.after, 'green') or '(nothing like it)'}")


def _words(words: tuple[Word, ...], colour: str) -> str:
    return " ".join(f"[{colour}]{escape(word.text)}[/]" if word.differs else escape(word.text) for word in words)
