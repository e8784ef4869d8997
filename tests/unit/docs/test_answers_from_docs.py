"""The docs are the bot's first knowledge: asked about itself, the offline model quotes the right sentence from them."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest

from bot.domain import Prompt, StrategyName, TextDelta
from bot.models.catalogue import OFFLINE, load_catalogue
from bot.models.offline import OfflineModel
from bot.storage.engine import open_engine, upgrade
from knowledge.documents import Vector
from knowledge.embedding.minilm import MiniLM
from knowledge.knowledge_base import KnowledgeBase, open_knowledge
from knowledge.sources.folder import FolderSource

ROOT = Path(__file__).parents[3]
MANIFEST = json.loads((ROOT / "deploy/slack/manifest.json").read_text(encoding="utf-8"))
PROMPTS = {prompt["title"]: prompt["message"] for prompt in MANIFEST["features"]["agent_view"]["suggested_prompts"]}

ASKED = {
    PROMPTS["What can you do?"]: "answer questions in Slack from your team's documents",
    PROMPTS["What do you know?"]: "knowledge.folders",
    PROMPTS["How do you choose a model?"]: "highest utility",
    PROMPTS["What does it cost?"]: "one row in a ledger",
    "How do I connect Switchboard to Slack?": "deploy/slack/manifest.json",
    "how do I connect you to our Slack?": "deploy/slack/manifest.json",
    "who can read what you use as evidence?": "only documents that everyone who sees the answer may read",
    "how do I add a folder of documents?": "[[knowledge.folders]]",
    "how can I get the costs as CSV?": "/cost month csv",
    "how do I use Ollama?": "11434",
    "what should I back up?": "switchboard backup",
    "how do I use PostgreSQL?": "SWITCHBOARD_STORAGE__URL",
    "how do I change the model of a channel?": "/model use NAME here",
    "can I stop an answer?": "stop button",
    "when is the weekly report posted?": "Mondays at 09:00",
    "what is a receipt?": "A receipt is kept for every answer",
    "how do I evaluate the bot?": "switchboard evaluate golden.jsonl",
    "how do I measure how good the answers are?": "switchboard evaluate golden.jsonl",
    "how do I make a golden file?": "JSONL with one object a line",
    "is anything sent to OpenAI?": "is sent the prompt",
    "how do I make a channel cheaper?": "/model value frugal",
    "how do I undo a promotion?": "switchboard learning undo",
    "what are shadow runs?": "never shown to anybody",
}


def headings() -> dict[str, str]:
    """Every heading of the pages and how the sentence below it begins."""
    found = {}
    for page in sorted(ROOT.glob("docs/*.md")):
        for section in re.split(r"(?m)^## ", page.read_text(encoding="utf-8"))[1:]:
            heading, first, *_ = [line for line in section.splitlines() if line.strip()]
            found[heading] = re.split(r"(?<=[.:])\s", first)[0][:40]
    return found


class OnceEmbedded(MiniLM):
    """The encoder; a sentence that many questions find is embedded for the first."""

    def __init__(self, models_dir: Path) -> None:
        super().__init__(models_dir)
        self._vectors: dict[str, Vector] = {}

    async def embed(self, texts: Sequence[str]) -> Vector:
        """One row for each text."""
        missing = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        self._vectors.update(zip(missing, await super().embed(missing), strict=True))
        return np.stack([self._vectors[text] for text in texts])


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the offline model says to every question, from the docs alone."""
    return asyncio.run(_answers({*ASKED, *headings()}, tmp_path_factory.mktemp("knowledge")))


async def _answers(questions: Iterable[str], folder: Path) -> dict[str, str]:
    engine = open_engine(f"sqlite+aiosqlite:///{folder / 'switchboard.db'}")
    await upgrade(engine, "knowledge:migrations", "knowledge_version")
    docs = FolderSource("docs", ROOT / "docs")
    knowledge = await open_knowledge(
        engine=engine, data_dir=folder, embedder=OnceEmbedded(ROOT / ".models"), sources=[docs]
    )
    try:
        report = await knowledge.refresh()
        assert report.problems == ()
        return {question: await _answer(knowledge, question) for question in questions}
    finally:
        await knowledge.close()
        await engine.dispose()


async def _answer(knowledge: KnowledgeBase, question: str) -> str:
    found = await knowledge.search(question, scopes=frozenset({"everyone"}))
    prompt = Prompt(strategy=StrategyName.RAG, question=question, messages=(), passages=found.passages)
    model = OfflineModel(load_catalogue().get(OFFLINE), knowledge.embedder)
    pieces = [piece async for piece in model.stream(prompt, max_tokens=1200)]
    return "".join(piece.text for piece in pieces if isinstance(piece, TextDelta))


@pytest.mark.parametrize("question", ASKED)
def test_what_people_ask_first_is_answered(question: str, answers: dict[str, str]) -> None:
    assert ASKED[question] in answers[question]


def test_nine_of_ten_headings_are_answered_by_the_sentence_below_them(answers: dict[str, str]) -> None:
    expected = headings()
    missed = [heading for heading, beginning in expected.items() if beginning not in answers[heading]]
    assert len(missed) <= len(expected) // 10, "\n".join(missed)
