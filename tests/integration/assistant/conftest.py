"""A whole assistant over real knowledge, real databases and a real model server."""

from __future__ import annotations

import itertools
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from model_server import ModelServer
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.assistant import Assistant
from bot.bases import Bases
from bot.costs.ledger import Ledger
from bot.costs.prices import PriceBook
from bot.domain import (
    Answer,
    AnswerEvent,
    Attachment,
    Audience,
    Failed,
    Finished,
    Place,
    PlaceKind,
    Question,
    TextDelta,
)
from bot.drawing import Drawing
from bot.enclosing import Enclosing
from bot.errors import FileUnread
from bot.gate import Gate
from bot.hearing import Hearing
from bot.learning.examples import Examples
from bot.models.breakers import Breakers
from bot.models.cards import ModelCard
from bot.models.catalogue import OFFLINE, Catalogue, Provider, load_catalogue
from bot.models.registry import Models
from bot.models.retry import Patience
from bot.selection.allow_lists import AllowLists
from bot.selection.channels import Channels
from bot.selection.data_rules import DataRules
from bot.selection.pins import Pins
from bot.selection.selector import Selector
from bot.selection.switches import Switches
from bot.selection.trials import Trials
from bot.storage.cost_tables import ledger
from bot.strategies import STRATEGIES
from knowledge.embedding.minilm import MiniLM
from knowledge.knowledge_base import KnowledgeBase, open_knowledge
from knowledge.sources.folder import FolderSource

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
ROLLBACK = """# Deploying

## Rollback

To roll back a deployment, run `robotctl rollback --to previous` on the release host.
A rollback takes about four minutes and needs the role of release manager.

## Canary

A canary release sends five percent of the traffic to the new version for one hour.
"""
SALARIES = """# Salaries

The salary band of level 4 engineers is between 71,000 and 83,000 euros a year.
"""


@pytest.fixture
def database(sqlite_engine: AsyncEngine) -> AsyncEngine:
    """SQLite with the bot's and the knowledge's tables."""
    return sqlite_engine


@pytest.fixture
async def knowledge(database: AsyncEngine, tmp_path: Path, models_dir: Path) -> AsyncIterator[KnowledgeBase]:
    """A page for everyone and one for the members of G0FIN."""
    for name, text in (("handbook", ROLLBACK), ("finance", SALARIES)):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.md").write_text(text, encoding="utf-8")
    sources = [
        FolderSource(name="handbook", path=tmp_path / "handbook", link_base="https://docs.example"),
        FolderSource(name="finance", path=tmp_path / "finance", readers=frozenset({"channel:G0FIN"})),
    ]
    opened = await open_knowledge(engine=database, data_dir=tmp_path, embedder=MiniLM(models_dir), sources=sources)
    await opened.refresh()
    yield opened
    await opened.close()


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer() as running:
        yield running


@pytest.fixture
async def second_server() -> AsyncIterator[ModelServer]:
    async with ModelServer() as running:
        yield running


def _hosted(name: str, url: str, **fields: Any) -> tuple[Provider, ModelCard]:
    rates = {"input": "1", "output": "10"}
    card = {"name": name, "provider": f"{name}-house", "context_window": 8192, "rates": rates, **fields}
    return Provider(name=f"{name}-house", base_url=url, local=True), ModelCard.model_validate(card)


@pytest.fixture
def hosted() -> Callable[..., tuple[Provider, ModelCard]]:
    """Makes a provider at an address and its one model; takes its name, the address and fields of the card."""
    return _hosted


