"""What `switchboard tune stage` does and prints: how far models are rolled out."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from bot.audit import COMMAND_LINE
from bot.config import Settings
from bot.core import Core, open_core
from bot.errors import UnusableWords
from bot.evaluation.rolling_out import RollingOut, Standing
from bot.selection.rollouts import EVERYWHERE, TYPED, Stage


async def stage(settings: Settings, name: str, word: str, share: float, channel: str, why: str, out: Console) -> None:
    """Takes a model to a stage, or with no `word` prints how it stands; with no `name` prints how all of them do.

    `share` (0 to 1) of the questions in a `channel` (EVERYWHERE: in all that have no share of their own), for a canary.
    Raises UnknownModel, UnusableWords and what `RollingOut.advance` does.
    """
    async with open_core(settings) as core:
        if name and word:
            await _move(core, core.models.card(name).name, word, {channel: share}, why)
        elif name:
            name = core.models.card(name).name
        standings = [one for one in await RollingOut(core).standings() if not name or one.rollout.model == name]
    if not standings:
        out.print("No model is being rolled out. `switchboard tune stage NAME shadow` begins.")
    for standing in standings:
        out.print(escape(_told(standing)))


async def _move(core: Core, name: str, word: str, shares: dict[str, float], why: str) -> None:
    to = TYPED.get(word)
    if to is None:
        raise UnusableWords(f"There is no stage “{word}”. There are {', '.join(TYPED)}.")
    seen = await core.rollouts.of(name)
    if seen is None and to is Stage.SHADOW:
        await core.rollouts.begin(name, by=COMMAND_LINE, why=why)
    elif seen is None:
        raise UnusableWords(f"“{name}” is not being rolled out. Begin with `switchboard tune stage {name} shadow`.")
    else:
        of_canary = shares if to is Stage.CANARY else None
        await RollingOut(core).advance(seen, to, by=COMMAND_LINE, why=why, shares=of_canary)


def _told(standing: Standing) -> str:
    rollout = standing.rollout
    shares = [f"{share:.0%} of {'all channels' if at == EVERYWHERE else at}" for at, share in rollout.shares.items()]
    why = f" (“{rollout.why}”)" if rollout.why else ""
    lost = standing.lost.told if standing.lost is not None else ""
    parts = (
        f"{rollout.model}: {', '.join((rollout.stage.words, *shares))}, by {rollout.by}{why}.",
        standing.told,
        lost,
    )
    return " ".join(filter(None, parts))
