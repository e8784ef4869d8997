"""The same question asked again shortly after: a sign that the first answer did not help.

Compared are words and not vectors: "on Monday" and "on Friday" are near in meaning, and are two questions.
"""

from __future__ import annotations

import re
from datetime import timedelta
from difflib import SequenceMatcher

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.domain import Question
from bot.learning.labels import Labels, Signal
from bot.storage.tables import questions

SHORTLY = timedelta(minutes=30)
MOST = 20
"""So many of a person's last questions in a place are compared: who asks without a pause asks nothing again."""
LEAST_WORDS = 2
LEAST_SHARED = 0.8
_SAME_WORD = 0.8
_LEAST_LETTERS = 3
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_SMALL_WORDS = frozenset(
    _WORD.findall("""
    a again and an anyone are be can could do does did for from have has hello hey hi i in is it me my now of on ok okay
    or our please should so sorry tell thanks that the there this to us was we will with would you your
    aber am auf bei bin bitte danke das dem den denn der des die doch du ein eine einen einer es für gibt haben hallo
    also hat ich ihr im in ist jetzt kann können mal man mein mir mit noch nochmal und uns unser von war wir wird zu zum
    zur
    """)
)


class AskedAgain:
    """Finds the earlier answer of a question that is asked again, and labels it."""

    def __init__(self, engine: AsyncEngine, labels: Labels) -> None:
        self._engine = engine
        self._labels = labels

    async def note(self, question: Question) -> str | None:
        """Labels the latest answer that the same person got to the same question in the same place within half an
        hour; gives the id of its question, None where there is none."""
        earlier = questions.c
        query = (
            sa.select(earlier.id, earlier.text, earlier.receipt)
            .where(
                earlier.asker == question.asker,
                earlier.workspace == question.place.workspace,
                earlier.channel == question.place.channel,
                earlier.asked_at >= question.asked_at - SHORTLY,
                earlier.asked_at <= question.asked_at,
                earlier.id != question.id,
                earlier.receipt.is_not(None),
            )
            .order_by(earlier.asked_at.desc())
            .limit(MOST)
        )
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).all()
        for row in rows:
            # One that failed or was stopped is asked again for another reason.
            answered = bool(row.receipt) and row.receipt.get("outcome") in ("answered", "nothing_found")
            if answered and same_question(row.text, question.text):
                await self._labels.add(row.id, question.asker, Signal.ASKED_AGAIN)
                return str(row.id)
        return None


def same_question(one: str, other: str) -> bool:
    """Whether two texts ask the same: all words of weight of the one are in the other, but for typing errors, and
    there are hardly more. Words with digits must agree."""
    first, second = _words(one), _words(other)
    shorter, longer = sorted((first, second), key=len)
    if len(shorter) < LEAST_WORDS or len(shorter) < LEAST_SHARED * len(longer):
        return False
    if {w for w in first if any(map(str.isdigit, w))} != {w for w in second if any(map(str.isdigit, w))}:
        return False
    return all(any(_alike(word, another) for another in longer) for word in shorter)


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.casefold())) - _SMALL_WORDS


def _alike(one: str, other: str) -> bool:
    if one == other:
        return True
    long = min(len(one), len(other)) >= _LEAST_LETTERS
    return long and SequenceMatcher(None, one, other, autojunk=False).ratio() >= _SAME_WORD
