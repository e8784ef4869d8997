"""Kills the real bot at random moments under load, and looks at what became of every question and every model call.

`make prove-kills ARGS="[--kills 200] [--database sqlite|postgresql] [--rate 10] [--seed 1]"`.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import proof_result
from fates import Fates, compare, look_at, until_quiet
from own_processes import Answering, OwnBot, Team, own_house

UPTIME = 8.0
"""Seconds that a process lives at most from the moment at which it is ready."""
STARTING = 0.2
"""The share of kills that hit a process before it is ready."""


async def prove(folder: Path, kind: str, kills: int, rate: float, seed: int, *, uptime: float = UPTIME) -> Fates:
    """Asks `rate` questions a second while the bot is killed so many times; compares once all is quiet."""
    chance = random.Random(seed)
    found = Fates(kills=kills)
    async with own_house(folder, kind, Answering(0.3)) as house:
        bot = house.bot()
        await bot.start()
        began = time.monotonic()
        asking = asyncio.create_task(_ask(house.team, rate))
        for _ in range(kills):
            await _killed(bot, chance, uptime)
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking
        await bot.start()
        await until_quiet(house.team, house.engine)
        await bot.stop()
        found.seconds = round(time.monotonic() - began, 1)
        look_at(await house.team.replies(), found)
        events = (await house.team.control("state"))["events"]
        found.given_up_by_slack = sum("workspace_failure" in event for event in events)
        await compare(house.engine, house.models, found)
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


def main() -> int:
    """The proof with its sizes from the command line."""
    known = argparse.ArgumentParser(description="Kills the bot at random moments under load.")
    known.add_argument("--kills", type=int, default=200)
    known.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    known.add_argument("--rate", type=float, default=10.0, help="questions a second")
    known.add_argument("--seed", type=int, default=1)

    def run(size: argparse.Namespace, folder: Path) -> proof_result.Result:
        found = asyncio.run(prove(folder, size.database, size.kills, size.rate, size.seed))
        return proof_result.Result(asdict(found), found.is_kept)

    return proof_result.main("kills", known, run)


if __name__ == "__main__":
    sys.exit(main())
