"""What a person's Slack text says: mentions, code, words."""

from __future__ import annotations

import re
from html import unescape

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]+`", re.DOTALL)
_MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")
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


def without_code(text: str) -> str:
    """The text without code blocks and inline code: what is in there is quoted, not said."""
    return _CODE.sub(" ", text)


def mentioned(text: str) -> tuple[str, ...]:
    """Ids of the people whom the text addresses, outside code."""
    return tuple(_MENTION.findall(without_code(text)))


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
    words = _EMOJI_CODE.sub(" ", text).casefold()
    return _COURTESY.fullmatch(re.sub(r"[^\w\s]", "", words).strip()) is not None


def is_question(text: str) -> bool:
    """Whether a message that addresses nobody asks something: it has a question mark of any script outside code."""
    return any(mark in without_code(text) for mark in "?？؟՞")


def _plain(text: str, bot: str) -> str:
    text = re.sub(rf"<@{re.escape(bot)}(?:\|[^>]*)?>[ \t]*", "", text)
    text = _CHANNEL.sub(r"#\1", text)
    text = _LABELLED_LINK.sub(lambda m: m[2] if m[2] in m[1] else f"{m[2]} ({m[1]})", text)
    text = _LINK.sub(r"\1", text)
    text = _SPECIAL.sub(lambda m: m[2] or f"@{m[1]}", text)
    return unescape(text)
