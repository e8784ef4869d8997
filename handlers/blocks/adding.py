"""The modal behind `/knowledge add`: what was understood, what it will be called and who will find it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from handlers.blocks.knowledge import kind
from handlers.blocks.parts import context, input_block, modal, option, section
from handlers.markdown import escape
from handlers.origin import metadata
from handlers.shapes import JSON
from knowledge.sources.kinds import SourceSpec

CALLBACK = "add_source"
NAME, KIND, READERS = "name", "kind", "readers"
MOST_TEXT = 1000
"""Characters of what a person wrote that a modal keeps."""


def adding_modal(
    text: str, specs: Sequence[SourceSpec], readers: Sequence[tuple[str, str]], note: str, kept: str
) -> JSON:
    """The modal. `readers`: scopes with their words, the suggested one first; `note`: what else is worth knowing."""
    first = specs[0]
    what = f"This is a *{escape(kind(first.kind))}*:" if len(specs) == 1 else "This can be read in more than one way:"
    blocks = [section(f"{what}\n{escape(text)}")]
    if len(specs) > 1:
        kinds = [option(kind(spec.kind).capitalize(), spec.kind) for spec in specs]
        blocks.append(input_block(KIND, "Read it as", _radio(KIND, kinds)))
    name = {"type": "plain_text_input", "action_id": NAME, "initial_value": first.name, "max_length": 80}
    blocks.append(input_block(NAME, "What it is called", name, hint="Answers and lists show this name."))
    scopes = [option(words, scope) for scope, words in readers]
    blocks.append(input_block(READERS, "Who finds it in answers", _radio(READERS, scopes)))
    blocks.append(context(note))
    kept = json.dumps({**json.loads(kept), "text": text})
    return modal("Add to knowledge", blocks, callback_id=CALLBACK, submit="Add", metadata=kept)


def text_of(payload: JSON) -> str:
    """What the person wrote when the modal was opened."""
    return metadata(payload).get("text", "")


def written(payload: JSON) -> tuple[str, str | None, str]:
    """Name, kind (None where there was no choice) and reader of the submitted modal."""
    values: JSON = payload["view"]["state"]["values"]

    def chosen(block: str) -> str | None:
        return ((values.get(block) or {}).get(block, {}).get("selected_option") or {}).get("value")

    name = str((values.get(NAME) or {}).get(NAME, {}).get("value") or "")
    return " ".join(name.split()), chosen(KIND), chosen(READERS) or ""


def _radio(action_id: str, options: list[JSON]) -> JSON:
    return {"type": "radio_buttons", "action_id": action_id, "options": options, "initial_option": options[0]}
