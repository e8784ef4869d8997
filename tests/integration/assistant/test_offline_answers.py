from __future__ import annotations

import asyncio
from contextlib import aclosing
from decimal import Decimal
from typing import Any

import pytest

from bot.domain import Attachment, Audience, Finished, Progress, StrategyName, TextDelta, Turn
from bot.models.offline import NOTHING_FOUND, UNSURE
from knowledge.access import PUBLIC

ROLLBACK = "robotctl rollback --to previous"


async def test_a_question_is_answered_with_the_sentence_of_a_document_and_its_source(build: Any) -> None:
    house = build()
    answer = await house.ask("<@U0SWITCH> hi team, how do I roll back a deployment? Thanks!")
    assert ROLLBACK in answer.text
    assert "[1]" in answer.text
    (first, *_) = answer.citations
    assert (first.number, first.title, first.source) == (1, "Deploying", "handbook")
    assert first.url is not None
    assert first.url.startswith("https://docs.example")
    receipt = answer.receipt
    assert receipt.outcome == "answered"
    assert receipt.choice.option.strategy is StrategyName.RAG
    assert receipt.choice.option.model == "offline"
    assert receipt.price.amount == Decimal(0)
    assert any("“Deploying” (similarity" in reason for reason in receipt.choice.reasons)


async def test_the_way_of_a_question_is_told_step_by_step(build: Any) -> None:
    events = await build().events("How do I roll back a deployment?")
    steps = [(event.step, event.state) for event in events if isinstance(event, Progress)]
    assert steps == [(step, state) for step in ("search", "choose", "read", "write") for state in ("started", "done")]
    assert events[1] == Progress("search", "done", "Found 1 passage in 1 document")


async def test_question_answer_and_receipt_are_kept(build: Any) -> None:
    house = build()
    question = house.question("How do I roll back a deployment?", private=True)
    answer = await house.ask(question)
    await house.assistant.note_answer_ts(question.id, "17.1")
    assert await house.assistant.asked(question.id) == question
    assert await house.assistant.answered(question.id) == answer.text
    assert await house.assistant.receipt(question.id) == answer.receipt
    assert await house.assistant.receipt("never asked") is None
    (call,) = await house.calls()
    assert (call.question_id, call.model, call.strategy, call.outcome) == (question.id, "offline", "rag", "answered")
    assert call.cost == Decimal(0)


async def test_a_private_channels_documents_answer_there_and_nowhere_else(build: Any) -> None:
    house = build()
    inside = await house.ask("What is the salary band of level 4 engineers?", channel="G0FIN")
    assert "71,000" in inside.text
    outside = await house.ask("What is the salary band of level 4 engineers?", channel="C0HELP")
    assert "71,000" not in outside.text
    assert outside.receipt.outcome == "nothing_found"
    assert "salary" not in " ".join(outside.receipt.choice.reasons).lower()
    everyone = await house.ask("What is the salary band?", audience=Audience.of_person("U0ANA", ["C0HELP"]))
    assert "71,000" not in everyone.text


async def test_where_nobody_may_read_anything_it_says_that_nothing_was_found(build: Any) -> None:
    house = build()
    answer = await house.ask("What is the salary band?", audience=Audience(frozenset({"user:U0NEW"})))
    assert answer.text.startswith("I have nothing on that: no document that everyone here may read answers it.")
    assert "no source is connected yet that everyone here may read" in answer.text
    assert answer.receipt.outcome == "nothing_found"
    assert answer.citations == ()
    assert await house.calls() == []
    assert (await house.assistant.receipt(answer.question_id)).outcome == "nothing_found"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "I saw no question"),
        ("<@U0SWITCH>", "I saw no question"),
        ("<@U0SWITCH> :tada: :+1: 🎉🎉 ???", "I saw no question"),
        ("`<@U0SWITCH>` <>&", "I saw no question"),
        ("x" * 40_000, "40,000 characters"),
    ],
)
async def test_what_is_no_question_gets_a_sentence(build: Any, text: str, says: str) -> None:
    house = build()
    failed = await house.fail(text)
    assert says in failed.sentence
    assert failed.question_id in failed.sentence
    assert failed.receipt is None
    assert await house.calls() == []


async def test_an_image_without_words_is_named_in_the_answer(build: Any) -> None:
    picture = Attachment(name="error.png", mimetype="image/png", size=10)
    failed = await build().fail("<@U0SWITCH>", attachments=(picture,))
    assert "error.png" in failed.sentence


@pytest.mark.parametrize("text", ["如何回滚部署?", "Как откатить развёртывание?", "كيف أتراجع عن النشر؟"])
async def test_a_question_in_any_script_gets_an_answer(build: Any, text: str) -> None:
    answer = await build().ask(text)
    assert answer.text


async def test_a_short_follow_up_is_searched_for_with_what_was_said_before(build: Any) -> None:
    house = build()
    history = (Turn("user", "How do I roll back a deployment?", "U0ANA"), Turn("assistant", "With robotctl.", ""))
    alone = await house.ask("Which role?", audience=Audience.of_channel("G0FIN"))
    within = await house.ask("Which role?", history=history, audience=Audience.of_channel("G0FIN"))
    first = [answer.receipt.choice.reasons[0] for answer in (alone, within)]
    similarity = [float(reason.split("similarity ")[1][:4]) for reason in first]
    assert similarity[1] > similarity[0] + 0.2


async def test_a_reviewed_answer_to_the_same_question_is_given_where_it_may_be_read(build: Any) -> None:
    house = build()
    await house.examples.save("Where is the coffee machine?", "On the second floor, left of the lift.", PUBLIC, "U0ANA")
    answer = await house.ask("Where's the coffee machine?")
    assert "second floor" in answer.text
    assert answer.receipt.choice.option.strategy is StrategyName.FEW_SHOT
    assert answer.receipt.outcome == "answered"
    assert any("coffee machine" in reason for reason in answer.receipt.choice.reasons)


async def test_what_the_documents_hardly_tell_is_quoted_with_a_doubt_however_well_the_words_fit(build: Any) -> None:
    house, text = build(), "What percent of the budget is for the new version?"
    question = house.question(text)
    answer = await house.ask(question)
    assert answer.text.startswith(UNSURE)
    option = answer.receipt.choice.option
    assert option.doubt in answer.receipt.choice.reasons
    assert "The documents hold too little on this to be sure (probability 0." in option.doubt
    # The words alone would have been taken for an answer.
    model = house.models.model(option.model)
    evidence = await house.assistant.evidence(text, question.audience.scopes)
    prompt = house.assistant.prompt(question, evidence, option.strategy, model.card)
    said = [piece.text async for piece in model.stream(prompt, max_tokens=500) if isinstance(piece, TextDelta)]
    assert not "".join(said).startswith((UNSURE, NOTHING_FOUND))


async def test_fifty_questions_at_once_are_all_answered_and_kept(build: Any) -> None:
    house = build()
    answers = await asyncio.gather(*(house.ask(f"How do I roll back deployment {n}?") for n in range(50)))
    assert all(ROLLBACK in answer.text for answer in answers)
    calls = await house.calls()
    assert len({call.question_id for call in calls}) == 50
    assert {call.outcome for call in calls} == {"answered"}


async def test_whoever_stops_listening_after_the_end_changes_nothing(build: Any) -> None:
    house = build()
    question = house.question("How do I roll back a deployment?")
    async with aclosing(house.assistant.answer(question)) as events:
        async for event in events:
            if isinstance(event, Finished):
                break
    assert (await house.assistant.receipt(question.id)).outcome == "answered"
