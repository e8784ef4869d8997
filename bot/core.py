"""All that answers questions, wired together without Slack: every command and every door opens the same core."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy.ext.asyncio import AsyncEngine

from bot.assistant import Assistant
from bot.bases import Bases
from bot.choosing import Fallback
from bot.config import LOCAL, Settings
from bot.conversations import Conversations
from bot.costs.budgets import Budgets
from bot.costs.ledger import Ledger
from bot.costs.prices import PriceBook
from bot.drawing import Drawing
from bot.embedder import EndpointEmbedder
from bot.enclosing import Enclosing
from bot.errors import ModelError
from bot.explanations import Explanations
from bot.gate import Gate
from bot.hearing import Hearing
from bot.inbox import Inbox
from bot.learning.alternatives import Alternatives
from bot.learning.asked_again import AskedAgain
from bot.learning.checking import CheckingExamples
from bot.learning.comparisons import Comparisons
from bot.learning.examples import Examples
from bot.learning.feedback import Feedback
from bot.learning.flagging import Flagging
from bot.learning.golden_questions import GoldenQuestions
from bot.learning.labels import Labels
from bot.learning.learning import Learning
from bot.learning.marks import Marks
from bot.limits import Limits
from bot.lock import DataFolderLock
from bot.models.breakers import WINDOW_SECONDS, Breakers
from bot.models.catalogue import load_catalogue
from bot.models.chains import check_chains
from bot.models.lifecycle import Lifecycle
from bot.models.registry import Models
from bot.models.tokens import load_encodings
from bot.models.tuned import read_tuned
from bot.people.coverage import Coverage
from bot.people.hand_offs import HandOffs
from bot.people.owners import Owners
from bot.recall.notes import Recalls
from bot.recall.noticing import Noticing
from bot.recall.showing import Showing
from bot.replies import Replies
from bot.secrets import chroma_server, provider_keys
from bot.selection.allow_lists import AllowLists
from bot.selection.channels import Channels
from bot.selection.data_rules import DataRules
from bot.selection.pins import Pins
from bot.selection.rollouts import Rollouts
from bot.selection.selector import Selector
from bot.selection.switches import Switches
from bot.selection.trials import Trials
from bot.selection.value import Value
from bot.sources import Sources
from bot.storage.engine import open_engine, open_vital, upgrade
from bot.strategies import STRATEGIES
from bot.worker import Worker
from knowledge.embedding.base import Embedder
from knowledge.embedding.minilm import MiniLM
from knowledge.knowledge_base import KnowledgeBase, open_knowledge
from knowledge.secrets import Masking, use

if TYPE_CHECKING:
    from bot.costs.metrics import Metrics

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Core:
    """The opened parts; they are closed by `open_core`."""

    settings: Settings
    clock: Clock
    engine: AsyncEngine
    knowledge: KnowledgeBase
    sources: Sources
    models: Models
    lifecycle: Lifecycle
    prices: PriceBook
    ledger: Ledger
    budgets: Budgets
    metrics: Metrics | None
    pins: Pins
    allow_lists: AllowLists
    trials: Trials
    rollouts: Rollouts
    switches: Switches
    channels: Channels
    data_rules: DataRules
    examples: Examples
    checking_examples: CheckingExamples
    golden: GoldenQuestions
    marks: Marks
    feedback: Feedback
    labels: Labels
    asked_again: AskedAgain
    learning: Learning
    alternatives: Alternatives
    comparisons: Comparisons
    explanations: Explanations
    bases: Bases
    conversations: Conversations
    inbox: Inbox
    limits: Limits
    replies: Replies
    noticing: Noticing
    owners: Owners
    hand_offs: HandOffs
    coverage: Coverage
    recalls: Recalls
    showing: Showing
    enclosing: Enclosing
    drawing: Drawing
    assistant: Assistant


@asynccontextmanager
async def open_core(
    settings: Settings, *, clock: Clock = lambda: datetime.now(UTC), metrics: Metrics | None = None
) -> AsyncIterator[Core]:
    """Opens the data folder, the database, the knowledge store and the models; closes them in reverse order.

    Raises AlreadyRunning, StorageError, ConfigError or knowledge's own errors, each a sentence for a person.
    """
    use(Masking(personal=settings.privacy.personal_data == "mask"))
    async with AsyncExitStack() as stack:
        if settings.database_url.startswith("sqlite"):  # else each process has a folder of its own in it
            lock = DataFolderLock(settings.data_dir)
            lock.acquire()
            stack.callback(lock.release)
        engine = open_engine(settings.database_url)
        stack.push_async_callback(engine.dispose)
        await upgrade(engine, "bot.storage:migrations", "alembic_version")
        await upgrade(engine, "knowledge:migrations", "knowledge_version")
        await asyncio.to_thread(load_encodings, settings.models_dir / "tiktoken")
        local = await asyncio.to_thread(MiniLM, settings.models_dir)
        stack.push_async_callback(local.close)
        models = await _open_models(settings, engine, local, clock)
        stack.push_async_callback(models.close)
        models.told_shutdowns(await Lifecycle(engine).told(models.catalogue))
        budgets = Budgets(engine, settings.report.zone)
        vital = open_vital(settings.database_url, engine)
        stack.push_async_callback(vital.dispose)
        worker = Worker(vital, alone=engine.dialect.name == "sqlite")
        await worker.start()
        stack.push_async_callback(worker.close)
        inbox = Inbox(vital, worker=worker)
        ledger = Ledger(engine, clock, budgets, metrics, worker)
        stack.push_async_callback(ledger.catch_up)
        await ledger.recover()
        recent = await ledger.rows(clock() - timedelta(seconds=WINDOW_SECONDS), clock())
        models.breakers.recall((row.provider, row.model, row.outcome, row.started_at) for row in recent)
        endpoints = _Endpoints(models, Gate(ledger=ledger, prices=PriceBook(), clock=clock), local)
        wanted = settings.knowledge.embedding
        knowledge = await open_knowledge(
            engine=engine,
            data_dir=settings.data_dir,
            embedder=local if wanted == LOCAL else endpoints.embedder(wanted),
            others=lambda: [local, *endpoints.usable()],
            sources=(),
            chroma=chroma_server(settings.knowledge.chroma),
        )
        stack.push_async_callback(knowledge.close)
        sources = Sources(engine, knowledge, settings, clock)
        stack.push_async_callback(sources.close)
        await sources.open()
        yield _assemble(
            settings,
            clock,
            engine,
            local,
            knowledge,
            sources,
            models,
            ledger,
            budgets,
            metrics,
            inbox,
        )


@dataclass(frozen=True, slots=True)
class _Endpoints:
    """Embedding models behind endpoints. `local` counts tokens for them."""

    models: Models
    gate: Gate
    local: Embedder

    def embedder(self, name: str) -> Embedder:
        """The one of that name. Raises UnknownModel, or the ModelError that says why it cannot be used."""
        return EndpointEmbedder(self.models.embedding(name), self.gate, self.local)

    def usable(self) -> list[Embedder]:
        """All that can be used now."""
        found: list[Embedder] = []
        for card in self.models.catalogue.cards:
            if card.task == "embedding":
                with suppress(ModelError):
                    found.append(self.embedder(card.name))
        return found


async def _open_models(settings: Settings, engine: AsyncEngine, local: Embedder, clock: Clock) -> Models:
    catalogue = load_catalogue(settings.models.cards, settings.costs.currencies)
    models = Models(
        catalogue,
        keys=provider_keys({name: provider.api_key_env for name, provider in catalogue.providers.items()}),
        embedder=local,
        default=settings.models.default,
        breakers=Breakers(clock=clock, zone=settings.report.zone),
    )
    await read_tuned(models, engine)
    check_chains(models.catalogue, settings.models.chains)
    await models.discover()
    return models


def _assemble(
    settings: Settings,
    clock: Clock,
    engine: AsyncEngine,
    local: Embedder,
    knowledge: KnowledgeBase,
    sources: Sources,
    models: Models,
    ledger: Ledger,
    budgets: Budgets,
    metrics: Metrics | None,
    inbox: Inbox,
) -> Core:
    prices = PriceBook()
    pins = Pins(engine, clock)
    allow_lists = AllowLists(engine, clock)
    trials = Trials(engine, clock)
    value = Value(settings.selection.value)
    channels = Channels(engine, clock, value=value, stay_local=settings.selection.stay_local)
    data_rules = DataRules(channels, models, allow_lists)
    switches = Switches(pins, trials, data_rules, models, settings.models.default)
    learning = Learning(
        engine,
        clock,
        cost_weight=value.cost_weight,
        latency_weight=value.latency_weight,
        off=not settings.selection.learning,
        usable=models.usable,
    )
    bases = Bases(engine, knowledge)
    examples = Examples(engine, local, bases, clock, settings.report.zone)
    golden = GoldenQuestions(engine, clock)
    chains = settings.models.chains
    labels = Labels(engine, clock)
    alternatives = Alternatives(engine, labels, clock)
    gate = Gate(ledger=ledger, prices=prices, clock=clock)
    enclosing = Enclosing(Hearing(gate, models, data_rules, settings.models.transcription), local)
    assistant = Assistant(
        engine=engine,
        knowledge=knowledge,
        embedder=local,
        models=models,
        selector=Selector(prices=prices, value=value),
        strategies=STRATEGIES,
        prices=prices,
        ledger=ledger,
        switches=switches,
        trials=trials,
        channels=channels,
        data_rules=data_rules,
        examples=examples,
        clock=clock,
        answer_tokens=settings.answers.max_tokens,
        history_tokens=settings.answers.history_tokens,
        passages=settings.knowledge.passages,
        clarify=settings.selection.clarify,
        escalate=settings.selection.escalate,
        learning=learning,
        rewriters=chains.rewrite,
        fallback=Fallback(answer=chains.answer, vision=chains.vision, hedge_after=settings.models.hedge_after),
        budgets=budgets,
        enclosing=enclosing,
        metrics=metrics,
        links=settings.answers.links,
    )
    owners = Owners(engine, clock, settings.knowledge.owners)
    hours, zone = settings.people.follow_up_hours, settings.report.zone
    hand_offs = HandOffs(engine, inbox.worker, clock, hours=hours, zone=zone)
    return Core(
        settings=settings,
        clock=clock,
        engine=engine,
        knowledge=knowledge,
        sources=sources,
        models=models,
        lifecycle=Lifecycle(engine),
        prices=prices,
        ledger=ledger,
        budgets=budgets,
        metrics=metrics,
        pins=pins,
        allow_lists=allow_lists,
        trials=trials,
        rollouts=Rollouts(engine, clock),
        switches=switches,
        channels=channels,
        data_rules=data_rules,
        examples=examples,
        checking_examples=CheckingExamples(engine, knowledge, examples, local, clock),
        golden=golden,
        marks=Marks(engine, inbox.worker, clock, examples, golden),
        feedback=Feedback(engine),
        labels=labels,
        asked_again=AskedAgain(engine, labels),
        learning=learning,
        alternatives=alternatives,
        comparisons=Comparisons(engine, labels, clock),
        explanations=Explanations(engine, ledger, alternatives),
        bases=bases,
        conversations=Conversations(engine, bases),
        limits=Limits(engine, clock, person=settings.limits.person, channel=settings.limits.channel),
        inbox=inbox,
        replies=Replies(engine),
        noticing=Noticing(
            engine,
            knowledge,
            clock,
            age=timedelta(days=settings.recall.days),
            flag=Flagging(engine, examples, golden).answer,
        ),
        recalls=Recalls(engine, inbox.worker, clock, per_day=settings.recall.per_day, zone=settings.report.zone),
        owners=owners,
        hand_offs=hand_offs,
        coverage=Coverage(engine, local, owners, hand_offs),
        showing=Showing(knowledge, bases),
        enclosing=enclosing,
        drawing=Drawing(gate, models, data_rules, settings.models.image),
        assistant=assistant,
    )
