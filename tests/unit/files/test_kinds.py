"""What a file is, told by its content."""

from __future__ import annotations

import pytest
from sample_files import CSV, docx, flac, locked_pdf, m4a, opus, png, wav, zipped

from bot.files.kinds import FileKind, claimed, kind_of


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (png(), FileKind.IMAGE),
        (png(kind="JPEG"), FileKind.IMAGE),
        (png(kind="WEBP"), FileKind.IMAGE),
        (png(kind="GIF"), FileKind.IMAGE),
        (b"\0\0\0\x18ftypheic", FileKind.IMAGE),
        (wav(), FileKind.AUDIO),
        (m4a(), FileKind.AUDIO),
        (opus(), FileKind.AUDIO),
        (flac(), FileKind.AUDIO),
        (b"ID3\x04\0\0", FileKind.AUDIO),
        (b"\xff\xfb\x90\0", FileKind.AUDIO),
        (b"\0\0\0\x18ftypisom", FileKind.VIDEO),
        (locked_pdf(), FileKind.PDF),
        (docx(), FileKind.DOCX),
        (zipped({"ppt/presentation.xml": b""}), FileKind.PPTX),
        (zipped({"xl/workbook.xml": b""}), FileKind.XLSX),
        (zipped({"notes.txt": b"hello"}), FileKind.ARCHIVE),
        (b"PK\x03\x04 and then nothing", FileKind.ARCHIVE),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", FileKind.OLD_OFFICE),
        (b"\x1f\x8b\x08", FileKind.ARCHIVE),
        (CSV, FileKind.TEXT),
        ("für alle".encode("utf-16"), FileKind.TEXT),
        (b"\x7fELF\0\0\0", FileKind.BINARY),
        (b"", FileKind.TEXT),
    ],
)
def test_a_file_is_what_its_content_says(data: bytes, kind: FileKind) -> None:
    assert kind_of(data) is kind


def test_the_mimetype_tells_speech_from_video_in_a_container_that_holds_both() -> None:
    for head in (b"\0\0\0\x18ftypmp42", b"\x1aE\xdf\xa3"):
        assert kind_of(head, "audio/mp4") is FileKind.AUDIO
        assert kind_of(head, "video/webm") is FileKind.VIDEO
    assert kind_of(png(), "audio/mp4") is FileKind.IMAGE


def test_a_name_claims_a_kind_or_nothing() -> None:
    assert [claimed(name) for name in ("a.PDF", "b.jpeg", "c.m4a", "d.py", "e")] == [
        FileKind.PDF,
        FileKind.IMAGE,
        FileKind.AUDIO,
        FileKind.TEXT,
        FileKind.TEXT,
    ]
