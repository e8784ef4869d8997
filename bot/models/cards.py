"""Model cards: what the catalogue knows of each model."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from bot.models.rates import CardRates as CardRates
from bot.models.rates import Tariff


class FineTune(BaseModel):
    """The kind of question that a model was tuned for, with some of the prompts it was tuned on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    prompts: tuple[str, ...] = Field(min_length=1)


class ModelCard(BaseModel):
    """One model. `name` is what people type; `id` is what the server is asked for (the name where not given).

    `context_window` and `max_output` in tokens. `thinking_tokens`: how many it may use up on reasoning before it
    answers, on top of the answer's own; 0 for a model that does not reason. `dimensions`: how long the vectors of an
    embedding model are. `scores`: our own evaluation, strategy name → quality (0 to 1).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    id: str = ""
    provider: str
    title: str = ""
    task: Literal["chat", "embedding", "image", "transcription"] = "chat"
    modality: tuple[str, ...] = ("text",)
    architecture: str = ""
    parameters: str = ""
    open_weights: bool = False
    licence: str = ""
    context_window: int = Field(gt=0)
    max_output: int = Field(default=4096, gt=0)
    thinking_tokens: int = Field(default=0, ge=0)
    dimensions: int = Field(default=0, ge=0)
    released: date | None = None
    shutdown: date | None = None
    summary: str = ""
    url: str = ""
    rates: Annotated[Tariff | None, BeforeValidator(Tariff.read)] = None
    free: bool = False
    fine_tune: FineTune | None = None
    scores: dict[str, float] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _has_a_length(self) -> Self:
        if self.task == "embedding" and not self.dimensions:
            raise ValueError("an embedding model needs `dimensions`, the length of its vectors")
        return self

    @property
    def model_id(self) -> str:
        """The name that the server knows."""
        return self.id or self.name
