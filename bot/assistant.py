"""The way of a question: evidence, choice, prompt, model, answer, receipt."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.affording import afforded
from bot.circumstances import Surroundings
from bot.conversations import cut
from bot.costs.budgets import Budgets, Spender
from bot.costs.ledger import Ledger
from bot.costs.prices import PriceBook
from bot.declining import Declined, declined, told_of_search
from bot.domain import (
    Answer,
    AnswerEvent,
    Choice,
    Citation,
    Clarify,
    Evidence,
    Example,
    Failed,
    Finished,
    Pin,
    Progress,
    Prompt,
    Question,
    Receipt,
    StrategyName,
    TextDelta,
)
from bot.drafting import drafted
from bot.errors import ModelAnswerUnusable, ModelError, OverBudget, SwitchboardError, UnusableQuestion
from bot.gate import Gate, Tab
from bot.learning.examples import Examples
from bot.learning.learning import Learning
from bot.models.cards import ModelCard
from bot.models.registry import Models
from bot.models.retry import Patience
from bot.models.tokens import count_tokens
from bot.rewriting import Rewriter
from bot.selection import clarifying, escalation, reasons, wording
from bot.selection.channels import Channels
from bot.selection.data_rules import DataRules
from bot.selection.escalation import Draft, Plan
from bot.selection.estimates import is_offline
from bot.selection.fine_tunes import FineTunes
from bot.selection.guards import OWN_AFFAIRS
from bot.selection.pins import Pins
from bot.selection.questions import Questions
from bot.selection.room import Room
from bot.selection.selector import Selector
from bot.storage.engine import reason
from bot.strategies.base import Strategy
from bot.strategies.citing import Citing
from knowledge.embedding.base import Embedder
from knowledge.errors import KnowledgeError
from knowledge.knowledge_base import KnowledgeBase

log = structlog.get_logger("bot.assistant")

EXAMPLES = 4
SPARE_TOKENS = 200
"""Left free in the context window: tokenizers of unknown models count a little differently."""
STOPPED = "stopped"


@dataclass(slots=True)
class _Way:
    """How far one question has come."""

    question: Question
    started: float
    searched: str = ""
    barred: frozenset[str] = frozenset()
    choice: Choice | None = None
    tab: Tab = field(default_factory=Tab)
    text: list[str] = field(default_factory=list)
    citations: tuple[Citation, ...] = ()
    failed_models: list[str] = field(default_factory=list)
    fallback: str = ""
    closed: set[str] = field(default_factory=set)
    note: str = ""
    is_done: bool = False

    @property
    def shown(self) -> str:
        """The answer so far, as it was streamed."""
        return "".join(self.text)


class Assistant:
    """Answers questions. Every surface goes through it: one gate for permissions, costs and receipts.

    `embedder` is the model on this machine, which examples and prompts are compared with, whatever model knowledge is
    searched with. `answer_tokens`: the longest answer; `history_tokens`: how much of the thread is remembered;
    `passages`: how many a question may use; `default_model`: the only model that answers where nobody pinned one, or
    "auto"; `clarify`: whether a question is asked back where it is unclear what is meant; `escalate`: whether
    a cheap model drafts where the choice is unsure; `patience`: how often a
    model is tried (None: as a chat can bear); `learning` may choose otherwise than the selector (None: it never does);
    `budgets` keep out what they have no room for.
    """

    def __init__(
        self,
        *,
        engine: AsyncEngine,
        knowledge: KnowledgeBase,
        embedder: Embedder,
        models: Models,
        selector: Selector,
        strategies: Mapping[StrategyName, Strategy],
        prices: PriceBook,
        ledger: Ledger,
        pins: Pins,
        channels: Channels,
        data_rules: DataRules,
        examples: Examples,
        clock: Callable[[], datetime],
        answer_tokens: int,
        history_tokens: int,
        passages: int = 6,
        default_model: str = "auto",
        clarify: bool = False,
        escalate: bool = False,
        patience: Patience | None = None,
        learning: Learning | None = None,
        budgets: Budgets | None = None,
    ) -> None:
        self._knowledge = knowledge
        self._embedder = embedder
        self._models = models
        self._selector = selector
        self._strategies = strategies
        self._pins = pins
        self._channels = channels
        self._rules = data_rules
        self._examples = examples
        self._clock = clock
        self._answer_tokens = answer_tokens
        self._history_tokens = history_tokens
        self._passages = passages
        self._default_model = default_model
        self._clarify = clarify
        self._escalate = escalate
        self._gate = Gate(ledger=ledger, prices=prices, clock=clock, patience=patience)
        self._rewriter = Rewriter(self._gate, models, prices)
        self._questions = Questions(engine)
        self._fine_tunes = FineTunes(embedder)
        self._surroundings = Surroundings(engine, knowledge, learning)
        self._learning = learning
        self._budgets = budgets or Budgets(engine)

    async def answer(self, question: Question) -> AsyncGenerator[AnswerEvent, None]:
        """The answer as events: Progress and TextDelta, then one Finished, Clarify or Failed.

        Closing it means that the person pressed stop: the model's call is cancelled and the receipt says so.
        """
        way = _Way(question, time.monotonic())
        try:
            way.question = replace(question, text=wording.usable(question))
            await self._questions.keep(question)
            async with aclosing(self._answered(way)) as events:
                async for event in events:
                    yield event
        except (SwitchboardError, KnowledgeError) as error:
            yield await self._failed(way, error)
        except DBAPIError as error:
            # Nothing can be kept now, so the reason alone is given.
            log.error("database_failed", question=question.id, reason=reason(error))
            sentence = (
                f"My database could not be read or written ({reason(error)}). Ask again when an admin has looked."
            )
            yield Failed(question.id, f"{sentence} (Reference {question.id})")
        except GeneratorExit:
            if way.choice is not None and not way.is_done:
                await self._finish(way, way.shown, STOPPED)
            raise

    async def receipt(self, question_id: str) -> Receipt | None:
        """How and why a question was answered; None where it is not known or not finished."""
        return await self._questions.receipt(question_id)

    async def asked(self, question_id: str) -> Question | None:
        """The question, without the thread and the files that came with it."""
        return await self._questions.asked(question_id)

    async def answered(self, question_id: str) -> str | None:
        """The text of the answer."""
        return await self._questions.answered(question_id)

    async def note_answer_ts(self, question_id: str, ts: str) -> None:
        """Where the answer stands: Slack's id of its message."""
        await self._questions.note_answer_ts(question_id, ts)

    @property
    def embedder(self) -> Embedder:
        """The embedding model on this machine."""
        return self._embedder

    async def evidence(
        self, searched: str, scopes: frozenset[str], *, leave_out: Callable[[Example], bool] | None = None
    ) -> Evidence:
        """What an audience with `scopes` may read about the words that are searched.

        Examples that `leave_out` is true of are passed over, which an evaluation needs: a question must not be answered
        from its own reviewed answer.
        """
        found = await self._knowledge.search(searched, scopes=scopes, k=self._passages)
        vector = found.vector
        if self._knowledge.embedder is not self._embedder:
            vector = await self._embedder.embed_query(searched)
        near = await self._examples.nearest(vector, scopes, EXAMPLES, leave_out=leave_out)
        return Evidence(
            passages=found.passages,
            examples=near.examples,
            coverage=found.coverage,
            agreement=found.agreement,
            probability=found.probability,
            signs=found.signs,
            comparable=self._knowledge.embedder is self._embedder,
            example_lead=near.lead,
            vote_purity=near.purity,
            fine_tuned=await self._fine_tunes.similarities(vector, self._models.usable()),
        )

    async def weighed(self, question: Question, evidence: Evidence, cards: Sequence[ModelCard]) -> Choice:
        """What the selector would choose among these models where nobody pinned anything."""
        return self._selector.choose(question, evidence, cards, (), await self._surroundings.now())

    def prompt(self, question: Question, evidence: Evidence, strategy: StrategyName, card: ModelCard) -> Prompt:
        """What the model is sent. Raises UnusableQuestion where the question is too long for it."""
        history = cut(question.history, self._history_tokens, lambda text: count_tokens(text, card.model_id).tokens)
        answer = min(self._answer_tokens + card.thinking_tokens, card.max_output)
        budget = card.context_window - answer - SPARE_TOKENS
        return self._strategies[strategy].prompt(question, evidence, history, budget=budget)

    async def _answered(self, way: _Way) -> AsyncGenerator[AnswerEvent, None]:
        yield Progress("search", "started")
        evidence = await self._evidence(way)
        yield Progress("search", "done", _found(evidence))
        while True:
            yield Progress("choose", "started")
            choice = way.choice = await self._choose(way, evidence)
            option = choice.option
            if not option.available:
                yield Progress("choose", "done", option.reason)
                declined = await self._declined(way, evidence)
                yield TextDelta(declined.answer.text)
                yield declined
                return
            asks_back = self._clarify and not way.failed_models
            if asks_back and (offered := clarifying.topics(way.question, choice, evidence)):
                yield Progress("choose", "done", "Asking which is meant")
                asked = await self._asked_back(way, offered)
                yield TextDelta(asked.sentence)
                yield asked
                return
            yield Progress("choose", "done", f"{reasons.NAMES[option.strategy]} with {option.model}")
            unasked = self._escalate and not way.failed_models
            plan = escalation.planned(choice, way.barred) if unasked else None
            written = self._written(way, evidence) if plan is None else self._cascaded(way, evidence, plan)
            try:
                async with aclosing(written) as events:
                    async for event in events:
                        yield event
                return
            except ModelError as error:
                failed = way.choice.option.model
                if not self._may_fall_back(way, evidence, error) or failed in way.closed:
                    raise
                if isinstance(error, OverBudget):
                    way.closed.add(failed)
                    continue
                log.warning("model_failed", question=way.question.id, model=failed, kind=error.kind)
                way.failed_models.append(failed)
                way.fallback = reasons.of_fallback(failed, str(error))

    async def _evidence(self, way: _Way) -> Evidence:
        scopes = way.question.audience.scopes
        channel = way.question.place.channel
        pinned = next((pin.model for pin in await self._pins_of(way.question) if pin.model), None)
        way.barred = await self._rules.barred(channel)
        await self._rules.check_search(channel, self._knowledge.embedder.name)
        way.searched = await self._rewriter.search_text(way.question, pinned, way.tab, barred=way.barred)
        meant = way.question.meant
        if not meant:
            return await self.evidence(way.searched, scopes)
        way.searched = f"{way.searched} {meant}"
        found = await self.evidence(way.searched, scopes)
        return replace(found, passages=clarifying.led_by(found.passages, meant))

    async def _choose(self, way: _Way, evidence: Evidence) -> Choice:
        pins = await self._pins_of(way.question)
        cards = [card for card in self._models.usable() if card.name not in way.failed_models]
        value = (await self._channels.of(way.question.place.channel)).value
        known = await self._surroundings.now(value, way.barred, room=await self._room(way))
        choice, way.note = afforded(self._selector, way.question, evidence, cards, pins, known)
        if self._learning is not None:
            choice = await self._learning.decide(choice, way.question.id, pins)
        before = (way.fallback,) if way.fallback else ()
        after = [reasons.of_search(way.searched)] if wording.leans(way.question) else []
        after += [clarifying.of_answer(way.question.meant)] if way.question.meant else []
        return replace(choice, reasons=(*before, *choice.reasons, *after))

    async def _room(self, way: _Way) -> Room | None:
        spender = Spender(channel=way.question.place.channel, person=way.question.asker, purpose="answer")
        standings = await self._budgets.for_spender(spender, self._clock())
        return Room.left_by(
            standings,
            answer_tokens=self._answer_tokens,
            history_tokens=self._history_tokens,
            zone=self._budgets.zone,
            closed=way.closed,
        )

    async def _pins_of(self, question: Question) -> tuple[Pin, ...]:
        """The pins, with models by the names of their cards. Raises where a pinned model cannot be called."""
        pins = await self._pins.of(question)
        if self._default_model != "auto" and not any(pin.model for pin in pins):
            usable = {card.name for card in self._models.usable()} - await self._rules.barred(question.place.channel)
            name = self._models.card(self._default_model).name
            pins += (Pin(scope=reasons.CONFIGURED, model=name),) if name in usable else ()
        strongest = next((pin for pin in pins if pin.model), None)
        if strongest is None or strongest.model is None:
            return pins
        card = self._models.model(strongest.model).card
        await self._rules.check(question.place.channel, card)
        return tuple(replace(pin, model=card.name) if pin is strongest else pin for pin in pins)

    def _may_fall_back(self, way: _Way, evidence: Evidence, error: ModelError) -> bool:
        """Whether another model may step in: nobody pinned this one, or it cannot be paid; nothing was shown, and
        another has a chance."""
        assert way.choice is not None
        if way.text or (any(pin.model for pin in way.choice.pins) and not isinstance(error, OverBudget)):
            return False
        out = {*way.failed_models, way.choice.option.model, *way.barred}
        left = [card for card in self._models.usable() if card.name not in out]
        return any(evidence.passages or not is_offline(card) for card in left)

    async def _written(self, way: _Way, evidence: Evidence) -> AsyncGenerator[AnswerEvent, None]:
        assert way.choice is not None
        option = way.choice.option
        model = self._models.model(option.model)
        prompt = self.prompt(way.question, evidence, option.strategy, model.card)
        if prompt.passages:
            yield Progress("read", "started")
            yield Progress("read", "done", _counted(len(prompt.passages), "passage"))
        yield Progress("write", "started")
        citing = Citing(prompt)
        stream = self._gate.stream(way.question, model, prompt, max_tokens=self._answer_tokens, tab=way.tab)
        async with aclosing(stream) as pieces:
            async for piece in pieces:
                if shown := citing.feed(piece):
                    way.text.append(shown)
                    way.citations = citing.citations
                    yield TextDelta(shown)
        if rest := citing.close():
            way.text.append(rest)
            yield TextDelta(rest)
        way.citations = citing.citations
        if not way.shown.strip():
            raise ModelAnswerUnusable(f"“{option.model}” answered with nothing. Ask again, or pick another model.")
        yield Progress("write", "done")
        if option.strategy is StrategyName.RAG and is_offline(model.card) and not way.citations:
            sources = await self._knowledge.sources_for(way.question.audience.scopes)
            told = told_of_search(way.question, way.searched, evidence, sources)
            yield TextDelta(f"\n\n{told.text}")
            yield await self._finish_declined(way, told)
            return
        yield await self._finish(way, way.shown.strip(), "answered")

    async def _cascaded(self, way: _Way, evidence: Evidence, plan: Plan) -> AsyncGenerator[AnswerEvent, None]:
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
            async with aclosing(self._written(way, evidence)) as events:
                async for event in events:
                    yield event
        except ModelError as error:
            if way.text or not draft.text:
                raise
            log.warning("model_failed", question=way.question.id, model=plan.answer.model, kind=error.kind)
            way.choice = escalation.taken(choice, plan, draft, answered=False)
            yield TextDelta(draft.text)
            yield await self._shown_draft(way, draft)

    async def _draft(self, way: _Way, evidence: Evidence, plan: Plan) -> Draft:
        model = self._models.model(plan.draft.model)
        try:
            prompt = self.prompt(way.question, evidence, plan.draft.strategy, model.card)
        except UnusableQuestion as error:
            return escalation.no_draft(str(error))
        asked = replace(prompt, logprobs=True)
        draft = await drafted(self._gate, way.question, model, asked, max_tokens=self._answer_tokens, tab=way.tab)
        if draft.failure:
            way.failed_models.append(model.card.name)
        return draft

    async def _shown_draft(self, way: _Way, draft: Draft) -> Finished:
        way.text.append(draft.text)
        way.citations = draft.citations
        return await self._finish(way, draft.text, "answered")

    async def _declined(self, way: _Way, evidence: Evidence) -> Finished:
        assert way.choice is not None
        sources = await self._knowledge.sources_for(way.question.audience.scopes)
        if OWN_AFFAIRS in way.choice.guards:
            way.choice = replace(way.choice, reasons=(*way.choice.reasons, OWN_AFFAIRS))
        return await self._finish_declined(way, declined(way.question, way.searched, evidence, sources))

    async def _finish_declined(self, way: _Way, said: Declined) -> Finished:
        way.text.append(f"\n\n{said.text}")
        way.citations = said.citations
        finished = await self._finish(way, way.shown.strip(), "nothing_found")
        return Finished(replace(finished.answer, ask=said.ask))

    async def _asked_back(self, way: _Way, offered: tuple[str, ...]) -> Clarify:
        assert way.choice is not None
        way.choice = replace(way.choice, reasons=(clarifying.of_asking(offered), *way.choice.reasons))
        sentence = clarifying.sentence(offered)
        await self._finish(way, sentence, "asked_back")
        return Clarify(way.question.id, sentence, offered)

    async def _finish(self, way: _Way, text: str, outcome: str) -> Finished:
        receipt = self._receipt(way, outcome)
        assert receipt is not None
        await self._questions.finish(way.question.id, text, receipt)
        way.is_done = True
        log.info("question_done", question=way.question.id, outcome=outcome, seconds=round(receipt.seconds, 3))
        answer = Answer(question_id=way.question.id, text=text, citations=way.citations, receipt=receipt, note=way.note)
        return Finished(answer)

    async def _failed(self, way: _Way, error: SwitchboardError | KnowledgeError) -> Failed:
        question_id = way.question.id
        kind = error.kind if isinstance(error, ModelError) else "failed"
        log.warning("question_failed", question=question_id, kind=type(error).__name__, reason=str(error))
        receipt = self._receipt(way, kind)
        if receipt is not None:
            await self._questions.finish(question_id, way.shown or None, receipt)
        ask = error.set_by if isinstance(error, OverBudget) else ""
        return Failed(question_id, f"{error} (Reference {question_id})", receipt, ask or None)

    def _receipt(self, way: _Way, outcome: str) -> Receipt | None:
        """None before anything was chosen."""
        if way.choice is None:
            return None
        return Receipt(
            question_id=way.question.id,
            choice=way.choice,
            citations=way.citations,
            usage=way.tab.usage,
            price=way.tab.price,
            seconds=time.monotonic() - way.started,
            outcome=outcome,
            created_at=self._clock(),
        )


def _found(evidence: Evidence) -> str:
    parts = []
    if evidence.passages:
        documents = {passage.document_id for passage in evidence.passages}
        parts.append(f"{_counted(len(evidence.passages), 'passage')} in {_counted(len(documents), 'document')}")
    if evidence.examples:
        parts.append(_counted(len(evidence.examples), "reviewed example"))
    return f"Found {' and '.join(parts)}" if parts else "Nothing found"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
