"""What tracing costs a question: off, as it is without a receiver, and on, against a receiver on this machine.

Promise: off, the spans of a question cost below 1% of it.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import proof_result
import pytest
from house import ROLLBACK
from otlp_receiver import exported

from bot import tracing
from bot.config import Folder, Knowledge, Settings
from bot.core import Core, open_core
from bot.domain import Audience, Finished, Place, PlaceKind, Question

MODELS = Path(__file__).resolve().parents[2] / ".models"
SHARE = 0.01


async def prove(questions: int) -> dict[str, Any]:
    """Figures of so many questions to the offline model, in seconds."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        async with _opened(Path(folder)) as core:
            await _asked(core, 3)
            off = await _asked(core, questions)
            with exported(patch) as received:
                on = await _asked(core, questions)
            spans = len(received.spans) / questions
    each = _span_seconds()
    return {
        "questions": questions,
        "question_off_seconds": statistics.median(off),
        "question_on_seconds": statistics.median(on),
        "spans_a_question": spans,
        "span_off_seconds": each,
        "share_off": each * spans / statistics.median(off),
        "promised_share": SHARE,
    }


@asynccontextmanager
async def _opened(folder: Path) -> AsyncIterator[Core]:
    docs = folder / "docs"
    docs.mkdir()
    (docs / "deploying.md").write_text(ROLLBACK, encoding="utf-8")
    knowledge = Knowledge(folders=(Folder(path=docs, name="docs"),))
    async with open_core(Settings(data_dir=folder / "data", models_dir=MODELS, knowledge=knowledge)) as core:
        await core.knowledge.refresh()
        yield core


async def _asked(core: Core, count: int) -> list[float]:
    seconds = []
    for number in range(count):
        question = Question(
            id=f"{time.monotonic_ns():x}",
            text=f"How do I roll back release {number}?",
            asker="U1",
            place=Place(workspace="T1", channel="C1", kind=PlaceKind.CONSOLE),
            audience=Audience.everyone(),
            asked_at=core.clock(),
        )
        started = time.perf_counter()
        last = [event async for event in core.assistant.answer(question)][-1]
        seconds.append(time.perf_counter() - started)
        assert isinstance(last, Finished)
    return seconds


def _span_seconds(count: int = 100_000) -> float:
    started = time.perf_counter()
    for _ in range(count):
        with tracing.span("question", {"switchboard.question.id": "1", "switchboard.purpose": "answer"}) as span:
            span.note({"switchboard.outcome": "answered"})
    return (time.perf_counter() - started) / count


def main() -> int:
    """The proof with its sizes from the command line."""
    known = argparse.ArgumentParser(description=__doc__)
    known.add_argument("--questions", type=int, default=200)

    def run(size: argparse.Namespace, _: Path) -> proof_result.Result:
        figures = asyncio.run(prove(size.questions))
        return proof_result.Result(figures, figures["share_off"] < SHARE)

    return proof_result.main("tracing", known, run)


if __name__ == "__main__":
    sys.exit(main())
