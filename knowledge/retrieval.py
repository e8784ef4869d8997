"""Hybrid search: the best by meaning and the best by word, fused by their ranks, for those who may read them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from knowledge.chunking import searchable
from knowledge.documents import Passage, SearchResult, Vector
from knowledge.embedding.base import Embedder
from knowledge.errors import IndexBroken
from knowledge.indexes import Indexes
from knowledge.records import Found
from knowledge.store import Store
from knowledge.vectors import Mask, Snapshot

RRF_K = 60  # Cormack, Clarke and Büttcher (2009): how little the first ranks count more than the next
CANDIDATES = 50  # of each side
_AGREEING = 10
# Up to this many readable chunks an exact scan takes less than a millisecond; with more of them Chroma is asked.
_EXACT_ROWS = 5_000
_EXACT_SHARE = 0.2  # below this share, most of what Chroma finds would have to be dropped
_SPARE = 20


@dataclass(frozen=True, slots=True)
class _Ranked:
    """What both sides found, each best first."""

    dense: list[int]
    words: list[int]
    snapshot: Snapshot


class Retriever:
    """Answers searches while a refresh writes: each sees one moment of the vectors and drops what has gone since."""

    def __init__(self, store: Store, embedder: Embedder, indexes: Indexes) -> None:
        self._store = store
        self._embedder = embedder
        self._indexes = indexes
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="search")

    async def search(self, text: str, scopes: frozenset[str], sources: frozenset[str], k: int) -> SearchResult:
        """The `k` best passages for a question that an audience with `scopes` may read, from the sources named."""
        vector = await self._embedder.embed_query(text)
        loop = asyncio.get_running_loop()
        snapshot = self._indexes.snapshot
        ranked = await loop.run_in_executor(self._threads, self._rank, snapshot, text, vector, scopes, sources)
        scores = fuse([ranked.dense, ranked.words])
        best = sorted(scores, key=lambda key: (-scores[key], key))[: k + _SPARE]
        found = await self._store.find(best) if best else {}
        # The database has the last word: what was removed or closed to these readers meanwhile is not shown.
        shown = [found[key] for key in best if key in found and not found[key].document.readers.isdisjoint(scopes)][:k]
        agreement = overlap(ranked.dense[:_AGREEING], ranked.words[:_AGREEING])
        passages, coverage = await loop.run_in_executor(
            self._threads, self._describe, text, vector, shown, scores, snapshot
        )
        return SearchResult(passages, vector, coverage, agreement)

    async def close(self) -> None:
        """Waits for the searches that run."""
        await asyncio.to_thread(self._threads.shutdown)

    def _rank(
        self, snapshot: Snapshot, text: str, vector: Vector, scopes: frozenset[str], sources: frozenset[str]
    ) -> _Ranked:
        mask = snapshot.readable(scopes, sources)
        if not mask.any():
            return _Ranked([], [], snapshot)
        return _Ranked(
            nearest_readable(self._indexes, snapshot, vector, mask),
            self._by_word(snapshot, text, mask, scopes, sources),
            snapshot,
        )

    def _by_word(
        self, snapshot: Snapshot, text: str, mask: Mask, scopes: frozenset[str], sources: frozenset[str]
    ) -> list[int]:
        index = self._indexes.lexical
        if not self._indexes.is_usable(index):
            return []
        allowed = snapshot.open_shelves(scopes, sources)
        shelves = [shelf for shelf, is_open in zip(snapshot.shelves, allowed, strict=True) if is_open]
        try:
            terms = index.analyzer.question(text)
            keys = index.search(terms, text, None if all(allowed) else shelves, CANDIDATES)
        except IndexBroken as error:
            self._indexes.report_broken(index, error)
            return []
        rows = ((key, snapshot.row_of(key)) for key in keys)
        return [key for key, row in rows if row is not None and mask[row]]

    def _describe(
        self, text: str, vector: Vector, shown: Sequence[Found], scores: dict[int, float], snapshot: Snapshot
    ) -> tuple[tuple[Passage, ...], float]:
        """The passages with their measures, and the share of the question that they hold together."""
        lexical = self._indexes.lexical
        terms = lexical.analyzer.question(text)
        weights = lexical.weights(terms) if self._indexes.is_usable(lexical) else dict.fromkeys(terms, 1.0)
        together: set[str] = set()
        passages: list[Passage] = []
        for found in shown:
            document = found.document
            front = [document.path, document.title, " ".join(found.heading)]
            stems = lexical.analyzer.stems(searchable(front, found.text))
            together |= stems
            passages.append(
                Passage(
                    chunk_id=str(found.key),
                    document_id=document.id,
                    source=document.source,
                    title=document.title,
                    heading=found.heading,
                    text=found.text,
                    url=document.url,
                    updated=document.updated,
                    score=scores[found.key],
                    similarity=snapshot.cosine(found.key, vector),
                    lexical=share(weights, stems),
                )
            )
        return tuple(passages), share(weights, together)


def nearest_readable(indexes: Indexes, snapshot: Snapshot, vector: Vector, mask: Mask) -> list[int]:
    """The keys of the nearest chunks among those that `mask` lets through, nearest first.

    Exact where few may be read or the index is out of order; else more are asked of the index than are needed, and
    what may not be read is dropped. Blocks.
    """
    total, readable = len(mask), int(np.count_nonzero(mask))
    index = indexes.vectors
    if readable > max(_EXACT_ROWS, _EXACT_SHARE * total) and indexes.is_usable(index):
        wanted = min(total, int(CANDIDATES * total / readable * 1.5) + _SPARE)
        try:
            rows = ((key, snapshot.row_of(key)) for key in index.nearest(vector, wanted))
            near = [key for key, row in rows if row is not None and mask[row]]
            if len(near) >= CANDIDATES:
                return near[:CANDIDATES]
        except IndexBroken as error:
            indexes.report_broken(index, error)
    return [key for key, _ in snapshot.nearest(vector, np.flatnonzero(mask), CANDIDATES)]


def fuse(rankings: Sequence[Sequence[int]]) -> dict[int, float]:
    """Reciprocal rank fusion: the sum of 1 / (60 + rank) over the rankings that name a key, ranks from 1."""
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, key in enumerate(ranking, 1):
            scores[key] = scores.get(key, 0.0) + 1 / (RRF_K + rank)
    return scores


def overlap(one: Sequence[int], other: Sequence[int]) -> float:
    """How much of the shorter list the other names too, 0 to 1; 0 where one is empty."""
    shortest = min(len(one), len(other))
    return len(set(one) & set(other)) / shortest if shortest else 0.0


def share(weights: dict[str, float], stems: set[str]) -> float:
    """The part of the weights' sum that belongs to `stems`, 0 to 1."""
    total = sum(weights.values())
    return sum(weight for term, weight in weights.items() if term in stems) / total if total else 0.0
