"""A small workspace in front of the bot's own parts over one store, for the proof of who can read what."""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from access_judge import Findings, Judge, watch
from access_money import limit, spend
from access_rules import TOKEN, Room, Rules
from local_slack import LocalSlack
from two_houses import House, token

from bot.costs.budget import BudgetScope
from bot.domain import StrategyName
from bot.errors import NotAllowed
from bot.evaluation.shadow_admission import Admission, Skipped
from bot.storage.tables import examples
from deploy.workspace.state import BOT_USER, Channel, Person
from handlers.actions import Actions
from handlers.answering import Answering, Asked
from handlers.audience import Places
from handlers.commands.knowledge import KnowledgeCommand
from handlers.disclosing import Disclosing
from handlers.errors import new_reference
from handlers.examples import ExampleModals
from handlers.identity import Identity
from handlers.known import Known
from handlers.origin import Origin
from handlers.permissions import Roles

SEARCHED = "How is the launch code of the plan kept?"
KINDS: dict[str, dict[str, Any]] = {
    "member": {},
    "guest": {"is_restricted": True},
    "single": {"is_restricted": True, "is_ultra_restricted": True},
    "stranger": {"team_id": "T0OTHER"},
    "gone": {"deleted": True},
}
_PLAIN = {"is_restricted": False, "is_ultra_restricted": False, "deleted": False, "team_id": ""}


