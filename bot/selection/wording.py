"""The question itself: without the mention, the greeting and the thanks around it."""

from __future__ import annotations

import re
import unicodedata

from bot.domain import Question
from bot.errors import UnusableQuestion

MAX_CHARACTERS = 12_000
"""A longer question is refused: it would leave small models no room for evidence and for the answer."""
SEARCHED_CHARACTERS = 2_000
_FEW_WORDS = 5
_END_CHARACTERS = 100
_MOST_POLITENESS = 4

_MENTION = re.compile(r"[ \t]?(?:<[@!][^>\s]+>|(?<!\S)@(?:switchboard|channel|here|everyone)\b)[ \t]?", re.IGNORECASE)
_EMOJI = re.compile(r":[a-z0-9_+'-]+:", re.IGNORECASE)
_GREETING = re.compile(
    r"""^[\s,;:.!–-]*
    (?:(?:good\s+(?:morning|afternoon|evening|day)|h(?:i+|ey+|ello+|ullo|owdy)|greetings|dear|yo
      |guten\s+(?:morgen|tag|abend)|hallo|moin|servus|salut|bonjour|hola|ciao)\b
      (?:\s+(?:there|all|team|folks|everyone|everybody|guys|bot|switchboard|you\s+all|again|zusammen|leute))*
    |(?:quick|short|small|stupid|silly)\s+question\b|(?:please|pls)\b)
    [\s,;:.!–-]*""",
    re.IGNORECASE | re.VERBOSE,
)
_THANKS = re.compile(
    r"""(?:[\s,;:.!–-]|(?<=\?))+
    (?:(?:many\s+)?thank(?:s|\s+you)(?:\s+(?:so\s+much|a\s+lot|a\s+million|in\s+advance|all|team|everyone|again))*
      |thx|tia|ty|cheers|danke(?:\s+(?:schön|dir|euch|im\s+voraus))?|merci|gracias|please|pls)
    [\s,;:.!–-]*$""",
    re.IGNORECASE | re.VERBOSE,
)


def plain(text: str) -> str:
    """The text without mentions, and without greetings and thanks at its ends where anything else is left."""
    text = _MENTION.sub(" ", text).strip()
    for _ in range(_MOST_POLITENESS):
        body, end = text[:-_END_CHARACTERS], text[-_END_CHARACTERS:]
        shorter = _GREETING.sub("", body + _THANKS.sub("", end, count=1), count=1).strip()
        if shorter == text or not _says_something(shorter):
            break
        text = shorter
    return text


def usable(question: Question) -> str:
    """The question's own words. Raises UnusableQuestion where there are none, or too many."""
    length = len(question.text)
    if length > MAX_CHARACTERS:
        raise UnusableQuestion(
            f"Your question has {length:,} characters; I can read up to {MAX_CHARACTERS:,}. "
            "Please shorten it, or ask about a part of it."
        )
    text = plain(question.text)
    if _says_something(text):
        return text
    if question.attachments:
        names = ", ".join(attachment.name for attachment in question.attachments)
        raise UnusableQuestion(f"I cannot read files yet ({names}). Please ask your question in words.")
    raise UnusableQuestion("I saw no question there. Ask me something in words, for example “How do we deploy?”")


def search_text(question: Question) -> str:
    """What is searched for: the question, behind what was said before where it is too short to stand alone."""
    text = plain(question.text)[:SEARCHED_CHARACTERS]
    before = [turn.text for turn in question.history if turn.role == "user"]
    if before and len(text.split()) <= _FEW_WORDS:
        return f"{plain(before[-1])[:SEARCHED_CHARACTERS]} {text}"
    return text


def _says_something(text: str) -> bool:
    words = _EMOJI.sub(" ", text)
    return any(unicodedata.category(character)[0] in "LN" for character in words)
