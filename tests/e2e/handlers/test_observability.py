"""What an engineer on call sees of a question: its trace, its log lines and the probes, and no word of it."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa
import structlog
from connected_bot import SWITCHBOARD, ConnectedBot, connected_bot
from house import free_port
from model_server import ModelServer, Reply, answer
from otlp_receiver import exported

from bot.config import Metrics, Settings
from bot.logs import configure_logs, show_texts
from deploy.workspace import Workspace
from deploy.workspace.driver import Driver
from knowledge.schema import sources

CANARY = "heliotrope"
"""A word that stands in all that is said, read and answered, and nowhere else."""


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """The log at its most talkative, as it goes to stderr off a terminal."""
    root, written, before = logging.getLogger(), io.StringIO(), structlog.get_config()
    handlers, level = root.handlers, root.level
    configure_logs(level=logging.DEBUG, to=written)
    yield written
    show_texts(False)
    root.handlers = handlers
    root.setLevel(level)
    structlog.configure(**before)
    for own in ("bot", "handlers", "knowledge"):
        logging.getLogger(own).setLevel(logging.NOTSET)


@pytest.fixture
async def bot(workspace: Workspace, settings: Settings, lines: io.StringIO) -> AsyncIterator[ConnectedBot]:
    folder = settings.knowledge.folders[0].path
    (folder / f"{CANARY}.md").write_text(f"# {CANARY}\n\nThe {CANARY} deploys on Sundays.\n", encoding="utf-8")
    (folder / f"{CANARY}.pdf").write_bytes(f"{CANARY} is no PDF".encode())
    settings = settings.model_copy(update={"metrics": Metrics(port=free_port())})
    async with connected_bot(workspace, settings) as running:
        yield running


async def ready(bot: ConnectedBot) -> tuple[int, dict[str, Any]]:
    url = f"http://127.0.0.1:{bot.core.settings.metrics.port}/readyz"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, await response.json()


async def test_a_question_is_one_trace_and_no_word_of_it_is_logged(
    bot: ConnectedBot,
    maya: Driver,
    server: ModelServer,
    lines: io.StringIO,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refused = Reply(status=400, error={"message": f"I refuse {CANARY}", "type": "error", "code": f"{CANARY}_refused"})
    with exported(monkeypatch) as received:
        server.script(answer(f"The {CANARY} deploys on Sundays. [1]", model="test-model-0711"))
        await maya.post("C0GENERAL", f"{SWITCHBOARD} when does the {CANARY} deploy?")
        await bot.idle(maya)
        server.script(refused, answer(f"{CANARY} again"), refused)
        await maya.post("C0GENERAL", f"{SWITCHBOARD} and {CANARY} once more?")
        await bot.idle(maya)
    asked = next(span for span in received.named("question") if span.attributes["switchboard.outcome"] == "answered")
    (whole,) = [span for span in received.spans if span.trace == asked.trace and not span.parent]
    assert whole.name == "work event"
    assert {"question", "search knowledge", "search examples", "choose", "chat test-model"} <= received.under(whole)
    assert {"slack chat.startStream", "slack chat.stopStream"} <= received.under(whole)
    call = next(span for span in received.named("chat test-model") if span.trace == asked.trace)
    assert call.parent == asked.id
    said = {name: value for name, value in call.attributes.items() if name.startswith("gen_ai.")}
    assert said.pop("gen_ai.usage.input_tokens") > 0
    assert said.pop("gen_ai.usage.output_tokens") > 0
    assert said.pop("gen_ai.response.id")
    assert said == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "house",
        "gen_ai.request.model": "test-model",
        "gen_ai.response.model": "test-model-0711",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.cache_read.input_tokens": 0,
    }
    assert any(span.failed and span.attributes["error.type"] for span in received.named("chat test-model"))

    receipt = await bot.core.assistant.receipt(asked.attributes["switchboard.question.id"])
    assert receipt is not None
    assert receipt.trace == asked.trace
    logged = [json.loads(line) for line in lines.getvalue().splitlines()]
    (done,) = [line for line in logged if line["event"] == "question_done" and line["question"] == receipt.question_id]
    assert done["trace_id"] == asked.trace

    await _through_the_other_doors(bot, maya, server)
    assert CANARY not in lines.getvalue()
    assert CANARY not in str(received.spans)
    broke = ("OperationalError", "ProgrammingError")  # SQLite's word, and PostgreSQL's
    assert any(word in lines.getvalue() for word in broke), "what broke is named all the same"
    show_texts(True)
    await maya.command("/model", f"use {CANARY} for me")
    await bot.idle(maya)
    assert CANARY in lines.getvalue()


async def _through_the_other_doors(bot: ConnectedBot, maya: Driver, server: ModelServer) -> None:
    """Every way in that a person has, with the word in all of them; in the end what is asked breaks."""
    ts = await maya.post("C0GENERAL", f"The {CANARY} is blue")
    await maya.post("C0GENERAL", f"{CANARY} in a file", files={f"{CANARY}.md": f"# {CANARY}".encode()})
    await maya.post(maya.dm, f"{CANARY}, model:{CANARY} what is it?")
    for command, text in (
        ("/ask", f"what is {CANARY}?"),
        ("/compare", f"models:{CANARY} what is {CANARY}?"),
        ("/model", f"use {CANARY} for me"),
        ("/model", f"show {CANARY}"),
        ("/knowledge", f"search {CANARY}"),
        ("/cost", f"by:{CANARY}"),
        ("/switchboard", CANARY),
    ):
        await maya.command(command, text)
    await maya.shortcut("add_to_knowledge", {"channel": "C0GENERAL", "ts": ts})
    await maya.shortcut("ask_about", {"channel": "C0GENERAL", "ts": ts})
    await maya.submit_view(await maya.wait_for_view(), {"question": f"what is {CANARY}?"})
    await bot.idle(maya)
    await bot.core.knowledge.refresh()
    async with bot.core.engine.begin() as connection:
        await connection.execute(sa.text("DROP TABLE conversations"))
    await maya.post("C0GENERAL", f"{SWITCHBOARD} will {CANARY} break it?")
    await bot.idle(maya)


async def test_readiness_names_each_service_and_fails_only_where_no_question_can_be_answered(
    bot: ConnectedBot, maya: Driver, server: ModelServer
) -> None:
    status, told = await ready(bot)
    assert (status, told["ready"], told["phase"]) == (200, True, "open")
    names = {"database", "knowledge", "search indexes", "models", "models: house", "slack", "slack socket"}
    assert names <= told["services"].keys()
    assert all(service["ok"] for service in told["services"].values())

    bot.core.models.breakers.recall([("house", "test-model", "rate_limited", bot.core.clock())] * 10)
    status, told = await ready(bot)
    assert (status, told["services"]["models: house"]["ok"], told["services"]["models"]["ok"]) == (200, False, True)
    since = told["services"]["models: house"]["since"]

    async with bot.core.engine.begin() as connection:
        await connection.execute(sa.text(f"ALTER TABLE {sources.name} RENAME TO gone"))
    status, told = await ready(bot)
    assert (status, told["services"]["knowledge"]["ok"], told["services"]["database"]["ok"]) == (503, False, True)
    assert told["services"]["models: house"]["since"] == since
