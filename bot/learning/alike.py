"""Whether two questions ask the same: by their words, or by vectors that are near and the same facts."""

from __future__ import annotations

import re
from collections.abc import Collection

from knowledge.refresh.twins import NEGATIONS

NEAR = 0.9
"""The cosine from which on two questions ask the same. Of the 36,315 pairs of questions in the collection that
`tests/benchmarks/bench_examples.py` reads, seven are as near, and each asks the same; at 0.88 the first pair comes that
does not ("How do I get my PIN?", "When do I get my PIN?")."""
LEAST = 0.6
"""Below this cosine the words of two questions are not compared either."""
_WORD = re.compile(r"[^\W_]+(?:[-_.:/#@'’]+[^\W_]+)*")
_SENTENCE = re.compile(r"(?:^|[.!?:\n])\W*")
_GREETINGS = frozenset(
    _WORD.findall("""
    hi hello hey good morning afternoon evening all team everyone everybody please thanks thank you cheers switchboard
    hallo moin servus guten morgen tag bitte danke
    """)
)


def key(question: str) -> str:
    """The words of a question without case, punctuation and the greetings and thanks around it."""
    words = [word.casefold() for word in _WORD.findall(question)]
    begin, end = 0, len(words)
    while begin < end and words[begin] in _GREETINGS:
        begin += 1
    while end > begin and words[end - 1] in _GREETINGS:
        end -= 1
    return " ".join(words[begin:end] or words)


def same(key_of_one: str, one: str, other: str, cosine: float) -> bool:
    """Whether two questions ask the same; the first with its `key`, and the cosine of their vectors."""
    return key_of_one == key(other) or (cosine >= NEAR and same_facts(one, other))


def same_facts(one: str, other: str) -> bool:
    """Whether no number, no negation and no name is in one text and not in the other."""
    mine, theirs = Facts.of(one), Facts.of(other)
    if mine.numbers != theirs.numbers or mine.negations != theirs.negations:
        return False
    return mine.names <= theirs.words and theirs.names <= mine.words


class Facts:
    """What a text says beside its plain words."""

    def __init__(self, words: Collection[str], names: Collection[str]) -> None:
        self.words = frozenset(word.casefold() for word in words)
        self.numbers = frozenset(word for word in self.words if any(map(str.isdigit, word)))
        self.negations = frozenset(word for word in self.words if word in NEGATIONS or word.endswith(("n't", "n’t")))
        self.names = frozenset(name.casefold() for name in names)

    @classmethod
    def of(cls, text: str) -> Facts:
        """Names are words that begin or go on in capitals, but for the first of a sentence and "I"."""
        first = {match.end() for match in _SENTENCE.finditer(text)}
        found = list(_WORD.finditer(text))
        names = [m[0] for m in found if m[0] != m[0].lower() and m.start() not in first and not _is_i(m[0])]
        return cls([m[0] for m in found], names)


def _is_i(word: str) -> bool:
    return word == "I" or word.startswith(("I'", "I’"))
