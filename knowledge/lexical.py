"""The lexical index: BM25 over stemmed words and whole identifiers, by tantivy.

All methods block: call them in a worker thread. What a search may find is a filter inside the query, exact at any
selectivity.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import tantivy
from tantivy import FieldType, Occur, Query, Tokenizer

from knowledge.analysis import DEFAULT, Analyzer
from knowledge.errors import IndexBroken
from knowledge.filters import Reach, moment
from knowledge.key_sum import key_sum
from knowledge.ranking.candidate import Term
from knowledge.records import Facets
from knowledge.spelling import Vocabulary

_MOST_TERMS = 64  # of a long question the rarest words decide, and the rest costs time
_GUESSED = 0.6  # what a word counts that is not the question's own, but spelt like it
_HEAP_BYTES = 30_000_000


@dataclass(frozen=True, slots=True)
class Entry:
    """A chunk as the index takes it in: `text` is what is searched."""

    key: int
    facets: Facets
    text: str


@dataclass(frozen=True, slots=True)
class Wording:
    """A question in the words that the index has.

    `guessed` are those of `terms` that no text has: their forms are spelt like them. `names` are identifiers.
    """

    terms: tuple[Term, ...]
    guessed: frozenset[Term]
    names: tuple[str, ...]


class LexicalIndex:
    """Chunks by their words. Raises IndexBroken."""

    name = "lexical index"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = folder / "tantivy"
        self.analyzer = Analyzer()
        self._schema = _schema()
        self._index: Any = None
        self._writer: Any = None

    def open(self, place: str) -> None:
        """Opens what is there; there is one `place`, "tantivy"."""
        self._connect()

    def recreate(self) -> str:
        """Begins anew with an empty index; returns its place."""
        self.close()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._connect()
        return self._files.name

    def tidy(self) -> None:
        """Leaves nothing behind of what was before: `recreate` did not either."""

    def add(self, entries: Iterable[Entry]) -> None:
        """Takes in chunks. Seen by searches after `commit`."""
        with _explained("it could not be written"):
            for entry in entries:
                self._writing().add_document(self._document(entry))

    def remove(self, keys: Sequence[int]) -> None:
        """Takes chunks out. Seen by searches after `commit`."""
        with _explained("it could not be written"):
            # A term made from a Python int is signed and matches no unsigned field; a set of terms follows the schema.
            self._writing().delete_documents_by_query(Query.term_set_query(self._schema, "key", list(keys)))

    def commit(self) -> None:
        """Lets searches see what was written."""
        with _explained("it could not be written"):
            self._writing().commit()
            self._index.reload()

    def rest(self) -> None:
        """Ends the writing for now, and gives its memory back."""
        writer, self._writer = self._writer, None
        if writer is not None:
            with _explained("it could not be written"):
                writer.wait_merging_threads()
                self._index.reload()

    def count(self) -> int:
        """How many chunks it says it holds."""
        with _explained("it failed"):
            return int(self._index.searcher().num_docs)

    def holds(self) -> tuple[int, int]:
        """How many chunks it really holds, and the sum of their keys (see `knowledge.key_sum`); reads them all."""
        with _explained("it failed"):
            searcher = self._index.searcher()
            total = int(searcher.num_docs)
            hits = searcher.search(Query.const_score_query(Query.all_query(), 1.0), max(total, 1), count=False).hits
            keys = searcher.fast_field_values("key", [address for _, address in hits])
            return len(keys), key_sum([int(key) for key in keys])

    def try_out(self) -> None:
        """Looks for the first word that comes: what is damaged fails here."""
        with _explained("it failed"):
            self.search(self.wording("the 1", ()), None, 1)

    def wording(self, text: str, languages: Iterable[str]) -> Wording:
        """The question's telling words as the index has them, with what each tells; `languages` are those it has."""
        with _explained("it failed"):
            searcher = self._index.searcher()
            spoken = [DEFAULT, *sorted(languages)]
            words = self.analyzer.words(text)
            forms = [self.analyzer.forms(word, spoken) for word in words]
            held = [[searcher.doc_freq("words", form) for form in each] for each in forms]
            chosen = sorted(_rarest([sum(each) for each in held]))
            terms: list[Term] = []
            guessed: set[Term] = set()
            for n in chosen:
                there = tuple(form for form, count in zip(forms[n], held[n], strict=True) if count)
                alike = () if there or len(words) > _MOST_TERMS else self._alike(searcher, words[n], spoken)
                terms.append(Term(there or alike or forms[n], self._idf(sum(held[n]))))
                guessed.update(terms[-1:] if alike else ())
            names = (name for one in self.analyzer.identifiers(text) for name in self._names(searcher, one))
            return Wording(tuple(terms), frozenset(guessed), tuple(dict.fromkeys(names))[:_MOST_TERMS])

    def search(self, wording: Wording, reach: Reach | None, count: int) -> list[tuple[int, float]]:
        """The keys of the `count` best chunks within `reach` (None: all) with their scores, best first."""
        query = self._query(wording)
        if query is None:
            return []
        return self._hits(query, [] if reach is None else self._within(reach), count)

    def scores(self, wording: Wording, keys: Sequence[int]) -> dict[int, float]:
        """What some chunks score, of those that hold any of the words."""
        query = self._query(wording)
        if query is None or not keys:
            return {}
        return dict(self._hits(query, [Query.term_set_query(self._schema, "key", list(keys))], len(keys)))

    def close(self) -> None:
        """Lets go of the folder. What was not committed is lost."""
        self._writer = None
        self._index = None

    def _hits(self, query: Any, filters: Sequence[Any], count: int) -> list[tuple[int, float]]:
        if filters:
            silent = [(Occur.Must, Query.const_score_query(one, 0.0)) for one in filters]
            query = Query.boolean_query([(Occur.Must, query), *silent])
        with _explained("it failed"):
            searcher = self._index.searcher()
            hits = searcher.search(query, count, count=False).hits
            keys = searcher.fast_field_values("key", [address for _, address in hits])
            return [(int(key), float(score)) for key, (score, _) in zip(keys, hits, strict=True)]

    def _query(self, wording: Wording) -> Any:
        parts = [self._term(term, term in wording.guessed) for term in wording.terms if term.forms]
        parts += [Query.term_query(self._schema, "identifiers", name) for name in wording.names]
        return Query.boolean_query([(Occur.Should, part) for part in parts]) if parts else None

    def _term(self, term: Term, is_guess: bool) -> Any:
        forms = [Query.term_query(self._schema, "words", form) for form in term.forms]
        query = forms[0] if len(forms) == 1 else Query.disjunction_max_query(forms)
        return Query.boost_query(query, _GUESSED) if is_guess else query

    def _within(self, reach: Reach) -> list[Any]:
        """What a chunk has to be to be found."""
        sets = {"readers": reach.scopes, "source": reach.sources}
        sets |= {"language": reach.languages} if reach.languages else {}
        sets |= {"tags": reach.tags} if reach.tags else {}
        filters = [Query.term_set_query(self._schema, field, sorted(names)) for field, names in sets.items()]
        if reach.updated_after is not None:
            after = moment(reach.updated_after)
            kind = FieldType.Float
            filters.append(Query.range_query(self._schema, "updated", kind, after, None, include_lower=False))
        return filters

    def _alike(self, searcher: Any, word: str, languages: Sequence[str]) -> tuple[str, ...]:
        """The words that one which no text has may stand for."""
        if self.analyzer.is_common(word):
            return ()
        vocabulary = Vocabulary(searcher, "words")
        for language in languages:
            alike = vocabulary.alike(word, partial(self.analyzer.stems, language=language))
            if alike:
                return tuple(alike)
        return ()

    def _names(self, searcher: Any, name: str) -> list[str]:
        """An identifier if it is there, else those that begin with it."""
        return [name] if searcher.doc_freq("identifiers", name) else Vocabulary(searcher, "identifiers").begun(name)

    def _idf(self, held: int) -> float:
        """As in BM25: ln(1 + (N − n + ½) / (n + ½)) for n of N chunks."""
        total = self._index.searcher().num_docs
        held = min(held, total)  # removed chunks count until segments merge
        return math.log(1 + (total - held + 0.5) / (held + 0.5))

    def _document(self, entry: Entry) -> Any:
        facets = entry.facets
        document = tantivy.Document()
        document.add_unsigned("key", entry.key)
        document.add_text("source", facets.source)
        for scope in facets.readers:
            document.add_text("readers", scope)
        for tag in facets.tags:
            document.add_text("tags", tag)
        if facets.language is not None:
            document.add_text("language", facets.language)
        if facets.updated is not None:
            document.add_float("updated", moment(facets.updated))
        document.add_text("words", " ".join(self.analyzer.stems(entry.text, facets.language or "")))
        document.add_text("identifiers", " ".join(self.analyzer.identifiers(entry.text)))
        return document

    def _connect(self) -> None:
        with _explained("it cannot be opened"):
            self._files.mkdir(parents=True, exist_ok=True)
            self._index = tantivy.Index(self._schema, str(self._files))
            self._index.register_tokenizer("terms", tantivy.TextAnalyzerBuilder(Tokenizer.whitespace()).build())
            self._index.reload()

    def _writing(self) -> Any:
        if self._index is None:
            raise IndexBroken("it is closed")
        if self._writer is None:
            self._writer = self._index.writer(_HEAP_BYTES, 1)
        return self._writer


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """Raises IndexBroken for all that tantivy fails with."""
    try:
        yield
    except (ValueError, OSError, AttributeError) as error:
        raise IndexBroken(f"{what} ({_first_line(error)})") from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # its Rust's panics have no class that could be named here
            raise
        raise IndexBroken(f"{what} ({_first_line(error)})") from error


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


def _rarest(held: Sequence[int]) -> list[int]:
    """The places of the rarest words of a long question, those that no text has last."""
    return sorted(range(len(held)), key=lambda n: (not held[n], held[n]))[:_MOST_TERMS]


def _schema() -> Any:
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("key", indexed=True, fast=True)
    builder.add_float_field("updated", fast=True)
    for name in ("source", "readers", "language", "tags"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    for name in ("words", "identifiers"):
        builder.add_text_field(name, tokenizer_name="terms", index_option="freq")
    return builder.build()
