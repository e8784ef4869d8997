"""Which topics the team's questions found no answer on: clusters of questions, named by their own words."""

from __future__ import annotations

import asyncio
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.domain import PlaceKind
from bot.people.hand_offs import HandOffs
from bot.people.owners import Owners, Scope
from bot.storage.people_tables import hand_offs
from bot.storage.tables import feedback, questions
from knowledge import access
from knowledge.documents import Vector
from knowledge.embedding.base import Embedder

WEEK = timedelta(days=7)
MOST = 1_000
"""Questions that are looked at, the newest."""
ALIKE = 0.5
"""The cosine to the middle of a topic from which on a question belongs to it."""
_WORDS = 3
_WORD = re.compile(r"[^\W\d_][\w'-]{2,}")
_COMMON = frozenset(
    re.findall(
        r"\w+",
        "the and for are how what when where who why which does did can could should would will have has had with from "
        "into this that these those there our your you not any all get was were been about between need want know tell "
        "wie was wer wann warum der die das und für ist sind kann ich wir man ein eine",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """Questions that belong together. `name`: their telling words, "" where none of them may be shown; `before`: how
    many there were in the week before; `example`: the newest that may be shown; `owner`: whom to ask, where somebody is
    named."""

    name: str
    count: int
    before: int
    example: str
    owner: str | None


@dataclass(frozen=True, slots=True)
class _Asked:
    id: str
    text: str
    channel: str
    is_shown: bool
    is_new: bool


class Coverage:
    """What was not answered: nothing found, a thumb down, or a person wanted. Makes no model call: questions are
    compared by the embedding model on this machine."""

    def __init__(self, engine: AsyncEngine, embedder: Embedder, owners: Owners, handed: HandOffs) -> None:
        self._engine = engine
        self._embedder = embedder
        self._owners = owners
        self._handed = handed

    async def topics(self, until: datetime, scopes: frozenset[str] | None) -> list[Topic]:
        """The topics of the seven days before a moment, the largest first. `scopes`: what all may read who will read
        this; full members see words of questions that were asked in public channels, anybody else none, and the others
        are counted. None: whoever has the machine sees all."""
        asked = await self._asked(until, scopes)
        if not asked:
            return []
        vectors = await self._embedder.embed([one.text for one in asked])
        groups = [[asked[place] for place in group] for group in await asyncio.to_thread(clusters, vectors)]
        spread = Counter(word for one in asked if one.is_shown for word in set(_telling(one.text)))
        owners, sources = await self._owners.all(), await self._handed.best_sources(one.id for one in asked)
        found = []
        for group in groups:
            if any(one.is_new for one in group):
                shown = [one for one in group if one.is_shown]
                found.append(_topic(group, _name(shown, spread, len(asked)), _owner(shown, owners, sources)))
        return sorted(found, key=lambda topic: (-topic.count, topic.name, topic.example))

    async def _asked(self, now: datetime, scopes: frozenset[str] | None) -> list[_Asked]:
        everything, open_ones = scopes is None, access.readable(access.PUBLIC, scopes or frozenset())
        disliked = sa.exists(sa.select(1).where(feedback.c.question_id == questions.c.id, feedback.c.value < 0))
        wanted = sa.exists(sa.select(1).where(hand_offs.c.question_id == questions.c.id))
        unfound = questions.c.receipt["outcome"].as_string() == "nothing_found"
        recent = (questions.c.asked_at > now - 2 * WEEK, questions.c.asked_at <= now, questions.c.text != "")
        columns = [questions.c[name] for name in ("id", "text", "channel", "place_kind", "private", "asked_at")]
        query = sa.select(*columns).where(*recent, sa.or_(disliked, wanted, unfound))
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query.order_by(questions.c.asked_at.desc()).limit(MOST))).all()
        return [
            _Asked(
                id=row.id,
                text=row.text,
                channel=row.channel,
                is_shown=everything or (open_ones and row.place_kind == PlaceKind.CHANNEL and not row.private),
                is_new=row.asked_at > now - WEEK,
            )
            for row in rows
        ]


def _topic(group: Sequence[_Asked], name: str, owner: str | None) -> Topic:
    return Topic(
        name=name,
        count=sum(one.is_new for one in group),
        before=sum(not one.is_new for one in group),
        example=next((one.text for one in group if one.is_shown and one.is_new), ""),
        owner=owner,
    )


def _owner(shown: Sequence[_Asked], owners: Mapping[tuple[Scope, str], str], sources: Mapping[str, str]) -> str | None:
    """Whoever looks after the channel that most were asked in, else after a source that an answer cites."""
    asked_in = Counter(one.channel for one in shown).most_common()
    places: list[tuple[Scope, str]] = [("channel", channel) for channel, _ in asked_in]
    places += [("source", sources[one.id]) for one in shown if one.id in sources]
    return next((owners[place] for place in places if place in owners), None)


def clusters(vectors: Vector) -> list[list[int]]:
    """Places of vectors (one a row, of length 1) that belong together, the same whenever it is asked.

    Each goes to the nearest middle that is near enough, else begins a group; once more with the middles found so far.
    """
    groups = list[list[int]]()
    middles = np.empty((2 * len(vectors), vectors.shape[1]), np.float32)  # at most as many again in the second turn
    for _ in range(2):
        found = [list[int]() for _ in groups]
        for place, vector in enumerate(vectors):
            near = middles[: len(found)] @ vector
            best = int(np.argmax(near)) if len(near) else -1
            if best < 0 or near[best] < ALIKE:
                middles[len(found)] = vector
                found.append([place])
            else:
                found[best].append(place)
        groups = [group for group in found if group]
        for place, group in enumerate(groups):
            middle = vectors[group].mean(axis=0)
            middles[place] = middle / max(float(np.linalg.norm(middle)), 1e-9)
    return groups


def _telling(text: str) -> list[str]:
    return [word for word in _WORD.findall(text.casefold()) if word not in _COMMON]


def _name(shown: Sequence[_Asked], spread: Counter[str], total: int) -> str:
    """The words that most of a topic's questions have and few others."""
    held = Counter(word for one in shown for word in set(_telling(one.text)))
    weights = {word: count * math.log(1 + total / spread[word]) for word, count in held.items()}
    best = sorted(weights, key=lambda word: (-weights[word], word))[:_WORDS]
    return ", ".join(best) or ("something else" if shown else "")
