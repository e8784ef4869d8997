"""Small files of every kind that people attach, made on the spot."""

from __future__ import annotations

import io
import struct
import wave
import zipfile
import zlib

from PIL import Image

CSV = (
    b"team,month,cost\nPlatform,January,1200\nPlatform,February,1350\nSales,January,800\nSales,February,640\n"
    b"Support,January,410\nSupport,February,455\n"
)


def png(width: int = 40, height: int = 30, color: str = "red", mode: str = "RGB", kind: str = "PNG") -> bytes:
    """A picture of one colour."""
    out = io.BytesIO()
    Image.new(mode, (width, height), color).save(out, kind)
    return out.getvalue()


def wav(milliseconds: int = 2_500) -> bytes:
    """Silence."""
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8_000)
        sound.writeframes(b"\0\0" * (8 * milliseconds))
    return out.getvalue()


def m4a(milliseconds: int = 61_500) -> bytes:
    """An MPEG-4 file that holds nothing but its head: `ftyp`, and `moov` with `mvhd` inside."""
    mvhd = _box(b"mvhd", b"\0" * 12 + struct.pack(">II", 1000, milliseconds) + b"\0" * 80)
    return _box(b"ftyp", b"M4A \0\0\0\0M4A mp42") + _box(b"free", b"\0" * 9) + _box(b"moov", mvhd)


def opus(milliseconds: int = 3_000) -> bytes:
    """An Ogg file with the head of Opus, and a last page that says where it ends."""
    head = b"OggS\0\2" + struct.pack("<q", 0) + b"\0" * 14 + b"OpusHead\1\1" + struct.pack("<H", 312) + b"\0" * 7
    return head + b"OggS\0\4" + struct.pack("<q", 48 * milliseconds + 312) + b"\0" * 20


def flac(milliseconds: int = 1_500) -> bytes:
    """The head of a FLAC file."""
    rate = 44_100
    bits = rate << 44 | 1 << 41 | 15 << 36 | rate * milliseconds // 1000
    return b"fLaC\0\0\0\x22" + b"\0" * 10 + bits.to_bytes(8, "big") + b"\0" * 16


def docx(text: str = "The office closes at six.") -> bytes:
    """A Word document of one paragraph."""
    body = (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?><w:document '
        'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>'
        f"{text}</w:t></w:r></w:p></w:body></w:document>"
    )
    kinds = (
        '<?xml version="1.0" encoding="UTF-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/'
        'content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+'
        'xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.'
        'wordprocessingml.document.main+xml"/></Types>'
    )
    links = (
        '<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
        'relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
        'relationships/officeDocument" Target="word/document.xml"/></Relationships>'
    )
    return zipped(
        {"[Content_Types].xml": kinds.encode(), "_rels/.rels": links.encode(), "word/document.xml": body.encode()}
    )


def zipped(files: dict[str, bytes]) -> bytes:
    """An archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def locked_pdf() -> bytes:
    """A PDF that wants a password."""
    from pypdf import PdfWriter

    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    writer.encrypt("secret", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def huge_picture() -> bytes:
    """A PNG of a few bytes that says it has 60,000 × 60,000 pixels."""
    small = bytearray(png(1, 1))
    small[16:24] = struct.pack(">II", 60_000, 60_000)
    small[29:33] = struct.pack(">I", zlib.crc32(bytes(small[12:29])))
    return bytes(small)


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content
