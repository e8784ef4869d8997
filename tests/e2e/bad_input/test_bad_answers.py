"""What models and Slack do wrong: the thread gets an answer or a sentence, the log says why, and nothing is lost."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import model_server
import pytest
import sqlalchemy as sa
from connected_bot import SWITCHBOARD
from house import House, open_house
from model_server import ModelServer, Reply, answer, rate_limited
from structlog.typing import EventDict

from bot.models.client import Timeouts
from bot.models.registry import Models
from bot.storage.cost_tables import ledger
from deploy.workspace.driver import Driver
from deploy.workspace.state import JSON

ROLL_BACK = f"{SWITCHBOARD} How do I roll back a release?"
USUAL, QUICK = Timeouts(), Timeouts(first=0.5, between=0.5)


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer() as running:
        yield running


@pytest.fixture
def waits() -> Timeouts:
    """How long the hosted model is waited for; a test that wants it to be too long parametrizes this."""
    return USUAL


@pytest.fixture
async def house(
    tmp_path: Path, models_dir: Path, server: ModelServer, monkeypatch: pytest.MonkeyPatch, waits: Timeouts
) -> AsyncIterator[House]:
    """With a hosted model."""
    monkeypatch.setattr(Models, "_limits", lambda _: waits)
    async with open_house(tmp_path, models_dir, models=server) as running:
        yield running


@pytest.fixture
async def maya(house: House) -> AsyncIterator[Driver]:
    """She has pinned the hosted model, so that no other steps in."""
    async with house.person("U0MAYA") as driver:
        await driver.command("/model", "use test-model for me", channel="C0GENERAL")
        await driver.wait_for_ephemeral("C0GENERAL", lambda m: "test-model" in m["text"])
        yield driver


async def outcomes(house: House) -> list[str]:
    """Of all calls, in their order."""
    async with house.app.core.engine.connect() as connection:
        return list((await connection.execute(sa.select(ledger.c.outcome).order_by(ledger.c.id))).scalars())


def reference_of(message: JSON) -> str:
    found = re.search(r"[Rr]eference ([0-9a-f]{12})", str(message))
    assert found is not None, message
    return found[1]


@pytest.mark.parametrize(
    ("reply", "kind", "waits"),
    [
        (model_server.silence(), "timed_out", QUICK),
        (model_server.stall(), "timed_out", QUICK),
        (model_server.cut(), "unavailable", USUAL),
        (model_server.cut_quietly(), "unavailable", USUAL),
        (model_server.error_in_stream(), "unavailable", USUAL),
        (model_server.invalid_stream(), "unusable", USUAL),
        (model_server.forbidden(), "unauthorized", USUAL),
        (model_server.out_of_credit(), "unauthorized", USUAL),
        (rate_limited(3600), "rate_limited", USUAL),
    ],
    ids=["silence", "a stall", "a cut", "a quiet cut", "an error in it", "broken JSON", "403", "no credit", "429"],
)
async def test_a_model_that_breaks_off_ends_in_a_sentence_and_a_row(
    house: House, maya: Driver, server: ModelServer, lines: list[EventDict], reply: Reply, kind: str
) -> None:
    server.reply = reply
    ts = await maya.post("C0HELP", ROLL_BACK)
    told = await maya.wait_for_reply("C0HELP", ts, lambda m: not m.get("streaming") and "eference" in str(m))
    await house.app.idle(maya)
    reference = reference_of(told)
    assert "“test-model”" in told["text"]
    assert [line for line in lines if line["event"] == "question_failed" and line["question"] == reference]
    assert await outcomes(house) == [kind]
    assert await house.app.core.inbox.waiting() == []
    server.reply = answer("Run `robot deploy rollback`. [1]")
    await maya.post("C0HELP", "Once more: how do I roll back a release?", thread=ts)
    again = await maya.wait_for_message(
        "C0HELP", lambda m: m["text"].startswith("Run `robot deploy rollback`."), thread=ts, after=told["ts"]
    )
    assert again["thread_ts"] == ts


async def test_a_rate_limit_that_says_when_to_come_back_is_waited_out(
    house: House, maya: Driver, server: ModelServer
) -> None:
    server.script(rate_limited(1), answer("Run `robot deploy rollback`. [1]"))
    ts = await maya.post("C0HELP", ROLL_BACK)
    assert (await maya.wait_for_reply("C0HELP", ts))["text"].startswith("Run `robot deploy rollback`.")
    await house.app.idle(maya)
    assert await outcomes(house) == ["rate_limited", "answered"]


@pytest.mark.parametrize("how", ["disconnect", "hard"])
async def test_a_socket_that_closes_in_an_answer_costs_nothing(
    house: House, maya: Driver, server: ModelServer, how: str
) -> None:
    gate = asyncio.Event()
    server.script(
        Reply(text="Run `robot deploy rollback`. [1]", gate=gate), answer("Everyone on the engineering team. [1]")
    )
    ts = await maya.post("C0HELP", ROLL_BACK)
    await maya.wait_for_reply("C0HELP", ts, lambda m: bool(m.get("streaming")))
    await server.until_asked()  # the steps are streamed before, and the next question would get this answer
    await maya.control("close_sockets", how=how)
    missed = await maya.post("C0GENERAL", f"{SWITCHBOARD} who may deploy?")
    gate.set()
    assert (await maya.wait_for_reply("C0HELP", ts))["text"].startswith("Run `robot deploy rollback`.")
    assert "engineering team" in (await maya.wait_for_reply("C0GENERAL", missed))["text"]


@pytest.mark.parametrize(
    "method",
    ["chat.startStream", "chat.appendStream", "chat.stopStream", "conversations.info", "conversations.members"],
)
@pytest.mark.parametrize("kind", ["rate_limited", "http_500"])
async def test_a_passing_fault_of_slack_costs_no_answer(
    house: House, maya: Driver, server: ModelServer, method: str, kind: str
) -> None:
    server.script(answer("Run `robot deploy rollback`. [1]"))
    await maya.fault(method, kind, times=1, retry_after=1)
    ts = await maya.post("C0HELP", ROLL_BACK)
    reply = await maya.wait_for_reply("C0HELP", ts)
    assert reply["text"].startswith("Run `robot deploy rollback`.")
    assert len(await maya.history("C0HELP", ts)) == 2


@pytest.mark.parametrize("error", ["not_in_channel", "channel_not_found"])
async def test_an_answer_that_has_no_place_any_more_comes_directly_and_the_log_says_so(
    house: House, maya: Driver, server: ModelServer, lines: list[EventDict], error: str
) -> None:
    server.script(answer("Run `robot deploy rollback`. [1]"))
    await maya.fault("chat.startStream", "error", error=error, times=1)
    await maya.post("C0HELP", ROLL_BACK)
    told = await maya.wait_for_message(maya.dm, lambda m: "I could not answer there" in m["text"])
    assert "/invite @Switchboard" in told["text"]
    # Its words stand there before its sources do.
    given = await maya.wait_for_message(maya.dm, lambda m: "handbook.example/deploying.md" in str(m.get("blocks")))
    assert given["text"].startswith("Run `robot deploy rollback`.")
    (closed,) = [line for line in lines if line["event"] == "place_closed"]
    assert (closed["error"], closed["question"]) == (error, reference_of(told))


async def test_a_hint_that_has_no_place_comes_directly(house: House, maya: Driver, lines: list[EventDict]) -> None:
    await maya.fault("chat.postMessage", "error", error="not_in_channel", times=2)
    await maya.post("C0HELP", SWITCHBOARD)
    told = await maya.wait_for_message(maya.dm, lambda m: "I am not a member of that channel" in m["text"])
    await house.app.idle(maya)
    assert reference_of(told) in {line.get("reference") for line in lines if line["event"] == "refused"}
