"""Every answer that cites a passage which changed is found, and hardly any other: random edits of real documents.

Answers cite what the program's own search finds in documents that it has read. Then documents are edited one by one,
half of them so that they say something else (numbers, names, negations, sentences, whole documents), half so that they
do not (lines wrapped, sections in another order, files moved, front matter, sections added, words marked), each is
taken in by a real refresh, and the notes that are made are held against which passages the edit touched.
`make prove-recall ARGS="[--edits 200] [--documents 120] [--answers 600] [--folder FOLDER]"`
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import proof_result
import sqlalchemy as sa
from document_edits import Edit, Editor, holds, words
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.recall.leanings import keep_leanings
from bot.recall.noticing import Noticing
from bot.storage.engine import open_engine, upgrade
from bot.storage.recall_tables import leanings, recalls
from bot.storage.tables import questions
from knowledge import access
from knowledge.documents import Passage
from knowledge.embedding.minilm import MiniLM
from knowledge.knowledge_base import KnowledgeBase, open_knowledge
from knowledge.sources.folder import FolderSource

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = Path("../shared/data/docs/k8s-enhancements")
"""From the project's root, where the proof is run."""
LONGEST = 30_000
"""Bytes of a document, so that a run takes minutes."""
ALLOWED = 0.02
"""The share of false notes that the promise bears."""


@dataclass(slots=True)
class Findings:
    """What became of it. `examined`: answers that were held against an edit of a document that they cite; `found`,
    `missed` and `false`: notes; `again`: notes on a passage that had changed before and changed once more;
    `elsewhere`: answers whose document was deleted while another one has their words too, so that both is right."""

    documents: int = 0
    answers: int = 0
    edits: dict[str, int] = field(default_factory=dict)
    examined: int = 0
    expected: int = 0
    found: int = 0
    elsewhere: int = 0
    again: int = 0
    missed: list[str] = field(default_factory=list)
    false: list[str] = field(default_factory=list)

    @property
    def is_kept(self) -> bool:
        """Whether the promise is."""
        notes = self.found + len(self.false)
        return not self.missed and notes > 0 and len(self.false) < ALLOWED * notes


class Prover:
    """Documents in a folder, what is known of them, and answers that cite them."""

    def __init__(self, engine: AsyncEngine, knowledge: KnowledgeBase, folder: Path, seed: int) -> None:
        self._engine = engine
        self._knowledge = knowledge
        self._folder = folder
        self._random = random.Random(seed)
        self._now = datetime(2026, 1, 1, tzinfo=UTC)
        self._editor = Editor(folder, seed)
        self._noticing = Noticing(engine, knowledge, lambda: self._now, age=timedelta(days=100_000))
        self._cited: dict[str, list[Passage]] = {}
        self._changed: set[str] = set()  # answers of which words stand no more
        self._path: dict[str, str] = {}  # where a document is that was moved, by its first id
        self.found = Findings()

    async def answer(self, count: int) -> None:
        """So many answers, each citing one to three passages that were found for words of a document."""
        files = sorted(self._folder.rglob("*.md"))
        self.found.documents = len(files)
        async with self._engine.begin() as connection:
            for number in range(count):
                every = words(self._random.choice(files).read_text(encoding="utf-8"))
                place = self._random.randrange(max(1, len(every) - 12))
                text = " ".join(every[place : place + 12])
                result = await self._knowledge.search(text, scopes=access.MEMBERS, k=3)
                cited = result.passages[: self._random.choice((1, 1, 2, 3))]
                await connection.execute(sa.insert(questions).values(_question(f"q{number}", text, self._now)))
                await keep_leanings(connection, f"q{number}", cited, self._now)
                self._cited[f"q{number}"] = list(cited)
                for passage in cited:
                    self._path[passage.document_id] = passage.path
        self.found.answers = count
        await self._notes("nothing", set(), harmful=False)

    async def run(self, edits: int) -> None:
        """So many edits, one after the other, every second one of those that change nothing."""
        for number in range(edits):
            self._now += timedelta(days=2)
            harmful = number % 2 == 0
            edit = self._editor.edit(harmful=harmful)
            self.found.edits[edit.kind] = self.found.edits.get(edit.kind, 0) + 1
            await self._knowledge.refresh()
            expected, either = await self._expected(edit)
            self._changed |= either
            await self._notes(f"{edit.kind} in {edit.before}", expected, harmful=harmful)
            if edit.kind == "move" and edit.path is not None:
                self._path |= {id: edit.path for id, path in self._path.items() if path == edit.before}

    async def _expected(self, edit: Edit) -> tuple[set[str], set[str]]:
        """The answers that cite what was edited, while their words stood until then; and those of which nothing is
        expected, since another document has their words too."""
        async with self._engine.connect() as connection:
            there = sa.select(leanings.c.question_id, leanings.c.number).where(leanings.c.now.is_(None))
            standing = {tuple(row) for row in await connection.execute(there)}
        expected, either = set[str](), set[str]()
        for id, cited in self._cited.items():
            own = [(n, p) for n, p in enumerate(cited, 1) if self._path[p.document_id] == edit.before]
            self.found.examined += bool(own)
            for number, passage in own:
                if (id, number) in standing and edit.touches(passage.text):
                    stands = edit.path is None and self._stands(passage.text)
                    (either if stands else expected).add(id)
        self.found.elsewhere += len(either - expected)
        return expected, either

    def _stands(self, passage: str) -> bool:
        """Whether another document has all the words of a passage, in pieces as long as its paragraphs."""
        paragraphs = [words(each) for each in passage.split("\n\n")]
        pieces = [each for each in paragraphs if len(each) > 3]
        texts = [each.read_text(encoding="utf-8") for each in self._folder.rglob("*.md")]
        return any(all(holds(text, piece) for piece in pieces) for text in texts)

    async def _notes(self, edit: str, expected: set[str], *, harmful: bool) -> None:
        await self._noticing.run()
        async with self._engine.begin() as connection:
            told = sa.select(leanings.c.question_id).join(recalls, recalls.c.id == leanings.c.recall)
            noted = set((await connection.execute(told.where(recalls.c.state == "waiting"))).scalars())
            await connection.execute(sa.update(recalls).values(state="told"))
        self.found.expected += len(expected)
        self.found.found += len(expected & noted)
        again = (noted - expected) & self._changed if harmful else set()
        self.found.again += len(again)
        self.found.missed += [f"{id}: {edit}" for id in sorted(expected - noted)]
        self.found.false += [f"{id}: {edit}" for id in sorted(noted - expected - again)]
        self._changed |= noted


