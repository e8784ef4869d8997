"""Pictures on request: "draw …" in a message, behind /ask, or in a message's menu."""

from __future__ import annotations

import re
from functools import partial

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.core import Core
from bot.domain import Question
from bot.drawing import Picture
from bot.errors import SwitchboardError
from handlers.answering import Asked
from handlers.audience import Places
from handlers.begun import Begun
from handlers.blocks import words
from handlers.errors import GONE, code, new_reference
from handlers.limiting import Limiting
from handlers.markdown import escape, shorten
from handlers.origin import Origin
from handlers.private_line import PrivateLine
from handlers.shapes import JSON
from handlers.text import has_words, said
from knowledge.secrets import masking

log = structlog.get_logger(__name__)

# What is drawn but is no picture: "draw a conclusion from …", "draw up a plan", "draw on what we learned".
_NO_PICTURE = (
    r"(?:up|on|upon|from|out|near|in|into|back|together|attention|inspiration|lots)\b"
    r"|(?:a|an|any|some|the|your|our)?\s*(?:\w+\s+)?"
    r"(?:conclusions?|comparisons?|distinctions?|parallels?|inferences?|lessons?|attention|line\s+between)\b"
)
_DRAW = re.compile(
    rf"(?:please\s+|can\s+you\s+|could\s+you\s+)*draw\s+(?:me\s+|us\s+)?(?!{_NO_PICTURE})(?P<what>\S.*)",
    re.IGNORECASE | re.DOTALL,
)
_ENDINGS = {"image/png": "png", "image/jpeg": "jpg"}
PICTURE, REFUSAL = "drawing", "refusal"
"""What is said once."""
ALT, TITLE = 1_000, 100
"""Characters of the description in the picture's text alternative and in its title."""


def to_draw(text: str) -> str | None:
    """What a message asks to have drawn; None where it asks for no picture."""
    match = _DRAW.fullmatch(text.strip())
    return match["what"].strip().rstrip("?").strip() if match else None


class Drawings:
    """Draws what people ask for, and brings it to them."""

    def __init__(self, client: AsyncWebClient, core: Core, places: Places, begun: Begun) -> None:
        self._client = client
        self._begun = begun
        self._core = core
        self._places = places
        self._limiting = Limiting(client, core.limits)

    async def in_thread(self, asked: Asked, what: str) -> None:
        """The picture comes in the thread; where nothing can be written there, in a direct message."""
        if not await self._limiting.admits(asked.person, asked.channel, asked.thread, asked.reference):
            return
        if await self._begun.stands(asked.reference, PICTURE) is not None:
            return
        thread = str(asked.thread)
        if asked.ts is not None:
            await self._core.conversations.record(
                asked.channel, thread, asked.ts, "user", asked.person, asked.text, asked.reference
            )
        await self._status(asked.channel, thread)
        try:
            picture = await self._drawn(asked, what)
        except SwitchboardError as error:
            log.warning("picture_failed", question=asked.reference, kind=type(error).__name__, reason=str(error))
            sentence = f"{error} (Reference {asked.reference})"
            ts = await self._begun.once(
                asked.reference, REFUSAL, channel=asked.channel, thread=thread, text=escape(sentence)
            )
            await self._core.conversations.record(asked.channel, thread, ts, "assistant", "", sentence, asked.reference)
            return
        upload = partial(self._upload, picture, what, asked)
        try:
            await upload(asked.channel, thread)
        except SlackApiError as error:
            if code(error) not in GONE:
                raise
            await upload(await self._direct(asked.person), None)
        await self._status(asked.channel, thread, done=True)

    async def privately(self, asked: Asked, what: str, line: PrivateLine) -> None:
        """The picture comes in a direct message: Slack shows no uploaded file to one person of a channel alone."""
        if not await self._limiting.admits(asked.person, asked.channel, asked.thread, asked.reference, line):
            return
        if await self._begun.stands(asked.reference, PICTURE) is not None:
            return
        try:
            picture = await self._drawn(asked, what, private=True)
        except SwitchboardError as error:
            log.warning("picture_failed", question=asked.reference, kind=type(error).__name__, reason=str(error))
            await line.say(f"{escape(str(error))} (Reference {asked.reference})")
            return
        await self._upload(picture, what, asked, await self._direct(asked.person), None)
        await line.say("Your picture is in our direct messages.")

    async def draw_this(self, payload: JSON) -> None:
        """The shortcut in a message's menu: what the message says is drawn into its thread."""
        origin, message = Origin.of(payload), payload["message"]
        text = said(message.get("text", ""), "")
        if not has_words(text):
            await origin.line(self._client).say("I found no words in that message that I could draw.")
            return
        asked = Asked(
            reference=new_reference(),
            text=text,
            person=origin.person,
            workspace=origin.workspace,
            channel=str(origin.channel),
            thread=message.get("thread_ts") or message["ts"],
        )
        await self.in_thread(asked, to_draw(text) or text)

    async def _drawn(self, asked: Asked, what: str, *, private: bool = False) -> Picture:
        place = await self._places.place(asked.workspace, asked.channel, asked.thread)
        question = Question(
            id=asked.reference,
            text=what,
            asker=asked.person,
            place=place,
            audience=await self._places.audience(place, asked.person, private=private),
            asked_at=self._core.clock(),
            private=private,
        )
        return await self._core.drawing.draw(question)

    async def _upload(self, picture: Picture, what: str, asked: Asked, channel: str, thread: str | None) -> None:
        image, shown = picture.image, masking().text(" ".join(what.split()))
        name = await self._begun.intend(asked.reference, PICTURE, channel, thread)
        made = (f"*{escape(picture.model)}*", words.money(picture.price.amount), words.seconds(picture.seconds))
        await self._client.files_upload_v2(
            file=image.data,
            filename=f"{name}.{_ENDINGS.get(image.mimetype, 'png')}",
            title=shorten(shown, TITLE),
            alt_txt=shorten(shown, ALT),
            channel=channel,
            thread_ts=thread,
            initial_comment=f"Drawn for <@{asked.person}> · {' · '.join(made)}",
        )
        log.info("drawn", channel=channel, model=picture.model, seconds=round(picture.seconds, 3))

    async def _direct(self, person: str) -> str:
        return str((await self._client.conversations_open(users=person))["channel"]["id"])

    async def _status(self, channel: str, thread: str, *, done: bool = False) -> None:
        """Says that it is being worked on; an upload does not take that away as a message does."""
        told = {"status": ""} if done else {"status": "is drawing …", "loading_messages": ["Drawing …"]}
        try:
            await self._client.assistant_threads_setStatus(channel_id=channel, thread_ts=thread, **told)
        except (SlackApiError, aiohttp.ClientError, TimeoutError) as error:
            log.debug("status_refused", error=code(error) or type(error).__name__)
