"""What a file is: told by its first bytes, never by its name alone."""

from __future__ import annotations

import io
import os
import zipfile
from enum import StrEnum


class FileKind(StrEnum):
    """What can be made of a file."""

    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    PDF = "pdf"
    DOCX = "docx"
    PPTX = "pptx"
    XLSX = "xlsx"
    OLD_OFFICE = "old office"
    ARCHIVE = "archive"
    TEXT = "text"
    BINARY = "binary"


LABELS = {
    FileKind.IMAGE: "a picture",
    FileKind.AUDIO: "a sound recording",
    FileKind.VIDEO: "a video",
    FileKind.PDF: "a PDF",
    FileKind.DOCX: "a Word document",
    FileKind.PPTX: "a presentation",
    FileKind.XLSX: "a spreadsheet",
    FileKind.OLD_OFFICE: "an encrypted Office file or one in an old format",
    FileKind.ARCHIVE: "an archive of files",
    FileKind.TEXT: "text",
    FileKind.BINARY: "data of a kind that I cannot read",
}
"""What people are told that it is."""

_IMAGES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"BM", b"II*\x00", b"MM\x00*")
_ARCHIVES = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"7z\xbc\xaf'\x1c", b"Rar!")
_SOUNDS = (b"OggS", b"fLaC", b"ID3")
_MPEG = frozenset({0xFB, 0xF3, 0xF2, 0xFA, 0xE3})
_OFFICE = {"word/": FileKind.DOCX, "ppt/": FileKind.PPTX, "xl/": FileKind.XLSX}
_PICTURE_BRANDS = frozenset({b"heic", b"heix", b"mif1", b"avif"})
_BY_NAME = {
    ".pdf": FileKind.PDF,
    ".docx": FileKind.DOCX,
    ".pptx": FileKind.PPTX,
    ".xlsx": FileKind.XLSX,
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".heic"), FileKind.IMAGE),
    **dict.fromkeys((".wav", ".mp3", ".m4a", ".ogg", ".oga", ".opus", ".flac", ".aac"), FileKind.AUDIO),
    **dict.fromkeys((".mp4", ".mov", ".mkv"), FileKind.VIDEO),
    **dict.fromkeys((".zip", ".gz", ".7z", ".rar", ".tar"), FileKind.ARCHIVE),
}
_LOOKED_AT = 8192


def kind_of(data: bytes, mimetype: str = "") -> FileKind:
    """The kind of the content. `mimetype` decides only whether an MP4 or WebM container holds speech or video."""
    head = data[:_LOOKED_AT]
    if head.startswith(_IMAGES) or (head.startswith(b"RIFF") and head[8:12] == b"WEBP"):
        return FileKind.IMAGE
    if head.startswith(b"%PDF"):
        return FileKind.PDF
    if head.startswith(b"PK\x03\x04"):
        return _packed(data)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        return FileKind.OLD_OFFICE
    if head.startswith(_ARCHIVES):
        return FileKind.ARCHIVE
    if sound := _sound(head, mimetype):
        return sound
    wide = head.startswith((b"\xff\xfe", b"\xfe\xff"))  # UTF-16, which has zeros in it
    return FileKind.BINARY if b"\0" in head and not wide else FileKind.TEXT


def claimed(name: str) -> FileKind:
    """What the name says that it is; text where it says nothing that is known."""
    return _BY_NAME.get(os.path.splitext(name)[1].lower(), FileKind.TEXT)


def _sound(head: bytes, mimetype: str) -> FileKind | None:
    if head.startswith(_SOUNDS) or (head.startswith(b"RIFF") and head[8:12] == b"WAVE"):
        return FileKind.AUDIO
    if len(head) > 1 and head[0] == 0xFF and (head[1] in _MPEG or head[1] & 0xF6 == 0xF0):
        return FileKind.AUDIO
    if head[4:8] == b"ftyp":
        if head[8:12] in _PICTURE_BRANDS:
            return FileKind.IMAGE
        is_audio = mimetype.startswith("audio/") or head[8:12].startswith(b"M4A")
        return FileKind.AUDIO if is_audio else FileKind.VIDEO
    if head.startswith(b"\x1aE\xdf\xa3"):
        return FileKind.VIDEO if mimetype.startswith("video/") else FileKind.AUDIO
    return None


def _packed(data: bytes) -> FileKind:
    """An Office file is a zip archive with a folder of its own."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return FileKind.ARCHIVE
    return next(
        (kind for folder, kind in _OFFICE.items() if any(n.startswith(folder) for n in names)), FileKind.ARCHIVE
    )
