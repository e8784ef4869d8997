"""The shortcut "Ask about this" in a message's menu."""

from __future__ import annotations

from dataclasses import dataclass, replace

from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import UnusableQuestion
from handlers.answering import Answering, Asked
from handlers.blocks import ask_about
from handlers.identity import Identity
from handlers.markdown import escape
from handlers.origin import Origin, metadata
from handlers.shapes import JSON
from handlers.slack_files import attachments, by_id
from handlers.text import has_words, said


@dataclass(frozen=True, slots=True)
class Shortcuts:
    """ "Ask about this"."""

    ASK = "ask_about"

    client: AsyncWebClient
    answering: Answering
    identity: Identity

    async def ask_about(self, payload: JSON) -> None:
        """Opens the modal for a question about a message."""
        origin = Origin.of(payload)
        message: JSON = payload["message"]
        thread = message.get("thread_ts") or message["ts"]
        text = said(message.get("text", ""), (await self.identity.bot()).user)
        files = attachments(message)
        kept = {"files": ",".join(file.id for file in files)} if files else {}
        shown = "\n".join([text, *(f"({file.name})" for file in files)]).strip()
        view = ask_about.ask_modal(shown, origin.metadata(thread=thread, **kept))
        await self.client.views_open(trigger_id=str(origin.trigger_id), view=view)

    async def asked_about(self, reference: str, payload: JSON) -> None:
        """The modal was submitted: answered in the message's thread, or to the person alone."""
        origin = Origin.of(payload)
        question, about, private = ask_about.written(payload)
        if not has_words(question):
            raise UnusableQuestion("I found no question in words. Please try again.")
        quoted = "\n".join(f"> {line}" for line in about.splitlines())
        asked = Asked(
            reference=reference,
            text=f"{question}\n\n{quoted}" if about and about != question else question,
            person=origin.person,
            workspace=origin.workspace,
            channel=str(origin.channel),
            thread=origin.thread,
            attachments=tuple(map(by_id, filter(None, metadata(payload).get("files", "").split(",")))),
        )
        if private:
            await self.answering.privately(asked, origin.line(self.client))
        else:
            await self.answering.in_thread(await self._asked_aloud(asked, question))

    async def _asked_aloud(self, asked: Asked, question: str) -> Asked:
        """An answer in a thread needs a question there: it is posted in the person's name."""
        ts = await self.answering.begun.once(
            asked.reference,
            "asked",
            channel=asked.channel,
            thread=asked.thread,
            text=f"<@{asked.person}> asks: {escape(question)}",
        )
        return replace(asked, ts=ts)
