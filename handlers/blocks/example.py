"""The modal of "Save as example"."""

from __future__ import annotations

from handlers.blocks.parts import context, input_block, modal
from handlers.shapes import JSON

CALLBACK = "save_example"
LONGEST = 3000
QUESTION, ANSWER = "question", "answer"


def example_modal(question: str, answer: str, *, everyone: bool, metadata: str) -> JSON:
    """Question and answer, to be put right before they are kept."""
    who = "everyone" if everyone else "those who can read this message"
    return modal(
        "Save as example",
        [
            input_block(QUESTION, "Question", _text(QUESTION, question)),
            input_block(ANSWER, "Good answer", _text(ANSWER, answer)),
            context(f"I will use it as an example in answers for {who}."),
        ],
        callback_id=CALLBACK,
        submit="Save",
        metadata=metadata,
    )


def shown(text: str) -> str:
    """As much of a text as the modal takes."""
    return text[:LONGEST]


def written(payload: JSON) -> tuple[str, str]:
    """Question and answer as the person left them."""
    values = payload["view"]["state"]["values"]
    question, answer = (
        str(values.get(name, {}).get(name, {}).get("value") or "").strip() for name in (QUESTION, ANSWER)
    )
    return question, answer


def _text(name: str, initial: str) -> JSON:
    element: JSON = {"type": "plain_text_input", "action_id": name, "multiline": True, "max_length": LONGEST}
    return {**element, "initial_value": shown(initial)} if initial else element
