"""A model's Markdown as Slack shows it: cut into messages, tables as tables, code kept whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from markdown_it import MarkdownIt
from markdown_it.token import Token

from handlers.shapes import JSON

MESSAGE_LIMIT = 9_000
"""Characters of an answer in one message: Slack refuses all blocks together at about 13,200, and sources and buttons
need their share."""
TABLE_ROWS, TABLE_COLUMNS = 100, 20

_ESCAPED_CHANNEL = re.compile(r"&lt;#([CG][A-Z0-9]+)&gt;")
_parser = MarkdownIt("commonmark").enable("table")


@dataclass(frozen=True, slots=True)
class Unit:
    """A piece of Markdown that stays together where it fits: a paragraph or list, a code block, a table."""

    kind: Literal["text", "code", "table"]
    text: str


def with_channels(text: str) -> str:
    """The text escaped, but for channels that it names as Slack does: <#C0123>."""
    return _ESCAPED_CHANNEL.sub(r"<#\1>", escape(text))


def escape(text: str) -> str:
    """Plain text for a mrkdwn field: nothing in it is read as a link or a mention."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters, with an ellipsis where something was cut."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def split(markdown: str, limit: int = MESSAGE_LIMIT) -> list[str]:
    """The Markdown in pieces of at most `limit` characters, one message each, cut at the ends of paragraphs.

    A code block is cut only where it alone is too long, and then closed and opened again. A message holds one table
    at most, because Slack takes no more.
    """
    messages: list[list[Unit]] = []
    size = 0
    for unit in _fitting(units(markdown), limit):
        full = size + len(unit.text) + 2 > limit
        second_table = unit.kind == "table" and any(u.kind == "table" for u in messages[-1]) if messages else False
        if not messages or full or second_table:
            messages.append([])
            size = 0
        messages[-1].append(unit)
        size += len(unit.text) + 2
    return ["\n\n".join(unit.text for unit in message) for message in messages]


def blocks(markdown: str) -> list[JSON]:
    """Blocks for one message's Markdown (a piece that `split` gave)."""
    found: list[JSON] = []
    text: list[str] = []
    for unit in units(markdown):
        table = _table_block(unit.text) if unit.kind == "table" else None
        if table is None:
            text.append(unit.text)
            continue
        if text:
            found.append(_markdown_block(text))
            text = []
        found.append(table)
    if text:
        found.append(_markdown_block(text))
    return found


def has_table(markdown: str) -> bool:
    """Whether `blocks` would make a table of any part."""
    return any(block["type"] == "table" for block in blocks(markdown))


def units(markdown: str) -> list[Unit]:
    """The Markdown's top-level pieces in their order; white space between them is not kept."""
    lines = markdown.splitlines()
    found: list[Unit] = []
    for token in _parser.parse(markdown):
        if token.level != 0 or token.map is None or token.nesting == -1:
            continue
        start, end = token.map
        text = "\n".join(lines[start:end]).strip("\n").rstrip()
        if text.strip():
            found.append(Unit(_kind(token), text))
    return found


def _kind(token: Token) -> Literal["text", "code", "table"]:
    return "code" if token.type == "fence" else "table" if token.type == "table_open" else "text"


def _markdown_block(texts: list[str]) -> JSON:
    return {"type": "markdown", "text": "\n\n".join(texts)}


def _fitting(whole: list[Unit], limit: int) -> Iterator[Unit]:
    for unit in whole:
        rows = unit.kind == "table" and unit.text.count("\n") >= TABLE_ROWS + 1
        if len(unit.text) <= limit - 2 and not rows:
            yield unit
            continue
        cut = {"code": _cut_code, "table": _cut_table, "text": _cut_text}[unit.kind]
        yield from (Unit(unit.kind, piece) for piece in cut(unit.text, limit - 2))


def _cut_code(text: str, limit: int) -> Iterator[str]:
    opening, *body = text.splitlines()
    mark = re.match(r"\s*(`{3,}|~{3,})", opening)
    fence = mark.group(1) if mark else "```"
    if body and body[-1].strip() == fence:
        body.pop()
    for piece in _cut_text("\n".join(body), limit - len(opening) - len(fence) - 2):
        yield f"{opening}\n{piece}\n{fence}"


def _cut_table(text: str, limit: int) -> Iterator[str]:
    head, rows = text.splitlines()[:2], text.splitlines()[2:]
    piece: list[str] = []
    for row in rows:
        if piece and (len(piece) == TABLE_ROWS - 1 or len("\n".join([*head, *piece, row])) > limit):
            yield "\n".join([*head, *piece])
            piece = []
        piece.append(row[: limit - len("\n".join(head)) - 2])
    if piece:
        yield "\n".join([*head, *piece])


def _cut_text(text: str, limit: int) -> Iterator[str]:
    """Cut at the last line end that fits, else at the last sentence end, else at the last space, else hard."""
    while len(text) > limit:
        window = text[:limit]
        cut = next((c for c in (window.rfind(end) + len(end) for end in ("\n", ". ", " ")) if c > limit // 4), limit)
        yield text[:cut].rstrip()
        text = text[cut:].lstrip("\n ") if cut < limit else text[cut:]
    if text.strip():
        yield text


def _table_block(text: str) -> JSON | None:
    rows, aligns = _cells(text)
    if not rows or len(rows[0]) > TABLE_COLUMNS or len(rows) > TABLE_ROWS:
        return None
    return {
        "type": "table",
        "column_settings": [{"align": align, "is_wrapped": True} for align in aligns],
        "rows": rows,
    }


def _cells(text: str) -> tuple[list[list[dict[str, Any]]], list[str]]:
    rows: list[list[dict[str, Any]]] = []
    aligns: list[str] = []
    for token in _parser.parse(text):
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "th_open":
            style = str(token.attrs.get("style", ""))
            aligns.append(style.removeprefix("text-align:") or "left")
        elif token.type == "inline":
            rows[-1].append(_cell(token.children or []))
    return rows, aligns


def _cell(children: list[Token]) -> dict[str, Any]:
    """Raw text, or rich text where the cell has a link or emphasis."""
    elements: list[dict[str, Any]] = []
    style: dict[str, bool] = {}
    link = ""
    names = {"strong": "bold", "em": "italic", "s": "strike"}
    for child in children:
        kind, _, side = child.type.rpartition("_")
        if kind in names and side == "open":
            style = {**style, names[kind]: True}
        elif kind in names:
            style = {k: v for k, v in style.items() if k != names[kind]}
        elif kind == "link":
            link = str(child.attrs.get("href", "")) if side == "open" else ""
        elif content := child.content or (" " if child.type == "softbreak" else ""):
            element: dict[str, Any] = {"type": "link", "url": link} if link else {"type": "text"}
            element["text"] = content
            marks = {**style, "code": True} if child.type == "code_inline" else style
            elements.append({**element, "style": marks} if marks else element)
    if all(element["type"] == "text" and "style" not in element for element in elements):
        return {"type": "raw_text", "text": "".join(element["text"] for element in elements) or " "}
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]}
