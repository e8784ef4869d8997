"""What a card can say, and what is refused in one."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.models.cards import ModelCard
from bot.models.catalogue import OWN, Catalogue, load_catalogue


@pytest.fixture(scope="module")
def shipped() -> Catalogue:
    return load_catalogue()


def own(tmp_path: Path, text: str) -> Catalogue:
    file = tmp_path / "own.toml"
    file.write_text(text)
    return load_catalogue(file)


def refused(tmp_path: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        own(tmp_path, text)
    return str(caught.value)


def test_what_nobody_stated_is_unknown() -> None:
    card = ModelCard(name="m", provider="p", context_window=1000)
    assert (card.modality, card.output_modality, card.languages, card.licence) == ((), (), (), "")
    assert (card.architecture, card.fine_tunable, card.shutdown, card.focus) == (None, None, None, None)
    assert set(card.openness.answers.values()) == {None}
    assert (card.openness.disclosed, card.openness.unknown) == (0, 5)
    assert not card.sees


def test_the_shipped_cards_cover_the_families_tasks_and_kinds_that_teams_use(shipped: Catalogue) -> None:
    titles = " ".join(card.title for card in shipped.cards)
    for family in (
        *("GPT", "Claude", "Gemini", "Mistral", "Llama", "Falcon", "OLMo", "Qwen", "Gemma", "BLOOM", "DeepSeek"),
        *("Phi", "Granite", "gpt-oss", "Codestral", "StarCoder", "embedding", "Whisper"),
    ):
        assert family in titles, family
    cards = shipped.cards
    assert {card.task for card in cards} >= {"chat", "text", "code", "embedding", "image", "transcription"}
    kinds = {card.architecture for card in cards}
    assert kinds >= {"decoder-only", "encoder-decoder", "encoder-only", "mixture of experts"}
    assert {shipped.deployment(card) for card in cards} >= {"hosted service", "serverless endpoint", "own server"}
    assert {card.openness.disclosed for card in cards} >= {0, 1, 5}


def test_what_is_claimed_of_a_shipped_model_says_where_it_stands(shipped: Catalogue) -> None:
    for card in shipped.cards:
        if card.licence or card.languages or card.published:
            assert card.url.startswith("https://") or card.licence in ("proprietary", "Apache-2.0"), card.name
        if card.provider == OWN:
            assert card.url == f"https://huggingface.co/{card.model_id}"
            assert card.openness.weights
            assert not card.free
    for card in shipped.cards:
        assert card.shutdown is None or card.successor, card.name


def test_a_card_that_is_like_another_takes_its_facts_and_keeps_what_is_its_own(
    shipped: Catalogue, tmp_path: Path
) -> None:
    there, here = shipped.get("llama-3.3-70b"), shipped.get("groq-llama-3.3-70b")
    assert (here.licence, here.languages, here.openness) == (there.licence, there.languages, there.openness)
    assert (here.max_output, there.max_output) == (32768, 4096)
    house = own(
        tmp_path,
        '[[providers]]\nname = "house"\ntitle = "our vLLM"\nbase_url = "http://10.0.0.5:8000/v1"\nlocal = true\n'
        '[[models]]\nname = "house-llama"\nlike = "Llama-3.3-70B"\nprovider = "house"\ncontext_window = 16384\n'
        "openness = { evaluation_code = true }\n",
    ).get("house-llama")
    assert (house.title, house.like) == ("Llama 3.3 70B on our vLLM", "llama-3.3-70b")
    assert (house.context_window, house.parameters) == (16384, "70B")
    assert (house.openness.weights, house.openness.evaluation_code) == (True, True)
    assert (house.model_id, house.rates, house.shutdown) == ("house-llama", None, None)


def test_an_open_model_runs_where_the_users_file_puts_it(tmp_path: Path) -> None:
    catalogue = own(tmp_path, '[[models]]\nname = "phi-4"\nprovider = "vllm"\n')
    card = catalogue.get("phi-4")
    assert (card.provider, card.model_id, card.licence) == ("vllm", "microsoft/phi-4", "MIT")
    assert catalogue.deployment(card) == "own server"


def test_what_a_server_lists_is_recognised_and_keeps_the_window_that_its_server_gives(shipped: Catalogue) -> None:
    listed = [
        ModelCard(name="llama3.3:70b-instruct-q4_K_M", provider="ollama", context_window=4096, free=True),
        ModelCard(name="microsoft/phi-4", provider="vllm", context_window=8192, free=True),
        ModelCard(name="gpt-6-luna", provider="vllm", context_window=4096, free=True),
        ModelCard(name="bge-m3", id="bge-m3:latest", provider="ollama", context_window=4096, free=True),
    ]
    found = shipped.with_found(listed)
    llama, phi = found.get("llama3.3:70b-instruct-q4_K_M"), found.cards[-2]
    assert (llama.like, llama.context_window) == ("llama-3.3-70b", 4096)
    assert llama.licence == "Llama 3.3 Community License"
    assert (phi.name, phi.like, phi.licence) == ("vllm/microsoft/phi-4", "phi-4", "MIT")
    assert found.get("gpt-6-luna").provider == "openai"  # a found name never takes a known one
    assert found.get("vllm/gpt-6-luna").like == ""
    assert found.get("bge-m3").task == "embedding"


MODEL = "[[models]]\nname = 'x'\nprovider = 'openai'\ncontext_window = 5\n"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("task = 'embeding'", "“task” of “x” cannot be “embeding”. Did you mean “embedding”? There are: chat, text"),
        ("architecture = 'moe'", "There are: decoder-only, encoder-decoder, encoder-only, mixture of experts."),
        ("modality = ['text', 'images']", "“modality.1” of “x” cannot be “images”. Did you mean “image”?"),
        ("openness = { wieghts = true }", "“openness.wieghts” of “x” is not a known field; did you mean “weights”?"),
        ("openness = { zzz = true }", "There are: training_data, weights, evaluation_code, fine_tuning_code"),
        ("open_weights = true", "“open_weights” of “x” is written openness = { weights = true } now."),
        ("languages = ['english']", "“english” is no code of ISO 639-1"),
        ("rates = { input = 1, ouput = 2 }", "did you mean “output”?"),
        ("published = [{ benchmark = 'B', value = 1, urll = 'https://x', date = 2026-01-01 }]", "did you mean “url”?"),
        ("fine_tune = { kind = 'k', prompst = ['p'] }", "did you mean “prompts”?"),
        ("successor = 'gpt-6-lunar'", "The successor of “x”, “gpt-6-lunar”, has no card. Did you mean “gpt-6-luna”?"),
        (
            "like = 'lama-3.3-70b'",
            "“x” is like “lama-3.3-70b”, but no model has that name. Did you mean “llama-3.3-70b”?",
        ),
        ("like = 'x'", "“x” is like “x”: one must stand alone."),
        ("[[models]]\nname = 'X'\nprovider = 'openai'", "two entries under [[models]] are called “X”"),
    ],
)
def test_a_mistake_in_a_card_is_named_with_what_may_have_been_meant(line: str, said: str, tmp_path: Path) -> None:
    assert said in refused(tmp_path, MODEL + line)


def test_a_chat_model_without_a_window_is_refused_and_a_model_of_images_is_not(tmp_path: Path) -> None:
    card = "[[models]]\nname = 'x'\nprovider = 'openai'\n"
    assert "“x” is wrong: a model that reads text needs `context_window`" in refused(tmp_path, card)
    assert own(tmp_path, card + "task = 'image'\n").get("x").context_window == 0


def test_the_provider_of_models_without_a_server_takes_no_address(tmp_path: Path) -> None:
    said = refused(tmp_path, '[[providers]]\nname = "own"\nbase_url = "http://10.0.0.5/v1"\n')
    assert "the provider “own” stands for no server yet: give yours a name of its own" in said


AZURE = '[[providers]]\nname = "azure"\nbase_url = "https://acme.openai.azure.com/openai/v1/"\n'


def azure(name: str, id: str, more: str = "") -> str:
    return f'{AZURE}[[models]]\nname = "{name}"\nid = "{id}"\nprovider = "azure"\ncontext_window = 9000\n{more}'


def test_a_deployment_that_is_called_like_a_model_has_to_say_what_it_runs(tmp_path: Path) -> None:
    said = refused(tmp_path, azure("our-gpt", "GPT-6-Luna"))
    assert "The deployment “GPT-6-Luna” of your card “our-gpt” on azure is called like the model “gpt-6-luna”" in said
    assert 'add `like = "gpt-6-luna"`' in said
    assert "rename the deployment" in said
    stated = own(tmp_path, azure("our-gpt", "gpt-6-luna", 'like = "gpt-6.1-terra"\n'))
    assert stated.get("our-gpt").modality == ("text", "image")
    assert stated.get("gpt-6-luna").provider == "openai"  # the name keeps its model


def test_a_name_that_is_another_models_id_is_refused(tmp_path: Path) -> None:
    said = refused(tmp_path, azure("claude-haiku-5-5", "my-deployment"))
    assert "The card “claude-haiku-5-5” (azure) asks for “my-deployment”" in said
    assert "“claude-haiku” (anthropic)" in said
    assert "Rename “claude-haiku-5-5”" in said
    lawful = own(tmp_path, azure("claude-haiku-5-5", "my-deployment", 'like = "claude-haiku"\n'))
    assert lawful.get("claude-haiku-5-5").provider == "azure"


def test_two_cards_for_one_model_of_one_server_are_refused(tmp_path: Path) -> None:
    text = '[[models]]\nname = "ours"\nid = "Claude-Haiku-5-5"\nprovider = "anthropic"\ncontext_window = 9\n'
    said = refused(tmp_path, text)
    assert "“ours” and “claude-haiku” both ask anthropic for “claude-haiku-5-5”. Keep one" in said


def test_the_same_id_at_different_servers_is_the_same_model_and_lawful(tmp_path: Path) -> None:
    catalogue = own(
        tmp_path,
        '[[providers]]\nname = "proxy"\nbase_url = "http://10.0.0.5:4000/v1"\n'
        '[[models]]\nname = "luna-by-proxy"\nid = "gpt-6-luna"\nprovider = "proxy"\ncontext_window = 9000\n'
        '[[models]]\nname = "openai/gpt-oss-20b"\nprovider = "vllm"\ncontext_window = 9000\n',
    )
    assert catalogue.get("luna-by-proxy").provider == "proxy"
    assert catalogue.get("gpt-6-luna").provider == "openai"
    assert catalogue.get("openai/gpt-oss-20b").provider == "vllm"
    assert catalogue.get("microsoft/phi-4").name == "phi-4"


def test_an_id_means_a_model_that_somebody_runs_before_one_that_nobody_does(shipped: Catalogue) -> None:
    assert shipped.get("openai/gpt-oss-20b").name == "groq-gpt-oss-20b"
