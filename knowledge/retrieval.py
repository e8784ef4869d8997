"""Search: the nearest by meaning and the best by word of what may be found, put in order by the ranking."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from knowledge.contents import Contents
from knowledge.documents import Also, Passage, SearchResult, Vector
from knowledge.embedding.base import CloseEmbedder, Embedder
from knowledge.embedding.words import QuestionWords
from knowledge.errors import EmbeddingUnavailable, IndexBroken
from knowledge.filters import Reach
from knowledge.indexes import Indexes
from knowledge.lexical import Wording
from knowledge.ranking.candidate import Candidate, RankedQuestion
from knowledge.ranking.features import Column, stretched
from knowledge.ranking.passages import Joined, passages
from knowledge.ranking.ranker import NEAR, rank
from knowledge.ranking.weights import Weights
from knowledge.records import Found
from knowledge.shelves import Mask
from knowledge.vectors import Rows, Snapshot

CANDIDATES = 100  # of each side, or twice as many as are wanted
# Up to this many readable chunks all of them are compared, which is exact and takes about 17 ms for a million; with
# more of them Chroma is asked for some more than are needed, and what may not be found is dropped.
_EXACT_ROWS = 1_000_000
_EXACT_SHARE = 0.2  # below this share, most of what Chroma finds would have to be dropped
_SPARE = 20
_AGREEING = 10
# Chunks that score below this share of the best match its common words alone.
_TELLING_SHARE = 0.4


@dataclass(frozen=True, slots=True, eq=False)
class _Worded:
    """What may be found at one moment, and the best of it by word: their scores by key, best first."""

    snapshot: Snapshot
    mask: Mask
    wording: Wording
    scores: dict[int, float]


@dataclass(frozen=True, slots=True, eq=False)
class _Finds:
    """What both sides found: the most promising chunks, best first, each with what both sides gave it.

    `agreement` is how much the best of one side are the best of the other, 0 to 1.
    """

    wording: Wording
    keys: list[int]
    vectors: Vector
    cosines: Vector
    by_meaning: Column
    by_word: Column
    agreement: float


class Retriever:
    """Answers searches while a refresh writes: each sees one moment of the vectors and drops what has gone since."""

    def __init__(self, contents: Contents, embedder: Embedder, indexes: Indexes) -> None:
        self._contents = contents
        self._embedder = embedder
        self._indexes = indexes
        self._weights = Weights()
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="search")

    async def search(self, text: str, reach: Reach, k: int, *, joined: bool = True) -> SearchResult:
        """The `k` best passages for a question within `reach`. With `joined` false each chunk is a passage."""
        run, count = asyncio.get_running_loop().run_in_executor, max(CANDIDATES, 2 * k)
        # The words need no vector: both go on at the same time.
        (vector, words), worded = await asyncio.gather(
            self._embedded(text), run(self._threads, self._by_word, text, reach, count)
        )
        finds = await run(self._threads, self._find, vector, worded, count, max(NEAR, 2 * k))
        found = await self._contents.find(finds.keys, self._embedder.name, reach) if finds.keys else {}
        return await run(self._threads, self._rank, text, vector, words, finds, found, k, joined)

    async def close(self) -> None:
        """Waits for the searches that run."""
        await asyncio.to_thread(self._threads.shutdown)

    async def _embedded(self, text: str) -> tuple[Vector, QuestionWords | None]:
        """The question's vector; without a model that can be asked, none has any likeness to it."""
        try:
            if isinstance(self._embedder, CloseEmbedder):
                return await self._embedder.embed_query_closely(text)
            return await self._embedder.embed_query(text), None
        except EmbeddingUnavailable:
            return np.zeros(self._embedder.dimensions, np.float32), None

    def _by_word(self, text: str, reach: Reach, count: int) -> _Worded:
        snapshot = self._indexes.snapshot
        mask = snapshot.readable(reach)
        nothing = _Worded(snapshot, mask, Wording((), frozenset(), ()), {})
        index = self._indexes.lexical
        if not self._indexes.is_usable(index) or not mask.any():
            return nothing
        try:
            wording = index.wording(text, self._indexes.table.languages)
            hits = index.search(wording, None if np.array_equal(mask, snapshot.alive) else reach, count)
        except IndexBroken as error:
            self._indexes.report_broken(index, error)
            return nothing
        rows = snapshot.rows_of([key for key, _ in hits])
        open_keys = set(snapshot.keys[rows[mask[rows]]].tolist())
        return _Worded(snapshot, mask, wording, {key: score for key, score in hits if key in open_keys})

    def _find(self, vector: Vector, worded: _Worded, count: int, texts: int) -> _Finds:
        snapshot, mask = worded.snapshot, worded.mask
        rows = nearest_readable(self._indexes, snapshot, vector, mask, count) if vector.any() else np.empty(0, np.intp)
        dense = snapshot.keys[rows].tolist()
        scores = self._scored(worded, [key for key in dense if key not in worded.scores])
        every = snapshot.rows_of([*dict.fromkeys([*dense, *worded.scores])])
        keys = snapshot.keys[every]
        vectors = snapshot.full.read(every)
        cosines = vectors @ vector
        by_meaning = stretched(cosines.astype(np.float64))
        by_word = stretched(np.array([scores.get(key, 0.0) for key in keys.tolist()]))
        order = np.lexsort((keys, -by_meaning - by_word))
        best = order[: _until(cosines[order], texts)]
        alike = dict(zip(keys.tolist(), cosines.tolist(), strict=True))
        return _Finds(
            worded.wording,
            keys[best].tolist(),
            vectors[best],
            cosines[best],
            by_meaning[best],
            by_word[best],
            _agreement([alike[key] for key in dense], [(alike[key], score) for key, score in worded.scores.items()]),
        )

    def _scored(self, worded: _Worded, keys: Sequence[int]) -> dict[int, float]:
        """The scores of the best by word and of others too."""
        index = self._indexes.lexical
        if not worded.scores or not self._indexes.is_usable(index):
            return worded.scores
        try:
            return worded.scores | index.scores(worded.wording, keys)
        except IndexBroken as error:
            self._indexes.report_broken(index, error)
            return worded.scores

    def _rank(
        self,
        text: str,
        vector: Vector,
        words: QuestionWords | None,
        finds: _Finds,
        found: Mapping[int, Found],
        k: int,
        joined: bool,
    ) -> SearchResult:
        homes = _homes(finds.keys, found)
        candidates = _candidates(finds, found, homes)
        terms, stems = finds.wording.terms, self._indexes.lexical.analyzer.stems
        question = RankedQuestion(text, vector, terms, stems, datetime.now(UTC), words)
        ranking = rank(question, candidates, self._weights)
        shown = passages(ranking.ranked, k, joined=joined)
        together: frozenset[int] = frozenset().union(*(part.held for each in shown for part in each.parts))
        weights = [term.idf for term in terms]
        return SearchResult(
            tuple(_passage(each, found, homes, weights) for each in shown),
            vector,
            share(weights, together),
            finds.agreement,
            ranking.probability,
            ranking.signs,
        )


