"""Two workspaces with the same people, channels and names, and random acts in both, with ids stolen from the other.

After each act nothing in the actor's workspace may hold a word of the other's documents and questions, and the other's
database must be what it was. `make prove-tenants ARGS="[--acts 400] [--seed 1] [--postgres]"`.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import logging
import random
import sys
from contextlib import AsyncExitStack, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import proof_result
import sqlalchemy as sa
from many_houses import ROLLBACK, ManyHouses, open_bot, open_slack
from own_processes import own_database

from bot.config import Folder, Knowledge, Own, Selection
from bot.house import House
from bot.logs import configure_logs
from bot.storage.whole import TABLES
from deploy.workspace.driver import Driver, DriverTimeout, Refused
from deploy.workspace.state import JSON

ROOT = Path(__file__).resolve().parents[2]
TEAMS = ("T0ACME", "T0ROBO")
MARKS = {"T0ACME": "quetzalcoatl", "T0ROBO": "ptarmigan"}
"""A word that stands in everything of a workspace, and nowhere else."""
_UNKNOWN = "I do not know that answer any more"
PEOPLE = ("U0MAYA", "U0LEO", "U0ANA")
_VERSIONS = {"alembic_version", "knowledge_version"}
_BY_THE_CLOCK = {"job_runs", "told_problems", "workers", "inbox", "knowledge_processes"} | _VERSIONS
"""Tables that change by themselves."""


@dataclass
class Found:
    """What the proof counts."""

    acts: int = 0
    refused: int = 0
    looks: int = 0
    leaks: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)


async def prove(folder: Path, models_dir: Path, acts: int, seed: int, database: str = "") -> Found:
    """Runs the acts; `database` is an address of PostgreSQL."""
    found, rng = Found(), random.Random(seed)
    own = {
        team: Own(
            # Nothing by the clock: what changes is what the acts change.
            knowledge=Knowledge(folders=(_documents(folder, team),), refresh="0 0 1 1 *"),
            selection=Selection(shadow_share=0),
        )
        for team in TEAMS
    }
    async with AsyncExitStack() as stack:
        slack = await stack.enter_async_context(open_slack(*TEAMS))
        bot = await stack.enter_async_context(
            open_bot(folder, models_dir, slack, mode="http", own=own, database=database)
        )
        for team in TEAMS:
            await bot.install(team)
            await bot.house(team)
        people = {
            (team, user): await stack.enter_async_context(bot.person(team, user)) for team in TEAMS for user in PEOPLE
        }
        for team in TEAMS:
            await _ask(people[team, "U0MAYA"], team)
        for _ in range(acts):
            team = rng.choice(TEAMS)
            other = TEAMS[1 - TEAMS.index(team)]
            before = await _digest(await bot.house(other))
            kind = rng.choice(_ACTS)
            person = people[team, rng.choice(PEOPLE)]
            try:
                await kind(person, team, await _stolen(bot, other), rng)
            except (Refused, DriverTimeout):  # such as a command that a person may not type there
                found.refused += 1
            await person.quiet()
            for each in TEAMS:  # it may be the wrong one that works on it
                await (await bot.house(each)).under_way.idle()
            found.acts += 1
            if await _digest(await bot.house(other)) != before:
                found.changes.append(f"{kind.__name__} in {team}")
            await _look(found, people[team, "U0MAYA"], team, kind.__name__)
    return found


def _documents(folder: Path, team: str) -> Folder:
    place, mark = folder / team, MARKS[team]
    place.mkdir()
    (place / "deploying.md").write_text(ROLLBACK.format(mark), encoding="utf-8")
    return Folder(path=place, name="handbook")


async def _look(found: Found, person: Driver, team: str, act: str) -> None:
    """Whether anything in a workspace holds the other's mark; what its people typed themselves is left out."""
    other = MARKS[TEAMS[1 - TEAMS.index(team)]]
    state = await person.control("state")
    said = [message for messages in state["messages"].values() for message in messages if message["user"] == "U0SWITCH"]
    shown = json.dumps([said, state["ephemerals"], state["homes"], state["prompts"], state["calls"]])
    found.looks += 1
    if other in shown:
        found.leaks.append(f"{act} in {team}")


