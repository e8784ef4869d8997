"""What is about the team itself and stands nowhere is not guessed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from model_server import ModelServer

from bot.declining import NOTHING, READING, declined
from bot.domain import Audience, Evidence, Finished, PlaceKind, StrategyName, TextDelta
from bot.models.cards import ModelCard
from bot.models.catalogue import Provider
from bot.selection.guards import OWN_AFFAIRS
from knowledge.documents import Passage
from knowledge.knowledge_base import KnowledgeBase
from knowledge.sources.folder import FolderSource

Build = Callable[..., Any]
Hosted = Callable[..., tuple[Provider, ModelCard]]
KEYS = "How do we rotate our encryption keys?"


@pytest.fixture
def house(build: Build, hosted: Hosted, server: ModelServer) -> Any:
    """A model that could answer anything."""
    return build(hosted("writer", server.url))


async def test_the_teams_own_affairs_are_not_guessed_and_the_receipt_says_why(house: Any, server: ModelServer) -> None:
    question = house.question(KEYS)
    events = await house.events(question)
    said = "".join(event.text for event in events if isinstance(event, TextDelta))
    last = events[-1]
    assert isinstance(last, Finished)
    assert said == last.answer.text
    assert said.startswith("I have nothing on that: no document that everyone here may read answers it. ")
    assert "I searched 1 source (handbook) for “How do we rotate our encryption keys?”" in said
    assert "an admin can add what is missing with `/knowledge add`" in said
    assert last.answer.receipt.outcome == "nothing_found"
    assert OWN_AFFAIRS in last.answer.receipt.choice.guards
    assert OWN_AFFAIRS in last.answer.receipt.choice.reasons
    assert await house.assistant.answered(question.id) == said
    assert server.chats == []


async def test_the_nearest_documents_are_named_with_links_and_who_wrote_them(
    house: Any, knowledge: KnowledgeBase, tmp_path: Path
) -> None:
    title = "Key [ceremony](https://evil.example)"
    page = f"---\nauthor: Leo Park\n---\n# {title}\n\nThe ceremony for encryption keys is solemn.\n"
    (tmp_path / "handbook" / "keys.md").write_text(page, encoding="utf-8")
    await knowledge.refresh()
    answer = await house.ask("Who audits our encryption keys in Lisbon on behalf of the regulator?")
    assert "nearest was “Key ceremony” [1], which is not close enough." in answer.text
    assert "“Key ceremony” is by Leo Park, who may know." in answer.text
    assert "evil.example" not in answer.text
    assert [(each.number, each.url) for each in answer.citations] == [(1, "https://docs.example/keys.md")]
    assert answer.receipt.citations == answer.citations


async def test_who_reviewed_the_nearest_example_is_named_to_those_who_may_read_it(house: Any) -> None:
    await house.examples.save("Where are the keys to the server room?", "At the desk.", {"channel:G0FIN"}, "U0MAYA")
    asked = KEYS
    within = await house.ask(asked, channel="G0FIN")
    assert (within.receipt.outcome, within.ask) == ("nothing_found", "U0MAYA")
    outside = await house.ask(asked, channel="C0HELP")
    assert (outside.receipt.outcome, outside.ask) == ("nothing_found", None)
    own = await house.ask(asked, channel="G0FIN", asker="U0MAYA")
    assert own.ask is None


async def test_the_names_of_sources_that_the_audience_may_not_read_are_kept(house: Any) -> None:
    inside = await house.ask(KEYS, channel="G0FIN")
    assert "I searched 2 sources (handbook, finance)" in inside.text
    outside = await house.ask(KEYS)
    assert "finance" not in outside.text
    alone = await house.ask(KEYS, audience=Audience.of_person("U0ANA", ["G0FIN"]), private=True)
    assert alone.text.startswith("I have nothing on that: no document that you may read answers it.")


async def test_the_offline_model_that_finds_nothing_says_what_was_searched(build: Build) -> None:
    answer = await build().ask("Which auditors look at our encryption keys in Lisbon?")
    assert answer.receipt.choice.option.model == "offline"
    assert answer.receipt.outcome == "nothing_found"
    assert answer.text.startswith("I found nothing in the knowledge that answers this.")
    assert "I searched 1 source (handbook) for “Which auditors look at our encryption keys in Lisbon?”" in answer.text


@pytest.mark.parametrize(
    "text",
    [
        "write a haiku about Mondays",
        "what is 17*23",
        "What is the capital of France?",
        "Can you write a welcome message for our new colleague?",
        "Kannst du unsere Einladung ins Englische übersetzen: Wir feiern!",
        "Wie viel ist 17*23?",
    ],
)
async def test_general_questions_and_tasks_are_never_declined(house: Any, server: ModelServer, text: str) -> None:
    server.script("With pleasure.")
    answer = await house.ask(text)
    assert (answer.text, answer.receipt.outcome) == ("With pleasure.", "answered")
    assert OWN_AFFAIRS not in answer.receipt.choice.guards


@pytest.mark.parametrize("strategy", [StrategyName.ZERO_SHOT, StrategyName.RAG, StrategyName.FEW_SHOT])
async def test_who_pins_a_strategy_is_obeyed_also_where_there_is_no_evidence(
    house: Any, server: ModelServer, strategy: StrategyName
) -> None:
    await house.examples.save("How long do people play golf?", "For hours.", {"everyone"}, "U0MAYA")
    server.script("As you wish.")
    answer = await house.ask(KEYS, strategy=strategy)
    assert answer.receipt.choice.option.strategy is strategy
    assert not answer.text.startswith(NOTHING)
    assert answer.receipt.choice.policy == "person"


async def test_what_others_wrote_is_plain_text_in_the_answer(house: Any) -> None:
    title = "Keys <!channel> [9] https://evil.example/x `rm`"
    passage = Passage(
        "1",
        "d",
        "s",
        title,
        (),
        "Text.",
        None,
        datetime(2026, 1, 1, tzinfo=UTC),
        1.0,
        0.4,
        0.1,
        author="<@U0EVE> _Eve_",
    )
    evidence = Evidence(passages=(passage,))
    asked = house.question("Where?", place=house.question("").place)
    told = declined(asked, "where *is* <#C1> www.evil.example", evidence, [f"s{n}" for n in range(7)])
    assert "7 sources (s0, s1, s2, s3, s4 and 2 more) for “where is #C1 …”" in told.text
    assert "“Keys !channel 9 … rm” [1]" in told.text
    assert "by @U0EVE Eve, who may know" in told.text


async def test_on_the_command_line_the_way_out_is_a_command(house: Any) -> None:
    place = house.question("x").place
    asked = house.question(KEYS, place=type(place)(workspace="c", channel="c", kind=PlaceKind.CONSOLE))
    told = declined(asked, KEYS, Evidence(), ())
    assert "no source is connected yet that everyone may read; nothing came near it." in told.text
    assert "`switchboard knowledge import` adds a file" in told.text


async def test_until_a_source_is_read_for_the_first_time_it_is_said_so(
    house: Any, knowledge: KnowledgeBase, tmp_path: Path
) -> None:
    (tmp_path / "van").mkdir()
    (tmp_path / "van" / "keys.md").write_text("# Van\n\nThe keys of the van hang beside the door.", encoding="utf-8")
    knowledge.set_sources([*knowledge.sources, FolderSource("van", tmp_path / "van")])
    told = (await house.ask(KEYS)).text
    assert told.endswith(READING)
    assert "/knowledge add" not in told
    await knowledge.refresh()
    told = (await house.ask(KEYS)).text
    assert READING not in told
    assert "/knowledge add" in told
