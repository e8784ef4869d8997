"""“I need a person”: finds who looks after a place, tags them in the thread, and asks them once more."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.core import Core
from bot.domain import PlaceKind, Question
from bot.errors import NotAllowed, UnusableWords
from bot.people.hand_offs import HandOff, State, Why
from bot.worker import Lease, work_under
from handlers.audience import SILENT, Places
from handlers.begun import Begun
from handlers.blocks import hand_off as blocks
from handlers.errors import GONE, code
from handlers.identity import Identity
from handlers.markdown import escape
from handlers.origin import Origin
from handlers.people import People
from handlers.permissions import Role, Roles
from handlers.private_line import PrivateLine
from handlers.shapes import JSON, pressed

log = structlog.get_logger(__name__)

PART, AGAIN = "person", "person-again"
FORGOTTEN = "I do not know that answer any more, so I cannot hand it on. Please ask the person directly."
NO_QUESTION = "Ask your question first. Under my answer, “I need a person” brings somebody who looks after this."
ADMINS_TOLD = "Nobody looks after this place, so I told the people who look after me. An admin can change that here: "
NOBODY = "Nobody looks after this place yet, so there is nobody whom I could ask. Somebody can be named here: "
NAMING = "`/switchboard owner @name`."
_MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>|\b([UW][A-Z0-9]{2,})\b")


@dataclass(frozen=True, slots=True)
class Found:
    """Who is asked (None: nobody), as the owner of what, and what is to be said of those who cannot be."""

    owner: str | None
    why: Why
    what: str
    passed_over: str = ""


class HandingOff:
    """The button and the words. Raises NotAllowed and SlackApiError."""

    KIND, PASSED = "person", "passed"

    def __init__(
        self, client: AsyncWebClient, core: Core, roles: Roles, places: Places, begun: Begun, identity: Identity
    ) -> None:
        self._client = client
        self._core = core
        self._roles = roles
        self._places = places
        self._begun = begun
        self._identity = identity
        self._people = People(client)

    async def pressed(self, _reference: str, payload: JSON) -> None:
        """Somebody pressed the button under an answer."""
        origin = Origin.of(payload)
        await self._wanted(await self._question(pressed(payload), origin.person), origin)

    async def said(self, question_id: str, origin: Origin) -> None:
        """Somebody said it in the thread of that question."""
        await self._wanted(await self._question(question_id, origin.person), origin)

    async def pass_on(self, _reference: str, payload: JSON) -> None:
        """The asker agreed that the owner may see the question."""
        origin = Origin.of(payload)
        question = await self._question(pressed(payload), origin.person)
        found = await self._find(question, origin.person)
        line = origin.line(self._client)
        if found.owner is None:
            await line.say(NOBODY + NAMING)
            return
        handed = await self._core.hand_offs.want(question.id, origin.person, found.owner, found.why)
        if handed is None:
            await self._say_who(question, line)
            return
        text, shown = blocks.passed_on(origin.person, question.text)
        async with self._telling(handed):
            there = str((await self._client.conversations_open(users=found.owner))["channel"]["id"])
            await self._post(handed, there, None, text, shown)
            # What they write to each other is theirs: nobody looks whether it was answered.
            await self._core.hand_offs.settle(question.id, "followed")
        await origin.replace(self._client, payload, told := f"I showed your question to <@{found.owner}>.", [])
        log.info("handed_off", question=question.id, why=found.why, person=origin.person, said=told)

    async def _wanted(self, question: Question, origin: Origin) -> None:
        line = origin.line(self._client)
        if await self._core.hand_offs.told(question.id) is not None:
            await self._say_who(question, line)
            return
        found = await self._find(question, origin.person)
        if question.private or question.place.kind is PlaceKind.DM:
            if found.owner is None:
                await line.say(NOBODY + NAMING)
            else:
                await line.say(*blocks.passing_on(found.owner, question.text, question.id))
            return
        handed = await self._core.hand_offs.want(question.id, origin.person, found.owner, found.why)
        if handed is None:
            await self._say_who(question, line)
            return
        async with self._telling(handed):
            if found.owner is not None:
                await self._tag(question, handed, found)
            else:
                await self._tell_admins(question, handed, line, found)

    @asynccontextmanager
    async def _telling(self, handed: HandOff) -> AsyncIterator[None]:
        """Whatever comes of it, the next press may tell what this one did not."""
        try:
            yield
        finally:
            await self._core.hand_offs.release(handed.question_id)

    async def _post(
        self, handed: HandOff, channel: str, thread: str | None, text: str, shown: list[JSON] | None = None
    ) -> None:
        await self._begun.once(
            handed.question_id, PART, channel=channel, thread=thread, text=text, is_begun=handed.is_begun, blocks=shown
        )

    async def _tag(self, question: Question, handed: HandOff, found: Found) -> None:
        assert found.owner is not None
        again = await self._core.hand_offs.due_words(question.id)
        text, shown = blocks.asked(
            found.owner, handed.wanted_by, question.text, found.why, found.what, again, found.passed_over
        )
        place = question.place
        await self._post(handed, place.channel, place.thread, text, shown)
        await self._core.hand_offs.settle(question.id, "asked")
        log.info("handed_off", question=question.id, why=found.why, person=handed.wanted_by)

    async def _tell_admins(self, question: Question, handed: HandOff, line: PrivateLine, found: Found) -> None:
        channel = self._core.settings.report.channel
        if not channel:
            await self._core.hand_offs.forget(question.id)
            await line.say(" ".join(part for part in (found.passed_over, NOBODY + NAMING) if part))
            return
        is_open = question.place.kind is PlaceKind.CHANNEL
        link = await self._link(question)
        text = blocks.asked_admins(handed.wanted_by, link, question.text if is_open else "")
        await self._post(handed, channel, None, text)
        await self._core.hand_offs.settle(question.id, "followed")
        await line.say(" ".join(part for part in (found.passed_over, ADMINS_TOLD + NAMING) if part))
        log.info("handed_off", question=question.id, why="admins", person=handed.wanted_by)

    async def _find(self, question: Question, wanted_by: str) -> Found:
        """The channel's owner, else that of the source of the best passage, else nobody: who left, may not read the
        place, or wants a person themself is passed over, and named."""
        owners, left = self._core.owners, list[str]()
        is_alone = question.private or question.place.kind is PlaceKind.DM
        source = (await self._core.hand_offs.best_sources([question.id])).get(question.id)
        candidates: list[tuple[Why, str]] = [] if is_alone else [("channel", question.place.channel)]
        candidates += [("source", source)] if source else []
        for why, what in candidates:
            owner = await owners.of("channel" if why == "channel" else "source", what)
            if owner is None or owner == wanted_by:
                continue
            works_here = await self._roles.role(owner) >= Role.MEMBER
            if works_here and (is_alone or await self._places.may_read(owner, question)):
                return Found(owner, why, what, " ".join(left))
            name = escape(await self._people.name(owner) or owner)
            left.append(f"{name} {'cannot read here' if works_here else 'has left'}, so I did not ask them.")
        return Found(None, "admins", "", " ".join(left))

    async def _question(self, question_id: str, person: str) -> Question:
        question = await self._core.assistant.asked(question_id)
        if question is None or not question.text:
            raise NotAllowed(FORGOTTEN)
        if not await self._places.may_read(person, question):
            raise NotAllowed("That answer was given in a place that you cannot read.")
        return question

    async def _say_who(self, question: Question, line: PrivateLine) -> None:
        there = await self._core.hand_offs.get(question.id)
        if there is not None:
            await line.say(blocks.asked_already(there))

    async def _link(self, question: Question) -> str:
        ts = await self._core.assistant.answer_ts(question.id) or question.place.thread
        if ts is None or question.place.kind is not PlaceKind.CHANNEL:
            return ""
        try:
            told = await self._client.chat_getPermalink(channel=question.place.channel, message_ts=ts)
        except SlackApiError as error:
            log.info("no_permalink", error=code(error), question=question.id)
            return ""
        return str(told["permalink"])


class FollowingUp:
    """Asks an owner once more where nobody but the asker has written."""

    def __init__(self, client: AsyncWebClient, core: Core, begun: Begun, identity: Identity) -> None:
        self._client = client
        self._core = core
        self._begun = begun
        self._identity = identity

    async def run(self) -> None:
        """All that are due."""
        work_under(Lease(self._core.inbox.worker, fresh=False))
        for handed in await self._core.hand_offs.due():
            question = await self._core.assistant.asked(handed.question_id)
            try:
                state: State = await self._follow_up(handed, question) if question is not None else "dropped"
            except SILENT as error:
                log.warning("not_followed_up", question=handed.question_id, error=code(error) or type(error).__name__)
                state = "dropped" if code(error) in GONE else "asked"
            await self._core.hand_offs.settle(handed.question_id, state)

    async def _follow_up(self, handed: HandOff, question: Question) -> State:
        place, since = question.place, handed.wanted_at.timestamp()
        assert handed.owner is not None
        bot = (await self._identity.bot()).user
        found = await self._client.conversations_replies(
            channel=place.channel, ts=str(place.thread), oldest=f"{since:.6f}", limit=200
        )
        others = {m.get("user") for m in found["messages"] if float(m["ts"]) > since} - {bot, handed.wanted_by, None}
        if others:
            return "answered"
        text = blocks.asked_again(handed.owner, handed.wanted_by)
        await self._begun.once(handed.question_id, AGAIN, channel=place.channel, thread=place.thread, text=text)
        log.info("followed_up", question=handed.question_id)
        return "followed"


async def person_meant(client: AsyncWebClient, roles: Roles, words: str) -> str:
    """The id of the one full member that a mention, an id or an @name stands for. Raises UnusableWords."""
    if (found := _MENTION.fullmatch(words.strip())) is not None:
        person = found[1] or found[2]
    else:
        person = await _named(client, words.strip().removeprefix("@"))
    role = await roles.role(person) if person else Role.NOBODY
    if role < Role.MEMBER:
        shown = escape(words.strip()) or "nobody"
        raise UnusableWords(
            f"I do not know a full member of this workspace called “{shown}”: an owner is a person with an open "
            "account, no bot and no guest. Write their @name as Slack offers it."
        )
    return person


async def _named(client: AsyncWebClient, name: str) -> str:
    """Whose handle or display name it is; "" where nobody's, or more than one's."""
    wanted, found, cursor = name.casefold(), set[str](), ""
    while wanted:
        page = await client.users_list(limit=200, cursor=cursor)
        for user in page["members"]:
            profile = user.get("profile") or {}
            names = (user.get("name"), profile.get("display_name"), profile.get("real_name"), user.get("real_name"))
            if wanted in {str(each).casefold() for each in names if each}:
                found.add(str(user["id"]))
        cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor:
            break
    return found.pop() if len(found) == 1 else ""
