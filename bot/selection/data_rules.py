"""Which models may be asked from where: some channels' questions may not leave this machine."""

from __future__ import annotations

from bot.errors import NotAllowed
from bot.models.cards import ModelCard
from bot.models.registry import Models
from bot.selection.channels import Channels

STAYS = "This channel's questions may not leave this machine."


class DataRules:
    """Asked before any model is, whichever door a question came through."""

    def __init__(self, channels: Channels, models: Models) -> None:
        self._channels = channels
        self._models = models

    async def barred(self, channel: str) -> frozenset[str]:
        """The names of the usable models that may not be asked what is said in a channel."""
        if not (await self._channels.of(channel)).stay_local:
            return frozenset()
        return frozenset(card.name for card in self._models.usable() if not self._models.stays_here(card))

    async def stays(self, channel: str) -> bool:
        """Whether what is said in a channel may not leave this machine."""
        return (await self._channels.of(channel)).stay_local

    async def check(self, channel: str, card: ModelCard) -> None:
        """Raises NotAllowed where this model may not be asked what is said in a channel."""
        if self._models.stays_here(card) or not (await self._channels.of(channel)).stay_local:
            return
        here = ", ".join(f"“{one.name}”" for one in self._models.usable() if self._models.stays_here(one))
        raise NotAllowed(
            f"{STAYS} “{card.name}” runs elsewhere, so it cannot be asked. These run here: {here}. Where it is "
            "pinned, `/model auto` takes the pin back."
        )

    async def check_search(self, channel: str, embedder: str) -> None:
        """Raises NotAllowed where the model that knowledge is searched with may not read what is said in a channel.

        `embedder`: the name of the `Embedder`, as the model behind an endpoint gives itself one.
        """
        cards = self._models.catalogue.cards
        known = (card for card in cards if f"{card.provider}/{card.model_id}/{card.dimensions}" == embedder)
        card = next(known, None)
        if card is None or self._models.stays_here(card) or not (await self._channels.of(channel)).stay_local:
            return
        raise NotAllowed(
            f"{STAYS} Knowledge is searched with “{card.name}”, which runs elsewhere, so nothing can be answered "
            'here. An admin can set `knowledge.embedding = "local"`.'
        )
