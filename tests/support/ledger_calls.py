"""Mixed calls of models, as many processes make them that are killed: what each call is follows from its number alone.

`python -m ledger_calls DATABASE SERVER AT_ONCE < numbers`, one number a line. The server (see prove_ledger.py) does
what the words of the call ask it to.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, aclosing, suppress
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from openai import AsyncOpenAI

from bot.costs.ledger import Ledger
from bot.costs.prices import PriceBook
from bot.domain import Audience, Message, Place, PlaceKind, Prompt, Question, StrategyName, Usage
from bot.errors import ModelError
from bot.gate import Gate, Tab
from bot.models.cards import CardRates, ModelCard
from bot.models.catalogue import Provider
from bot.models.client import OpenAIModel, Timeouts, open_client
from bot.models.embeddings import EmbeddingModel
from bot.models.faults import SERVER_FAULTS, Faults
from bot.models.retry import Patience, pause_after
from bot.models.tokens import load_encodings
from bot.models.usage import read_usage
from bot.storage.engine import open_engine

LISTED = ModelCard(name="gpt-5-mini", provider="openai", context_window=400_000)
OWN = ModelCard(
    name="house-large",
    provider="house",
    context_window=100_000,
    rates=CardRates(
        input=Decimal("1.234567"),
        output=Decimal("4.000001"),
        cached_input=Decimal("0.123456"),
        cache_written=Decimal("1.5"),
        input_audio=Decimal(7),
    ),
)
EMBEDDING = ModelCard(
    name="house-embedding",
    provider="house",
    task="embedding",
    context_window=8_000,
    dimensions=64,
    rates=CardRates(input=Decimal("0.02"), output=Decimal(0)),
)
SPEECH = ModelCard(
    name="house-speech",
    provider="house",
    task="transcription",
    context_window=8_000,
    rates=CardRates(minute=Decimal("0.006")),
)
IMAGE = ModelCard(
    name="house-image",
    provider="house",
    task="image",
    context_window=8_000,
    rates=CardRates(input=Decimal(5), output=Decimal(8), output_image=Decimal(30), image=Decimal("0.011")),
)
KINDS = {"streamed": 45, "whole": 15, "embedding": 20, "speech": 10, "image": 10}
WAYS = {
    "fine": 78,
    "retried": 5,
    "fails": 5,
    "cut": 2,
    "quiet": 1,
    "engine": 1,
    "empty": 1,
    "stopped": 3,
} | dict.fromkeys(("negative", "absurd", "missing", "texts"), 1)
PATIENCE = Patience(tries=3, seconds=30, first_pause=0.001)
_CHAT_ALONE = frozenset({"cut", "quiet", "engine", "empty", "negative", "absurd", "missing", "texts"})


def plan(number: int) -> tuple[str, str]:
    """The kind of the call of this number, and what is to become of it."""
    drawn = random.Random(number)
    kind = drawn.choices(list(KINDS), list(KINDS.values()))[0]
    way = drawn.choices(list(WAYS), list(WAYS.values()))[0]
    return kind, "fine" if way in _CHAT_ALONE and kind != "streamed" else way


def text(number: int) -> str:
    """What the model is asked, for the server to know the call by."""
    kind, way = plan(number)
    return f"call {number} {kind} {way}"


class Caller:
    """Makes calls through a gate, as the bot's own code does for each kind."""

    def __init__(self, gate: Gate, server: str) -> None:
        self._gate = gate
        self._provider = Provider(name="house", base_url=server, local=True)
        self._timeouts = Timeouts(connect=60, first=120, between=120, total=240)
        self._client: AsyncOpenAI = open_client(self._provider, None, self._timeouts)

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.close()

    async def make(self, number: int) -> None:
        """One call with its tries; whatever becomes of it stands in the ledger."""
        kind, way = plan(number)
        made: Awaitable[None] = self._streamed(number, way) if kind == "streamed" else self._other(number, kind)
        if way != "stopped" or kind == "streamed":
            with suppress(ModelError):
                await made
            return
        task = asyncio.ensure_future(made)
        for _ in range(random.Random(-number).randrange(200)):  # at any moment: before, while and after it is asked
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})

    async def _streamed(self, number: int, way: str) -> None:
        card = LISTED if number % 2 else OWN
        model = OpenAIModel(card, self._provider, self._client, timeouts=self._timeouts)
        messages = (Message("system", "Be brief."), Message("user", text(number)))
        prompt = Prompt(strategy=StrategyName.ZERO_SHOT, question=text(number), messages=messages)
        pieces = self._gate.stream(_question(number), model, prompt, max_tokens=500, tab=Tab())
        async with aclosing(pieces):
            async for _ in pieces:
                if way == "stopped":
                    return

    async def _other(self, number: int, kind: str) -> None:
        card, ask = {
            "whole": (OWN, self._whole),
            "embedding": (EMBEDDING, self._embedded),
            "speech": (SPEECH, self._transcribed),
            "image": (IMAGE, self._drawn),
        }[kind]
        purpose = {"whole": "judge", "embedding": "embedding", "speech": "transcribe", "image": "image"}[kind]
        most = Usage(prompt_tokens=100, completion_tokens=100, audio_ms=600_000, images=4)
        attempt = 0
        while True:
            attempt += 1
            try:
                async with self._gate.call(card, purpose, most, question=_question(number), attempt=attempt) as current:
                    current.usage = await self._told(card, ask, number)
                return
            except ModelError as error:
                pause = pause_after(error, attempt, 30, PATIENCE)
                if pause is None:
                    raise
            await asyncio.sleep(pause)

    async def _told(self, card: ModelCard, ask: Callable[[int], Awaitable[Usage]], number: int) -> Usage:
        try:
            return await ask(number)
        except SERVER_FAULTS as error:
            raise Faults(card, self._provider).of(error) from error

    async def _whole(self, number: int) -> Usage:
        answer = await self._client.chat.completions.create(
            model=OWN.model_id, messages=[{"role": "user", "content": text(number)}]
        )
        return replace(read_usage(answer.usage, _nothing), served=answer.model, request_id=answer.id)

    async def _embedded(self, number: int) -> Usage:
        return (await EmbeddingModel(EMBEDDING, self._provider, self._client).embed([text(number)])).usage

    async def _transcribed(self, number: int) -> Usage:
        file = (f"{number}.ogg", b"OggS")
        said: Any = await self._client.audio.transcriptions.create(
            model=SPEECH.model_id, file=file, prompt=text(number), response_format="json"
        )
        seconds: Mapping[str, Any] = said.usage.model_dump()
        return Usage(prompt_tokens=0, completion_tokens=0, audio_ms=round(seconds["seconds"] * 1000))

    async def _drawn(self, number: int) -> Usage:
        made: Any = await self._client.images.generate(model=IMAGE.model_id, prompt=text(number))
        return replace(read_usage(made.usage, _nothing), images=len(made.data))