def _question(id: str, text: str, now: datetime) -> dict[str, object]:
    place = {"workspace": "T1", "channel": "C1", "place_kind": "channel", "thread": id}
    asked = {"id": id, "text": text, "asker": "U1", "private": False, "asked_at": now, "answer": "So it is. [1]"}
    return asked | place | {"scopes": sorted(access.MEMBERS | {"channel:C1"})}


@asynccontextmanager
async def opened(folder: Path, documents: Path, count: int, models: Path, seed: int) -> AsyncIterator[Prover]:
    """A copy of so many documents, read by the program."""
    docs = folder / "docs"
    every = [file for file in sorted(documents.rglob("*.md")) if 2_000 < file.stat().st_size < LONGEST]
    for file in random.Random(seed).sample(every, min(count, len(every))):
        to = docs / file.relative_to(documents)
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, to)
    engine = open_engine(f"sqlite+aiosqlite:///{folder / 'switchboard.db'}")
    await upgrade(engine, "bot.storage:migrations", "alembic_version")
    await upgrade(engine, "knowledge:migrations", "knowledge_version")
    source = FolderSource(name="docs", path=docs)
    knowledge = await open_knowledge(engine=engine, data_dir=folder, embedder=MiniLM(models), sources=[source])
    try:
        await knowledge.refresh()
        yield Prover(engine, knowledge, docs, seed)
    finally:
        await knowledge.close()
        await engine.dispose()


async def prove(
    folder: Path, documents: Path, models: Path, *, count: int, answers: int, edits: int, seed: int = 1
) -> Findings:
    """The whole proof."""
    async with opened(folder, documents, count, models, seed) as prover:
        await prover.answer(answers)
        await prover.run(edits)
        return prover.found


def main() -> int:
    """The proof with its sizes from the command line."""
    known = argparse.ArgumentParser(description="Edits of real documents, and the answers that lean on them.")
    known.add_argument("--edits", type=int, default=200)
    known.add_argument("--documents", type=int, default=120)
    known.add_argument("--answers", type=int, default=600)
    known.add_argument("--seed", type=int, default=1)
    known.add_argument("--folder", type=Path, default=DOCUMENTS)

    def run(size: argparse.Namespace, folder: Path) -> proof_result.Result:
        if not size.folder.is_dir():
            sys.exit(f"The documents are not there: {size.folder}. Name a folder of Markdown files with --folder.")
        sizes = {"count": size.documents, "answers": size.answers, "edits": size.edits, "seed": size.seed}
        found = asyncio.run(prove(folder, size.folder.resolve(), ROOT / ".models", **sizes))
        return proof_result.Result(asdict(found), found.is_kept)

    return proof_result.main("recall", known, run)


if __name__ == "__main__":
    sys.exit(main())
