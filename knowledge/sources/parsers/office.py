"""docx, pptx and xlsx, through markitdown to Markdown."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from typing import Any

from knowledge.documents import Content
from knowledge.errors import DocumentUnreadable
from knowledge.sources.parsers.base import clean, without_lines
from knowledge.sources.parsers.markdown import parse_text

_MOST_BYTES = 500_000_000  # unpacked; a zip bomb says so in its table of contents, or is cut off by the reader


def parse(data: bytes, name: str) -> Content:
    """The content of an office file. Raises DocumentUnreadable for broken, encrypted and oversized ones."""
    suffix = name.rpartition(".")[2].lower()
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise DocumentUnreadable(f"{name} is encrypted or in an old format. Save it as .{suffix} without a password.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise DocumentUnreadable(f"{name} is a broken .{suffix} file. Save it anew.") from error
    if unpacked > _MOST_BYTES:
        raise DocumentUnreadable(f"{name} would unpack to {unpacked // 1_000_000:,} MB; it was not opened.")
    # Loading markitdown takes more than a second, so only those pay who have such files.
    from markitdown import StreamInfo

    try:
        text = _converter(suffix).convert(io.BytesIO(data), StreamInfo(extension=f".{suffix}")).markdown
    except Exception as error:  # three libraries behind it, each with errors of its own
        raise DocumentUnreadable(
            f"{name} is a broken .{suffix} file ({type(error).__name__}). Save it anew."
        ) from error
    content = parse_text(clean(text))
    return replace(content, blocks=without_lines(content.blocks))


def _converter(suffix: str) -> Any:
    from markitdown import converters

    kinds: dict[str, Any] = {
        "docx": converters.DocxConverter,
        "pptx": converters.PptxConverter,
        "xlsx": converters.XlsxConverter,
    }
    return kinds[suffix]()
