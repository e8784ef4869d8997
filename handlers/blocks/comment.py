"""The modal behind a thumb down."""

from __future__ import annotations

from handlers.blocks.parts import input_block, modal, plain
from handlers.shapes import JSON

COMMENT = "comment"


def comment_modal(metadata: str) -> JSON:
    """Asks what was wrong; it may stay empty."""
    element = {
        "type": "plain_text_input",
        "action_id": COMMENT,
        "multiline": True,
        "max_length": 2000,
        "placeholder": plain("Wrong, outdated, beside the point, missing a source …", 150),
    }
    blocks = [input_block(COMMENT, "What was wrong?", element, optional=True)]
    return modal("Thank you", blocks, callback_id=COMMENT, submit="Send", metadata=metadata)


def written(payload: JSON) -> str:
    """What the person wrote."""
    state = payload["view"]["state"]["values"].get(COMMENT, {}).get(COMMENT, {})
    return str(state.get("value") or "").strip()
