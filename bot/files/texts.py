"""What a file says, as blocks of text: by the same parsers that knowledge is read with."""

from __future__ import annotations

import io
import os
import zipfile

from bot.errors import FileUnread
from bot.files.kinds import LABELS, FileKind
from knowledge.documents import Block, BlockKind, Content
from knowledge.errors import DocumentUnreadable
from knowledge.sources.parsers import html, office, pdf
from knowledge.sources.parsers.base import decode
from knowledge.sources.parsers.registry import PARSERS

MOST_UNPACKED = 100_000_000
"""Bytes that an Office file may unpack to."""
_OFFICE = (FileKind.DOCX, FileKind.PPTX, FileKind.XLSX)
_PROSE = frozenset({".md", ".markdown", ".txt", ".text", ".rst", ".html", ".htm", ".csv", ".tsv", ""})


def read_text(data: bytes, name: str, kind: FileKind) -> Content:
    """The content. Takes up to seconds: call it in a worker thread. Raises FileUnread where there is none to read."""
    if kind not in (FileKind.PDF, FileKind.TEXT, *_OFFICE):
        raise FileUnread(
            f"{name} is {LABELS[kind]}, so I left it closed. Send what it is about as PDF, docx, pptx, xlsx, CSV, "
            "HTML, Markdown, code or text."
        )
    parser = {FileKind.TEXT: _text, FileKind.PDF: pdf.parse}.get(kind, _office)
    try:
        content = parser(data, _named(name, kind) if kind in _OFFICE else name)
    except DocumentUnreadable as error:
        raise FileUnread(str(error)) from error
    if not any(block.text.strip() for block in content.blocks):
        raise FileUnread(f"{name} holds no text.")
    return content


def _office(data: bytes, name: str) -> Content:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise DocumentUnreadable(f"{name} is broken. Save it anew.") from error
    if unpacked > MOST_UNPACKED:
        raise DocumentUnreadable(f"{name} would unpack to {unpacked // 1_000_000:,} MB, so I left it closed.")
    return office.parse(data, name)


def _named(name: str, kind: FileKind) -> str:
    """The parsers of Office files go by the ending, and a name may lie."""
    return name if name.lower().endswith(f".{kind}") else f"{name}.{kind}"


def _text(data: bytes, name: str) -> Content:
    ending = os.path.splitext(name)[1].lower()
    if data[:512].lstrip()[:14].lower().startswith((b"<!doctype html", b"<html")):
        return html.parse(data, name)
    if ending in _PROSE:
        return PARSERS.get(ending, PARSERS[".txt"])(data, name)
    code = decode(data, name).strip("\n")
    # Longer than any fence inside, so that it ends where the file does.
    fence = "`" * max(3, 1 + max((len(run) for run in code.split() if set(run) == {"`"}), default=0))
    blocks = (Block(BlockKind.CODE, f"{fence}{ending.lstrip('.')}\n{code}\n{fence}", line=1),) if code.strip() else ()
    return Content(blocks)
