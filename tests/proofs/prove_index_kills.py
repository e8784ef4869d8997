"""Whether every start heals by itself after kill -9 while the indexes are written, and after files were damaged.

    make prove-index-kills ARGS="--kills 100 --damages 30"
    make prove-index-kills ARGS="--server --kills 100 --damages 10"

A process refreshes without an end and is killed at random moments. After each kill another one starts as the bot does:
it has to end with whole indexes that hold what the database holds, without an embedding, and find what was found
before. The search by meaning is made to go through Chroma. Then the same with files that are cut, overwritten or
removed while nobody runs.

With `--server` the vector index is on a Chroma server and the database a PostgreSQL. Then the process, the server or
both are killed; a server whose files were damaged so that it does not start any more is started with nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import proof_result
from chroma_server import OwnChroma
from killed_indexes import fill
from own_processes import own_database

_KILLED = ("both", "process", "server")  # in turn
ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(slots=True)
class Findings:
    """What happened; `wrong` says each broken promise in a line."""

    kills: int = 0
    killed: Counter[str] = field(default_factory=Counter)
    damages: int = 0
    servers_that_did_not_start: int = 0
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


@dataclass(frozen=True, slots=True)
class Place:
    """What is killed: a folder of `pages`, and in server mode a Chroma server and a database's address."""

    work: Path
    pages: int
    server: OwnChroma | None = None
    database: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """For a process."""
        path = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "support")])
        there = {"PROOF_CHROMA": self.server.address, "PROOF_DATABASE": self.database} if self.server else {}
        return {**os.environ, "PYTHONPATH": path} | there

    @property
    def files(self) -> list[Path]:
        """What can be damaged."""
        folders = [self.work / "data" / "indexes", *([self.server.folder] if self.server else [])]
        every = sorted(path for folder in folders for path in folder.rglob("*"))
        return [path for path in every if path.is_file() and path.stat().st_size]


async def prove(place: Place, *, kills: int, damages: int, seed: int = 1, seconds: float = math.inf) -> Findings:
    """Kills and damages so many times, over so many pages that stay as they are; less often where that takes longer
    than so many seconds."""
    found, drawn = Findings(), random.Random(seed)
    fill(place.work, place.pages)
    before = await _run("first", place, found)
    if before is None:
        return found
    found.recall_before, found.chroma_before = before["recall"], before["recall_of_chroma"]
    end = time.monotonic() + seconds
    for _ in range(kills):
        if time.monotonic() > end:
            break
        what = _KILLED[found.kills % 3] if place.server else "process"
        await _kill(what, place, drawn)
        found.kills += 1
        found.killed[what] += 1
        await _heal(place, found, f"kill {found.kills} ({what})")
    end += seconds / 4
    for _ in range(damages):
        if time.monotonic() > end:
            break
        if place.server:
            place.server.kill()
        what = _damage(place, drawn)
        found.damages += 1
        if place.server:
            found.servers_that_did_not_start += not await asyncio.to_thread(_started_again, place.server)
        await _heal(place, found, what)
    return found


async def _kill(what: str, place: Place, drawn: random.Random) -> None:
    process = await _started("write", place)
    assert process.stdout is not None
    await process.stdout.readline()
    await asyncio.sleep(drawn.random() * 1.5)
    if what == "both":
        process.kill()
    if what != "process":
        assert place.server is not None
        place.server.kill()
        await asyncio.sleep(drawn.random())
        await asyncio.to_thread(place.server.start)
    if what == "server":  # whoever writes heals it while it runs; how far it comes is chance
        await asyncio.sleep(drawn.random() * 8)
    if process.returncode is None:
        process.kill()
    await process.wait()


def _started_again(server: OwnChroma) -> bool:
    try:
        server.start()
        return True
    except AssertionError:
        server.forget()
        server.start()
        return False


async def _heal(place: Place, found: Findings, after: str) -> None:
    told = await _run("heal", place, found, after)
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


def _damage(place: Place, drawn: random.Random) -> str:
    files = place.files
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


async def _run(what: str, place: Place, found: Findings, after: str = "the start") -> dict[str, Any] | None:
    process = await _started(what, place)
    said, _ = await process.communicate()
    if process.returncode:
        found.wrong.append(f"after {after}: the start ended with {process.returncode}")
        return None
    told: dict[str, Any] = json.loads(said.splitlines()[-1])
    return told


async def _started(what: str, place: Place) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "killed_indexes", what, str(place.work), str(place.pages)),
        env=place.environment,
        stdout=asyncio.subprocess.PIPE,
    )


@contextmanager
def server_place(work: Path, pages: int) -> Iterator[Place]:
    """A Chroma server and a PostgreSQL of their own."""
    server = OwnChroma(work / "chroma")
    with own_database("postgresql", work) as database:
        server.start()
        try:
            yield Place(work, pages, server, database)
        finally:
            server.kill()


def main() -> int:
    """The proof with its sizes from the command line."""
    known = argparse.ArgumentParser(description="Kills a process while it writes its indexes, and starts again.")
    known.add_argument("--kills", type=int, default=100)
    known.add_argument("--damages", type=int, default=30)
    known.add_argument("--pages", type=int, default=2_000)
    known.add_argument("--server", action="store_true", help="with a Chroma server and PostgreSQL")
    known.add_argument("--minutes", type=float, default=math.inf, help="at most so long, kills and damages together")
    return proof_result.main("index-kills", known, _proved)


def _proved(size: argparse.Namespace, folder: Path) -> proof_result.Result:
    where = server_place(folder, size.pages) if size.server else nullcontext(Place(folder, size.pages))
    with where as place:
        seconds = size.minutes * 48
        found = asyncio.run(prove(place, kills=size.kills, damages=size.damages, seconds=seconds))
    counted = {"events": dict(found.events.most_common()), "killed": dict(found.killed)}
    figures = asdict(replace(found, events=Counter(), killed=Counter())) | counted
    for name in ("start_seconds", "healing_seconds"):
        took = sorted(figures.pop(name)) or [0.0]
        figures[name] = {"median": round(took[len(took) // 2], 2), "most": round(took[-1], 2)}
    return proof_result.Result(figures, not found.wrong)


if __name__ == "__main__":
    sys.exit(main())
