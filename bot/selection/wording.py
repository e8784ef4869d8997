"""The question itself: without the mention, the greeting and the thanks around it."""

from __future__ import annotations

import re
import unicodedata

from bot.domain import Question
from bot.errors import UnusableQuestion
from bot.selection.own_affairs import is_about_the_team

MAX_CHARACTERS = 12_000
"""A longer question is refused: it would leave small models no room for evidence and for the answer."""
SEARCHED_CHARACTERS = 2_000
_FEW_WORDS = 5
_POINTING_WORDS = 15
"""A longer question names what it speaks of, whatever else it points to."""
_MOST_CONTEXT = 3
_END_CHARACTERS = 100
_MOST_POLITENESS = 4

_MENTION = re.compile(r"[ \t]?(?:<[@!][^>\s]+>|(?<!\S)@(?:switchboard|channel|here|everyone)\b)[ \t]?", re.IGNORECASE)
_EMOJI = re.compile(r":[a-z0-9_+'-]+:", re.IGNORECASE)
_GREETING = re.compile(
    r"""^(?:[\s,;:.!–-]|:[a-z0-9_+'-]+:)*
    (?:(?:good\s+(?:morning|afternoon|evening|day)|h(?:i+|ey+|ello+|ullo|owdy|iya)|greetings|dear|yo
      |guten\s+(?:morgen|tag|abend)|hallo|moin|servus|salut|bonjour|hola|ciao)\b
      (?:\s+(?:there|all|team|folks|everyone|everybody|guys|bot|switchboard|you\s+all|again|zusammen|leute
        |colleagues|friends|(?-i:[A-Z][a-zà-ÿ]+(?:\s+[A-Z][a-zà-ÿ]+)?)(?=\s*[,!–-])))*
    |(?:morning|afternoon|evening)(?=\s*[,!])
    |(?:quick|short|small|stupid|silly)\s+(?:question|one)\b(?!\s+(?:is|about|on))|(?:please|pls)\b
    |sorry\s+(?:to|for)\s+(?:bother|disturb|interrupt)(?:ing)?(?:\s+(?:you|everyone|all))?(?=\s*[,;:.!–-])
    |(?:i\s+)?hope\s+(?:you|everyone|all|this)\b[^?.!,\n]{0,40}[.!,])
    (?:[\s,;:.!–-]|:[a-z0-9_+'-]+:)*""",
    re.IGNORECASE | re.VERBOSE,
)
_END = r"(?:[\s,;:.!)–-]|:[a-z0-9_+'-]+:)*$"
_THANKS = re.compile(
    rf"""(?:(?:[\s,;:.!–-]|(?<=\?))+
    (?:(?:many\s+)?thank(?:s|\s+you)(?:\s+(?:so\s+much|a\s+lot|a\s+million|in\s+advance|all|team|everyone|again))*
      |thx|tia|ty|cheers|danke(?:\s+(?:schön|dir|euch|im\s+voraus))?|merci|gracias|please|pls)
    |(?:[,;.!\n–-]|(?<=\?))\s*
    (?:(?:many\s+)?thank(?:s|\s+you)|cheers|danke|(?:any\s+help\s+(?:is\s+|would\s+be\s+)?)?(?:much\s+|greatly\s+)?
      appreciate(?:d|\s+it)?|have\s+a\s+(?:great|good|nice|lovely))(?:[\s,]+[\w'’]+){{0,4}}
    ){_END}""",
    re.IGNORECASE | re.VERBOSE,
)
_ASKING = re.compile(
    r"""^(?:(?:could|can|would|will)\s+(?:you|anyone|anybody|someone|somebody)\s+(?:please\s+|kindly\s+)?(?:tell|explain\s+to)\s+me
    |do(?:es)?\s+(?:anyone|anybody|someone|you)(?:\s+here)?\s+(?:happen\s+to\s+)?know
    |i\s+(?:was|am|['’]m)\s+(?:just\s+)?wondering|just\s+wondering|i\s*(?:['’]d|\s+would)\s+like\s+to\s+know
    |(?:i\s+have|i['’]ve\s+got|got)\s+a\s+(?:quick\s+|short\s+|small\s+)?question|any\s+ideas?(?=\s+(?:how|what|wh))
    |(?:kannst|könnt|könntest)\s+(?:du|ihr)\s+(?:mir|uns)\s+(?:bitte\s+)?sagen|wei(?:ß|ss)\s+(?:jemand|einer|wer))\b[\s,;:.!–-]*""",
    re.IGNORECASE | re.VERBOSE,
)
_CONTINUED = re.compile(
    r"(?:and|but|or|so|then|also|what about|how about|what if|why not|und|aber|oder|auch|wie ist es mit|was ist mit)\b",
    re.IGNORECASE,
)
_POINTING = re.compile(
    r"\b(?:it|its|they|them|their|he|she|him|her|those|these|there|the same|the (?:first|second|last|other) one"
    r"|(?:this|that)(?=\s*[?.!,]|\s*$|\s+(?:is|was|does|did|takes?|works?|means?|one)\b)"
    r"|dort|dafür|davon|damit|dazu|darüber|dieser?|diese[nms])\b",
    re.IGNORECASE,
)
_EXPLETIVE = re.compile(
    r"\b(?:is|was|would|will) it (?:be )?(?:possible|ok|okay|safe|allowed|worth|necessary|true|better|enough)\b"
    r"|\b(?:is|are|was|were|will) there\b|\bthere (?:is|are|was|were|will)\b",
    re.IGNORECASE,
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


def is_own_affair(text: str) -> bool:
    """Whether the question is about the team itself (“our”, “we”, a channel), so that nobody else can know."""
    return is_about_the_team(sought(text))


def sought(text: str) -> str:
    """What the text asks for, as it is searched: `plain`, and without “could you tell me” and the like before it."""
    text = plain(text)[:SEARCHED_CHARACTERS]
    for _ in range(_MOST_POLITENESS):
        shorter = plain(_ASKING.sub("", text, count=1))
        if shorter == text or not _says_something(shorter):
            break
        text = shorter
    return text


def usable(question: Question) -> str:
    """The question's own words; "" where files alone came. Raises UnusableQuestion for nothing, or too much."""
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
        return ""  # it may be spoken
    raise UnusableQuestion("I saw no question there. Ask me something in words, for example “How do we deploy?”")


def leans(question: Question) -> bool:
    """Whether the question can be understood only with what was said before it in the thread."""
    before = any(turn.role == "user" for turn in question.history)
    return before and _leans(plain(question.text))


def search_text(question: Question) -> str:
    """What is searched for, by rules: the question, behind those that it leans on."""
    text = sought(question.text)
    if not leans(question):
        return text
    said = [sought(turn.text) for turn in question.history if turn.role == "user"]
    context: list[str] = []
    for earlier in reversed(said[-_MOST_CONTEXT:]):
        context.insert(0, earlier)
        if not _leans(earlier):
            break
    return " ".join([*context, text])


def _leans(text: str) -> bool:
    words = len(text.split())
    if words <= _FEW_WORDS or _CONTINUED.match(text):
        return True
    return words <= _POINTING_WORDS and bool(_POINTING.search(_EXPLETIVE.sub(" ", text)))


def _says_something(text: str) -> bool:
    words = _EMOJI.sub(" ", text)
    return any(unicodedata.category(character)[0] in "LN" for character in words)
