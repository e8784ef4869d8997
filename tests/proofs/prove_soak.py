"""Half an hour of everything at once, while everything around the bot fails now and then: each question ends as an
answer or a reason, the ledger is the model server's journal, and the bot holds in the end what it held before.

`make soak`, or `make prove-soak ARGS="[--minutes 30] [--rate 1] [--database sqlite|postgresql] [--seed 1]"`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import proof_result
from fates import until_quiet
from faulty_machine import FaultyMachine
from own_processes import ROOT, own_house
from soak_faults import MODELS, Faults, FaultyModels
from soak_judging import compare, look_at
from soak_people import People
from steadiness import Sample, Steadiness

SETTINGS = {"SWITCHBOARD_MODELS__CHAINS__ANSWER": json.dumps(MODELS[1:]), "SWITCHBOARD_LOGS__TEXTS": "true"}
SHARE = 0.3
"""Of the model calls go wrong."""
RETRIES = [0, 5, 15]
"""Seconds until an event that was not acknowledged comes again: Slack waits longer, a minute and five at last."""
WARM_UP = 0.3
"""The share of the time after which memory is to be flat: everything was used by then."""
FLAT = 0.05
JUDGED_FROM = 600.0
"""Seconds from which on a run is long enough to tell of memory."""
REST = 15.0
"""Seconds of quiet before the last look: idle connections and threads are given up by then, or never."""


@dataclass(slots=True)
class Findings:
    """What became of it all; what is a list has to be empty."""

    seconds: float = 0.0
    questions: int = 0
    answered: int = 0
    reasons: int = 0
    turned_away: int = 0
    """Slack said that the bot had not taken them in time, and the bot said nothing."""
    withdrawn: int = 0
    beside: int = 0
    """Answers that have a reason beside them: what belonged to them failed."""
    did: dict[str, int] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)
    silent: list[str] = field(default_factory=list)
    answered_twice: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    unexplained: list[str] = field(default_factory=list)
    requests: int = 0
    rows: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    wrong_rows: list[str] = field(default_factory=list)
    errors_logged: dict[str, int] = field(default_factory=dict)
    memory: float = 0.0
    """MiB after the warm-up (median)."""
    memory_grew: float = 0.0
    memory_slope: float = 0.0
    before: Sample | None = None
    after: Sample | None = None
    grew: list[str] = field(default_factory=list)

    @property
    def is_kept(self) -> bool:
        """Whether the promise is."""
        broken = (self.silent, self.answered_twice, self.stuck, self.unexplained, self.wrong_rows, self.grew)
        return not any(broken)


async def prove(
    folder: Path, kind: str, seconds: float, rate: float, seed: int, *, share: float = SHARE, rest: float = REST
) -> Findings:
    """So many seconds of load at `rate` acts a second, with all faults; judges once all is quiet."""
    found, models = Findings(seconds=seconds), FaultyModels(share, seed)
    machine, counted = FaultyMachine(folder), folder / "tasks"
    counted.write_bytes(bytes(8))
    async with own_house(folder, kind, models) as house:
        program = (str(ROOT / "tests" / "support" / "counted_bot.py"),)
        bot = house.bot(program=program, COUNTED_TASKS=str(counted), **SETTINGS, **machine.environment)
        await house.team.control("set_delivery", mode="socket", retry_seconds=RETRIES)
        await bot.start()
        assert bot.process is not None
        steady = Steadiness(bot.process.pid, counted)
        await asyncio.sleep(rest)
        found.before = steady.look()
        watching = asyncio.create_task(steady.watch())
        faults = Faults(house, machine, random.Random(seed + 1))
        async with People(house.team.url, folder / "bot" / "docs", random.Random(seed + 2)) as people:
            await asyncio.gather(people.live(seconds, rate), faults.happen(seconds))
            await until_quiet(house.team, house.engine)
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
            await asyncio.sleep(rest)
            found.after = steady.look()
        is_alive = bot.process.returncode is None
        await bot.stop()
        found.did, found.faults = dict(people.did), dict(faults.happened) | dict(Counter(models.faults.values()))
        (folder / "samples.json").write_text(
            json.dumps([[s.at, s.memory, s.files, s.threads, s.tasks] for s in steady.samples])
        )
        await look_at(house, people.asked, found)
        await compare(house.engine, models, found)
    found.errors_logged = _errors(folder / "bot" / "bot.log")
    _weigh(steady, seconds, found)
    if not is_alive:
        found.stuck.append("The process ended by itself.")
    return found


def _weigh(steady: Steadiness, seconds: float, found: Findings) -> None:
    assert found.before is not None
    assert found.after is not None
    found.memory, found.memory_grew, found.memory_slope = steady.growth(WARM_UP)
    if seconds >= JUDGED_FROM and max(abs(found.memory_grew), abs(found.memory_slope)) > FLAT:
        found.grew.append(f"memory by {found.memory_grew:.1%}, in a straight line {found.memory_slope:.1%}")
    warm = steady.between(WARM_UP, WARM_UP + 0.2)
    for name, room in (("files", 20), ("threads", 10), ("tasks", 2)):
        most, left = max(getattr(sample, name) for sample in warm), getattr(found.after, name)
        if left > max(getattr(found.before, name) + room, 0) and left > 1.05 * most:
            found.grew.append(f"{name} from {getattr(found.before, name)} to {left}, at most {most} when warm")


def _errors(log: Path) -> dict[str, int]:
    """What the bot's log holds as errors, by their names."""
    errors: Counter[str] = Counter()
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entry: dict[str, Any] = json.loads(line)
        except ValueError:
            errors["(no JSON)"] += 1
            continue
        if entry.get("level") in ("error", "critical"):
            errors[str(entry.get("event"))[:80]] += 1
    return dict(errors)


def main() -> int:
    """The proof with its sizes from the command line."""
    known = argparse.ArgumentParser(description="Everything at once, while everything around it fails.")
    known.add_argument("--minutes", type=float, default=30.0)
    known.add_argument("--rate", type=float, default=1.0, help="acts of people a second")
    known.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    known.add_argument("--share", type=float, default=SHARE, help="of the model calls that go wrong")
    known.add_argument("--seed", type=int, default=1)

    def run(size: argparse.Namespace, folder: Path) -> proof_result.Result:
        seconds = size.minutes * 60
        found = asyncio.run(prove(folder, size.database, seconds, size.rate, size.seed, share=size.share))
        return proof_result.Result(asdict(found), found.is_kept)

    return proof_result.main("soak", known, run)


if __name__ == "__main__":
    sys.exit(main())
