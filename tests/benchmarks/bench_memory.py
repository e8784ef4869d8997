"""How much memory the bot takes, at rest and while 50 people ask at once: `python tests/benchmarks/bench_memory.py`."""

from __future__ import annotations

import asyncio

from bench_questions import answering_bot
from bot_process import KNOWS
from options import Options, run_alone
from prepared import prepare
from results import Measure, Result
from slack_side import slack_side

AT_ONCE = 50
ROUNDS = 4
REST_SECONDS = 5.0
MARK = 400.0


async def bench(options: Options, result: Result) -> None:
    """Starts the bot, lets it rest, asks, lets it rest again."""
    prepared = await prepare(options)
    width, rounds, rest = (5, 1, 0.5) if options.short else (AT_ONCE, ROUNDS, REST_SECONDS)
    async with slack_side() as slack, answering_bot(options, prepared, slack) as (child, _):
        await child.line(KNOWS)
        await asyncio.sleep(rest)
        at_rest = child.rss
        async with child.peak() as greatest:
            await slack.at_once(prepared.questions[: width * rounds], width)
        await asyncio.sleep(rest)
        after = child.rss
    result.note(f"The bot knows {prepared.chunks:,} chunks of {prepared.documents} documents. Resident memory (RSS).")
    result.add(Measure(name="at rest", unit="MB", value=at_rest, mark=None if options.short else MARK))
    result.add(Measure(name=f"greatest with {width} questions at once", unit="MB", value=greatest[-1]))
    result.add(Measure(name=f"at rest after {width * rounds} questions", unit="MB", value=after))


if __name__ == "__main__":
    run_alone(__doc__ or "", bench, "memory", "Memory")
