"""What the person sees after "Add to knowledge"."""

from __future__ import annotations

import json
from collections.abc import Sequence

from handlers.blocks.parts import button, context, section
from handlers.markdown import escape
from handlers.shapes import JSON, parsed
from knowledge import access

REMOVE = "remove_from_knowledge"
_MOST_VALUE = 2000  # characters that Slack lets a button carry


def saved_text(title: str, files: Sequence[str], readers: frozenset[str], channel: str) -> str:
    """What was added, and who finds it."""
    things = [f"the thread “{escape(title)}”"] if title else []
    things += [f"the file {escape(name)}" for name in files]
    return f"Added to knowledge: {' and '.join(things)}. {_who(readers, channel)} can find it in answers from now on."


def saved_blocks(text: str, problems: Sequence[str], paths: Sequence[str]) -> list[JSON]:
    """The same with what could not be read, and a button to undo it."""
    blocks = [section(text)]
    if problems:
        blocks.append(context(*(f":warning: {escape(problem)}" for problem in problems)))
    blocks.append(context("When the message is edited, I follow; when it is deleted, I forget it."))
    value = json.dumps(list(paths))
    if len(value) <= _MOST_VALUE:
        blocks.append({"type": "actions", "elements": [button("Remove", REMOVE, value)]})
    return blocks


def paths_in(value: str) -> list[str]:
    """What a "Remove" button stands for."""
    found = parsed(value)
    return [str(path) for path in found] if isinstance(found, list) else []


def _who(readers: frozenset[str], channel: str) -> str:
    if access.EVERYONE in readers:
        return "Everyone"
    if any(reader.startswith("user:") for reader in readers):
        return "Only you"
    return f"The members of #{escape(channel)}"
