"""The assistant asks back once, and answers with what is meant."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from model_server import ModelServer, answer

from bot.domain import Clarify, Finished, Turn
from bot.models.cards import ModelCard
from bot.models.catalogue import Provider
from knowledge.knowledge_base import KnowledgeBase

Build = Callable[..., Any]
Hosted = Callable[..., tuple[Provider, ModelCard]]
ASKED = "How do I get a badge?"
BADGES = {
    "contractors.md": "# Contractor badges\n\nTo get a badge for contractors, ask the front desk for a yellow one.\n",
    "staff.md": "# Staff badges\n\nTo get a badge for staff, ask the front desk for a blue one.\n",
}


@pytest.fixture
async def badges(knowledge: KnowledgeBase, tmp_path: Path) -> None:
    for name, text in BADGES.items():
        (tmp_path / "handbook" / name).write_text(text, encoding="utf-8")
    await knowledge.refresh()


@pytest.fixture
def house(badges: None, build: Build, hosted: Hosted, server: ModelServer) -> Any:
    """A model that is known to answer badly, so that the assistant is unsure."""
    return build(hosted("poor", server.url, scores={"rag": 0.3, "zero_shot": 0.1}), clarify=True, default_model="poor")


async def test_it_asks_which_document_is_meant_and_the_receipt_says_so(house: Any) -> None:
    question = house.question(ASKED)
    last = (await house.events(question))[-1]
    assert isinstance(last, Clarify)
    assert set(last.choices) == {"Contractor badges", "Staff badges"}
    receipt = await house.assistant.receipt(question.id)
    assert receipt.outcome == "asked_back"
    assert receipt.choice.reasons[0].endswith("so I asked which is meant.")
    assert await house.assistant.answered(question.id) == last.sentence
    assert await house.calls() == []


@pytest.mark.parametrize("meant", ["Contractor badges", "Staff badges"])
async def test_what_was_meant_leads_the_evidence_and_nothing_is_asked_again(
    house: Any, server: ModelServer, meant: str
) -> None:
    server.script(answer("Ask for one. [1]"))
    told = await house.ask(ASKED, meant=meant)
    assert [citation.title for citation in told.citations] == [meant]
    assert f"You said that you mean “{meant}”, so the search began there." in told.receipt.choice.reasons


async def test_none_of_these_is_answered_at_once(house: Any) -> None:
    assert isinstance((await house.events(ASKED, meant=""))[-1], Finished)


async def test_a_reply_in_own_words_is_answered_with_the_question_before_it(house: Any, server: ModelServer) -> None:
    asked_back = (await house.events(ASKED))[-1]
    history = (Turn("user", ASKED, "U0ANA"), Turn("assistant", asked_back.sentence))
    server.script(answer("How do I get a badge for contractors?"), answer("Ask for one. [1]"))
    told = await house.ask("for contractors", history=history)
    assert told.citations[0].title == "Contractor badges"


async def test_it_does_not_ask_unless_that_is_configured(
    badges: None, build: Build, hosted: Hosted, server: ModelServer
) -> None:
    house = build(hosted("poor", server.url, scores={"rag": 0.3, "zero_shot": 0.1}), default_model="poor")
    assert isinstance((await house.events(ASKED))[-1], Finished)
