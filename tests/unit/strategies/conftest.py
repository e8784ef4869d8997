"""Passages, examples and questions for the strategies."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from bot.domain import Audience, Example, Place, PlaceKind, Question
from knowledge.access import PUBLIC
from knowledge.documents import Passage

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)


@pytest.fixture
def ask() -> Callable[[str], Question]:
    """A question in a channel, by its text."""

    def asked(text: str) -> Question:
        place = Place(workspace="T1", channel="C1", kind=PlaceKind.CHANNEL)
        return Question(id="q1", text=text, asker="U1", place=place, audience=Audience.everyone(), asked_at=NOW)

    return asked


@pytest.fixture
def passage() -> Callable[..., Passage]:
    """A passage, by its text and the document that it stands in."""

    def found(text: str, document: str = "Deploying", heading: tuple[str, ...] = (), url: str | None = None) -> Passage:
        return Passage(
            chunk_id=f"{document}-{text[:8]}",
            document_id=document,
            source="docs",
            title=document,
            heading=heading,
            text=text,
            url=url,
            updated=NOW,
            score=1.0,
            similarity=0.7,
            lexical=0.5,
        )

    return found


@pytest.fixture
def example() -> Callable[[str, str], Example]:
    """A reviewed example."""

    def reviewed(question: str, answer: str) -> Example:
        return Example(id=question, question=question, answer=answer, readers=PUBLIC, similarity=0.8)

    return reviewed
