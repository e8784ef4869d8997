"""How long a search takes, with the question's embedding: `python tests/benchmarks/bench_search.py`."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable

from options import Options, run_alone
from prepared import NARROW, prepare
from results import Result, spread

from bot.config import Knowledge, Settings
from bot.core import open_core
from knowledge.access import EVERYONE

QUESTIONS = 400
PASSAGES = 6
ENCODER = "the encoder alone"
READERS = {
    "may read everything": frozenset({EVERYONE, NARROW}),
    "may read 95%": frozenset({EVERYONE}),
    "may read 5%": frozenset({NARROW}),
}


async def bench(options: Options, result: Result) -> None:
    """Searches for readers of much and of little."""
    prepared = await prepare(options)
    questions = prepared.questions[: 10 if options.short else QUESTIONS]
    settings = Settings(
        data_dir=prepared.copy_of_data(options.work / "data"),
        models_dir=options.models_dir,
        knowledge=Knowledge(folders=prepared.folders),
    )
    result.note(f"{prepared.chunks:,} chunks of {prepared.documents} documents; {PASSAGES} passages; one at a time.")
    async with open_core(settings) as core:
        alone = await each(questions, core.knowledge.embedder.embed_query)
        result.add(spread(ENCODER, alone))
        for name, scopes in READERS.items():

            async def search(text: str, scopes: frozenset[str] = scopes) -> object:
                return await core.knowledge.search(text, scopes=scopes, k=PASSAGES)

            result.add(spread(f"search by one who {name}", await each(questions, search), against=alone, to=ENCODER))


async def each(questions: Iterable[str], work: Callable[[str], Awaitable[object]]) -> list[float]:
    """Seconds for each question, after a few that do not count."""
    seconds: list[float] = []
    for question in questions:
        began = time.perf_counter()
        await work(question)
        seconds.append(time.perf_counter() - began)
    return seconds[len(seconds) // 20 :]


if __name__ == "__main__":
    run_alone(__doc__ or "", bench, "search", "Search")
