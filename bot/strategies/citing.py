"""From what a model writes to what people see: marks become citations, and what could do harm becomes words.

Everything that a model writes for people comes through here, in pieces or whole, whatever the door.
"""

from __future__ import annotations

import re
from functools import cached_property

from bot.domain import Citation, Prompt
from bot.strategies.addresses import Held, found, seen
from bot.strategies.disarming import harmless_prose, uncalled, unlinked_code
from bot.strategies.wording import trail
from knowledge.documents import Passage
from knowledge.secrets import masking

QUOTE_CHARACTERS = 280
_HELD_CHARACTERS = 600

_CODE = re.compile(r"(?<!`)(`{1,2})(?!`)[^\n]*?[^`\n]\1(?!`)")
_MARK = re.compile(r"([ \t]*)[\[【]\^?\s*(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\s*(?:†[^\]】\n]*)?[\]】](?!\()")
_OPEN = re.compile(r"(?:!?\[[^\]\n]*|!?\[[^\]\n]*\]\([^)\n]*|【[^】\n]*|<[^>\n]*|`[^\n]*)$")
_MEANING = re.compile(r"[^\w\s]+")
_FENCE = re.compile(r"([ \t]*)(`{3,}|~{3,})[^`\n]*$")
# Lines of which the end decides what they are: fences, and definitions of links.
_WHOLE_LINE = re.compile(r"[ \t>]*(?:```|~~~|\[[^\]\n]{1,200}\]:)")
# Where a text without spaces can be cut: behind punctuation that no address goes on from.
_WIDE_STOP = re.compile(r"[，、；！？」）】](?=.)|。(?=[^\x00-\x7f])")


