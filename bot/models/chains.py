"""Chains of models that step in, as they are configured."""

from __future__ import annotations

from bot.config import Chains
from bot.errors import ConfigError, UnknownModel
from bot.models.catalogue import Catalogue

_VISION = "vision"
_FOUND = "A model that is only found on a local server needs a card in models.cards to stand here."


def check_chains(catalogue: Catalogue, chains: Chains) -> None:
    """Raises ConfigError where a name is no chat model's, or in the chain for images one that cannot see them.

    `catalogue`: without what local servers are found to have, since a start must not depend on whether they run.
    """
    for role, names in chains:
        for name in names:
            key = f"models.chains.{role}"
            try:
                card = catalogue.get(name)
            except UnknownModel as error:
                raise ConfigError(f"{key}: {error} {_FOUND}") from error
            if card.task != "chat":
                raise ConfigError(f"{key}: “{card.name}” is no model that answers, but one for {card.task}.")
            if role == _VISION and "image" not in card.modality:
                fit = ", ".join(one.name for one in catalogue.cards if "image" in one.modality and one.task == "chat")
                raise ConfigError(f"{key}: “{card.name}” cannot see images. These can: {fit}.")
