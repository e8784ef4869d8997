"""Which models may be asked from where: some channels' questions stay on this machine, and admins keep allow-lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.errors import NotAllowed
from bot.models.cards import ModelCard
from bot.models.registry import Models
from bot.selection.allow_lists import AllowList, AllowLists
from bot.selection.channels import Channels

STAYS = "This channel's questions may not leave this machine."
NOT_LISTED: Mapping[str, str] = {
    "workspace": "The workspace's allow-list leaves some models out.",
    "channel": "This channel's allow-list leaves some models out.",
}
NO_CHANNEL = ""
"""Stands for what is asked in no channel, such as golden questions: only the workspace's list holds there."""


@dataclass(frozen=True, slots=True)
class _Rules:
    """What holds in one channel."""

    models: Models
    stays: bool
    lists: tuple[AllowList, ...]

    def against(self, card: ModelCard) -> str:
        """The rule that keeps the model out, as a sentence; "" where none does."""
        if self.stays and not self.models.stays_here(card):
            return STAYS
        return next((NOT_LISTED[one.scope] for one in self.lists if not one.allows(card)), "")


class DataRules:
    """Asked before any model is, whichever door a question came through."""

    def __init__(self, channels: Channels, models: Models, allow_lists: AllowLists) -> None:
        self._channels = channels
        self._models = models
        self._allow_lists = allow_lists

    async def barred(self, channel: str) -> dict[str, str]:
        """The usable models that may not be asked what is said in a channel: by name, the rule that keeps each out."""
        rules = await self._of(channel)
        return {card.name: why for card in self._models.usable() if (why := rules.against(card))}

    async def against(self, channel: str, card: ModelCard) -> str:
        """The rule that keeps one model out of a channel, as a sentence; "" where none does."""
        return (await self._of(channel)).against(card)

    async def stays(self, channel: str) -> bool:
        """Whether what is said in a channel may not leave this machine."""
        return (await self._channels.of(channel)).stay_local

    async def check(self, channel: str, card: ModelCard) -> None:
        """Raises NotAllowed where this model may not be asked what is said in a channel."""
        rules = await self._of(channel)
        why = rules.against(card)
        if not why:
            return
        left = ", ".join(f"“{one.name}”" for one in self._models.usable() if not rules.against(one))
        if why == STAYS:
            said = f"“{card.name}” runs elsewhere, so it cannot be asked. These run here: {left}."
        else:
            said = f"“{card.name}” is one of them, so it cannot be asked. These may be used: {left}."
        raise NotAllowed(f"{why} {said} `/model why` tells who set what.")

    async def check_search(self, channel: str, embedder: str) -> None:
        """Raises NotAllowed where the model that knowledge is searched with may not read what is said in a channel.

        `embedder`: the name of the `Embedder`, as the model behind an endpoint gives itself one. Allow-lists are about
        models that answer: this one is chosen by the configuration alone.
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

    async def _of(self, channel: str) -> _Rules:
        stays = bool(channel) and (await self._channels.of(channel)).stay_local
        return _Rules(self._models, stays, await self._allow_lists.of(channel))
