"""A team's examples, thumbs and choices, of which some may be trained on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import sqlalchemy as sa
from judging import NOW
from sqlalchemy.ext.asyncio import AsyncEngine
from words_embedder import WordsEmbedder

from bot.domain import Audience, Place, PlaceKind, Question
from bot.selection.questions import Questions
from bot.storage.bases import bases
from bot.storage.tables import examples, feedback, questions
from knowledge.documents import Vector

SUBJECTS = ("search", "billing", "login", "mail", "backup", "vpn", "printer", "pager", "cluster", "archive")
VERBS = ("restart", "upgrade", "reach", "monitor", "replace", "rename", "test", "share")


def plain_questions(count: int) -> list[str]:
    """So many questions about different things."""
    pairs = [(verb, thing) for verb in VERBS for thing in SUBJECTS]
    return [f"How do we {verb} the {thing}?" for verb, thing in pairs[:count]]


class ThingsEmbedder(WordsEmbedder):
    """Vectors by the thing that a question is about."""

    def __init__(self) -> None:
        super().__init__("things", len(SUBJECTS))

    def _vector(self, text: str) -> Vector:
        row = [float(thing in text) for thing in SUBJECTS]
        return np.array(row if any(row) else [0.1] * len(SUBJECTS), np.float32)


async def example(
    engine: AsyncEngine,
    id: str,
    question: str,
    answer: str,
    *,
    readers: Sequence[str] = ("everyone",),
    by: str = "U0BEN",
    author: str = "",
    rests_on: str = "",
) -> None:
    """A reviewed example; `rests_on`: the readers of the document that the bot's answer came from."""
    values = {"question": question, "answer": answer, "readers": list(readers), "saved_by": by, "saved_at": NOW}
    values |= {"author": author}
    async with engine.begin() as connection:
        await connection.execute(examples.insert().values(id=id, embedder="other", vector=b"", **values))
        if rests_on:
            row = {"subject": id, "document": f"of {id}", "readers": rests_on}
            await connection.execute(bases.insert().values(row))


async def asked(
    engine: AsyncEngine,
    id: str,
    text: str,
    answer: str = "So it is. [1]",
    *,
    asker: str = "U0ANA",
    channel: str = "C1",
    kind: PlaceKind = PlaceKind.CHANNEL,
    scopes: Sequence[str] = ("everyone",),
    thumb: int = 0,
    hours: int = 0,
) -> None:
    """A question with its answer, and a thumb of somebody where that is not 0."""
    place = Place(workspace="T1", channel=channel, kind=kind, thread="1.1")
    at = NOW + timedelta(hours=hours)
    audience = Audience(frozenset(scopes))
    question = Question(id=id, text=text, asker=asker, place=place, audience=audience, asked_at=at)
    await Questions(engine).keep(question)
    async with engine.begin() as connection:
        await connection.execute(sa.update(questions).where(questions.c.id == id).values(answer=answer, receipt={}))
        await connection.execute(bases.insert().values(subject=id, document="", readers=" everyone outsiders "))
        if thumb:
            row = {"question_id": id, "person": "U0EVE", "value": thumb, "given_at": at}
            await connection.execute(feedback.insert().values(row))
