"""Splits one block that is too long, where its kind allows: sentences, list items, table rows, lines of code."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from knowledge.documents import Block, BlockKind

# Chinese, Japanese and Thai set no space after the end of a sentence.
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[。！？｡][”」』）])|(?<=[。！？｡])(?![”」』）])\s*|\n{2,}")
_ITEM = re.compile(r"^(?=[ \t]{0,3}(?:[-*+]|\d{1,9}[.)])\s)", re.MULTILINE)
_FENCE = re.compile(r"^\s*(`{3,}|~{3,}).*$")
# "**Maya** (2026-01-02):", as conversations are written: what one person said on a day.
_TURN = re.compile(r"\*\*[^*\n]{1,80}\*\* \(\d{4}-\d{2}-\d{2}\):")
_LONGEST_WORD = 500
# Scripts without spaces between words: a run of them may be cut anywhere, and is one token a letter to most models.
_UNSPACED = re.compile(
    r"[\u0e00-\u0e7f\u0e80-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]{25,}"
)
_CUT_RUN = 24
Tokens = Callable[[Sequence[str]], list[int]]
_Unit = tuple[str, int]  # a text that stays whole, and its tokens


def turn_of(text: str) -> str:
    """Who speaks in a block of a conversation, as it stands in front; "" where it is none."""
    match = _TURN.match(text)
    return match.group() if match else ""


def split_block(block: Block, budget: int, tokens: Tokens) -> list[str]:
    """The block in parts of at most `budget` tokens each.

    A table's head, a code block's fences and the name of who speaks are repeated.
    """
    if block.kind is BlockKind.TABLE:
        return _split_table(block.text, budget, tokens)
    if block.kind is BlockKind.CODE:
        return _split_code(block.text, budget, tokens)
    if block.kind is BlockKind.LIST:
        return _join(_units(_ITEM.split(block.text), "\n", budget, tokens), "\n", budget)
    speaker = turn_of(block.text)
    if speaker:
        budget = max(budget // 2, budget - tokens([speaker])[0])
    parts = _join(_units(_sentences(block.text[len(speaker) :]), " ", budget, tokens), " ", budget)
    return [f"{speaker} {part}" for part in parts] if speaker else parts


def _sentences(text: str) -> list[str]:
    return [part for part in _SENTENCE_END.split(text) if part]


def _split_table(text: str, budget: int, tokens: Tokens) -> list[str]:
    lines = text.splitlines()
    has_head = len(lines) > 2 and set(lines[1]) <= set("|:- \t")
    head = "\n".join(lines[:2]) + "\n" if has_head else ""
    cost = tokens([head])[0] if head else 0
    if cost > budget // 2:
        head, cost, has_head = "", 0, False
    rows = _units(lines[2:] if has_head else lines, "\n", budget - cost, tokens)
    return [head + part for part in _join(rows, "\n", budget - cost)]


def _split_code(text: str, budget: int, tokens: Tokens) -> list[str]:
    lines = text.splitlines()
    fence = _FENCE.match(lines[0])
    if not fence:
        return _join(_units(lines, "\n", budget, tokens), "\n", budget)
    body = lines[1:-1] if _FENCE.match(lines[-1]) else lines[1:]
    parts = _join(_units(body, "\n", budget, tokens), "\n", budget)
    return [f"{lines[0].strip()}\n{part}\n{fence.group(1)}" for part in parts]


def _units(texts: Sequence[str], joint: str, budget: int, tokens: Tokens) -> list[_Unit]:
    """The texts, each of which fits: those that do not are cut into words."""
    units: list[_Unit] = []
    for unit in _counted([text.strip("\n") if joint == "\n" else text.strip() for text in texts], tokens):
        if unit[1] <= budget:
            units.append(unit)
        else:
            units += _counted(_join(_words(unit[0], budget, tokens), " ", budget), tokens)
    return units


def _counted(texts: Sequence[str], tokens: Tokens) -> list[_Unit]:
    kept = [text for text in texts if text.strip()]
    return list(zip(kept, tokens(kept), strict=True))


def _words(text: str, budget: int, tokens: Tokens) -> list[_Unit]:
    """Words, and what has no word ends cut by length: a letter is one token at most."""
    spaced = _UNSPACED.sub(
        lambda run: " ".join(run[0][start : start + _CUT_RUN] for start in range(0, len(run[0]), _CUT_RUN)), text
    )
    parts = [
        word[start : start + most]
        for word, cost in _counted(spaced.split(), tokens)
        for most in (budget if cost > budget else _LONGEST_WORD,)
        for start in range(0, len(word), most)
    ]
    return _counted(parts, tokens)


def _join(units: Sequence[_Unit], joint: str, budget: int) -> list[str]:
    """As many neighbours together as fit."""
    parts: list[list[str]] = []
    room = 0
    for unit, cost in units:
        if not parts or cost > room:
            parts.append([])
            room = budget
        parts[-1].append(unit)
        room -= cost
    return [_together(part, joint) for part in parts]


def _together(units: Sequence[str], joint: str) -> str:
    """The units in one text; no space comes between letters of a script that sets none."""
    text = units[0] if units else ""
    for unit in units[1:]:
        close = joint == " " and _is_unspaced(text[-1:]) and _is_unspaced(unit[:1])
        text += unit if close else joint + unit
    return text


def _is_unspaced(letter: str) -> bool:
    return "\u3000" <= letter <= "\u9fff" or "\u0e00" <= letter <= "\u0eff" or "\uff00" <= letter <= "\uffef"
