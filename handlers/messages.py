"""Messages: which of them ask the bot something, and what is kept of the others."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from itertools import pairwise

import structlog

from bot.core import Core
from bot.enclosing import may_be_spoken, without_question
from bot.learning.corrections import is_correction
from bot.learning.labels import Signal
from handlers.answering import Answering, Asked
from handlers.blocks import help
from handlers.drawing import Drawings, to_draw
from handlers.handing_off import NO_QUESTION
from handlers.identity import Identity
from handlers.origin import Origin
from handlers.shapes import JSON, is_spoken
from handlers.slack_files import attachments
from handlers.text import (
    addresses_a_group,
    asks_for_help,
    has_words,
    is_courtesy,
    is_question,
    mentioned,
    said,
    wants_a_person,
)

log = structlog.get_logger(__name__)

HINT = "Ask me something after my name, for example: “@Switchboard how do I …?” `/switchboard` tells what I can do."
NO_WORDS = (
    "I can answer questions in words, in any language, but I found none in your message. What would you like to know?"
)
GLAD = "Glad to help. Ask on whenever you like."
COMMAND = re.compile(r"/?model\s+(?P<arguments>(?:use|auto)\b.*|why\s*\??)", re.IGNORECASE | re.DOTALL)

HandOff = Callable[[str, Origin], Awaitable[None]]
"""“I need a person”: the id of the question that it is about, who said so and where."""
ModelCommand = Callable[[Asked, str], Awaitable[None]]
"""`/model` written as a message in a thread: who and where, and the words after "model"."""


class Messages:
    """Listens to messages and mentions."""

    def __init__(
        self,
        core: Core,
        answering: Answering,
        identity: Identity,
        model_command: ModelCommand,
        drawings: Drawings,
        hand_off: HandOff,
    ) -> None:
        self._core = core
        self._answering = answering
        self._identity = identity
        self._model_command = model_command
        self._drawings = drawings
        self._hand_off = hand_off

    async def mention(self, reference: str, body: JSON) -> None:
        """Somebody called the bot by its name in a channel."""
        event: JSON = body["event"]
        bot = (await self._identity.bot()).user
        own = event.get("bot_id") or event.get("user") in (None, bot)
        elsewhere = "edited" in event or event["channel"].startswith("D")  # comes as a message, or has come before
        if own or elsewhere or bot not in mentioned(event.get("text", "")):
            _passed_over(event)
        else:
            await self._answer(reference, body, bot)

    async def message(self, reference: str, body: JSON) -> None:
        """Anything that was said, changed or deleted where the bot is."""
        event: JSON = body["event"]
        bot = (await self._identity.bot()).user
        match event.get("subtype"):
            case "message_changed":
                await self._changed(event, bot)
            case "message_deleted":
                await self._deleted(event["channel"], event.get("previous_message", {}), event["deleted_ts"])
            case _ if is_spoken(event) and event.get("user") not in (None, bot):
                await self._spoken(reference, body, bot)
            case _:
                _passed_over(event)

    async def _changed(self, event: JSON, bot: str) -> None:
        message: JSON = event["message"]
        if message.get("subtype") == "tombstone":
            await self._deleted(event["channel"], message, message["ts"])
        elif not message.get("bot_id") and message.get("user") != bot:
            text = message.get("text", "")
            await self._core.conversations.edit(event["channel"], message["ts"], said(text, bot))
            await self._core.inbox.revise(event["channel"], message["ts"], lambda payload: _reworded(payload, text))
            log.info("edited", channel=event["channel"], ts=message["ts"])

    async def _deleted(self, channel: str, message: JSON, ts: str) -> None:
        await self._core.conversations.delete(channel, message.get("thread_ts", ts), ts)
        await self._core.inbox.revise(channel, ts, None)
        log.info("deleted", channel=channel, ts=ts)

    async def asks(self, body: JSON) -> bool:
        """Whether an event asks the bot something that it will answer."""
        event: JSON = body.get("event") or {}
        bot = (await self._identity.bot()).user
        if not is_spoken(event) or event.get("user") in (None, bot):
            return False
        if event.get("type") == "app_mention":
            return not event["channel"].startswith("D") and bot in mentioned(event.get("text", ""))
        return await self._asks(event, bot) is True

    async def _spoken(self, reference: str, body: JSON, bot: str) -> None:
        event: JSON = body["event"]
        asks = await self._asks(event, bot)
        # Whoever says it in a thread with the bot means the bot, whoever else talks there.
        if asks or (asks is False and wants_a_person(said(event.get("text", ""), bot))):
            await self._answer(reference, body, bot)
        elif asks is False:  # said in a conversation that the bot is part of
            text = said(event.get("text", ""), bot)
            await self._note_correction(event, text)
            await self._core.conversations.record(
                event["channel"], event["thread_ts"], event["ts"], "user", event["user"], text
            )

    async def _asks(self, event: JSON, bot: str) -> bool | None:
        """Whether a message asks the bot something; None where it is none of its business."""
        text, channel = event.get("text", ""), event["channel"]
        if event.get("channel_type") == "im" or channel.startswith("D"):
            return True
        if bot in mentioned(text):
            return None  # the same message comes as a mention too
        if event.get("thread_ts"):
            return await self._follows_up(event, bot)
        if channel in self._core.settings.slack.answer_channels and is_question(text) and not mentioned(text):
            return True
        _passed_over(event)
        return None

    async def _follows_up(self, event: JSON, bot: str) -> bool | None:
        channel, thread = event["channel"], event["thread_ts"]
        conversations = self._core.conversations
        if not self._answering.busy(channel, thread) and not await conversations.takes_part(channel, thread):
            return None
        speakers = await conversations.speakers(channel, thread, before=event["ts"])
        return speaks_to_the_bot(event.get("text", "") or _spoken(event), event["user"], speakers, bot)

    async def _answer(self, reference: str, body: JSON, bot: str) -> None:
        event: JSON = body["event"]
        text = said(event.get("text", ""), bot)
        await self._note_correction(event, text)
        files = attachments(event)
        asked = Asked(
            reference=reference,
            text=text,
            person=event["user"],
            workspace=str(body.get("team_id") or event.get("team") or ""),
            channel=event["channel"],
            thread=event.get("thread_ts") or event["ts"],
            ts=event["ts"],
            attachments=files,
        )
        if command := COMMAND.fullmatch(text):
            await self._model_command(asked, command["arguments"])
        elif wants_a_person(text):
            await self._wants_a_person(asked)
        elif is_courtesy(text):
            await self._answering.say(asked.reference, asked.channel, asked.thread, GLAD)
        elif asks_for_help(text):
            await self._answering.say(asked.reference, asked.channel, asked.thread, help.TEXT, help.help_blocks())
        elif not files and (what := to_draw(text)):
            await self._drawings.in_thread(asked, what)
        elif has_words(text) or any(map(may_be_spoken, files)):
            await self._answering.in_thread(asked)
        else:
            hint = without_question(files) if files else NO_WORDS if text else HINT
            log.info("hint", person=asked.person, channel=asked.channel, files=len(files))
            await self._answering.say(asked.reference, asked.channel, asked.thread, hint)

    async def _wants_a_person(self, asked: Asked) -> None:
        channel, thread = asked.channel, str(asked.thread)
        question_id = await self._core.conversations.last_answered(channel, thread)
        if question_id is None:
            await self._answering.say(asked.reference, channel, thread, NO_QUESTION)
            return
        origin = Origin(person=asked.person, workspace=asked.workspace, channel=channel, thread=thread)
        await self._hand_off(question_id, origin)

    async def _note_correction(self, event: JSON, text: str) -> None:
        """Whoever says in the thread that the answer before is wrong, has judged it."""
        thread = event.get("thread_ts")
        if thread is None or not is_correction(text):
            return
        question_id = await self._core.conversations.answer_before(event["channel"], thread, event["ts"])
        if question_id is not None:
            await self._core.labels.add(question_id, event["user"], Signal.CORRECTED)
            log.info("corrected", question=question_id)


def _spoken(event: JSON) -> str:
    """Stands for the words of a voice message, which nobody has listened to yet; "" where there is none."""
    return "spoken" if any(file.mimetype.startswith("audio/") for file in attachments(event)) else ""


def _reworded(payload: JSON, text: str) -> JSON | None:
    """An event with other words; None where they are the same, as where Slack has added a preview of a link."""
    event: JSON = payload["event"]
    return None if event.get("text", "") == text else {**payload, "event": {**event, "text": text}}


def _passed_over(event: JSON) -> None:
    """So that an admin can find out why nothing was answered."""
    log.info("not_for_us", channel=event.get("channel"), ts=event.get("ts"), subtype=event.get("subtype"))


def speaks_to_the_bot(text: str, person: str, speakers: Sequence[tuple[str, str]], bot: str) -> bool:
    """Whether a message in a thread that the bot is part of is meant for it, though it does not name it.

    `speakers`: the role and the author of each message before it.

    It is, where the person is alone with the bot, or has asked it before and speaks right after it; not where it
    addresses somebody else, only thanks, or has no words.
    """
    others = [user for user in mentioned(text) if user != bot]
    if others or addresses_a_group(text) or not has_words(text) or is_courtesy(text):
        return False
    people = {author for role, author in speakers if role == "user"}
    if people <= {person}:
        return True
    if not speakers or speakers[-1][0] != "assistant":
        return False
    answered = [author for (_, author), (role, _) in pairwise(speakers) if role == "assistant"]
    return person in answered
