"""What of a channel is no knowledge: what Slack itself and programs say, and small talk.

The rules are few and plain, so that everybody can foresee what is read:

- Messages of programs, ours among them, and what Slack says itself (somebody joined, a topic was set) are left out.
- A question to the bot is left out too, unless people answered each other there.
- A message that nobody answered in a thread has to say something: seven words or more that are no greeting, or code,
  a link or a file. In a script that puts no spaces between words, twelve letters.
"""

from __future__ import annotations

import re

from knowledge.sources.slack.api import JSON

SPOKEN = frozenset({None, "file_share", "me_message", "thread_broadcast"})
TOMBSTONE = "tombstone"
_WORDS = 7
_LETTERS = 12

_ENTITY = re.compile(r"<[@#!][^>]*>")
_ADDRESS = re.compile(r"<(?:https?|mailto|tel):[^>]+>")
EMOJI = re.compile(r":[a-z0-9_+'-]+(?:::skin-tone-\d)?:")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_WORD = re.compile(r"\w[\w'’./-]*")
_GREETING = re.compile(
    r"(?:(?:hi|hello|hey|morning|good (?:morning|evening|afternoon|night)|welcome|congrats|congratulations|thanks|"
    r"thank you|happy (?:birthday|friday|new year|holidays)|hallo|guten (?:morgen|tag|abend)|danke|hola|buenos días|"
    r"bonjour|merci|ciao)\b)",
    re.IGNORECASE,
)
_GREETING_WORDS = 12


def is_spoken(message: JSON) -> bool:
    """Whether a person said it, as far as the message itself tells."""
    if message.get("subtype") not in SPOKEN or message.get("bot_id") or message.get("bot_profile"):
        return False
    return bool(message.get("user")) and message["user"] != "USLACKBOT"


def addresses(message: JSON, bot: str) -> bool:
    """Whether it speaks to the bot."""
    return f"<@{bot}>" in str(message.get("text") or "") or f"<@{bot}|" in str(message.get("text") or "")


def says_something(message: JSON) -> bool:
    """Whether a message that nobody answered may be worth finding."""
    text = str(message.get("text") or "")
    if message.get("files") or "`" in text or _ADDRESS.search(text):
        return True
    if any(each.get("is_share") or each.get("is_msg_unfurl") for each in message.get("attachments") or ()):
        return True
    text = EMOJI.sub(" ", _ENTITY.sub(" ", text)).strip()
    if len(_UNSPACED.findall(text)) >= _LETTERS:
        return True
    words = _WORD.findall(text)
    return len(words) >= (_GREETING_WORDS if _GREETING.match(text) else _WORDS)
