"""The bot's own parts over one store, and small workspaces in front of it, for the proof of who can read what."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import sqlalchemy as sa
from access_rules import TOKEN, Room, Rules
from local_slack import LocalSlack
from words_embedder import WordsEmbedder

import bot.core
from bot.config import Folder, Knowledge, Limits, Settings
from bot.core import Core, open_core
from bot.domain import Prompt, StrategyName
from bot.errors import NotAllowed
from bot.evaluation.shadow_admission import Admission, Skipped
from bot.prompting import Prompting
from bot.storage.tables import examples
from deploy.workspace.state import BOT_USER, Channel, Person
from handlers.actions import Actions
from handlers.answering import Answering, Asked
from handlers.audience import Places
from handlers.commands.knowledge import KnowledgeCommand
from handlers.errors import new_reference
from handlers.identity import Identity
from handlers.known import Known
from handlers.origin import Origin
from handlers.permissions import Roles
from handlers.shortcuts import Shortcuts

DOCUMENTS = 6
SEARCHED = "How is the launch code of the plan kept?"
KINDS: dict[str, dict[str, Any]] = {
    "member": {},
    "guest": {"is_restricted": True},
    "single": {"is_restricted": True, "is_ultra_restricted": True},
    "stranger": {"team_id": "T0OTHER"},
    "gone": {"deleted": True},
}
_PLAIN = {"is_restricted": False, "is_ultra_restricted": False, "deleted": False, "team_id": ""}
_numbers = itertools.count(1000)


@dataclasses.dataclass
class Findings:
    """What was looked at, and what was wrong."""

    counts: Counter[str] = dataclasses.field(default_factory=Counter)
    leaks: list[str] = dataclasses.field(default_factory=list)
    missing: list[str] = dataclasses.field(default_factory=list)


def token(number: int) -> str:
    """The word that stands for a document."""
    return f"zq{number}x"


@asynccontextmanager
async def open_house(folder: Path, models_dir: Path, first: int = 0) -> AsyncIterator[Core]:
    """The whole core over documents of which each has its own word, in its name, title, text, link and source."""
    folders = []
    for number in range(first, first + DOCUMENTS):
        word, place = token(number), folder / token(number)
        place.mkdir(parents=True)
        kept = "in the red safe" if number % 2 else "in the blue safe behind the old oak door of the great hall"
        text = f"# The plan {word}\n\nThe launch code of the plan is kept {kept}. Its word is {word}.\n"
        (place / f"{word}.md").write_text(text, encoding="utf-8")
        folders.append(Folder(path=place, name=f"source-{word}", link_base=f"https://{word}.example/"))
    settings = Settings(
        data_dir=folder / "data",
        models_dir=models_dir,
        knowledge=Knowledge(folders=tuple(folders)),
        limits=Limits(person=0, channel=0),  # a world's people ask faster than people do
    )
    with patch.object(bot.core, "MiniLM", lambda _: WordsEmbedder()):  # the real one takes most of a question's time
        async with open_core(settings) as core:
            await core.knowledge.refresh()
            yield core


class World:
    """One small workspace, with who can read what as the rules have it. Every act is checked as it is done."""

    def __init__(self, core: Core, people: dict[str, str], rooms: dict[str, Room], found: Findings) -> None:
        self.rules = Rules(dict(people), rooms)
        self.found = found
        self.core = core
        self.now = 1000.0
        self.behind: set[str] = set()
        self.asked: list[tuple[str, str, str | None]] = []  # id, channel, thread
        self.slack = LocalSlack(
            [Person(u, u.lower(), u, is_admin=u == "U1", **KINDS[kind]) for u, kind in people.items()],
            [_channel(id, room) for id, room in rooms.items()],
        )
        self.rules.people = {u: "guest" if kind == "single" else kind for u, kind in people.items()}
        self.places = Places(self.slack, now=lambda: self.now)
        self.slack.deliveries.listener = self.places.told
        identity, roles = Identity(self.slack), Roles(self.slack, ())
        self.answering = Answering(self.slack, core, self.places, identity)
        self.actions = Actions(self.slack, core, self.places, self.answering)
        self.shortcuts = Shortcuts(self.slack, core, self.places, self.answering, identity, roles)
        known = Known(core, roles, self.places)
        self.command = KnowledgeCommand(self.slack, core, roles, known, None, lambda _: None)  # type: ignore[arg-type]

    async def begin(self, readers: Iterable[set[str]]) -> None:
        """Gives the documents their readers and forgets the examples of the world before."""
        async with self.core.engine.begin() as connection:
            await connection.execute(sa.delete(examples))
        for number, who in enumerate(readers):
            await self.restrict(number, who)

    async def restrict(self, number: int, readers: set[str], elsewhere: bool = False) -> None:
        """Other readers for a document; they count at once, also where another process wrote them (`elsewhere`) and
        the indexes of this one do not know yet."""
        word = token(number)
        (id,) = [one.name for one in self.core.knowledge.sources if one.name.endswith(f"-{word}")]
        if elsewhere:
            await self.core.knowledge._store.restrict(id, frozenset(readers))
            _held.pop(id, None)
            self.behind.add(word)
        elif _held.get(id) != readers:
            await self.core.knowledge.restrict(id, frozenset(readers))
            _held[id] = set(readers)
            self.behind.discard(word)
        self.rules.readers[word] = readers

    async def changed(self, deaf: bool) -> None:
        """Something in Slack is otherwise now: an event told of it, or a minute goes by."""
        deliveries, before = self.slack.deliveries, self.slack.deliveries.heard
        deliveries.deaf = deaf
        await self.slack.core.app.quiet()
        deliveries.deaf = False
        if deaf or deliveries.heard == before:
            self.now += 60.0

    async def move(self, person: str, channel: str, deaf: bool) -> None:
        """Somebody joins a channel, or leaves it."""
        room, slack = self.rules.rooms[channel], self.slack.core
        there = slack.state.channels[channel]
        self.slack.deliveries.deaf = deaf
        if person in room.members:
            slack.membership.leave(there, person)
            room.members.discard(person)
        else:
            slack.membership.join(there, person)
            room.members.add(person)
        await self.changed(deaf)

    async def convert(self, channel: str, deaf: bool) -> None:
        """A channel becomes private or public."""
        room = self.rules.rooms[channel]
        room.public = not room.public
        self.slack.deliveries.deaf = deaf
        self.slack.core.changes.convert(self.slack.core.state.channels[channel], not room.public)
        await self.changed(deaf)

    async def share(self, channel: str, organisation: bool, deaf: bool) -> None:
        """A channel is shared with another company or workspace, or no more."""
        changes, there = self.slack.core.changes, self.slack.core.state.channels[channel]
        self.slack.deliveries.deaf = deaf
        if organisation:
            changes.share_in_organisation(there, not there.is_org_shared)
        else:
            changes.share(there, not there.is_ext_shared)
        self.rules.rooms[channel].shared = there.is_org_shared or there.is_ext_shared
        await self.changed(deaf)

    async def become(self, person: str, kind: str, deaf: bool) -> None:
        """An account becomes another kind of account."""
        self.slack.deliveries.deaf = deaf
        self.slack.core.people.change(person, _PLAIN | KINDS[kind])
        self.rules.people[person] = "guest" if kind == "single" else kind
        await self.changed(deaf)

    async def ask(self, door: str, person: str, channel: str, follow: int, strategy: StrategyName | None) -> None:
        """A question through one of the doors, by somebody who can ask there."""
        there = sorted(self.rules.rooms[channel].members) if door != "dm" else []
        able = [each for each in [person, *there] if self.rules.people[each] != "gone" and (not there or each in there)]
        if not able:
            return
        person = able[0]
        word, state = token(next(_numbers)), self.slack.core.state
        if door == "dm":
            channel = state.direct_messages(person).id
        private = door == "private"
        thread = None if private else self._thread(channel, follow)
        text = f"{SEARCHED} {word}"
        self.rules.readers[word] = {f"user:{person}"} if private or door == "dm" else {f"channel:{channel}"}
        ts = None
        if not private:
            ts = self.slack.core.messages.post(state.channels[channel], person, text, thread_ts=thread)["ts"]
            await self.slack.core.app.quiet()
        asked = Asked(
            reference=new_reference(),
            text=text,
            person=person,
            workspace="T0LOCAL",
            channel=channel,
            thread=thread or ts,
            ts=ts,
            strategy=strategy,
        )
        viewers = {person} if private or door == "dm" else self.rules.can_see(channel)
        before = self._seen()
        prompts = _watch.begin()
        if private:
            await self.answering.privately(asked, Origin(person=person, workspace="", channel=channel).line(self.slack))
        else:
            await self.answering.in_thread(asked)
        self.asked.append((asked.reference, channel, asked.thread))
        self._judge(f"{door} question of {person} in {channel}", viewers, prompts, before)
        self.found.counts[door] += 1
        await self._owed(asked.reference, viewers, None if private or door == "dm" else channel)

    async def again(self, number: int, person: str) -> None:
        """ "Try another way" of an earlier answer, by anybody."""
        await self._pressed("another way", number, person, self._ask_again)

    async def offer(self, number: int, person: str) -> None:
        """The modal of "Try another way"."""
        await self._pressed("offer", number, person, lambda payload, _: self.actions.another_way(payload))

    async def why(self, number: int, person: str) -> None:
        """ "Why this answer?"."""
        await self._pressed("why", number, person, lambda payload, _: self.actions.why(payload))

    async def save(self, number: int, person: str) -> None:
        """An answer is kept as an example, by somebody who sees it."""
        found = self._known(number)
        if found is None or self.rules.people[person] == "gone":
            return
        id, channel, _ = found
        question = await self.core.assistant.asked(id)
        if question is None:  # it ended before it was kept
            return
        viewers = {question.asker} if question.private else self._viewers(channel)
        answer = await self.core.assistant.answered(id)
        if person in viewers and answer:
            await self.shortcuts.example_saved(self._example(person, channel, question.text, answer, id))
            self.found.counts["examples"] += 1

    async def write(self, person: str, channel: str) -> None:
        """A person's own message is kept as an example, for those who read it."""
        if person not in self.rules.rooms[channel].members or self.rules.people[person] == "gone":
            return
        word = token(next(_numbers))
        admin = person == "U1" and self.rules.rooms[channel].public
        self.rules.readers[word] = {"everyone"} if admin else {f"channel:{channel}"}
        await self.shortcuts.example_saved(self._example(person, channel, SEARCHED, f"In {word}.", None))
        self.found.counts["written examples"] += 1

    async def listing(self, person: str) -> None:
        """`/knowledge` and `/knowledge search`."""
        if self.rules.people[person] == "gone":
            return
        channel = self.slack.core.state.direct_messages(person).id
        origin, before = Origin(person=person, workspace="", channel=channel), self._seen()
        await self.command.run(origin, "search launch code")
        if person != "U1":  # an admin sees the names of all that is configured
            await self.command.run(origin, "status")
        self._judge(f"listing of {person}", {person}, [], before)
        self.found.counts["listing"] += 1

    async def shadow(self, number: int) -> None:
        """A question is answered once more in the shadow, or a model's end is replayed."""
        found = self._known(number)
        question = await self.core.assistant.asked(found[0]) if found else None
        if question is None or found is None:
            return
        try:
            admitted = await Admission(self.core, self.places.audience_of).admit(question.id, also_pinned=True)
        except Skipped:
            return
        scopes = admitted.question.audience.scopes
        evidence = await self.core.assistant.evidence(SEARCHED, scopes)
        text = f"{admitted.answer} {admitted.question.history} {evidence}"
        viewers = {question.asker} if question.private else self._viewers(found[1])
        self.found.leaks += [f"shadow: {leak}" for leak in self.rules.leaked(text, viewers)]
        self.found.counts["shadow"] += 1

    async def _ask_again(self, payload: dict[str, Any], id: str) -> None:
        await self.actions.again(new_reference(), payload)

    async def _pressed(self, what: str, number: int, person: str, act: Any) -> None:
        found = self._known(number)
        if found is None or self.rules.people[person] == "gone":
            return
        id, channel, thread = found
        question = await self.core.assistant.asked(id)
        payload = {
            "user": {"id": person},
            "trigger_id": person,
            "actions": [{"value": id}],
            "view": {
                "private_metadata": json.dumps({"question": id, "channel": channel, "thread": thread or ""}),
                "state": {"values": {}},
            },
        }
        before, prompts = self._seen(), _watch.begin()
        viewers = {person}
        if what == "another way" and question is not None and not question.private:
            viewers = self._viewers(channel)
        try:
            await act(payload, id)
            self.found.counts[what] += 1
        except NotAllowed:
            self.found.counts[f"{what}, refused"] += 1
            return
        self._judge(f"{what} by {person} in {channel}", viewers, prompts, before)

    def _judge(self, what: str, viewers: set[str], prompts: list[Prompt], before: int) -> None:
        for prompt in prompts:
            text = " ".join([*(m.content for m in prompt.messages), str(prompt.passages), str(prompt.examples)])
            self.found.leaks += [f"{what}, prompt: {leak}" for leak in self.rules.leaked(text, viewers)]
            self.found.counts["prompts"] += 1
            self.found.counts["prompts with examples"] += bool(prompt.examples)
            self.found.counts["prompts with passages"] += bool(prompt.passages)
            self.found.counts["prompts with earlier answers"] += any(m.role == "assistant" for m in prompt.messages)
        for place, shown in self._shown(before):
            for_whom = viewers if place is None else place
            self.found.leaks += [f"{what}, shown: {leak}" for leak in self.rules.leaked(shown, for_whom)]
            self.found.counts["messages"] += 1

    def _seen(self) -> int:
        self._messages = {
            (channel.id, ts) for channel in self.slack.core.state.channels.values() for ts in channel.messages
        }
        self._ephemerals = {c.id: len(c.ephemerals) for c in self.slack.core.state.channels.values()}
        return len(self.slack.shown)

    def _shown(self, before: int) -> Iterable[tuple[set[str] | None, str]]:
        """What is new, each with who reads it."""
        for channel in self.slack.core.state.channels.values():
            for ts, message in channel.messages.items():
                if (channel.id, ts) not in self._messages:
                    yield self._viewers(channel.id), json.dumps(message, default=str)
            for each in channel.ephemerals[self._ephemerals.get(channel.id, 0) :]:
                yield {each.to}, json.dumps(each.message, default=str)
        for person, view in self.slack.shown[before:]:
            yield {person}, json.dumps(view, default=str)

    def _viewers(self, channel: str) -> set[str]:
        there = self.slack.core.state.channels[channel]
        return {there.user} if there.is_im else self.rules.can_see(channel)

    async def _owed(self, id: str, viewers: set[str], channel: str | None) -> None:
        """Whether what the audience shares was searched, by the words of the rules."""
        question = await self.core.assistant.asked(id)
        if question is None or self.slack.silent:
            return
        result = await self.core.knowledge.search(SEARCHED, scopes=question.audience.scopes, k=20, joined=False)
        there = set(TOKEN.findall(str(result.passages)))
        due = self.rules.owed(viewers, channel) & _words - self.behind
        if not due <= there:
            self.found.missing.append(f"{sorted(due - there)} for {sorted(viewers)} in {channel}")
        self.found.leaks += [f"search: {leak}" for leak in self.rules.leaked(" ".join(there), viewers)]
        self.found.counts["owed"] += len(due)

    def _thread(self, channel: str, follow: int) -> str | None:
        """An earlier thread of the channel, or none for a new one."""
        threads = [thread for _, where, thread in self.asked if where == channel and thread]
        return threads[-follow % len(threads)] if threads and follow else None

    def _known(self, number: int) -> tuple[str, str, str | None] | None:
        return self.asked[number % len(self.asked)] if self.asked else None

    def _example(self, person: str, channel: str, question: str, answer: str, id: str | None) -> dict[str, Any]:
        kept = {"channel": channel} | ({"question": id} if id else {})
        return {
            "user": {"id": person},
            "view": {
                "private_metadata": json.dumps(kept),
                "state": {
                    "values": {
                        "question": {"question": {"value": question}},
                        "answer": {"answer": {"value": answer}},
                    }
                },
            },
        }


class _Watch:
    """Notes every prompt that the bot makes."""

    def __init__(self) -> None:
        self.prompts: list[Prompt] = []
        made = Prompting.prompt

        def noted(prompting: Prompting, *args: Any, **options: Any) -> Prompt:
            prompt = made(prompting, *args, **options)
            self.prompts.append(prompt)
            return prompt

        Prompting.prompt = noted  # type: ignore[method-assign, assignment]

    def begin(self) -> list[Prompt]:
        """A list that grows with what is made from now on."""
        self.prompts = []
        return self.prompts


_watch = _Watch()
_held: dict[str, set[str]] = {}
_words = {token(number) for number in range(DOCUMENTS)}


def _channel(id: str, room: Room) -> Channel:
    return Channel(
        id,
        id.lower(),
        [*sorted(room.members), BOT_USER],
        is_private=not room.public,
        is_ext_shared=room.shared,
        is_mpim=room.group,
    )
