"""What a further workspace takes: memory, and seconds to open its house. `make prove-houses ARGS="[--houses 20]"`.

The local Slack runs in the same process, so the figures are a little too high.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import proof_result
from many_houses import ROLLBACK, open_bot, open_slack

from bot.logs import configure_logs

ROOT = Path(__file__).resolve().parents[2]
MOST_MB = 40
"""So much a further workspace may take, empty but for a page of documents."""


@dataclass
class Weighed:
    """Resident memory in MB before any house, and after each; seconds that each took to open and read."""

    before: float = 0.0
    after: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    @property
    def further(self) -> float:
        """MB of a house but the first, which brings what all share."""
        return (self.after[-1] - self.after[0]) / max(len(self.after) - 1, 1)


async def weigh(folder: Path, models_dir: Path, houses: int) -> Weighed:
    """Installs the bot in so many workspaces, each with one question asked."""
    found = Weighed()
    (folder / "docs").mkdir()
    (folder / "docs" / "deploying.md").write_text(ROLLBACK.format("robot"), encoding="utf-8")
    teams = [f"T0{number:04d}" for number in range(houses)]
    async with AsyncExitStack() as stack:
        slack = await stack.enter_async_context(open_slack(*teams))
        bot = await stack.enter_async_context(open_bot(folder, models_dir, slack, mode="http"))
        found.before = _resident()
        for team in teams:
            began = time.monotonic()
            await bot.install(team)
            await bot.house(team)
            found.seconds.append(time.monotonic() - began)
            await bot.asked(team, "How do I roll back a release?")
            gc.collect()
            found.after.append(_resident())
    return found


def _resident() -> float:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("This system does not tell how much memory a process has.")


def main() -> int:
    """The proof with its sizes from the command line."""
    known = argparse.ArgumentParser(description="Memory and seconds of a further workspace.")
    known.add_argument("--houses", type=int, default=20)
    configure_logs(level=logging.ERROR)
    return proof_result.main("houses", known, _run)


def _run(size: argparse.Namespace, folder: Path) -> proof_result.Result:
    found = asyncio.run(weigh(folder, ROOT / ".models", size.houses))
    figures = {
        "mb_before_any": round(found.before, 1),
        "mb_with_the_first": round(found.after[0], 1),
        "mb_with_all": round(found.after[-1], 1),
        "mb_for_a_further_one": round(found.further, 1),
        "seconds_to_open_median": round(sorted(found.seconds)[len(found.seconds) // 2], 2),
    }
    return proof_result.Result(figures, found.further <= MOST_MB)


if __name__ == "__main__":
    sys.exit(main())