class World:
    """One small workspace, with who can read what as the rules have it. Every act is checked as it is done."""

    def __init__(self, house: House, people: dict[str, str], rooms: dict[str, Room], found: Findings) -> None:
        self.rules = Rules(dict(people), rooms)
        self.found = found
        self.house = house
        self.core = core = house.core
        self.other = self  # the world in the other workspace, once it is there
        self.now = 1000.0
        self.behind: set[str] = set()
        self.asked: list[tuple[str, str, str | None]] = []  # id, channel, thread
        self.slack = LocalSlack(
            [Person(u, u.lower(), u, is_admin=u == "U1", **KINDS[kind]) for u, kind in people.items()],
            [_channel(id, room) for id, room in rooms.items()],
            house.team,
        )
        self.rules.people = {u: "guest" if kind == "single" else kind for u, kind in people.items()}
        self.judge = Judge(self.rules, self.slack, found)
        self.places = Places(self.slack, now=lambda: self.now)
        self.slack.deliveries.listener = self.places.told
        identity, roles = Identity(self.slack), Roles(self.slack, ())
        self.answering = Answering(self.slack, core, self.places, identity)
        self.actions = Actions(
            self.slack,
            core,
            self.places,
            roles,
            self.answering,
            Disclosing(self.slack, core, self.places, self.answering.begun),
        )
        self.examples = ExampleModals(self.slack, core, self.places, identity, roles)
        known = Known(core, roles, self.places)
        self.command = KnowledgeCommand(self.slack, core, roles, known, None, lambda _: None)  # type: ignore[arg-type]

    async def begin(self, readers: Iterable[set[str]]) -> None:
        """Gives the documents their readers and forgets the examples of the world before."""
        async with self.core.engine.begin() as connection:
            await connection.execute(sa.delete(examples))
        await self.restrict(dict(enumerate(readers)))

    async def restrict(self, readers: dict[int, set[str]], elsewhere: bool = False) -> None:
        """Other readers for documents; they count at once, also where another process wrote them (`elsewhere`) and
        the indexes of this one do not know yet."""
        knowledge = self.core.knowledge
        held = self.house.held
        changed = {number: who for number, who in readers.items() if elsewhere or held.get(number) != who}
        for number in changed:
            held.pop(number, None)
        for place, (number, who) in enumerate(changed.items(), 1):
            # The indexes follow several writes with one of their own, which is what takes the time.
            known = not elsewhere and place == len(changed)
            await (knowledge if known else knowledge._store).restrict(f"source-{token(number)}", frozenset(who))
        words = {self.house.word(number) for number in changed}
        if elsewhere:
            self.behind |= words
        else:
            self.behind -= words
            held.update(changed)
        for name in (token, self.house.word):
            self.rules.readers |= {name(number): set(who) for number, who in readers.items()}

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
        word, state = self.house.new_word(), self.slack.core.state
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
            workspace=self.house.team,
            channel=channel,
            thread=thread or ts,
            ts=ts,
            strategy=strategy,
        )
        viewers = {person} if private or door == "dm" else self.rules.can_see(channel)
        before = self.judge.seen()
        prompts = watch.begin()
        if private:
            await self.answering.privately(asked, Origin(person=person, workspace="", channel=channel).line(self.slack))
        else:
            await self.answering.in_thread(asked)
        self.asked.append((asked.reference, channel, asked.thread))
        self.judge.look(f"{door} question of {person} in {channel}", viewers, prompts, before)
        self.found.counts[door] += 1
        await self._owed(asked.reference, viewers, None if private or door == "dm" else channel)

    async def again(self, number: int, person: str) -> None:
        """ "Try another way" of an earlier answer, by anybody."""
        await self._pressed("another way", number, person, self._ask_again)

    async def offer(self, number: int, person: str) -> None:
        """The modal of "Try another way"."""
        await self._pressed("offer", number, person, self._offered)

    async def why(self, number: int, person: str) -> None:
        """ "Why this answer?"."""
        await self._pressed("why", number, person, self._explained)

    async def save(self, number: int, person: str) -> None:
        """An answer is kept as an example, by somebody who sees it."""
        found = self._known(number)
        if found is None or self.rules.people[person] == "gone":
            return
        id, channel, _ = found
        question = await self.core.assistant.asked(id)
        if question is None:  # it ended before it was kept
            return
        viewers = {question.asker} if question.private else self.judge.viewers(channel)
        answer = await self.core.assistant.answered(id)
        if person in viewers and answer:
            await self.examples.submitted(self._example(person, channel, question.text, answer, id))
            self.found.counts["examples"] += 1

    async def write(self, person: str, channel: str) -> None:
        """A person's own message is kept as an example, for those who read it."""
        if person not in self.rules.rooms[channel].members or self.rules.people[person] == "gone":
            return
        word = self.house.new_word()
        admin = person == "U1" and self.rules.rooms[channel].public
        self.rules.readers[word] = {"everyone"} if admin else {f"channel:{channel}"}
        await self.examples.submitted(self._example(person, channel, SEARCHED, f"In {word}.", None))
        self.found.counts["written examples"] += 1

    async def listing(self, person: str) -> None:
        """`/knowledge` and `/knowledge search`."""
        if self.rules.people[person] == "gone":
            return
        channel = self.slack.core.state.direct_messages(person).id
        origin, before = Origin(person=person, workspace="", channel=channel), self.judge.seen()
        await self.command.run(origin, "search launch code")
        self.judge.look(f"listing of {person}", {person}, [], before)
        before = self.judge.seen()
        await self.command.run(origin, "status")
        names = {token(number) for number in self.house.held}
        if person != "U1":  # an admin sees the names of all that is configured
            names &= self.rules.owed({person}, None)
            self.judge.look(f"sources of {person}", {person}, [], before)
        told = {name for name in names if f"source-{name}" in self.judge.new(before)}
        if told != names:
            self.found.missing.append(f"sources {sorted(names - told)} in the list of {person}")
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
        viewers = {question.asker} if question.private else self.judge.viewers(found[1])
        self.found.leaks += [f"shadow: {leak}" for leak in self.rules.leaked(text, viewers)]
        self.found.counts["shadow"] += 1

    async def _ask_again(self, payload: dict[str, Any], id: str) -> None:
        await self.actions.again(new_reference(), payload)

    async def steal(self, what: str, number: int, person: str) -> None:
        """The same with an answer of the other workspace: here nobody knows it."""
        found, before = self.other._known(number), self.found.counts["stolen, refused"]
        if found is None or self.rules.people[person] == "gone":
            return
        acts = {"again": self._ask_again, "offer": self._offered, "why": self._explained}
        await self._press("stolen", found, person, acts[what])
        if self.found.counts["stolen, refused"] == before:
            self.found.leaks.append(f"“{what}” of an answer of {self.other.house.team} was not refused")

    async def budget(self, scope: BudgetScope, key: str, more: int) -> None:
        """So many cents may be spent on top of what was."""
        await limit(self.house, scope, key, Decimal(more) / 100)

    async def spend(self, person: str, channel: str, cents: int) -> None:
        """A call that costs something."""
        await spend(self.house, self.found, person, channel, Decimal(cents) / 100)

    async def _offered(self, payload: dict[str, Any], _: str) -> None:
        await self.actions.another_way(payload)

    async def _explained(self, payload: dict[str, Any], _: str) -> None:
        await self.actions.why(payload)

    async def _pressed(self, what: str, number: int, person: str, act: Any) -> None:
        found = self._known(number)
        if found is not None and self.rules.people[person] != "gone":
            await self._press(what, found, person, act)

    async def _press(self, what: str, found: tuple[str, str, str | None], person: str, act: Any) -> None:
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
        before, prompts = self.judge.seen(), watch.begin()
        viewers = {person}
        if what == "another way" and question is not None and not question.private:
            viewers = self.judge.viewers(channel)
        try:
            await act(payload, id)
            self.found.counts[what] += 1
        except NotAllowed:
            self.found.counts[f"{what}, refused"] += 1
            if question is not None and person in (
                {question.asker} if question.private else self.judge.viewers(channel)
            ):
                self.found.missing.append(f"{what} by {person} in {channel} was refused")
            return
        self.judge.look(f"{what} by {person} in {channel}", viewers, prompts, before)

    async def _owed(self, id: str, viewers: set[str], channel: str | None) -> None:
        """Whether what the audience shares was searched, by the words of the rules."""
        question = await self.core.assistant.asked(id)
        if question is None or self.slack.silent:
            return
        result = await self.core.knowledge.search(SEARCHED, scopes=question.audience.scopes, k=20, joined=False)
        there = set(TOKEN.findall(str(result.passages)))
        words = {self.house.word(number) for number in self.house.held}
        due = self.rules.owed(viewers, channel) & words - self.behind
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
                        "choice": {"choice": {"selected_option": {"value": "both"}}},
                    }
                },
            },
        }


def _channel(id: str, room: Room) -> Channel:
    return Channel(
        id,
        id.lower(),
        [*sorted(room.members), BOT_USER],
        is_private=not room.public,
        is_ext_shared=room.shared,
        is_mpim=room.group,
    )
