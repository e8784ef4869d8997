"""Model cards: what the catalogue knows of each model."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bot.domain import Rates

Rate = Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=6)]
"""US dollars. With six decimals for a million tokens, a single token is still a whole number of picodollars."""


class CardRates(BaseModel):
    """US dollars, stated by the user: for a million tokens of each kind, for a minute of speech, for an image.

    A kind of token that is not stated costs what the others of its direction do. A model that is sold by the minute or
    by the image alone has no rates for tokens.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: Rate = Decimal(0)
    output: Rate = Decimal(0)
    cached_input: Rate | None = None
    cache_written: Rate | None = None
    input_audio: Rate | None = None
    output_audio: Rate | None = None
    input_image: Rate | None = None
    output_image: Rate | None = None
    minute: Rate | None = None
    image: Rate | None = None

    @model_validator(mode="after")
    def _says_a_price(self) -> Self:
        stated = self.model_fields_set
        if not {"input", "output"} <= stated and not {"minute", "image"} & stated:
            raise ValueError("state `input` and `output`, or `minute`, or `image`")
        return self

    def rates(self) -> Rates:
        """The same as a domain value."""
        return Rates(**dict(self))


class FineTune(BaseModel):
    """The kind of question that a model was tuned for, with some of the prompts it was tuned on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    prompts: tuple[str, ...] = Field(min_length=1)


class ModelCard(BaseModel):
    """One model. `name` is what people type; `id` is what the server is asked for (the name where not given).

    `context_window` and `max_output` in tokens; only a model of images or speech may leave the window unknown (0).
    `thinking_tokens`: how many it may use up on reasoning before it answers, on top of the answer's own; 0 for a model
    that does not reason. `dimensions`: how long the vectors of an embedding model are. `scores`: our own evaluation,
    strategy name → quality (0 to 1).
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
    context_window: int = Field(default=0, ge=0)
    max_output: int = Field(default=4096, gt=0)
    thinking_tokens: int = Field(default=0, ge=0)
    dimensions: int = Field(default=0, ge=0)
    released: date | None = None
    shutdown: date | None = None
    summary: str = ""
    url: str = ""
    rates: CardRates | None = None
    free: bool = False
    fine_tune: FineTune | None = None
    scores: dict[str, float] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _has_a_length(self) -> Self:
        if self.task in ("chat", "embedding") and not self.context_window:
            raise ValueError("a model that reads text needs `context_window`, in tokens and greater than 0")
        if self.task == "embedding" and not self.dimensions:
            raise ValueError("an embedding model needs `dimensions`, the length of its vectors")
        return self

    @property
    def model_id(self) -> str:
        """The name that the server knows."""
        return self.id or self.name
