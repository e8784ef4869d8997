"""Two thousand questions in ten seconds: how long Slack waits for acknowledgements, who is told to wait, who is lost.

`make prove-burst ARGS="[--questions 2000] [--seconds 10] [--database sqlite|postgresql]"`.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import proof_result
from fates import Fates, look_at, until_quiet
from own_processes import Answering, Team, own_house

from deploy.workspace.state import JSON
from handlers.waiting import FEW_SECONDS

ACKNOWLEDGED = 1.0
"""Seconds within which 99 of 100 events have to be acknowledged."""
TOLD = "answers others first"


@dataclass(slots=True)
class Findings:
    """What became of the burst; times in seconds."""

    questions: int = 0
    asked_in: float = 0.0
    acknowledged_p50: float = 0.0
    acknowledged_p99: float = 0.0
    acknowledged_last: float = 0.0
    answered: int = 0
    answered_in: float = 0.0
    waited_longer: int = 0
    """Questions whose reply began later than a few seconds after they were asked."""
    told: int = 0
    told_p99: float = 0.0
    not_acknowledged: int = 0
    lost: list[int] = field(default_factory=list)
    wrong: list[int] = field(default_factory=list)
    untold: list[int] = field(default_factory=list)

    @property
    def is_kept(self) -> bool:
        """Whether the promise is."""
        return not (self.lost or self.wrong or self.untold or self.not_acknowledged) and (
            self.acknowledged_p99 < ACKNOWLEDGED
        )


async def prove(folder: Path, kind: str, questions: int, seconds: float) -> Findings:
    """Asks so many questions in so many seconds, evenly, and waits until all are answered."""
    found, fates = Findings(questions=questions), Fates()
    async with own_house(folder, kind, Answering(0.3)) as house:
        bot, team = house.bot(), house.team
        await bot.start()
        began = time.monotonic()
        await asyncio.gather(*(_ask_at(team, n, began + n * seconds / questions) for n in range(questions)))
        found.asked_in = round(time.monotonic() - began, 1)
        await until_quiet(team, house.engine)
        found.answered_in = round(time.monotonic() - began, 1)
        await bot.stop()
        look_at(await team.replies(), fates)
        _look_at(await team.control("state"), team, found)
    found.answered, found.lost = fates.answered, fates.lost
    found.wrong = [*fates.answered_twice, *fates.unfinished, *fates.given_up]
    return found


async def _ask_at(team: Team, number: int, moment: float) -> None:
    await asyncio.sleep(max(0.0, moment - time.monotonic()))
    await team.ask(number)


def _look_at(state: JSON, team: Team, found: Findings) -> None:
    took = sorted(state["acknowledged"].values())
    found.not_acknowledged = len(state["events"]) - len(took)
    found.acknowledged_p50, found.acknowledged_p99 = round(took[len(took) // 2], 3), round(_p99(took), 3)
    found.acknowledged_last = round(took[-1], 3)
    told: dict[tuple[str, str], float] = {}
    begun: dict[tuple[str, str], float] = {}
    for call in state["calls"]:
        where = (str(call["args"].get("channel_id")), str(call["args"].get("thread_ts")))
        if call["method"] == "assistant.threads.setStatus" and TOLD in str(call["args"].get("status")):
            told.setdefault(where, call["at"] - float(where[1]))
        elif call["method"] == "assistant.threads.setStatus":
            begun.setdefault(where, call["at"] - float(where[1]))
    late = {where for where, after in begun.items() if after > FEW_SECONDS}
    found.waited_longer, found.told = len(late), len(told)
    found.told_p99 = round(_p99(sorted(told.values())), 1) if told else 0.0
    # Whoever is told of some seconds and waits for some more was served a little slower than it looked.
    long = {where for where, after in begun.items() if after > 3 * FEW_SECONDS}
    found.untold = [number for number, where in team.posted.items() if where in long - told.keys()]


def _p99(sorted_values: list[float]) -> float:
    return sorted_values[min(len(sorted_values) - 1, len(sorted_values) * 99 // 100)]


def main() -> int:
    """The proof with its sizes from the command line."""
    known = argparse.ArgumentParser(description="Many questions in a few seconds.")
    known.add_argument("--questions", type=int, default=2000)
    known.add_argument("--seconds", type=float, default=10.0)
    known.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")

    def run(size: argparse.Namespace, folder: Path) -> proof_result.Result:
        found = asyncio.run(prove(folder, size.database, size.questions, size.seconds))
        return proof_result.Result(asdict(found), found.is_kept)

    return proof_result.main("burst", known, run)


if __name__ == "__main__":
    sys.exit(main())
