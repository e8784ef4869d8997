"""How examples are kept, changed and retired in Slack."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.core import Core
from bot.domain import PlaceKind, Question
from bot.errors import ChangedMeanwhile, FileUnread, NotAllowed, UnknownExample, UnusableExamples
from bot.learning.editor import Editor, may_change
from bot.learning.example_csv import MOST_BYTES, parse, summary
from bot.learning.labels import Signal
from bot.learning.reviewed import Draft, Reviewed
from bot.strategies.citing import uncited
from handlers.audience import Places
from handlers.blocks import example, example_list
from handlers.blocks.answer import question_of
from handlers.errors import code
from handlers.identity import Identity
from handlers.origin import Origin, metadata
from handlers.permissions import Roles
from handlers.shapes import JSON, pressed
from handlers.slack_files import SlackFiles, by_id
from handlers.text import said
from knowledge import access

log = structlog.get_logger(__name__)

GONE = "This example is not there any more, or you may not read it. `/examples` lists those that you may."


@dataclass(frozen=True, slots=True)
class ExampleModals:
    """The modals of examples, and the buttons beside each one in a list."""

    client: AsyncWebClient
    core: Core
    places: Places
    identity: Identity
    roles: Roles

    async def from_message(self, payload: JSON) -> None:
        """The shortcut: the message is the answer, and its thread's question the question."""
        origin = Origin.of(payload)
        message: JSON = payload["message"]
        answered = question_of(message)
        if answered is not None:
            await self._open_answer(origin, answered)
            return
        bot = await self.identity.bot()
        is_person = not message.get("bot_id") and message.get("user") != bot.user
        draft = Draft.of(await self._asked_in_thread(origin, message), said(message.get("text", ""), bot.user))
        author = {"author": str(message["user"])} if is_person and message.get("user") else {}
        await self._open(origin, draft, origin.metadata(**author))

    async def from_thumb(self, payload: JSON) -> None:
        """The button under the thanks for a thumb up."""
        await self._open_answer(Origin.of(payload), pressed(payload))

    async def add(self, origin: Origin) -> None:
        """An empty modal."""
        await self._open(origin, Draft.of("", ""), origin.metadata(author=origin.person))

    async def edit_pressed(self, payload: JSON) -> None:
        """Opens one that is there, to be changed."""
        origin = Origin.of(payload)
        editor = await self.editor(origin)
        one = await self._one(pressed(payload), editor)
        if not may_change(one, editor):
            raise NotAllowed(f"<@{one.example.saved_by}> reviewed this example: they or an admin can change it.")
        await self._open_edit(origin, one, _draft_of(one))

    async def retire_pressed(self, payload: JSON) -> None:
        """Takes one out of use, and offers to undo it."""
        origin = Origin.of(payload)
        editor, id = await self.editor(origin), pressed(payload)
        await self.core.examples.retire(id, editor)
        await origin.line(self.client).say(*example_list.retired(await self._one(id, editor)))

    async def restore_pressed(self, payload: JSON) -> None:
        """Takes one into use again."""
        origin = Origin.of(payload)
        await self.core.examples.restore(pressed(payload), await self.editor(origin))
        await origin.line(self.client).replace("It is back: I use it as an example again.", [])

    async def confirm_pressed(self, payload: JSON) -> None:
        """Somebody says that a flagged one is right."""
        origin = Origin.of(payload)
        await self.core.examples.confirm(pressed(payload), await self.editor(origin))
        await origin.line(self.client).say("Thank you. The warning is gone, and I use it as before.")

    def wrong(self, payload: JSON) -> dict[str, str]:
        """What is wrong with the modal by block, in words; empty where it can be kept."""
        found: dict[str, str] = {}
        if example.chosen(payload) != example.LEAVE:
            for name, phrase in example.written(payload).wrong(self.core.examples.today()):
                found.setdefault(name, f"It {phrase}.")
        return found

    async def submitted(self, payload: JSON) -> None:
        """Keeps what was written: as a new example, in the place of one, or not at all; where one asks the same, the
        person is asked first."""
        origin, draft, choice = Origin.of(payload), example.written(payload), example.chosen(payload)
        kept, line = metadata(payload), origin.line(self.client)
        if choice == example.LEAVE:
            await line.say("Nothing was changed: the example that is there stays as it is.")
            return
        readers, editor = await self.readers(origin, kept.get("question")), await self.editor(origin)
        answered = kept.get("question")
        if "example" in kept and choice in ("", example.UPDATE):
            author = kept.get("author", "" if choice else None)
            await self._changed(origin, kept, draft, editor, author)
            return
        if not choice and (there := await self._like(draft, readers, editor)) is not None:
            more = {"example": there.example.id, "version": str(there.version)}
            blocks = example.like_it(there, may_change=may_change(there, editor))
            await self._open(origin, draft, origin.metadata(**_beside(kept), **more), readers=readers, there=blocks)
            return
        author = kept.get("author", "")
        await self.core.examples.save(
            draft.question,
            draft.answer,
            readers,
            origin.person,
            answered=answered,
            tags=draft.tags,
            author=author,
            valid_until=draft.valid_until,
        )
        await self._note_kept(answered or "", draft.answer, origin.person)
        who = example.readers_in_words(readers)
        await line.say(f"Saved. I will use it as an example in answers for {who}.")

    async def open_import(self, origin: Origin) -> None:
        """The modal that takes a file."""
        readers = await self.readers(origin)
        view = example.import_modal(example.readers_in_words(readers), origin.metadata())
        await self.client.views_open(trigger_id=str(origin.trigger_id), view=view)

    async def imported(self, payload: JSON) -> None:
        """Takes in a file, and says what came of it. Raises FileUnread, UnusableExamples or ChangedMeanwhile."""
        origin = Origin.of(payload)
        id = example.file_in(payload)
        if not id:
            raise FileUnread("No file came with it. Choose a CSV file: `/examples import`.")
        file, data = await SlackFiles(self.client).fetch(by_id(id), MOST_BYTES)
        found = await asyncio.to_thread(parse, data, file.name, self.core.examples.today())
        if not found.drafts:
            raise UnusableExamples(f"{file.name}: {summary(0, 0, found.left_out, found.extra)}")
        readers, editor = await self.readers(origin), await self.editor(origin)
        steps = await self.core.examples.take_in(found.drafts, readers, editor)
        told = steps.told(found)
        log.info("examples_imported", person=origin.person, count=len(steps.steps))
        await origin.line(self.client).say(f"{file.name}: {told} I use them in answers for {_who(readers)}.")

    async def editor(self, origin: Origin) -> Editor:
        """What the person may read and change."""
        scopes = (await self.places.alone(origin.person)).scopes
        return Editor(origin.person, scopes, await self.roles.is_admin(origin.person))

    async def _changed(
        self, origin: Origin, kept: dict[str, str], draft: Draft, editor: Editor, author: str | None
    ) -> None:
        try:
            one = await self.core.examples.edit(
                kept["example"],
                int(kept.get("version") or 0),
                draft,
                editor,
                author=author,
                answered=kept.get("question"),
            )
        except ChangedMeanwhile:
            now = await self._one(kept["example"], editor)
            await self._open_edit(origin, now, draft, there=example.changed_meanwhile(now), **_beside(kept))
            return
        who = example.readers_in_words(one.example.readers)
        await origin.line(self.client).say(f"Updated. I use it as an example in answers for {who}.")

    async def _open_answer(self, origin: Origin, question_id: str) -> None:
        """Opens the modal with an answer of the bot's, where the person may read all of it."""
        question = await self.core.assistant.asked(question_id)
        if question is None or not await self._may_read(origin.person, question):
            draft = Draft.of("", "")
        else:
            draft = Draft.of(question.text, uncited(await self.core.assistant.answered(question_id) or ""))
        await self._open(origin, draft, origin.metadata(question=question_id))

    async def _open(
        self,
        origin: Origin,
        draft: Draft,
        kept: str,
        *,
        readers: frozenset[str] | None = None,
        there: list[JSON] | None = None,
    ) -> None:
        if readers is None:
            readers = await self.readers(origin, metadata({"view": {"private_metadata": kept}}).get("question"))
        view = example.example_modal(draft, _who(readers), metadata=kept, there=there)
        await self.client.views_open(trigger_id=str(origin.trigger_id), view=view)

    async def _open_edit(
        self, origin: Origin, one: Reviewed, draft: Draft, *, there: list[JSON] | None = None, **more: str
    ) -> None:
        kept = origin.metadata(**more, example=one.example.id, version=str(one.version))
        view = example.example_modal(
            draft, _who(one.example.readers), metadata=kept, title="Change an example", there=there
        )
        await self.client.views_open(trigger_id=str(origin.trigger_id), view=view)

    async def _one(self, id: str, editor: Editor) -> Reviewed:
        found = await self.core.examples.one(id, editor.scopes)
        if found is None:
            raise UnknownExample(GONE)
        return found

    async def _like(self, draft: Draft, readers: frozenset[str], editor: Editor) -> Reviewed | None:
        found = await self.core.examples.like(draft.question, readers)
        # One that rests on what the person may not read is not shown to them.
        return await self.core.examples.one(found.example.id, editor.scopes) if found is not None else None

    async def _asked_in_thread(self, origin: Origin, message: JSON) -> str:
        """What a thread began with; "" where the message stands alone or the thread cannot be read."""
        thread = message.get("thread_ts")
        if not thread or thread == message.get("ts") or origin.channel is None:
            return ""
        try:
            found = await self.client.conversations_replies(channel=origin.channel, ts=thread, limit=1)
        except SlackApiError as error:
            log.info("thread_not_read", channel=origin.channel, error=code(error))
            return ""
        first: JSON = next(iter(found["messages"]), {})
        return said(first.get("text", ""), (await self.identity.bot()).user)

    async def _note_kept(self, question_id: str, answer: str, person: str) -> None:
        """Who keeps the bot's answer as it was says that it is good; of one that was put right nothing is known."""
        question = await self.core.assistant.asked(question_id) if question_id else None
        if question is None or not await self.places.may_read(person, question):
            return
        shown = example.shown(uncited(await self.core.assistant.answered(question_id) or ""))
        if answer.split() == shown.split():
            await self.core.labels.add(question_id, person, Signal.COPIED)

    async def _may_read(self, person: str, question: Question) -> bool:
        """Whether the person can read the place of a question, and all that its answer rests on."""
        scopes = (await self.places.alone(person)).scopes
        open_to = await self.core.bases.answers_for([question.id], scopes)
        return bool(open_to) and await self.places.may_read(person, question)

    async def readers(self, origin: Origin, answered: str | None = None) -> frozenset[str]:
        """Those who can read the place, or everyone where an admin in public says so; of an answer (the id of its
        question) that one person alone saw, that person."""
        place = await self.places.place(origin.workspace, str(origin.channel))
        question = await self.core.assistant.asked(answered) if answered else None
        if place.kind is PlaceKind.DM or (question is not None and question.private):
            return frozenset({access.user(origin.person)})
        if place.kind is PlaceKind.CHANNEL and await self.roles.is_admin(origin.person):
            return access.PUBLIC
        return frozenset({access.channel(place.channel)})


def _who(readers: frozenset[str]) -> str:
    return example.readers_in_words(readers)


def _beside(kept: dict[str, str]) -> dict[str, str]:
    """What a modal knew of where its words come from."""
    return {name: kept[name] for name in ("question", "author") if name in kept}


def _draft_of(one: Reviewed) -> Draft:
    told = one.example
    return Draft(question=told.question, answer=told.answer, tags=told.tags, valid_until=one.valid_until)
