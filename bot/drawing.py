"""Pictures on request: drawn by a model, through the gate, and looked at before anybody sees them."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from bot.domain import Image, Price, Question, Usage
from bot.errors import FileUnread, ModelAnswerUnusable, UnusableQuestion
from bot.files.pictures import read_picture
from bot.gate import Gate, OpenCall, Tab
from bot.models.registry import Models
from bot.models.retry import Patience
from bot.models.tokens import most_tokens
from bot.selection.data_rules import DataRules
from knowledge.secrets import masking

MOST_CHARACTERS = 2_000
_PATIENCE = Patience(tries=2)
"""A picture takes half a minute and costs more than an answer, so that it is not tried often."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that was drawn, and what it took: all tries together, in US dollars and seconds."""

    image: Image
    model: str
    price: Price
    seconds: float


class Drawing:
    """Draws. `model`: its name, or "auto"."""

    def __init__(self, gate: Gate, models: Models, rules: DataRules, model: str = "auto") -> None:
        self._gate = gate
        self._models = models
        self._rules = rules
        self._model = model

    async def draw(self, question: Question) -> Picture:
        """What the question's text describes, as one picture.

        Raises UnusableQuestion, and the ModelError or NotAllowed that says why there is none.
        """
        described = masking().text(question.text)
        if len(question.text) > MOST_CHARACTERS:
            raise UnusableQuestion(
                f"Your description has {len(question.text):,} characters; I draw from up to {MOST_CHARACTERS:,}. "
                "Please shorten it."
            )
        started = time.monotonic()
        channel = question.place.channel
        here = await self._rules.stays(channel)
        model = self._models.drawing(self._model, here=here)
        await self._rules.check(channel, model.card)
        tab = Tab()
        most = Usage(
            prompt_tokens=most_tokens(question.text),
            completion_tokens=model.card.max_output,
            output_image_tokens=model.card.max_output,
            images=1,
        )

        async def work(current: OpenCall) -> Image:
            drawn = await model.draw(described)
            current.usage, current.unpriced = drawn.usage, drawn.unpriced
            try:
                return await asyncio.to_thread(read_picture, model.picture(drawn), "The picture")
            except FileUnread as error:
                raise ModelAnswerUnusable(f"“{model.card.name}” sent what is no picture. Ask again.") from error

        image = await self._gate.tried(model.card, "image", most, work, question=question, tab=tab, patience=_PATIENCE)
        return Picture(image, model.card.name, tab.price, time.monotonic() - started)
