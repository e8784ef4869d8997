"""Whom or what it is about: a person, a channel or a document, and how it is recognised in a text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from bot.errors import UnknownSubject

Kind = Literal["user", "channel", "document"]
RUN = 8
"""So many words in a row that a document has make a text one of its copies."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,39}")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Subject:
    """`id`: Slack's, or the document's. `called`: other names that stand for it. Of a document: `source`, `path` and
    `title`, and `runs`, every eight words in a row that it has."""

    kind: Kind
    id: str
    called: tuple[str, ...] = ()
    source: str = ""
    path: str = ""
    title: str = ""
    runs: frozenset[str] = frozenset()

    @property
    def words(self) -> tuple[str, ...]:
        """What it is looked for by."""
        return (self.id, *self.called)

    @property
    def said(self) -> str:
        """As a person reads it."""
        if self.kind == "document":
            return f"document {self.source}/{self.path}"
        return f"{'person' if self.kind == 'user' else 'channel'} {self.id}"

    def is_in(self, text: str) -> bool:
        """Whether a text names it, or holds what a document says."""
        if any(word in text for word in self.words) and self._pattern.search(text):
            return True
        return bool(self.runs) and any(run in self.runs for run in runs_of(text))

    def scrubbed(self, text: str, by: str) -> str:
        """The text with another word in its place."""
        return self._pattern.sub(by, text)

    @property
    def _pattern(self) -> re.Pattern[str]:
        words = "|".join(re.escape(word) for word in sorted(self.words, key=len, reverse=True))
        return re.compile(rf"(?<!\w)(?:{words})(?!\w)")


def slack_id(kind: Kind, text: str) -> str:
    """The id that was typed, also as `<@U0MAYA>` or `<#C0HELP|help>`. Raises UnknownSubject."""
    found = text.strip().strip("<>@#").partition("|")[0]
    if not _ID.fullmatch(found):
        example = "U0MAYA" if kind == "user" else "C0HELP"
        raise UnknownSubject(
            f"“{text}” is no id of a {kind}. Copy it from the profile in Slack; it looks like {example}."
        )
    return found


def runs_of(text: str) -> Iterator[str]:
    """Every eight words in a row, in small letters, one after the other; all words where there are fewer."""
    words = _WORD.findall(text.casefold())
    if 3 <= len(words) < RUN:
        yield " ".join(words)
    for start in range(len(words) - RUN + 1):
        yield " ".join(words[start : start + RUN])
