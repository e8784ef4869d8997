"""Which parser reads which file."""

from __future__ import annotations

import os

from knowledge.sources.parsers import html, markdown, office, pdf, table, text
from knowledge.sources.parsers.base import Parser

PARSERS: dict[str, Parser] = {
    ".md": markdown.parse,
    ".markdown": markdown.parse,
    ".txt": text.parse,
    ".text": text.parse,
    ".rst": text.parse,
    ".html": html.parse,
    ".htm": html.parse,
    ".pdf": pdf.parse,
    ".docx": office.parse,
    ".pptx": office.parse,
    ".xlsx": office.parse,
    ".csv": table.parse,
    ".tsv": table.parse,
}


def parser_for(name: str) -> Parser | None:
    """The parser of a file by its ending, or None where nobody reads such files."""
    return PARSERS.get(os.path.splitext(name)[1].lower())
