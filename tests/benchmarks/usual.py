"""Hybrid search as it is usually put together from libraries: windows of words, SQLite FTS5 and cosine, fused.

It shares the embedding model with this project and nothing else: no structure, no trail of headings, no stems by
language. A document counts by its best window.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from ranking_scores import by_score, halves, reciprocal

from knowledge.documents import Vector
from knowledge.embedding.base import Embedder

CONTESTANTS = ("FTS5", "windows (MiniLM)", "FTS5 and windows, reciprocal ranks", "FTS5 and windows, half and half")
_WINDOW, _STRIDE = 160, 130  # words: about the 256 tokens that the model reads
_DEPTH = 100
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class UsualSearch:
    """`paths[i]` is the document of window `i`, which is row `i + 1` of the table and row `i` of `vectors`."""

    paths: tuple[str, ...]
    vectors: Vector
    table: sqlite3.Connection

    def ranked(self, question: str, vector: Vector) -> dict[str, list[str]]:
        """The documents in the order of each contestant."""
        cosines = self.vectors @ vector
        dense = np.argsort(-cosines, kind="stable")[:_DEPTH].tolist()
        words = self._by_word(question)
        every = sorted({*dense, *words})
        both = halves({n: float(cosines[n]) for n in every}, {n: words.get(n, 0.0) for n in every})
        orders = (by_score(words), dense, by_score(reciprocal([by_score(words), dense])), by_score(both))
        found = zip(CONTESTANTS, orders, strict=True)
        return {name: list(dict.fromkeys(self.paths[n] for n in order)) for name, order in found}

    def _by_word(self, question: str) -> dict[int, float]:
        match = " OR ".join(f'"{word}"' for word in dict.fromkeys(_WORD.findall(question)))
        query = "SELECT rowid, -rank FROM windows WHERE windows MATCH ? ORDER BY rank LIMIT ?"
        return {row - 1: score for row, score in self.table.execute(query, (match, _DEPTH))} if match else {}


async def usual_search(pages: Mapping[str, str], embedder: Embedder) -> UsualSearch:
    """All pages in windows."""
    windows = [(path, window) for path, text in pages.items() for window in _windows(text.split())]
    table = sqlite3.connect(":memory:")
    table.execute("CREATE VIRTUAL TABLE windows USING fts5(text, tokenize = 'porter unicode61')")
    table.executemany("INSERT INTO windows (text) VALUES (?)", [(window,) for _, window in windows])
    vectors = await embedder.embed([window for _, window in windows])
    return UsualSearch(tuple(path for path, _ in windows), vectors, table)


def _windows(words: Sequence[str]) -> Iterator[str]:
    for start in range(0, max(1, len(words) - _WINDOW + _STRIDE), _STRIDE):
        yield " ".join(words[start : start + _WINDOW])
