"""How far a training run has come, in one line for people."""

from __future__ import annotations

from collections.abc import Mapping

from bot.costs.money import dollars
from bot.tuning.runs import Run
from bot.tuning.tuner import Step

_SHOWN = {"loss": "loss", "eval_loss": "held out", "rewards/accuracies": "preferred"}
WITHDRAWN = "Words that it was trained on were withdrawn: retire it."


def progress(run: Run, steps: Mapping[int, Step]) -> str:
    """For example "Run 3f2a on small-model, local: running, step 40, loss 1.2, held out 1.3. At most $2"."""
    state: str = run.state
    if not run.has_ended and steps:
        state = f"running, step {max(steps)}"
    figures = [f"{name} {last:.3g}" for key, name in _SHOWN.items() if (last := _last(steps, key)) is not None]
    told = ", ".join((state, *figures))
    return ". ".join(filter(None, (f"Run {run.id} on {run.base}, {run.tuner}: {told}", _cost(run), _after(run))))


def _last(steps: Mapping[int, Step], name: str) -> float | None:
    return next((steps[at].figures[name] for at in sorted(steps, reverse=True) if name in steps[at].figures), None)


def _cost(run: Run) -> str:
    if run.cost is not None:
        return f"It cost {dollars(run.cost)}"
    if run.has_ended:
        return "What it cost is unknown"
    return f"At most {dollars(run.held)}" if run.held is not None else "Its price is unknown"


def _after(run: Run) -> str:
    if run.withdrawn_at is not None and run.retired_at is None:
        return WITHDRAWN
    if run.state == "succeeded" and run.card is None:
        return f"`switchboard tune register {run.id}` makes a model card of it"
    return (run.problem or "").removesuffix(".") if run.state != "succeeded" else ""
