"""The gate: no model is called but through here, and every try leaves its row in the ledger."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

from bot.costs.calls import Call
from bot.costs.ledger import Ledger
from bot.costs.outcomes import UNBILLED
from bot.costs.prices import PriceBook
from bot.domain import Price, Prompt, Question, TextDelta, Usage
from bot.errors import ModelError
from bot.models import traces
from bot.models.base import Model
from bot.models.cards import ModelCard
from bot.models.retry import AttemptFailed, AttemptStarted, Patience, attempts, pause_after
from bot.models.tokens import MOST_IMAGE_TOKENS, count_tokens, image_tokens, most_tokens
from bot.tracing import Span
from knowledge.documents import Vector
from knowledge.secrets import masking

if TYPE_CHECKING:  # OpenAI's library takes half a second to load
    from bot.models.embeddings import EmbeddingModel

_Got = TypeVar("_Got")


@dataclass(slots=True)
class Tab:
    """What the calls for one question came to, all tries together. The amount is None once one price is unknown.

    `logprobs`: those of the last call's tokens, in their order; empty where they were not asked for or not given.
    """

    usage: Usage | None = None
    amount: Decimal | None = Decimal(0)
    version: str | None = None
    logprobs: tuple[float, ...] = ()

    def add(self, usage: Usage | None, price: Price) -> None:
        """One more call."""
        self.version = price.version or self.version
        self.amount = None if self.amount is None or price.amount is None else self.amount + price.amount
        self.usage = self.usage + usage if self.usage and usage else usage or self.usage

    @property
    def price(self) -> Price:
        """What it all cost."""
        return Price(amount=self.amount, version=self.version)


@dataclass(slots=True)
class OpenCall:
    """A call under way. `row` is its place in the ledger, `span` in its trace; `usage` is what it is settled with.

    `unpriced`: why nobody knows what that cost, where the usage lacks what the model is sold by.
    """

    row: int
    call: Call
    started: float
    usage: Usage | None = None
    unpriced: str = ""
    span: Span = field(default_factory=Span)
    said: list[str] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)


class Gate:
    """Calls models, and writes down what each try took and cost. `patience`: how often it tries."""

    def __init__(
        self, *, ledger: Ledger, prices: PriceBook, clock: Callable[[], datetime], patience: Patience | None = None
    ) -> None:
        self._ledger = ledger
        self._prices = prices
        self._clock = clock
        self._patience = patience

    async def stream(
        self,
        question: Question,
        model: Model,
        prompt: Prompt,
        *,
        max_tokens: int,
        tab: Tab,
        purpose: str = "answer",
    ) -> AsyncGenerator[str, None]:
        """The answer's text as it comes; `tab` grows with each try.

        Raises the last try's ModelError, or OverBudget before anything goes out. Closing it cancels the call, which is
        settled as stopped.
        """
        card, current = model.card, None
        prompt = _masked(prompt)
        most = most_usage(prompt, card, max_tokens)
        try:
            tries = attempts(model, prompt, max_tokens=max_tokens, patience=self._patience)
            async with aclosing(tries) as events:  # type: ignore[type-var]
                async for event in events:
                    if isinstance(event, AttemptStarted):
                        current = await self._open(card, purpose, event.number, most, question, prompt)
                    elif isinstance(event, AttemptFailed) and current is not None:
                        await self._settle(current, card, event.error.kind, tab)
                        current = None
                    elif isinstance(event, Usage) and current is not None:
                        current.usage = event
                    elif isinstance(event, TextDelta) and current is not None:
                        current.said.append(event.text)
                        current.logprobs += event.logprobs
                        yield event.text
            if current is not None:
                await self._settle(current, card, "answered", tab)
                current = None
        finally:
            # Left open by whoever stopped reading: the server has worked for it all the same.
            if current is not None:
                current.usage = current.usage or _counted(prompt, current, card)
                await self._settle(current, card, "stopped", tab)

    @asynccontextmanager
    async def call(
        self,
        card: ModelCard,
        purpose: str,
        most: Usage,
        *,
        question: Question | None = None,
        attempt: int = 1,
        tab: Tab | None = None,
    ) -> AsyncIterator[OpenCall]:
        """One try of a call that is no chat: reserved before the block, settled with the `usage` that it sets.

        `most`: what it may use up at most. A ModelError settles it as failed; whatever else ends the block, as stopped.
        Raises OverBudget before anything goes out.
        """
        current = await self._open(card, purpose, attempt, most, question)
        outcome = "stopped"
        try:
            yield current
            outcome = "answered"
        except ModelError as error:
            outcome = error.kind
            raise
        finally:
            await self._settle(current, card, outcome, tab or Tab())

    async def embed(self, model: EmbeddingModel, texts: Sequence[str], *, patience: Patience | None = None) -> Vector:
        """One vector for each text. Raises the last try's ModelError; `patience` as the gate's own where None."""
        texts = [masking().text(text) for text in texts]
        most = Usage(prompt_tokens=sum(map(most_tokens, texts)), completion_tokens=0)

        async def work(current: OpenCall) -> Vector:
            embedded = await model.embed(texts)
            current.usage = embedded.usage
            return embedded.vectors

        return await self.tried(model.card, "embedding", most, work, patience=patience)

    async def tried(
        self,
        card: ModelCard,
        purpose: str,
        most: Usage,
        work: Callable[[OpenCall], Awaitable[_Got]],
        *,
        question: Question | None = None,
        tab: Tab | None = None,
        patience: Patience | None = None,
    ) -> _Got:
        """What `work` gives; it is tried again where that can help, each try as `call` has it.

        Raises the last try's ModelError, or OverBudget before anything goes out.
        """
        patience = patience or self._patience or Patience()
        left, number = patience.seconds, 0
        while True:
            number += 1
            try:
                async with self.call(card, purpose, most, question=question, attempt=number, tab=tab) as current:
                    return await work(current)
            except ModelError as error:
                pause = pause_after(error, number, left, patience)
                if pause is None:
                    raise
            left -= pause
            await asyncio.sleep(pause)

    async def _open(
        self,
        card: ModelCard,
        purpose: str,
        number: int,
        most: Usage,
        question: Question | None = None,
        prompt: Prompt | None = None,
    ) -> OpenCall:
        now = self._clock()
        call = Call(
            question_id=question.id if question else None,
            purpose=purpose,
            attempt=number,
            provider=card.provider,
            model=card.name,
            strategy=prompt.strategy.value if prompt else None,
            workspace=question.place.workspace if question else None,
            channel=question.place.channel if question else None,
            asker=question.asker if question else None,
            started_at=now,
            reserved=self._price(card, most, now).amount,
        )
        row = await self._ledger.open(call)
        if self._ledger.watcher is not None:
            self._ledger.watcher.began(call)
        return OpenCall(row, call, time.monotonic(), span=traces.begun(card, purpose, number, prompt))

    async def _settle(self, done: OpenCall, card: ModelCard, outcome: str, tab: Tab) -> None:
        price = self._price(card, done.usage, done.call.started_at)
        if done.unpriced and not card.free:
            price = Price(amount=None, version=None, why=done.unpriced)
        seconds = time.monotonic() - done.started
        traces.ended(done.span, outcome, done.usage, done.said)
        if self._ledger.watcher is not None:
            unpriced = price.amount is None and outcome not in UNBILLED
            self._ledger.watcher.ended(
                done.call, outcome=outcome, seconds=seconds, usage=done.usage, price=price, unpriced=unpriced
            )
        await self._ledger.settle(done.row, outcome=outcome, seconds=seconds, usage=done.usage, price=price)
        # A call that was turned down is not billed, so its unknown price hides nothing.
        if done.usage is not None or outcome not in UNBILLED:
            tab.add(done.usage, price)
        tab.logprobs = tuple(done.logprobs)

    def _price(self, card: ModelCard, usage: Usage | None, at: datetime) -> Price:
        rates = card.rates.rates(at) if card.rates else None
        return self._prices.price(card.provider, card.model_id, usage, rates=rates, free=card.free, at=at)


def _masked(prompt: Prompt) -> Prompt:
    """Whatever is sent, from whatever door: no secret leaves in it."""
    messages = [replace(message, content=masking().text(message.content)) for message in prompt.messages]
    return replace(prompt, messages=tuple(messages))


def most_usage(prompt: Prompt, card: ModelCard, max_tokens: int) -> Usage:
    """What one try of a chat may use up at most: it is held until the call is settled."""
    asked = sum(most_tokens(message.content) + MOST_IMAGE_TOKENS * len(message.images) for message in prompt.messages)
    answered = min(max_tokens + card.thinking_tokens, card.max_output)
    return Usage(prompt_tokens=asked, completion_tokens=answered, estimated=True)


def _counted(prompt: Prompt, stopped: OpenCall, card: ModelCard) -> Usage:
    texts = [message.content for message in prompt.messages]
    seen = sum(image_tokens(image) for message in prompt.messages for image in message.images)
    return Usage(
        prompt_tokens=seen + sum(count_tokens(text, card.model_id).tokens for text in texts),
        completion_tokens=count_tokens("".join(stopped.said), card.model_id).tokens,
        input_image_tokens=seen,
        estimated=True,
    )
