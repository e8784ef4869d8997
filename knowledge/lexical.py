"""The lexical index: BM25 over stemmed words and whole identifiers, by tantivy.

All methods block: call them in a worker thread. Access is a filter inside the query, exact at any selectivity.
"""

from __future__ import annotations

import hashlib
import math
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import tantivy
from tantivy import Filter, Occur, Query, Tokenizer

from knowledge import access
from knowledge.errors import IndexBroken
from knowledge.stamp import Stamp, StampFile
from knowledge.vectors import Shelf

# kube-apiserver, ERR_CONN_RESET, v1.27.3, app/config.yaml: words joined by signs, found whole besides their parts.
_IDENTIFIER = r"[\p{L}\p{N}]+(?:[-_.:/#@]+[\p{L}\p{N}]+)+"
_LONGEST_WORD = 64
_MOST_TERMS = 64  # of a long question the rarest words decide, and the rest costs time
# Words that make a text a question and say nothing of what it is about; tantivy's own list has none of them.
_ASKING = (
    "what who whom whose when where which why how do does did can could should would may might must have has had "
    "am were been being i me my mine we us our ours you your yours he she him her his its about from please tell "
    "any some so than up out over don t s ll re ve m d"
)
# Chunks that score below this share of the best match its common words alone, and would only blur a fusion by ranks
# (nDCG@10 fused: xquad .970 to .973, cranfield .412 to .413).
_TELLING_SHARE = 0.4
_HEAP_BYTES = 30_000_000


class Analyzer:
    """Cuts text into terms: words at their stems, and identifiers whole."""

    def __init__(self, language: str = "english") -> None:
        self.words = _words().filter(Filter.stemmer(language)).build()
        self.identifiers = (
            tantivy.TextAnalyzerBuilder(Tokenizer.regex(_IDENTIFIER))
            .filter(Filter.remove_long(_LONGEST_WORD))
            .filter(Filter.lowercase())
            .build()
        )
        self._asked = _words().filter(Filter.stopword(language)).filter(Filter.stemmer(language)).build()
        self._asking = set(self.words.analyze(_ASKING))

    def question(self, text: str) -> list[str]:
        """The different stems of a question, without the words that every text has (unless it has no others)."""
        telling = [stem for stem in self._asked.analyze(text) if stem not in self._asking]
        return list(dict.fromkeys(telling or self.words.analyze(text)))

    def stems(self, text: str) -> set[str]:
        """The stems of a text."""
        return set(self.words.analyze(text))


