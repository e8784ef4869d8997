"""Work is one worker's at a time: a dead one's is taken up, a late one's word does not count, all on both databases."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import worker as worker_module
from bot.inbox import Inbox, Kept
from bot.storage.tables import inbox as table
from bot.storage.work_tables import workers
from bot.worker import LEASE, Lease, LeaseOver, Worker, check, work_under
from handlers import inbound as inbound_module
from handlers.inbound import Inbound
from handlers.shapes import JSON
from handlers.under_way import UnderWay

MESSAGE = ("C1", "1795000000.000100")


def asked(text: str) -> JSON:
    return {"event": {"type": "app_mention", "channel": MESSAGE[0], "ts": MESSAGE[1], "text": text}}


async def opened(engine: AsyncEngine) -> Inbox:
    """One of several processes; it gives no sign of life beyond its first one."""
    made = Inbox(engine, worker=Worker(engine, alone=False))
    await made.worker._register()
    return made


async def dies(engine: AsyncEngine, inbox: Inbox) -> None:
    """As long ago as a lease lasts."""
    past = datetime.now(UTC) - timedelta(seconds=1)
    async with engine.begin() as connection:
        await connection.execute(sa.update(workers).where(workers.c.id == inbox.worker.id).values(until=past))


async def states(engine: AsyncEngine) -> dict[str, str]:
    async with engine.connect() as connection:
        return dict((await connection.execute(sa.select(table.c.event_id, table.c.state))).all())


async def test_a_dead_workers_events_are_taken_up_oldest_first_and_its_late_word_does_not_count(
    engine: AsyncEngine,
) -> None:
    first, second = await opened(engine), await opened(engine)
    for number in range(3):
        await first.keep(f"Ev{number}", "event", {}, reference=f"r{number}", begin=True)
    assert await second.claim(10) == []
    await dies(engine, first)
    assert await second.claim(2) == [Kept("Ev0", "event", {}, 2, "r0"), Kept("Ev1", "event", {}, 2, "r1")]
    await first.done("Ev0")
    await first.failed("Ev1", "late")
    await first.release("Ev1")
    assert set((await states(engine)).values()) == {"working"}
    assert not await first.worker._renew()
    await second.done("Ev0")
    assert (await states(engine))["Ev0"] == "done"


async def test_those_who_look_for_work_at_once_never_take_the_same(engine: AsyncEngine) -> None:
    processes = [await opened(engine) for _ in range(4)]
    for number in range(40):
        await processes[0].keep(f"Ev{number}", "event", {})
    taken = await asyncio.gather(*(process.claim(7) for process in processes for _ in range(2)))
    ids = [kept.event_id for some in taken for kept in some]
    assert len(ids) == len(set(ids)) == 40


async def test_what_is_handed_back_is_anybodys_at_once_and_was_no_attempt(engine: AsyncEngine) -> None:
    first, second = await opened(engine), await opened(engine)
    await first.keep("Ev1", "event", {}, begin=True)
    await first.release("Ev1")
    assert [kept.attempts for kept in await second.claim(1)] == [1]
    await second.worker.close()
    assert [kept.attempts for kept in await first.claim(1)] == [2]


async def test_events_that_come_together_are_each_kept_once_and_a_bad_one_takes_no_other_with_it(
    engine: AsyncEngine,
) -> None:
    inbox = Inbox(engine)
    known: list[Any] = await asyncio.gather(
        *(inbox.keep(f"Ev{number % 50}", "event", {"n": number}) for number in range(120)),
        inbox.keep("bad", "event", {"n": object()}),
        return_exceptions=True,
    )
    assert known.count(True) == 50
    assert known.count(False) == 70
    assert isinstance(known[-1], Exception)
    assert len(await inbox.waiting()) == 50


async def test_a_worker_that_cannot_renew_falls_silent_before_its_lease_is_over_and_goes_on_as_another(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "HEARTBEAT", 0.01)
    monkeypatch.setattr(worker_module, "AGAIN", 0.01)
    now, lost = [0.0], asyncio.Event()
    worker = Worker(engine, alone=False, on_lost=lost.set, clock=lambda: now[0])
    await worker.start()
    register, known_again = worker._register, asyncio.Event()

    async def registered() -> None:
        await register()
        known_again.set()

    monkeypatch.setattr(worker, "_register", registered)
    before, lease = worker.id, Lease(worker)

    async def speak() -> None:
        work_under(lease)
        check()

    await asyncio.create_task(speak())
    now[0] += LEASE - 1  # the others have to wait another second
    with pytest.raises(LeaseOver):
        await asyncio.create_task(speak())
    async with asyncio.timeout(20):
        await lost.wait()
        await known_again.wait()
    assert worker.id != before
    with pytest.raises(LeaseOver):  # what it held is not its own again
        await asyncio.create_task(speak())
    await worker.close()


async def test_words_that_change_while_they_are_worked_on_begin_anew_wherever_the_change_came_in(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbound_module, "LOOK", 0.01)
    here, elsewhere = await opened(engine), await opened(engine)
    seen: list[str] = []
    begun, ended = asyncio.Event(), asyncio.Event()

    async def work(reference: str, payload: JSON) -> None:
        seen.append(f"{reference}: {payload['event']['text']}")
        if payload["event"]["text"] == "old":
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                seen.append("stopped")
        ended.set()

    async def tell(payload: JSON, sentence: str, reference: str) -> None:
        raise AssertionError(sentence)

    under_way = UnderWay()
    inbound = Inbound(here, under_way, {"event": work}, tell)
    await inbound.start()
    await inbound.accept("Ev1", "event", asked("old"))
    async with asyncio.timeout(20):
        await begun.wait()
        assert await elsewhere.revise(*MESSAGE, lambda payload: asked("new")) == 1
        await ended.wait()
        await under_way.idle()
    await inbound.stop()
    reference = seen[0].partition(":")[0]
    assert seen == [f"{reference}: old", "stopped", f"{reference}: new"]
    assert await states(engine) == {"Ev1": "done"}
    assert await elsewhere.revise(*MESSAGE, None) == 0  # what is answered stays


async def test_no_more_than_so_many_are_worked_on_at_once_and_the_others_have_their_turn(engine: AsyncEngine) -> None:
    inbox, under_way, gate, ended = await opened(engine), UnderWay(), asyncio.Event(), asyncio.Event()
    begun: list[str] = []
    most, now = 0, 0

    async def work(reference: str, payload: JSON) -> None:
        nonlocal most, now
        begun.append(payload["text"])
        now += 1
        most = max(most, now)
        await gate.wait()
        now -= 1
        if len(begun) == 7:
            ended.set()

    async def tell(payload: JSON, sentence: str, reference: str) -> None:
        raise AssertionError(sentence)

    inbound = Inbound(inbox, under_way, {"ask": work}, tell, at_once=2)
    await inbound.start()
    for number in range(7):
        await inbound.accept(str(number), "ask", {"text": str(number)})
    assert "30 seconds" in inbound.room.words("6")  # as long as nobody knows how fast it goes
    gate.set()
    async with asyncio.timeout(20):
        await ended.wait()
        await under_way.idle()
    await inbound.stop()
    assert set((await states(engine)).values()) == {"done"}
    assert begun == [str(number) for number in range(7)]
    assert most == 2


async def test_a_database_that_fails_for_seconds_in_the_middle_costs_no_question(engine: AsyncEngine) -> None:
    inbox, under_way, again = await opened(engine), UnderWay(), asyncio.Event()
    tries: list[str] = []
    waited: list[float] = []

    async def pause(seconds: float) -> None:
        waited.append(seconds)

    async def work(reference: str, payload: JSON) -> None:
        tries.append(reference)
        if sum(waited) < 5:
            raise sa.exc.OperationalError("UPDATE", {}, OSError("the server closed the connection"))
        again.set()

    async def tell(payload: JSON, sentence: str, reference: str) -> None:
        raise AssertionError(sentence)

    inbound = Inbound(inbox, under_way, {"ask": work}, tell, pause=pause)
    await inbound.start()
    await inbound.accept("1", "ask", {})
    async with asyncio.timeout(20):
        await again.wait()
        await under_way.idle()
    await inbound.stop()
    assert await states(engine) == {"1": "done"}
    assert waited == [1, 4], "a trouble of five seconds leaves a try"
    assert len(tries) == 3
    assert len(set(tries)) == 1
