"""Kills the real bot at random moments under load, and looks at what became of every question and every model call.

`make prove-kills ARGS="[--kills 200] [--database sqlite|postgresql] [--rate 10] [--seed 1]"`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from model_server import ModelServer
from own_processes import Answering, OwnBot, Team, number_in, own_database, own_workspace
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.costs.ledger import Ledger
from bot.storage.engine import open_engine
from bot.storage.tables import inbox, ledger, questions
from bot.worker import Worker
from deploy.workspace.state import JSON

UPTIME = 8.0
"""Seconds that a process lives at most from the moment at which it is ready."""
STARTING = 0.2
"""The share of kills that hit a process before it is ready."""


@dataclass(slots=True)
class Findings:
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
    lost: list[int] = field(default_factory=list)
    answered_twice: list[int] = field(default_factory=list)
    unfinished: list[int] = field(default_factory=list)
    wrong_rows: list[str] = field(default_factory=list)

    @property
    def is_kept(self) -> bool:
        """Whether the promise is."""
        return not (self.lost or self.answered_twice or self.unfinished or self.wrong_rows)


async def prove(folder: Path, kind: str, kills: int, rate: float, seed: int, *, uptime: float = UPTIME) -> Findings:
    """Asks `rate` questions a second while the bot is killed so many times; compares once all is quiet."""
    chance = random.Random(seed)
    found = Findings(kills=kills)
    with own_database(kind, folder) as url:
        async with Answering(0.3) as models, own_workspace(folder) as team:
            bot = OwnBot(folder / "bot", team, models, url)
            await bot.start()
            began = time.monotonic()
            asking = asyncio.create_task(_ask(team, rate))
            for _ in range(kills):
                await _killed(bot, chance, uptime)
            asking.cancel()
            with suppress(asyncio.CancelledError):
                await asking
            await bot.start()
            engine = open_engine(url)
            try:
                await until_quiet(team, engine)
                await bot.stop()
                found.seconds = round(time.monotonic() - began, 1)
                look_at(await team.replies(), found)
                await compare(engine, models, found)
            finally:
                await bot.kill()
                await engine.dispose()
    return found


async def _ask(team: Team, rate: float) -> None:
    """One question after the other at their times, whatever becomes of them."""
    number, began = 0, time.monotonic()
    while True:
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        await asyncio.shield(team.ask(number))
        number += 1


async def _killed(bot: OwnBot, chance: random.Random, uptime: float) -> None:
    """Lets it live for a random while, kills it and starts the next one."""
    await bot.kill()
    await bot.start(wait=False)
    if chance.random() < STARTING:
        await asyncio.sleep(chance.uniform(0, 3))
    else:
        await bot.ready.wait()
        await asyncio.sleep(chance.uniform(0, uptime))
    await bot.kill()


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


def look_at(replies: dict[int, list[JSON]], found: Findings) -> None:
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


async def compare(engine: AsyncEngine, models: ModelServer, found: Findings) -> None:
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


async def _main() -> int:
    known = argparse.ArgumentParser(description="Kills the bot at random moments under load.")
    known.add_argument("--kills", type=int, default=200)
    known.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    known.add_argument("--rate", type=float, default=10.0, help="questions a second")
    known.add_argument("--seed", type=int, default=1)
    known.add_argument("--keep", type=Path, help="a folder for the logs (default: one that is removed)")
    wanted = known.parse_args()
    with tempfile.TemporaryDirectory(prefix="kills-proof-") as work:
        folder = wanted.keep or Path(work)
        folder.mkdir(parents=True, exist_ok=True)
        found = await prove(folder, wanted.database, wanted.kills, wanted.rate, wanted.seed)
    figures = {name: getattr(found, name) for name in Findings.__slots__}
    print(json.dumps({"database": wanted.database, "rate": wanted.rate, **figures, "kept": found.is_kept}, indent=2))
    return 0 if found.is_kept else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(_main()))
