"""How well each unit of the passages answers a question, and how sure that is."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bot.models.units import Unit, plain
from knowledge.documents import Passage, Vector

# Words that say nothing about what is asked, English and German; in other languages rarity alone has to tell.
_EMPTY_WORDS = """
a an the of to in on at for from by with and or but not no is are was were be been being do does did has have had will
would can could should may might must it its this that these those there here he she they them his her their we you i
me my our us your what which who whom whose when where why how many much long often old far as into than then so if
about after before between during over under up out off any some all please tell
der die das den dem des ein eine einer eines einem einen und oder aber nicht ist sind war waren wird werden wurde wurden
hat haben hatte hatten von zu im am auf für mit bei aus nach über unter wer was wann wo warum wie viele viel welche
welcher welches welchen welchem es er sie ihr sein ihre als auch dass um durch ich wir man kann
"""
_EMPTY = frozenset(_EMPTY_WORDS.split())
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_]+")
_ENDINGS = ("ings", "ing", "edly", "ed", "ies", "es", "s", "ly", "en", "er", "e", "y")
_SHORTEST_STEM = 4

_ASKS_DATE = re.compile(r"\b(when|what (day|date|time|year)|which (day|date|year)|wann)\b", re.IGNORECASE)
_ASKS_NUMBER = re.compile(
    r"\bhow (many|much|long|old|far|often|big|large|high)\b|\bwhat (percent|number|size|amount)"
    r"|\bwie ?(viel|lang|oft|hoch)",
    re.IGNORECASE,
)
_ASKS_WHAT = re.compile(
    r"\W*(what|who|was|wer) (is|are|was|were|does|do|ist|sind|war|waren|heißt|bedeutet)\b", re.IGNORECASE
)
_IS = re.compile(r"\b(is|are|was|were|means?|stands? for|refers? to|describes?|ist|sind|war|waren|heißt|bedeutet)\b")
_MOST_DEFINED = 3
_A_DATE = re.compile(
    r"\b(1\d|20)\d\d\b|\d:\d\d|\b\d{1,2}(st|nd|rd|th) |\b(mon|tues|wednes|thurs|fri|satur|sun)days?\b"
    r"|\b(january|february|march|april|may|june|july|august|september|october|november|december|montag|dienstag"
    r"|mittwoch|donnerstag|freitag|januar|februar|märz|mai|juni|juli|oktober|dezember)\b|\b(every|daily|weekly)\b",
    re.IGNORECASE,
)
_A_NUMBER = re.compile(
    r"\d|\b(one|two|three|four|five|six|seven|eight|nine|ten|dozen|hundred|thousand|million|half|zwei|drei|vier|fünf"
    r"|sechs|sieben|acht|neun|zehn|hundert|tausend)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A unit of a passage. `number` is the passage's from 1, `place` the unit's among the passage's from 0."""

    number: int
    place: int
    unit: Unit
    passage: Passage

    @property
    def read(self) -> str:
        """What is embedded: the unit under its nearest heading, which often names what the unit is about."""
        return f"{self.heading}: {self.unit.words}" if self.heading else self.unit.words

    @property
    def heading(self) -> str:
        """The nearest heading, inside the passage or of it; empty where there is none."""
        return self.unit.heading or (self.passage.heading[-1] if self.passage.heading else "")


@dataclass(frozen=True, slots=True)
class Scored:
    """A candidate, how well it fits (`relevance`, 0 to about 7) and how likely it answers (`confidence`, 0 to 1)."""

    candidate: Candidate
    words: frozenset[str]
    relevance: float
    confidence: float


def content_words(text: str) -> frozenset[str]:
    """The words that carry the meaning, without their endings."""
    found = _WORD.findall(text.lower())
    return frozenset(_stem(word) for word in found if word not in _EMPTY and (len(word) > 1 or not word.isascii()))


