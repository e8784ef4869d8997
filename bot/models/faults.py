"""What went wrong with a model's server, as one of our errors: its sentence names the model, the server, a way out."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx2
import openai

from bot.errors import (
    ContextTooLong,
    ModelAnswerUnusable,
    ModelError,
    ModelNotFound,
    ModelRateLimited,
    ModelTimedOut,
    ModelUnauthorized,
    ModelUnavailable,
)
from bot.models.cards import ModelCard
from bot.models.catalogue import Provider

# All that the client library lets out when a server misbehaves: its own errors, those of a body that breaks off, and
# those of a chunk that is no JSON or no UTF-8.
SERVER_FAULTS = (
    openai.OpenAIError,
    httpx2.HTTPError,
    httpx2.StreamError,
    OSError,
    json.JSONDecodeError,
    UnicodeDecodeError,
)

_TOO_LONG = re.compile(
    r"context[ _-]?(length|window|size)|too many (input )?tokens|prompt is too long|maximum (context|prompt)"
    r"|input.{0,20}too long|exceeds? the (available|maximum)|reduce the length",
    re.IGNORECASE,
)
_SECRET = re.compile(r"\b(sk|gsk|hf|xai|key|bearer)[-_ ][\w*.-]{6,}", re.IGNORECASE)
_ANOTHER = "`/model` switches to another model."


class Faults:
    """Words the faults of one model."""

    def __init__(self, card: ModelCard, provider: Provider) -> None:
        self._card = card
        self._provider = provider
        self._model = f"“{card.name}”"
        self._server = f"{provider.label} ({provider.base_url.rstrip('/')})" if provider.local else provider.label

    def of(self, error: Exception) -> ModelError:
        """Our error for one of SERVER_FAULTS."""
        if isinstance(error, openai.APIStatusError):
            return self._of_status(error)
        if isinstance(error, openai.APIConnectionError):
            never_met = isinstance(error.__cause__, httpx2.ConnectError | httpx2.ConnectTimeout)
            return self.unreachable() if never_met else self.cut()
        if isinstance(error, (json.JSONDecodeError, UnicodeDecodeError, openai.APIResponseValidationError)):
            return self.no_answer()
        if isinstance(error, openai.APIError):
            return self._broken_off(in_its_words(error))
        return self.cut()

    def unreachable(self) -> ModelError:
        """Nothing listens, or the name is not known."""
        if self._provider.local:
            return ModelUnavailable(
                f"Nothing answers at {self._provider.base_url}, where {self._model} should run. "
                f"Start {self._provider.label} there. {_ANOTHER}"
            )
        return ModelUnavailable(
            f"{self._server} cannot be reached, so {self._model} cannot answer. "
            f"Check this machine's way to the internet. {_ANOTHER}"
        )

    def silent(self, seconds: float) -> ModelError:
        """Nothing came for `seconds`."""
        return ModelTimedOut(
            f"{self._model} at {self._server} said nothing for {seconds:g} seconds. Ask again in a moment. {_ANOTHER}"
        )

    def too_slow(self, seconds: float) -> ModelError:
        """The whole answer took longer than `seconds`."""
        return ModelTimedOut(
            f"{self._model} at {self._server} was not done after {seconds:g} seconds and was stopped. "
            f"Ask something shorter. {_ANOTHER}"
        )

    def cut(self) -> ModelError:
        """The stream ended before the answer did."""
        return ModelUnavailable(
            f"{self._server} broke off in the middle of {self._model}'s answer. Ask again. {_ANOTHER}"
        )

    def empty(self, finish_reason: str | None) -> ModelError:
        """The answer came whole, and has no text."""
        if finish_reason == "content_filter":
            why = "its content filter held the answer back. Put the question another way."
        elif finish_reason == "length":
            why = "it used all of its tokens before it came to the answer. Ask something shorter."
        else:
            why = "the answer was empty. Ask again."
        return ModelAnswerUnusable(f"{self._model} at {self._server} answered nothing: {why} {_ANOTHER}")

    def no_answer(self) -> ModelError:
        """What came is not in OpenAI's protocol."""
        return ModelAnswerUnusable(
            f"{self._server} sent something for {self._model} that is no answer. Check that "
            f"{self._provider.base_url} speaks OpenAI's protocol. {_ANOTHER}"
        )

    def not_listed(self) -> ModelError:
        """The server is there, and has no such model."""
        fetch = f" `ollama pull {self._card.model_id}` fetches it." if self._provider.name == "ollama" else ""
        return ModelNotFound(f"{self._server} does not know the model “{self._card.model_id}”.{fetch} {_ANOTHER}")

    def _of_status(self, error: openai.APIStatusError) -> ModelError:
        status, code, said = error.status_code, str(error.code or ""), in_its_words(error)
        if status in {401, 403} or code == "insufficient_quota" or status == 402:
            return self._unauthorized(status)
        if status in {400, 413, 422} and (status == 413 or code == "context_length_exceeded" or _TOO_LONG.search(said)):
            return ContextTooLong(
                f"This is too long for {self._model}, which reads {self._card.context_window:,} tokens at most. "
                f"Ask something shorter, or take a model with a larger context window by `/model`."
            )
        if status == 404:
            return self.not_listed()
        if status == 429:
            return self._rate_limited(error)
        if status in {408, 504}:
            return ModelTimedOut(f"{self._server} gave up waiting for {self._model}. Ask again in a moment. {_ANOTHER}")
        if status >= 500 or status == 409:
            return ModelUnavailable(
                f"{self._server} has a problem (HTTP {status}), so {self._model} cannot answer. "
                f"Ask again in a moment. {_ANOTHER}"
            )
        return ModelError(f"{self._server} refused the request for {self._model} (HTTP {status}: {said}). {_ANOTHER}")

    def _unauthorized(self, status: int) -> ModelError:
        where = f" in {self._provider.api_key_env}" if self._provider.api_key_env else ""
        at = f" ({self._provider.keys_at})" if self._provider.keys_at else ""
        if status == 401:
            told = f"{self._server} does not accept the key for {self._model}. Check the key{where}{at}."
        elif status == 403:
            told = f"{self._server} does not let this key use {self._model}. Check its rights, or the key{where}{at}."
        else:
            told = f"The account at {self._server} has no credit left for {self._model}. Top it up{at}."
        return ModelUnauthorized(f"{told} {_ANOTHER}")

    def _rate_limited(self, error: openai.APIStatusError) -> ModelError:
        wait = retry_after(error.response.headers)
        when = "in a moment" if wait is None else f"in {max(1, round(wait))} seconds"
        return ModelRateLimited(
            f"{self._server} takes no more questions for {self._model} right now. Ask again {when}. {_ANOTHER}", wait
        )

    def _broken_off(self, said: str) -> ModelError:
        if _TOO_LONG.search(said):
            return ContextTooLong(f"This is too long for {self._model}. Ask something shorter.")
        return ModelUnavailable(
            f"{self._server} broke off {self._model}'s answer with an error ({said}). Ask again. {_ANOTHER}"
        )


def retry_after(headers: httpx2.Headers) -> float | None:
    """The seconds that a server asks to wait: Retry-After as seconds or as an HTTP date (RFC 9110, 10.2.3)."""
    stated = headers.get("retry-after")
    if stated is None:
        return None
    try:
        return max(0.0, float(stated))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(stated)
    except ValueError:
        return None
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def in_its_words(error: openai.APIError) -> str:
    """The server's own words, short and without anything that looks like a key."""
    body = error.body
    inner = body.get("error", body) if isinstance(body, dict) else body
    message = inner.get("message") if isinstance(inner, dict) else inner
    text = str(message or "without a reason").strip()
    return _SECRET.sub("•••", " ".join(text.split()))[:200].rstrip(".")