async def _digest(house: House) -> str:
    """All that a workspace's database holds."""
    whole = hashlib.sha256()
    async with house.core.engine.connect() as connection:
        for name, table in sorted(TABLES.items()):
            if name not in _BY_THE_CLOCK:
                rows = sorted(repr(tuple(row)) for row in await connection.execute(sa.select(table)))
                whole.update(f"{name}{rows}".encode())
    return whole.hexdigest()


async def _stolen(bot: ManyHouses, other: str) -> str:
    """The id of an answer of the other workspace."""
    answers = await (await bot.house(other)).core.explanations.last(5)
    return answers[0][0].id


async def _ask(person: Driver, team: str) -> JSON:
    ts = await person.post("C0HELP", f"<@U0SWITCH> How do I roll back a release of {MARKS[team]}?")
    return await person.wait_for_reply("C0HELP", ts)


async def ask(person: Driver, team: str, _stolen: str, rng: random.Random) -> None:
    channel = rng.choice(["C0HELP", "C0ENG", "G0FIN", person.dm])
    await person.post(channel, "<@U0SWITCH> How do I roll back a release?")


async def ask_alone(person: Driver, team: str, _stolen: str, rng: random.Random) -> None:
    await person.command("/ask", rng.choice(["How do I roll back a release?", f"What is {MARKS[team]}?"]))


async def say(person: Driver, _team: str, _stolen: str, rng: random.Random) -> None:
    words = {
        "/cost": ["", "me", "month", "budget", "budget workspace 20 a month", "week by:model", "budget drop workspace"],
        "/knowledge": ["", "status", "search rollback", "search release", "refresh"],
        "/model": ["", "list", "why", "use offline here", "use offline for me", "auto", "value best", "local on"],
        "/compare": ["How do I roll back a release?"],
        "/switchboard": [""],
    }
    command = rng.choice(list(words))
    await person.command(command, rng.choice(words[command]))


async def open_home(person: Driver, _team: str, _stolen: str, rng: random.Random) -> None:
    await person.open_home(rng.choice(["home", "messages"]))


async def press_stolen(person: Driver, team: str, stolen: str, rng: random.Random) -> None:
    """A button under an own answer, with the id of an answer of the other workspace."""
    reply = await _ask(person, team)
    action, value = rng.choice(
        [("why", stolen), ("feedback", f"up:{stolen}"), ("feedback", f"down:{stolen}"), ("another_way", stolen)]
    )
    await person.click(reply, action, value=value)
    await person.wait_for_ephemeral("C0HELP", lambda m: _UNKNOWN in m["text"], after=reply["ts"])


async def press_own(person: Driver, team: str, _stolen: str, rng: random.Random) -> None:
    reply = await _ask(person, team)
    await person.click(reply, rng.choice(["why", "another_way"]))


async def save_thread(person: Driver, team: str, _stolen: str, _rng: random.Random) -> None:
    reply = await _ask(person, team)
    await person.shortcut("add_to_knowledge", reply)


_ACTS = (ask, ask_alone, say, say, open_home, press_stolen, press_stolen, press_own, save_thread)


def main() -> int:
    """The proof with its sizes from the command line."""
    known = argparse.ArgumentParser(description="Random acts in two workspaces, with ids stolen from the other.")
    known.add_argument("--acts", type=int, default=400)
    known.add_argument("--seed", type=int, default=1)
    known.add_argument("--postgres", action="store_true", help="on PostgreSQL instead of SQLite")
    configure_logs(level=logging.ERROR)
    return proof_result.main("tenants", known, _run)


def _run(size: argparse.Namespace, folder: Path) -> proof_result.Result:
    with own_database("postgresql", folder) if size.postgres else nullcontext("") as url:
        found = asyncio.run(prove(folder, ROOT / ".models", size.acts, size.seed, url))
    figures = {"acts": found.acts, "refused": found.refused, "looks": found.looks}
    return proof_result.Result(
        {**figures, "leaks": found.leaks, "changes": found.changes}, not (found.leaks or found.changes)
    )


if __name__ == "__main__":
    sys.exit(main())
