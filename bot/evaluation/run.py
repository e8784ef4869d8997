"""One run of an evaluation: what was asked of which ways, with what, and what it cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run as it is kept, without its answers; two runs differ where these fields do.

    `source`: the file's name, or "thumbs". `data`: a digest of all golden questions with what is expected of them, so
    that equal digests mean equal questions; `questions`: how many there were. `index`: the version of what is known
    (it changes with every document and with the embedding model). `models`: the card's name → what the server was
    asked for, "provider/id". `prompts`: a digest of the words that the strategies put around a question.
    `scorers`: the names of those that were applied. `judge`: the name of the model that judged, None where none did.
    `audience`: the reader scopes. `settings`: further settings by name (lengths, prices, estimates).
    `budget` and `spent`: US dollars, for calls whose price is known; `unpriced`: how many calls have no known price.
    `finished` is None while it runs, and where it was killed.
    """

    id: str
    name: str
    started: datetime
    source: str
    data: str
    questions: int
    index: str
    models: Mapping[str, str]
    prompts: str
    scorers: tuple[str, ...]
    finished: datetime | None = None
    judge: str | None = None
    audience: tuple[str, ...] = ("everyone",)
    settings: Mapping[str, str] = field(default_factory=dict)
    budget: Decimal | None = None
    spent: Decimal = Decimal(0)
    unpriced: int = 0
