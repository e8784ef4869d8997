"""The small blocks that all others are made of, cut to Slack's limits."""

from __future__ import annotations

from typing import Any

from handlers.markdown import shorten
from handlers.shapes import JSON

MESSAGE_SIZE = 12_000
"""Characters that all blocks of a message may have together; Slack refuses them at about 13,200."""


def plain(text: str, limit: int = 3000) -> JSON:
    """A plain text object."""
    return {"type": "plain_text", "text": shorten(text, limit), "emoji": True}


def mrkdwn(text: str, limit: int = 3000) -> JSON:
    """A mrkdwn text object; what comes from outside must have been escaped."""
    return {"type": "mrkdwn", "text": shorten(text, limit), "verbatim": True}


def section(text: str) -> JSON:
    """A paragraph."""
    return {"type": "section", "text": mrkdwn(text)}


def header(text: str) -> JSON:
    """A heading."""
    return {"type": "header", "text": plain(text, 150)}


def context(*lines: str) -> JSON:
    """Small grey lines, ten at most."""
    return {"type": "context", "elements": [mrkdwn(line) for line in lines[:10]]}


def button(text: str, action_id: str, value: str) -> JSON:
    """A button that tells the bot `value`."""
    return {"type": "button", "text": plain(text, 75), "action_id": action_id, "value": value}


def option(text: str, value: str, description: str = "") -> JSON:
    """One entry of a select or a radio group."""
    entry: JSON = {"text": plain(text, 75), "value": shorten(value, 150)}
    return {**entry, "description": plain(description, 75)} if description else entry


def select(action_id: str, options: list[JSON], *, initial: JSON | None = None) -> JSON:
    """A menu of at most 100 entries."""
    menu: JSON = {"type": "static_select", "action_id": action_id, "options": options[:100]}
    return {**menu, "initial_option": initial} if initial else menu


def input_block(block_id: str, label: str, element: JSON, *, optional: bool = False, hint: str = "") -> JSON:
    """A labelled input of a modal."""
    block: JSON = {"type": "input", "block_id": block_id, "label": plain(label, 2000), "element": element}
    return {**block, "optional": optional, **({"hint": plain(hint, 2000)} if hint else {})}


def modal(title: str, blocks: list[JSON], *, callback_id: str = "", submit: str = "", metadata: str = "") -> JSON:
    """A modal view; without `submit` it only shows."""
    view: JSON = {
        "type": "modal",
        "title": plain(title, 24),
        "close": plain("Cancel" if submit else "Close", 24),
        "blocks": blocks[:100],
    }
    if callback_id:
        view["callback_id"] = callback_id
    if submit:
        view["submit"] = plain(submit, 24)
    if metadata:
        view["private_metadata"] = metadata
    return view


def fitting(blocks: list[JSON]) -> list[JSON]:
    """As many of the blocks, from the first on, as one message takes, and a line where some were left out."""
    size = 0
    for number, block in enumerate(blocks):
        size += _characters(block)
        if size > MESSAGE_SIZE or (number == 48 and len(blocks) > 49):
            return [*blocks[:number], context("There is more than fits here.")]
    return blocks


def _characters(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(_characters(each) for key, each in value.items() if key in ("text", "elements", "fields"))
    return sum(_characters(each) for each in value) if isinstance(value, list) else 0
