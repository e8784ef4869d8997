"""What a question is made of beside words, and which models take that."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from bot.models.cards import ModelCard
from bot.models.registry import Models

IMAGE = "image"
_VERBS = {IMAGE: "see images", "audio": "listen to audio", "video": "watch video", "file": "read files"}
_SHOWN = 4


def lacking(card: ModelCard, needs: Collection[str]) -> str:
    """What of it the model cannot do, as "see images"; "" where it can do all. `needs` as `ModelCard.modality`."""
    missing = sorted(set(needs) - {"text", *card.modality})
    return " or ".join(_VERBS.get(one, f"take {one}") for one in missing)


def refusal(models: Models, needs: Collection[str], barred: Collection[str] = (), asked: str = "") -> str:
    """That no model that may answer can do it, and which could. `asked`: the model that a person wanted."""
    fit = [card for card in models.catalogue.cards if card.task == "chat" and not lacking(card, needs)]
    usable = {card.name for card in models.usable()} - set(barred)
    here = [card.name for card in fit if card.name in usable]
    what = " and ".join(_VERBS.get(one, f"take {one}") for one in sorted(needs))
    if here:
        who = f"“{asked}” cannot {what}." if asked else f"None of the models that were chosen can {what}."
        return f"{who} {_named(here)} could: ask again with `/model use NAME`, or describe it in words."
    who = f"“{asked}” cannot {what}, and no" if asked else "No"
    return (
        f"{who} model that may be asked here can {what}. {_missing(models, fit, barred)}Describe it in words instead."
    )


def _missing(models: Models, fit: Sequence[ModelCard], barred: Collection[str]) -> str:
    """Which could, and what an admin does for it."""
    others = [card for card in fit if card.name not in barred]
    if not others:
        return ""
    keys = dict.fromkeys(models.catalogue.providers[card.provider].api_key_env for card in others)
    named = " or ".join(key for key in keys if key)
    how = f", once an admin sets {named}" if named else ", once an admin connects one of them"
    return f"{_named(card.name for card in others)} could{how}. "


def _named(names: Iterable[str]) -> str:
    names = list(names)
    shown = [f"“{name}”" for name in names[:_SHOWN]]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"