def rank(question: str, vector: Vector, candidates: Sequence[Candidate], vectors: Vector) -> list[Scored]:
    """The candidates, best first. `vector` is the question's, `vectors` has one row for each candidate's `read`.

    The weights of the confidence were fitted by logistic regression on one half of XQuAD's English articles; those of
    the relevance and the bonuses were set by hand on its answers and on this project's own pages.
    tests/benchmarks/bench_offline.py measures what comes of it, on English articles of both halves and on German ones.
    """
    asked = content_words(question)
    own = [content_words(candidate.unit.words) for candidate in candidates]
    above = [content_words(" ".join((c.passage.title, *c.passage.heading, c.unit.heading))) for c in candidates]
    rarity = _rarity(asked, [words | trail for words, trail in zip(own, above, strict=True)])
    scored = []
    for candidate, words, trail, cosine in zip(candidates, own, above, vectors @ vector, strict=True):
        found = max(_found(asked, part, trail, rarity) for part in _parts(candidate.unit, words))
        relevance, confidence = _fit(candidate.passage, float(cosine), found)
        relevance += 0.35 * _kind_fits(question, candidate.unit.words) + _section_fits(candidate, asked, rarity)
        relevance += _defines(question, candidate.unit.words, asked)
        if _only_asks(candidate.unit, words, asked):
            relevance *= 0.5
        scored.append(Scored(candidate, words, relevance, confidence))
    return sorted(scored, key=lambda one: -one.relevance)


def _fit(passage: Passage, cosine: float, found: float) -> tuple[float, float]:
    """Relevance and confidence of a unit from the four measures that carry them."""
    relevance = 2.0 * cosine + 4.0 * found + passage.lexical
    evidence = 3.4 * cosine + 3.4 * found + 2.0 * passage.similarity + 3.6 * passage.lexical - 5.8
    return relevance, 1.0 / (1.0 + math.exp(-evidence))


def _section_fits(candidate: Candidate, asked: frozenset[str], rarity: dict[str, float]) -> float:
    """Up to 1 where the nearest heading asks the question itself: its section answers, its first words above all."""
    share = _found(asked, content_words(candidate.heading), frozenset(), rarity)
    return share**2 * (1.0 if candidate.unit.opens else 0.5)


def _defines(question: str, text: str, asked: frozenset[str]) -> float:
    """½ where the question asks what something is and the unit begins by saying what it is."""
    begins = _IS.search(text[:80])
    if begins is None or len(asked) > _MOST_DEFINED or not _ASKS_WHAT.match(question):
        return 0.0
    return 0.5 if asked <= content_words(text[: begins.start()]) else 0.0


def _only_asks(unit: Unit, words: frozenset[str], asked: frozenset[str]) -> bool:
    """Whether the unit says hardly more than the question does."""
    return len(words - asked) < 2 or unit.text.rstrip('”"*_ ').endswith("?")


def _rarity(asked: frozenset[str], texts: Sequence[frozenset[str]]) -> dict[str, float]:
    """How much each word of the question tells: its inverse document frequency among the units at hand."""
    seen = Counter(word for words in texts for word in words & asked)
    return {word: math.log((len(texts) + 1) / (seen[word] + 0.5)) for word in asked}


def _parts(unit: Unit, words: frozenset[str]) -> list[frozenset[str]]:
    """The words of each item or row: they say different things, so a question's words have to meet in one of them."""
    if len(unit.lines) < 2:
        return [words]
    return [content_words(plain(f"{unit.lead} {line}")) for line in unit.lines]


def _found(asked: frozenset[str], own: frozenset[str], above: frozenset[str], rarity: dict[str, float]) -> float:
    """Share (0 to 1) of the question's rarity in the unit; a word that stands in its headings alone counts less."""
    total = sum(rarity.values())
    if not total:
        return 0.0
    in_unit = sum(rarity[word] for word in asked & own)
    in_heading = sum(rarity[word] for word in (asked & above) - own)
    return (in_unit + 0.7 * in_heading) / total


def _kind_fits(question: str, text: str) -> float:
    """½ where a question for a date or a number meets one, −½ where it does not, 0 for other questions."""
    for asks, has in ((_ASKS_DATE, _A_DATE), (_ASKS_NUMBER, _A_NUMBER)):
        if asks.search(question):
            return 0.5 if has.search(text) else -0.5
    return 0.0


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            return word[: -len(ending)]
    return word
