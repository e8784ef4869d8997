"""What attached files say."""

from __future__ import annotations

import pytest
from sample_files import CSV, docx, locked_pdf, zipped

from bot.errors import FileUnread
from bot.files.kinds import FileKind, kind_of
from bot.files.texts import read_text
from knowledge.documents import BlockKind
from knowledge.sources.parsers import office


def read(data: bytes, name: str) -> str:
    return "\n\n".join(block.text for block in read_text(data, name, kind_of(data)).blocks)


def test_a_table_a_page_a_document_and_code_are_read_as_what_they_are() -> None:
    assert "| Sales | February | 640 |" in read(CSV, "budget.csv")
    assert read(b"<!doctype html><h1>Hi</h1><script>x()</script><p>All of it", "page.php") == "Hi\n\nAll of it"
    assert "The office closes at six." in read(docx(), "hours.docx")
    assert "The office closes at six." in read(docx(), "hours.txt")  # by its content, whatever its name
    code = read_text(b"def f():\n    return 1\n", "f.py", FileKind.TEXT).blocks
    assert [(block.kind, block.text) for block in code] == [(BlockKind.CODE, "```py\ndef f():\n    return 1\n```")]


def test_code_that_holds_a_fence_cannot_close_its_own() -> None:
    (block,) = read_text(b"x = '''\n```\nrm -rf\n````\n'''", "x.py", FileKind.TEXT).blocks
    assert block.text.startswith("`````py\n")
    assert block.text.endswith("\n`````")


@pytest.mark.parametrize(
    ("data", "name", "why"),
    [
        (
            zipped({"a.txt": b"x"}),
            "x.zip",
            "x.zip is an archive of files, so I left it closed. Send what it is about as PDF",
        ),
        (b"\xd0\xcf\x11\xe0", "x.docx", "an encrypted Office file or one in an old format"),
        (locked_pdf(), "x.pdf", "encrypted PDF. Save it without a password"),
        (b"%PDF-1.7 and no more", "x.pdf", "x.pdf is a broken PDF"),
        (zipped({"word/document.xml": b"<broken"}), "x.docx", "x.docx is a broken .docx file"),
        (b"\0\0\0\x18ftypisom", "x.mp4", "x.mp4 is a video"),
        (b"  \n ", "x.txt", "x.txt holds no text"),
        (b"", "x.py", "x.py holds no text"),
        (b"<html>" + b"<div>" * 200_000, "x.html", r"x\.html (holds no text|is not readable)"),
    ],
    ids=[
        "zip",
        "old office",
        "password",
        "broken pdf",
        "broken docx",
        "video",
        "blank",
        "empty",
        "a deep page",
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(data: bytes, name: str, why: str) -> None:
    with pytest.raises(FileUnread, match=why):
        read(data, name)


def test_a_document_that_would_unpack_to_too_much_is_left_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = zipped({"word/document.xml": b"\0" * 130_000_000})
    assert len(bomb) < 200_000

    def opened(*_: object) -> None:
        raise AssertionError("the bomb was opened")

    monkeypatch.setattr(office, "parse", opened)
    with pytest.raises(FileUnread, match=r"x\.docx would unpack to 130 MB, so I left it closed"):
        read(bomb, "x.docx")
