"""How well what was asked for is ranked, beside words alone, meaning alone and the two usual fusions of both: of the
very chunks that this search has, and as they are put together from libraries (see usual.py).

`python tests/benchmarks/bench_ranking.py [--collections PATH …]`, where a path is a folder with corpus.jsonl,
queries.jsonl and qrels.tsv, or a SQuAD file whose paragraphs are to be found. A document counts by its best chunk.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean

import sqlalchemy as sa
from collection import Collection, headings, own_questions, read_collection
from options import Options, run_alone
from ranking_scores import by_score, halves, ndcg, recall, reciprocal
from results import Measure, Result
from small_store import SmallStore, small_store
from usual import CONTESTANTS, usual_search

from knowledge.access import PUBLIC
from knowledge.change_log import ChangeLog
from knowledge.database import Database
from knowledge.documents import Passage, Vector
from knowledge.indexes import Indexes
from knowledge.schema import chunks, documents

OURS = "this search"
BASELINES = ("words (BM25)", "meaning (MiniLM)", "reciprocal ranks", "half and half")
OTHERS = {"the same chunks": BASELINES, "libraries": CONTESTANTS}
DEPTH = 100  # of each side
PASSAGES = 50  # more than ten documents
SHORT = 8
MARK = 1.04
MEASURES: dict[str, Callable[[Sequence[str], Mapping[str, float]], float]] = {"nDCG@10": ndcg, "recall@5": recall}
Scores = dict[str, dict[str, list[float]]]


async def bench(options: Options, result: Result) -> None:
    """Each collection in a store of its own; then the mean over those that the mark is set for."""
    means: dict[tuple[str, str], list[tuple[float, float]]] = {(name, of): [] for name in MEASURES for of in OTHERS}
    for collection, counts in _collections(options):
        result.note(f"{collection.name}: {len(collection.pages):,} documents, {len(collection.asked):,} questions.")
        async with small_store(collection.pages, options.models_dir) as store:
            scores = await compared(collection, store)
        for name in MEASURES:
            found = _told(result, collection.name, name, scores[name], is_marked=counts and not options.short)
            for of in OTHERS if counts else ():
                means[name, of].append((found[OURS], max(found[who] for who in OTHERS[of])))
        _kinds(result, collection, scores["nDCG@10"])
    for (name, of), pairs in means.items():
        if pairs:
            value = fmean(ours for ours, _ in pairs) / fmean(best for _, best in pairs)
            least = None if options.short else MARK
            what = f"{name}: mean over the collections, in parts of the mean of the best others ({of})"
            result.add(Measure(name=what, unit="", value=value, samples=len(pairs), least=least))


async def compared(collection: Collection, store: SmallStore) -> Scores:
    """For each measure and contestant the score of each question, in their order."""
    embedder = store.knowledge.embedder
    database = Database(store.engine)
    indexes = Indexes(database, ChangeLog(database), embedder, store.folder / "baselines", asyncio.Lock())
    await indexes.open()
    await indexes.mended()
    async with store.engine.connect() as connection:
        query = sa.select(chunks.c.key, documents.c.path).join(documents, chunks.c.document_id == documents.c.id)
        paths = {row.key: row.path for row in await connection.execute(query)}
    usual = await usual_search(collection.pages, embedder)
    scores: Scores = {name: {who: [] for who in (*BASELINES, *CONTESTANTS, OURS)} for name in MEASURES}
    for question, text in collection.asked.items():
        vector = await embedder.embed_query(text)
        ranked = baselines(indexes, text, vector, paths) | usual.ranked(text, vector)
        found = await store.knowledge.search(text, scopes=PUBLIC, k=PASSAGES, joined=False)
        ranked[OURS] = list(dict.fromkeys(path for passage in found.passages for path in _homes(passage)))
        skipped = collection.left_out.get(question, frozenset())
        for who, order in ranked.items():
            kept = [path for path in order if path not in skipped]
            for name, measure in MEASURES.items():
                scores[name][who].append(measure(kept, collection.gains[question]))
    await indexes.close()
    return scores


def baselines(indexes: Indexes, text: str, vector: Vector, paths: Mapping[int, str]) -> dict[str, list[str]]:
    """The documents in the order of each baseline."""
    snapshot, lexical = indexes.snapshot, indexes.lexical
    rows, _ = snapshot.nearest(vector, snapshot.alive, DEPTH)
    dense = snapshot.keys[rows].tolist()
    wording = lexical.wording(text, indexes.table.languages)
    hits = lexical.search(wording, None, DEPTH)
    by_word = [key for key, _ in hits]
    every = sorted({*dense, *by_word})
    cosines = dict(zip(every, (snapshot.full.read(snapshot.rows_of(every)) @ vector).tolist(), strict=True))
    words = dict.fromkeys(every, 0.0) | lexical.scores(wording, dense) | dict(hits)
    orders = (by_word, dense, by_score(reciprocal([by_word, dense])), by_score(halves(cosines, words)))
    return {
        name: list(dict.fromkeys(paths[key] for key in order)) for name, order in zip(BASELINES, orders, strict=True)
    }


def _homes(passage: Passage) -> Iterator[str]:
    yield passage.path
    yield from (also.path for also in passage.also)


def _told(
    result: Result, collection: str, measure: str, scores: Mapping[str, list[float]], *, is_marked: bool
) -> dict[str, float]:
    """Adds the contestants' means, and gives them back."""
    means = {who: fmean(values) for who, values in scores.items()}
    best = max((who for who in means if who != OURS), key=lambda who: means[who])
    for who, mean in means.items():
        ours = who == OURS
        result.add(
            Measure(
                name=f"{collection}: {measure}, {who}",
                unit="",
                value=mean,
                samples=len(scores[who]),
                least=means[best] if ours and is_marked else None,
                ratio=mean / means[best] if ours and means[best] else None,
                to=best if ours else None,
            )
        )
    return means


def _kinds(result: Result, collection: Collection, scores: Mapping[str, list[float]]) -> None:
    kinds = [collection.kinds.get(question) for question in collection.asked]
    for kind in dict.fromkeys(filter(None, kinds)):
        for who in (BASELINES[-1], OURS):
            values = [score for score, of in zip(scores[who], kinds, strict=True) if of == kind]
            name = f"{collection.name}, {kind}: nDCG@10, {who}"
            result.add(Measure(name=name, unit="", value=fmean(values), samples=len(values)))


def _collections(options: Options) -> Iterator[tuple[Collection, bool]]:
    """Those that were named, or those of the trial data; and whether the mark is set for it."""
    if options.own.collections:
        yield from ((read_collection(path, SHORT if options.short else None), True) for path in options.own.collections)
        return
    if options.short:
        yield headings(options.documents, SHORT), True
        return
    retrieval = options.data / "retrieval"
    documents_folder = options.documents
    yield read_collection(retrieval / "cranfield"), True
    yield read_collection(retrieval / "xquad.en.json"), True
    yield own_questions(documents_folder), True
    yield read_collection(retrieval / "xquad.de.json"), False


def _own_options(known: argparse.ArgumentParser) -> None:
    known.add_argument("--collections", type=Path, nargs="+", metavar="PATH", help="other collections to measure with")


if __name__ == "__main__":
    run_alone(__doc__ or "", bench, "ranking", "Ranking: this search and the usual ones", _own_options)
