"""All that answers questions, wired together without Slack: every command and every door opens the same core."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from bot.assistant import Assistant
from bot.config import Settings
from bot.conversations import Conversations
from bot.costs.ledger import Ledger
from bot.costs.prices import PriceBook
from bot.inbox import Inbox
from bot.learning.examples import Examples
from bot.learning.feedback import Feedback
from bot.lock import DataFolderLock
from bot.models.catalogue import load_catalogue
from bot.models.registry import Models
from bot.models.tokens import load_encodings
from bot.secrets import provider_keys
from bot.selection.pins import Pins
from bot.selection.selector import Selector
from bot.sources import Sources
from bot.storage.engine import open_engine, upgrade
from bot.strategies import STRATEGIES
from knowledge.knowledge_base import KnowledgeBase, open_knowledge

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
    prices: PriceBook
    ledger: Ledger
    pins: Pins
    examples: Examples
    feedback: Feedback
    conversations: Conversations
    inbox: Inbox
    assistant: Assistant


@asynccontextmanager
async def open_core(settings: Settings, *, clock: Clock = lambda: datetime.now(UTC)) -> AsyncIterator[Core]:
    """Opens the data folder, the database, the knowledge store and the models; closes them in reverse order.

    Raises AlreadyRunning, StorageError, ConfigError or knowledge's own errors, each a sentence for a person.
    """
    async with AsyncExitStack() as stack:
        lock = DataFolderLock(settings.data_dir)
        lock.acquire()
        stack.callback(lock.release)
        engine = open_engine(settings.database_url)
        stack.push_async_callback(engine.dispose)
        await upgrade(engine, "bot.storage:migrations", "alembic_version")
        await upgrade(engine, "knowledge:migrations", "knowledge_version")
        await asyncio.to_thread(load_encodings, settings.models_dir / "tiktoken")
        knowledge = await open_knowledge(
            engine=engine,
            data_dir=settings.data_dir,
            models_dir=settings.models_dir,
            sources=(),
        )
        stack.push_async_callback(knowledge.close)
        sources = Sources(engine, knowledge, settings, clock)
        stack.push_async_callback(sources.close)
        await sources.open()
        models = await _open_models(settings, knowledge)
        stack.push_async_callback(models.close)
        ledger = Ledger(engine)
        await ledger.recover()
        yield _assemble(settings, clock, engine, knowledge, sources, models, ledger)


async def _open_models(settings: Settings, knowledge: KnowledgeBase) -> Models:
    catalogue = load_catalogue(settings.models.cards)
    models = Models(
        catalogue,
        keys=provider_keys({name: provider.api_key_env for name, provider in catalogue.providers.items()}),
        embedder=knowledge.embedder,
        default=settings.models.default,
    )
    await models.discover()
    return models


def _assemble(
    settings: Settings,
    clock: Clock,
    engine: AsyncEngine,
    knowledge: KnowledgeBase,
    sources: Sources,
    models: Models,
    ledger: Ledger,
) -> Core:
    prices = PriceBook()
    pins = Pins(engine)
    examples = Examples(engine, knowledge.embedder)
    assistant = Assistant(
        engine=engine,
        knowledge=knowledge,
        models=models,
        selector=Selector(
            cost_weight=settings.selection.cost_weight,
            latency_weight=settings.selection.latency_weight,
            prices=prices,
        ),
        strategies=STRATEGIES,
        prices=prices,
        ledger=ledger,
        pins=pins,
        examples=examples,
        clock=clock,
        answer_tokens=settings.answers.max_tokens,
        history_tokens=settings.answers.history_tokens,
        passages=settings.knowledge.passages,
        default_model=settings.models.default,
    )
    return Core(
        settings=settings,
        clock=clock,
        engine=engine,
        knowledge=knowledge,
        sources=sources,
        models=models,
        prices=prices,
        ledger=ledger,
        pins=pins,
        examples=examples,
        feedback=Feedback(engine),
        conversations=Conversations(engine),
        inbox=Inbox(engine),
        assistant=assistant,
    )
