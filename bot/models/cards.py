"""Model cards: what the catalogue knows of each model. What it does not know is empty or None, and never guessed."""

from __future__ import annotations

import difflib
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from bot.models.languages import LANGUAGES
from bot.models.rates import CardRates as CardRates
from bot.models.rates import Rate, Tariff

Task = Literal["chat", "text", "code", "embedding", "image", "transcription", "speech"]
Modality = Literal["text", "image", "audio", "video", "pdf"]
Architecture = Literal["decoder-only", "encoder-decoder", "encoder-only", "mixture of experts"]


_WORDED = {"fine_tuning_code": "fine-tuning code"}


class FineTune(BaseModel):
    """The kind of question that a model was tuned for, with some of the prompts it was tuned on, and where it is from:
    the base model, the hash of the data, the run."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    prompts: tuple[str, ...] = Field(min_length=1)
    base: str = ""
    data: str = ""
    run: str = ""


class Openness(BaseModel):
    """Five disclosures, each true, false, or None where nobody looked: whether its makers published it for this model.

    `training_data`: what it was trained on can be fetched; `training_statistics`: losses, logs or checkpoints.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    training_data: bool | None = None
    weights: bool | None = None
    evaluation_code: bool | None = None
    fine_tuning_code: bool | None = None
    training_statistics: bool | None = None

    @property
    def answers(self) -> dict[str, bool | None]:
        """Each disclosure in words with its answer."""
        return {_WORDED.get(name, name.replace("_", " ")): getattr(self, name) for name in type(self).model_fields}

    @property
    def disclosed(self) -> int:
        """How many of the five are published for certain."""
        return sum(answer is True for answer in self.answers.values())

    @property
    def unknown(self) -> int:
        """Of how many nobody knows."""
        return sum(answer is None for answer in self.answers.values())


class PublishedScore(BaseModel):
    """A score that somebody published: which benchmark, the value as it stands there, where, and when it was read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    benchmark: str = Field(min_length=1)
    value: Decimal
    url: str = Field(pattern=r"^https?://")
    date: date


class ModelCard(BaseModel):
    """One model. `name` is what people type; `id` is what the server is asked for (the name where not given).

    `like` names the card that knows the same model: what is not stated here is taken from there (`FACTS`).
    `task`: "chat" answers questions; "text" and "code" only complete what was begun. `focus`: what a chat model was
    made for. `modality` is what it reads, `output_modality` what it makes; empty where unknown. `context_window` and
    `max_output` in tokens; only a model of images or speech may leave the window unknown (0). `thinking_tokens`: how
    many it may use up on reasoning before it answers, on top of the answer's own; 0 for a model that does not reason.
    `dimensions`: how long the vectors of an embedding model are. `languages`: ISO 639-1. `fine_tunable`: whether it can
    be tuned where its provider runs it, or anywhere for open weights. `ollama`: its name in Ollama's library.
    `published`: scores of others; `scores`: our own evaluation, strategy name → quality (0 to 1). `successor` names the
    card that its provider recommends instead. `training_rate`: US dollars for a million tokens that it is tuned on.
    `url`: where the facts stand.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    id: str = ""
    like: str = ""
    provider: str
    title: str = ""
    task: Task = "chat"
    focus: Literal["code"] | None = None
    modality: tuple[Modality, ...] = ()
    output_modality: tuple[Modality, ...] = ()
    architecture: Architecture | None = None
    parameters: str = ""
    openness: Openness = Openness()
    licence: str = ""
    languages: tuple[str, ...] = ()
    context_window: int = Field(default=0, ge=0)
    max_output: int = Field(default=4096, gt=0)
    thinking_tokens: int = Field(default=0, ge=0)
    dimensions: int = Field(default=0, ge=0)
    fine_tunable: bool | None = None
    ollama: str = ""
    released: date | None = None
    shutdown: date | None = None
    successor: str = ""
    summary: str = ""
    url: str = ""
    rates: Annotated[Tariff | None, BeforeValidator(Tariff.read)] = None
    free: bool = False
    training_rate: Rate | None = None
    fine_tune: FineTune | None = None
    published: tuple[PublishedScore, ...] = ()
    scores: dict[str, float] = Field(default_factory=dict)

    @field_validator("languages")
    @classmethod
    def _are_codes(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        for code in languages:
            if code not in LANGUAGES:
                near = difflib.get_close_matches(code, LANGUAGES, n=1)
                hint = f"; did you mean “{near[0]}”?" if near else ""
                raise ValueError(f"“{code}” is no code of ISO 639-1, such as “en” or “nl”{hint}")
        return languages

    @model_validator(mode="after")
    def _has_a_length(self) -> Self:
        if self.task in ("chat", "text", "code", "embedding") and not self.context_window:
            raise ValueError("a model that reads text needs `context_window`, in tokens and greater than 0")
        if self.task == "embedding" and not self.dimensions:
            raise ValueError("an embedding model needs `dimensions`, the length of its vectors")
        return self

    @property
    def model_id(self) -> str:
        """The name that the server knows."""
        return self.id or self.name

    @property
    def sees(self) -> bool:
        """Whether it is a chat model that is known to read images."""
        return self.task == "chat" and "image" in self.modality

    def facts(self) -> dict[str, Any]:
        """What is stated here and true of the model wherever it runs."""
        return {name: getattr(self, name) for name in FACTS if name in self.model_fields_set}


FACTS = (
    "task",
    "focus",
    "modality",
    "output_modality",
    "architecture",
    "parameters",
    "openness",
    "licence",
    "languages",
    "context_window",
    "max_output",
    "thinking_tokens",
    "dimensions",
    "fine_tunable",
    "released",
    "summary",
    "url",
    "published",
)
"""What a card takes from the one that it is `like`; price, server, shutdown and our own scores are each one's own."""
