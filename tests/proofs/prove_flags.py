"""How often an example is flagged as out of date although nothing of it changed, and how often it is where its own
words did: edits of real documents.

Examples are made of real documents that the program has read: asked for is a heading, answered with the first sentences
below it, half of them without some of their words. Then documents are edited, a batch at a time, so that nothing else
is said (lines wrapped, sections in another order, files moved, front matter, sections added, words marked), then with
another number, name or "not" in places that may be an example's or not, and other documents of the same team come in.
Whatever is flagged but where the words of the example were edited is false. At last the words that each example is made
of get another number, name or "not", one after the other, which is to be seen.
`make prove-flags ARGS="[--documents 120] [--examples 400] [--rounds 6] [--folder FOLDER]"`
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import proof_result
from document_edits import SWAPS, Edit, Editor
from prove_recall import DOCUMENTS, LONGEST, ROOT

from bot.config import Folder, Knowledge, Settings
from bot.core import Core, open_core
from bot.learning import editor
from knowledge import access

BATCH = 15
"""Documents that are edited before one refresh, so that all their texts are looked at."""
ALLOWED = 0.02
"""The share of false flags that the promise bears."""
MAYA = editor.Editor("U0MAYA", access.MEMBERS)
_SECTION = re.compile(r"(?m)^#{2,4} +(.+)\n+((?:[A-Z][^\n#|<>`\[\]]{30,}\n?)+)")
_DROPPED = re.compile(r"\b(?:the|an?|very|also|just|currently|existing|new) ")
_SENTENCES = re.compile(r"(?<=[.!?])\s+")


@dataclass(slots=True)
class Findings:
    """What became of it. `held`: how often an example was held against a batch of changed texts, by what was done;
    `false`: how often it was flagged then for nothing; `told`: the document of each example that was. `changed`: how
    many examples had their own words changed, by what was changed, and `seen`: how many of them were flagged."""

    documents: int = 0
    examples: int = 0
    held: dict[str, int] = field(default_factory=dict)
    false: dict[str, int] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    changed: dict[str, int] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)

    @property
    def is_kept(self) -> bool:
        """Whether hardly any flag is false."""
        return all(count < ALLOWED * self.held[kind] for kind, count in self.false.items())


@dataclass(frozen=True, slots=True)
class _Kept:
    """An example, and the words of the document that it is made of."""

    id: str
    path: str
    words: str


class Prover:
    """Documents in a folder, and examples made of them."""

    def __init__(self, core: Core, docs: Path, later: Sequence[tuple[Path, Path]], seed: int) -> None:
        self._core = core
        self._docs = docs
        self._later = later
        self._random = random.Random(seed)
        self._editor = Editor(docs, seed)
        self._editor.changes = (self._editor.number, self._editor.name, self._editor.negation)
        self._kept: dict[str, _Kept] = {}
        self._path: dict[str, str] = {}  # where a document is that was moved
        self.found = Findings()

    async def keep(self, count: int) -> None:
        """So many examples."""
        sections: list[tuple[str, str, str, str]] = []
        for file in sorted(self._docs.rglob("*.md")):
            text = file.read_text(encoding="utf-8")
            title = next(iter(re.findall(r"(?m)^# +(.+)$", text)), file.stem)
            for heading, paragraph in _SECTION.findall(text):
                whole = [one for one in _SENTENCES.split(" ".join(paragraph.split()))[:2] if one.endswith((".", "!"))]
                if words := " ".join(whole):
                    # Half as somebody says it who does not copy.
                    answer = _DROPPED.sub("", words) if len(sections) % 2 else words
                    sections.append((file.relative_to(self._docs).as_posix(), f"{heading} in {title}?", answer, words))
        for path, asked, answer, words in self._random.sample(sections, min(count, len(sections))):
            one = await self._core.examples.save(asked, answer, access.PUBLIC, "U0MAYA")
            self._kept[one.id] = _Kept(one.id, path, words)
        self.found.documents, self.found.examples = len(list(self._docs.rglob("*.md"))), len(self._kept)
        await self._core.checking_examples.run()

    async def run(self, rounds: int) -> None:
        """So many batches of either kind, and then the other documents."""
        for harmful in (False, True):
            for _ in range(rounds):
                edits = [self._editor.edit(harmful=harmful) for _ in range(BATCH)]
                await self._look("other words" if harmful else "the same words", edits)
        for start in range(0, len(self._later), BATCH):
            for file, to in self._later[start : start + BATCH]:
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, to)
            await self._look("new documents", [])

    async def _look(self, kind: str, edits: Sequence[Edit]) -> None:
        await self._core.knowledge.refresh()
        await self._core.checking_examples.run()
        touched = {one.id for one in self._kept.values() if any(self._concerns(edit, one) for edit in edits)}
        flagged = [one for one in await self._core.examples.listed(None) if one.flag is not None]
        false = [one for one in flagged if one.example.id not in touched]
        self.found.held[kind] = self.found.held.get(kind, 0) + len(self._kept) - len(touched)
        self.found.false[kind] = self.found.false.get(kind, 0) + len(false)
        self.found.told += [f"{self._kept[one.example.id].path}: {kind}" for one in false]
        for one in flagged:
            await self._core.examples.confirm(one.example.id, MAYA)
        # What was edited stays so: an example of which the words changed is not true any more.
        for id in touched:
            del self._kept[id]
            await self._core.examples.retire(id, MAYA, "Its source changed.")
        for edit in edits:
            if edit.path is not None and edit.path != edit.before:
                moved = {first: edit.path for first, path in self._path.items() if path == edit.before}
                self._path |= {edit.before: edit.path} | moved

    async def contradict(self) -> None:
        """Changes the words that each example is made of, of one in a document at a time."""
        left = dict(self._kept)
        while left:
            by_document = {self._path.get(one.path, one.path): one for one in left.values()}
            edited = {}
            for path, one in list(by_document.items())[:BATCH]:
                del left[one.id]
                if (kind := self._reworded(self._docs / path, one.words)) is not None:
                    edited[one.id] = kind
            await self._core.knowledge.refresh()
            await self._core.checking_examples.run()
            flagged = {one.example.id for one in await self._core.examples.listed(None) if one.flag is not None}
            for id, kind in edited.items():
                self.found.changed[kind] = self.found.changed.get(kind, 0) + 1
                self.found.seen[kind] = self.found.seen.get(kind, 0) + (id in flagged)

    def _reworded(self, file: Path, words: str) -> str | None:
        """What was changed within these words of a file; None where nothing of them can be."""
        text = file.read_text(encoding="utf-8") if file.is_file() else ""
        there = re.search(r"\s+".join(map(re.escape, words.split())), text)
        for kind, (what, by) in self._random.sample(sorted(SWAPS.items()), len(SWAPS)):
            if there and (places := list(re.finditer(what, there[0]))):
                place = self._random.choice(places)
                start, end = there.start() + place.start(), there.start() + place.end()
                file.write_text(text[:start] + by(place[0]) + text[end:], encoding="utf-8")
                return kind
        return None

    def _concerns(self, edit: Edit, one: _Kept) -> bool:
        return self._path.get(one.path, one.path) == edit.before and edit.touches(one.words)


async def prove(
    folder: Path, documents: Path, models: Path, *, count: int, examples: int, rounds: int, seed: int = 1
) -> Findings:
    """The whole proof; half of the documents are there at first."""
    docs, chance = folder / "docs", random.Random(seed)
    every = [file for file in sorted(documents.rglob("*.md")) if 1_500 < file.stat().st_size < LONGEST]
    chosen = [(file, docs / file.relative_to(documents)) for file in chance.sample(every, min(count, len(every)))]
    half = (len(chosen) + 1) // 2
    for file, to in chosen[:half]:
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, to)
    settings = Settings(
        data_dir=folder / "data", models_dir=models, knowledge=Knowledge(folders=(Folder(path=docs, name="docs"),))
    )
    async with open_core(settings) as core:
        await core.knowledge.refresh()
        prover = Prover(core, docs, chosen[half:], seed)
        await prover.keep(examples)
        await prover.run(rounds)
        await prover.contradict()
    return prover.found


def main() -> int:
    """The proof with its sizes from the command line."""
    known = argparse.ArgumentParser(description="Edits of real documents, and the examples that say the same.")
    known.add_argument("--documents", type=int, default=120)
    known.add_argument("--examples", type=int, default=400)
    known.add_argument("--rounds", type=int, default=6, help="batches of edits of either kind")
    known.add_argument("--seed", type=int, default=1)
    known.add_argument("--folder", type=Path, default=DOCUMENTS)

    def run(size: argparse.Namespace, folder: Path) -> proof_result.Result:
        if not size.folder.is_dir():
            sys.exit(f"The documents are not there: {size.folder}. Name a folder of Markdown files with --folder.")
        sizes = {"count": size.documents, "examples": size.examples, "rounds": size.rounds, "seed": size.seed}
        found = asyncio.run(prove(folder, size.folder.resolve(), ROOT / ".models", **sizes))
        return proof_result.Result(asdict(found), found.is_kept)

    return proof_result.main("flags", known, run)


if __name__ == "__main__":
    sys.exit(main())
