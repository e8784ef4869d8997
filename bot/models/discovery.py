"""Finds the models of servers on this machine, such as Ollama's."""

from __future__ import annotations

import asyncio

from openai.types import Model as ListedModel
from pydantic import SecretStr

from bot.models.cards import ModelCard
from bot.models.catalogue import Provider
from bot.models.client import Timeouts, open_client
from bot.models.faults import SERVER_FAULTS

# What a server that does not tell its window is taken to read: the smallest that Ollama starts with.
_SMALLEST_WINDOW = 4096


async def discover(provider: Provider, key: SecretStr | None, timeouts: Timeouts) -> tuple[ModelCard, ...]:
    """Cards for the models that the provider's server lists; none where nothing answers within the time of a ping."""
    client = open_client(provider, key, timeouts)
    try:
        async with asyncio.timeout(timeouts.ping):
            listed = [entry async for entry in client.models.list()]
    except (TimeoutError, *SERVER_FAULTS):
        return ()
    finally:
        await client.close()
    return tuple(_card(entry, provider) for entry in listed if "embed" not in entry.id.lower())


def _card(entry: ListedModel, provider: Provider) -> ModelCard:
    name = entry.id.removesuffix(":latest")
    window = _window(entry)
    return ModelCard(
        name=name,
        id=entry.id,
        provider=provider.name,
        title=f"{name} on {provider.label}",
        context_window=window or _SMALLEST_WINDOW,
        free=provider.local,
        summary=f"Found at {provider.base_url}."
        + ("" if window else f" Its context window is not told; {_SMALLEST_WINDOW:,} tokens are taken."),
    )


def _window(entry: ListedModel) -> int | None:
    """vLLM says `max_model_len`, llama.cpp `meta.n_ctx_train`; Ollama says nothing in this list."""
    extra = entry.model_extra or {}
    meta = extra.get("meta")
    stated = extra.get("max_model_len") or (meta.get("n_ctx_train") if isinstance(meta, dict) else None)
    return stated if isinstance(stated, int) and stated > 0 else None
