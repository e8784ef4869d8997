"""Golden questions from the answers that people liked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.bases import Bases
from bot.domain import PlaceKind
from bot.evaluation.golden import Golden, GoldenSet, Problems, gathered, words
from bot.learning.labels import Signal
from bot.storage.tables import feedback, labels, questions

SOURCE = "thumbs"
_AGAINST = frozenset({Signal.DOWN, Signal.DROPPED, Signal.CORRECTED})


@dataclass(slots=True)
class _Opinion:
    """What people made of one answer."""

    likes: int = 0
    dislikes: int = 0


async def golden_from_thumbs(
    engine: AsyncEngine, bases: Bases, scopes: frozenset[str], *, closed: Collection[str] = ()
) -> GoldenSet:
    """Questions whose answer somebody gave 👍 and nobody 👎, corrected or dropped; the answer is what is expected.

    Only what was asked in public channels and on the console, and what an audience with `scopes` might have asked: who
    talks to the bot alone is nobody else's business. Nor answers that rest on what they may not read now, nor what was
    asked in the channels that are `closed`: an evaluation asks every model, and not every model may be asked what is
    said there. Of two liked answers to one question the newer one counts. Raises UnusableGolden where there are none.
    """
    opinions = await _opinions(engine)
    not_theirs = await bases.closed(opinions, scopes)
    query = sa.select(questions).where(questions.c.answer.is_not(None)).order_by(questions.c.asked_at, questions.c.id)
    newest: dict[tuple[str, ...], Golden] = {}
    disputed = hidden = older = kept = with_files = 0
    async with engine.connect() as connection:
        async for row in await connection.stream(query):
            opinion = opinions.get(row.id)
            if opinion is None or not opinion.likes:
                continue
            if opinion.dislikes:
                disputed += 1
            elif row.channel in closed:
                kept += 1
            elif (row.receipt or {}).get("attachments"):
                with_files += 1
            elif row.id in not_theirs or not _may_be_used(row, scopes):
                hidden += 1
            else:
                key = tuple(words(row.text))
                older += key in newest
                newest[key] = Golden(id=row.id, question=row.text, answers=(row.answer,), group=row.id)
    problems = Problems()
    for count, sentence in (
        (disputed, "with 👍 {were} also disliked or corrected by somebody and {were} left out."),
        (hidden, "with 👍 {were} asked in private and {were} left out; --as names whose they may be."),
        (kept, "with 👍 {were} asked where only some models may be asked and {were} left out."),
        (with_files, "with 👍 {were} given from files that came with the question, which are not kept, and left out."),
        (older, "with 👍 {were} asked again with 👍; the newest answer counts."),
    ):
        if count:
            noun = "answer" if count == 1 else "answers"
            problems.add(f"{count} {noun} " + sentence.format(were="was" if count == 1 else "were"))
    return gathered(newest.values(), SOURCE, problems)


def _may_be_used(row: sa.Row[tuple[object, ...]], scopes: frozenset[str]) -> bool:
    in_public = row.place_kind in (PlaceKind.CHANNEL, PlaceKind.CONSOLE) and not row.private
    return in_public or frozenset(row.scopes) <= scopes


async def _opinions(engine: AsyncEngine) -> dict[str, _Opinion]:
    """The thumbs and labels by question. A thumb counts as it was left: taking one back turns it or deletes it."""
    found: defaultdict[str, _Opinion] = defaultdict(_Opinion)
    async with engine.connect() as connection:
        for row in await connection.execute(sa.select(feedback.c.question_id, feedback.c.value)):
            if row.value > 0:
                found[row.question_id].likes += 1
            else:
                found[row.question_id].dislikes += 1
        for row in await connection.execute(sa.select(labels.c.question_id, labels.c.signal)):
            if row.signal == Signal.UP:
                found[row.question_id].likes += 1
            elif row.signal in _AGAINST:
                found[row.question_id].dislikes += 1
    return found