class Citing:
    """Takes one answer in pieces and gives it back fit to be shown, its citations numbered in order of first use.

    A piece is held back while it ends inside a word, a mark, a link or inline code.
    """

    def __init__(self, prompt: Prompt) -> None:
        self._prompt = prompt
        self._passages = prompt.passages
        self._numbers: dict[tuple[str, tuple[str, ...]], int] = {}
        self._cited: list[Passage] = []
        self._pending = ""
        self._fence = ""
        self._indent = 0
        self._in_line = False  # what was shown last ends inside a line
        self._in_word = False  # or inside a word that was too long to wait for

    def feed(self, text: str) -> str:
        """The next piece as the model wrote it; returns what can be shown now."""
        self._pending += seen(text)
        place = self._safe_place()
        ready, self._pending = self._pending[:place], self._pending[place:]
        return self._shown(ready)

    def close(self) -> str:
        """What was still held back."""
        ready, self._pending = self._pending, ""
        return self._shown(ready)

    @property
    def citations(self) -> tuple[Citation, ...]:
        """The passages that were named so far, by number."""
        return tuple(citation(number, passage) for number, passage in enumerate(self._cited, 1))

    @property
    def cited(self) -> tuple[Passage, ...]:
        """The passages themselves, in the order of their citations."""
        return tuple(self._cited)

    @cached_property
    def _held(self) -> Held:
        """Links: the addresses of the passages and of the person's own words. Words: all that the model was given."""
        prompt = self._prompt
        given = [message.content for message in prompt.messages]
        for passage in prompt.passages:
            given += [passage.text, passage.url or ""]
        for example in prompt.examples:
            given += [example.question, example.answer]
        own = found([prompt.question, *(f" {passage.url} " for passage in prompt.passages if passage.url)])
        return Held(own, found(given), prompt.links)

    @cached_property
    def _in_code(self) -> Held | None:
        """None where the model was given nothing but the question: then there is nothing that could leave."""
        prompt = self._prompt
        alone = len(prompt.messages) <= 2 and not (prompt.passages or prompt.examples)
        return None if alone else self._held

    def _safe_place(self) -> int:
        pending = self._pending
        place = max(pending.rfind(" "), pending.rfind("\n"))
        place = max([place, *(stop.end() for stop in _WIDE_STOP.finditer(pending, max(place, 0)))])
        if place <= 0:
            return 0 if len(pending) < _HELD_CHARACTERS else len(pending)
        head = pending[:place]
        start = head.rfind("\n") + 1
        line = head[start:]
        if (start or not self._in_line) and _WHOLE_LINE.match(line):
            return place if len(line) > _HELD_CHARACTERS else start
        if self._fence and start == 0:
            return place
        # Each closed code span is as good as a word, so only one that is still open is seen.
        opened = _OPEN.search(_CODE.sub(lambda code: "x" * len(code[0]), line))
        if opened is None:
            return place
        return place if len(line) - opened.start() > _HELD_CHARACTERS else start + opened.start()

    def _shown(self, text: str) -> str:
        if not text:
            return text
        done: list[str] = []
        if self._in_word:
            # The rest of a word of which the beginning was let go unread: no part of it may mean anything.
            length = len(text) - len(text.lstrip()) or next((n for n, c in enumerate(text) if c.isspace()), len(text))
            done.append(_MEANING.sub(" ", text[:length]))
            text = text[length:]
        for is_code, part in self._parts(text):
            done.append(self._code(part) if is_code else harmless_prose(part, self._held, self._in_code, self._cite))
        self._in_word = len(text) >= _HELD_CHARACTERS and not any(c.isspace() for c in text[-_HELD_CHARACTERS:])
        return masking().text("".join(done))

    def _parts(self, text: str) -> list[tuple[bool, str]]:
        """The text's stretches of code and of prose, each of whole lines, but for the first and the last."""
        parts: list[tuple[bool, str]] = []
        for line in text.splitlines(keepends=True):
            is_code = bool(self._fence)
            if not self._in_line:
                is_code = self._turned(line)
            self._in_line = not line.endswith("\n")
            if parts and parts[-1][0] == is_code:
                parts[-1] = (is_code, parts[-1][1] + line)
            else:
                parts.append((is_code, line))
        return parts

    def _turned(self, line: str) -> bool:
        """Whether a line is of a code block, its own fences with it."""
        fence = _FENCE.match(line.rstrip("\n"))
        if self._fence:
            if line.strip() and len(line) - len(line.lstrip()) < self._indent:
                self._fence = ""  # the list that held it is over, and so is the code
            elif fence and fence[2].startswith(self._fence) and not line.strip(" \t\n`~"):
                self._fence = ""
                return True
            else:
                return True
        if fence:
            self._fence, self._indent = fence[2], len(fence[1])
        return bool(fence)

    def _code(self, text: str) -> str:
        return uncalled(text) if self._in_code is None else unlinked_code(text, self._in_code)

    def _cite(self, text: str) -> str:
        return _MARK.sub(self._marks, text)

    def _marks(self, match: re.Match[str]) -> str:
        # "items[0]" of a plain answer is no mark.
        before = match.string[match.start() - 1 : match.start()]
        if not self._passages and not match[1] and (before.isalnum() or before in {"_", ")"}) and before:
            return match[0]
        found = (int(number) for number in re.findall(r"\d+", match[2]))
        kept = [self._number(number) for number in found if 1 <= number <= len(self._passages)]
        return match[1] + "".join(f"[{number}]" for number in dict.fromkeys(kept)) if kept else ""

    def _number(self, number: int) -> int:
        passage = self._passages[number - 1]
        key = (passage.document_id, passage.heading)
        if key not in self._numbers:
            self._cited.append(passage)
            self._numbers[key] = len(self._cited)
        return self._numbers[key]


def uncited(text: str) -> str:
    """The text without the numbers of sources in brackets, which mean nothing where the sources are not beside it."""
    return _MARK.sub("", text)


def citation(number: int, passage: Passage) -> Citation:
    """A passage as the source with that number."""
    quote = " ".join(passage.text.split())
    return Citation(
        number=number,
        title=trail(passage),
        url=passage.url,
        source=passage.source,
        updated=passage.updated,
        quote=quote if len(quote) <= QUOTE_CHARACTERS else quote[: QUOTE_CHARACTERS - 1].rstrip() + "…",
        document=passage.document_id,
    )
