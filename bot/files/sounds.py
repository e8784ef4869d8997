"""How long a recording is, as its own headers say: WAV, MP4 and M4A, Ogg and Opus, FLAC."""

from __future__ import annotations

import io
import struct
import wave
from collections.abc import Iterator

_OPUS_RATE = 48_000  # the granule positions of Opus count at this rate, whatever was recorded (RFC 7845, 4)
_MOST_MS = 24 * 3_600_000


def duration_ms(data: bytes) -> int | None:
    """Milliseconds; None where the file does not say, or says what cannot be. MP3 and WebM do not."""
    try:
        found = _stated(data)
    except (struct.error, wave.Error, EOFError, ValueError, ZeroDivisionError):
        return None
    return found if found is not None and 0 < found <= _MOST_MS else None


def _stated(data: bytes) -> int | None:
    if data.startswith(b"RIFF"):
        return _wav(data)
    if data[4:8] == b"ftyp":
        return _mp4(data)
    if data.startswith(b"OggS"):
        return _ogg(data)
    return _flac(data) if data.startswith(b"fLaC") else None


def _wav(data: bytes) -> int | None:
    with wave.open(io.BytesIO(data)) as sound:
        # A header may promise more than was recorded before the recorder died.
        whole = len(data) // (sound.getsampwidth() * sound.getnchannels())
        return int(1000 * min(sound.getnframes(), whole) // sound.getframerate())


def _mp4(data: bytes) -> int | None:
    """`mvhd` inside `moov` (ISO/IEC 14496-12, 8.2.2): a scale in ticks a second, and the length in ticks."""
    for kind, start, end in _boxes(data, 0, len(data)):
        if kind != b"moov":
            continue
        for inner, at, _ in _boxes(data, start, end):
            if inner == b"mvhd":
                scale, length = struct.unpack_from(">IQ" if data[at] else ">II", data, at + (20 if data[at] else 12))
                return int(1000 * length // scale)
    return None


def _boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The boxes between two places: what each is called, where its content begins and ends."""
    while at + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, at)
        head = 8
        if size == 1:
            size, head = struct.unpack_from(">Q", data, at + 8)[0], 16
        if size == 0:
            size = end - at
        if size < head:
            return
        yield kind, at + head, min(at + size, end)
        at += size


def _ogg(data: bytes) -> int | None:
    """The granule position of the last page (RFC 3533, 6), less what Opus skips at the start."""
    last = data.rfind(b"OggS")
    position = struct.unpack_from("<q", data, last + 6)[0]
    if (head := data.find(b"OpusHead", 0, 4096)) >= 0:
        skipped = struct.unpack_from("<H", data, head + 10)[0]
        return int(1000 * (position - skipped) // _OPUS_RATE)
    if (head := data.find(b"\x01vorbis", 0, 4096)) >= 0:
        return int(1000 * position // struct.unpack_from("<I", data, head + 12)[0])
    return None


def _flac(data: bytes) -> int | None:
    """STREAMINFO (RFC 9639, 8.2): 20 bits of sample rate, and 36 of the number of samples."""
    bits = int.from_bytes(data[18:26], "big")
    return 1000 * (bits & (1 << 36) - 1) // (bits >> 44)
