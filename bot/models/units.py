"""Splits a passage into what can be quoted by itself: sentences, whole lists, whole code blocks, whole tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from textwrap import dedent

# Characters of a list or table that is still quoted whole.
LONGEST_WHOLE = 700
LONGEST_ITEM = 300


class UnitKind(StrEnum):
    """What a unit is; it decides how it is quoted."""

    SENTENCE = "sentence"
    LIST = "list"
    TABLE = "table"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Unit:
    """A piece of a passage that can be quoted by itself.

    `text` is quoted; `lines` are a list's items or a table's rows, the header first. `lead` is the sentence that
    announces the block (“You need:”), empty where there is none. `paragraph` counts the blocks of the passage.
    `heading` is the nearest line in bold above it inside the passage, which holds several short sections then; `opens`
    is true for the first unit under its heading, or of the passage.
    """

    kind: UnitKind
    text: str
    paragraph: int
    lead: str = ""
    lines: tuple[str, ...] = ()
    heading: str = ""
    opens: bool = False

    @property
    def words(self) -> str:
        """What is read for its meaning: the lead and the text without Markdown's marks."""
        return plain(f"{self.lead} {self.text}")


_FENCE = re.compile(r"^\s*(```|~~~)")
_ITEM = re.compile(r"^\s*(?:[-*+•]|\d{1,3}[.)])\s+\S")
_BULLET = re.compile(r"^\s*(?:[-*+•]|\d{1,3}[.)])\s+(?:\[[ xX]\]\s+)?")
_ROW = re.compile(r"^\s*\|.*\|\s*$")
_RULE = re.compile(r"^\s*\|?[\s:|-]*-[\s:|-]*\|?\s*$|^\s*([-*_]\s*){3,}$")
_HEADING = re.compile(r"^\s{0,3}#{1,6}\s")
_COMMENT = re.compile(r"<!--.*?(-->|\Z)", re.DOTALL)
_DEFINITION = re.compile(r"^\s{0,3}\[[^\]]+\]:\s*\S+.*$", re.MULTILINE)
_LINK = re.compile(r"!?\[([^\[\]]*)\](?:\([^()]*\)|\[[^\[\]]*\])|<(https?://[^<>\s]+)>")
_MARK = re.compile(r"\s*\[\^?\d{1,3}\]")
_LONGEST_ABBREVIATION = 12
_NUMBER = re.compile(r"\s*\d{1,3}\.")
_NEXT = re.compile(r"\s*(\S)")
_TITLE = re.compile(r"^\*\*([^*]+[^*.:])\*\*$")
_MARKUP = re.compile(r"[*_`#>|~]+|\s+")
_END = re.compile(r"""(?:[.!?…]+["”’'»)\]*_`]*(?=\s)|[。！？]+[」』”]?)""")
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|cf|vs|al|approx|Dr|Mr|Mrs|Ms|Prof|St|Sr|Jr|Inc|Ltd|Co|Corp|Fig|No|Nr|Vol|Ch|Sec|"
    r"Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|z\.B|d\.h|u\.a|bzw|ca|usw|evtl|ggf|Abs|Art)|\b[A-ZÄÖÜ])\.$"
)


def split(text: str) -> tuple[Unit, ...]:
    """The units of a passage's Markdown, in their order. Headings are left out: they stand in the passage's trail."""
    units: list[Unit] = []
    heading, section = "", 0
    for number, (kind, lines) in enumerate(_blocks(_DEFINITION.sub("", _COMMENT.sub("", text)))):
        if len(lines) == 1 and (title := _TITLE.match(lines[0].strip())):
            heading, section = title[1].rsplit(" > ", 1)[-1], len(units)
            continue
        if kind is UnitKind.SENTENCE:
            paragraph = clean(" ".join(line.strip().lstrip("> ") for line in lines))
            parts = [Unit(kind, sentence, number) for sentence in sentences(paragraph)]
        else:
            parts = _parts(_led_by(units, _block(kind, lines, number)))
        units += [replace(part, heading=heading, opens=len(units) == section and part is parts[0]) for part in parts]
    return tuple(units)


