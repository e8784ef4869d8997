"""Names that stand for two models: refused at the start, since a person, a receipt or a price would mean the wrong one.

The same id at different servers is lawful: it is the same model there. A deployment's id is not, since the team gave
it: that it is called like a model says nothing of what it runs.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence

from bot.errors import ConfigError
from bot.models.cards import ModelCard


def refuse_clashes(cards: Sequence[ModelCard], deployments: Collection[str]) -> None:
    """Raises ConfigError that names both cards and the way out. `deployments`: the providers whose ids a team gives.

    A successor that has no card is refused too.
    """
    names = {card.name.casefold(): card for card in cards}
    at: dict[tuple[str, str], ModelCard] = {}
    for card in cards:
        place = (card.provider, card.model_id.casefold())
        if other := at.get(place):
            raise ConfigError(
                f"The cards “{other.name}” and “{card.name}” both ask {card.provider} for “{card.model_id}”. Keep one: "
                f"under the name “{card.name}” your own file changes the fields that it states."
            )
        at[place] = card
        if card.provider in deployments:
            _refuse_deployment(card, names.get(card.model_id.casefold()))
        if card.successor and card.successor.casefold() not in names:
            near = difflib.get_close_matches(card.successor.casefold(), names, n=1)
            hint = f" Did you mean “{names[near[0]].name}”?" if near else ""
            raise ConfigError(f"The successor of “{card.name}”, “{card.successor}”, has no card.{hint}")
    for card in cards:
        _refuse_name(names.get(card.model_id.casefold()), card)


def _refuse_deployment(card: ModelCard, other: ModelCard | None) -> None:
    if other is None or other is card or card.like:
        return
    raise ConfigError(
        f"The deployment “{card.model_id}” of your card “{card.name}” on {card.provider} is called like the model "
        f'“{other.name}” of {other.provider}. If it runs that model, add `like = "{other.name}"` to the card; if it '
        "runs another, name that one there, or rename the deployment."
    )


def _refuse_name(other: ModelCard | None, card: ModelCard) -> None:
    """`other` is called what `card` is asked for, and asks for something else."""
    if other is None or other is card or other.model_id.casefold() == card.model_id.casefold():
        return
    if card.name in (other.like, card.like) or other.name == card.like:
        return
    raise ConfigError(
        f"The card “{other.name}” ({other.provider}) asks for “{other.model_id}”, but “{other.name}” is what the card "
        f"“{card.name}” ({card.provider}) is asked for by its server. Rename “{other.name}”, or add "
        f'`like = "{card.name}"` to it if it runs that model.'
    )
