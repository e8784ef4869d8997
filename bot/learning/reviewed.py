"""A reviewed example with all that is known of it, and what somebody writes down to become one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from bot.domain import Example
from knowledge.secrets import masking

LONGEST = 3000
"""Characters of a question and of an answer, as many as Slack's input takes."""
MOST_TAGS = 10
LONGEST_TAG = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Who said something of an example, when and why. `document`: the id of the one whose words are in it."""

    by: str
    at: datetime
    why: str
    document: str = ""

    def told(self, what: str) -> str:
        """For example "retired by U0MAYA on 2026-11-20: We moved."."""
        return f"{what} by {self.by} on {self.at:%Y-%m-%d}{f': {self.why}' if self.why else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """`kept_by`: who saved it first. `valid_until`: the last day, None: for good. `hits`: in how many prompts it was;
    `up` and `down`: the thumbs of the answers that were written from it. `version`: one more with each change.
    `flag`: why it may be out of date; `retired`: why it is not used any more."""

    example: Example
    kept_by: str
    saved_at: datetime
    valid_until: date | None = None
    version: int = 1
    hits: int = 0
    up: int = 0
    down: int = 0
    flag: Said | None = None
    retired: Said | None = None

    def has_ended(self, today: date) -> bool:
        """Whether its last day is past."""
        return self.valid_until is not None and self.valid_until < today


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What somebody wrote, without spaces around it and without secrets."""

    question: str
    answer: str
    tags: tuple[str, ...] = ()
    valid_until: date | None = None

    @classmethod
    def of(cls, question: str, answer: str, tags: Iterable[str] = (), valid_until: date | None = None) -> Draft:
        """Tags in small letters, each once."""
        clean = (" ".join(masking().text(tag).casefold().removeprefix("#").split()) for tag in tags)
        return cls(
            question=masking().text(question.strip()),
            answer=masking().text(answer.strip()),
            tags=tuple(dict.fromkeys(tag for tag in clean if tag)),
            valid_until=valid_until,
        )

    def wrong(self, today: date) -> Iterator[tuple[str, str]]:
        """What is wrong with it, as the field and the end of a sentence that begins with "It" or "Line 7"."""
        for name, text in (("question", self.question), ("answer", self.answer)):
            if not any(map(str.isalnum, text)):
                yield name, f"has no {name}"
            elif len(text) > LONGEST:
                yield name, f"has {len(text):,} characters in its {name}, and {LONGEST:,} fit"
        if len(self.tags) > MOST_TAGS:
            yield "tags", f"has {len(self.tags)} tags, and {MOST_TAGS} fit"
        for tag in self.tags:
            if len(tag) > LONGEST_TAG:
                yield "tags", f"has a tag of {len(tag)} characters (“{tag[:20]}…”), and {LONGEST_TAG} fit"
        if self.valid_until is not None and self.valid_until < today:
            yield "valid_until", f"ended on {self.valid_until}, which is past"


def example_of(row: Any) -> Example:
    """The example in a row of the table."""
    return Example(
        id=row.id,
        question=row.question,
        answer=row.answer,
        readers=frozenset(row.readers),
        saved_by=row.reviewed_by or row.saved_by,
        author=row.author,
        tags=tuple(row.tags),
        flagged=row.flagged_at is not None,
    )


def reviewed_of(row: Any) -> Reviewed:
    """A row of the table with its thumbs, as `up` and `down`."""
    return Reviewed(
        example=example_of(row),
        kept_by=row.saved_by,
        saved_at=row.saved_at,
        valid_until=date.fromisoformat(row.valid_until) if row.valid_until else None,
        version=row.version,
        hits=row.hits,
        up=row.up,
        down=row.down,
        flag=said_of(row.flagged_by, row.flagged_at, row.flagged_why, row.flagged_document),
        retired=said_of(row.retired_by, row.retired_at, row.retired_why),
    )


def said_of(by: str | None, at: datetime | None, why: str | None, document: str | None = None) -> Said | None:
    """What columns tell of a flag or a retirement; None where there is none."""
    return Said(by=by or "", at=at, why=why or "", document=document or "") if at is not None else None


def readers_told(readers: Iterable[str]) -> str:
    """Whom an example is for, as the audit log has it."""
    return f"for {' '.join(sorted(readers))}"
