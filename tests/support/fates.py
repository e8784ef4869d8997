"""What became of every question and every model call of a bot that was killed, cut off or flooded."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from model_server import ModelServer
from own_processes import Team, number_in
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.costs.ledger import Ledger
from bot.storage.cost_tables import ledger
from bot.storage.tables import inbox, questions
from bot.worker import Worker
from deploy.workspace.state import JSON


@dataclass(slots=True)
class Fates:
    """What became of the questions and the calls; everything but the first lines has to be empty."""

    questions: int = 0
    kills: int = 0
    answered: int = 0
    given_up: list[int] = field(default_factory=list)
    """Those that ended as a sentence: they were cut short three times."""
    seconds: float = 0.0
    requests: int = 0
    rows: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    given_up_by_slack: int = 0
    """Events that Slack brought four times, within six minutes, and that were never acknowledged."""
    lost: list[int] = field(default_factory=list)
    answered_twice: list[int] = field(default_factory=list)
    unfinished: list[int] = field(default_factory=list)
    wrong_rows: list[str] = field(default_factory=list)

    @property
    def is_kept(self) -> bool:
        """Whether the promise is."""
        return not (self.lost or self.answered_twice or self.unfinished or self.wrong_rows)


async def until_quiet(team: Team, engine: AsyncEngine) -> None:
    """Until every event is acknowledged or given up by Slack, and nothing is left in the inbox."""
    left = sa.select(sa.func.count()).where(inbox.c.state.in_(("waiting", "working")))
    async with asyncio.timeout(1800):
        while True:
            with suppress(AssertionError):
                await team.control("wait", **{"for": {"quiet": True}, "timeout": 60})
                with suppress(DBAPIError):
                    async with engine.connect() as connection:
                        if not (await connection.execute(left)).scalar_one():
                            return
            await asyncio.sleep(1)


def look_at(replies: dict[int, list[JSON]], found: Fates) -> None:
    """What stands under each question."""
    found.questions = len(replies)
    for number, messages in sorted(replies.items()):
        text = "\n".join(message["text"] for message in messages)
        if not messages:
            found.lost.append(number)
        elif len(messages) > 1 or text.count(f"Answer {number}.") > 1:
            found.answered_twice.append(number)
        elif "I was interrupted each time" in text and not messages[0].get("streaming"):
            found.given_up.append(number)
        elif messages[0].get("streaming") or f"Answer {number}." not in text or "actions" not in str(messages[0]):
            found.unfinished.append(number)
        else:
            found.answered += 1


async def compare(engine: AsyncEngine, models: ModelServer, found: Fates) -> None:
    """The rows of the ledger against the model server's own journal, question by question."""
    later = datetime.now(UTC) + timedelta(hours=1)
    reader = Worker(engine, alone=engine.dialect.name == "sqlite")
    await reader.start()
    await asyncio.sleep(0)
    await Ledger(engine, lambda: later, worker=reader).recover()
    await reader.close()
    async with engine.connect() as connection:
        rows = (await connection.execute(sa.select(ledger))).all()
        texts = dict((await connection.execute(sa.select(questions.c.id, questions.c.text))).all())
    journal: defaultdict[int, dict[str, Any]] = defaultdict(dict)
    for request in models.chats:
        journal[number_in(request.prompt)][request.id] = request
    by_number: defaultdict[int, list[Any]] = defaultdict(list)
    for row in rows:
        by_number[number_in(texts.get(row.question_id, ""))].append(row)
    found.requests, found.rows = len(models.chats), len(rows)
    found.outcomes = dict(Counter(row.outcome for row in rows))
    for number in sorted(journal.keys() | by_number.keys()):
        found.wrong_rows += [f"question {number}: {why}" for why in _wrong(journal[number], by_number[number])]


def _wrong(requests: dict[str, Any], rows: list[Any]) -> list[str]:
    wrong, lost = [], sum(row.outcome == "lost" for row in rows)
    if not len(requests) <= len(rows) <= len(requests) + lost:
        wrong.append(f"{len(requests)} requests, and {len(rows)} rows of which {lost} are lost")
    named = [row.request_id for row in rows if row.request_id]
    if len(named) != len(set(named)):
        wrong.append("two rows for one request")
    for row in rows:
        if row.outcome == "open":
            wrong.append("a row is open still")
        if row.outcome == "answered":
            request = requests.get(row.request_id)
            usage = request.sent.usage if request else None
            if usage is None or (usage["prompt_tokens"], usage["completion_tokens"]) != (
                row.prompt_tokens,
                row.completion_tokens,
            ):
                wrong.append(f"row {row.id} says {row.prompt_tokens} and {row.completion_tokens}, sent was {usage}")
    return wrong
