"""Whether the words of a passage still stand in a document, and what stands there in their place.

Compared are words in their order, whatever their case, line breaks and markup: text that was moved, re-wrapped or
chunked otherwise still stands, and a number, a name or a negation that changed does not. A document says again at the
beginning of a chunk what a table's columns are and who speaks; that is left out.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from knowledge.markdown import plain
from knowledge.splitting import turn_of

Part = tuple[Sequence[str], str]
"""The headings above a piece of a document, and its text."""

_ALIKE = 0.4
"""The share of common words from which on a text stands in another's place."""
_BESIDE = 12
"""Words that are shown on each side of what differs."""
_LONGEST = 60
"""Words of one side that are shown at most."""

_TOKEN = re.compile(r"[-−+]?\d+(?:[-_.:/#@'’]+[^\W_]+)*|[^\W_]+(?:[-_.:/#@'’]+[^\W_]+)*|[%€$£¥=≤≥≠±°]|[<>](?=\s?\d)")
_FENCE = re.compile(r"^\s*(?:`{3,}|~{3,})")
_RULE = re.compile(r"^(?=.*--)[ \t|:-]+$")
_HEADING = re.compile(r"\*\*([^*\n]+)\*\*")
_MARKERS = (re.compile(r"^\s{0,12}[-*+]\s+", re.MULTILINE), re.compile(r"^\s{0,12}\d{1,3}[.)]\s+", re.MULTILINE))


@dataclass(frozen=True, slots=True)
class Word:
    """A word as it is shown, and whether the other side has none like it."""

    text: str
    differs: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """Words that stand no more, with a few around them, and what stands in their place; () where nothing does."""

    before: tuple[Word, ...]
    after: tuple[Word, ...]


@dataclass(slots=True)
class _Stretch:
    """Words that follow each other without a heading between them: as they are shown, each with its tokens. `again`:
    a document may say them once more before each piece of what follows."""

    shown: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    again: bool = False

    @property
    def key(self) -> str:
        return " ".join(self.tokens)

    def add(self, text: str) -> None:
        for word in text.split():
            self.shown.append(word)
            self.tokens.append(" ".join(token.casefold() for token in _TOKEN.findall(word)))

    def followed_by(self, other: _Stretch) -> _Stretch:
        return _Stretch([*self.shown, *other.shown], [*self.tokens, *other.tokens])

    @property
    def length(self) -> int:
        return sum(1 for token in self.tokens if token)


