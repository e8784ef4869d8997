"""Has the answer written: by the chosen model, by a second one where that is silent, or as a draft first."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace

import structlog

from bot.choosing import Choosing
from bot.domain import AnswerEvent, Choice, Evidence, Finished, Progress, Prompt, StrategyName, TextDelta
from bot.drafting import drafted
from bot.ending import Ending
from bot.errors import ContextTooLong, ModelAnswerUnusable, ModelError, ModelUnavailable, UnusableQuestion
from bot.gate import Gate
from bot.hedging import Race
from bot.models.cards import ModelCard
from bot.models.registry import Models
from bot.prompting import Prompting, is_crowded
from bot.selection import escalation, reasons
from bot.selection.escalation import Draft, Plan
from bot.selection.estimates import is_offline
from bot.strategies.citing import Citing
from bot.tries import Tries
from bot.way import Way

log = structlog.get_logger("bot.assistant")


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A model that is asked for an answer: as what choice, with what prompt."""

    choice: Choice
    model: Tries
    prompt: Prompt

    @property
    def name(self) -> str:
        """The model's."""
        return self.model.card.name


class Writing:
    """`hedge_after`: the seconds of silence after which a second model is asked as well, 0: never."""

    def __init__(
        self,
        *,
        gate: Gate,
        models: Models,
        prompting: Prompting,
        choosing: Choosing,
        ending: Ending,
        hedge_after: float = 0.0,
    ) -> None:
        self._gate = gate
        self._models = models
        self._prompting = prompting
        self._choosing = choosing
        self._ending = ending
        self._hedge_after = hedge_after

    async def written(self, way: Way, evidence: Evidence, *, hedged: bool = True) -> AsyncGenerator[AnswerEvent, None]:
        """The answer of the way's choice. Raises its ModelError; what was shown before stays in the way."""
        assert way.choice is not None
        call = await self._call(way, evidence)
        if way.enclosed is not None:
            way.about_files = way.enclosed.about(call.prompt.passages)
        if call.prompt.passages:
            yield Progress("read", "started")
            yield Progress("read", "done", counted(len(call.prompt.passages), "passage"))
        yield Progress("write", "started")
        race = Race(call)
        citing: Citing | None = None
        try:
            async with aclosing(self._pieces(way, evidence, race, hedged)) as pieces:
                async for piece in pieces:
                    citing = citing or self._heard(way, race)
                    if shown := citing.feed(piece):
                        way.text.append(shown)
                        way.citations, way.cited = citing.citations, citing.cited
                        yield TextDelta(shown)
        except ModelError:
            self._silent(way, race)
            raise
        citing = citing or self._heard(way, race)
        if rest := citing.close():
            way.text.append(rest)
            yield TextDelta(rest)
        way.citations, way.cited = citing.citations, citing.cited
        async with aclosing(self._closed(way, evidence, race.spoke or call)) as events:
            async for event in events:
                yield event

    async def cascaded(self, way: Way, evidence: Evidence, plan: Plan) -> AsyncGenerator[AnswerEvent, None]:
        """A draft, unseen; then the draft itself where its model was sure of it, else the dearer option's answer."""
        assert way.choice is not None
        choice = way.choice
        yield Progress("draft", "started")
        draft = await self._draft(way, evidence, plan)
        unsure = escalation.is_unsure(draft)
        yield Progress("draft", "done", f"{plan.draft.model} was {'not sure' if unsure else 'sure'}")
        way.choice = escalation.taken(choice, plan, draft)
        if not unsure:
            yield TextDelta(draft.text)
            yield await self._shown_draft(way, draft)
            return
        try:
            async with aclosing(self.written(way, evidence, hedged=False)) as events:
                async for event in events:
                    yield event
        except ModelError as error:
            if way.text or not draft.text:
                raise
            log.warning("model_failed", question=way.question.id, model=plan.answer.model, kind=error.kind)
            way.choice = escalation.taken(choice, plan, draft, answered=False)
            yield TextDelta(draft.text)
            yield await self._shown_draft(way, draft)

    async def _closed(self, way: Way, evidence: Evidence, call: Call) -> AsyncGenerator[AnswerEvent, None]:
        """What comes behind the model's last word."""
        if not way.shown.strip():
            raise ModelAnswerUnusable(f"“{call.name}” answered with nothing. Ask again, or pick another model.")
        if call.model.failures:
            way.told.append(reasons.of_tries(call.name, call.model.failures))
        yield Progress("write", "done")
        unfound = call.prompt.strategy is StrategyName.RAG and is_offline(call.model.card) and not way.citations
        if unfound and not evidence.attached:
            told = await self._ending.told_of_search(way, evidence)
            yield TextDelta(f"\n\n{told.text}")
            yield await self._ending.declined(way, told)
            return
        yield await self._ending.finish(way, way.shown.strip(), "answered")

    async def _call(self, way: Way, evidence: Evidence) -> Call:
        """The chosen model's. Raises ContextTooLong where one with a larger window can read more, UnusableQuestion
        where none can read the question, ModelUnavailable where somebody else is trying whether it works again."""
        assert way.choice is not None
        option = way.choice.option
        card = self._models.card(option.model)
        try:
            prompt = self._prompting.prompt(way.question, evidence, option.strategy, card)
        except UnusableQuestion:
            if not await self._choosing.larger(way, evidence):
                raise
            raise _too_long(card) from None
        if is_crowded(prompt, evidence) and await self._choosing.larger(way, evidence):
            raise _too_long(card)
        return self._claimed(way.choice, prompt)

    def _claimed(self, choice: Choice, prompt: Prompt) -> Call:
        model = self._models.model(choice.option.model)
        if not self._models.breakers.claim(model.card):
            raise ModelUnavailable(self._models.breakers.broken([model.card])[model.card.name])
        return Call(choice, Tries(model), replace(prompt, doubtful=bool(choice.option.doubt)))

    async def _pieces(self, way: Way, evidence: Evidence, race: Race[Call], hedged: bool) -> AsyncGenerator[str, None]:
        def stream(call: Call) -> AsyncGenerator[str, None]:
            most = self._prompting.answer_tokens
            return self._gate.stream(
                way.question, call.model, call.prompt, max_tokens=most, tab=way.tab, purpose=way.purpose
            )

        async def rival() -> Call | None:
            return await self._rival(way, evidence)

        waits = hedged and self._hedge_after > 0 and not is_offline(race.first.model.card)
        pieces = race.run(stream, rival, self._hedge_after) if waits else stream(race.first)
        async with aclosing(pieces) as each:
            async for piece in each:
                yield piece

    async def _rival(self, way: Way, evidence: Evidence) -> Call | None:
        choice = await self._choosing.rival(way, evidence)
        if choice is None:
            return None
        option, card = choice.option, self._models.card(choice.option.model)
        try:
            prompt = self._prompting.prompt(way.question, evidence, option.strategy, card)
            return self._claimed(choice, prompt)
        except (ModelError, UnusableQuestion) as error:
            log.info("not_hedged", question=way.question.id, model=card.name, reason=str(error))
            return None

    def _heard(self, way: Way, race: Race[Call]) -> Citing:
        """Takes note of whose text is shown; it is that one's alone from here on."""
        spoke = race.spoke or race.first
        way.choice, way.tries = spoke.choice, len(spoke.model.failures) + 1
        way.examples = _ids(spoke.prompt)
        if race.second is not None:
            failed = race.failed[0].name if race.failed else ""
            way.told.append(reasons.of_hedge(race.first.name, race.second.name, self._hedge_after, spoke.name, failed))
            way.failed_models += [call.name for call in race.failed]
            if spoke is race.second and not failed:
                self._models.breakers.overtaken(race.first.model.card)
        return Citing(spoke.prompt)

    def _silent(self, way: Way, race: Race[Call]) -> None:
        """Takes note of how often the model was asked that failed, and whether a second one was in vain."""
        spoke = race.spoke or race.first
        way.tries = max(1, len(spoke.model.failures))
        if race.second is not None and race.spoke is None:
            way.told.append(reasons.of_hedge(race.first.name, race.second.name, self._hedge_after, ""))
            way.failed_models.append(race.second.name)

    async def _draft(self, way: Way, evidence: Evidence, plan: Plan) -> Draft:
        model = self._models.model(plan.draft.model)
        try:
            prompt = self._prompting.prompt(way.question, evidence, plan.draft.strategy, model.card)
        except UnusableQuestion as error:
            return escalation.no_draft(str(error))
        if not self._models.breakers.claim(model.card):
            return escalation.no_draft(self._models.breakers.broken([model.card])[model.card.name])
        way.examples = _ids(prompt)
        asked, most = replace(prompt, logprobs=True), self._prompting.answer_tokens
        draft = await drafted(self._gate, way.question, model, asked, max_tokens=most, tab=way.tab)
        if draft.failure:
            way.failed_models.append(model.card.name)
        return draft

    async def _shown_draft(self, way: Way, draft: Draft) -> Finished:
        way.text.append(draft.text)
        way.citations, way.cited = draft.citations, draft.cited
        return await self._ending.finish(way, draft.text, "answered")


def counted(number: int, noun: str) -> str:
    """ "1 passage", "2 passages"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _ids(prompt: Prompt) -> tuple[str, ...]:
    return tuple(example.id for example in prompt.examples)


def _too_long(card: ModelCard) -> ContextTooLong:
    return ContextTooLong(f"This is too long for “{card.name}”, which reads {card.context_window:,} tokens at most.")
