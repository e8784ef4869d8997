"""The ledger held against the model server's own journal, row by row, with each cost computed once more.

The arithmetic here is its own: fractions, the rates as their providers publish them or as the cards of ledger_calls.py
state them, no code of `bot.costs`. `make prove-ledger ARGS="[--calls 10000] [--kills 8] [--postgres]"`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import proof_result
import sqlalchemy as sa
from aiohttp import web
from ledger_calls import plan
from model_server import (
    ModelServer,
    Reply,
    Request,
    cut,
    cut_quietly,
    error_in_stream,
    rate_limited,
    server_error,
    whole,
)
from own_processes import own_database
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.costs.ledger import LEFT, Ledger
from bot.storage.cost_tables import ledger
from bot.storage.engine import open_engine, upgrade

ROOT = Path(__file__).resolve().parents[2]
MILLION = 1_000_000

# US dollars for a million tokens. gpt-5-mini: OpenAI's price page. The others: the cards of ledger_calls.py.
RATES: dict[str, dict[str, str]] = {
    "gpt-5-mini": {"input": "0.25", "cached_tokens": "0.025", "output": "2"},
    "house-large": {
        "input": "1.234567",
        "cached_tokens": "0.123456",
        "cache_written_tokens": "1.5",
        "input_audio_tokens": "7",
        "output": "4.000001",
    },
    "house-embedding": {"input": "0.02", "output": "0"},
    "house-speech": {"input": "0", "output": "0", "minute": "0.006"},
    "house-image": {"input": "5", "output": "8", "output_image_tokens": "30", "image": "0.011"},
}
_PLACES = {
    "cached_tokens": ("prompt_tokens_details", "cached_tokens"),
    "cache_written_tokens": ("prompt_tokens_details", "cache_write_tokens"),
    "input_audio_tokens": ("prompt_tokens_details", "audio_tokens"),
    "reasoning_tokens": ("completion_tokens_details", "reasoning_tokens"),
    "output_image_tokens": ("output_tokens_details", "image_tokens"),
}
_INPUT = ("cached_tokens", "cache_written_tokens", "input_audio_tokens")


class Journal(ModelServer):
    """A model server that does what the words of a call ask, also for speech and pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.never = asyncio.Event()
        self.tries: Counter[int] = Counter()
        self.answering = self._reply

    @property
    def paid(self) -> list[Request]:
        """All requests that a model was to work for."""
        return [request for request in self.requests if request.method == "POST"]

    def _add_routes(self, app: web.Application) -> None:
        app.router.add_post("/v1/audio/transcriptions", self._transcribe)
        app.router.add_post("/v1/images/generations", self._draw)

    async def _embed(self, request: web.Request) -> web.StreamResponse:
        number = number_of(await request.json())
        if (reply := self._refusal(number)) is not None:
            self.script_embeddings(reply)
        return await super()._embed(request)

    async def _transcribe(self, request: web.Request) -> web.StreamResponse:
        # Part by part: what reads a whole form leaves a file open where the client goes away.
        form = {part.name: await part.read() async for part in await request.multipart()}  # type: ignore[union-attr]
        body = {name: form[name].decode() for name in ("model", "prompt")}
        noted = await self._note(request, body)
        if (reply := self._refusal(number_of(noted.body))) is not None:
            return await self._answer(request, noted, reply)
        usage = {"type": "duration", "seconds": random.Random(body["prompt"]).randrange(1, 500_000) / 1000}
        return whole(noted, {"text": "Hello.", "usage": usage})

    async def _draw(self, request: web.Request) -> web.StreamResponse:
        noted = await self._note(request, await request.json())
        if (reply := self._refusal(number_of(noted.body))) is not None:
            return await self._answer(request, noted, reply)
        drawn = random.Random(noted.body["prompt"])
        images = drawn.randrange(100, 6_000)
        usage = {
            "input_tokens": drawn.randrange(5, 200),
            "output_tokens": images + drawn.randrange(100),
            "output_tokens_details": {"image_tokens": images},
        }
        return whole(noted, {"created": 0, "data": [{"b64_json": "eA=="}] * drawn.randrange(1, 4), "usage": usage})

    def _refusal(self, number: int) -> Reply | None:
        self.tries[number] += 1
        way = plan(number)[1]
        if way == "fails":
            return server_error()
        return rate_limited(0) if way == "retried" and self.tries[number] == 1 else None

    def _reply(self, request: Request) -> Reply:
        number = number_of(request.body)
        kind, way = plan(number)
        if (refused := self._refusal(number)) is not None:
            return refused
        usage = usage_of(request.id)
        broken = {
            "negative": {**usage, "prompt_tokens": -5},
            "absurd": {**usage, "completion_tokens": 10**12},
            "texts": {**usage, "prompt_tokens": str(usage["prompt_tokens"])},
            "missing": False,
        }
        if kind == "streamed" and way == "stopped":
            return Reply(text="An answer that nobody reads to its end.", gate=self.never)
        if way == "empty" and self.tries[number] == 1:
            return Reply(text="", fault="empty", usage=usage)
        faults = {"cut": cut(), "quiet": cut_quietly(), "engine": error_in_stream()}
        return faults.get(way) or Reply(text=f"The answer to {number}.", usage=broken.get(way, usage))  # type: ignore[arg-type]


