"""What a server says of its models: their ids, and when it shuts one down."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from datetime import date
from typing import Any, cast

import openai
from openai import AsyncOpenAI
from pydantic import SecretStr

from bot.models.catalogue import Provider
from bot.models.client import Timeouts, list_headers, open_client
from bot.models.faults import SERVER_FAULTS
from bot.models.lifecycle import Listed

SECONDS = 20.0
"""How long one server may take for its whole list."""

_PAGES = 50
_LONGEST_ID = 200
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?!\d)")


class NoList(Exception):
    """The server gave no list; the text is a sentence that says why and what to do."""


async def list_models(provider: Provider, key: SecretStr | None) -> tuple[Listed, ...]:
    """All models that the server lists, each once. Raises NoList."""
    client = open_client(provider, key, Timeouts())
    try:
        async with asyncio.timeout(SECONDS):
            entries = await _entries(client, provider, key)
    except TimeoutError:
        raise NoList(f"{provider.label} did not give its list within {SECONDS:.0f} seconds.") from None
    except SERVER_FAULTS as error:
        raise NoList(_why(provider, error)) from None
    finally:
        await client.close()
    return tuple({one.id: one for one in map(_listed, entries) if one is not None}.values())


async def _entries(client: AsyncOpenAI, provider: Provider, key: SecretStr | None) -> list[Any]:
    """The entries of all pages: Anthropic's list has more of them, with the last id as the mark of the next."""
    entries: list[Any] = []
    params: dict[str, str] = {}
    for _ in range(_PAGES):
        options: Any = {"headers": list_headers(provider, key), "params": params}
        page = cast(object, await client.get("/models", cast_to=object, options=options))
        data = page.get("data") if isinstance(page, Mapping) else None
        if not isinstance(page, Mapping) or not isinstance(data, list):
            raise NoList(f"{provider.label} answers at {provider.base_url} with what is no list of models.")
        entries += data
        if page.get("has_more") is not True or not page.get("last_id"):
            break
        params = {"after_id": str(page["last_id"])}
    return entries


def _listed(entry: Any) -> Listed | None:
    name = entry.get("id") if isinstance(entry, Mapping) else None
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_ID:
        return None
    return Listed(name.removeprefix("models/"), _day(entry.get("shutdown_date")))  # Google lists "models/gemini-…"


def _day(value: Any) -> date | None:
    """YYYY-MM-DD, as OpenAI writes it, also where a time follows; anything else is not known."""
    if not isinstance(value, str) or not _DAY.match(value):
        return None
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        return None


def _why(provider: Provider, error: Exception) -> str:
    if isinstance(error, openai.APIStatusError):
        if error.status_code in (401, 403):
            where = f" Keys are made at {provider.keys_at}." if provider.keys_at else ""
            return f"{provider.label} refuses the key in {provider.api_key_env}.{where}"
        if error.status_code == 404:
            return f"{provider.label} has no list of models at {provider.base_url}: see whether the address is right."
        if error.status_code == 429:
            return f"{provider.label} is asked too much just now. Try again in a minute."
        return f"{provider.label} answered with the status {error.status_code} instead of a list of models."
    if isinstance(error, openai.APIConnectionError | OSError):
        return f"{provider.label} does not answer at {provider.base_url}."
    return f"{provider.label} answers at {provider.base_url} with what is no list of models."
