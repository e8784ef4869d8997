"""What goes wrong, as a sentence for the person, with the reference that the log line has too."""

from __future__ import annotations

import secrets

import aiohttp
from slack_sdk.errors import SlackApiError
from sqlalchemy.exc import OperationalError

from bot.errors import SwitchboardError
from bot.storage.engine import reason
from knowledge.errors import KnowledgeError

_SLACK = {
    "channel_not_found": "I cannot see that channel. Invite me with `/invite @Switchboard`, then ask again.",
    "not_in_channel": "I am not a member of that channel. Invite me with `/invite @Switchboard`, then ask again.",
    "is_archived": "That channel is archived, so I cannot write there.",
    "thread_not_found": "The message that you asked in is gone, so I cannot answer under it.",
    "ratelimited": "Slack asked me to slow down. Please try again in a minute.",
    "missing_scope": "Slack does not let me do that: the app lacks a permission. An admin can add it.",
    **dict.fromkeys(
        ("expired_trigger_id", "exchanged_trigger_id", "invalid_trigger_id"),
        "That took too long for Slack to open a window. Please press the button again.",
    ),
    **dict.fromkeys(
        ("internal_error", "fatal_error", "service_unavailable", "request_timeout"),
        "Slack itself has a problem just now. Please try again in a minute.",
    ),
    "message_not_found": "The message that this is about is gone.",
    "user_not_found": "Slack does not know that person here, so I could not do it.",
}
GONE = frozenset({"channel_not_found", "not_in_channel", "is_archived", "thread_not_found", "restricted_action"})
"""Slack's errors that say: nothing can be written in this place."""

REFUSED_BLOCKS = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"})
"""Slack's errors that say: the same without blocks would be taken."""


def new_reference() -> str:
    """An id that ties a question, its log lines, its ledger rows and what the person was told."""
    return secrets.token_hex(6)


def code(error: BaseException) -> str:
    """Slack's own word for what went wrong, "" where it is not Slack's."""
    return str(error.response.get("error", "")) if isinstance(error, SlackApiError) else ""


def is_told(error: BaseException) -> bool:
    """Whether what the person hears says what went wrong, so that nobody needs the traceback."""
    if isinstance(error, SlackApiError):
        return code(error) in _SLACK
    return isinstance(error, (SwitchboardError, KnowledgeError, OperationalError, aiohttp.ClientError, TimeoutError))


def sentence(error: BaseException, reference: str) -> str:
    """What to tell the person; never a traceback, never a secret."""
    return f"{cause(error)} (reference {reference})"


def cause(error: BaseException) -> str:
    """What went wrong and the way out, without a reference."""
    if isinstance(error, (SwitchboardError, KnowledgeError)):
        return str(error)
    if isinstance(error, SlackApiError):
        return _SLACK.get(code(error), f"Slack did not accept what I sent ({code(error) or 'no reason given'}).")
    if isinstance(error, OperationalError):
        return f"My database could not be read or written ({reason(error)}). Please try again in a minute."
    if isinstance(error, (aiohttp.ClientError, TimeoutError)):
        return "A service that I need did not answer. Please try again in a minute."
    return "Something went wrong on my side. Please try again; an admin finds the details in the log."
