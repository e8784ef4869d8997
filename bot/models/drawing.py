"""Models that draw, behind servers that speak OpenAI's protocol."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from dataclasses import dataclass, replace
from typing import Any

import openai
from openai import AsyncOpenAI

from bot.domain import Usage
from bot.errors import ModelAnswerUnusable, ModelError
from bot.models.cards import ModelCard
from bot.models.catalogue import Provider
from bot.models.faults import SERVER_FAULTS, Faults, in_its_words
from bot.models.usage import read_usage

SECONDS = 180.0
"""How long one picture may take."""
SIZE = "1024x1024"
"""Every model of the catalogue draws this size, and it is the cheapest."""
NO_USAGE = "The server did not say what the picture took."
_REFUSALS = frozenset({"moderation_blocked", "content_policy_violation"})


@dataclass(frozen=True, slots=True)
class Drawn:
    """What the server sent, not looked at yet. `unpriced`: why nobody knows what it cost, "" where that can be told."""

    sent: Any
    usage: Usage
    unpriced: str = ""


class DrawingModel:
    """One model that makes pictures of words."""

    def __init__(self, card: ModelCard, provider: Provider, client: AsyncOpenAI) -> None:
        self.card = card
        self._client = client
        self._faults = Faults(card, provider)
        self._server = provider.label

    async def draw(self, prompt: str) -> Drawn:
        """One try: one picture of 1024 by 1024 pixels. Raises ModelError, in the provider's words where it refused."""
        try:
            async with asyncio.timeout(SECONDS):
                answer = await self._client.images.with_raw_response.generate(
                    model=self.card.model_id, prompt=prompt, n=1, size=SIZE
                )
                sent = json.loads(answer.http_response.content)
        except TimeoutError:
            raise self._faults.silent(SECONDS) from None
        except openai.BadRequestError as error:
            if str(error.code or "") in _REFUSALS:
                raise self._refused(error) from None
            raise self._faults.of(error) from None
        except SERVER_FAULTS as error:
            raise self._faults.of(error) from None
        request_id = str(answer.headers.get("x-request-id") or "")[:120]
        usage = read_usage(_fields(sent).get("usage"), lambda: Usage(prompt_tokens=0, completion_tokens=0))
        rates = self.card.rates.rates() if self.card.rates else None
        priced_by_piece = rates is not None and rates.image is not None
        unpriced = NO_USAGE if usage.estimated and not priced_by_piece else ""
        if usage.completion_tokens and not usage.output_image_tokens:
            # All that these models put out is the picture, whether the details say so or not.
            usage = replace(usage, output_image_tokens=usage.completion_tokens)
        return Drawn(sent, replace(usage, images=1, request_id=request_id), unpriced)

    def picture(self, drawn: Drawn) -> bytes:
        """The picture's bytes. Raises ModelAnswerUnusable where there are none, which may be billed all the same."""
        data = _fields(drawn.sent).get("data")
        first = _fields(data[0]) if isinstance(data, list) and data else {}
        encoded = first.get("b64_json")
        if not isinstance(encoded, str) or not encoded:
            what = "sent an address instead of a picture" if first.get("url") else "sent no picture"
            raise ModelAnswerUnusable(f"“{self.card.name}” at {self._server} {what}. Ask again, or take another model.")
        try:
            return base64.b64decode(encoded, validate=True)
        except binascii.Error:
            raise self._faults.no_answer() from None

    def _refused(self, error: openai.APIError) -> ModelError:
        return ModelError(f"“{self.card.name}” will not draw this: {in_its_words(error)}. Describe it in other words.")


def _fields(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
