"""PDF: the text of each page under its number."""

from __future__ import annotations

import io
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from knowledge.documents import Block, BlockKind, Content
from knowledge.errors import DocumentUnreadable
from knowledge.sources.parsers.base import clean
from knowledge.sources.parsers.text import paragraphs

# pypdf takes 20 MB of memory, so only those pay who have such files.
if TYPE_CHECKING:
    from pypdf import PdfReader

# pypdf warns of every oddity that it reads past; what cannot be read is told as a problem.
logging.getLogger("pypdf").setLevel(logging.CRITICAL)


def parse(data: bytes, name: str) -> Content:
    """The content of a PDF. Raises DocumentUnreadable for broken, encrypted and scanned ones."""
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise DocumentUnreadable(f"{name} is an encrypted PDF. Save it without a password to have it searched.")
        blocks = tuple(_blocks(reader))
        details = reader.metadata
    except DocumentUnreadable:
        raise
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OSError) as error:
        # Damage shows in many places of pypdf, not only as its own errors.
        raise DocumentUnreadable(f"{name} is a broken PDF ({_first_line(error)}). Save it anew.") from error
    if not blocks:
        raise DocumentUnreadable(f"{name} is a PDF without text (a scan?). Add a text layer to have it searched.")
    if details is None:
        return Content(blocks)
    try:
        updated = details.modification_date
    except (ValueError, PyPdfError):  # a date that is none
        updated = None
    return Content(blocks, title=_said(details.title), author=_said(details.author), updated=_zoned(updated))


def _blocks(reader: PdfReader) -> list[Block]:
    blocks: list[Block] = []
    for number, page in enumerate(reader.pages, 1):
        found = paragraphs(clean(page.extract_text()))
        if found:
            blocks += [Block(BlockKind.HEADING, f"Page {number}", 1), *found]
    return blocks


def _said(text: object) -> str | None:
    return (clean(text).strip() or None) if isinstance(text, str) else None


def _zoned(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:120].rstrip(".")
