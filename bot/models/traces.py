"""A model call as a span, by OpenTelemetry's semantic conventions for generative AI."""

from __future__ import annotations

import json
from collections.abc import Sequence

from bot import tracing
from bot.domain import Prompt, Usage
from bot.models.cards import ModelCard

PROVIDERS = {"azure": "azure.ai.openai", "google": "gcp.gemini", "mistral": "mistral_ai", "xai": "x_ai"}
"""The conventions' names of providers, where ours are others."""
OPERATIONS = {"embedding": "embeddings", "image": "image_generation"}
"""The conventions' names of what a model does, by the task of its card; there is none yet for pictures and speech."""


def begun(card: ModelCard, purpose: str, attempt: int, prompt: Prompt | None = None) -> tracing.Span:
    """The span of one try that goes out now. What is asked is in it only where content is wanted."""
    operation = OPERATIONS.get(card.task, card.task)
    attributes: dict[str, tracing.Value] = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": PROVIDERS.get(card.provider, card.provider),
        "gen_ai.request.model": card.model_id,
        "switchboard.purpose": purpose,
        "switchboard.attempt": attempt,
    }
    if prompt is not None and tracing.shows_content():
        attributes["gen_ai.input.messages"] = _messages([(one.role, one.content) for one in prompt.messages])
    return tracing.begin(f"{operation} {card.model_id}", attributes, kind="client")


def ended(span: tracing.Span, outcome: str, usage: Usage | None, said: Sequence[str]) -> None:
    """It came to an end: `outcome` as the ledger calls it, "answered" where all went well."""
    attributes: dict[str, tracing.Value] = {"switchboard.outcome": outcome}
    finish = usage.finish if usage else ""
    if usage is not None:
        attributes["gen_ai.usage.input_tokens"] = usage.prompt_tokens
        attributes["gen_ai.usage.output_tokens"] = usage.completion_tokens
        attributes["gen_ai.usage.cache_read.input_tokens"] = usage.cached_tokens
        for name, value in (("model", usage.served), ("id", usage.request_id)):
            if value:
                attributes[f"gen_ai.response.{name}"] = value
        if finish:
            attributes["gen_ai.response.finish_reasons"] = [finish]
    if said and tracing.shows_content():
        attributes["gen_ai.output.messages"] = _messages([("assistant", "".join(said))], finish)
    span.note(attributes)
    if outcome not in {"answered", "stopped"}:
        span.failed(outcome)
    span.end()


def _messages(said: Sequence[tuple[str, str]], finish: str = "") -> str:
    end = {"finish_reason": finish} if finish else {}
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}], **end} for role, text in said])
