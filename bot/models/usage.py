"""What a server says that a call used up, believed only where it can be true."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from bot.domain import Usage

MOST_TOKENS = 20_000_000
"""More than any model reads or writes in one call: the largest windows hold ten million tokens."""

_PARTS = {
    "cached_tokens": ("prompt_tokens_details", "cached_tokens"),
    "cache_written_tokens": ("prompt_tokens_details", "cache_write_tokens"),
    "input_audio_tokens": ("prompt_tokens_details", "audio_tokens"),
    "input_image_tokens": ("prompt_tokens_details", "image_tokens"),
    "reasoning_tokens": ("completion_tokens_details", "reasoning_tokens"),
    "output_audio_tokens": ("completion_tokens_details", "audio_tokens"),
    "output_image_tokens": ("completion_tokens_details", "image_tokens"),
}


def read_usage(sent: object, count: Callable[[], Usage]) -> Usage:
    """The usage that a server sent (chat completions, or images and speech with their other names), as tokens.

    `count` counts it here. That holds, marked as estimated and with a note that says why, where the server sent
    nothing or what cannot be: negative, no number, more than any model takes. Numbers written as text are numbers. A
    part that is greater than its whole is cut to it, with a note.
    """
    fields = _fields(sent)
    asked = _number(fields, "prompt_tokens", "input_tokens")
    told = _number(fields, "completion_tokens", "output_tokens")
    if isinstance(asked, str) or isinstance(told, str):
        wrong = asked if isinstance(asked, str) else told
        return replace(count(), estimated=True, note=f"The server’s usage cannot be: {wrong}. It was counted here.")
    if asked is None or told is None:
        return replace(count(), estimated=True)
    parts: dict[str, Any] = {}
    notes: list[str] = []
    for name, path in _PARTS.items():
        whole = asked if path[0].startswith("prompt") else told
        parts[name], note = _part(name, _number(_details(fields, path[0]), path[1]), whole)
        notes += [note] if note else []
    return Usage(prompt_tokens=asked, completion_tokens=told, **parts, note=" ".join(notes))


def _part(name: str, sent: int | str | None, whole: int) -> tuple[int, str]:
    """A part of the tokens, and what is odd about it."""
    kind = name.replace("_", " ")
    if isinstance(sent, str):
        return 0, f"The server’s usage cannot be: {sent} as {kind}. They were taken for none."
    if sent is not None and sent > whole:
        return whole, f"The server says {sent:,} {kind} of {whole:,}; no more than all were taken."
    return sent or 0, ""


def _number(fields: Mapping[str, Any], *names: str) -> int | str | None:
    """The first of the names that is there, None where none is; as text what is no count of tokens."""
    value = next((fields[name] for name in names if fields.get(name) is not None), None)
    if value is None:
        return None
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_TOKENS:
        return f"{str(value)[:40]} tokens"
    return value


def _details(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    other = name.replace("prompt", "input").replace("completion", "output")
    found = _fields(fields.get(name) or fields.get(other))
    if name == "prompt_tokens_details" and "cache_write_tokens" not in found:
        # Anthropic’s own name for it, which its compatible endpoint and some proxies keep beside the details.
        found = {**found, "cache_write_tokens": fields.get("cache_creation_input_tokens")}
    return found


def _fields(value: object) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    if value is None or not hasattr(value, "model_dump"):
        return {}
    # Built without validation where a server strays from the protocol; its own fields are kept as they came.
    return {**vars(value), **(getattr(value, "model_extra", None) or {})}
