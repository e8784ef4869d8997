"""The modal of "Ask about this"."""

from __future__ import annotations

from handlers.blocks.parts import input_block, modal, option, section
from handlers.markdown import escape, shorten
from handlers.shapes import JSON

CALLBACK = "ask_about"
QUESTION, WHERE, QUOTE = "question", "where", "quote"
ALONE, THREAD = "alone", "thread"
QUOTED = 2500


def ask_modal(message: str, metadata: str) -> JSON:
    """Shows the message and asks what to find out about it."""
    text = {"type": "plain_text_input", "action_id": QUESTION, "multiline": True, "max_length": 3000}
    places = [option("Only to me", ALONE), option("In the message's thread", THREAD)]
    radio = {"type": "radio_buttons", "action_id": WHERE, "options": places, "initial_option": places[0]}
    quote = "\n".join(f"&gt; {escape(line)}" for line in shorten(message, QUOTED).splitlines())
    blocks = [
        {**section(quote or "_This message has no text._"), "block_id": QUOTE},
        input_block(QUESTION, "What would you like to know about it?", text),
        input_block(WHERE, "Answer", radio),
    ]
    return modal("Ask about this", blocks, callback_id=CALLBACK, submit="Ask", metadata=metadata)


def written(payload: JSON) -> tuple[str, str, bool]:
    """The question, the message that it is about, and whether the answer is for the person alone."""
    view = payload["view"]
    values = view["state"]["values"]
    question = str(values.get(QUESTION, {}).get(QUESTION, {}).get("value") or "").strip()
    where = (values.get(WHERE, {}).get(WHERE, {}).get("selected_option") or {}).get("value")
    quoted = next((block.get("text") for block in view.get("blocks", ()) if block.get("block_id") == QUOTE), None)
    quote = str(quoted.get("text") or "") if isinstance(quoted, dict) else ""
    lines = [line.removeprefix("&gt; ") for line in quote.splitlines() if line.startswith("&gt;")]
    about = "\n".join(lines).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return question, about, where != THREAD
