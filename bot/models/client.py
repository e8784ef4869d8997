"""The client for every server that speaks OpenAI's chat completions."""

from __future__ import annotations

import asyncio
import re
import ssl
from base64 import b64encode
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, cast

from openai import APIStatusError, AsyncOpenAI, AsyncStream, DefaultAsyncHttpxClient, Omit, Timeout
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam
from openai.types.chat.chat_completion_chunk import Choice
from pydantic import SecretStr

from bot.domain import Message, Prompt, TextDelta, Usage
from bot.errors import ModelError
from bot.models.cards import ModelCard
from bot.models.catalogue import Provider
from bot.models.certainty import usable
from bot.models.faults import SERVER_FAULTS, Faults
from bot.models.tokens import count_tokens, image_tokens
from bot.models.usage import read_usage

SERVED, REQUEST_ID = 200, 120
"""Characters that the ledger keeps of what a server calls its model and the call."""

# Tokens around each message and before the answer (OpenAI cookbook, "How to count tokens with tiktoken").
_TOKENS_A_MESSAGE = 3
_TOKENS_A_PROMPT = 3

# How servers that give no log-probabilities, or not of this model, say so.
_REFUSED = frozenset({400, 403, 404, 415, 422, 501})
_NAMES_LOGPROBS = re.compile(r"log[ _-]?prob", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long a chat waits, in seconds: to connect, for the first text, between pieces, in all, for a ping."""

    connect: float = 5.0
    first: float = 30.0
    between: float = 20.0
    total: float = 180.0
    ping: float = 5.0


def open_client(provider: Provider, key: SecretStr | None, timeouts: Timeouts) -> AsyncOpenAI:
    """A client for the provider's server. It never retries: each try is the caller's to record. Close it when done."""
    # A proxy for the world outside must not stand between here and a server on this machine.
    direct = DefaultAsyncHttpxClient(trust_env=False, verify=_tls()) if provider.local else None
    return AsyncOpenAI(
        api_key=key.get_secret_value() if key else "none",
        base_url=provider.base_url,
        max_retries=0,
        timeout=Timeout(timeouts.total + timeouts.first, connect=timeouts.connect),
        http_client=direct,
    )


def list_headers(provider: Provider, key: SecretStr | None) -> dict[str, str | Omit]:
    """What the provider's list of models wants instead of a bearer token; nothing where it wants none."""
    if not provider.list_headers or key is None:
        return {}
    secret = key.get_secret_value()
    stated = {name: value.replace("{key}", secret) for name, value in provider.list_headers.items()}
    return {"Authorization": Omit(), **stated}


@cache
def _tls() -> ssl.SSLContext:
    """One for all servers of one's own: reading the machine's certificates takes 30 ms each time."""
    return ssl.create_default_context()


@dataclass(slots=True)
class _Tally:
    """What has come of one answer so far."""

    text: list[str] = field(default_factory=list)
    usage: CompletionUsage | None = None
    finish_reason: str | None = None
    served: str = ""
    request_id: str = ""

    def note(self, chunk: ChatCompletionChunk) -> TextDelta:
        """The text of the chunk; its usage and reason to finish are kept."""
        self.usage = chunk.usage or self.usage
        self.served = self.served or _named(chunk.model, SERVED)
        self.request_id = self.request_id or _named(chunk.id, REQUEST_ID)
        said, logprobs = "", list[float]()
        for choice in chunk.choices or ():
            self.finish_reason = choice.finish_reason or self.finish_reason
            content = choice.delta.content if choice.delta else None
            # Servers of reasoning models send their thoughts as lists of blocks here; only text is the answer.
            if content and isinstance(content, str):
                said += content
                logprobs += _logprobs(choice)
        if said:
            self.text.append(said)
        return TextDelta(said, tuple(logprobs))


class OpenAIModel:
    """A model behind a server that speaks OpenAI's protocol. `key`: once more, for the headers that some lists want."""

    def __init__(
        self,
        card: ModelCard,
        provider: Provider,
        client: AsyncOpenAI,
        *,
        key: SecretStr | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        self._card = card
        self._provider = provider
        self._client = client
        self._key = key
        self._timeouts = timeouts or Timeouts()
        self._faults = Faults(card, provider)
        self._without_logprobs = False

    @property
    def card(self) -> ModelCard:
        """What the catalogue knows of it."""
        return self._card

    async def stream(self, prompt: Prompt, *, max_tokens: int) -> AsyncIterator[TextDelta | Usage]:
        """One try: text as it comes, then one Usage. See `bot.models.base.Model`.

        Where text came before a fault, a Usage comes too before the error: those tokens were paid for.
        """
        tally = _Tally()
        problem: ModelError | None = None
        try:
            async with aclosing(self._chunks(prompt, max_tokens)) as chunks:
                async for chunk in chunks:
                    if (delta := tally.note(chunk)).text:
                        yield delta
            problem = self._incomplete(tally)
        except ModelError as error:
            problem = error
        except SERVER_FAULTS as error:
            problem = self._faults.of(error)
        if tally.usage is not None or tally.text:
            yield self._usage(prompt, tally)
        if problem is not None:
            raise problem

    async def ping(self) -> None:
        """Lists the server's models, which costs nothing. See `bot.models.base.Model`."""
        try:
            async with asyncio.timeout(self._timeouts.ping):
                headers = list_headers(self._provider, self._key)
                listed = [entry.id async for entry in self._client.models.list(extra_headers=headers)]
        except TimeoutError:
            raise self._faults.silent(self._timeouts.ping) from None
        except SERVER_FAULTS as error:
            raise self._faults.of(error) from None
        wanted = self._card.model_id
        # Hosted servers answer to aliases that they do not list.
        if self._provider.local and not {wanted, f"{wanted}:latest"} & set(listed):
            raise self._faults.not_listed()

    async def _chunks(self, prompt: Prompt, max_tokens: int) -> AsyncGenerator[ChatCompletionChunk, None]:
        clock = asyncio.get_running_loop().time
        started, limits = clock(), self._timeouts
        stream: AsyncStream[ChatCompletionChunk] | None = None
        heard = False
        try:
            while True:
                # Only this wait is timed: a `timeout` block around the yield would strike in the reader's own code.
                limit = limits.between if heard else limits.first
                left = limits.total - (clock() - started)
                try:
                    async with asyncio.timeout(min(limit, left)):
                        stream = stream or await self._open(prompt, max_tokens)
                        chunk = await anext(stream)
                except TimeoutError:
                    late = left <= limit
                    raise self._faults.too_slow(limits.total) if late else self._faults.silent(limit) from None
                except StopAsyncIteration:
                    return
                if not isinstance(chunk, ChatCompletionChunk):
                    raise self._faults.no_answer()
                heard = heard or any(choice.delta and choice.delta.content for choice in chunk.choices or ())
                yield chunk
        finally:
            if stream is not None:
                await stream.close()

    async def _open(self, prompt: Prompt, max_tokens: int) -> AsyncStream[ChatCompletionChunk]:
        card, provider = self._card, self._provider
        limit = min(max_tokens + card.thinking_tokens, card.max_output)
        body: dict[str, object] = {provider.output_limit: limit}
        if card.thinking_tokens:
            body["reasoning_effort"] = "low"  # a chat waits for its answer
        if provider.stream_usage:
            body["stream_options"] = {"include_usage": True}
        if not prompt.logprobs or self._without_logprobs:
            return await self._created(prompt, body)
        try:
            return await self._created(prompt, {**body, "logprobs": True})
        except APIStatusError as error:
            if error.status_code not in _REFUSED or not _NAMES_LOGPROBS.search(str(error)):
                raise
            # It was turned down before the server worked for it, so that this is still the same try.
            self._without_logprobs = True
            return await self._created(prompt, body)

    async def _created(self, prompt: Prompt, body: dict[str, object]) -> AsyncStream[ChatCompletionChunk]:
        messages = [{"role": message.role, "content": _content(message)} for message in prompt.messages]
        return await self._client.chat.completions.create(
            model=self._card.model_id,
            messages=cast(list[ChatCompletionMessageParam], messages),
            stream=True,
            extra_body=body,
        )

    def _incomplete(self, tally: _Tally) -> ModelError | None:
        if "".join(tally.text).strip():
            return None if tally.finish_reason else self._faults.cut()
        return self._faults.empty(tally.finish_reason)

    def _usage(self, prompt: Prompt, tally: _Tally) -> Usage:
        usage = read_usage(tally.usage, lambda: self._counted(prompt, tally))
        return replace(usage, served=tally.served, request_id=tally.request_id, finish=tally.finish_reason or "")

    def _counted(self, prompt: Prompt, tally: _Tally) -> Usage:
        counts = [count_tokens(message.content, self._card.model_id) for message in prompt.messages]
        said = count_tokens("".join(tally.text), self._card.model_id)
        asked = sum(count.tokens + _TOKENS_A_MESSAGE for count in counts) + _TOKENS_A_PROMPT
        seen = sum(image_tokens(image) for message in prompt.messages for image in message.images)
        return Usage(prompt_tokens=asked + seen, completion_tokens=said.tokens, input_image_tokens=seen, estimated=True)


def _content(message: Message) -> str | list[dict[str, Any]]:
    """Words alone as text, which every server takes; with pictures in parts, the pictures first."""
    if not message.images:
        return message.content
    pictures = [
        {"type": "image_url", "image_url": {"url": f"data:{one.mimetype};base64,{b64encode(one.data).decode()}"}}
        for one in message.images
    ]
    return [*pictures, {"type": "text", "text": message.content}]


def _named(name: object, longest: int) -> str:
    return name[:longest] if isinstance(name, str) else ""


def _logprobs(choice: Choice) -> list[float]:
    """Those of the tokens that a chunk's text is made of. Servers differ in what else they send, or send nothing."""
    tokens = (choice.logprobs and choice.logprobs.content) or ()
    found = (usable(getattr(token, "logprob", None)) for token in tokens)
    return [logprob for logprob in found if logprob is not None]