class LexicalIndex:
    """Chunks by their words. Raises IndexBroken."""

    name = "lexical index"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = folder / "tantivy"
        self._stamp = StampFile(folder / "stamp.json")
        self.analyzer = Analyzer()
        self._schema = _schema()
        self._index: Any = None
        self._writer: Any = None

    def open(self, expected: Stamp) -> None:
        """Opens what is there. Raises IndexBroken unless it is whole and holds what `expected` says."""
        if self._stamp.read() != expected:
            raise IndexBroken("it is missing, was not finished, or is not what the database holds")
        self._stamp.lift()
        self._connect()
        if self._index.searcher().num_docs != expected["count"]:
            raise IndexBroken("it does not hold as many chunks as the database")
        self.seal(expected)

    def recreate(self) -> None:
        """Begins anew with an empty index."""
        self.close()
        self._stamp.lift()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._connect()

    def add(self, chunks: Iterable[tuple[int, Shelf, str]]) -> None:
        """Takes in chunks: key, shelf, and the text that is searched. Seen by searches after `commit`."""
        self._stamp.lift()
        try:
            for key, shelf, text in chunks:
                document = tantivy.Document()
                document.add_unsigned("key", key)
                document.add_text("shelf", shelf_term(shelf))
                document.add_text("words", text)
                document.add_text("identifiers", text)
                self._writing().add_document(document)
        except (ValueError, OSError) as error:
            raise IndexBroken(f"it could not be written ({error})") from error

    def remove(self, keys: Sequence[int]) -> None:
        """Takes chunks out. Seen by searches after `commit`."""
        self._stamp.lift()
        try:
            # A term made from a Python int is signed and matches no unsigned field; a set of terms follows the schema.
            self._writing().delete_documents_by_query(Query.term_set_query(self._schema, "key", list(keys)))
        except (ValueError, OSError) as error:
            raise IndexBroken(f"it could not be written ({error})") from error

    def commit(self) -> None:
        """Lets searches see what was written."""
        try:
            self._writing().commit()
            self._index.reload()
        except (ValueError, OSError) as error:
            raise IndexBroken(f"it could not be written ({error})") from error

    def seal(self, stamp: Stamp) -> None:
        """Ends the writing: gives its memory back and says what the index now holds."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.wait_merging_threads()
            self._index.reload()
        self._stamp.set(stamp)

    def search(self, terms: Sequence[str], text: str, shelves: Sequence[Shelf] | None, count: int) -> list[int]:
        """The keys of the `count` best chunks, best first, without those that hardly match.

        `terms` are the question's stems, `text` the question (for its identifiers), `shelves` those that may be read
        (None: all).
        """
        wanted = [Query.term_query(self._schema, "words", term) for term in self._rarest(terms)]
        names = dict.fromkeys(self.analyzer.identifiers.analyze(text))
        wanted += [Query.term_query(self._schema, "identifiers", name) for name in names]
        if not wanted:
            return []
        query = Query.boolean_query([(Occur.Should, one) for one in wanted])
        if shelves is not None:
            open_shelves = Query.term_set_query(self._schema, "shelf", [shelf_term(shelf) for shelf in shelves])
            readable = Query.const_score_query(open_shelves, 0.0)
            query = Query.boolean_query([(Occur.Must, query), (Occur.Must, readable)])
        try:
            searcher = self._index.searcher()
            hits = searcher.search(query, count, count=False).hits
            telling = [address for score, address in hits if score >= _TELLING_SHARE * hits[0][0]]
            return [int(key) for key in searcher.fast_field_values("key", telling)]
        except (ValueError, OSError) as error:
            raise IndexBroken(f"it failed ({error})") from error

    def weights(self, terms: Sequence[str]) -> dict[str, float]:
        """For each term its idf, as in BM25: ln(1 + (N − n + ½) / (n + ½)) for n of N chunks."""
        searcher = self._index.searcher()
        total = searcher.num_docs
        weights: dict[str, float] = {}
        for term in terms:
            held = min(searcher.doc_freq("words", term), total)  # removed chunks count until segments merge
            weights[term] = math.log(1 + (total - held + 0.5) / (held + 0.5))
        return weights

    def close(self) -> None:
        """Lets go of the folder. What was not committed is lost."""
        self._writer = None
        self._index = None

    def _rarest(self, terms: Sequence[str]) -> list[str]:
        if len(terms) <= _MOST_TERMS:
            return list(terms)
        searcher = self._index.searcher()
        held = {term: searcher.doc_freq("words", term) for term in terms}
        return sorted((term for term in terms if held[term]), key=held.__getitem__)[:_MOST_TERMS]

    def _connect(self) -> None:
        try:
            self._files.mkdir(parents=True, exist_ok=True)
            self._index = tantivy.Index(self._schema, str(self._files))
            self._index.register_tokenizer("words", self.analyzer.words)
            self._index.register_tokenizer("identifiers", self.analyzer.identifiers)
            self._index.reload()
        except (ValueError, OSError) as error:
            raise IndexBroken(f"it cannot be opened ({error})") from error

    def _writing(self) -> Any:
        if self._writer is None:
            self._writer = self._index.writer(_HEAP_BYTES, 1)
        return self._writer


def shelf_term(shelf: Shelf) -> str:
    """A shelf's name in the index: short, and the same in every process."""
    source, readers = shelf
    return hashlib.sha256(f"{source}\0{access.to_key(readers)}".encode()).hexdigest()[:32]


def _words() -> Any:
    return (
        tantivy.TextAnalyzerBuilder(Tokenizer.simple())
        .filter(Filter.remove_long(_LONGEST_WORD))
        .filter(Filter.lowercase())
        .filter(Filter.ascii_fold())
    )


def _schema() -> Any:
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("key", indexed=True, fast=True)
    builder.add_text_field("shelf", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("words", tokenizer_name="words", index_option="freq")
    builder.add_text_field("identifiers", tokenizer_name="identifiers", index_option="freq")
    return builder.build()
