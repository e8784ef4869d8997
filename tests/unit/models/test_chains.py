from __future__ import annotations

import pytest

from bot.config import Chains
from bot.errors import ConfigError
from bot.models.cards import ModelCard
from bot.models.catalogue import Catalogue, Provider
from bot.models.chains import check_chains

CATALOGUE = Catalogue(
    [
        ModelCard(name="writer-large", id="maker/writer-large", provider="house", context_window=8192),
        ModelCard(name="writer-small", provider="house", context_window=8192),
        ModelCard(name="eye", provider="house", context_window=8192, modality=("text", "image")),
        ModelCard(name="vectors", provider="house", context_window=8192, task="embedding", dimensions=3),
    ],
    [Provider(name="house")],
)


def test_chains_name_models_by_name_or_id() -> None:
    check_chains(CATALOGUE, Chains(answer=("Writer-Small", "maker/writer-large"), vision=("eye",), judge=("eye",)))


@pytest.mark.parametrize(
    ("chains", "sentence"),
    [
        ({"answer": ("eye", "writer-larg")}, "models.chains.answer: There is no model called “writer-larg”. Did you"),
        ({"judge": ("writer-larg",)}, "Did you mean writer-large, writer-small, eye?"),
        ({"rewrite": ("llama",)}, "A model that is only found on a local server needs a card in models.cards to stand"),
        ({"answer": ("vectors",)}, "models.chains.answer: “vectors” is no model that answers, but one for embedding."),
        ({"vision": ("writer-large",)}, "vision: “writer-large” cannot see images. These can: eye."),
    ],
)
def test_a_name_that_cannot_stand_in_a_chain_is_refused_with_the_nearest(
    chains: dict[str, tuple[str, ...]], sentence: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        check_chains(CATALOGUE, Chains(**chains))
    assert sentence in str(refused.value)
