from __future__ import annotations

from datetime import date
from pathlib import Path

import genai_prices
import pytest
from genai_prices.data_snapshot import get_snapshot

from bot.errors import ConfigError, UnknownModel
from bot.models.catalogue import Catalogue, load_catalogue


@pytest.fixture(scope="module")
def shipped() -> Catalogue:
    return load_catalogue()


def test_every_shipped_model_of_a_hosted_provider_has_a_price_on_the_list(shipped: Catalogue) -> None:
    for card in shipped.cards:
        if shipped.providers[card.provider].local or card.task not in ("chat", "embedding", "transcription"):
            continue
        provider, model = card.provider, card.model_id
        if provider == "huggingface":
            model, _, served_by = model.rpartition(":")
            provider = f"huggingface_{served_by}"
        is_speech = card.task == "transcription"
        sold = (
            {"audio_seconds": 60, "input_audio_seconds": 60}
            if is_speech
            else {"input_tokens": 1000, "output_tokens": 1000}
        )
        usage = genai_prices.Usage(**sold)
        assert genai_prices.calc_price(usage, model, provider_id=provider).total_price > 0, card.name


def test_the_context_windows_are_those_of_the_price_list(shipped: Catalogue) -> None:
    listed = {
        (provider.id, model.id): model.context_window
        for provider in get_snapshot().providers
        for model in provider.models
        if model.context_window
    }
    compared = [card for card in shipped.cards if (card.provider, card.model_id) in listed]
    assert len(compared) >= 12
    for card in compared:
        assert card.context_window == listed[card.provider, card.model_id], card.name


def test_names_and_ids_are_unique_and_every_hosted_provider_says_where_keys_are_made(shipped: Catalogue) -> None:
    names = [card.name.casefold() for card in shipped.cards]
    ids = [(card.provider, card.model_id.casefold()) for card in shipped.cards]
    assert len(names) == len(set(names))
    assert len(ids) == len(set(ids))
    for provider in shipped.providers.values():
        assert provider.local or (provider.api_key_env and provider.keys_at.startswith("https://"))


def test_a_retiring_model_says_when(shipped: Catalogue) -> None:
    assert shipped.get("gpt-4.1-mini").shutdown == date(2027, 1, 14)


@pytest.mark.parametrize("name", ["gpt-6-luna", "GPT-6-Luna", " gpt-6-luna ", "claude-haiku-5-5", "CLAUDE-HAIKU"])
def test_a_card_is_found_by_name_or_id_in_any_case(name: str, shipped: Catalogue) -> None:
    assert shipped.get(name).name in {"gpt-6-luna", "claude-haiku"}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("gpt6-luna", "gpt-6-luna"),
        ("luna", "gpt-6-luna"),
        ("claud-opus", "claude-opus"),
        ("llama", "hf-llama-3.3-70b"),
    ],
)
def test_an_unknown_name_gets_the_three_nearest(typed: str, meant: str, shipped: Catalogue) -> None:
    with pytest.raises(UnknownModel) as caught:
        shipped.get(typed)
    assert caught.value.nearest[0] == meant
    assert len(caught.value.nearest) == 3
    assert f"“{typed}”" in str(caught.value)


def test_the_users_models_come_first_and_change_only_what_they_state(tmp_path: Path) -> None:
    own = tmp_path / "cards.toml"
    own.write_text(
        '[[providers]]\nname = "azure"\nbase_url = "https://acme.openai.azure.com/openai/v1/"\n'
        '[[models]]\nname = "acme-gpt"\nid = "deployment-7"\nprovider = "azure"\ncontext_window = 128000\n'
        '[[models]]\nname = "mistral-small"\nmax_output = 99\n'
    )
    catalogue = load_catalogue(own)
    assert [card.name for card in catalogue.cards[:2]] == ["acme-gpt", "mistral-small"]
    assert catalogue.get("deployment-7").provider == "azure"
    assert catalogue.get("mistral-small").max_output == 99
    assert catalogue.get("mistral-small").context_window == 262144
    azure = catalogue.providers["azure"]
    assert (azure.base_url, azure.api_key_env) == ("https://acme.openai.azure.com/openai/v1/", "AZURE_OPENAI_API_KEY")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[models]]\nname = 'x'\nprovider = 'openai'\ncontext_windw = 5", "did you mean “context_window”?"),
        ("[[models]]\nname = 'x'\nprovider = 'openai'\ncontext_window = 0", "greater than 0"),
        ("[[models]]\nname = 'x'\nprovider = 'nowhere'\ncontext_window = 5", "“nowhere”, which is not there"),
        ("[[models]]\nprovider = 'openai'", "has no name"),
        ("[models]\nname = 'x'", "two brackets"),
        ("[[model]]\nname = 'x'", "“model”"),
        ("[[models]\n", "not valid TOML"),
    ],
)
def test_a_broken_models_file_is_refused_with_its_place_and_a_way_out(text: str, said: str, tmp_path: Path) -> None:
    own = tmp_path / "cards.toml"
    own.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_catalogue(own)
    assert said in str(caught.value)
    if "nowhere" not in text:
        assert str(own) in str(caught.value)


def test_a_models_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.toml cannot be read"):
        load_catalogue(tmp_path / "gone.toml")


def test_a_name_of_any_length_is_refused_in_a_short_sentence(shipped: Catalogue) -> None:
    with pytest.raises(UnknownModel) as caught:
        shipped.get("gpt-5-minis" + "a" * 50_000)
    assert len(str(caught.value)) < 400
    assert len(caught.value.nearest) == 3
