"""From the bytes that a server sent to a document: the main text of a page, or what a parser reads in a file."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import PurePosixPath
from typing import Any

from lxml import etree  # type: ignore[import-untyped]
from yarl import URL

from knowledge.documents import Block, BlockKind, Content
from knowledge.errors import DocumentUnreadable
from knowledge.sources.base import Reading
from knowledge.sources.http import Reply
from knowledge.sources.parsers import html, markdown
from knowledge.sources.parsers.registry import parser_for
from knowledge.sources.web.markup import Markup, as_page, read_markup, text_of, tree_of

MOST_HTML_BYTES = 5_000_000  # of one page; above it the extraction takes many seconds
_HTML = frozenset({"text/html", "application/xhtml+xml"})
_OFFICE = "application/vnd.openxmlformats-officedocument."
_SUFFIXES = {
    "application/pdf": ".pdf",
    _OFFICE + "wordprocessingml.document": ".docx",
    _OFFICE + "presentationml.presentation": ".pptx",
    _OFFICE + "spreadsheetml.sheet": ".xlsx",
    "text/plain": ".txt",
    "text/markdown": ".md",
    "text/x-markdown": ".md",
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
}
_UNTOLD = frozenset({"", "application/octet-stream", "binary/octet-stream"})
# Two spaces more for each level of a list are too few below a number ("1. ").
_NESTED = re.compile(r"^((?:  )+)(?=(?:[-*]|\d+\.) )", re.MULTILINE)
# A code span, which stays, or an escaped mark. A bar stays escaped: it would end a cell.
_ESCAPED = re.compile(r"(`[^`\n]*`)|\\([\\`*_{}\[\]<>()#+.!~-])")
_SHORT = 250  # characters; of less trafilatura keeps neither headings nor lists nor code
_JOINTS = (" | ", " — ", " – ", " - ", " · ", " :: ", " » ")


# It warns of every page without text.
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class Page:
    """One answer, understood. `reading` is None where it holds no text, or nothing that is read here."""

    reading: Reading | None
    markup: Markup


def understand(reply: Reply, name: str) -> Page:
    """The page or the file that a server sent; takes a while, so not for the event loop.

    Raises DocumentUnreadable where it should be readable and is not.
    """
    content_type = reply.headers.get("Content-Type", "")
    kind = content_type.partition(";")[0].strip().lower()
    suffix = PurePosixPath(reply.url.path).suffix.lower()
    if kind in _HTML or (
        kind in _UNTOLD and reply.body.lstrip()[:200].lower().startswith((b"<!doctype html", b"<html"))
    ):
        return _page(reply, content_type, name)
    if kind == "text/plain" and parser_for(suffix and f"x{suffix}") is not None and suffix not in (".html", ".htm"):
        known = suffix  # many servers send Markdown and tables as plain text
    else:
        known = _SUFFIXES.get(kind, suffix if kind in _UNTOLD else "")
    parser = parser_for(f"x{known}") if known else None
    indexed = read_markup(_EMPTY, reply.headers)
    if parser is None:
        return Page(None, indexed)
    content = parser(reply.body, name)
    return Page(_reading(content, Markup(), reply, name), indexed)


def _page(reply: Reply, content_type: str, name: str) -> Page:
    if len(reply.body) > MOST_HTML_BYTES:
        raise DocumentUnreadable(
            f"{name} is a page of {len(reply.body) / 1e6:,.1f} MB; pages above {MOST_HTML_BYTES / 1e6:,.0f} MB are not "
            "read. Split it."
        )
    text = text_of(reply.body, content_type, name)
    tree = tree_of(text)
    if tree is None:
        return Page(None, read_markup(_EMPTY, reply.headers))
    markup = read_markup(tree, reply.headers)
    content = _main_text(text, tree, name)
    return Page(_reading(content, markup, reply, name), markup)


def _main_text(text: str, tree: Any, name: str) -> Content:
    # Heavy to load, so only those pay who read pages.
    import trafilatura

    try:
        found = trafilatura.extract(
            tree,
            output_format="markdown",
            include_comments=False,
            include_tables=True,
            include_formatting=True,
            fast=True,  # finds the same text on documentation, in half the time
        )
    except (RecursionError, ValueError, AttributeError, TypeError, IndexError):
        found = None  # markup that nobody foresaw: the plain reading below takes it
    if found and len(found) >= _SHORT:
        content = markdown.parse_text(_NESTED.sub(r"\1\1", found))
        return replace(content, blocks=tuple(_unescaped(block) for block in content.blocks))
    return _plain_reading(text, name)


def _plain_reading(text: str, name: str) -> Content:
    """All of a page's main element, or of its body without what stands around: for where there is little to find."""
    tree = tree_of(text)
    part = next(tree.iter("main", "article"), tree) if tree is not None else None
    if part is None:
        return Content(())
    for around in list(part.iter("header", "footer", "aside")):
        if part is tree:
            around.drop_tree()
    return html.parse(as_page(etree.tostring(part, encoding="unicode", method="html")), name)


def _unescaped(block: Block) -> Block:
    """Identifiers as they are written: detect\\_it is found by nobody who looks for detect_it."""
    if block.kind is BlockKind.CODE:
        return block
    return replace(block, text=_ESCAPED.sub(lambda match: match.group(1) or match.group(2), block.text))


def _reading(content: Content, markup: Markup, reply: Reply, name: str) -> Reading | None:
    if not any(block.text.strip() for block in content.blocks):
        return None
    return Reading(
        title=_title(content, markup, reply.url, name),
        content=content,
        digest=hashlib.sha256(reply.body).hexdigest(),
        updated=markup.updated or content.updated or _last_modified(reply.headers),
        author=markup.author or content.author,
        tags=markup.tags | content.tags,
    )


def _title(content: Content, markup: Markup, url: URL, name: str) -> str:
    """The page's own heading where its title has it too; else the title without the name of the site."""
    heading = next((block.text for block in content.blocks if block.kind is BlockKind.HEADING and block.text), None)
    if markup.title:
        if heading and heading.casefold() in markup.title.casefold():
            return heading
        end = max(markup.title.rfind(joint) for joint in _JOINTS)
        return markup.title[:end] if end > 0 else markup.title
    return content.title or PurePosixPath(url.path).stem.replace("-", " ").replace("_", " ").strip() or name


def _last_modified(headers: Mapping[str, str]) -> datetime | None:
    try:
        moment = parsedate_to_datetime(headers.get("Last-Modified", ""))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


_EMPTY = tree_of("<p></p>")
