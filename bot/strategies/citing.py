"""From what a model writes to what people see: marks become citations, made-up links become text.

Links come from citations alone. A model may repeat an address that stands in what it was given, letter for letter;
any other is shown as code, which nobody can click: a passage that was planted by a stranger cannot make the answer
lead elsewhere with what the model knows in the address.
"""

from __future__ import annotations

import re

from bot.domain import Citation, Prompt
from bot.strategies.wording import trail
from knowledge.documents import Passage

QUOTE_CHARACTERS = 280
_HELD_CHARACTERS = 600

_URL = re.compile(r"(?:https?://|www\.)[^\s<>\"'`|\]\)}]+", re.IGNORECASE)
_CODE = re.compile(r"(`[^`\n]*`)")
_IMAGE = re.compile(r"!\[([^\]\n]*)\]\([^)\n]*\)")
_LINK = re.compile(r"\[([^\]\n]*)\]\(\s*<?([^\s)>]*)>?[^)\n]*\)")
_DEFINITION = re.compile(r"^[ \t]{0,3}\[[^\]\n]+\]:[ \t]*<?(?:https?://|www\.).*$\n?", re.MULTILINE | re.IGNORECASE)
_REFERENCE = re.compile(r"\[(?!\^?\d+\])([^\]\[\n]+)\]\[([^\]\[\n]*)\]")
_ANGLE = re.compile(r"<([a-z][a-z0-9+.-]*:[^>|\s]*)(?:\|([^>\n]*))?>", re.IGNORECASE)
_MARK = re.compile(r"([ \t]*)[\[【]\^?\s*(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\s*(?:†[^\]】\n]*)?[\]】]")
_OPEN = re.compile(r"(?:!?\[[^\]\n]*|!?\[[^\]\n]*\]\([^)\n]*|【[^】\n]*|<[^>\n]*|`[^`\n]*)$")


class Citing:
    """Takes one answer in pieces and gives it back fit to be shown, its citations numbered in order of first use.

    A piece is held back while it ends inside a mark, a link or inline code.
    """

    def __init__(self, prompt: Prompt) -> None:
        self._passages = prompt.passages
        self._numbers: dict[tuple[str, tuple[str, ...]], int] = {}
        self._cited: list[Passage] = []
        self._pending = ""
        self._in_fence = False
        self._allowed = _addresses(prompt)

    def feed(self, text: str) -> str:
        """The next piece as the model wrote it; returns what can be shown now."""
        self._pending += text
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

    def _safe_place(self) -> int:
        place = max(self._pending.rfind(" "), self._pending.rfind("\n"))
        if place <= 0:
            return 0 if len(self._pending) < _HELD_CHARACTERS else len(self._pending)
        head = self._pending[:place]
        *before, last = head.split("```")
        if self._in_fence ^ bool(len(before) % 2):
            return place
        line = last.rsplit("\n", 1)[-1]
        # Each closed code span is as good as a word, so only one that is still open is seen.
        opened = _OPEN.search(_CODE.sub(lambda code: "x" * len(code[0]), line))
        if opened is None:
            return place
        start = len(head) - len(line) + opened.start()
        return place if place - start > _HELD_CHARACTERS else start

    def _shown(self, text: str) -> str:
        parts = text.split("```")
        for position in range(len(parts)):
            if position:
                self._in_fence = not self._in_fence
            if not self._in_fence:
                parts[position] = self._prose(parts[position])
        return "```".join(parts)

    def _prose(self, text: str) -> str:
        text = _DEFINITION.sub("", text)
        pieces = _CODE.split(text)
        pieces[::2] = [self._cite(self._unlink(piece)) for piece in pieces[::2]]
        return "".join(pieces)

    def _unlink(self, text: str) -> str:
        text = _IMAGE.sub(r"\1", text)
        text = _LINK.sub(self._link, text)
        text = _REFERENCE.sub(lambda m: m[1] + (f"[{m[2]}]" if m[2].isdigit() else ""), text)
        text = _ANGLE.sub(lambda m: m[2] or m[1], text)
        return _URL.sub(self._address, text)

    def _link(self, match: re.Match[str]) -> str:
        text, address = match[1], match[2]
        if text.strip().isdigit():
            return f"[{text}]"
        return match[0] if _bare(address) in self._allowed and not _URL.search(text) else text

    def _address(self, match: re.Match[str]) -> str:
        address = _bare(match[0])
        if address in self._allowed:
            return match[0]
        return f"`{address}`{match[0][len(address) :]}"

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


def _addresses(prompt: Prompt) -> frozenset[str]:
    given = [prompt.question]
    for passage in prompt.passages:
        given += [passage.text, passage.url or ""]
    for example in prompt.examples:
        given += [example.question, example.answer]
    return frozenset(_bare(found) for text in given for found in _URL.findall(text))


def _bare(address: str) -> str:
    """Without the punctuation of the sentence around it."""
    return address.rstrip(".,;:!?*_~")


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
    )
