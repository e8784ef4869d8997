"""/compare: the same question and evidence to several models or strategies, side by side, with a vote."""

from __future__ import annotations

import asyncio
import difflib
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.comparing import Comparing, Wanted
from bot.core import Core
from bot.domain import (
    Answer,
    AnswerEvent,
    Evidence,
    Failed,
    Finished,
    Option,
    Progress,
    Question,
    StrategyName,
    TextDelta,
)
from bot.errors import NotAllowed, UnusableQuestion
from bot.learning.comparisons import Compared, Comparison
from handlers.answering import Answering
from handlers.audience import Places
from handlers.blocks import comparison as blocks
from handlers.blocks.answer import sources
from handlers.identity import Identity
from handlers.limiting import Limiting
from handlers.markdown import shorten
from handlers.origin import Origin
from handlers.shapes import JSON
from handlers.text import has_words, said

log = structlog.get_logger(__name__)

USAGE = (
    "Write your question after the command: `/compare How do I roll back?` Before it you can name `models:a,b` or "
    "`strategies:rag,zero_shot`; with `blind:` the names are told after the vote."
)
PURPOSE = "compare"
_OPTION = re.compile(r"\s*(models?|strateg(?:y|ies)|blind):(\S*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the words after `/compare` ask for."""

    question: str
    wanted: Wanted
    blind: bool


class CompareCommand:
    """The command, kept in the inbox so that a restart loses none; and the votes."""

    KIND = "compare"

    def __init__(
        self, client: AsyncWebClient, core: Core, places: Places, answering: Answering, identity: Identity
    ) -> None:
        self._client = client
        self._core = core
        self._places = places
        self._answering = answering
        self._identity = identity
        self._limiting = Limiting(client, core.limits)
        self._comparing = Comparing(core.assistant, core.models, core.data_rules)

    @staticmethod
    def heard(payload: JSON) -> str:
        """What is said at once: the answers come when each has been found a way."""
        asked = str(payload.get("text") or "").strip()
        return f"I compare: {shorten(asked, 300)}" if asked else ""

    async def run(self, reference: str, payload: JSON) -> None:
        """Posts the question, has every way answer in its thread, and asks for votes."""
        origin = Origin.of(payload)
        order = parse(said(payload.get("text", ""), (await self._identity.bot()).user))
        if not has_words(order.question):
            await origin.line(self._client).say(USAGE)
            return
        if not await self._limiting.admits(
            origin.person, str(origin.channel), origin.thread, reference, origin.line(self._client)
        ):
            return
        question = await self._question(reference, origin, order.question)
        evidence, options = await self._comparing.ways(question, order.wanted)
        head = blocks.asked(origin.person, order.question, len(options), blind=order.blind)
        begun = self._answering.begun
        thread = await begun.once(reference, "head", channel=question.place.channel, thread=None, text=head)
        question = replace(question, place=replace(question.place, thread=thread))
        await self._core.conversations.record(
            question.place.channel, thread, thread, "user", origin.person, order.question, reference
        )
        comparison = _comparison(reference, options, origin.person, blind=order.blind)
        await self._core.comparisons.add(comparison)
        answers = (self._answered(question, evidence, comparison, place) for place in range(len(options)))
        await asyncio.gather(*answers)
        text, vote = await self._ballot(comparison, named=not comparison.blind)
        await begun.once(reference, "ballot", channel=question.place.channel, thread=thread, text=text, blocks=vote)
        log.info("compared", question=reference, ways=len(options), blind=order.blind)

    async def voted(self, payload: JSON) -> None:
        """A vote, or the asker's wish to show everybody the names."""
        origin = Origin.of(payload)
        identifier, choice = blocks.pressed(payload)
        comparison = await self._core.comparisons.find(identifier)
        asked = await self._core.assistant.asked(comparison.answers[0].question_id)
        if asked is None or not await self._places.may_read(origin.person, asked):
            raise NotAllowed("That comparison was made in a place that you cannot read.")
        named = not comparison.blind or not _hides_names(payload)
        if choice == blocks.REVEAL:
            if origin.person != comparison.asked_by:
                raise NotAllowed(f"Only <@{comparison.asked_by}>, who asked, may show the names to everybody.")
            named = True
        else:
            place = _place(choice, comparison)
            await self._core.comparisons.vote(comparison, origin.person, place)
            await origin.line(self._client).say(blocks.told_after(comparison, place))
        await origin.replace(self._client, payload, *await self._ballot(comparison, named=named))

    async def _question(self, reference: str, origin: Origin, text: str) -> Question:
        place = await self._places.place(origin.workspace, str(origin.channel))
        return Question(
            id=reference,
            text=text,
            asker=origin.person,
            place=place,
            audience=await self._places.audience(place, origin.person),
            asked_at=self._core.clock(),
        )

    async def _answered(self, question: Question, evidence: Evidence, comparison: Comparison, place: int) -> None:
        answer = comparison.answers[place]
        pinned = replace(question, id=answer.question_id, model=answer.model, strategy=answer.strategy)
        events = self._core.assistant.answer(pinned, given=evidence, purpose=PURPOSE)
        head = blocks.heading(comparison, place)
        shown = _headed(events, head, is_blind=comparison.blind)
        await self._answering.write(pinned, shown, _tail)

    async def _ballot(self, comparison: Comparison, *, named: bool) -> tuple[str, list[JSON]]:
        receipts = [await self._core.assistant.receipt(answer.question_id) for answer in comparison.answers]
        votes, alike = await self._core.comparisons.votes(comparison)
        return blocks.ballot(comparison, receipts, votes, alike, named=named)


def parse(text: str) -> Order:
    """Options first, then the question. Raises UnusableQuestion where an option says what there is not."""
    models: tuple[str, ...] = ()
    strategies: tuple[StrategyName, ...] = ()
    blind = False
    while found := _OPTION.match(text):
        key, value = found[1].casefold(), found[2]
        if key == "blind":
            if value not in ("", "yes", "no"):
                break
            blind = value != "no"
        elif key.startswith("model"):
            models = _listed(value, key)
        else:
            strategies = tuple(map(_strategy, _listed(value, key)))
        text = text[found.end() :]
    return Order(question=text.strip(), wanted=Wanted(models=models, strategies=strategies), blind=blind)


def _listed(value: str, key: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name for name in value.split(",") if name))
    if not names:
        raise UnusableQuestion(f"After “{key}:” come names with commas between them and no spaces. {USAGE}")
    return names


