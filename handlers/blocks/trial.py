"""How a trial of a model stands: both sides beside each other."""

from __future__ import annotations

from datetime import datetime

from bot.evaluation import trial_report as report
from bot.evaluation.sides import Compared, Side
from bot.evaluation.trials import TrialResult
from handlers.blocks import words
from handlers.blocks.parts import context, section
from handlers.markdown import escape
from handlers.shapes import JSON


def said(result: TrialResult, now: datetime) -> str:
    """What the trial is and since when, in one sentence."""
    trial = result.trial
    share = f"{100 * trial.share:g}% of this channel's questions"
    if trial.runs(now):
        why = f": “{escape(trial.why)}”" if trial.why else ""
        until = f" It ends {words.until(trial.ends_at, now)}." if trial.ends_at is not None else ""
        begun = f"Begun by <@{trial.by}> {words.since(trial.at, now)}"
        return f"*{escape(trial.model)}* answers {share}. {begun}{why}.{until}"
    ended = trial.stopped_at or trial.ends_at or now
    by = f"<@{trial.stopped_by}> stopped it {words.since(ended, now)}" if trial.stopped_by else "its time was up"
    return f"No trial runs now. The last one: *{escape(trial.model)}* answered {share}; {by}."


def trial_blocks(result: TrialResult, now: datetime, paused: str = "") -> list[JSON]:
    """The trial with its figures. `paused`: why its model cannot be asked now."""
    blocks = [section(f":game_die: {said(result, now)}")]
    if paused:
        blocks.append(section(f":warning: It pauses: {escape(paused)}"))
    shares = (
        f"{result.trial.model} ({100 * result.trial.share:g}%)",
        f"As before ({100 - 100 * result.trial.share:g}%)",
    )
    blocks.append(sides_table(result, shares))
    blocks.append(section(escape(report.verdict(result))))
    hint = "Ranges hold the true value in 95% of such trials. A question counts on the side that it was drawn for."
    stop = " `/model trial stop` ends it." if result.trial.runs(now) else ""
    blocks.append(context(hint + stop))
    return blocks


def sides_table(compared: Compared, titles: tuple[str, str]) -> JSON:
    """Both sides beside each other, each under its title."""
    sides = (compared.tried, compared.rest)
    rows = [
        ("", *titles),
        ("Answers", *(_answers(side) for side in sides)),
        ("Cost of an answer", *(report.cost(side) for side in sides)),
        ("Median time", *(report.seconds(side) for side in sides)),
        ("Thumbs", *(report.thumbs(side) for side in sides)),
    ]
    cells = [[{"type": "raw_text", "text": text or " "} for text in row] for row in rows]
    return {"type": "table", "rows": cells}


def _answers(side: Side) -> str:
    return f"{side.answers:,}" if side.answers == side.asked else f"{side.answers:,} of {side.asked:,} questions"
