"""When a question is asked back, and what is offered."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from bot.domain import Audience, Choice, Evidence, Option, Pin, Place, PlaceKind, Question, StrategyName, Turn
from bot.selection import clarifying
from bot.selection.reasons import CONFIGURED
from knowledge.documents import Passage


def question(**fields: Any) -> Question:
    place = Place(workspace="T1", channel="C1", kind=fields.pop("kind", PlaceKind.CHANNEL))
    now = datetime(2026, 11, 20, tzinfo=UTC)
    base = {"id": "q", "text": "How do I get a badge?", "asker": "U1", "asked_at": now}
    return Question(place=place, audience=Audience.everyone(), **{**base, **fields})


def passage(title: str, similarity: float, document: str = "", heading: tuple[str, ...] = ()) -> Passage:
    return Passage(
        chunk_id=f"{title}{similarity}",
        document_id=document or title,
        source="docs",
        title=title,
        heading=heading,
        text="text",
        url=None,
        updated=None,
        score=1.0,
        similarity=similarity,
        lexical=0.5,
    )


def choice(quality: float = 0.3, *, pins: tuple[Pin, ...] = (), available: bool = True) -> Choice:
    option = Option(
        strategy=StrategyName.RAG,
        model="m",
        quality=quality,
        cost=Decimal(0),
        latency=1.0,
        utility=quality,
        available=available,
    )
    return Choice(option=option, options=(option,), reasons=(), pins=pins)


SPLIT = Evidence(passages=(passage("Visitors", 0.52), passage("Visitors", 0.51), passage("Staff", 0.5)))


def test_evidence_that_is_split_between_two_documents_is_asked_about() -> None:
    offered = clarifying.topics(question(), choice(), SPLIT)
    assert offered == ("Visitors", "Staff")
    assert clarifying.sentence(offered).startswith("Do you mean “Visitors” or “Staff”?")


@pytest.mark.parametrize(
    "passages",
    [
        (),
        (passage("Visitors", 0.6), passage("Staff", 0.4)),
        (passage("Visitors", 0.6), passage("Visitors", 0.59)),
        (passage("Visitors", 0.2), passage("Staff", 0.19)),
        tuple(passage(title, 0.5) for title in ("A", "B", "C", "D")),
        (passage("Same", 0.5, "d1"), passage("Same", 0.5, "d2")),
    ],
    ids=["nothing", "one is nearer", "one document", "all are far", "too many", "names that do not differ"],
)
def test_evidence_that_leads_somewhere_or_nowhere_is_not_asked_about(passages: tuple[Passage, ...]) -> None:
    assert clarifying.topics(question(), choice(), Evidence(passages=passages)) == ()


@pytest.mark.parametrize(
    "asked",
    [
        question(meant=""),
        question(meant="Visitors"),
        question(private=True),
        question(kind=PlaceKind.CONSOLE),
        question(history=(Turn("assistant", "Do you mean “Visitors” or “Staff”? Choose one."),)),
    ],
    ids=["asked and passed over", "asked and answered", "private", "console", "answered by a reply"],
)
def test_nobody_is_asked_twice_nor_where_no_button_can_be_pressed(asked: Question) -> None:
    assert clarifying.topics(asked, choice(), SPLIT) == ()


def test_nothing_is_asked_where_the_answer_is_likely_good_or_a_person_fixed_the_way() -> None:
    assert clarifying.topics(question(), choice(clarifying.UNSURE), SPLIT) == ()
    assert clarifying.topics(question(), choice(available=False), SPLIT) == ()
    assert clarifying.topics(question(), choice(pins=(Pin(scope="person", model="m"),)), SPLIT) == ()
    assert clarifying.topics(question(), choice(pins=(Pin(scope=CONFIGURED, model="m"),)), SPLIT) != ()


def test_documents_of_the_same_title_are_told_apart_by_their_headings_and_both_names_lead() -> None:
    first = passage("Badges", 0.5, "d1", ("Badges", "For visitors"))
    second = passage("Badges", 0.5, "d2", ("Badges", "For staff"))
    offered = clarifying.topics(question(), choice(), Evidence(passages=(first, second)))
    assert offered == ("Badges › For visitors", "Badges › For staff")
    assert clarifying.led_by((first, second), offered[1]) == (second, first)
    assert clarifying.led_by(SPLIT.passages, "Staff")[0].title == "Staff"
    assert clarifying.led_by(SPLIT.passages, "Gone") == SPLIT.passages
