"""One team's stores and questions, as evidence by the program's own search, to fit the selector and to try it."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from bot.domain import Evidence, Example, StrategyName
from bot.learning.nearness import VOTERS, lead, vote_purity
from bot.selection.wording import sought
from bot.storage.engine import open_engine, upgrade
from knowledge.access import PUBLIC
from knowledge.documents import Vector
from knowledge.embedding.minilm import MiniLM
from knowledge.knowledge_base import KnowledgeBase, open_knowledge
from knowledge.sources.folder import FolderSource

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data" / "selector"
ROUTES, STORES = DATA / "routes.csv", DATA / "stores.json"
GERMAN = DATA.parent / "retrieval" / "xquad.de.json"
HIT, MISS = ("knowledge_hit", StrategyName.RAG), ("knowledge_miss", StrategyName.ZERO_SHOT)
ASKED_OF_EACH = 3
PASSAGES = 6
EXAMPLES = 4
TUNED = "tuned"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, the kind of question it is, and the strategy that it was made for."""

    text: str
    kind: str
    strategy: StrategyName


@dataclass(frozen=True, slots=True)
class Stores:
    """What a team has: documents by id, reviewed questions with answers, prompts its model was tuned on."""

    documents: dict[str, str]
    examples: tuple[tuple[str, str], ...]
    prompts: tuple[str, ...]


def read_questions(file: Path = ROUTES) -> list[Asked]:
    """The rows of a CSV file with `strategy`, `question` and, where it is known, `kind`."""
    with file.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines)
        return [Asked(row["question"], row.get("kind") or "", StrategyName(row["strategy"])) for row in rows]


def read_stores(file: Path = STORES) -> Stores:
    """A JSON file with `knowledge`, `examples` and `fine_tuned_prompts`."""
    document = json.loads(file.read_text(encoding="utf-8"))
    return Stores(
        documents={entry["id"]: entry["text"] for entry in document["knowledge"]},
        examples=tuple((entry["text"], entry["answer"]) for entry in document["examples"]),
        prompts=tuple(document["fine_tuned_prompts"]),
    )


def read_squad(file: Path, half: int) -> tuple[list[Asked], Stores]:
    """A team with documents alone, from every other article of a file in SQuAD's form: `half` is 0 or 1.

    Three tenths of the paragraphs are left out, so that what was made for them looks answerable and is not.
    """
    chance = random.Random(half)
    articles = json.loads(file.read_text(encoding="utf-8"))["data"]
    paragraphs = {
        f"{number}-{place}": paragraph
        for number, article in enumerate(articles)
        for place, paragraph in enumerate(article["paragraphs"])
        if number % 2 == half
    }
    missing = set(chance.sample(sorted(paragraphs), len(paragraphs) * 3 // 10))
    asked = [
        Asked(question["question"], *(MISS if id in missing else HIT))
        for id, paragraph in paragraphs.items()
        for question in chance.sample(paragraph["qas"], min(ASKED_OF_EACH, len(paragraph["qas"])))
    ]
    documents = {id: paragraph["context"] for id, paragraph in paragraphs.items() if id not in missing}
    return asked, Stores(documents, (), ())


class Team:
    """A team's stores, opened: gives the evidence for a question."""

    def __init__(self, stores: Stores, knowledge: KnowledgeBase, examples: Vector, prompts: Vector) -> None:
        self.knowledge = knowledge
        self._stores = stores
        self._examples = examples
        self._prompts = prompts

    async def evidence(self, text: str) -> Evidence:
        """What the assistant would find for the question as it searches."""
        found = await self.knowledge.search(sought(text), scopes=PUBLIC, k=PASSAGES)
        cosines = self._examples @ found.vector
        near = self._nearest(cosines)
        return Evidence(
            passages=found.passages,
            examples=near[:EXAMPLES],
            coverage=found.coverage,
            agreement=found.agreement,
            probability=found.probability,
            signs=found.signs,
            example_lead=lead(near[0].similarity, cosines) if near else 0.0,
            vote_purity=vote_purity(near) if near else 0.0,
            fine_tuned={TUNED: float((self._prompts @ found.vector).max())} if len(self._prompts) else {},
        )

    def _nearest(self, cosines: Vector) -> tuple[Example, ...]:
        best = np.argsort(-cosines, kind="stable")[:VOTERS]
        return tuple(self._example(int(place), float(cosines[place])) for place in best)

    def _example(self, place: int, similarity: float) -> Example:
        question, answer = self._stores.examples[place]
        return Example(id=str(place), question=question, answer=answer, readers=PUBLIC, similarity=similarity)


@asynccontextmanager
async def open_team(stores: Stores, models_dir: Path) -> AsyncIterator[Team]:
    """The stores in a real knowledge base of their own, gone afterwards."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        pages = folder / "pages"
        pages.mkdir()
        for id, text in stores.documents.items():
            (pages / f"{id}.txt").write_text(text, encoding="utf-8")
        engine = open_engine(f"sqlite+aiosqlite:///{folder / 'team.db'}")
        await upgrade(engine, "knowledge:migrations", "knowledge_version")
        source = FolderSource(name="pages", path=pages)
        knowledge = await open_knowledge(engine=engine, data_dir=folder, embedder=MiniLM(models_dir), sources=[source])
        try:
            await knowledge.refresh()
            questions = [question for question, _ in stores.examples]
            yield Team(
                stores, knowledge, await _vectors(knowledge, questions), await _vectors(knowledge, stores.prompts)
            )
        finally:
            await knowledge.close()
            await engine.dispose()


async def _vectors(knowledge: KnowledgeBase, texts: Sequence[str]) -> Vector:
    if not texts:
        return np.zeros((0, knowledge.embedder.dimensions), np.float32)
    return await knowledge.embedder.embed(list(texts))
