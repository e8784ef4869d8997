"""Malformed payloads at every handler and every HTTP door: nothing breaks unheard, and nobody waits.

Payloads are made by Hypothesis and by changing valid ones, and are dispatched in process; requests go over real
sockets, signed and not, as bytes that are no HTTP too; schemathesis calls what an OpenAPI document says of the doors.
`make prove-fuzz ARGS="[--payloads 70000] [--requests 25000] [--calls 5000] [--seed 1] [--no-limits]"`.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import random
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import AsyncIterator, Collection, Coroutine, MutableMapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import house
import proof_result
import sqlalchemy as sa
import structlog
from fuzz_http import HttpFuzz, document
from fuzz_payloads import JSON, mutated, valid
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from bot.app import App, open_app
from bot.config import Http, Limits, Metrics, Settings, Slack
from bot.secrets import SlackSecrets
from bot.storage.tables import questions
from deploy.workspace import BOT_TOKEN, SIGNING_SECRET, Workspace
from deploy.workspace.state import Person
from deploy.workspace.web_api import METHODS
from handlers.bolt import take

ROOT = Path(__file__).resolve().parents[2]
BATCH = 25
"""Payloads under way at once."""
SECONDS = 3.0
T = TypeVar("T")

_TEXT = st.text(st.characters(exclude_categories=()), max_size=40)
_LEAF = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), _TEXT)
_NAMES = st.one_of(st.sampled_from(("type", "event", "user", "id", "channel", "view", "actions", "command")), _TEXT)
ANY_JSON = st.recursive(_LEAF, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAMES, inner, max_size=5))


class Errors(logging.Handler):
    """Counts what the bot, its libraries or the event loop log as an error, by what it says."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: Counter[str] = Counter()
        self.first: dict[str, str] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """One more."""
        text = self.format(record)
        lines = [line for line in text.splitlines() if line.strip()]
        key = f"{record.name}: {lines[0][:120]} | {lines[-1][:200]}"
        self.found[key] += 1
        self.first.setdefault(key, text[-4_000:])


