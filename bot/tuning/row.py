"""A row of training data, with where it is from, and the forms in which providers take it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.domain import Evidence
from bot.evaluation.golden import asked
from bot.strategies.fine_tuned import FineTuned

Origin = Literal["example", "person", "thumb", "choice"]
"""A reviewed answer of the bot, an answer that a person wrote, one that got 👍, one that was taken of two."""
Part = Literal["train", "validation", "preferences"]
PARTS: tuple[Part, ...] = ("train", "validation", "preferences")
FILES = {part: f"{part}.jsonl" for part in PARTS}
_ROOM = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A question with the answer to learn. `subject`: the id of the question or example that it is from; `asker` wrote
    the question, `author` the answer or reviewed it ("": nobody knows, or the bot). `rejected`: of a preference, the
    answer that was left."""

    origin: Origin
    subject: str
    asker: str
    author: str
    said_at: datetime
    question: str
    answer: str
    rejected: str | None = None

    @property
    def lineage(self) -> str:
        """Where it is from, for people."""
        what = {"example": "example", "person": "example", "thumb": "answer", "choice": "answer"}[self.origin]
        return f"{what} {self.subject[:8]} of {self.said_at:%Y-%m-%d}"


def prompted(question: str) -> list[dict[str, str]]:
    """The messages that a fine-tuned model is asked a question with: it is trained on what it will see."""
    messages = FineTuned(len).prompt(asked(question), Evidence(), (), budget=_ROOM).messages
    return [{"role": message.role, "content": message.content} for message in messages]


def chat_line(row: Row) -> str:
    """A line of chat JSONL, as OpenAI, Azure, Together and Fireworks take it."""
    return _line({"messages": [*prompted(row.question), {"role": "assistant", "content": row.answer}]})


def preference_line(row: Row) -> str:
    """A line of preference JSONL for DPO, as OpenAI, Azure and Together take it."""
    return _line(
        {
            "input": {"messages": prompted(row.question), "tools": [], "parallel_tool_calls": True},
            "preferred_output": [{"role": "assistant", "content": row.answer}],
            "non_preferred_output": [{"role": "assistant", "content": row.rejected or ""}],
        }
    )


def written(part: Part, rows: Iterable[Row]) -> str:
    """The file of a part."""
    return "".join(f"{preference_line(row) if part == 'preferences' else chat_line(row)}\n" for row in rows)


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
