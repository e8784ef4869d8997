"""How long a recording is."""

from __future__ import annotations

import pytest
from sample_files import flac, m4a, opus, wav

from bot.files.sounds import duration_ms


@pytest.mark.parametrize(
    ("data", "length"), [(wav(2_500), 2_500), (m4a(61_500), 61_500), (opus(3_000), 3_000), (flac(1_500), 1_500)]
)
def test_the_headers_of_a_recording_say_how_long_it_is(data: bytes, length: int) -> None:
    assert duration_ms(data) == length


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"RIFF",
        wav()[:20],
        m4a()[:60],
        b"\0\0\0\x18ftypM4A " + b"\0\0\0\0moov",
        b"\0\0\0\x18ftypM4A " + b"\0\0\0\x02moov" * 4,
        m4a(0),
        m4a(4_000_000_000),
        opus()[:40],
        b"OggS\0\2" + b"\xff" * 40,
        b"fLaC" + b"\0" * 40,
        b"ID3\4\0",
        b"\x1aE\xdf\xa3",
    ],
)
def test_a_broken_header_or_none_is_an_unknown_length_and_never_zero(data: bytes) -> None:
    assert duration_ms(data) is None


def test_a_header_that_promises_more_than_was_recorded_is_not_believed() -> None:
    whole = wav(60_000)
    assert duration_ms(whole[: len(whole) // 2]) in range(29_990, 30_010)
