"""The shortcuts in a message's menu."""

from __future__ import annotations

from dataclasses import dataclass, replace

from slack_sdk.web.async_client import AsyncWebClient

from bot.core import Core
from bot.domain import PlaceKind, Question
from bot.errors import UnusableQuestion
from bot.learning.labels import Signal
from handlers.answering import Answering, Asked
from handlers.audience import Places
from handlers.blocks import ask_about, example
from handlers.blocks.answer import question_of
from handlers.identity import Identity
from handlers.markdown import escape
from handlers.origin import Origin, metadata
from handlers.permissions import Roles
from handlers.shapes import JSON
from handlers.slack_files import attachments, by_id
from handlers.text import has_words, said
from knowledge import access


@dataclass(frozen=True, slots=True)
class Shortcuts:
    """ "Ask about this" and "Save as example"."""

    ASK = "ask_about"

    client: AsyncWebClient
    core: Core
    places: Places
    answering: Answering
    identity: Identity
    roles: Roles

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

    async def save_example(self, payload: JSON) -> None:
        """Opens the modal with the question and the answer, to be reviewed before they are kept."""
        origin = Origin.of(payload)
        message: JSON = payload["message"]
        question, answer = await self._question_and_answer(message, origin.person)
        place = await self.places.place(origin.workspace, str(origin.channel))
        everyone = place.kind is PlaceKind.CHANNEL and await self.roles.is_admin(origin.person)
        answered = question_of(message)
        known = {"question": answered} if answered else {}
        view = example.example_modal(question, answer, everyone=everyone, metadata=origin.metadata(**known))
        await self.client.views_open(trigger_id=str(origin.trigger_id), view=view)

    def unsaved(self, payload: JSON) -> dict[str, str]:
        """What is wrong with the example by block, in words; empty where it can be kept."""
        question, answer = example.written(payload)
        errors = {}
        if not has_words(question):
            errors[example.QUESTION] = "Write the question that this answers."
        if not has_words(answer):
            errors[example.ANSWER] = "Write the answer."
        return errors

    async def example_saved(self, payload: JSON) -> None:
        """Keeps the example for those who could read the message, or for everyone where an admin in public says so."""
        origin = Origin.of(payload)
        question, answer = example.written(payload)
        readers, answered = await self._readers(origin), metadata(payload).get("question")
        await self.core.examples.save(question, answer, readers, origin.person, answered=answered)
        await self._note_kept(answered or "", answer, origin.person)
        who = "everyone" if readers == access.PUBLIC else "those who can read that message"
        await origin.line(self.client).say(f"Saved. I will use it as an example in answers for {who}.")

    async def _note_kept(self, question_id: str, answer: str, person: str) -> None:
        """Who keeps the bot's answer as it was says that it is good; of one that was put right nothing is known."""
        question = await self.core.assistant.asked(question_id) if question_id else None
        if question is None or not await self.places.may_read(person, question):
            return
        shown = example.shown(await self.core.assistant.answered(question_id) or "")
        if answer.split() == shown.split():
            await self.core.labels.add(question_id, person, Signal.COPIED)

    async def _question_and_answer(self, message: JSON, person: str) -> tuple[str, str]:
        known = question_of(message)
        if known is not None:
            question = await self.core.assistant.asked(known)
            answer = await self.core.assistant.answered(known)
            if question is not None and await self._may_read(person, question):
                return question.text, answer or ""
        return "", said(message.get("text", ""), (await self.identity.bot()).user)

    async def _may_read(self, person: str, question: Question) -> bool:
        """Whether the person can read the place of a question, and all that its answer rests on."""
        scopes = (await self.places.alone(person)).scopes
        open_to = await self.core.bases.answers_for([question.id], scopes)
        return bool(open_to) and await self.places.may_read(person, question)

    async def _readers(self, origin: Origin) -> frozenset[str]:
        place = await self.places.place(origin.workspace, str(origin.channel))
        if place.kind is PlaceKind.DM:
            return frozenset({access.user(origin.person)})
        if place.kind is PlaceKind.CHANNEL and await self.roles.is_admin(origin.person):
            return access.PUBLIC
        return frozenset({access.channel(place.channel)})
