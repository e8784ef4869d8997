"""Edits of real Markdown documents, and which passages each of them touches, told by words alone.

Shares no code with the program: what an edit touches is known from where it was made.
"""

from __future__ import annotations

import random
import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

BESIDE = 4
"""Words on one side by which a place in a document is known, beside its own: no other place in it has the same."""
_WORD = re.compile(r"[^\W_]+")
_SENTENCES = (
    "This rule does not hold for clusters that were made before the year 2019.",
    "Whoever signs the release, Sam Okafor or a deputy, has to be told first.",
)
SWAPS: dict[str, tuple[str, Callable[[str], str]]] = {
    "number": (r"(?<![\w.-])\d{1,4}(?![\w.)-])", lambda old: str(int(old) + 7)),
    "name": (r"(?<=[a-z,] )[A-Z][a-z]{3,}[A-Za-z]*\b", lambda _old: "Zanzibar"),
    "negation": (r"(?<=[a-z] )(?:will|can|should|must|is|are)(?= [a-z])", "{} not".format),
}
"""What is put in the place of what, so that something else is said."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What was done to one document. `path`: where it is now, None where it was deleted; `touches`: whether a passage,
    as it was cited, has the words that were edited."""

    kind: str
    before: str
    path: str | None
    touches: Callable[[str], bool]


def words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]


def holds(passage: str, gram: list[str]) -> bool:
    """Whether these words follow each other in a passage."""
    return f" {' '.join(gram)} " in f" {' '.join(words(passage))} "


def _holds_any(grams: list[list[str]], passage: str) -> bool:
    return any(holds(passage, gram) for gram in grams)


def _nothing(_passage: str) -> bool:
    return False


Kinds = tuple[Callable[[str], Edit | None], ...]


