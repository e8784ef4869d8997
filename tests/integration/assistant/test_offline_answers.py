from __future__ import annotations

from decimal import Decimal

from bot.domain import StrategyName


async def test_a_question_is_answered_with_the_sentence_of_a_document_and_its_source(build) -> None:
    house = build()
    answer = await house.ask("<@U0SWITCH> hi team, how do I roll back a deployment? Thanks!")
    assert "robotctl rollback --to previous" in answer.text
    assert "[1]" in answer.text
    (first, *_) = answer.citations
    assert first.number == 1
    assert first.title == "Deploying"
    assert first.source == "handbook"
    assert first.url is not None
    assert first.url.startswith("https://docs.example")
    receipt = answer.receipt
    assert receipt.outcome == "answered"
    assert receipt.choice.option.strategy is StrategyName.RAG
    assert receipt.choice.option.model == "offline"
    assert receipt.price.amount == Decimal(0)
    assert any("similarity" in reason for reason in receipt.choice.reasons)
