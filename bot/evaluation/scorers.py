"""How good an answer is, by what its golden question expects of it."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.evaluation.golden import Golden
from bot.evaluation.support import supported
from bot.models.offline import LABEL, UNSURE
from bot.models.units import plain
from bot.strategies.citing import uncited
from knowledge.documents import Passage
from knowledge.embedding.base import Embedder

EXACT, CONTAINS, F1 = "exact", "contains", "f1"
CITATION_RECALL, SUPPORTED, SIMILARITY, JUDGE = "citation_recall", "supported", "similarity", "judge"
SCORERS = (EXACT, CONTAINS, F1, CITATION_RECALL, SUPPORTED, SIMILARITY)
"""Those that need no model. Each gives 0 to 1."""

_RANKED = ((EXACT, CONTAINS, F1), (SIMILARITY,), (CITATION_RECALL,))

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation + "“”„‘’«»…–—")
_REVIEWED = re.compile(r"\AA reviewed answer to “[^”]*”:\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """An answer as it is shown; the passages that it cites; those that the model had before it."""

    text: str
    cited: tuple[Passage, ...] = ()
    passages: tuple[Passage, ...] = ()


class Scorers:
    """The scorers that were asked for. `embedder` is the one on this machine, so that scoring costs nothing."""

    def __init__(self, embedder: Embedder, names: Iterable[str] = SCORERS) -> None:
        self._embedder = embedder
        self._names = frozenset(names)

    async def scores(self, golden: Golden, given: Given) -> dict[str, float]:
        """Each applicable scorer's score (0 to 1), by name. What a question does not expect is not scored."""
        said = bare(given.text)
        scores: dict[str, float] = {}
        if golden.answers:
            scores[EXACT] = max(exact(said, answer) for answer in golden.answers)
            scores[CONTAINS] = max(contains(said, answer) for answer in golden.answers)
            scores[F1] = max(token_f1(said, answer) for answer in golden.answers)
        if golden.sources:
            scores[CITATION_RECALL] = citation_recall(given.cited, golden.sources)
        if golden.answers and SIMILARITY in self._names:
            scores[SIMILARITY] = await self._similarity(said, golden.answers)
        if given.passages and SUPPORTED in self._names:
            share = await supported(_unframed(given.text), given.passages, self._embedder)
            scores |= {} if share is None else {SUPPORTED: share}
        return {name: score for name, score in scores.items() if name in self._names}

    async def _similarity(self, said: str, answers: Sequence[str]) -> float:
        """The greatest cosine of the answer and an expected one; what points away is 0."""
        first, *others = await self._embedder.embed([said, *answers])
        return max(0.0, min(1.0, max(float(first @ other) for other in others)))


def quality(scores: Mapping[str, float], *, judged: bool) -> float | None:
    """The one number (0 to 1) that ways are compared by; None where it cannot be told.

    Where a judge was asked (`judged`), its score, so that every way is measured by the same rule. Else, where an answer
    is expected, the best of exact, contains and F1 (the similarity where none of these was asked for); else the recall
    of the expected sources. Support is never the quality: an answer can stand in its passages and miss the question.
    """
    if judged:
        return scores.get(JUDGE)
    for rank in _RANKED:
        found = [scores[name] for name in rank if name in scores]
        if found:
            return max(found)
    return None


def bare(text: str) -> str:
    """What the answer says, in one line: without Markdown's marks, citations, and the offline model's frame."""
    return " ".join(plain(_unframed(text)).split())


def _unframed(text: str) -> str:
    """Without citations and what the offline model puts around its quotes."""
    said = _REVIEWED.sub("", text.replace(LABEL, "").replace(UNSURE, "").strip())
    return uncited(said)


def normalized(text: str) -> str:
    """Lower case, no punctuation, no articles, single spaces.

    As SQuAD's evaluation script does it (Rajpurkar et al. 2016, "SQuAD: 100,000+ Questions for Machine Comprehension of
    Text"; evaluate-v1.1.py), with typographic signs as well.
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def exact(said: str, expected: str) -> float:
    """1 where both say the same, else 0."""
    return float(normalized(said) == normalized(expected))


def contains(said: str, expected: str) -> float:
    """1 where the answer has the expected words in a row, else 0."""
    wanted = normalized(expected)
    return float(bool(wanted) and f" {wanted} " in f" {normalized(said)} ")


def token_f1(said: str, expected: str) -> float:
    """Harmonic mean (0 to 1) of precision and recall of the words, as SQuAD reckons it."""
    own, wanted = normalized(said).split(), normalized(expected).split()
    if not own or not wanted:
        return float(own == wanted)
    common = sum((Counter(own) & Counter(wanted)).values())
    if not common:
        return 0.0
    precision, recall = common / len(own), common / len(wanted)
    return 2 * precision * recall / (precision + recall)


def citation_recall(cited: Sequence[Passage], expected: Sequence[str]) -> float:
    """Share (0 to 1) of the expected documents that are cited, by their title, path or link."""
    names = {name for passage in cited for name in _names(passage)}
    return sum(document_name(source) in names for source in expected) / len(expected)


def _names(passage: Passage) -> Iterable[str]:
    for title, path, url in (
        (passage.title, passage.path, passage.url),
        *((other.title, other.path, other.url) for other in passage.also),
    ):
        yield from document_names(title, path, url)


def document_names(title: str, path: str, url: str | None) -> Iterable[str]:
    """All names by which a document can be expected."""
    links = (url, url.partition("#")[0]) if url else ()
    return map(document_name, (title, path, *links))


def document_name(text: str) -> str:
    """A title, path or link as it is compared with another one."""
    return " ".join(text.casefold().split()).rstrip("/")
