"""Whether a passage says otherwise than an answer, as far as that shows without a model: by numbers, names, negations.

It sees a sentence that speaks of the same things with another number, another name, or with a "not" more or less, where
what the answer says stands nowhere in the passage, nor in one sentence of its document; above all a sentence that is
the answer's own, edited. Headings say nothing, and a
line that ends in the middle of a paragraph ends no sentence. It cannot see what is said in other words ("twice a week"
for "on Mondays and Thursdays"), what follows from several sentences, or that a rule was dropped without a word.
"""

from __future__ import annotations

import re

from bot.learning.alike import Facts

LEAST_SHARED = 2
"""So many words of weight two sentences have in common that speak of the same things …"""
SHARE = 0.5
"""… and such a share of those of the passage's sentence; with its headings it has such a share of the question's,"""
NEGATED_SHARE = 0.7
"""and such a one where nothing but a "not" tells them apart."""
EDITED = 0.75
"""Where two sentences share so many of the weighty words of both, names left aside, one is the other, edited."""
STANDS = 0.7
"""Where so many of an answer's weighty words stand in one sentence, with all of its numbers and names, it says that."""
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+|\s*[•|]\s*")
_HEADING = re.compile(r"(?m)^[ \t]*(?:#{1,6}[ \t].*|\*\*[^*\n]+\*\*)[ \t]*$")
_WRAPPED = re.compile(r"(?<=[^\n])\n(?![ \t]*(?:\n|[-+*•|>#]|\d+[.)]))")
_MARKUP = re.compile(r"[*_`>#]+|\[(\d+)\]")
_SMALL = frozenset(
    re.findall(
        r"\w+",
        """
    a about after all also an and any are as at be been before but by can could do does each every for from get had has
    have how i if in into is it its me my of on only or our out over per should since so than that the their them then
    there these they this to up us was we were what when where which while who whom why will with would you your
    aber alle als am an auch auf aus bei bis da das dass dein dem den der des die dies du ein eine einem einen einer es
    für gibt hat ich ihr im in ist ja je kann man mein mit nach oder ob sich sie sind so um und uns unser von vor wann
    war was welche wenn wer wie wird wir wo zu zum zur
    """,
    )
)


def contradicted(question: str, answer: str, passage: str, document: str = "", *, about: str = "") -> str | None:
    """The sentence of the passage that says otherwise than the answer to the question; None where none does. `about`:
    what stands above the passage, its document's title and its headings; `document`: all of what it is of, where that
    is known."""
    asked, everything = Facts.of(question), Facts.of(_plain(passage))
    headings = _weighty(Facts.of("\n".join([about, *_HEADING.findall(passage)])))
    sentences = [(sentence, Facts.of(sentence)) for sentence in _said_in(passage)]
    sentences = [(sentence, there) for sentence, there in sentences if _answers(there.words | headings, asked)]
    beside = [Facts.of(sentence) for sentence in _said_in(document or passage)]
    for said in _sentences(answer):
        claim = Facts.of(said)
        otherwise = (sentence for sentence, there in sentences if _speaks_otherwise(claim, there, asked, everything))
        found = next(otherwise, None)
        if found is not None and not any(_says(there, claim) for there in beside):
            return found
    return None


def _speaks_otherwise(claim: Facts, there: Facts, asked: Facts, everything: Facts) -> bool:
    """Whether a sentence speaks of the same things, and says something else of them."""
    if _is_edited(claim, there):
        return True
    words = _weighty(there)
    shared = len(words & (_weighty(claim) | _weighty(asked)))
    if shared < LEAST_SHARED or shared < SHARE * len(words):
        return False
    if _differ(claim, there, asked, everything):
        return True
    negated = bool(claim.negations) != bool(there.negations) and not claim.negations & everything.negations
    own = len(words & _weighty(claim))
    return negated and not asked.negations and own >= LEAST_SHARED and own >= NEGATED_SHARE * len(words)


def _is_edited(claim: Facts, there: Facts) -> bool:
    """Whether a sentence is one of the answer's with another number, name or negation."""
    mine, theirs = _weighty(claim) - claim.names, _weighty(there) - there.names
    if len(mine & theirs) < max(LEAST_SHARED, EDITED * len(mine | theirs)):
        return False
    numbers = claim.numbers - there.numbers and there.numbers - claim.numbers
    names = claim.names - there.words and there.names - claim.words
    return claim.negations != there.negations or bool(numbers or names)


def _answers(words: frozenset[str], asked: Facts) -> bool:
    """Whether a sentence, with the headings above it, speaks of what was asked."""
    wanted = _weighty(asked)
    return len(wanted & words) >= SHARE * len(wanted)


def _says(there: Facts, claim: Facts) -> bool:
    """Whether a sentence says what an answer does."""
    if _is_edited(claim, there):
        return False
    if not claim.numbers | claim.names <= there.words or bool(claim.negations) != bool(there.negations):
        return False
    words = _weighty(claim)
    return len(words & there.words) >= STANDS * len(words)


def _differ(claim: Facts, there: Facts, asked: Facts, everything: Facts) -> bool:
    """Whether there is another number or name in the place of one that the passage does not have at all."""
    numbers = claim.numbers - everything.numbers and there.numbers - claim.numbers - asked.numbers
    names = claim.names - everything.words and there.names - claim.words - asked.words
    return bool(numbers or names)


def _weighty(facts: Facts) -> frozenset[str]:
    return facts.words - facts.numbers - facts.negations - _SMALL


def _said_in(text: str) -> list[str]:
    """The sentences of a document's text."""
    return _sentences(_WRAPPED.sub(" ", _HEADING.sub("\n", text)))


def _sentences(text: str) -> list[str]:
    return [sentence.strip() for sentence in _SENTENCE.split(_plain(text)) if sentence.strip()]


def _plain(text: str) -> str:
    return _MARKUP.sub("", text)
