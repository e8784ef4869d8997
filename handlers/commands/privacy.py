"""`/switchboard privacy`: whether a person's words may train a model, which is theirs to say."""

from __future__ import annotations

from bot.core import Core
from bot.errors import UnusableWords
from bot.tuning.consents import Consented, Consents
from bot.tuning.datasets import Datasets

ON, OFF = "`/switchboard privacy training on`", "`/switchboard privacy training off`"


async def said_of_training(core: Core, person: str, words: list[str]) -> str:
    """What holds for a person, after what they typed was kept. Raises UnusableWords."""
    consents = Consents(core.engine, core.settings.tuning.consent, core.clock)
    if not words:
        return _standing(await consents.now(), person)
    if words not in (["training", "on"], ["training", "off"]):
        raise UnusableWords(f"I do not know that. {OFF} keeps your words out of training, {ON} lets them in.")
    gone = await consents.set(person, words[1] == "on", by=person)
    await Datasets(core.engine, core.settings.data_dir).sweep(core.clock())
    told = _standing(await consents.now(), person)
    if gone:
        rows = "1 row of training data was" if gone == 1 else f"{gone} rows of training data were"
        told += f" {rows} yours and I deleted them."
    return told


def _standing(now: Consented, person: str) -> str:
    said = now.said.get(person)
    if said is False:
        return f"Nothing you write trains a model, as you said. {ON} lets it in again."
    if now.rule == "off":
        return f"Nothing anybody writes trains a model here: the team has that switched off. {OFF} keeps it so for you."
    where = "in public channels " if now.rule == "public" else ""
    if said or now.rule == "public":
        return f"What you write {where}may train a model of this team's. {OFF} takes it out, at once and for good."
    return f"Nothing you write trains a model, unless you allow it: {ON}."