def nearest_readable(indexes: Indexes, snapshot: Snapshot, vector: Vector, mask: Mask, count: int) -> Rows:
    """The rows of the `count` nearest chunks among those that `mask` lets through, nearest first. Blocks."""
    total, readable = len(mask), int(np.count_nonzero(mask))
    index = indexes.vectors
    if readable > max(_EXACT_ROWS, _EXACT_SHARE * total) and indexes.is_usable(index):
        wanted = min(total, int(count * total / readable * 1.5) + _SPARE)
        try:
            near = snapshot.rows_of(index.nearest(vector, wanted, in_haste=True))
            near = near[mask[near]]
            if len(near) >= count:
                order = np.lexsort((near, -snapshot.cosines(near, vector)))
                return near[order[:count]]
        except IndexBroken as error:
            indexes.report_broken(index, error)
    return snapshot.nearest(vector, mask, count)[0]


def _until(cosines: Vector, texts: int) -> int:
    """How many of the first chunks say so many different things: those with one vector say the same."""
    _, first = np.unique(cosines, return_index=True)
    return int(np.sort(first)[texts]) if len(first) > texts else len(cosines)


def _homes(keys: Sequence[int], found: Mapping[int, Found]) -> dict[str, list[int]]:
    """For each text the chunks that say it, the best first."""
    homes: dict[str, list[int]] = {}
    for key in keys:
        if key in found:
            homes.setdefault(found[key].digest, []).append(key)
    return homes


def _candidates(finds: _Finds, found: Mapping[int, Found], homes: Mapping[str, Sequence[int]]) -> list[Candidate]:
    """One for each text."""
    places = {key: place for place, key in enumerate(finds.keys)}
    candidates: list[Candidate] = []
    for digest, keys in homes.items():
        one, place = found[keys[0]], places[keys[0]]
        document = one.document
        candidates.append(
            Candidate(
                key=one.key,
                digest=digest,
                document_id=document.id,
                position=one.position,
                path=document.path,
                title=document.title,
                heading=one.heading,
                text=one.text,
                updated=document.updated,
                vector=finds.vectors[place],
                cosine=float(finds.cosines[place]),
                by_meaning=float(finds.by_meaning[place]),
                by_word=float(finds.by_word[place]),
                language=document.language or "",
                words=one.words,
            )
        )
    return candidates


def _passage(
    joined: Joined, found: Mapping[int, Found], homes: Mapping[str, Sequence[int]], weights: Sequence[float]
) -> Passage:
    best = joined.best.candidate
    one = found[best.key]
    document = one.document
    others = (found[key] for key in homes[best.digest] if found[key].document.id != document.id)
    elsewhere = {other.document.id: other for other in reversed([*others])}
    return Passage(
        chunk_id=str(best.key),
        document_id=document.id,
        source=document.source,
        title=document.title,
        heading=one.heading,
        text=joined.text,
        url=one.url,
        updated=document.updated,
        score=joined.best.score,
        similarity=max(part.candidate.cosine for part in joined.parts),
        lexical=share(weights, frozenset().union(*(part.held for part in joined.parts))),
        also=tuple(
            Also(each.document.title, each.url, each.document.source, each.document.path) for each in elsewhere.values()
        ),
        path=document.path,
        author=document.author,
    )


def _agreement(dense: Sequence[float], words: Sequence[tuple[float, float]]) -> float:
    """How much the best of both sides are the same texts, each known by its cosine; the words' with their scores."""
    least = _TELLING_SHARE * max((score for _, score in words), default=0.0)
    telling = dict.fromkeys(cosine for cosine, score in words if score >= least)
    return overlap([*dict.fromkeys(dense)][:_AGREEING], [*telling][:_AGREEING])


def overlap(one: Sequence[object], other: Sequence[object]) -> float:
    """How much of the shorter list the other names too, 0 to 1; 0 where one is empty."""
    shortest = min(len(one), len(other))
    return len(set(one) & set(other)) / shortest if shortest else 0.0


def share(weights: Sequence[float], held: frozenset[int]) -> float:
    """The part of the weights' sum that the numbers `held` name, 0 to 1."""
    total = sum(weights)
    return min(1.0, sum(weights[number] for number in held) / total) if total else 0.0
