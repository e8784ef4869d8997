"""The port of what trains: on this machine, at a server that sells it, or by a command of the team's own.

Whoever leads a run calls `begin` and then `look` until it has ended. Both may be called again at any time, also by
another process after a kill: a run is begun once, whatever happens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

State = Literal["ordered", "running", "succeeded", "failed", "cancelled", "expired"]
ENDED = frozenset({"succeeded", "failed", "cancelled", "expired"})
Method = Literal["lora", "qlora", "full"]
Objective = Literal["sft", "dpo"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """How it is trained. `batch` rows at once, of which `accumulate` make a step; `rank`, `alpha` and `dropout` are
    LoRA's; a checkpoint and a look at what is held out every `save_steps`; it ends early once that got no better
    `patience` times (0: never). `template`: a file with a chat template, for a base that has none."""

    method: Method = "lora"
    objective: Objective = "sft"
    epochs: int = 3
    batch: int = 8
    accumulate: int = 1
    learning_rate: float = 2e-4
    rank: int = 8
    alpha: int = 16
    dropout: float = 0.0
    max_tokens: int = 1024
    seed: int = 1
    save_steps: int = 20
    patience: int = 3
    template: str = ""

    def plain(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be trained: the run's id, the folder of the data set, what the base is called where it is trained."""

    run: str
    data: Path
    base: str
    parameters: Parameters


@dataclass(frozen=True, slots=True)
class Step:
    """Figures by name (loss, eval_loss, …) after so many steps, and the checkpoint that was kept there."""

    figures: Mapping[str, float] = field(default_factory=dict)
    checkpoint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How far it has come. `steps` by their number, all that are known; `result`: a folder, or the name of the model;
    `tokens` that were trained on, None where nobody says; `problem`: why it failed, or what is odd, for people."""

    state: State
    steps: Mapping[int, Step] = field(default_factory=dict)
    result: str = ""
    tokens: int | None = None
    problem: str = ""


class Tuner(Protocol):
    """One way to train."""

    async def begin(self, order: Order, job: str | None) -> str:
        """Begins it, or finds what was begun for this run; gives the job's id. `job`: the id where it is known.

        Raises UnusableTraining where it cannot be begun, and ModelError where the server cannot be reached now.
        """
        ...

    async def look(self, order: Order, job: str) -> Look:
        """How it stands now. Raises ModelError where the server cannot be reached now."""
        ...

    async def cancel(self, order: Order, job: str) -> None:
        """Ends it; `look` tells when it has ended. One that has ended stays as it is."""
        ...