def _nothing() -> Usage:
    return Usage(prompt_tokens=0, completion_tokens=0)


def _question(number: int) -> Question:
    return Question(
        id=f"q{number}",
        text=text(number),
        asker=f"U{number % 7}",
        place=Place(workspace="T1", channel=f"C{number % 5}", kind=PlaceKind.CHANNEL),
        audience=Audience.everyone(),
        asked_at=datetime.now(UTC),
    )


async def make_calls(database: str, server: str, at_once: int, numbers: list[int]) -> None:
    """So many at once, until all were made."""
    load_encodings(Path(__file__).resolve().parents[2] / ".models" / "tiktoken")
    async with AsyncExitStack() as stack:
        engine = open_engine(database)
        stack.push_async_callback(engine.dispose)
        ledger = Ledger(engine)
        await ledger.recover()
        gate = Gate(ledger=ledger, prices=PriceBook(), clock=lambda: datetime.now(UTC), patience=PATIENCE)
        caller = Caller(gate, server)
        stack.push_async_callback(caller.close)
        left = iter(numbers)

        async def some() -> None:
            for number in left:
                await caller.make(number)

        await asyncio.gather(*(some() for _ in range(at_once)))


if __name__ == "__main__":
    asyncio.run(make_calls(sys.argv[1], sys.argv[2], int(sys.argv[3]), [int(line) for line in sys.stdin]))
