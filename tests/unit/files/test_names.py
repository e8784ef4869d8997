"""Names that strangers gave to files."""

from __future__ import annotations

import unicodedata

import pytest

from bot.files.names import MOST_CHARACTERS, shown_name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("budget_2026.csv", "budget_2026.csv"),
        ("Bericht für März.pdf", "Bericht für März.pdf"),
        ("予算.xlsx", "予算.xlsx"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\Windows\\system.ini", "system.ini"),
        ("/", "a file"),
        ("..", "a file"),
        ("", "a file"),
        ("=cmd()", "=cmd()"),
        ("a\x00b\x1b[2J\nc.csv", "ab(2J c.csv"),
        ("gpj.exe\u202e.txt\u2066", "gpj.exe.txt"),
        ("<!channel> <@U123>.pdf", "‹channel› ‹U123›.pdf"),
        ("@here #general.md", "here general.md"),
        ("*b* `c` ~d~ [x](y)|z&.txt", "·b· 'c' -d- (x)(y)¦z+.txt"),
        ("__init__", "init"),
    ],
)
def test_a_name_is_shown_without_what_is_hidden_calls_people_or_styles_a_message(name: str, shown: str) -> None:
    assert shown_name(name) == shown


def test_a_long_name_is_cut_and_keeps_its_ending() -> None:
    shown = shown_name("a" * 300 + ".pdf")
    assert len(shown) == MOST_CHARACTERS
    assert shown.endswith("a….pdf")


def test_no_character_of_any_name_stays_hidden() -> None:
    every = "".join(map(chr, range(0x3000)))
    shown = [shown_name(f"x{one}y") for one in every]
    assert not [name for name in shown if any(unicodedata.category(one)[0] == "C" for one in name)]
    assert not [name for name in shown if set("<>`*~|[]&\n/\\") & set(name)]
