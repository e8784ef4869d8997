"""Questions and answers to train on, and the ways in which people ask the same again."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.tuning.row import Origin, Row

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
QUESTIONS = Path(__file__).parents[1] / "benchmarks" / "k8s_questions.jsonl"


def real_questions() -> list[str]:
    """Questions that people ask of a real collection, each with at least four words."""
    lines = QUESTIONS.read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line)["text"] for line in lines]
    return [text for text in texts if len(text.split()) >= 4]


def row(question: str, answer: str = "So.", n: int = 0, origin: Origin = "example", **fields: str) -> Row:
    """A row; `n`: how many hours later than the first, and part of its id."""
    values = {"subject": f"s{n}", "asker": "U0ANA", "author": "U0BEN", **fields}
    return Row(origin=origin, question=question, answer=answer, said_at=NOW + timedelta(hours=n), **values)


def shouted(question: str, _: random.Random) -> str:
    """In capitals."""
    return question.upper()


def spaced(question: str, _: random.Random) -> str:
    """With other spaces and signs, and a greeting."""
    return f"Hi all,  {'  '.join(question.rstrip('?.').split())} ??"


def reordered(question: str, rng: random.Random) -> str:
    """The same words in another order."""
    words = question.rstrip("?.").split()
    before = list(words)
    while words == before:
        rng.shuffle(words)
    return " ".join(words)


def turned_round(question: str, rng: random.Random) -> str:
    """Its second half first, with small words of the asker's own: what people do, rather than shuffle."""
    words = question.rstrip("?.").split()
    cut = rng.randrange(1, len(words))
    return f"About {' '.join(words[cut:])}: {' '.join(words[:cut])}, could you tell me that?"
