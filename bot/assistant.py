"""The way of a question: evidence, choice, prompt, model, answer, receipt."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import tracing
from bot.bases import Bases
from bot.choosing import Choosing, Fallback
from bot.circumstances import Surroundings
from bot.costs.budgets import Budgets
from bot.costs.ledger import Ledger
from bot.costs.prices import PriceBook
from bot.domain import (
    AnswerEvent,
    Choice,
    Evidence,
    Example,
    Failed,
    Progress,
    Prompt,
    Question,
    Receipt,
    StrategyName,
    TextDelta,
    Turn,
)
from bot.enclosing import Enclosing
from bot.ending import Ending
from bot.errors import ModelError, SwitchboardError
from bot.gate import Gate
from bot.learning.examples import Examples
from bot.learning.helpfulness import Helpfulness
from bot.learning.learning import Learning
from bot.models.cards import ModelCard
from bot.models.registry import Models
from bot.models.retry import Patience
from bot.observing import observed
from bot.prompting import Prompting
from bot.rewriting import Rewriter
from bot.selection import clarifying, escalation, reasons, wording
from bot.selection.channels import Channels
from bot.selection.data_rules import DataRules
from bot.selection.fine_tunes import FineTunes
from bot.selection.questions import Questions
from bot.selection.selector import Selector
from bot.selection.switches import Switches
from bot.selection.trials import Trials
from bot.storage.engine import reason
from bot.strategies.base import Strategy
from bot.way import Way
from bot.writing import Writing, counted
from knowledge.embedding.base import Embedder
from knowledge.errors import KnowledgeError
from knowledge.knowledge_base import KnowledgeBase
from knowledge.secrets import masking, warning

if TYPE_CHECKING:
    from bot.costs.metrics import Metrics

log = structlog.get_logger("bot.assistant")

EXAMPLES = 5


class Assistant:
    """Answers questions. Every surface goes through it: one gate for permissions, costs and receipts.

    `embedder` is the model on this machine, which examples and prompts are compared with, whatever model knowledge is
    searched with. `answer_tokens`: the longest answer; `history_tokens`: how much of the thread is remembered;
    `passages`: how many a question may use; `clarify`: whether a question is asked back where it is unclear what
    is meant; `escalate`: whether a cheap model drafts where the choice is unsure; `patience`: how often a model is
    tried (None: as a chat can bear); `learning` may choose otherwise than the selector (None: it never does);
    `fallback`: what steps in for a model that cannot answer (None: the selector's next best); `rewriters`: names of the
    models that make a follow-up question whole (empty: the cheapest); `budgets` keep out what they have no room for;
    `enclosing` reads the files that come with questions (None: they are passed over); `metrics` counts the questions;
    `links`: domains whose addresses may be links in answers.
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
        switches: Switches,
        trials: Trials,
        channels: Channels,
        data_rules: DataRules,
        examples: Examples,
        clock: Callable[[], datetime],
        answer_tokens: int,
        history_tokens: int,
        passages: int = 6,
        clarify: bool = False,
        escalate: bool = False,
        patience: Patience | None = None,
        learning: Learning | None = None,
        fallback: Fallback | None = None,
        rewriters: Sequence[str] = (),
        budgets: Budgets | None = None,
        enclosing: Enclosing | None = None,
        metrics: Metrics | None = None,
        links: Sequence[str] = (),
    ) -> None:
        self._knowledge = knowledge
        self._embedder = embedder
        self._models = models
        self._selector = selector
        self._rules = data_rules
        self._examples = examples
        self._passages = passages
        self._clarify = clarify
        self._escalate = escalate
        self._questions = Questions(engine)
        self._metrics = metrics
        self._bases = Bases(engine, knowledge)
        self._helpfulness = Helpfulness(engine, clock)
        self._fine_tunes = FineTunes(embedder)
        self._surroundings = Surroundings(engine, knowledge, learning)
        self._enclosing = enclosing
        fallback = fallback or Fallback()
        gate = Gate(ledger=ledger, prices=prices, clock=clock, patience=patience)
        self._rewriter = Rewriter(gate, models, prices, rewriters)
        self._prompting = Prompting(strategies, answer_tokens=answer_tokens, history_tokens=history_tokens, links=links)
        self._ending = Ending(self._questions, knowledge, examples, clock)
        self._choosing = Choosing(
            models=models,
            selector=selector,
            switches=switches,
            trials=trials,
            channels=channels,
            surroundings=self._surroundings,
            learning=learning,
            prompting=self._prompting,
            fallback=fallback,
            budgets=budgets or Budgets(engine),
            clock=clock,
        )
        self._writing = Writing(
            gate=gate,
            models=models,
            prompting=self._prompting,
            choosing=self._choosing,
            ending=self._ending,
            hedge_after=fallback.hedge_after,
        )

    async def answer(
        self, question: Question, *, given: Evidence | None = None, purpose: str = "answer"
    ) -> AsyncGenerator[AnswerEvent, None]:
        """The answer as events: Progress and TextDelta, then one Finished, Clarify or Failed.

        Closing it means that the person pressed stop: the model's call is cancelled and the receipt says so. Where the
        evidence is `given`, the question's own model and strategy answer from it or fail: nothing is searched, nothing
        is asked back, nobody steps in. `purpose`: what the ledger calls the answer.
        """
        answering = self._answer(Way(question, time.monotonic(), given=given, purpose=purpose))
        async with aclosing(observed(answering, question, purpose, self._metrics)) as events:
            async for event in events:
                yield event

    async def _answer(self, way: Way) -> AsyncGenerator[AnswerEvent, None]:
        question = way.question
        try:
            masked = masking().masked(wording.usable(question))
            way.question = replace(question, text=masked.text, history=_masked(question.history))
            way.about_secrets = warning(masked.kinds)
            await self._questions.keep(question)
            async with aclosing(self._answered(way)) as events:
                async for event in events:
                    yield event
        except (SwitchboardError, KnowledgeError) as error:
            yield await self._ending.fail(way, error)
        except DBAPIError as error:
            # Nothing can be kept now, so the reason alone is given.
            log.error("database_failed", question=question.id, problem=reason(error))
            sentence = (
                f"My database could not be read or written ({reason(error)}). Ask again when an admin has looked."
            )
            yield Failed(question.id, f"{sentence} (Reference {question.id})")
        except GeneratorExit:
            await self._ending.stop(way)
            raise

    async def receipt(self, question_id: str) -> Receipt | None:
        """How and why a question was answered; None where it is not known or not finished."""
        return await self._questions.receipt(question_id)

    async def asked(self, question_id: str) -> Question | None:
        """The question, without the thread."""
        return await self._questions.asked(question_id)

    async def answered(self, question_id: str) -> str | None:
        """The text of the answer."""
        return await self._questions.answered(question_id)

    async def note_answer_ts(self, question_id: str, ts: str) -> None:
        """Where the answer stands: Slack's id of its message."""
        await self._questions.note_answer_ts(question_id, ts)

    async def answer_ts(self, question_id: str) -> str | None:
        """Where the answer stands; None where it stands nowhere, or for one person alone."""
        return await self._questions.answer_ts(question_id)

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
        with tracing.span("search knowledge") as span:
            found = await self._knowledge.search(searched, scopes=scopes, k=self._passages)
            span.note({"switchboard.passages": len(found.passages)})
        passages = await self._helpfulness.ordered(found.passages, scopes)
        vector = found.vector
        if self._knowledge.embedder is not self._embedder:
            vector = await self._embedder.embed_query(searched)
        with tracing.span("search examples"):
            near = await self._examples.nearest(vector, scopes, EXAMPLES, leave_out=leave_out)
        return Evidence(
            passages=passages,
            examples=near.examples,
            near=near.near,
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
        return self._prompting.prompt(question, evidence, strategy, card)

    async def _answered(self, way: Way) -> AsyncGenerator[AnswerEvent, None]:
        if way.question.attachments and self._enclosing is not None:
            yield Progress("open", "started")
            way.enclosed = await self._enclosing.open(way.question, way.tab)
            way.about_files = way.enclosed.notes
            way.question = way.enclosed.asked(way.question)
            await self._questions.keep(way.question)
            yield Progress("open", "done", " ".join((way.enclosed.told, *way.enclosed.notes)).strip())
        yield Progress("search", "started")
        way.switched = await self._choosing.switched(way.question)
        way.barred = await self._rules.barred(way.question.place.channel)
        evidence = way.given or await self._evidence(way, way.switched.model)
        await self._bases.keep(way.question, evidence)
        if way.enclosed is not None:
            evidence = way.enclosed.before(evidence)
        yield Progress("search", "done", _found(evidence))
        yield Progress("choose", "started")
        with tracing.span("choose") as span:
            way.choice = await self._choosing.first(way, evidence)
            option = way.choice.option
            span.note({"switchboard.strategy": option.strategy.value, "switchboard.model": option.model})
        if not way.choice.option.available:
            yield Progress("choose", "done", way.choice.option.reason)
            declined = await self._ending.decline(way, evidence)
            yield TextDelta(declined.answer.text)
            yield declined
            return
        if self._clarify and way.asked_plainly and (offered := clarifying.topics(way.question, way.choice, evidence)):
            yield Progress("choose", "done", "Asking which is meant")
            asked = await self._ending.ask_back(way, offered)
            yield TextDelta(asked.sentence)
            yield asked
            return
        plan = escalation.planned(way.choice, way.staying) if self._escalate and way.asked_plainly else None
        while True:
            option = way.choice.option
            yield Progress("choose", "done", f"{reasons.NAMES[option.strategy]} with {option.model}")
            if plan is None:
                written = self._writing.written(way, evidence)
            else:
                written = self._writing.cascaded(way, evidence, plan)
            try:
                async with aclosing(written) as events:
                    async for event in events:
                        yield event
                return
            except ModelError as error:
                way.choice, plan = await self._choosing.stand_in(way, evidence, error), None
                yield Progress("choose", "started")

    async def _evidence(self, way: Way, model: str | None) -> Evidence:
        scopes = way.question.audience.scopes
        await self._rules.check_search(way.question.place.channel, self._knowledge.embedder.name)
        way.searched = await self._rewriter.search_text(way.question, model, way.tab, barred=way.barred)
        meant = way.question.meant
        if not meant:
            return await self.evidence(way.searched, scopes)
        way.searched = f"{way.searched} {meant}"
        found = await self.evidence(way.searched, scopes)
        return replace(found, passages=clarifying.led_by(found.passages, meant))


def _masked(history: Sequence[Turn]) -> tuple[Turn, ...]:
    return tuple(replace(turn, text=masking().text(turn.text)) for turn in history)


def _found(evidence: Evidence) -> str:
    parts = []
    if evidence.passages:
        documents = {passage.document_id for passage in evidence.passages}
        parts.append(f"{counted(len(evidence.passages), 'passage')} in {counted(len(documents), 'document')}")
    if evidence.examples:
        parts.append(counted(len(evidence.examples), "reviewed example"))
    return f"Found {' and '.join(parts)}" if parts else "Nothing found"
