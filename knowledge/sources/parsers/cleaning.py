"""What a page carries and does not say: licence headers, "edit this page", cookie banners. Left out of every document.

Only whole blocks go, and only where something else is left: the licence file of a project keeps its text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from knowledge.documents import Block, BlockKind

_EDGE = 3  # a licence header is one of the first blocks, a footer one of the last
_MOST_WORDS = 40  # of a block that is nothing but a page's furniture
_LICENCE = re.compile(
    r"SPDX-License-Identifier:|\bcopyright\b.*\b(?:all rights reserved|licensed under)\b"
    r"|\blicensed under the (?:apache|mit|bsd|mozilla|gnu|creative commons)\b|\bpermission is hereby granted\b",
    re.IGNORECASE | re.DOTALL,
)
_FURNITURE = re.compile(
    r"\W*(?:"
    r"edit (?:this page|on git\w+|this page on git\w+)|suggest (?:edits|an edit)|view (?:page )?source"
    r"|was this (?:page|article|document) helpful\b.*|(?:back|return|scroll) to (?:the )?top|skip to (?:main )?content"
    r"|(?:on this page|table of contents|contents)|\.\. contents::.*"
    r"|(?:this (?:web)?site|we) uses? cookies\b.*|accept (?:all )?cookies|cookie (?:settings|preferences)"
    r"|(?:©|\(c\)|copyright)\s*(?:©|\(c\))?\s*\d{4}\b.*"
    r")\W*",
    re.IGNORECASE | re.DOTALL,
)


def cleaned(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """The blocks without those that only furnish the page; all of them where nothing else is there."""
    last = len(blocks) - _EDGE
    kept = tuple(
        block
        for place, block in enumerate(blocks)
        if not _is_furniture(block) and not ((place < _EDGE or place >= last) and _is_licence(block))
    )
    return kept if any(block.kind is not BlockKind.HEADING for block in kept) else tuple(blocks)


def _is_furniture(block: Block) -> bool:
    text = block.text
    if block.kind not in (BlockKind.PARAGRAPH, BlockKind.LIST) or len(text) > _MOST_WORDS * 12:
        return False
    return len(text.split()) <= _MOST_WORDS and _FURNITURE.fullmatch(text) is not None


def _is_licence(block: Block) -> bool:
    return block.kind in (BlockKind.PARAGRAPH, BlockKind.CODE) and _LICENCE.search(block.text[:2_000]) is not None