def sentences(paragraph: str) -> list[str]:
    """The sentences of a paragraph. Abbreviations, initials and numbers end none."""
    found, start = [], 0
    for match in _END.finditer(paragraph):
        before = paragraph[max(start, match.end() - _LONGEST_ABBREVIATION) : match.end()].rstrip("\"”’')")
        after = _NEXT.match(paragraph, match.end())
        goes_on = match[0][0] in ".…" and after is not None and after[1].islower()
        if goes_on or _ABBREVIATION.search(before) or _NUMBER.fullmatch(paragraph[start : match.end()]):
            continue
        found.append(paragraph[start : match.end()].strip())
        start = match.end()
    return [sentence for sentence in [*found, paragraph[start:].strip()] if sentence]


def clean(text: str) -> str:
    """The text without the targets of its links and without numbers in brackets, which would read as citations."""
    for _ in range(2):  # a picture may stand inside a link
        text = _LINK.sub(lambda match: match[1] or match[2] or "", text)
    return _MARK.sub("", text)


def plain(text: str) -> str:
    """The text without Markdown's marks, in one line."""
    return _MARKUP.sub(" ", clean(text)).strip()


def _block(kind: UnitKind, lines: list[str], number: int) -> Unit:
    if kind is UnitKind.CODE:
        return Unit(kind, "\n".join(lines), number)
    shown = tuple(clean(line.rstrip()) for line in lines)
    return Unit(kind, "\n".join(shown), number, lines=_items(shown) if kind is UnitKind.LIST else shown)


def _parts(block: Unit) -> list[Unit]:
    """The block whole, or a long list's items and a long table's rows each by itself."""
    if len(block.text) <= LONGEST_WHOLE or block.kind not in {UnitKind.LIST, UnitKind.TABLE}:
        return [block]
    if block.kind is UnitKind.LIST:
        return [part for item in block.lines for part in _item_parts(block, dedent(item))]
    head, rows = block.lines[:2], block.lines[2:]
    return [replace(block, text="\n".join((*head, row)), lines=(*head, row)) for row in rows]


def _item_parts(block: Unit, item: str) -> list[Unit]:
    """One item of a long list, or its sentences where it is a paragraph of its own."""
    if len(item) <= LONGEST_ITEM:
        return [replace(block, text=item, lines=(item,))]
    body = " ".join(_BULLET.sub("", item).split())
    return [Unit(UnitKind.SENTENCE, sentence, block.paragraph) for sentence in sentences(body)]


def _items(lines: tuple[str, ...]) -> tuple[str, ...]:
    """A list's items, each with the lines and the lists inside it that continue it."""
    items: list[str] = []
    indent = len(lines[0]) - len(lines[0].lstrip())
    for line in lines:
        if not items or (_ITEM.match(line) and len(line) - len(line.lstrip()) <= indent):
            items.append(line)
        else:
            items[-1] += f"\n{line}"
    return tuple(items)


def _led_by(units: list[Unit], block: Unit) -> Unit:
    """The block with the sentence right before it as its lead, where that sentence announces it with a colon."""
    if units and units[-1].kind is UnitKind.SENTENCE and units[-1].text.endswith((":", "：", ":**", ":*")):
        return replace(block, lead=units.pop().text)
    return block


def _kind_of(line: str) -> UnitKind:
    if _ITEM.match(line):
        return UnitKind.LIST
    return UnitKind.TABLE if _ROW.match(line) else UnitKind.SENTENCE


def _blocks(text: str) -> Iterator[tuple[UnitKind, list[str]]]:
    """Blocks of lines: code by its fences, the others by blank lines and by what their lines begin with."""
    lines: list[str] = []
    kind, fence = UnitKind.SENTENCE, ""
    for line in text.splitlines():
        if fence:
            lines.append(line)
            if line.strip().startswith(fence):
                yield UnitKind.CODE, lines
                lines, fence = [], ""
            continue
        opened = _FENCE.match(line)
        this = _kind_of(line)
        continues = kind is UnitKind.LIST and bool(lines) and (this is UnitKind.LIST or line.startswith(("  ", "\t")))
        ends = opened or not line.strip() or _HEADING.match(line) or this is not kind
        if lines and ends and not (continues and not opened) and not (kind is UnitKind.LIST and not line.strip()):
            yield kind, lines
            lines = []
        if opened:
            if lines:
                yield kind, lines
            lines, fence = [line], opened[1]
        elif line.strip() and not _HEADING.match(line) and not (_RULE.match(line) and this is not UnitKind.TABLE):
            if not lines:
                kind = this
            lines.append(line)
    if lines:
        yield (UnitKind.CODE if fence else kind), lines
