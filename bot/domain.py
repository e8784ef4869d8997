"""The words of the house: a question, who may read its answer, what was found, what was chosen, what it cost.

Plain frozen values. They hold no connections, and nothing here decides anything.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from knowledge import access
from knowledge.documents import NO_SIGNS, Passage, Signs

Role = Literal["system", "user", "assistant"]


class StrategyName(StrEnum):
    """A way to turn a question and its evidence into a prompt."""

    ZERO_SHOT = "zero_shot"
    FEW_SHOT = "few_shot"
    RAG = "rag"
    FINE_TUNED = "fine_tuned"


class PlaceKind(StrEnum):
    """Where a question was asked; it decides who will read the answer."""

    CHANNEL = "channel"
    PRIVATE_CHANNEL = "private_channel"
    DM = "dm"
    GROUP_DM = "group_dm"
    CONSOLE = "console"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A workspace, a channel and, where there is one, the `ts` of the thread's first message."""

    workspace: str
    channel: str
    kind: PlaceKind
    thread: str | None = None


@dataclass(frozen=True, slots=True)
class Audience:
    """Everyone who will be able to read the answer, as the reader scopes whose documents all of them may read.

    A scope is "outsiders", "everyone", "channel:C123" or "user:U123", as `knowledge.access` words them. `note`: a
    sentence for the asker where Slack did not tell who reads there, so that the narrowest was taken.
    """

    scopes: frozenset[str]
    note: str = field(default="", compare=False)

    @classmethod
    def nobody(cls) -> Audience:
        """No person at all, as of an account that was closed: nothing may be shown."""
        return cls(frozenset())

    @classmethod
    def outsiders(cls, *own: str, note: str = "") -> Audience:
        """Guests, people of other companies, or nobody knows who: what outsiders may read, and the scopes `own`."""
        return cls(frozenset({access.OUTSIDERS, *own}), note)

    @classmethod
    def everyone(cls) -> Audience:
        """Full members of whom nothing else is known: public knowledge alone."""
        return cls(access.MEMBERS)

    @classmethod
    def of_channel(cls, channel: str) -> Audience:
        """All who read a channel, full members without exception: public knowledge and that channel's own."""
        return cls(access.MEMBERS | {f"channel:{channel}"})

    @classmethod
    def of_person(cls, user: str, channels: Iterable[str] = ()) -> Audience:
        """One full member alone (a DM, an ephemeral answer): all that they may read. `channels`: those they are in."""
        return cls(access.MEMBERS | {f"user:{user}", *(f"channel:{c}" for c in channels)})

    @classmethod
    def of_guest(cls, user: str, channels: Iterable[str] = ()) -> Audience:
        """One guest or person of another company alone."""
        return cls.outsiders(f"user:{user}", *(f"channel:{c}" for c in channels))

    @classmethod
    def of_all(cls, people: Iterable[Audience], channel: str) -> Audience:
        """People who talk among themselves in `channel`: what each of them may read alone, and that channel's own."""
        shared = [person.scopes for person in people]
        return cls((frozenset.intersection(*shared) if shared else frozenset()) | {f"channel:{channel}"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that came with the question. `name` is fit to be shown, and never a path; `id` is Slack's.

    `url` is private to the workspace; `size` in bytes; `duration_ms` of speech and video, where Slack tells it.
    """

    name: str
    mimetype: str
    size: int
    url: str | None = None
    id: str = ""
    duration_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Image:
    """A picture as a model is sent it. `width` and `height` in pixels."""

    name: str
    mimetype: str
    data: bytes = field(repr=False)
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier message of the thread. `author` is a user id, or "" for the assistant's own; `question`: the id of
    the question that it answers, "" where it answers none."""

    role: Literal["user", "assistant"]
    text: str
    author: str = ""
    question: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What was asked, by whom, where, and who will read the answer.

    `id` is also the correlation id in logs, the ledger and error messages. `model` and `strategy` are set where the
    person pinned one for this question alone. `private` marks an ephemeral answer. `history` is the thread before
    this question, oldest first. `needs`: the modalities beside text ("image", …) without which it cannot be answered,
    as model cards name them. `meant`: what somebody said they mean when they were asked back, "" for none of what
    was offered; None where nobody was asked. `images`: the pictures among the attachments, once they were fetched.
    """

    id: str
    text: str
    asker: str
    place: Place
    audience: Audience
    asked_at: datetime
    attachments: tuple[Attachment, ...] = ()
    history: tuple[Turn, ...] = ()
    model: str | None = None
    strategy: StrategyName | None = None
    private: bool = False
    meant: str | None = None
    needs: frozenset[str] = frozenset()
    images: tuple[Image, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A reviewed question and answer. `similarity` is the cosine to the question it was found for.

    `saved_by`: the id of the person who reviewed it, "" where nobody knows; `author`: of the one whose words the
    answer is, "" for the bot's own. `relevance`: by what it was chosen; `flagged`: it may be out of date.
    """

    id: str
    question: str
    answer: str
    readers: frozenset[str]
    similarity: float = 0.0
    relevance: float = 0.0
    saved_by: str = ""
    author: str = ""
    tags: tuple[str, ...] = ()
    flagged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the whole audience may read and the question might need, best first.

    `coverage`: share (0 to 1) of the question's rare words found in the passages. `agreement`: overlap (0 to 1) of
    lexical and dense search. `probability`: how likely (0 to 1, as the search estimates it) the passages hold the
    answer; `signs`: what else speaks for them. `comparable`: whether the passages' similarities are cosines of the same
    embedding model as the others. `example_lead`: how many standard deviations the nearest example stands above the
    mean of all of them; `vote_purity`: share (0 to 1) of the ten nearest whose answer is that of the nearest; both NaN
    where there is nothing to tell it by. `near`: the cosines of the examples nearest to the question, whichever were
    chosen; empty where only those count. `fine_tuned`: for each fine-tuned model's name the cosine to the nearest
    prompt of the kind of question that it was tuned for. `attached`: how many of the passages, the first ones, are of
    files that came with the question.
    """

    passages: tuple[Passage, ...] = ()
    examples: tuple[Example, ...] = ()
    coverage: float = 0.0
    agreement: float = 0.0
    probability: float = 0.0
    signs: Signs = NO_SIGNS
    comparable: bool = True
    example_lead: float = math.nan
    vote_purity: float = math.nan
    near: tuple[float, ...] = ()
    fine_tuned: dict[str, float] = field(default_factory=dict)
    attached: int = 0


@dataclass(frozen=True, slots=True)
class Message:
    """One message to a model, with the pictures that it is about."""

    role: Role
    content: str
    images: tuple[Image, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What a strategy makes for a model. `passages` are numbered from 1 in the text, in this order.

    `logprobs`: whether the tokens' log-probabilities are asked for, which not every server gives. `doubtful`: the
    passages are unlikely to hold the answer, so what is quoted of them is told to be no more than the nearest. `links`:
    domains whose addresses may be links in the answer, whoever wrote them.
    """

    strategy: StrategyName
    question: str
    messages: tuple[Message, ...]
    passages: tuple[Passage, ...] = ()
    examples: tuple[Example, ...] = ()
    logprobs: bool = False
    doubtful: bool = False
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one model call used up. Every other kind of token is a part of the first two, never an addition.

    `audio_ms`: milliseconds of speech, for models sold by the minute; `images`: pictures made, for those sold by the
    piece. `estimated` is true where the server sent no usage that can be believed and it was counted here; `note` says
    what was odd. `served`: the model that the server says answered; `request_id`: its name for the call; each "" where
    it did not say.
    """

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0
    cache_written_tokens: int = 0
    reasoning_tokens: int = 0
    input_audio_tokens: int = 0
    output_audio_tokens: int = 0
    input_image_tokens: int = 0
    output_image_tokens: int = 0
    audio_ms: int = 0
    images: int = 0
    estimated: bool = False
    note: str = ""
    served: str = ""
    request_id: str = ""
    finish: str = ""

    def __add__(self, other: Usage) -> Usage:
        """Both together, with what the newer one says of itself."""
        counts = {name: getattr(self, name) + getattr(other, name) for name in COUNTS}
        return Usage(
            **counts,
            estimated=self.estimated or other.estimated,
            note=other.note or self.note,
            served=other.served,
            request_id=other.request_id,
            finish=other.finish,
        )


COUNTS = (
    "prompt_tokens",
    "completion_tokens",
    "cached_tokens",
    "cache_written_tokens",
    "reasoning_tokens",
    "input_audio_tokens",
    "output_audio_tokens",
    "input_image_tokens",
    "output_image_tokens",
    "audio_ms",
    "images",
)
"""The fields of a Usage that are counted, as the ledger's columns are called too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """US dollars, as the user states them for models that no price list knows: for a million tokens of each kind, for
    a minute of speech, for an image. A kind of token that is None costs what the others of its direction do. `version`
    names them in the ledger."""

    input: Decimal
    output: Decimal
    cached_input: Decimal | None = None
    cache_written: Decimal | None = None
    input_audio: Decimal | None = None
    output_audio: Decimal | None = None
    input_image: Decimal | None = None
    output_image: Decimal | None = None
    minute: Decimal | None = None
    image: Decimal | None = None
    version: str = "override"


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a call cost in US dollars. `amount` is None where the price is unknown, and `why` says why; `version` names
    the price list."""

    amount: Decimal | None
    version: str | None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """A passage that the answer leans on; `number` is how the answer's text refers to it. `document`: the id of its
    document, "" for a file that came with the question and in receipts of before there were any."""

    number: int
    title: str
    url: str | None
    source: str
    updated: datetime | None
    quote: str
    document: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One way that the selector considered.

    `quality`: estimated probability (0 to 1) of a good answer. `cost`: estimated US dollars, None where the price is
    unknown. `latency`: estimated seconds. `utility` = quality − λ·cost − μ·latency. Each range holds the true value
    in about four of five cases; None where nothing is known of it. An option that cannot be taken has `available`
    false and says why in `reason`; one that can and is unlikely to answer says why in `doubt`. `chance`: how likely
    (0 to 1) it was to be drawn; None where it was not among those.
    """

    strategy: StrategyName
    model: str
    quality: float
    cost: Decimal | None
    latency: float
    utility: float
    available: bool = True
    reason: str = ""
    quality_range: tuple[float, float] | None = None
    cost_range: tuple[Decimal, Decimal] | None = None
    latency_range: tuple[float, float] | None = None
    chance: float | None = None
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Mean:
    """A running mean of measured quality (0 to 1), and how many answers it rests on (weighted)."""

    n: float
    mean: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """What a choice was made with, so that it can be told later whether the same would be chosen again."""

    estimates: str
    prices: str
    index: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A model or a strategy that was fixed for a scope: "question", "thread", "person", "channel" or "workspace".

    `by` and `at`: the id of the person who did and when, "" and None where that goes without saying; `why`: their
    reason, "" where they gave none.
    """

    scope: str
    model: str | None = None
    strategy: StrategyName | None = None
    by: str = ""
    at: datetime | None = None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the selector decided: the option taken, all considered, its reasons as sentences, the pins obeyed.

    `guards`: a sentence for each rule that kept an option out. `features`: the evidence as numbers, by name.
    `propensity`: how likely (0 to 1) this option was to be taken. `policy`: what decided, "estimates", "learned",
    "best fixed", "draft" (how sure a cheap one was of itself), "fallback" (another could not answer), "trial" or
    "person". `value`: how money and time were weighed against quality, and `point_worth` the US dollars that one point
    (0.01) of quality was worth.
    """

    option: Option
    options: tuple[Option, ...]
    reasons: tuple[str, ...]
    pins: tuple[Pin, ...] = ()
    guards: tuple[str, ...] = ()
    features: dict[str, float] = field(default_factory=dict)
    propensity: float = 1.0
    policy: str = "estimates"
    value: str = "balanced"
    point_worth: Decimal | None = None
    versions: Versions | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """How and why an answer was made and what it cost.

    `seconds` from question to finished answer; `outcome` is "answered", "nothing_found", "asked_back" (a question
    was asked instead), "stopped" or the `kind` of the ModelError that ended it. `attachments`: the files that came
    with the question, so that it can be asked once more; what they hold is not kept. `trace`: the id of the trace that
    has every step of it, "" where traces are not exported.
    """

    question_id: str
    choice: Choice
    citations: tuple[Citation, ...]
    usage: Usage | None
    price: Price
    seconds: float
    outcome: str
    created_at: datetime
    attachments: tuple[Attachment, ...] = ()
    trace: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The finished answer: Markdown text with [n] marks, its citations and its receipt.

    `ask`: who may know more, where nothing was found: the id of whoever reviewed the nearest example. `note`: one
    sentence that stands under it, "" for none: that another model answered than the one that a person asked for.
    `about_files`: sentences on what came with the question: what was heard, left out or masked, what could not be read.
    """

    question_id: str
    text: str
    citations: tuple[Citation, ...]
    receipt: Receipt
    ask: str | None = None
    note: str = ""
    about_files: tuple[str, ...] = ()


# The events of one answer, in the order in which they come: Progress*, TextDelta*, then Finished, Clarify or Failed.


@dataclass(frozen=True, slots=True)
class Progress:
    """A step of the way: "open" (the files that came), "search", "choose", "draft", "read" or "write". `detail`: one
    short line for the person."""

    step: Literal["open", "search", "choose", "draft", "read", "write"]
    state: Literal["started", "done"]
    detail: str = ""


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next piece of the answer's Markdown. `logprobs`: of its tokens, natural ones, where a model gave them."""

    text: str
    logprobs: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Finished:
    """The answer is whole. Its text replaces what was streamed (marks that cite nothing are taken out)."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class Clarify:
    """No answer yet: `sentence` asks which of the `choices` is meant. One is chosen by asking again with `meant`."""

    question_id: str
    sentence: str
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """No answer: `sentence` says why and what to do; the receipt stands where a model was called. `ask`: the id of
    whoever set the budget that is used up."""

    question_id: str
    sentence: str
    receipt: Receipt | None = None
    ask: str | None = None


AnswerEvent = Progress | TextDelta | Finished | Clarify | Failed
