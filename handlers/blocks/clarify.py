"""A question back, with a button for each thing that may be meant."""

from __future__ import annotations

import json
from collections.abc import Sequence

from handlers import shapes
from handlers.blocks.parts import button, context
from handlers.markdown import escape
from handlers.shapes import JSON

ACTION = "clarify"
"""How the action ids of the buttons begin; no two in one block may be the same."""
NONE_OF_THESE = "None of these: just answer"


def buttons(question_id: str, choices: Sequence[str]) -> list[JSON]:
    """One button for each choice, and one for none of them."""
    told = [(choice, choice) for choice in choices] + [(NONE_OF_THESE, "")]
    elements = [
        button(text, f"{ACTION}_{number}", json.dumps([question_id, meant]))
        for number, (text, meant) in enumerate(told)
    ]
    return [{"type": "actions", "elements": elements}]


def pressed(payload: JSON) -> tuple[str, str]:
    """The id of the question that was asked back, and what is meant; "" for none of the choices."""
    found = shapes.parsed(shapes.pressed(payload))
    if not isinstance(found, list) or len(found) != 2:
        return "", ""
    question_id, meant = found
    return str(question_id), str(meant)


def settled(sentence: str, person: str, meant: str) -> tuple[str, list[JSON]]:
    """What stands there once somebody has chosen, as text and blocks."""
    chosen = f"*{escape(meant)}*" if meant else "none of these"
    return sentence, [context(f"{escape(sentence)}\n<@{person}> chose {chosen}.")]
