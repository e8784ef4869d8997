"""What a person's Slack text says: mentions, code, words."""

from __future__ import annotations

import re
from html import unescape

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]+`", re.DOTALL)
_MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")
_ADDRESSED = re.compile(rf"(?:{_MENTION.pattern}[\s,:]*)+")
_GROUP = re.compile(r"<!(?:here|channel|everyone|subteam\^[^>]*)>")
_CHANNEL = re.compile(r"<#[A-Z0-9]+\|([^>]*)>")
_LABELLED_LINK = re.compile(r"<((?:https?|mailto):[^|>]+)\|([^>]*)>")
_LINK = re.compile(r"<((?:https?|mailto):[^>]+)>")
_SPECIAL = re.compile(r"<!(\w+)(?:\^[^|>]*)?(?:\|([^>]*))?>")
_EMOJI_CODE = re.compile(r":[a-z0-9_+'-]+(?:::skin-tone-\d)?:")
_COURTESY = re.compile(
    r"(?:thanks|thank you(?: so much)?|many thanks|thx|ty|ok|okay|k|great|perfect|cool|nice|got it|awesome"
    r"|danke|merci|gracias|obrigad[oa]|grazie)"
)
_HELP = re.compile(
    r"(?:(?:hi|hey|hello) )?(?:(?:please )?help(?: me)?(?: please)?|(?:who|what) are you|what is this bot"
    r"|what (?:can|do) you do(?: here| for (?:me|us))?|how (?:can|do) i use you|how can you help(?: me| us)?"
    r"|hilfe|wer bist du|was kannst du)"
)
_PERSON = re.compile(
    r"(?:(?:please )?(?:i )?(?:need|want|get me|ask|call|find me)(?: to (?:talk|speak) (?:to|with))?"
    r" (?:a|some|an actual) (?:person|human|human being)(?: here)?(?: please)?|human please"
    r"|ich brauche (?:hier )?einen menschen)"
)


def without_code(text: str) -> str:
    """The text without code blocks and inline code: what is in there is quoted, not said."""
    return _CODE.sub(" ", text)


def mentioned(text: str) -> tuple[str, ...]:
    """Ids of the people whom the text addresses, outside code."""
    return tuple(_MENTION.findall(without_code(text)))


def without_address(text: str) -> str:
    """The text without the people whom it calls first: “@maya, on Tuesdays” says “on Tuesdays”."""
    called = _ADDRESSED.match(text)
    return text[called.end() :] if called is not None else text


def addresses_a_group(text: str) -> bool:
    """Whether the text calls @here, @channel, @everyone or a user group."""
    return bool(_GROUP.search(without_code(text)))


def said(text: str, bot: str) -> str:
    """The text as plain words: the bot's own mention taken out (outside code), Slack's escapes and links undone."""
    pieces = []
    end = 0
    for code in _CODE.finditer(text):
        pieces += [_plain(text[end : code.start()], bot), unescape(code.group())]
        end = code.end()
    pieces.append(_plain(text[end:], bot))
    return "".join(pieces).strip()


def has_words(text: str) -> bool:
    """Whether there is anything but emoji, punctuation and white space (any script counts)."""
    return any(character.isalnum() for character in _EMOJI_CODE.sub(" ", text))


def is_courtesy(text: str) -> bool:
    """Whether the text only thanks or agrees; such a message wants no answer."""
    return _COURTESY.fullmatch(_bare(text)) is not None


def asks_for_help(text: str) -> bool:
    """Whether the text asks nothing but what the bot is and can do, in the few words that people use for it."""
    return _HELP.fullmatch(_bare(text)) is not None


def wants_a_person(text: str) -> bool:
    """Whether the text says nothing but that a person is needed."""
    return _PERSON.fullmatch(_bare(text)) is not None


def is_question(text: str) -> bool:
    """Whether a message that addresses nobody asks something: it has a question mark of any script outside code."""
    return any(mark in without_code(text) for mark in "?？؟՞")


def _bare(text: str) -> str:
    """The words alone, in small letters and one space apart."""
    words = _EMOJI_CODE.sub(" ", text).casefold()
    return " ".join(re.sub(r"[^\w\s]", "", words).split())


def _plain(text: str, bot: str) -> str:
    text = re.sub(rf"<@{re.escape(bot)}(?:\|[^>]*)?>[ \t]*", "", text)
    text = _CHANNEL.sub(r"#\1", text)
    text = _LABELLED_LINK.sub(lambda m: m[2] if m[2] in m[1] else f"{m[2]} ({m[1]})", text)
    text = _LINK.sub(r"\1", text)
    text = _SPECIAL.sub(lambda m: m[2] or f"@{m[1]}", text)
    return unescape(text)