def _strategy(name: str) -> StrategyName:
    known = [each.value for each in StrategyName]
    wanted = name.casefold().replace("-", "_")
    if wanted not in known:
        near = difflib.get_close_matches(wanted, known, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(known)}."
        raise UnusableQuestion(f"There is no strategy called “{name}”. {hint}")
    return StrategyName(wanted)


def _comparison(reference: str, options: tuple[Option, ...], person: str, *, blind: bool) -> Comparison:
    answers = tuple(
        Compared(question_id=f"{reference}-{letter}", strategy=option.strategy, model=option.model)
        for letter, option in zip(blocks.LETTERS.lower(), options, strict=False)
    )
    return Comparison(id=reference, answers=answers, blind=blind, asked_by=person)


async def _headed(
    events: AsyncGenerator[AnswerEvent, None], head: str, *, is_blind: bool
) -> AsyncGenerator[AnswerEvent, None]:
    """The events of an answer under its heading; where it is blind, nothing tells what answers."""
    yield TextDelta(head)
    async with aclosing(events):
        async for event in events:
            if isinstance(event, Progress):
                continue
            if isinstance(event, Finished):
                yield Finished(replace(event.answer, text=head + event.answer.text))
            elif isinstance(event, Failed) and is_blind:
                yield Failed(event.question_id, f"This one could not answer. (Reference {event.question_id})")
            else:
                yield event


def _tail(answer: Answer, now: datetime) -> list[JSON]:
    return sources(answer.citations, now)  # price and time stand side by side above the vote


def _place(choice: str, comparison: Comparison) -> int | None:
    if choice == blocks.ALIKE:
        return None
    if not (choice.isascii() and choice.isdigit()) or int(choice) >= len(comparison.answers):
        raise NotAllowed("I do not understand this button any more.")
    return int(choice)


def _hides_names(payload: JSON) -> bool:
    message: JSON = payload.get("message") or {}
    elements = [element for block in message.get("blocks") or () for element in block.get("elements") or ()]
    return any(element.get("action_id") == f"{blocks.ACTION}_{blocks.REVEAL}" for element in elements)
