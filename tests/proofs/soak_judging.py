"""What became of everybody's questions and of every model call in the soak."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa
from own_processes import BOT, OwnHouse, number_in
from soak_faults import FaultyModels
from soak_people import Asked
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.storage.cost_tables import ledger
from bot.storage.tables import inbox, questions
from deploy.workspace.state import JSON

if TYPE_CHECKING:
    from prove_soak import Findings

_REFERENCE = re.compile(r"""(?:[Rr]eference |'value': '(?:up:|down:)?)([0-9a-f]{12}(?:-[a-d])?)\b""")
_ANSWER = re.compile(r"Answer (\d+)\.")
_COMPARED = re.compile(r"compares \d+ answers")
_QUOTED = re.compile(r"compares \d+ answers|could not keep your request")
_KNOWN = (
    "You asked me something in",
    "keep_this",
    "compare_vote",
    "There are not two answers",
    "there is nothing to compare",
    "You stopped this answer",
)


@dataclass(slots=True, eq=False)
class _Said:
    """One message of the bot's."""

    channel: str
    to: str
    """Who alone reads it; "" for all who are there."""
    message: JSON
    references: frozenset[str]
    number: int

    @property
    def thread(self) -> str | None:
        return self.message.get("thread_ts")

    @property
    def is_answer(self) -> bool:
        return "another_way" in str(self.message)

    @property
    def brief(self) -> str:
        return f"{self.channel} {self.message['text'][:200]!r}"


async def look_at(house: OwnHouse, asked: list[Asked], found: Findings) -> None:
    """Each question has an answer or a reason; nothing is said twice, left open, or without a word on why."""
    state = await house.team.control("state")
    numbers = await _numbers(house.engine)
    said = [_said(channel, "", each, numbers) for channel, all_ in state["messages"].items() for each in all_]
    said += [
        _said(channel, each["to"], each["message"], numbers)
        for channel, all_ in state["ephemerals"].items()
        for each in all_
    ]
    said = [each for each in said if each.message.get("user") == BOT]
    found.questions = len(asked)
    found.stuck += [each.brief for each in said if each.message.get("streaming")]
    by_reference: defaultdict[str, list[_Said]] = defaultdict(list)
    for each in said:
        if not any(word in str(each.message) for word in _KNOWN):
            for reference in each.references:
                by_reference[reference].append(each)
    for reference, all_ in by_reference.items():
        answers = sum(each.is_answer for each in all_)
        found.beside += answers == 1 and len(all_) > 1
        if answers > 1 or (not answers and len(all_) > 1):
            found.answered_twice.append(f"{reference}: {[each.brief for each in all_]}")
    threads = {(one.channel, one.thread) for one in asked if one.kind == "thread"}
    used: set[int] = set()
    # Whoever was turned away need not have been told anything: what nobody else's question explains may be theirs.
    for one in sorted(asked, key=lambda each: each.is_turned_away):
        _judge(one, said, used, found)
    for each in said:
        is_known = each.references or each.number >= 0 or any(word in str(each.message) for word in _KNOWN)
        if (each.channel, each.thread) in threads and not each.to and not is_known:
            found.unexplained.append(each.brief)
    found.silent = [f"{each}: {await _became(house.engine, each, numbers)}" for each in found.silent]
    await _left_over(house.engine, found)


def _judge(one: Asked, said: list[_Said], used: set[int], found: Findings) -> None:
    """Takes what was said because of a question out of what is left."""

    def of(each: _Said) -> bool:
        if one.kind == "thread":
            return (each.channel, each.thread) == (one.channel, one.thread) and not each.to
        alone = each.to == one.person or each.channel == f"D{one.person[1:]}"
        return alone or (one.kind == "comparison" and each.number == one.number)

    here = [each for each in said if id(each) not in used and of(each)]
    mine = [each for each in here if each.number == one.number]
    if not mine:  # nothing says which question it was: a sentence with a reference that is nobody else's
        mine = [each for each in here if each.number < 0 and (each.references or "You stopped" in str(each.message))][
            :1
        ]
    if one.is_deleted and not mine:
        found.withdrawn += 1
    elif not mine and one.is_turned_away:
        found.turned_away += 1
    elif not mine:
        found.silent.append(f"{one.kind} {one.number} of {one.person} in {one.channel} {one.thread or ''}")
    elif any(each.is_answer or _COMPARED.search(each.message["text"]) for each in mine):
        found.answered += 1
    else:
        found.reasons += 1
    used.update(id(each) for each in mine)


def _said(channel: str, to: str, message: JSON, numbers: dict[str, int]) -> _Said:
    text = str(message)
    references = frozenset(_REFERENCE.findall(text))
    known = [numbers[reference] for reference in references if reference in numbers]
    shown = _ANSWER.search(text) or (re.search(r"Question (\d+)", text) if _QUOTED.search(text) else None)
    return _Said(channel, to, message, references, known[0] if known else int(shown[1]) if shown else -1)


async def _numbers(engine: AsyncEngine) -> dict[str, int]:
    """The number of each question by its reference, as far as the bot has kept its words."""
    async with engine.connect() as connection:
        kept = (await connection.execute(sa.select(questions.c.id, questions.c.text))).all()
        events = (await connection.execute(sa.select(inbox.c.reference, inbox.c.payload))).all()
    numbers = {row.reference: number_in(str(row.payload)) for row in events}
    numbers |= {row.id: number_in(row.text) for row in kept}
    return {reference: number for reference, number in numbers.items() if number >= 0}


async def _became(engine: AsyncEngine, silent: str, numbers: dict[str, int]) -> list[str]:
    """What the inbox says of a question that got no answer, as far as it kept its words."""
    references = [reference for reference, number in numbers.items() if number == int(silent.split()[1])]
    query = sa.select(inbox.c.reference, inbox.c.state, inbox.c.attempts, inbox.c.problem)
    async with engine.connect() as connection:
        rows = (await connection.execute(query.where(inbox.c.reference.in_(references)))).all()
    return [f"{row.reference} {row.state} after {row.attempts} ({row.problem})" for row in rows]


async def _left_over(engine: AsyncEngine, found: Findings) -> None:
    waiting = sa.select(inbox.c.event_id, inbox.c.state).where(inbox.c.state.in_(("waiting", "working")))
    async with engine.connect() as connection:
        found.stuck += [f"event {row.event_id} is {row.state}" for row in await connection.execute(waiting)]


async def compare(engine: AsyncEngine, models: FaultyModels, found: Findings) -> None:
    """The ledger's rows against the server's journal: one for each request, with what was sent."""
    async with engine.connect() as connection:
        query = sa.select(ledger).where(ledger.c.provider == "testing")
        rows = (await connection.execute(query)).all()
    journal = {request.id: request for request in models.chats}
    found.requests, found.rows = len(journal), len(rows)
    found.outcomes = dict(Counter(row.outcome for row in rows))
    named = [row.request_id for row in rows if row.request_id]
    found.wrong_rows += [f"{count} rows for {name}" for name, count in Counter(named).items() if count > 1]
    found.wrong_rows += [f"no request {name}" for name in named if name not in journal]
    for row in rows:
        if row.outcome in ("open", "lost"):
            found.wrong_rows.append(f"row {row.id} is {row.outcome}")
        if row.outcome == "answered" and row.request_id in journal:
            usage = journal[row.request_id].sent.usage or {}
            sent = usage.get("prompt_tokens"), usage.get("completion_tokens")
            if sent != (row.prompt_tokens, row.completion_tokens):
                found.wrong_rows.append(f"row {row.id}: {row.prompt_tokens}, {row.completion_tokens}; sent {sent}")
    # Whoever is stopped before the request has left has a row and no request.
    unsent = sum(row.outcome == "stopped" and not row.request_id for row in rows)
    if not len(journal) <= len(rows) <= len(journal) + unsent:
        found.wrong_rows.append(f"{len(journal)} requests, {len(rows)} rows, {unsent} of them stopped")
