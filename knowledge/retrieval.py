"""Search: the nearest by meaning and the best by word of what may be found, put in order by the ranking."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from knowledge.documents import Also, Passage, SearchResult, Vector
from knowledge.embedding.base import CloseEmbedder, Embedder
from knowledge.embedding.words import QuestionWords
from knowledge.errors import EmbeddingUnavailable, IndexBroken
from knowledge.filters import Reach
from knowledge.indexes import Indexes
from knowledge.lexical import Wording
from knowledge.ranking.candidate import Candidate, RankedQuestion
from knowledge.ranking.passages import Joined, passages
from knowledge.ranking.ranker import rank
from knowledge.ranking.weights import Weights
from knowledge.records import Facets, Found
from knowledge.shelves import Mask
from knowledge.store import Store
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


@dataclass(frozen=True, slots=True)
class _Finds:
    """What both sides found. `dense` and `words` are keys, best first; the mappings know all of them."""

    wording: Wording
    dense: list[int]
    words: list[int]
    cosines: Mapping[int, float]
    scores: Mapping[int, float]
    vectors: Mapping[int, Vector]


class Retriever:
    """Answers searches while a refresh writes: each sees one moment of the vectors and drops what has gone since."""

    def __init__(self, store: Store, embedder: Embedder, indexes: Indexes) -> None:
        self._store = store
        self._embedder = embedder
        self._indexes = indexes
        self._weights = Weights()
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="search")

    async def search(self, text: str, reach: Reach, k: int, *, joined: bool = True) -> SearchResult:
        """The `k` best passages for a question within `reach`. With `joined` false each chunk is a passage."""
        vector, words = await self._embedded(text)
        loop = asyncio.get_running_loop()
        finds = await loop.run_in_executor(self._threads, self._find, text, vector, reach, k)
        keys = [*finds.cosines]
        found = await self._store.find(keys, self._embedder.name) if keys else {}
        # The database has the last word: what was removed or closed to these readers meanwhile is not shown.
        found = {key: one for key, one in found.items() if reach.covers(_facets(one))}
        return await loop.run_in_executor(self._threads, self._rank, text, vector, words, finds, found, k, joined)

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

    def _find(self, text: str, vector: Vector, reach: Reach, k: int) -> _Finds:
        snapshot = self._indexes.snapshot
        mask = snapshot.readable(reach)
        count = max(CANDIDATES, 2 * k)
        rows = nearest_readable(self._indexes, snapshot, vector, mask, count) if vector.any() else np.empty(0, np.intp)
        wording, hits, scores = self._by_word(snapshot, text, mask, reach, count, rows)
        dense = snapshot.keys[rows].tolist()
        every = snapshot.rows_of(list(dict.fromkeys([*dense, *hits])))
        keys = snapshot.keys[every].tolist()
        vectors = snapshot.full.read(every)
        cosines = dict(zip(keys, (vectors @ vector).tolist(), strict=True))
        return _Finds(wording, dense, hits, cosines, scores, dict(zip(keys, vectors, strict=True)))

    def _by_word(
        self, snapshot: Snapshot, text: str, mask: Mask, reach: Reach, count: int, dense: Rows
    ) -> tuple[Wording, list[int], dict[int, float]]:
        """The keys of the best by word, and the scores of these and of the nearest."""
        index = self._indexes.lexical
        nothing = Wording((), frozenset(), ())
        if not self._indexes.is_usable(index) or not mask.any():
            return nothing, [], {}
        try:
            wording = index.wording(text, self._indexes.table.languages)
            hits = index.search(wording, None if np.array_equal(mask, snapshot.alive) else reach, count)
            scores = dict(hits)
            near = [key for key in snapshot.keys[dense].tolist() if key not in scores]
            scores |= index.scores(wording, near)
        except IndexBroken as error:
            self._indexes.report_broken(index, error)
            return nothing, [], {}
        rows = snapshot.rows_of([key for key, _ in hits])
        return wording, snapshot.keys[rows[mask[rows]]].tolist(), scores

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
        homes = _homes(finds, found)
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
            _agreement(finds, found),
            ranking.probability,
        )


def nearest_readable(indexes: Indexes, snapshot: Snapshot, vector: Vector, mask: Mask, count: int) -> Rows:
    """The rows of the `count` nearest chunks among those that `mask` lets through, nearest first. Blocks."""
    total, readable = len(mask), int(np.count_nonzero(mask))
    index = indexes.vectors
    if readable > max(_EXACT_ROWS, _EXACT_SHARE * total) and indexes.is_usable(index):
        wanted = min(total, int(count * total / readable * 1.5) + _SPARE)
        try:
            near = snapshot.rows_of(index.nearest(vector, wanted))
            near = near[mask[near]]
            if len(near) >= count:
                order = np.lexsort((near, -snapshot.cosines(near, vector)))
                return near[order[:count]]
        except IndexBroken as error:
            indexes.report_broken(index, error)
    return snapshot.nearest(vector, mask, count)[0]


def _facets(found: Found) -> Facets:
    document = found.document
    return Facets(document.source, document.readers, document.updated, document.language, document.tags)


def _homes(finds: _Finds, found: Mapping[int, Found]) -> dict[str, list[int]]:
    """For each text the chunks that say it, the one that has more of the question's words first."""
    homes: dict[str, list[int]] = {}
    for key, one in found.items():
        homes.setdefault(one.digest, []).append(key)
    for keys in homes.values():
        keys.sort(key=lambda key: (-finds.scores.get(key, 0.0), key))
    return homes


def _candidates(finds: _Finds, found: Mapping[int, Found], homes: Mapping[str, Sequence[int]]) -> list[Candidate]:
    """One for each text."""
    dense = _ranks(finds.dense, found)
    words = _ranks(finds.words, found)
    candidates: list[Candidate] = []
    for digest, keys in homes.items():
        key = keys[0]
        document = found[key].document
        candidates.append(
            Candidate(
                key=key,
                digest=digest,
                document_id=document.id,
                position=found[key].position,
                path=document.path,
                title=document.title,
                heading=found[key].heading,
                text=found[key].text,
                updated=document.updated,
                vector=finds.vectors[key],
                cosine=finds.cosines[key],
                bm25=finds.scores.get(key, 0.0),
                dense_rank=dense.get(digest),
                lexical_rank=words.get(digest),
                language=document.language or "",
                words=found[key].words,
            )
        )
    return candidates


def _ranks(keys: Sequence[int], found: Mapping[int, Found]) -> dict[str, int]:
    """The place of each text, from 1."""
    digests = dict.fromkeys(found[key].digest for key in keys if key in found)
    return {digest: place for place, digest in enumerate(digests, 1)}


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
    )


def _agreement(finds: _Finds, found: Mapping[int, Found]) -> float:
    best = max((finds.scores[key] for key in finds.words[:1]), default=0.0)
    telling = [key for key in finds.words if finds.scores[key] >= _TELLING_SHARE * best]
    return overlap([*_ranks(finds.dense, found)][:_AGREEING], [*_ranks(telling, found)][:_AGREEING])


def overlap(one: Sequence[str], other: Sequence[str]) -> float:
    """How much of the shorter list the other names too, 0 to 1; 0 where one is empty."""
    shortest = min(len(one), len(other))
    return len(set(one) & set(other)) / shortest if shortest else 0.0


def share(weights: Sequence[float], held: frozenset[int]) -> float:
    """The part of the weights' sum that the numbers `held` name, 0 to 1."""
    total = sum(weights)
    return min(1.0, sum(weights[number] for number in held) / total) if total else 0.0
