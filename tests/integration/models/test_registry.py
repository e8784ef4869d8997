"""The registry with real servers: what can be called, what is found, what closes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest
from model_server import ModelServer
from pydantic import SecretStr

from bot.domain import Prompt, TextDelta
from bot.errors import ModelNotFound, ModelUnauthorized, UnknownModel
from bot.models.catalogue import load_catalogue
from bot.models.client import Timeouts
from bot.models.registry import Models
from knowledge.embedding.minilm import MiniLM

TODAY = date(2026, 11, 21)
KEY = "sk-very-secret-key-of-ours"


@pytest.fixture
async def embedder(models_dir: Path) -> AsyncIterator[MiniLM]:
    opened = MiniLM(models_dir)
    yield opened
    await opened.close()


async def open_models(embedder: MiniLM, own: Path | None = None, **options: object) -> Models:
    return Models(
        load_catalogue(own),
        embedder=embedder,
        **{"keys": {}, "timeouts": Timeouts(ping=1.0), "today": lambda: TODAY, **options},  # type: ignore[arg-type]
    )


def house(tmp_path: Path, url: str, more: str = "") -> Path:
    """A models file with one provider at `url` that wants a key."""
    own = tmp_path / "own.toml"
    own.write_text(
        f'[[providers]]\nname = "house"\ntitle = "House"\nbase_url = "{url}"\napi_key_env = "HOUSE_API_KEY"\n'
        f'[[models]]\nname = "house-large"\nid = "test-model"\nprovider = "house"\ncontext_window = 8192\n{more}'
    )
    return own


async def test_without_keys_only_the_offline_model_can_be_used_and_it_is_the_default(embedder: MiniLM) -> None:
    models = await open_models(embedder)
    usable = [card for card in models.usable() if not models.catalogue.providers[card.provider].local]
    assert usable == []
    assert models.default.name == "offline"
    assert models.model("OFFLINE").card.free


async def test_a_model_without_its_key_says_which_one_and_where_it_is_made(embedder: MiniLM) -> None:
    models = await open_models(embedder)
    with pytest.raises(ModelUnauthorized) as caught:
        models.model("gpt-6-luna")
    assert "OPENAI_API_KEY" in str(caught.value)
    assert "https://platform.openai.com/api-keys" in str(caught.value)


async def test_an_unknown_model_is_an_error_of_its_own(embedder: MiniLM) -> None:
    with pytest.raises(UnknownModel):
        (await open_models(embedder)).model("nonsense")


async def test_a_key_makes_its_providers_models_usable_and_the_first_the_default(embedder: MiniLM) -> None:
    models = await open_models(embedder, keys={"mistral": SecretStr(KEY)})
    hosted = [card.name for card in models.usable() if card.provider != "offline"]
    assert hosted == ["mistral-small", "mistral-medium", "mistral-large", "codestral"]
    assert models.default.name == "mistral-small"
    await models.close()


async def test_the_configured_default_wins_where_it_can_be_used(embedder: MiniLM) -> None:
    keys = {"mistral": SecretStr(KEY)}
    assert (await open_models(embedder, keys=keys, default="mistral-large")).default.name == "mistral-large"
    assert (await open_models(embedder, keys=keys, default="offline")).default.name == "offline"
    assert (await open_models(embedder, keys=keys, default="gpt-6-luna")).default.name == "mistral-small"


async def test_a_retired_model_is_not_offered_and_says_since_when(embedder: MiniLM) -> None:
    keys = {"openai": SecretStr(KEY)}
    before = await open_models(embedder, keys=keys)
    assert "gpt-4.1-mini" in [card.name for card in before.usable()]
    after = await open_models(embedder, keys=keys, today=lambda: date(2027, 1, 14))
    assert "gpt-4.1-mini" not in [card.name for card in after.usable()]
    with pytest.raises(ModelNotFound, match="14 January 2027"):
        after.model("gpt-4.1-mini")


async def test_a_provider_without_an_address_says_what_to_state(embedder: MiniLM, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[[models]]\nname = "ours"\nprovider = "azure"\ncontext_window = 9\n')
    models = await open_models(embedder, own, keys={"azure": SecretStr(KEY)})
    with pytest.raises(ModelNotFound, match="base_url"):
        models.model("ours")


async def test_a_registered_model_is_called_with_its_key(embedder: MiniLM, tmp_path: Path, prompt: Prompt) -> None:
    async with ModelServer(api_key=KEY) as server:
        models = await open_models(embedder, house(tmp_path, server.url), keys={"house": SecretStr(KEY)})
        model = models.model("house-large")
        assert models.model("test-model") is model
        text = "".join([e.text async for e in model.stream(prompt, max_tokens=50) if isinstance(e, TextDelta)])
        assert text.endswith("[1]")
        await models.close()


async def test_no_key_shows_in_a_repr_or_an_error(embedder: MiniLM, tmp_path: Path) -> None:
    async with ModelServer(api_key="another-key") as server:
        models = await open_models(embedder, house(tmp_path, server.url), keys={"house": SecretStr(KEY)})
        model = models.model("house-large")
        with pytest.raises(ModelUnauthorized) as caught:
            await model.ping()
        told = f"{caught.value!r} {caught.value} {models!r} {model!r} {vars(models)!r} {vars(model)!r}"
        assert "secret" not in told
        await models.close()


def ollama_at(tmp_path: Path, url: str) -> Path:
    """A models file that moves Ollama to `url`."""
    own = tmp_path / "own.toml"
    own.write_text(f'[[providers]]\nname = "ollama"\nbase_url = "{url}"\n')
    return own


async def test_a_local_server_is_found_and_its_models_offered_free(
    embedder: MiniLM, tmp_path: Path, prompt: Prompt
) -> None:
    async with ModelServer(models=("llama3.2:latest", "nomic-embed-text:latest", "offline")) as server:
        models = await open_models(embedder, ollama_at(tmp_path, server.url))
        found = await models.discover()
        assert [card.name for card in found] == ["llama3.2", "offline"]
        card = models.card("llama3.2")
        assert (card.model_id, card.provider, card.title) == ("llama3.2:latest", "ollama", "llama3.2 on Ollama")
        assert (card.free, card.context_window) == (True, 4096)
        assert models.default.name == "llama3.2"
        assert models.card("offline").provider == "offline"  # a found name never replaces a known one
        text = [e async for e in models.model("llama3.2").stream(prompt, max_tokens=50) if isinstance(e, TextDelta)]
        assert text
        assert server.chats[0].body["model"] == "llama3.2:latest"
        await models.close()


async def test_ollama_is_looked_for_on_its_own_port_and_the_other_local_servers_are_not() -> None:
    looked_for = [provider for provider in load_catalogue().providers.values() if provider.discover]
    assert [provider.base_url for provider in looked_for] == ["http://127.0.0.1:11434/v1/"]


async def test_where_no_local_server_answers_nothing_is_added_and_nothing_raised(
    embedder: MiniLM, tmp_path: Path
) -> None:
    models = await open_models(embedder, ollama_at(tmp_path, "http://127.0.0.1:9/v1/"))
    assert await models.discover() == ()
    assert models.default.name == "offline"


async def test_all_usable_providers_are_pinged_and_each_says_how_it_is(embedder: MiniLM, tmp_path: Path) -> None:
    async with ModelServer(api_key=KEY) as server:
        more = (
            '[[providers]]\nname = "gone"\ntitle = "Gone"\nbase_url = "http://127.0.0.1:9/v1"\nlocal = true\n'
            '[[models]]\nname = "gone-model"\nprovider = "gone"\ncontext_window = 9\n'
        )
        own = house(tmp_path, server.url, more)
        models = await open_models(embedder, own, keys={"house": SecretStr(KEY)})
        results = {name: (works, told) for name, works, told in await models.ping_all()}
        assert results["house"] == (True, f"House answers at {server.url}.")
        assert results["offline"] == (True, "The offline model is ready.")
        works, told = results["gone"]
        assert not works
        assert told.startswith("Nothing answers at http://127.0.0.1:9/v1")
        await models.close()


async def test_a_list_that_wants_its_own_headers_gets_the_key_there_and_no_bearer_token(
    embedder: MiniLM, tmp_path: Path
) -> None:
    async with ModelServer() as server:
        own = tmp_path / "own.toml"
        own.write_text(f'[[providers]]\nname = "anthropic"\nbase_url = "{server.url}/"\n')
        models = await open_models(embedder, own, keys={"anthropic": SecretStr(KEY)})
        await models.model("claude-haiku").ping()
        sent = {name.lower(): value for name, value in server.requests[0].headers.items()}
        assert sent["x-api-key"] == KEY
        assert sent["anthropic-version"] == "2023-06-01"
        assert "authorization" not in sent
        await models.close()