class Text:
    """A document as it stands, made of its pieces in their order."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._stretches: list[_Stretch] = []
        self._headings = {_key(name) for headings, _ in parts for name in headings}
        for stretch, headings in _stretches(parts):
            self._headings.update(headings)
            self._stretches.append(stretch)
        self._words = f" {_joined(self._stretches)} "

    def lacks(self, headings: Sequence[str], passage: str) -> list[Difference]:
        """What of a passage under these headings stands here no more; nothing where all of it does."""
        missing = [unit for unit in _units(passage) if f" {_squeezed(unit.key)} " not in self._words]
        found = [self._difference(unit) for unit in missing]
        # The name of the page is no statement; that of a section tells what its words are about.
        names = [*headings[-1:], *_named(passage)] if len(headings) > 1 else _named(passage)
        gone = [name for name in names if _key(name) not in self._headings]
        return [*found, *(Difference((Word(name, True),), ()) for name in gone)]

    def _difference(self, unit: _Stretch) -> Difference:
        there = self._nearest(unit)
        if there is None:
            return Difference(tuple(Word(word, True) for word in unit.shown[:_LONGEST]), ())
        matcher = SequenceMatcher(None, unit.tokens, there.tokens, autojunk=False)
        changes = [each for each in matcher.get_opcodes() if each[0] != "equal"]
        # What only surrounds the words on the other side is no difference.
        inside = [c for c in changes if not (c[1] == c[2] and c[1] in (0, len(unit.tokens)))] or changes
        return Difference(
            _window(unit.shown, [(begin, end) for _, begin, end, _, _ in inside]),
            _window(there.shown, [(begin, end) for _, _, _, begin, end in inside]),
        )

    def _nearest(self, unit: _Stretch) -> _Stretch | None:
        """What stands in the place of a text: the neighbouring stretches that have most words in common with it."""
        wanted = Counter(token for token in unit.tokens if token)
        best, score = None, _ALIKE
        for first in range(len(self._stretches)):
            together = _Stretch()
            for stretch in self._stretches[first:]:
                if together.length > 1.5 * unit.length:
                    break
                together = together.followed_by(stretch)
                has = Counter(token for token in together.tokens if token)
                common = sum((wanted & has).values())
                alike = 2 * common / max(1, sum(wanted.values()) + sum(has.values()))
                # A part of a long paragraph is near where nearly all of it is.
                alike = max(alike, 0.8 * common / max(1, sum(wanted.values())) - 0.2)
                if alike > score:
                    best, score = together, alike
        return best


def _units(passage: str) -> list[_Stretch]:
    """What of a passage has to stand together: all of one section, so that nothing is put in between."""
    units: list[_Stretch] = []
    for _, of_section in itertools.groupby(_numbered(passage), key=lambda each: each[0]):
        own: list[_Stretch] = []
        for _, stretch in of_section:
            if own and not stretch.again and not own[-1].again:
                own[-1] = own[-1].followed_by(stretch)
            else:
                own.append(stretch)
        units += own
    return units


def _numbered(passage: str) -> Iterator[tuple[int, _Stretch]]:
    """The stretches of a passage, with the number of the section that each is of."""
    section = 0
    for stretch, headings in _stretches([((), passage)]):
        section += bool(headings)
        yield section, stretch


def _named(passage: str) -> list[str]:
    return [name for segment in _segments(passage) if (whole := _HEADING.fullmatch(segment)) for name in _trail(whole)]


def _trail(heading: re.Match[str]) -> list[str]:
    return [name.strip() for name in heading[1].split(" > ")]


def _stretches(parts: Sequence[Part]) -> Iterator[tuple[_Stretch, list[str]]]:
    """The paragraphs, lists, tables and code of a text, and the headings that stand as lines of their own before each.

    The head of a table and the name of a speaker are stretches too, said once where they are repeated.
    """
    before: list[str] = []
    head, speaker = "", ""
    for _, text in parts:
        for segment in _segments(text):
            if whole := _HEADING.fullmatch(segment):
                before += [_key(name) for name in _trail(whole)]
                head, speaker = "", ""
                continue
            lines = segment.splitlines()
            pieces: list[str] = []
            if len(lines) > 1 and _RULE.match(lines[1]):
                pieces = [] if _key(lines[0]) == head else [lines[0]]
                head, segment = _key(lines[0]), "\n".join(lines[2:])
            else:
                head = ""
            if said := turn_of(segment):
                pieces = [] if said == speaker else [said]
                speaker, segment = said, segment[len(said) :]
            for piece in (*pieces, segment):
                stretch = _Stretch(again=piece is not segment)
                stretch.add(plain(_unmarked(piece)))
                if stretch.length:
                    yield stretch, before
                    before = []


def _segments(text: str) -> Iterator[str]:
    """What stands between empty lines; code is one, whatever lines it has."""
    lines: list[str] = []
    in_code = False
    for line in text.splitlines():
        fence = bool(_FENCE.match(line))
        if (not in_code and not line.strip()) or (fence and not in_code):
            if lines:
                yield "\n".join(lines)
            lines = []
        if line.strip() or in_code:
            lines.append(line)
        if fence:
            in_code = not in_code
            if not in_code:
                yield "\n".join(lines)
                lines = []
    if lines:
        yield "\n".join(lines)


def _unmarked(segment: str) -> str:
    """A list without its bullets and numbers: an item more before it makes others of them."""
    own = next((marker for marker in _MARKERS if marker.match(segment)), None)
    return segment if own is None else own.sub("", segment)


def _joined(stretches: Sequence[_Stretch]) -> str:
    return _squeezed(" ".join(stretch.key for stretch in stretches))


def _squeezed(key: str) -> str:
    return " ".join(key.split())


def _key(name: str) -> str:
    stretch = _Stretch()
    stretch.add(plain(name))
    return _squeezed(stretch.key)


def _window(shown: Sequence[str], spans: Sequence[tuple[int, int]]) -> tuple[Word, ...]:
    """The words around what differs; what is left out between stands as “…”."""
    differs = {place for begin, end in spans for place in range(begin, end)}
    near = {place for begin, end in spans for place in range(begin - _BESIDE, max(end, begin + 1) + _BESIDE)}
    places = [place for place in range(len(shown)) if place in near][:_LONGEST]
    words: list[Word] = []
    last = -1
    for place in places:
        if place != last + 1:
            words.append(Word("…", False))
        words.append(Word(shown[place], place in differs))
        last = place
    if places and last + 1 < len(shown):
        words.append(Word("…", False))
    return tuple(words)
