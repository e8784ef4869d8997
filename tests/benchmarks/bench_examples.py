"""Which examples a few-shot prompt shows: `python tests/benchmarks/bench_examples.py [--data DIR] [--out DIR]
[--short]`.

The examples are those of `selector/stores.json`, 54 intents with five questions each. `routes.csv` says of its
questions only which strategy they were made for and not their intent, so each example is asked in turn while it is left
out: four of the 269 others have its label then. Five are chosen by similarity alone, and as the program does; what is
counted is whether the label of most of the five (the weighted vote, by the score each was chosen by) is right, whether
the right one is among the five at all, which is what a model can copy, and whether the first one has it.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from options import NotHereError, Options, run_alone
from results import Measure, Result, spread
from selector_data import read_stores

from bot.bases import Bases
from bot.domain import Example
from bot.learning.examples import Examples
from bot.learning.variety import varied
from bot.storage.engine import open_engine, upgrade
from knowledge.access import MEMBERS, PUBLIC
from knowledge.contents import Contents
from knowledge.database import Database
from knowledge.documents import Vector
from knowledge.embedding.minilm import MiniLM

SHOWN = 5
MARK = 0.02
RESAMPLED = 2000
SMALL = tuple(
    (f"{begin} {thing}?", thing)
    for thing in ("reset a badge", "book a room", "report an illness", "order a laptop")
    for begin in ("How do I", "Where can I", "Who helps me to")
)
"""The store of the short form."""

Right = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scored:
    """For each question whether the five were right, 1 or 0."""

    vote: Right
    among: Right
    first: Right


@asynccontextmanager
async def filled(options: Options, pairs: Sequence[tuple[str, str]]) -> AsyncIterator[tuple[Examples, MiniLM]]:
    """The examples as the program keeps them."""
    engine = open_engine(f"sqlite+aiosqlite:///{options.work / 'examples.db'}")
    embedder = MiniLM(options.models_dir)
    try:
        await upgrade(engine, "bot.storage:migrations", "alembic_version")
        await upgrade(engine, "knowledge:migrations", "knowledge_version")
        examples = Examples(engine, embedder, Bases(engine, Contents(Database(engine))))
        for question, answer in pairs:
            await examples.save(question, answer, PUBLIC, "U0BENCH")
        yield examples, embedder
    finally:
        await embedder.close()
        await engine.dispose()


def score(pairs: Sequence[tuple[str, str]], shown: Sequence[Sequence[tuple[str, float]]]) -> Scored:
    """`shown`: for each question the labels of the five with what each counts, best first."""
    rows = []
    for (_, label), five in zip(pairs, shown, strict=True):
        votes: defaultdict[str, float] = defaultdict(float)
        for each, worth in five:
            votes[each] += worth
        rows.append((max(votes, key=lambda one: votes[one]) == label, label in votes, five[0][0] == label))
    return Scored(*np.array(rows, float).T)


def by_similarity(pairs: Sequence[tuple[str, str]], vectors: Vector) -> list[list[tuple[str, float]]]:
    """The five nearest questions."""
    cosines = _others(vectors)
    nearest = np.argsort(-cosines, axis=1, kind="stable")[:, :SHOWN]
    return [[(pairs[n][1], float(cosines[place, n])) for n in row] for place, row in enumerate(nearest.tolist())]


def without_answers(pairs: Sequence[tuple[str, str]], vectors: Vector) -> list[list[tuple[str, float]]]:
    """Varied, but by the questions alone: for stores whose answers say little."""
    found = []
    for cosines in _others(vectors):
        pool = np.argsort(-cosines, kind="stable")[:20]
        taken = [int(pool[n]) for n in varied(cosines[pool], vectors[pool], vectors[pool], SHOWN)]
        found.append([(pairs[n][1], float(cosines[n])) for n in taken])
    return found


async def as_the_program(
    pairs: Sequence[tuple[str, str]], vectors: Vector, examples: Examples
) -> list[list[tuple[str, float]]]:
    """What `Examples.nearest` gives to each question, itself left out."""
    found = []
    for (question, _), vector in zip(pairs, vectors, strict=True):

        def itself(one: Example, asked: str = question) -> bool:
            return one.question == asked

        near = await examples.nearest(vector, MEMBERS, SHOWN, leave_out=itself)
        found.append([(one.answer, one.relevance) for one in near.examples])
    return found


def _others(vectors: Vector) -> Vector:
    cosines: Vector = vectors @ vectors.T
    np.fill_diagonal(cosines, -1)
    return cosines


def gain(ours: Right, plain: Right) -> tuple[float, float, float]:
    """How much more is right, with the range that holds 95 of 100 resamplings of the questions."""
    rng, difference = np.random.default_rng(7), ours - plain
    means = difference[rng.integers(0, len(difference), (RESAMPLED, len(difference)))].mean(axis=1)
    low, high = np.percentile(means, (2.5, 97.5))
    return float(difference.mean()), float(low), float(high)


async def bench(options: Options, result: Result) -> None:
    """All of it."""
    file = options.data / "selector" / "stores.json"
    if not options.short and not file.is_file():
        raise NotHereError("The examples to measure with (selector/stores.json of the trial data) are not here.")
    pairs = list(SMALL if options.short else read_stores(file).examples)
    async with filled(options, pairs) as (examples, embedder):
        vectors = await embedder.embed([question for question, _ in pairs])
        plain = score(pairs, by_similarity(pairs, vectors))
        alone = score(pairs, without_answers(pairs, vectors))
        ours = score(pairs, await as_the_program(pairs, vectors, examples))
        seconds = await _timed(vectors, examples)
    result.note(
        f"{len(pairs)} examples, each asked while it is left out. Their answers are the names of their intents, which "
        "tell more than most answers do: “by questions alone” is what is left where an answer tells nothing."
    )
    for name, words in (
        ("vote", "the label of most of the five"),
        ("among", "the right label among the five"),
        ("first", "the label of the best one"),
    ):
        base = float(getattr(plain, name).mean())
        result.add(Measure(name=f"{words}: plain top five", unit="share", value=base, samples=len(pairs)))
        only = float(getattr(alone, name).mean())
        result.add(Measure(name=f"{words}: varied, by questions alone", unit="share", value=only, samples=len(pairs)))
        more, low, high = gain(getattr(ours, name), getattr(plain, name))
        least = base + MARK if not options.short else None
        value = float(getattr(ours, name).mean())
        result.add(Measure(name=f"{words}: as chosen", unit="share", value=value, samples=len(pairs), least=least))
        result.note(f"{words.capitalize()}: {100 * more:+.1f} points (95%: {100 * low:+.1f} to {100 * high:+.1f}).")
    result.add(spread(f"choosing among {len(pairs)} examples", seconds, headline=95, mark=0.05))


async def _timed(vectors: Vector, examples: Examples) -> list[float]:
    found = []
    for vector in vectors[:50]:
        began = time.thread_time()
        await examples.nearest(vector, MEMBERS, SHOWN)
        found.append(time.thread_time() - began)
    return found


if __name__ == "__main__":
    run_alone(__doc__ or "", bench, "examples", "Examples: are the five that are shown the right ones?")