class Shelf:
    """Where the files lie that come with questions: by name, and what was fetched."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.fetched: list[str] = []

    def put(self, name: str, content: bytes, **fields: Any) -> Attachment:
        """A file, as a message names it."""
        self.files[name] = content
        return Attachment(**{"name": name, "mimetype": "", "size": len(content), "id": name, **fields})

    async def fetch(self, attachment: Attachment, most_bytes: int) -> tuple[Attachment, bytes]:
        self.fetched.append(attachment.name)
        if attachment.id not in self.files:
            raise FileUnread(f"{attachment.name} was deleted.")
        return attachment, self.files[attachment.id]


@dataclass
class House:
    """The assistant with its parts, and short ways to ask."""

    assistant: Assistant
    models: Models
    pins: Pins
    examples: Examples
    engine: AsyncEngine
    knowledge: KnowledgeBase
    channels: Channels
    allow_lists: AllowLists
    trials: Trials
    switches: Switches
    shelf: Shelf
    drawing: Drawing
    _ids: Any = field(default_factory=lambda: itertools.count(1))

    def question(self, text: str, *, channel: str = "C0HELP", **fields: Any) -> Question:
        """A question of Ana's in a channel."""
        kind = PlaceKind.PRIVATE_CHANNEL if channel.startswith("G") else PlaceKind.CHANNEL
        place = Place(workspace="T1", channel=channel, kind=kind, thread="1.1")
        audience = Audience.of_channel(channel)
        base = Question(
            id=f"q{next(self._ids)}", text=text, asker="U0ANA", place=place, audience=audience, asked_at=NOW
        )
        return Question(**{name: fields.get(name, getattr(base, name)) for name in Question.__slots__})

    async def events(self, question: Question | str, **fields: Any) -> list[AnswerEvent]:
        """Everything that the assistant says to a question."""
        asked = self.question(question, **fields) if isinstance(question, str) else question
        return [event async for event in self.assistant.answer(asked)]

    async def ask(self, question: Question | str, **fields: Any) -> Answer:
        """The finished answer; what was streamed says the same."""
        events = await self.events(question, **fields)
        last = events[-1]
        assert isinstance(last, Finished), last
        streamed = "".join(event.text for event in events if isinstance(event, TextDelta))
        assert streamed.strip() in ("", last.answer.text)
        return last.answer

    async def fail(self, question: Question | str, **fields: Any) -> Failed:
        """The reason why there was no answer."""
        last = (await self.events(question, **fields))[-1]
        assert isinstance(last, Failed), last
        return last

    async def calls(self) -> list[Any]:
        """The ledger, oldest first."""
        async with self.engine.connect() as connection:
            return list(await connection.execute(sa.select(ledger).order_by(ledger.c.id)))


Build = Callable[..., House]


@pytest.fixture
async def build(database: AsyncEngine, knowledge: KnowledgeBase) -> AsyncIterator[Build]:
    """Makes a House with the offline model and the `(provider, card)` pairs given."""
    opened: list[Models] = []

    def make(*pairs: tuple[Provider, ModelCard], default_model: str = "auto", **options: Any) -> House:
        shipped = load_catalogue()
        cards = [*(card for _, card in pairs), shipped.get(OFFLINE)]
        catalogue = Catalogue(cards, [*(provider for provider, _ in pairs), shipped.providers[OFFLINE]])
        breakers = Breakers(clock=lambda: NOW, monotonic=options.pop("monotonic", time.monotonic))
        models = Models(catalogue, keys={}, embedder=knowledge.embedder, breakers=breakers)
        opened.append(models)
        prices, pins, examples = (
            PriceBook(),
            Pins(database),
            Examples(database, knowledge.embedder, Bases(database, knowledge)),
        )
        channels, allow_lists, trials = Channels(database), AllowLists(database), Trials(database, lambda: NOW)
        rules, shelf = DataRules(channels, models, allow_lists), Shelf()
        switches = Switches(pins, trials, rules, models, default_model)
        patience = Patience(first_pause=0.0)
        gate = Gate(ledger=Ledger(database), prices=prices, clock=lambda: NOW, patience=patience)
        enclosing = Enclosing(Hearing(gate, models, rules), knowledge.embedder)
        enclosing.connect(shelf)
        assistant = Assistant(
            engine=database,
            knowledge=knowledge,
            embedder=knowledge.embedder,
            models=models,
            selector=Selector(prices=prices),
            strategies=STRATEGIES,
            prices=prices,
            ledger=Ledger(database),
            switches=switches,
            trials=trials,
            channels=channels,
            data_rules=rules,
            examples=examples,
            clock=lambda: NOW,
            patience=patience,
            enclosing=enclosing,
            **{"answer_tokens": 500, "history_tokens": 500, **options},
        )
        drawing = Drawing(gate, models, rules)
        parts = (channels, allow_lists, trials, switches, shelf, drawing)
        return House(assistant, models, pins, examples, database, knowledge, *parts)

    yield make
    for models in opened:
        await models.close()
