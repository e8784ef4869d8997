"""Which messages ask for a picture."""

from __future__ import annotations

import pytest

from handlers.drawing import to_draw


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("draw a red fox", "a red fox"),
        ("Draw me a red fox in the snow.", "a red fox in the snow."),
        ("please draw two cats", "two cats"),
        ("Can you draw us the moon?", "the moon"),
        ("draw our office as a castle", "our office as a castle"),
        ("draw\na lighthouse", "a lighthouse"),
        ("draw a line of ducks", "a line of ducks"),
    ],
)
def test_a_picture_is_asked_for_in_so_many_words(text: str, what: str) -> None:
    assert to_draw(text) == what


@pytest.mark.parametrize(
    "text",
    [
        "draw",
        "draw ",
        "How do I draw a diagram in Confluence?",
        "draw a conclusion from the report",
        "draw conclusions from the three incidents",
        "draw the main lessons from it",
        "draw up a plan for the release",
        "draw on what the handbook says",
        "draw a comparison of both plans",
        "withdraw a request",
        "drawings of the office, where are they?",
    ],
)
def test_what_is_drawn_and_is_no_picture_is_a_question_like_others(text: str) -> None:
    assert to_draw(text) is None
