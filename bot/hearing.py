"""Voice messages: written down by a model, through the gate."""

from __future__ import annotations

from bot.domain import Question, Usage
from bot.errors import FileUnread
from bot.files.sounds import duration_ms
from bot.gate import Gate, OpenCall, Tab
from bot.models.registry import Models
from bot.selection.data_rules import DataRules

MOST_MS = 30 * 60_000
"""Milliseconds of speech that are listened to: longer ones take minutes, and cost what a chat does not expect."""
_MS_A_TOKEN = 100
_WORD_MS = 200
"""Models that are sold by the token take one for 100 ms of speech (OpenAI's pricing page); nobody says more than five
tokens a second."""


class Hearing:
    """Writes down what is said. `model`: its name, or "auto"."""

    def __init__(self, gate: Gate, models: Models, rules: DataRules, model: str = "auto") -> None:
        self._gate = gate
        self._models = models
        self._rules = rules
        self._model = model

    async def heard(self, data: bytes, name: str, told_ms: int | None, question: Question, tab: Tab) -> str:
        """What is said in a recording. `told_ms`: how long it is, as the sender's program says.

        Raises FileUnread, and the ModelError or NotAllowed that says why no model can listen to it.
        """
        length = duration_ms(data) or told_ms
        if length is not None and length > MOST_MS:
            raise FileUnread(
                f"{name} is {length / 60_000:.0f} minutes long; I listen to up to {MOST_MS // 60_000}. Send a part "
                "of it."
            )
        channel = question.place.channel
        here = await self._rules.stays(channel)
        model = self._models.transcription(self._model, here=here)
        await self._rules.check(channel, model.card)
        longest = length or MOST_MS
        most = Usage(
            prompt_tokens=longest // _MS_A_TOKEN,
            completion_tokens=longest // _WORD_MS,
            input_audio_tokens=longest // _MS_A_TOKEN,
            audio_ms=longest,
        )

        async def work(current: OpenCall) -> str:
            transcript = await model.transcribe(data, length)
            current.usage, current.unpriced = transcript.usage, transcript.unpriced
            return transcript.text

        text = await self._gate.tried(model.card, "transcribe", most, work, question=question, tab=tab)
        if not any(character.isalnum() for character in text):
            raise model.nothing_heard()  # silence stays silent, however often it is paid for
        return text
