"""`switchboard evaluate` over real stores and a real model server, for tests."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from model_server import ModelServer
from rich.console import Console

from bot import evaluating
from bot.config import Settings
from bot.core import Core, open_core
from bot.evaluation.planning import Order
from bot.outlets import Outlets

DOCUMENTS = {
    "deploying.md": """# Deploying

## Rolling back a release
To roll back a release, run `robot deploy rollback`. The rollback takes two minutes.

## Who may deploy
Everyone on the engineering team may deploy between 9:00 and 16:00.
""",
    "holidays.md": """# Holidays

## How many days of holiday there are
Everyone has 30 days of holiday a year. Ask your lead two weeks ahead.
""",
}
GOLDEN = (
    {"id": "rollback", "question": "How long does a rollback take?", "answer": "two minutes", "group": "deploying"},
    {"id": "deploy", "question": "Who may deploy?", "source": "deploying.md", "group": "deploying"},
    {"id": "holidays", "question": "How many days of holiday are there?", "answer": "30 days", "group": "holidays"},
    {"id": "greeting", "question": "Write a birthday greeting.", "rubric": "It is friendly.", "group": "writing"},
)


@dataclass
class Bench:
    """A folder with documents and golden questions, a model server, and short ways to evaluate."""

    folder: Path
    settings: Settings
    server: ModelServer
    told: str = ""

    def golden(self, *rows: Mapping[str, object]) -> Path:
        """Writes golden questions."""
        file = self.folder / "golden.jsonl"
        file.write_text("".join(f"{json.dumps(row)}\n" for row in rows or GOLDEN), "utf-8")
        return file

    async def evaluate(self, *, outlets: Mapping[str, Any] | None = None, **order: Any) -> dict[str, Any]:
        """Evaluates by the test model unless the order says otherwise; gives what is printed as JSON."""
        order.setdefault("file", self.folder / "golden.jsonl")
        order.setdefault("models", ("test-model",))
        return await self._printed(evaluating.evaluate, Order(**order), outlets=outlets)

    async def resume(self, name: str = "last", **order: Any) -> dict[str, Any]:
        """Goes on with a run."""
        return await self._printed(evaluating.resume, name, Order(file=None, **order))

    async def shown(self, name: str = "last", **outlets: Any) -> dict[str, Any]:
        """A run as it was kept."""
        return await self._printed(evaluating.show, name, outlets=outlets)

    async def _printed(self, command: Any, *arguments: Any, outlets: Mapping[str, Any] | None = None) -> dict[str, Any]:
        out, err = (Console(file=io.StringIO(), width=200, soft_wrap=True) for _ in range(2))
        try:
            await command(self.settings, *arguments, Outlets(out=out, err=err, as_json=True, **(outlets or {})))
        finally:
            self.told = err.file.getvalue()  # type: ignore[attr-defined]
        document: dict[str, Any] = json.loads(out.file.getvalue())  # type: ignore[attr-defined]
        return document

    @asynccontextmanager
    async def core(self) -> AsyncIterator[Core]:
        """The stores themselves."""
        async with open_core(self.settings) as core:
            yield core


def cells(document: Mapping[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """Each answer by its question's id and its way."""
    return {(one["id"], way): cell for one in document["questions"] for way, cell in one["answers"].items()}


def cost(document: Mapping[str, Any]) -> Decimal:
    """What all answers that were made cost together."""
    return sum((Decimal(cell["cost"]) for cell in cells(document).values() if cell["cost"]), Decimal(0))
