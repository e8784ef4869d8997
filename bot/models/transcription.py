"""Models that write down what is said, behind servers that speak OpenAI's protocol."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from openai import AsyncOpenAI

from bot.domain import Usage
from bot.errors import ModelAnswerUnusable
from bot.models.cards import ModelCard
from bot.models.catalogue import Provider
from bot.models.faults import SERVER_FAULTS, Faults
from bot.models.usage import read_usage

SECONDS = 120.0
"""How long one recording may take."""
_MOST_SECONDS = 86_400
_NAMES = ((b"RIFF", "wav"), (b"OggS", "ogg"), (b"fLaC", "flac"), (b"\x1aE\xdf\xa3", "webm"))
UNKNOWN_LENGTH = "Neither the file nor the server says how long the recording is, by which it is sold."


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said. `unpriced`: why nobody knows what it cost, "" where it can be reckoned."""

    text: str
    usage: Usage
    unpriced: str = ""


class TranscriptionModel:
    """One transcription model."""

    def __init__(self, card: ModelCard, provider: Provider, client: AsyncOpenAI) -> None:
        self.card = card
        self._client = client
        self._faults = Faults(card, provider)
        self._server = provider.label

    async def transcribe(self, data: bytes, length_ms: int | None) -> Transcript:
        """One try. `length_ms`: what the file says of its length, None where it says nothing. Raises ModelError.

        The file goes out under a name that its content gives it, since servers go by the ending and names may lie.
        """
        try:
            async with asyncio.timeout(SECONDS):
                answer = await self._client.audio.transcriptions.with_raw_response.create(
                    model=self.card.model_id, file=(_name(data), data), response_format="json"
                )
                sent = json.loads(answer.http_response.content)
        except TimeoutError:
            raise self._faults.silent(SECONDS) from None
        except SERVER_FAULTS as error:
            raise self._faults.of(error) from None
        text = sent.get("text") if isinstance(sent, dict) else None
        if not isinstance(text, str):
            raise self._faults.no_answer()
        usage = _usage(sent.get("usage"), length_ms, str(answer.headers.get("x-request-id") or "")[:120])
        if not usage.audio_ms and not usage.prompt_tokens:
            return Transcript(text.strip(), usage, UNKNOWN_LENGTH)
        return Transcript(text.strip(), usage)

    def nothing_heard(self) -> ModelAnswerUnusable:
        """The transcript has no words."""
        return ModelAnswerUnusable(
            f"“{self.card.name}” at {self._server} heard no words in it. Record it again, or write your question."
        )


def _name(data: bytes) -> str:
    if data[4:8] == b"ftyp":
        return "voice.m4a"
    return f"voice.{next((ending for mark, ending in _NAMES if data.startswith(mark)), 'mp3')}"


def _usage(sent: Any, length_ms: int | None, request_id: str) -> Usage:
    """Seconds where the server sent those, tokens where it sent those; the file's own length beside both."""
    fields: Mapping[str, Any] = sent if isinstance(sent, Mapping) else {}
    told = fields.get("seconds") if fields.get("type") == "duration" else None
    seconds = float(told) if isinstance(told, int | float) and not isinstance(told, bool) else 0.0
    length = round(1000 * seconds) if 0 < seconds <= _MOST_SECONDS else length_ms or 0
    nothing = Usage(prompt_tokens=0, completion_tokens=0)
    details = fields.get("input_token_details")
    tokens = {**fields, "input_tokens_details": details} if "input_tokens" in fields else None
    read = read_usage(tokens, lambda: nothing)
    return Usage(
        prompt_tokens=read.prompt_tokens,
        completion_tokens=read.completion_tokens,
        input_audio_tokens=read.input_audio_tokens,
        audio_ms=length,
        # The server's own count is what it bills by; the file's is ours.
        estimated=bool(read.estimated and not 0 < seconds <= _MOST_SECONDS),
        note=read.note,
        request_id=request_id,
    )
