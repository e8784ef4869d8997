"""Whether every start heals by itself after kill -9 while the indexes are written, and after files were damaged.

    make prove-index-kills ARGS="--kills 100 --damages 30"

A process refreshes without an end and is killed at random moments. After each kill another one starts as the bot does:
it has to end with whole indexes that hold what the database holds, without an embedding, and find what was found
before. The search by meaning is made to go through Chroma. Then the same with files that are cut, overwritten or
removed while nobody runs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from killed_indexes import fill

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(slots=True)
class Findings:
    """What happened; `wrong` says each broken promise in a line."""

    kills: int = 0
    damages: int = 0
    started_broken: int = 0
    events: Counter[str] = field(default_factory=Counter)
    recall_before: float = 0.0
    recall_least: float = 1.0
    chroma_before: float = 0.0
    chroma_least: float = 1.0
    embedded_while_healing: int = 0
    start_seconds: list[float] = field(default_factory=list)
    healing_seconds: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


async def prove(
    work: Path, *, kills: int, damages: int, pages: int, seed: int = 1, seconds: float = math.inf
) -> Findings:
    """Kills and damages so many times, over so many pages that stay as they are; less often where that takes longer
    than so many seconds."""
    found, drawn = Findings(), random.Random(seed)
    fill(work, pages)
    before = await _run("first", work, pages, found)
    if before is None:
        return found
    found.recall_before, found.chroma_before = before["recall"], before["recall_of_chroma"]
    end = time.monotonic() + seconds
    for _ in range(kills):
        if time.monotonic() > end:
            break
        process = await _started("write", work, pages)
        assert process.stdout is not None
        await process.stdout.readline()
        await asyncio.sleep(drawn.random() * 1.5)
        process.kill()
        await process.wait()
        found.kills += 1
        await _heal(work, pages, found, f"kill {found.kills}")
    end += seconds / 4
    for _ in range(damages):
        if time.monotonic() > end:
            break
        what = _damage(work, drawn)
        found.damages += 1
        await _heal(work, pages, found, what)
    return found


async def _heal(work: Path, pages: int, found: Findings, after: str) -> None:
    told = await _run("heal", work, pages, found, after)
    if told is None:
        return
    found.started_broken += bool(told["troubles_at_start"])
    found.events.update(told["events"])
    found.recall_least = min(found.recall_least, told["recall"])
    found.chroma_least = min(found.chroma_least, told["recall_of_chroma"])
    found.embedded_while_healing += told["embedded"]
    found.start_seconds.append(told["start_seconds"])
    found.healing_seconds.append(told["healing_seconds"])
    if told["troubles"] or told["embedded"]:
        found.wrong.append(f"after {after}: {told}")
    if told["recall"] < found.recall_before or told["recall_of_chroma"] < found.chroma_before - 0.02:
        found.wrong.append(f"after {after}: recall {told['recall']}, of Chroma {told['recall_of_chroma']}")


def _damage(work: Path, drawn: random.Random) -> str:
    files = sorted(path for path in (work / "data" / "indexes").rglob("*") if path.is_file() and path.stat().st_size)
    path, way = drawn.choice(files), drawn.choice(["cut", "overwritten", "removed"])
    size = path.stat().st_size
    if way == "cut":
        os.truncate(path, drawn.randrange(size))
    elif way == "overwritten":
        with path.open("r+b") as file:
            file.seek(drawn.randrange(size))
            file.write(drawn.randbytes(200))
    else:
        path.unlink()
    return f"{path.name} was {way}"


async def _run(what: str, work: Path, pages: int, found: Findings, after: str = "the start") -> dict[str, Any] | None:
    process = await _started(what, work, pages)
    said, _ = await process.communicate()
    if process.returncode:
        found.wrong.append(f"after {after}: the start ended with {process.returncode}")
        return None
    told: dict[str, Any] = json.loads(said.splitlines()[-1])
    return told


async def _started(what: str, work: Path, pages: int) -> asyncio.subprocess.Process:
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "support")])
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "killed_indexes", what, str(work), str(pages)),
        env={**os.environ, "PYTHONPATH": path},
        stdout=asyncio.subprocess.PIPE,
    )


async def _main() -> int:
    known = argparse.ArgumentParser(description="Kills a process while it writes its indexes, and starts again.")
    known.add_argument("--kills", type=int, default=100)
    known.add_argument("--damages", type=int, default=30)
    known.add_argument("--pages", type=int, default=2_000)
    known.add_argument("--minutes", type=float, default=math.inf, help="at most so long, kills and damages together")
    wanted = known.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="index-proof-") as work:
        found = await prove(
            Path(work), kills=wanted.kills, damages=wanted.damages, pages=wanted.pages, seconds=wanted.minutes * 48
        )
    figures = asdict(replace(found, events=Counter())) | {"events": dict(found.events.most_common())}
    for name in ("start_seconds", "healing_seconds"):
        seconds = sorted(figures.pop(name)) or [0.0]
        figures[name] = {"median": round(seconds[len(seconds) // 2], 2), "most": round(seconds[-1], 2)}
    print(json.dumps(figures | {"minutes": round((time.monotonic() - began) / 60, 1)}, indent=2))
    return 1 if found.wrong else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(_main()))
