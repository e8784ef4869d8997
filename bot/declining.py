"""What a person reads where nothing answers: what was searched, what was nearest, and whom to ask."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain import Citation, Evidence, Example, PlaceKind, Question
from bot.holdings.registry import FORGOTTEN
from bot.strategies.citing import citation
from bot.strategies.disarming import told
from knowledge import access
from knowledge.documents import Passage

NOTHING = "I have nothing on that"
READING = "I am still reading what I was given, for the first time. Please ask again in a minute."
NEAR = 0.3
"""Documents and reviewed questions that are further from the question than this (cosine) are not named."""
SAME_WORDS = 0.5
"""The same where cosines say nothing: the share of the question's words (by their weight) that a passage has."""
_SHOWN_DOCUMENTS = 3
_SHOWN_SOURCES = 5
_SEARCHED_CHARACTERS = 120
_NAME_CHARACTERS = 80

_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*://|www\.)\S*", re.IGNORECASE)
_MARKUP = re.compile(r"[\[\]<>*_`|~\\]+")


@dataclass(frozen=True, slots=True)
class Declined:
    """The words, the sources that their [n] name, and the id of a person who may know (None: nobody is known)."""

    text: str
    citations: tuple[Citation, ...]
    ask: str | None = None


def declined(
    question: Question, searched: str, evidence: Evidence, sources: Sequence[str], *, reading: bool = False
) -> Declined:
    """What is said instead of a guess. `searched`: the words that were; `sources`: those that the audience may read;
    `reading`: whether some are being read for the first time."""
    told = told_of_search(question, searched, evidence, sources, reading=reading)
    who = _readers(question)
    first = f"{NOTHING}: no document that {who} may read answers it.{_narrowed(question)}"
    return Declined(f"{first} {told.text}", told.citations, told.ask)


def told_of_search(
    question: Question, searched: str, evidence: Evidence, sources: Sequence[str], *, reading: bool = False
) -> Declined:
    """The same without its first sentence, for what says by itself that it found nothing."""
    nearest = _nearest(evidence)
    citations = tuple(citation(number, passage) for number, passage in enumerate(nearest, 1))
    example = _reviewed(question, evidence)
    looked = f"{_looked(question, searched, sources, reading)}{_found(nearest, citations)}."
    ask = example.saved_by if example else None
    if reading:
        return Declined(f"{looked}\n\n{READING}", citations, ask)
    whom = "" if example else _author(nearest)
    return Declined(f"{looked}\n\n{' '.join(part for part in (whom, _way_out(question)) if part)}", citations, ask)


def _readers(question: Question) -> str:
    if question.place.kind is PlaceKind.CONSOLE:
        return "everyone"
    return "you" if question.private or question.place.kind is PlaceKind.DM else "everyone here"


def _narrowed(question: Question) -> str:
    """Why full members hear less here than alone."""
    alone = question.private or question.place.kind in (PlaceKind.DM, PlaceKind.CONSOLE)
    if alone or question.audience.note or access.EVERYONE in question.audience.scopes:
        return ""
    return " Guests or people of other companies read here; in a direct message I look at all that you may read."


def _looked(question: Question, searched: str, sources: Sequence[str], reading: bool) -> str:
    words = _words(searched, _SEARCHED_CHARACTERS)
    if not sources and reading:
        return f"I looked for “{words}”, but have read nothing yet that {_readers(question)} may read"
    if not sources:
        return f"I looked for “{words}”, but no source is connected yet that {_readers(question)} may read"
    names = ", ".join(_words(name, _NAME_CHARACTERS) for name in sources[:_SHOWN_SOURCES])
    names += f" and {len(sources) - _SHOWN_SOURCES} more" if len(sources) > _SHOWN_SOURCES else ""
    number = "1 source" if len(sources) == 1 else f"{len(sources)} sources"
    return f"I searched {number} ({names}) for “{words}”"


def _found(nearest: Sequence[Passage], citations: Sequence[Citation]) -> str:
    if not nearest:
        return "; nothing came near it"
    names = [f"“{_words(one.title, _NAME_CHARACTERS)}” [{one.number}]" for one in citations]
    if len(names) == 1:
        return f"; nearest was {names[0]}, which is not close enough"
    return f"; nearest were {', '.join(names[:-1])} and {names[-1]}, which are not close enough"


def _nearest(evidence: Evidence) -> list[Passage]:
    """The best passage of each of the documents that come near the question, nearest first."""
    best: dict[str, Passage] = {}
    for passage in sorted(evidence.passages, key=lambda one: -_nearness(one, evidence)):
        if _nearness(passage, evidence) >= (NEAR if evidence.comparable else SAME_WORDS):
            best.setdefault(passage.document_id, passage)
    return [*best.values()][:_SHOWN_DOCUMENTS]


def _nearness(passage: Passage, evidence: Evidence) -> float:
    return passage.similarity if evidence.comparable else passage.lexical


def _reviewed(question: Question, evidence: Evidence) -> Example | None:
    """The nearest example that somebody other than the asker reviewed."""
    others = [
        one
        for one in evidence.examples
        if one.similarity >= NEAR and one.saved_by not in ("", FORGOTTEN, question.asker)
    ]
    return max(others, key=lambda one: one.similarity, default=None)


def _author(nearest: Sequence[Passage]) -> str:
    known = next((passage for passage in nearest if passage.author), None)
    if known is None or known.author is None:
        return ""
    title, author = _words(known.title, _NAME_CHARACTERS), _words(known.author, _NAME_CHARACTERS)
    return f"“{title}” is by {author}, who may know." if author else ""


def _way_out(question: Question) -> str:
    if question.place.kind is PlaceKind.CONSOLE:
        return "`switchboard knowledge` shows what I know; `switchboard knowledge import` adds a file."
    return "`/knowledge status` shows what I know; an admin can add what is missing with `/knowledge add`."


def _words(text: str, most: int) -> str:
    """Somebody's words as plain text: nothing in them is a link, a mark or a mention."""
    plain = " ".join(_MARKUP.sub(" ", _ADDRESS.sub("…", text)).split())
    return told(plain if len(plain) <= most else plain[: most - 1].rstrip() + "…")
