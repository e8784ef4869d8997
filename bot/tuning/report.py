"""What is to be known of a data set, in figures and in plain words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from bot.costs.money import dollars
from bot.models.cards import ModelCard
from bot.models.tokens import count_tokens
from bot.strategies.wording import MESSAGE_TOKENS
from bot.tuning.cleaning import Cleaned
from bot.tuning.row import Row, prompted
from knowledge.language import language_of

LEAST = 10
"""Fewer rows no provider takes (OpenAI's guide to fine-tuning); 50 to 100 are advised."""
ADVISED = 50
SHOWN = 10
_LOPSIDED = 0.5
_MILLION = 1_000_000
_ORIGINS = {
    "example": "reviewed answers",
    "person": "answers that people wrote",
    "thumb": "answers with 👍",
    "choice": "answers taken of two",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The figures. `tokens`: of the rows to train on, once; `estimated`: the model's own tokenizer is not known.
    `price`: US dollars for one epoch, None where nobody knows. `refused`: why it cannot be trained on, "" where it can.
    """

    train: int
    validation: int
    preferences: int
    by_origin: Mapping[str, int]
    topics: int
    largest_topic: int
    by_topic: bool
    languages: Mapping[str, int]
    tokens: int
    estimated: bool
    longest: int
    too_long: int
    model: str
    price: Decimal | None
    left_out: Mapping[str, int]
    golden: int
    golden_questions: int
    merged: int
    unusable: int
    contradictions: Sequence[tuple[str, tuple[str, ...]]]
    secrets: Mapping[str, int]
    personal: Mapping[str, int]
    refused: str = ""

    def sentences(self) -> list[str]:
        """The report, a sentence for each thing."""
        return [*self._has(), *self._left_out(), *self._beware()]

    def _has(self) -> Iterable[str]:
        yield f"{_rows(self.train)} to train on, {self.validation} held out, {self.preferences} preference pairs."
        if self.by_origin:
            yield f"From {', '.join(f'{n} {_ORIGINS[origin]}' for origin, n in self.by_origin.items() if n)}."
        if self.train + self.validation:
            how = "whole topics that came last" if self.by_topic else "the newest rows, since nearly all are one topic"
            yield f"{self.topics} topics, the largest with {_rows(self.largest_topic)}; held out are {how}."
            named = ", ".join(f"{language} {n}" for language, n in self.languages.items())
            yield f"Languages: {named}."
        about = "about " if self.estimated else ""
        of = f" for {self.model}" if self.model else ""
        yield f"{about}{self.tokens:,} tokens an epoch{of}, the longest row {self.longest:,}.".capitalize()
        if self.model:
            price = "unknown" if self.price is None else f"{dollars(self.price)} an epoch"
            way = f": state `training_rate` on the card of {self.model}" if self.price is None else ""
            yield f"Price: {price}{way}."

    def _left_out(self) -> Iterable[str]:
        for reason, count in self.left_out.items():
            yield f"Left out: {_rows(count)}, {reason}."
        if self.golden:
            yield f"Left out: {_rows(self.golden)} that ask what a golden question asks."
        elif not self.golden_questions:
            yield "No golden question is known, so none could be kept out: name their file with --golden."
        if self.merged:
            yield f"Merged: {_rows(self.merged)} that were there twice."
        if self.unusable:
            yield f"Left out: {_rows(self.unusable)} without a question or an answer in words."
        if self.too_long:
            yield f"Left out: {_rows(self.too_long)} longer than the window of {self.model}."

    def _beware(self) -> Iterable[str]:
        for question, where in self.contradictions[:SHOWN]:
            yield f"Answered differently: “{question}” ({', '.join(where)}). Retire what is wrong."
        if (more := len(self.contradictions) - SHOWN) > 0:
            yield f"And {more} more questions that were answered differently."
        for kind, count in self.secrets.items():
            yield f"Masked: a {kind} in {_rows(count)}."
        for kind, count in self.personal.items():
            yield f'Personal data: {kind} in {_rows(count)}. `privacy.personal_data = "mask"` takes it out.'
        whole = self.train + self.validation
        if whole and self.largest_topic > _LOPSIDED * whole:
            yield "More than half is one topic: what the model says elsewhere may get worse."
        if not self.refused and whole < ADVISED:
            yield f"{ADVISED} to 100 rows are advised; there are {whole}."
        if self.refused:
            yield self.refused


@dataclass(frozen=True, slots=True)
class Measured:
    """Rows with how long they are for a model, in tokens."""

    rows: tuple[Row, ...]
    tokens: tuple[int, ...]
    estimated: bool
    too_long: int


def measured(rows: Sequence[Row], model: ModelCard | None) -> Measured:
    """The rows that fit the model's window, and their lengths."""
    window = model.context_window if model else 0
    kept, lengths, estimated, too_long = [], [], False, 0
    for row in rows:
        texts = [message["content"] for message in prompted(row.question)] + [row.answer]
        counts = [count_tokens(text, model.model_id if model else "") for text in texts]
        estimated |= any(count.estimated for count in counts)
        length = sum(count.tokens + MESSAGE_TOKENS for count in counts)
        if window and length > window:
            too_long += 1
        else:
            kept.append(row)
            lengths.append(length)
    return Measured(tuple(kept), tuple(lengths), estimated, too_long)


def training_price(model: ModelCard, tokens: int) -> Decimal | None:
    """US dollars for training on so many tokens once: tokens × the card's `training_rate` / 1,000,000; None where that
    is not stated. A model that runs on this machine costs what the machine costs, which nobody stated: unknown too."""
    return None if model.training_rate is None else model.training_rate * tokens / _MILLION


def refusal(rows: Sequence[Row]) -> str:
    """Why these rows cannot be trained on; "" where they can."""
    if len(rows) < LEAST:
        return (
            f"{_rows(len(rows))} cannot be trained on: at least {LEAST} are needed, and {ADVISED} to 100 advised. "
            "Save more examples, or let more people's answers in: `switchboard tune consent`."
        )
    if len({" ".join(row.answer.casefold().split()) for row in rows}) == 1:
        return (
            f"All {len(rows)} rows have the same answer, so a model would learn to say that to everything. "
            "Save examples with other answers too."
        )
    return ""


def reported(
    done: Cleaned,
    *,
    train: Sequence[Row],
    validation: Sequence[Row],
    topic: Sequence[int],
    by_topic: bool,
    lengths: Measured,
    left_out: Mapping[str, int],
    golden_questions: int,
    model: ModelCard | None,
) -> Report:
    """All that is to be known, from what the steps did."""
    rows = [*train, *validation]
    trained = {row.subject for row in train}
    tokens = sum(n for row, n in zip(lengths.rows, lengths.tokens, strict=True) if row.subject in trained)
    languages = Counter(language_of(f"{row.question} {row.answer}") or "not told" for row in rows)
    sizes = Counter(topic).most_common(1)
    return Report(
        train=len(train),
        validation=len(validation),
        preferences=len(done.preferences),
        by_origin=dict(Counter(row.origin for row in rows)),
        topics=len(set(topic)),
        largest_topic=sizes[0][1] if sizes else 0,
        by_topic=by_topic,
        languages=dict(languages.most_common()),
        tokens=tokens,
        estimated=lengths.estimated,
        longest=max(lengths.tokens, default=0),
        too_long=lengths.too_long,
        model=model.name if model else "",
        price=training_price(model, tokens) if model else None,
        left_out=dict(left_out),
        golden=done.golden,
        golden_questions=golden_questions,
        merged=done.merged,
        unusable=done.unusable,
        contradictions=tuple((one.question, one.where) for one in done.contradictions),
        secrets=dict(done.secrets),
        personal=dict(done.personal),
        refused=refusal(rows),
    )


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"
