"""The way of a question over both doors, with nothing replaced but the world outside."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import sqlalchemy as sa
from connected_bot import Mode
from house import House, open_house
from model_server import ModelServer, answer

from knowledge.schema import sources

BOT = "<@U0SWITCH>"


@pytest.fixture(params=["socket", "http"])
async def house(request: pytest.FixtureRequest, tmp_path: Path, models_dir: Path) -> AsyncIterator[House]:
    mode: Mode = request.param
    async with open_house(tmp_path, models_dir, mode=mode) as house:
        yield house


def text_of(message: dict[str, object]) -> str:
    return str(message)


async def test_a_mention_is_answered_in_its_thread_with_the_source(house: House) -> None:
    async with house.person("U0MAYA") as maya:
        ts = await maya.post("C0HELP", f"{BOT} How do I roll back a release?")
        reply = await maya.wait_for_reply("C0HELP", ts)
    assert reply["thread_ts"] == ts
    assert "robot deploy rollback" in text_of(reply)
    assert "https://handbook.example/deploying.md" in text_of(reply)
    assert "offline" in text_of(reply)


async def test_a_direct_message_is_answered_without_a_mention(house: House) -> None:
    async with house.person("U0LEO") as leo:
        ts = await leo.post(leo.dm, "How many days of holiday are there?")
        reply = await leo.wait_for_reply(leo.dm, ts)
    assert "30 days" in text_of(reply)


async def test_what_a_channel_may_not_read_is_never_used_there(house: House) -> None:
    question = f"{BOT} What is the salary band of senior engineers?"
    async with house.person("U0MAYA") as maya:
        open_ts = await maya.post("C0HELP", question)
        in_public = await maya.wait_for_reply("C0HELP", open_ts)
        private_ts = await maya.post("G0FIN", question)
        in_private = await maya.wait_for_reply("G0FIN", private_ts)
        own_ts = await maya.post(maya.dm, question)
        alone = await maya.wait_for_reply(maya.dm, own_ts)
    assert "84,000" not in text_of(in_public)
    assert "84,000" in text_of(in_private)
    assert "84,000" in text_of(alone)
    async with house.person("U0SAM") as sam:
        ts = await sam.post(sam.dm, question)
        assert "84,000" not in text_of(await sam.wait_for_reply(sam.dm, ts))


async def test_a_follow_up_needs_no_mention(house: House) -> None:
    async with house.person("U0MAYA") as maya:
        ts = await maya.post("C0HELP", f"{BOT} How do I roll back a release?")
        first = await maya.wait_for_reply("C0HELP", ts)
        await maya.post("C0HELP", "And who may deploy?", thread=ts)
        second = await maya.wait_for_message(
            "C0HELP",
            lambda m: m["user"] == "U0SWITCH" and not m.get("streaming") and "engineering" in text_of(m),
            thread=ts,
            after=first["ts"],
        )
    assert second["ts"] > first["ts"]


async def test_the_same_event_three_times_is_answered_once(house: House) -> None:
    async with house.person("U0MAYA") as maya:
        ts = await maya.post("C0HELP", f"{BOT} How do I roll back a release?")
        await maya.wait_for_reply("C0HELP", ts)
        await maya.control("redeliver", last=True, times=2)
        await maya.quiet()
        other = await maya.post("C0HELP", f"{BOT} How many days of holiday are there?")
        await maya.wait_for_reply("C0HELP", other)
        replies = [m for m in await maya.history("C0HELP", ts) if m["user"] == "U0SWITCH"]
    assert len(replies) == 1


async def test_a_hosted_model_streams_an_answer_whose_cost_is_kept(tmp_path: Path, models_dir: Path) -> None:
    async with ModelServer() as server:
        server.script(
            answer("Run `robot deploy rollback`. [1]", usage={"prompt_tokens": 1000, "completion_tokens": 100})
        )
        async with open_house(tmp_path, models_dir, models=server) as house, house.person() as maya:
            await maya.command("/model", "use test-model for me", channel="C0HELP")
            ts = await maya.post("C0HELP", f"{BOT} How do I roll back a release?")
            reply = await maya.wait_for_reply("C0HELP", ts)
            (total,) = await house.app.core.ledger.total(
                house.app.core.clock().replace(hour=0, minute=0), house.app.core.clock()
            )
    assert "robot deploy rollback" in text_of(reply)
    assert "test-model" in text_of(reply)
    # 1,000 tokens in at $2.50 and 100 out at $10.00 a million
    assert str(total.cost.normalize()) == "0.0035"


async def test_health_asks_the_database_and_the_knowledge(tmp_path: Path, models_dir: Path) -> None:
    async with open_house(tmp_path, models_dir, mode="http") as house, aiohttp.ClientSession(house.app.url) as session:
        async with session.get("/readyz") as well:
            assert (well.status, (await well.json())["ready"]) == (200, True)
        async with house.app.core.engine.begin() as connection:
            await connection.execute(sa.text(f"ALTER TABLE {sources.name} RENAME TO lost"))
        async with session.get("/readyz") as ill:
            assert ill.status == 503
            assert not (await ill.json())["services"]["knowledge"]["ok"]
        async with session.get("/healthz") as lives:
            assert lives.status == 200
