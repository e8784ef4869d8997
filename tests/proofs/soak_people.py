"""The people of the soak: they ask in channels, threads and alone, press buttons, change their minds, type commands."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Literal

import aiohttp
from own_processes import CHANNELS, asked

from deploy.workspace.driver import Driver, Refused, finished
from deploy.workspace.state import JSON

NAMES = ("U0MAYA", "U0LEO", "U0ANA", "U0SAM")
PATIENCE = 120.0
"""Seconds after which a person gives up waiting for an answer: a model may be silent for 30 seconds, and so may those
that step in. What comes of it is seen in the end all the same."""
SOON = 10.0
"""Seconds after which they give up waiting for a window, which Slack may have refused."""
AT_ONCE = 24
"""So many people are at something at most: below the bot's own limit, since waiting is what the burst proves."""


@dataclass(slots=True)
class Asked:
    """A question: its number, whose it is, and where an answer belongs. `thread` None: one person alone reads it."""

    number: int
    person: str
    kind: Literal["thread", "private", "comparison"]
    channel: str
    thread: str | None = None
    is_deleted: bool = False
    is_turned_away: bool = False
    """Slack itself told the person that the bot had not taken it in time."""


class People:
    """Four people at a workspace. `asked`: all that they have asked; `did`: how often each of their acts was done."""

    def __init__(self, url: str, docs: Path, chance: random.Random) -> None:
        self.asked: list[Asked] = []
        self.did: Counter[str] = Counter()
        self._docs = docs
        self._chance = chance
        self._numbers = count()
        self._stack = AsyncExitStack()
        self._drivers = [Driver(url, name, timeout=SOON) for name in NAMES]
        self._free = asyncio.Semaphore(AT_ONCE)
        self._acts: dict[str, tuple[int, Callable[[Driver], Awaitable[None]]]] = {
            "mention": (30, self._mention),
            "direct message": (14, self._direct),
            "/ask": (10, self._ask),
            "edit": (10, self._edit),
            "delete": (6, self._delete),
            "stop": (4, self._stop),
            "/compare": (6, self._compare),
            "look": (14, self._look),
            "refresh": (4, self._refresh),
        }

    async def __aenter__(self) -> People:
        for driver in self._drivers:
            await self._stack.enter_async_context(driver)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def live(self, seconds: float, rate: float) -> None:
        """Somebody begins something `rate` times a second; returns when the last of it is over."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with asyncio.TaskGroup() as group:
            for turn in count():
                await asyncio.sleep(max(0.0, began + turn / rate - loop.time()))
                if loop.time() > began + seconds:
                    return
                await self._free.acquire()
                names = list(self._acts)
                name = self._chance.choices(names, [self._acts[each][0] for each in names])[0]
                group.create_task(self._act(name, self._chance.choice(self._drivers)))

    async def _act(self, name: str, person: Driver) -> None:
        self.did[name] += 1
        try:
            await self._acts[name][1](person)
        except (AssertionError, aiohttp.ClientError) as error:  # Slack refused, or nothing came: the end tells which
            self.did[f"{name}: {'refused' if isinstance(error, Refused) else 'in vain'}"] += 1
        finally:
            self._free.release()

    async def _mention(self, person: Driver) -> None:
        message = await self._post(person, self._chance.choice(CHANNELS))
        reply = await self._reply(person, message)
        await self._after(person, reply)
        if self._chance.random() < 0.3:
            message = await self._post(person, message.channel, thread=message.thread)
            await self._reply(person, message, after=reply["ts"])

    async def _direct(self, person: Driver) -> None:
        message = await self._post(person, person.dm)
        await self._after(person, await self._reply(person, message))

    async def _after(self, person: Driver, reply: JSON) -> None:
        """What people do with an answer."""
        has = str(reply.get("blocks"))
        if "another_way" not in has:
            return
        wish, seen = self._chance.random(), len(person.events)
        if wish < 0.2:
            self.did["why"] += 1
            await person.click(reply, "why")
            await person.wait_for_view(after=seen)
        elif wish < 0.35:
            self.did["another way"] += 1
            await person.click(reply, "another_way")
            view = await person.wait_for_view(after=seen)
            await person.submit_view(
                view, {"model": self._chance.choice(("spare-model", "offline")), "strategy": "rag"}
            )
        elif wish < 0.5:
            self.did["thumb"] += 1
            elements = [each for block in reply["blocks"] for each in block.get("elements", ())]
            thumbs = next(each for each in elements if each.get("action_id") == "feedback")
            await person.click(reply, "feedback", value=thumbs["positive_button"]["value"])

    async def _ask(self, person: Driver) -> None:
        await self._typed(person, "/ask", "private", lambda number: asked(number).partition("> ")[2])

    async def _compare(self, person: Driver) -> None:
        words = "models:test-model,spare-model "
        await self._typed(person, "/compare", "comparison", lambda n: words + asked(n).partition("> ")[2])

    async def _typed(
        self, person: Driver, command: str, kind: Literal["private", "comparison"], words: Callable[[int], str]
    ) -> None:
        number = next(self._numbers)
        question = Asked(number, person.user, kind, self._chance.choice(CHANNELS))
        self.asked.append(question)
        try:
            await person.command(command, words(number), channel=question.channel)
        except Refused:
            question.is_turned_away = True
            raise

    async def _edit(self, person: Driver) -> None:
        message = await self._post(person, self._chance.choice(CHANNELS))
        await asyncio.sleep(self._chance.uniform(0, 3))
        await person.edit(_place(message), f"{asked(message.number)} And how long does it take?")
        await self._reply(person, message)

    async def _delete(self, person: Driver) -> None:
        message = await self._post(person, self._chance.choice(CHANNELS))
        await asyncio.sleep(self._chance.uniform(0, 3))
        message.is_deleted = True
        await person.delete(_place(message))

    async def _stop(self, person: Driver) -> None:
        message = await self._post(person, self._chance.choice(CHANNELS))
        await asyncio.sleep(self._chance.uniform(0, 3))
        await person.stop(message.channel, str(message.thread))
        await self._reply(person, message)

    async def _look(self, person: Driver) -> None:
        """Commands and pages that ask no model."""
        commands = (
            ("/cost", ""),
            ("/cost", "me"),
            ("/model", "list"),
            ("/knowledge", "list"),
            ("/switchboard", "help"),
        )
        command, text = self._chance.choice((*commands, ("home", "")))
        self.did[command] += 1
        if command == "home":
            await person.open_home()
        else:
            await person.command(command, text, channel=self._chance.choice(CHANNELS))

    async def _refresh(self, person: Driver) -> None:
        page = self._docs / f"page{self._chance.randrange(8)}.md"
        page.write_text(f"# Robot part {self._chance.randrange(10**6)}\n\nIt is kept in shelf {len(self.asked)}.\n")
        await self._drivers[0].command("/knowledge", "refresh docs", channel=self._chance.choice(CHANNELS))

    async def _post(self, person: Driver, channel: str, thread: str | None = None) -> Asked:
        number = next(self._numbers)
        ts = await person.post(channel, asked(number), thread=thread)
        question = Asked(number, person.user, "thread", channel, thread or ts)
        self.asked.append(question)
        return question

    async def _reply(self, person: Driver, question: Asked, after: str = "") -> JSON:
        def is_reply(message: JSON) -> bool:
            return finished(message) and message["user"] == "U0SWITCH"

        return await person.wait_for_message(
            question.channel, is_reply, thread=question.thread, after=after or str(question.thread), timeout=PATIENCE
        )


def _place(question: Asked) -> JSON:
    return {"channel": question.channel, "ts": question.thread}
