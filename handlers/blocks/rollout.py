"""The board of roll-outs: how far each model has come, with its figures and the next steps."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from bot.evaluation.rolling_out import RULE, Standing
from bot.selection.rollouts import EVERYWHERE, Rollout, Stage
from handlers.blocks import words
from handlers.blocks.parts import button, context, section
from handlers.blocks.trial import sides_table
from handlers.markdown import escape
from handlers.shapes import JSON, parsed, pressed

ACTION = "rollout"
"""How the action ids of the buttons begin; no two in one block may be the same."""
SHOWN = 10
"""So many roll-outs are shown, the newest changes first."""
_ICONS = {
    Stage.SHADOW: ":black_circle:",
    Stage.CANARY: ":large_yellow_circle:",
    Stage.FULL: ":large_green_circle:",
    Stage.ROLLED_BACK: ":red_circle:",
    Stage.RETIRED: ":white_circle:",
}
_STEPS: dict[Stage, tuple[tuple[Stage, str], ...]] = {
    Stage.SHADOW: ((Stage.CANARY, "10% here"), (Stage.RETIRED, "Retire")),
    Stage.CANARY: ((Stage.FULL, "Everywhere"), (Stage.ROLLED_BACK, "Roll back")),
    Stage.FULL: ((Stage.ROLLED_BACK, "Roll back"), (Stage.RETIRED, "Retire")),
    Stage.ROLLED_BACK: ((Stage.SHADOW, "Try in the shadow"), (Stage.RETIRED, "Retire")),
    Stage.RETIRED: ((Stage.SHADOW, "Try in the shadow"),),
}


def board(standings: Sequence[Standing], now: datetime, *, may_change: bool, here: str = "") -> list[JSON]:
    """Every roll-out; with `may_change` the buttons of its next steps. `here`: the channel that it is shown in."""
    newest = sorted(standings, key=lambda standing: standing.rollout.at, reverse=True)
    blocks: list[JSON] = []
    for standing in newest[:SHOWN]:
        blocks += _one(standing, now, may_change=may_change, here=here)
    if len(newest) > SHOWN:
        blocks.append(context(f"And {len(newest) - SHOWN} more that were changed longer ago."))
    return blocks


def sentence(rollout: Rollout, now: datetime) -> str:
    """How far a model has come, and who took it there."""
    by = "A rule" if rollout.by == RULE else f"<@{rollout.by}>"
    why = f": “{escape(rollout.why)}”" if rollout.why else ""
    return f"*{escape(rollout.model)}* · {_stage(rollout)} · {by}, {words.since(rollout.at, now)}{why}"


def step(payload: JSON) -> tuple[str, int, Stage] | None:
    """The model, the roll-out's step as it was shown, and the stage to go to; None for a button of another version."""
    value = parsed(pressed(payload))
    try:
        return str(value["model"]), int(value["step"]), Stage(value["to"])
    except (KeyError, TypeError, ValueError):
        return None


def _one(standing: Standing, now: datetime, *, may_change: bool, here: str) -> list[JSON]:
    rollout = standing.rollout
    told = f"\n{escape(standing.told)}" if standing.told and not standing.fall else ""
    blocks = [section(f"{_ICONS[rollout.stage]} {sentence(rollout, now)}{told}")]
    if standing.missing:
        blocks.append(section(f":warning: It cannot be asked: {escape(standing.missing)}"))
    if standing.fall:
        blocks.append(section(f":warning: {escape(standing.fall)} Within the hour it is rolled back."))
    if standing.lost is not None:
        blocks.append(context(escape(standing.lost.told)))
    if rollout.stage.answers:
        blocks.append(sides_table(standing.compared, (rollout.model, "The others")))
    if may_change:
        blocks.append({"type": "actions", "elements": _buttons(rollout, here)})
    return blocks


def _buttons(rollout: Rollout, here: str) -> list[JSON]:
    steps = [(to, text) for to, text in _STEPS[rollout.stage] if here or to is not Stage.CANARY]
    values = [{"model": rollout.model, "step": rollout.step, "to": to.value} for to, _ in steps]
    return [
        button(text, f"{ACTION}_{to.value}", json.dumps(value)) for (to, text), value in zip(steps, values, strict=True)
    ]


def _stage(rollout: Rollout) -> str:
    if rollout.stage is not Stage.CANARY:
        return rollout.stage.words
    shares = [
        f"{100 * share:g}% {'of all other channels' if channel == EVERYWHERE else f'in <#{channel}>'}"
        for channel, share in sorted(rollout.shares.items(), reverse=True)
    ]
    if list(rollout.shares) == [EVERYWHERE]:
        shares = [f"{100 * rollout.shares[EVERYWHERE]:g}% in all channels"]
    return f"canary: {', '.join(shares)}"