def usage_of(seed: str) -> dict[str, Any]:
    """A usage with every kind of token that the chats have, each at most its share."""
    drawn = random.Random(seed)
    asked, said = drawn.randrange(1, 90_000), drawn.randrange(1, 4_000)
    parts = {"cached_tokens": drawn.randrange(asked // 2 + 1), "cache_write_tokens": drawn.randrange(asked // 4 + 1)}
    details = {**parts, "audio_tokens": drawn.randrange(asked // 8 + 1)}
    return {
        "prompt_tokens": asked,
        "completion_tokens": said,
        "total_tokens": asked + said,
        "prompt_tokens_details": details if drawn.random() < 0.5 else {"cached_tokens": parts["cached_tokens"]},
        "completion_tokens_details": {"reasoning_tokens": drawn.randrange(said + 1)},
    }


def number_of(body: Mapping[str, Any]) -> int:
    """The number of the call that a request is for."""
    asked = body.get("prompt") or (body["messages"][-1]["content"] if "messages" in body else body["input"][0])
    return int(str(asked).split()[1])


@dataclass(slots=True)
class Findings:
    """What the comparison found; `wrong` says each difference in a line."""

    requests: int = 0
    rows: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    missing: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    compared: int = 0
    never_went_out: int = 0
    cost: Fraction = Fraction(0)


async def compare(engine: AsyncEngine, journal: Journal) -> Findings:
    """Every request against the row of its call and try, and every row against its request."""
    found = Findings()
    async with engine.connect() as connection:
        rows = (await connection.execute(sa.select(ledger))).all()
    by_call: defaultdict[tuple[str, int], list[Any]] = defaultdict(list)
    for row in rows:
        by_call[row.question_id, row.attempt].append(row)
        found.outcomes[row.outcome] += 1
    found.doubled = [str(call) for call, same in by_call.items() if len(same) > 1]
    tries: Counter[int] = Counter()
    for request in journal.paid:
        number = number_of(request.body)
        tries[number] += 1
        same = by_call.pop((f"q{number}", tries[number]), [])
        if not same:
            found.missing.append(f"call {number}, try {tries[number]}")
        for row in same:
            _compare(found, row, request)
    for same in by_call.values():
        for row in same:
            found.never_went_out += 1
            if row.outcome not in {"lost", "stopped"} or row.cost is not None:
                found.wrong.append(f"{row.question_id}, try {row.attempt}: {row.outcome}, but it was never asked")
    found.requests, found.rows = len(journal.paid), len(rows)
    found.cost = sum((Fraction(row.cost) for row in rows if row.cost is not None), Fraction(0))
    return found


def _compare(found: Findings, row: Any, request: Request) -> None:
    def wrong(what: str) -> None:
        found.wrong.append(f"{row.question_id}, try {row.attempt} ({row.outcome}): {what}")

    if row.outcome == "open":
        wrong("still open")
    if row.outcome == "lost" and (row.cost is not None or row.note != LEFT):
        wrong(f"cost {row.cost}, {row.note}")
    if row.outcome != "lost" and row.cost is None and not row.note:
        wrong("no cost, and nothing says why")
    usage = believable(request.sent.usage) if request.sent.whole else None
    if row.outcome != "lost" and usage is not None and not (row.outcome == "stopped" and row.prompt_tokens is None):
        found.compared += 1
        kept = {name: getattr(row, name) for name in usage}
        if kept != usage or row.estimated:
            wrong(f"{kept} instead of {usage}")
        if request.path.endswith("/chat/completions") and row.request_id != request.id:
            wrong(f"the id {row.request_id} instead of {request.id}")
    elif row.prompt_tokens is not None and not row.estimated:
        wrong("a usage that was not sent and is not told to be an estimate")
    if (cost := recomputed(row)) != row.cost:
        wrong(f"cost {row.cost} instead of {cost}")


def believable(sent: Mapping[str, Any] | None) -> dict[str, int] | None:
    """The counts of a usage that was sent, None where it cannot be."""
    if sent is None:
        return None
    if sent.get("type") == "duration":
        return {"audio_ms": round(sent["seconds"] * 1000), "prompt_tokens": 0}
    asked = int(sent.get("prompt_tokens", sent.get("input_tokens", 0)))
    said = int(sent.get("completion_tokens", sent.get("output_tokens", 0)))
    if not 0 <= asked < 10**9 or not 0 <= said < 10**9:
        return None
    parts = {name: int((sent.get(outer) or {}).get(inner, 0)) for name, (outer, inner) in _PLACES.items()}
    return {"prompt_tokens": asked, "completion_tokens": said, **parts}


def recomputed(row: Any) -> Decimal | None:
    """What a row must cost by the published rates and its counts, to twelve decimals."""
    if row.prompt_tokens is None:
        return None
    rates = RATES[row.model]
    plain = {"input": row.prompt_tokens, "output": row.completion_tokens}
    cost = Fraction(0)
    for name in (*_INPUT, "output_image_tokens"):
        if name in rates:
            count = getattr(row, name)
            plain["input" if name in _INPUT else "output"] -= count
            cost += Fraction(rates[name]) * count / MILLION
    cost += sum(Fraction(rates[name]) * count / MILLION for name, count in plain.items())
    cost += Fraction(rates.get("minute", 0)) * row.audio_ms / 60_000 + Fraction(rates.get("image", 0)) * row.images
    return Decimal(round(cost * 10**12)).scaleb(-12)  # round() takes halves to even


async def prove(engine: AsyncEngine, url: str, calls: int, kills: int, *, at_once: int = 32) -> Findings:
    """Makes so many calls from processes that are killed so many times, evenly spread, and compares."""
    journal = Journal()
    async with journal:
        left = list(range(calls))
        for killed in range(kills + 1):
            process = await _started(url, journal.url, at_once, left)
            if killed < kills:
                await _until_paid(journal, len(journal.paid) + len(left) // (kills - killed + 1), process)
                process.kill()
            elif await process.wait():
                raise RuntimeError("The calls did not come to their end.")
            await process.wait()
            async with engine.connect() as connection:
                begun = set((await connection.execute(sa.select(ledger.c.question_id).distinct())).scalars())
            left = [number for number in left if f"q{number}" not in begun]
        later = datetime.now(UTC) + timedelta(hours=1)
        await Ledger(engine, lambda: later).recover()
        found = await compare(engine, journal)
        (total,) = await Ledger(engine).total(later - timedelta(days=1), later)
    if Fraction(total.cost) != found.cost:
        found.wrong.append(f"the rows cost {found.cost}, and their sum is told as {total.cost}")
    if strange := [number for number in left if plan(number)[1] != "stopped"]:
        found.wrong.append(f"these calls were never made: {strange}")
    return found


async def _until_paid(journal: Journal, requests: int, process: asyncio.subprocess.Process) -> None:
    async def paid() -> None:
        async with journal.changed:
            await journal.changed.wait_for(lambda: len(journal.paid) >= requests)

    waits = {asyncio.create_task(paid()), asyncio.create_task(process.wait())}
    _, left = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for task in left:
        task.cancel()
    if process.returncode is not None:
        raise RuntimeError("The calls ended before their process was to be killed.")


async def _started(url: str, server: str, at_once: int, numbers: list[int]) -> asyncio.subprocess.Process:
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "support")])
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ledger_calls", url, server, str(at_once)),
        env={**os.environ, "PYTHONPATH": path},
        stdin=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    process.stdin.write("\n".join(map(str, numbers)).encode())
    process.stdin.close()
    return process


def main() -> int:
    """The proof with its sizes from the command line."""
    known = argparse.ArgumentParser(description="Holds the ledger against the model server's own journal.")
    known.add_argument("--calls", type=int, default=10_000)
    known.add_argument("--kills", type=int, default=8)
    known.add_argument("--postgres", action="store_true", help="on PostgreSQL instead of SQLite")
    return proof_result.main("ledger", known, lambda size, folder: asyncio.run(_run(size, folder)))


async def _run(size: argparse.Namespace, folder: Path) -> proof_result.Result:
    with own_database("postgresql" if size.postgres else "sqlite", folder) as url:
        engine = open_engine(url)
        await upgrade(engine, "bot.storage:migrations", "alembic_version")
        found = await prove(engine, url, size.calls, size.kills)
        await engine.dispose()
    figures = {
        "requests": found.requests,
        "rows": found.rows,
        "missing": found.missing,
        "doubled": found.doubled,
        "wrong": found.wrong,
        "usages_compared": found.compared,
        "rows_that_never_went_out": found.never_went_out,
        "dollars": f"{Decimal(round(found.cost * 10**12)).scaleb(-12):f}",
        "outcomes": dict(found.outcomes.most_common()),
    }
    return proof_result.Result(figures, not (found.missing or found.doubled or found.wrong))


if __name__ == "__main__":
    sys.exit(main())
