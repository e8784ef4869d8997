"""Kills a bot with `kill -9` while it tells somebody something, beside another bot on the same PostgreSQL.

    make prove-told_once ARGS="--rounds 2"

What is told: that the source of an answer has changed, that a person is needed, once more that a person is needed, and
that an answer said what somebody should not know. It dies before the message goes out, once Slack has taken it, and
once it is written down where it stands. In the end each stands there once.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import proof_result
import sqlalchemy as sa
from fates import until_quiet
from model_server import Reply, Request
from own_processes import BOT, CHANNELS, DOCUMENT, ROOT, Answering, OwnBot, OwnHouse, own_house

from bot.audit import Action
from bot.people.owners import Owners
from bot.storage.audit_table import audit_log
from bot.storage.people_tables import hand_offs
from bot.storage.recall_tables import leanings, recalls
from deploy.workspace.driver import Driver
from deploy.workspace.state import JSON
from handlers.blocks.answer import question_of
from knowledge.schema import documents

CHANGED, WANTED, AGAIN, DISCLOSED = "has changed", "needs a person here", "still waits", "should not know."
"""What is told, by words of its message."""
KINDS = (WANTED, AGAIN, DISCLOSED, CHANGED)
MOMENTS = ("noted", "posted", "written")
_TRIES = 20  # chance says which of the two bots takes up what is to be told
"""Whatever is not due by the clock comes to one of the two bots, so it may take some until the one that dies has it."""
_PATIENT = 120
_BEGAN = datetime.now(UTC)


class Citing(Answering):
    """A model that answers in the words of the document."""

    def reply_to(self, request: Request) -> Reply:
        """What a request gets."""
        return replace(super().reply_to(request), text=f"{DOCUMENT.splitlines()[-1]} [1]")


@dataclass(slots=True)
class Findings:
    """What happened; `wrong` says each broken promise in a line."""

    kills: dict[str, int] = field(default_factory=dict)
    questions: int = 0
    told: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Scene:
    """Two bots, of which one is to die, and two people."""

    house: OwnHouse
    maya: Driver
    leo: Driver
    steady: OwnBot
    mortal: OwnBot
    edits: int = 0
    asked: dict[int, tuple[JSON, set[str]]] = field(default_factory=dict)
    """The answer to each question by its number, and what has to be told because of it."""

    @property
    def is_dead(self) -> bool:
        """Whether the mortal one is."""
        process = self.mortal.process
        return process is None or process.returncode is not None

    async def revive(self, kind: str, moment: str) -> None:
        """Another mortal bot, that dies at this moment of telling this."""
        await self.mortal.kill()
        self.mortal = _bot(self.house, "mortal", DIES_AT=moment, DIES_ON=kind)
        self.write()
        await self.mortal.start()

    def write(self) -> None:
        """Both read the same document."""
        text = DOCUMENT.replace("worked.", f"worked. It takes {self.edits + 2} minutes.")
        for name in ("steady", "mortal"):
            (self.house.folder / name / "docs" / "releases.md").write_text(text)

    async def ask(self) -> int:
        """Maya asks; gives the number of the question once it is answered."""
        number = len(self.asked)
        channel = CHANNELS[number % len(CHANNELS)]
        ts = await self.maya.post(channel, f"<@{BOT}> How do I roll back a release?")
        reply = await self.maya.wait_for_reply(channel, ts, lambda m: "actions" in str(m.get("blocks")))
        self.asked[number] = ({**reply, "channel": channel}, set())
        return number

    def hurry(self, *bots: OwnBot) -> None:
        """They do what is due by the clock."""
        for bot in bots:
            if bot.process is not None and bot.process.returncode is None:
                bot.signal(signal.SIGUSR1)

    async def counted(self, query: sa.Select[int]) -> int:
        """A number from the database."""
        async with self.house.engine.connect() as connection:
            return int((await connection.execute(query)).scalar_one())


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Scene]:
    """Both bots, with Sam as the owner of both channels."""
    async with own_house(folder, "postgresql", Citing(0.05)) as house:
        steady, mortal = _bot(house, "steady"), _bot(house, "mortal")
        url = house.team.url
        async with Driver(url, "U0MAYA", timeout=_PATIENT) as maya, Driver(url, "U0LEO") as leo:
            scene = Scene(house, maya, leo, steady, mortal)
            scene.write()
            await steady.start()
            async with asyncio.timeout(_PATIENT):
                while not await scene.counted(sa.select(sa.func.count()).select_from(documents)):  # noqa: ASYNC110
                    await asyncio.sleep(0.2)
            owners = Owners(house.engine, lambda: datetime.now(UTC), {})
            for channel in CHANNELS:
                await owners.set("channel", channel, "U0SAM", "U0MAYA")
            yield scene


def _bot(house: OwnHouse, name: str, **dies: str) -> OwnBot:
    program = (str(ROOT / "tests" / "support" / "dying_bot.py"),)
    return house.bot(
        name,
        program=program,
        SWITCHBOARD_SLACK__ADMINS='["U0MAYA"]',
        SWITCHBOARD_KNOWLEDGE__REFRESH="*/5 * * * *",
        SWITCHBOARD_RECALL__PER_DAY="1000",
        HURRIED_SINCE=_BEGAN.isoformat(),
        **dies,
    )


async def _want(scene: Scene, number: int) -> None:
    """Both press at once, and each of the bots has one of the presses."""
    reply, expected = scene.asked[number]
    expected.add(WANTED)
    await asyncio.gather(*(person.click(reply, "need_a_person") for person in (scene.maya, scene.leo)))


async def _wait_in_vain(scene: Scene, number: int) -> None:
    """Nobody came when the owner was asked, and it is time to ask once more."""
    await _want(scene, number)
    await until_quiet(scene.house.team, scene.house.engine)
    scene.asked[number][1].add(AGAIN)
    this = sa.update(hand_offs).where(hand_offs.c.question_id == question_of(scene.asked[number][0]))
    async with scene.house.engine.begin() as connection:
        await connection.execute(this.values(due=datetime.now(UTC)))


async def _disclose(scene: Scene, number: int) -> None:
    """Leo says that he should not know this."""
    reply, expected = scene.asked[number]
    expected.add(DISCLOSED)
    for _ in range(_TRIES):
        seen = len(scene.leo.events)
        await scene.leo.click(reply, "feedback", value=f"down:{question_of(reply)}")
        with suppress(AssertionError):  # Slack gives three seconds to open a modal, which may not do here
            view = await scene.leo.wait_for_view(after=seen)
            await scene.leo.submit_view(view, {"reason": "should not know this"})
            return
    raise AssertionError("No modal was opened.")


async def _change(scene: Scene, _number: int) -> None:
    """The source of all answers changes."""
    for _, expected in scene.asked.values():
        expected.add(CHANGED)
    scene.edits += 1
    scene.write()


_BEGIN: dict[str, Callable[[Scene, int], Awaitable[None]]] = {
    WANTED: _want,
    AGAIN: _wait_in_vain,
    DISCLOSED: _disclose,
    CHANGED: _change,
}


async def _is_over(scene: Scene, kind: str, number: int) -> bool:
    """Whether it is written that this was told."""
    id, count = question_of(scene.asked[number][0]), sa.select(sa.func.count())
    if kind in (WANTED, AGAIN):
        state = "asked" if kind == WANTED else "followed"
        return bool(await scene.counted(count.where(hand_offs.c.question_id == id, hand_offs.c.state == state)))
    if kind == CHANGED:
        noted = await scene.counted(count.where(leanings.c.question_id == id, leanings.c.noted.is_not(None)))
        left = await scene.counted(count.where(recalls.c.state.in_(("waiting", "telling"))))
        return bool(noted) and not left
    with suppress(TimeoutError):
        async with asyncio.timeout(0.5):
            await until_quiet(scene.house.team, scene.house.engine)
            return True
    return False


async def _kill(scene: Scene, kind: str, moment: str) -> bool:
    """Whether the mortal bot died at it; what it left is told by then."""
    await scene.revive(kind, moment)
    for _ in range(_TRIES):
        number = await scene.ask()
        await _BEGIN[kind](scene, number)
        async with asyncio.timeout(_PATIENT):
            while not scene.is_dead and not await _is_over(scene, kind, number):
                scene.hurry(scene.mortal)
                await asyncio.sleep(1)
        was_killed = scene.is_dead
        async with asyncio.timeout(_PATIENT):
            while not await _is_over(scene, kind, number):
                scene.hurry(scene.steady)
                await asyncio.sleep(1)
        if was_killed:
            return True
    return False


async def prove(folder: Path, deaths: Sequence[tuple[str, str]]) -> Findings:
    """Kills it so, each a kind and a moment, and looks in the end at what stands in Slack."""
    found = Findings()
    async with opened(folder) as scene:
        for kind, moment in deaths:
            name = f"{kind}: {moment}"
            if await _kill(scene, kind, moment):
                found.kills[name] = found.kills.get(name, 0) + 1
            else:
                found.wrong.append(f"“{kind}” was never told by the bot that was to die {moment}")
        await scene.revive("", "")
        for _ in range(3):  # whatever would come twice has its chance
            scene.hurry(scene.mortal, scene.steady)
            await until_quiet(scene.house.team, scene.house.engine)
        await _look(scene, found)
    return found


async def _look(scene: Scene, found: Findings) -> None:
    found.questions = len(scene.asked)
    messages = (await scene.house.team.control("state"))["messages"]
    said = [one for there in messages.values() for one in there if one.get("user") == BOT]
    for number, (reply, expected) in scene.asked.items():
        id, thread = str(question_of(reply)), [one for one in said if one.get("thread_ts") == reply["thread_ts"]]
        for kind in KINDS:
            where = [one for one in said if id in one["text"]] if kind == DISCLOSED else thread
            times = sum(kind in one["text"] for one in where)
            found.told[kind] = found.told.get(kind, 0) + times
            if times != (kind in expected):
                found.wrong.append(f"question {number}: “{kind}” stands there {times} times")
    reported = sa.select(sa.func.count()).where(audit_log.c.action == Action.ANSWER_REPORTED)
    if (times := await scene.counted(reported)) != sum(DISCLOSED in expected for _, expected in scene.asked.values()):
        found.wrong.append(f"the audit log tells {times} times of an answer that somebody should not know")


def main() -> int:
    """The proof with its size from the command line."""
    known = argparse.ArgumentParser(description="Kills a bot while it tells somebody something.")
    known.add_argument("--rounds", type=int, default=2, help="of all kinds at all moments")

    def run(size: argparse.Namespace, folder: Path) -> proof_result.Result:
        deaths = [*itertools.product(KINDS, MOMENTS)] * size.rounds
        found = asyncio.run(prove(folder, deaths))
        return proof_result.Result(asdict(found), not found.wrong)

    return proof_result.main("told-once", known, run)


if __name__ == "__main__":
    sys.exit(main())
