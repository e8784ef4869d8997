"""`/tune`: how models are rolled out, from the shadow over a canary's share to everywhere, and back."""

from __future__ import annotations

import re

from slack_sdk.web.async_client import AsyncWebClient

from bot.core import Core
from bot.errors import UnusableWords
from bot.evaluation.rolling_out import CANARY_SHARE, RollingOut
from bot.selection.rollouts import EVERYWHERE, TYPED, Rollout, Stage
from bot.tuning.progress import progress
from bot.tuning.runs import Runs
from handlers.blocks import rollout as blocks
from handlers.blocks.parts import context
from handlers.commands.typed import whole_channel, with_reason, with_scope
from handlers.markdown import escape
from handlers.origin import Origin
from handlers.permissions import Deed, Roles
from handlers.shapes import JSON

USAGE = (
    "`/tune` shows the board. An admin writes `/tune shadow NAME`, `/tune canary NAME 10% here` (or `workspace`), "
    "`/tune full NAME`, `/tune back NAME because …` or `/tune retire NAME`."
)
NOTHING = (
    "No model is being rolled out. An admin begins with `/tune shadow NAME`: it then answers a share of the questions "
    "unseen, to be compared. "
)
RUNS_SHOWN = 5
_SHARE = re.compile(r"(?P<share>-?\d+(?:[.,]\d+)?) ?%")


class TuneCommand:
    """Shows the board, and takes models from stage to stage."""

    def __init__(self, client: AsyncWebClient, core: Core, roles: Roles) -> None:
        self._client = client
        self._core = core
        self._roles = roles
        self._rolling = RollingOut(core)

    async def run(self, origin: Origin, text: str) -> None:
        """What follows `/tune`. Raises UnusableWords, NotAllowed, UnknownModel and what `RollingOut.advance` does."""
        words, reason = with_reason(text)
        if not words:
            await self._show(origin)
            return
        verb, _, rest = words.partition(" ")
        stage = TYPED.get(verb.lower())
        if stage is None:
            raise UnusableWords(f"I did not understand “{verb}”. {USAGE}")
        await self._roles.need(origin.person, Deed.ROLL_OUT)
        shares, name = self._shares(origin, rest) if stage is Stage.CANARY else (None, rest.strip())
        if not name or " " in name:
            raise UnusableWords(f"Which model? {USAGE}")
        name = self._core.models.card(name).name
        seen = await self._core.rollouts.of(name)
        if stage is Stage.SHADOW and seen is None:
            await self._told(origin, await self._core.rollouts.begin(name, by=origin.person, why=reason))
            return
        if seen is None:
            raise UnusableWords(f"“{name}” is not being rolled out. Begin with `/tune shadow {name}`.")
        moved = await self._rolling.advance(seen, stage, by=origin.person, why=reason, shares=shares)
        await self._told(origin, moved)

    async def pressed(self, payload: JSON) -> None:
        """A button of the board. Raises what `run` does; RolloutMoved where the board was old."""
        origin, wanted = Origin.of(payload), blocks.step(payload)
        if wanted is None:
            raise UnusableWords("I do not understand this button any more. `/tune` shows the board anew.")
        name, step, to = wanted
        seen = await self._core.rollouts.of(name)
        if seen is None or seen.step != step:
            raise UnusableWords(f"The board has changed since. {await self._now(name)} `/tune` shows it anew.")
        shares = {str(origin.channel): CANARY_SHARE} if to is Stage.CANARY else None
        moved = await self._rolling.advance(seen, to, by=origin.person, shares=shares)
        await origin.replace(self._client, payload, *await self._board(origin))
        await self._told(origin, moved)

    async def _show(self, origin: Origin) -> None:
        text, shown = await self._board(origin)
        await origin.line(self._client).say(text, shown or None)

    async def _board(self, origin: Origin) -> tuple[str, list[JSON]]:
        standings, runs = await self._rolling.standings(), await self._training()
        if not standings and not runs:
            return NOTHING + USAGE, []
        may_change = await self._roles.is_admin(origin.person)
        here = "" if (origin.channel or "D").startswith("D") else str(origin.channel)
        now = self._core.clock()
        text = "; ".join(f"{each.rollout.model}: {each.rollout.stage.words}" for each in standings)
        shown = blocks.board(standings, now, may_change=may_change, here=here)
        return f"Roll-outs: {text or 'none'}", [*(context(escape(line)) for line in runs), *shown]

    async def _training(self) -> list[str]:
        """A line for each run that goes on, that nothing was made of yet, or that is to be retired; the newest ones."""
        runs, found = Runs(self._core.engine), []
        for run in await runs.all():
            waits = run.state == "succeeded" and run.card is None
            if not run.has_ended or waits or (run.withdrawn_at is not None and run.retired_at is None):
                found.append(progress(run, await runs.steps(run.id)))
        return found[:RUNS_SHOWN]

    async def _told(self, origin: Origin, rollout: Rollout) -> None:
        told = f"{blocks.sentence(rollout, self._core.clock())}\n{_follows(rollout)}"
        await origin.line(self._client).say(told)

    async def _now(self, name: str) -> str:
        rollout = await self._core.rollouts.of(name)
        return f"{blocks.sentence(rollout, self._core.clock())}." if rollout is not None else ""

    def _shares(self, origin: Origin, text: str) -> tuple[dict[str, float], str]:
        """The share by channel, and the model's name."""
        words, scope = with_scope(text.strip())
        share = _SHARE.search(words)
        if share is None:
            raise UnusableWords(f"Which share of the questions? Write it with a percent sign, as `10%`. {USAGE}")
        percent = float(share["share"].replace(",", "."))
        if not 0 < percent <= 50:
            raise UnusableWords(
                f"{escape(share[0])} is no share for a canary: write more than 0% and at most 50%, so that there is "
                "enough to compare with. `/tune full NAME` gives it all but one in twenty."
            )
        name = words.replace(share[0], " ", 1).strip()
        if scope == "workspace":
            return {EVERYWHERE: percent / 100}, name
        return {whole_channel(origin, "A canary's share"): percent / 100}, name


def _follows(rollout: Rollout) -> str:
    match rollout.stage:
        case Stage.SHADOW:
            return "It answers some questions unseen; `/tune` shows how those compare."
        case Stage.CANARY:
            return "It answers that share of the questions that it is best for; where it falls, it is rolled back."
        case Stage.FULL:
            return "One question in twenty goes on without it, so that a fall is seen; then it is rolled back."
    return "It answers nobody."
