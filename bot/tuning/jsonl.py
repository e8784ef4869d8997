"""Looks through a file of chat JSONL, before a provider does: what is wrong, line by line, in words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.errors import UnusableTraining
from bot.evaluation.golden import Problems
from bot.models.cards import ModelCard
from bot.models.tokens import count_tokens
from bot.strategies.wording import MESSAGE_TOKENS
from bot.tuning.report import ADVISED, LEAST

ROLES = ("system", "user", "assistant", "function", "tool")
LONGEST_LINE = 10_000_000
"""Bytes of a line that are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a file holds. `problems`: a sentence for each line that no provider takes, with its number."""

    rows: int
    tokens: int
    estimated: bool
    problems: tuple[str, ...]
    notes: tuple[str, ...]


class _Wrong(Exception):
    """Why a line cannot be trained on."""


def check(file: Path, model: ModelCard | None = None) -> Checked:
    """Reads a file line by line. `model`: what is to be tuned, whose window holds. Raises UnusableTraining where the
    file cannot be read."""
    problems, rows, tokens, estimated = Problems(), 0, 0, False
    answers: set[str] = set()
    try:
        for number, raw in _lines(file):
            try:
                messages = _messages(raw)
                counts = [count_tokens(_said(one), model.model_id if model else "") for one in messages]
                length = sum(count.tokens + MESSAGE_TOKENS for count in counts)
                if model and model.context_window and length > model.context_window:
                    raise _Wrong(
                        f"it has {length:,} tokens, and the window of {model.name} is {model.context_window:,}. "
                        "Shorten it, or split it."
                    )
            except _Wrong as error:
                problems.add(f"Line {number}: {error}")
                continue
            rows, tokens = rows + 1, tokens + length
            estimated |= any(count.estimated for count in counts)
            answers.add(" ".join(_said(messages[-1]).casefold().split()))
    except OSError as error:
        raise UnusableTraining(f"{file} cannot be read ({error.strerror}).") from error
    if rows < LEAST:
        noun = "row that can" if rows == 1 else "rows that can"
        problems.add(
            f"The file has {rows} {noun} be trained on; at least {LEAST} are needed, {ADVISED} to 100 advised."
        )
    elif len(answers) == 1:
        problems.add(f"All {rows} rows have the same answer: a model would learn to say that to everything.")
    notes = () if rows >= ADVISED or rows < LEAST else (f"{ADVISED} to 100 rows are advised; there are {rows}.",)
    return Checked(rows=rows, tokens=tokens, estimated=estimated, problems=problems.sentences, notes=notes)


def _lines(file: Path) -> Iterator[tuple[int, bytes]]:
    with file.open("rb") as opened:
        number = 0
        while raw := opened.readline(LONGEST_LINE):
            number += 1
            raw = raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw
            if raw.strip():
                yield number, raw.strip()


def _messages(raw: bytes) -> list[dict[str, Any]]:
    if len(raw) >= LONGEST_LINE - 1:
        raise _Wrong(f"it has more than {LONGEST_LINE // 1_000_000} MB. Split it.")
    try:
        row = json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise _Wrong(f"byte {error.start + 1} is not UTF-8. Save the file in UTF-8.") from None
    except (ValueError, RecursionError):
        raise _Wrong("it is no JSON. Each line is one object in braces, without a line break in it.") from None
    messages = row.get("messages") if isinstance(row, dict) else None
    if not isinstance(messages, list) or not messages:
        raise _Wrong('it has no messages. A row reads {"messages": [{"role": "user", "content": "…"}, …]}.')
    for place, message in enumerate(messages, 1):
        _check_message(place, message)
    if not any(message["role"] == "assistant" for message in messages):
        raise _Wrong("it has no turn of the assistant, so there is nothing to learn. Add the answer.")
    if messages[-1]["role"] != "assistant":
        raise _Wrong(f"its last turn is the {messages[-1]['role']}'s. End it with the assistant's answer.")
    return messages


def _check_message(place: int, message: object) -> None:
    if not isinstance(message, dict):
        raise _Wrong(f"message {place} is no object with a role and content.")
    role = message.get("role")
    if role not in ROLES:
        raise _Wrong(f"message {place} has the role “{role}”. There are: {', '.join(ROLES)}.")
    has_calls = role == "assistant" and bool(message.get("tool_calls") or message.get("function_call"))
    if not _said(message).strip() and not has_calls:
        raise _Wrong(f"message {place} ({role}) says nothing. Give it content, or take it out.")


def _said(message: dict[str, Any]) -> str:
    content = message.get("content")
    return content if isinstance(content, str) else ""
