"""Markdown: blocks keep their own lines of the source, so that tables, lists and code come through as written."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.token import Token

from knowledge.documents import Block, BlockKind, Content
from knowledge.markdown import plain, without_comments
from knowledge.sources.parsers.base import decode
from knowledge.sources.parsers.frontmatter import read_front_matter

_CONTENTS_LINE = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+\[.*\]\(#[^)]*\)\s*")
_KINDS = {
    "bullet_list_open": BlockKind.LIST,
    "ordered_list_open": BlockKind.LIST,
    "fence": BlockKind.CODE,
    "code_block": BlockKind.CODE,
    "table_open": BlockKind.TABLE,
    "paragraph_open": BlockKind.PARAGRAPH,
    "blockquote_open": BlockKind.PARAGRAPH,
    "html_block": BlockKind.PARAGRAPH,
}
# Inline markup is left in the text, and its rules take most of the time.
_PARSER = MarkdownIt("commonmark").enable("table").disable("inline")


def parse(data: bytes, name: str) -> Content:
    """The content of a Markdown file. Raises DocumentUnreadable for binary data."""
    return parse_text(decode(data, name))


def parse_text(text: str) -> Content:
    """The content of Markdown. Front matter, comments and tables of contents are left out."""
    front = read_front_matter(text)
    blocks = tuple(_blocks(text[front.length :], 1 + text.count("\n", 0, front.length)))
    first = next((block.text for block in blocks if block.kind is BlockKind.HEADING and block.text), None)
    return Content(blocks, front.title or first, front.author, front.updated, front.tags)


def _blocks(text: str, first: int) -> list[Block]:
    """The blocks of a text that begins at line `first` of its file."""
    lines = text.split("\n")
    tokens = _PARSER.parse("\n".join(lines))
    blocks: list[Block] = []
    for position, token in enumerate(tokens):
        if token.level or token.map is None:
            continue
        if token.type == "heading_open":
            heading = plain(tokens[position + 1].content)
            blocks.append(Block(BlockKind.HEADING, heading, int(token.tag[1:]), first + token.map[0]))
        elif token.type in _KINDS:
            block = _block(token, "\n".join(lines[token.map[0] : token.map[1]]).rstrip(), first + token.map[0])
            if block is not None:
                blocks.append(block)
    return blocks


def _block(token: Token, text: str, line: int) -> Block | None:
    kind = _KINDS[token.type]
    if kind is not BlockKind.CODE:
        text = without_comments(text).strip("\n").rstrip()
        if token.type == "html_block":
            text = plain(text)
    if not text.strip() or (kind is BlockKind.LIST and _is_contents(text)):
        return None
    return Block(kind, text, line=line)


def _is_contents(text: str) -> bool:
    """Whether a list only links to places in its own page."""
    return all(_CONTENTS_LINE.fullmatch(line) for line in text.splitlines() if line.strip())
