"""Which questions are the same question: whatever the case, the signs, the greeting and the order of the words."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from bot.evaluation.golden import words
from bot.models.relevance import content_words

SHARED = 0.8
"""The share of telling words that two questions have in common from which on they are taken for one. The words are
without endings and without those that every question has."""
_NEGATION = re.compile(
    r"(?:no|not|nor|none|never|neither|nobody|nothing|without|cannot|kein\w*|nicht|nie|ohne|\w+n['’]t)"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it is compared: its own words in any order, and those that tell what it is about."""

    words: tuple[str, ...]
    telling: frozenset[str]

    @classmethod
    def of(cls, question: str) -> Asked:
        """From its text."""
        own = words(question)
        return cls(tuple(sorted(own)), content_words(" ".join(own)) or frozenset(own))

    def is_like(self, other: Asked) -> bool:
        """Whether both ask the same."""
        if self.words == other.words:
            return True
        return len(self.telling & other.telling) >= SHARED * len(self.telling | other.telling)

    def differs_in_a_fact(self, other: Asked) -> bool:
        """Whether one has a number or a negation that the other lacks: then they are two questions after all."""
        return _facts(self.words) != _facts(other.words)


@dataclass(slots=True)
class Shelf:
    """Questions among which those like another one are found by the words that they share."""

    _asked: list[Asked] = field(default_factory=list)
    _by_word: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, questions: Iterable[str]) -> Shelf:
        """With these questions on it."""
        shelf = cls()
        for question in questions:
            shelf.add(Asked.of(question))
        return shelf

    def add(self, asked: Asked) -> int:
        """One more; gives its place."""
        self._asked.append(asked)
        place = len(self._asked) - 1
        for word in {*asked.telling, *asked.words}:
            self._by_word[word].append(place)
        return place

    def like(self, asked: Asked, *, same_facts: bool = False) -> int | None:
        """The place of the first question that asks the same; None where none does. `same_facts`: one with another
        number or negation does not."""
        places = Counter(place for word in {*asked.telling, *asked.words} for place in self._by_word.get(word, ()))
        for place in sorted(places):
            other = self._asked[place]
            if asked.is_like(other) and not (same_facts and asked.differs_in_a_fact(other)):
                return place
        return None


def says_the_same(one: str, other: str) -> bool:
    """Whether two answers are the same but for case, spaces and signs."""
    return _plain(one) == _plain(other)


def _plain(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def _facts(found: Iterable[str]) -> list[str]:
    return [word for word in found if any(c.isdigit() for c in word) or _NEGATION.fullmatch(word)]