class Editor:
    """Edits the documents of a folder, each time one."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder = folder
        self._random = random.Random(seed)
        self.changes: Kinds = (self.number, self.name, self.negation, self.sentence, self.cut, self.delete)
        self.harmless: Kinds = (self.wrap, self.reorder, self.move, self.front_matter, self.add, self.emphasis)

    def edit(self, *, harmful: bool) -> Edit:
        """One of the kinds that change what is said, or of those that do not."""
        while True:
            path = self._random.choice(sorted(p.relative_to(self._folder).as_posix() for p in self._files()))
            found = self._random.choice(self.changes if harmful else self.harmless)(path)
            if found is not None:
                return found

    def number(self, path: str) -> Edit | None:
        """Another number."""
        return self._swapped(path, "number", *SWAPS["number"])

    def name(self, path: str) -> Edit | None:
        """Another name."""
        return self._swapped(path, "name", *SWAPS["name"])

    def negation(self, path: str) -> Edit | None:
        """The opposite."""
        return self._swapped(path, "negation", *SWAPS["negation"])

    def sentence(self, path: str) -> Edit | None:
        """A sentence more in the middle of a paragraph."""
        text = self._random.choice(_SENTENCES)
        return self._swapped(path, "sentence", r"(?<=[a-z]\. )[A-Z][a-z]+(?= [a-z])", f"{text} {{}}".format)

    def cut(self, path: str) -> Edit | None:
        """A sentence less."""
        return self._swapped(path, "cut", r"(?<=[a-z]\. )[A-Z][a-z]+ [a-z ,]{20,80}\.(?= [A-Z])", lambda _old: "")

    def delete(self, path: str) -> Edit | None:
        """The whole document."""
        if self._random.random() > 0.3:
            return None
        (self._folder / path).unlink()
        return Edit("delete", path, None, lambda _passage: True)

    def wrap(self, path: str) -> Edit | None:
        """Paragraphs in lines of another length."""
        width = self._random.choice((60, 72, 100))

        def wrapped(block: str) -> str:
            return textwrap.fill(block, width, break_long_words=False, break_on_hyphens=False)

        return self._rewritten(path, "wrap", lambda text: _prose(text, wrapped))

    def emphasis(self, path: str) -> Edit | None:
        """Other marks around some words."""
        marked = re.compile(r"(?<=[a-z] )([a-z]{5,})(?= [a-z]{3,})")
        return self._rewritten(path, "emphasis", lambda t: _prose(t, lambda b: marked.sub(r"**\1**", b, count=1)))

    def reorder(self, path: str) -> Edit | None:
        """Two sections that stand the other way round."""

        def reordered(text: str) -> str:
            front, *sections = re.split(r"(?m)^(?=## )", text)
            if len(sections) < 3 or "```" in text or "~~~" in text:
                return text
            place = self._random.randrange(len(sections) - 1)
            ending = [section.rstrip("\n") + "\n\n" for section in sections]
            ending[place], ending[place + 1] = ending[place + 1], ending[place]
            return front + "".join(ending)

        return self._rewritten(path, "reorder", reordered)

    def move(self, path: str) -> Edit | None:
        """The file in another folder."""
        to = f"moved-{self._random.randrange(10**9)}/{Path(path).name}"
        (self._folder / to).parent.mkdir()
        (self._folder / path).rename(self._folder / to)
        return Edit("move", path, to, _nothing)

    def front_matter(self, path: str) -> Edit | None:
        """Another line in front."""
        return self._rewritten(path, "front matter", lambda text: f"---\nowner: team-{len(text)}\n---\n\n{text}")

    def add(self, path: str) -> Edit | None:
        """A section more at the end."""
        return self._rewritten(path, "add", lambda text: f"{text.rstrip()}\n\n## More to know\n\n{_SENTENCES[1]}\n")

    def _files(self) -> list[Path]:
        return [each for each in self._folder.rglob("*.md") if each.is_file()]

    def _read(self, path: str) -> str:
        return (self._folder / path).read_text(encoding="utf-8")

    def _rewritten(self, path: str, kind: str, rewrite: Callable[[str], str]) -> Edit | None:
        before = self._read(path)
        after = rewrite(before)
        if after == before:
            return None
        (self._folder / path).write_text(after, encoding="utf-8")
        return Edit(kind, path, path, _nothing)

    def _swapped(self, path: str, kind: str, pattern: str, change: Callable[[str], str]) -> Edit | None:
        """One place in prose that is like no other in the document, written otherwise."""
        before = self._read(path)
        every = words(before)
        spots = [spot for spot in re.finditer(pattern, before) if _in_prose(before, spot.start())]
        self._random.shuffle(spots)
        for spot in spots[:40]:
            own = words(spot[0])
            left, right = words(before[: spot.start()]), words(before[spot.end() :])
            grams = [left[-BESIDE:] + own[:1], own[-1:] + right[:BESIDE]]
            # What is put in stands between two words: a passage that begins or ends there has nothing of it.
            if kind == "sentence":
                grams = [left[-BESIDE:] + own[:1], left[-1:] + own[:1] + right[: BESIDE - 1]]
            elif kind == "negation":
                grams = [left[1 - BESIDE :] + own + right[:1], own[-1:] + right[:BESIDE]]
            if any(_count(every, gram) != 1 for gram in grams):
                continue
            after = before[: spot.start()] + change(spot[0]) + before[spot.end() :]
            (self._folder / path).write_text(after, encoding="utf-8")
            return Edit(kind, path, path, partial(_holds_any, grams))
        return None


def _prose(text: str, change: Callable[[str], str]) -> str:
    """The text with each plain paragraph changed."""
    blocks = re.split(r"(\n{2,})", text)
    code = False
    for number, block in enumerate(blocks):
        fences = len(re.findall(r"(?m)^\s*(?:```|~~~)", block))
        plain = not code and not fences and len(block) > 80 and re.match(r"[A-Z][a-z]", block)
        if plain and not re.search(r"(?m)^\s*(?:[-*+>#|<]|\d+[.)]|\[|---|===|    )|  $|\\$", block):
            blocks[number] = change(block)
        code ^= fences % 2 == 1
    return "".join(blocks)


def _in_prose(text: str, place: int) -> bool:
    """Whether a place is in a plain line: no code, no table, no heading, no link, no front matter."""
    if text.startswith("---") and place < text.find("\n---", 3):
        return False
    if len(re.findall(r"(?m)^\s*(?:```|~~~)", text[:place])) % 2 or text[:place].count("<!--") != text[:place].count(
        "-->"
    ):
        return False
    begin, end = text.rfind("\n", 0, place) + 1, text.find("\n", place)
    line = text[begin : end if end > 0 else len(text)]
    return not re.match(r"\s*(?:[#|<>]|    |\[|```)", line) and not re.search(r"[\[\]<>|`]|://", line)


def _count(every: list[str], gram: list[str]) -> int:
    size = len(gram)
    return sum(every[n : n + size] == gram for n in range(len(every) - size + 1) if every[n] == gram[0])
