"""Markdown as plain words."""

from __future__ import annotations

import pytest

from knowledge.markdown import plain


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("| Flag | Since |\n| :--- | ---: |\n| `--all` | 1.2 |", "Flag Since \n --all 1.2"),
        ("# Keys\n\nRotate **yearly**, see [the guide](https://example.com/a).", "Keys\nRotate yearly, see the guide."),
        ("Before\n\n---\n\nAfter", "Before\nAfter"),
        ("```\nrm -rf | tee\n```", "rm -rf | tee"),
    ],
)
def test_marks_are_left_out(text: str, words: str) -> None:
    assert plain(text) == words


@pytest.mark.parametrize("sign", ["-", "|-", "| ", ": ", "[", "[](", "![", "<!--", "<a ", "*", "`", "~", "#", " \t"])
def test_no_run_of_signs_holds_the_reader_up(sign: str) -> None:
    """A pattern that tries every way to split a run of signs never comes back from a few dozen of them."""
    assert plain(f"begin\n| a | {sign * 20_000} | end |").startswith("begin")