def _plain(_logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
    """One line, and the traceback below it."""
    trace = event.pop("exception", "")
    return f"{event.pop('event', '')} {event.get('kind', '')}\n{dict(event)}\n{trace}"


@dataclass(slots=True)
class Findings:
    """What was sent, and what came of it."""

    payloads: int = 0
    requests: int = 0
    calls: int = 0
    acknowledged: Counter[int] = field(default_factory=Counter)
    answered: Counter[int] = field(default_factory=Counter)
    slowest: float = 0.0
    late: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    errors: dict[str, int] = field(default_factory=dict)
    first: dict[str, str] = field(default_factory=dict)

    def took(self, seconds: float, what: str) -> None:
        """Notes how long somebody waited."""
        self.slowest = max(self.slowest, seconds)
        if seconds > SECONDS:
            self.late += 1
            self.failures[f"late: {what}"] += 1

    @property
    def broken(self) -> bool:
        """Whether a promise is."""
        return bool(self.failures or self.errors)


class Loop:
    """An event loop in a thread of its own, since Hypothesis is not asynchronous."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def watch(self) -> None:
        """Says where the loop is, whenever it has not come round for a second."""
        beat = time.monotonic()

        def come_round() -> None:
            nonlocal beat
            beat = time.monotonic()
            self.loop.call_later(0.2, come_round)

        def look() -> None:
            while self._thread.is_alive():
                time.sleep(0.5)
                if time.monotonic() - beat > 1.5:
                    frame = sys._current_frames().get(self._thread.ident or 0)
                    where = "".join(traceback.format_stack(frame)[-6:]) if frame else ""
                    print(f"the loop stands still:\n{where}", file=sys.stderr, flush=True)

        self.loop.call_soon_threadsafe(come_round)
        threading.Thread(target=look, daemon=True).start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What the coroutine returns."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def close(self) -> None:
        """Ends the thread."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


@asynccontextmanager
async def opened(
    folder: Path, models_dir: Path, limits: Limits, people: Sequence[Person] = ()
) -> AsyncIterator[tuple[App, Workspace]]:
    """The whole bot behind HTTP, with its documents read, and its workspace, with more people in it."""
    house_settings = house._settings(folder, models_dir, None, None, "")
    features = house.MANIFEST
    workspace = Workspace(port=0, commands=features["slash_commands"], shortcuts=features["shortcuts"])
    workspace.state.people |= {person.id: person for person in people}
    async with workspace:
        settings: Settings = house_settings.model_copy(
            update={
                "limits": limits,
                "slack": Slack(base_url=workspace.api_url, answer_channels=("C0HELP",)),
                "http": Http(port=0),
                "metrics": Metrics(port=house.free_port()),
            }
        )
        secrets = SlackSecrets(SecretStr(BOT_TOKEN), None, SecretStr(SIGNING_SECRET))
        async with open_app(settings, secrets, drain_seconds=30) as app:
            await app.house.first_refresh
            yield app, workspace


async def _known(app: App) -> list[str]:
    """Ids of questions that were answered."""
    message = {
        "type": "message",
        "user": "U0MAYA",
        "channel": "D0MAYA",
        "channel_type": "im",
        "ts": "1700000000.000100",
    }
    body = {"type": "event_callback", "event_id": "Ev0", "team_id": "T0LOCAL"}
    await take(app.house.bolt, {**body, "event": {**message, "text": "How do I roll back a release?"}}, {})
    await app.house.under_way.idle()
    return [row.id for row in await _questions(app)]


async def _questions(app: App) -> Sequence[Any]:
    async with app.house.core.engine.connect() as connection:
        return (await connection.execute(sa.select(questions.c.id).limit(20))).all()


async def _dispatched(app: App, payloads: Sequence[Any], found: Findings) -> None:
    async def one(payload: Any) -> None:
        began = time.monotonic()
        try:
            answer = await take(app.house.bolt, payload, {})
            found.acknowledged[answer.status] += 1
        except Exception as error:
            key = f"take: {type(error).__name__}: {str(error)[:150]}"
            found.failures[key] += 1
            found.first.setdefault(key, "".join(traceback.format_exception(error))[-4_000:])
        found.took(time.monotonic() - began, "acknowledgement")

    await asyncio.gather(*map(one, payloads))
    found.payloads += len(payloads)
    await app.house.under_way.idle()


def batches(draw: random.Random, drawn: Any, known: Sequence[str]) -> list[Any]:
    """One batch: what Hypothesis drew as it is and as parts of others, and changed ones; a few are left as they are."""
    found: list[Any] = [drawn, {"type": "event_callback", "event_id": "Ev1", "event": drawn}]
    while len(found) < BATCH:
        payload: JSON = valid(draw, known)
        found.append(payload if draw.random() < 0.04 else mutated(draw, payload, (drawn,)))
    return found


def prove(
    folder: Path,
    models_dir: Path,
    payloads: int,
    requests: int,
    calls: int,
    number: int,
    limits: Limits,
    *,
    methods: Collection[str] = METHODS,
) -> Findings:
    """Sends so many of each kind and tells what came of it. `methods`: what is called of the workspace's Web API."""
    found, errors, loop = Findings(), Errors(), Loop()
    loop.watch()
    logging.getLogger().addHandler(errors)
    ready = opened(folder, models_dir, limits)
    app, workspace = loop.run(ready.__aenter__())
    try:
        gc.freeze()  # what is open stays open: looking through it again and again would hold the loop up
        known = loop.run(_known(app))
        assert known, "a question was to be answered first"
        _payloads(loop, app, payloads, number, known, found)
        fuzz = HttpFuzz(str(app.url), number, known, found)
        loop.run(fuzz.requests(requests))
        loop.run(app.house.under_way.idle())
        metrics = f"http://127.0.0.1:{app.house.core.settings.metrics.port}"
        fuzz.calls(calls, document(methods), {"bot": str(app.url), "metrics": metrics, "workspace": workspace.url})
        loop.run(app.house.under_way.idle())
    finally:
        loop.run(ready.__aexit__(None, None, None))
        loop.close()
        logging.getLogger().removeHandler(errors)
    found.errors = dict(errors.found.most_common())
    found.first |= errors.first
    return found


def _payloads(loop: Loop, app: App, count: int, number: int, known: list[str], found: Findings) -> None:
    began = time.monotonic()

    @seed(number)
    @settings(
        max_examples=max(count // BATCH, 1),
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(start=st.integers(0, 2**63), drawn=ANY_JSON)
    def send(start: int, drawn: Any) -> None:
        loop.run(_dispatched(app, batches(random.Random(start), drawn, known), found))
        if found.payloads % 2_500 == 0:
            gc.freeze()  # the look-alike keeps all that it was told, and would be looked through each time
            print(f"{found.payloads:,} payloads in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)

    send()


def main() -> int:
    """The proof with its sizes from the command line."""
    known = argparse.ArgumentParser(description="Malformed payloads at every handler and every HTTP door.")
    known.add_argument("--payloads", type=int, default=70_000)
    known.add_argument("--requests", type=int, default=25_000)
    known.add_argument("--calls", type=int, default=5_000)
    known.add_argument("--seed", type=int, default=1)
    known.add_argument("--no-limits", action="store_true", help="every question is begun with")
    structlog.configure(
        processors=[structlog.processors.format_exc_info, _plain],
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    logging.getLogger().setLevel(logging.ERROR)
    return proof_result.main("fuzz", known, _run)


def _run(size: argparse.Namespace, folder: Path) -> proof_result.Result:
    limits = Limits(person=0, channel=0) if size.no_limits else Limits()
    found = prove(folder, ROOT / ".models", size.payloads, size.requests, size.calls, size.seed, limits)
    for key, text in found.first.items():
        print(f"--- {key}\n{text}\n", file=sys.stderr)
    figures = {
        "payloads": found.payloads,
        "requests": found.requests,
        "calls": found.calls,
        "acknowledged": dict(found.acknowledged),
        "answered": dict(found.answered),
        "slowest_seconds": round(found.slowest, 3),
        "over_3_seconds": found.late,
        "failures": dict(found.failures.most_common(50)),
        "errors": found.errors,
    }
    return proof_result.Result(figures, not found.broken)


if __name__ == "__main__":
    sys.exit(main())
