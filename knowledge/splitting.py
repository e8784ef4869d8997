"""Splits one block that is too long, where its kind allows: sentences, list items, table rows, lines of code."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from knowledge.documents import Block, BlockKind

_SENTENCE_END = re.compile(r"(?<=[.!?。！？])\s+|\n{2,}")
_ITEM = re.compile(r"^(?=[ \t]{0,3}(?:[-*+]|\d{1,9}[.)])\s)", re.MULTILINE)
_FENCE = re.compile(r"^\s*(`{3,}|~{3,}).*$")
_LONGEST_WORD = 500
Tokens = Callable[[Sequence[str]], list[int]]


def split_block(block: Block, budget: int, tokens: Tokens) -> list[str]:
    """The block in parts of at most `budget` tokens each. A table's head and a code block's fences are repeated."""
    if block.kind is BlockKind.TABLE:
        return _split_table(block.text, budget, tokens)
    if block.kind is BlockKind.CODE:
        return _split_code(block.text, budget, tokens)
    if block.kind is BlockKind.LIST:
        return _join(_units(_ITEM.split(block.text), "\n", budget, tokens), "\n", budget, tokens)
    return _join(_units(_SENTENCE_END.split(block.text), " ", budget, tokens), " ", budget, tokens)


def _split_table(text: str, budget: int, tokens: Tokens) -> list[str]:
    lines = text.splitlines()
    has_head = len(lines) > 2 and set(lines[1]) <= set("|:- \t")
    head = "\n".join(lines[:2]) + "\n" if has_head else ""
    cost = tokens([head])[0] if head else 0
    if cost > budget // 2:
        head, cost, has_head = "", 0, False
    rows = _units(lines[2:] if has_head else lines, "\n", budget - cost, tokens)
    return [head + part for part in _join(rows, "\n", budget - cost, tokens)]


def _split_code(text: str, budget: int, tokens: Tokens) -> list[str]:
    lines = text.splitlines()
    fence = _FENCE.match(lines[0])
    if not fence:
        return _join(_units(lines, "\n", budget, tokens), "\n", budget, tokens)
    body = lines[1:-1] if _FENCE.match(lines[-1]) else lines[1:]
    parts = _join(_units(body, "\n", budget, tokens), "\n", budget, tokens)
    return [f"{lines[0].strip()}\n{part}\n{fence.group(1)}" for part in parts]


def _units(texts: Sequence[str], joint: str, budget: int, tokens: Tokens) -> list[str]:
    """The texts, each of which fits: those that do not are cut into words."""
    kept = [text.strip("\n") if joint == "\n" else text.strip() for text in texts if text.strip()]
    units: list[str] = []
    for text, cost in zip(kept, tokens(kept), strict=True):
        units += [text] if cost <= budget else _join(_words(text), " ", budget, tokens)
    return units


def _words(text: str) -> list[str]:
    """Words, and what has no word ends cut by length."""
    return [
        word[start : start + _LONGEST_WORD] for word in text.split() for start in range(0, len(word), _LONGEST_WORD)
    ]


def _join(units: Sequence[str], joint: str, budget: int, tokens: Tokens) -> list[str]:
    """As many neighbours together as fit."""
    parts: list[list[str]] = []
    room = 0
    for unit, cost in zip(units, tokens(units), strict=True):
        if not parts or cost > room:
            parts.append([])
            room = budget
        parts[-1].append(unit)
        room -= cost
    return [joint.join(part) for part in parts]
