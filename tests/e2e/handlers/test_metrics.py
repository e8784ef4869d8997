"""/metrics, as a Prometheus server reads it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from connected_bot import SWITCHBOARD, ConnectedBot, connected_bot
from house import free_port
from model_server import ModelServer, answer, unauthorized
from prometheus_client.parser import text_string_to_metric_families

from bot.config import Metrics, Settings
from deploy.workspace import Workspace
from deploy.workspace.driver import Driver

CALL = {"provider": "house", "model": "test-model", "purpose": "answer"}


@pytest.fixture
async def bot(workspace: Workspace, settings: Settings) -> AsyncIterator[ConnectedBot]:
    metrics = Metrics(port=free_port())
    async with connected_bot(workspace, settings.model_copy(update={"metrics": metrics})) as running:
        yield running


async def read(bot: ConnectedBot, path: str) -> str:
    port = bot.core.settings.metrics.port
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as response:
        assert response.status == 200
        return await response.text()


async def samples(bot: ConnectedBot) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    families = text_string_to_metric_families(await read(bot, "/metrics"))
    return {(each.name, frozenset(each.labels.items())): each.value for family in families for each in family.samples}


def named(name: str, /, **labels: Any) -> tuple[str, frozenset[tuple[str, Any]]]:
    return f"switchboard_{name}", frozenset(labels.items())


async def test_calls_costs_budgets_and_jobs_are_told_without_a_person_or_a_place(
    bot: ConnectedBot, maya: Driver, server: ModelServer
) -> None:
    usage = {"prompt_tokens": 1000, "completion_tokens": 100, "prompt_tokens_details": {"cached_tokens": 400}}
    server.script(answer("On Tuesdays. [1]", usage=usage), unauthorized())
    at = bot.core.clock()
    for scope, key in (("workspace", ""), ("person", "U0MAYA")):
        await bot.core.budgets.set(scope, key, "month", Decimal(5), hard=False, by="U0ADA", at=at)  # type: ignore[arg-type]
    for question in ("when do deploys run?", "how many vacation days are there?"):
        await maya.post("C0GENERAL", f"{SWITCHBOARD} {question}")
        await bot.idle(maya)

    found = await samples(bot)
    assert found[named("calls_total", **CALL, outcome="answered")] == 1
    assert found[named("calls_total", **CALL, outcome="unauthorized")] == 1
    assert found[named("dollars_total", **CALL)] == pytest.approx(0.0012)
    assert found[named("tokens_total", **CALL, kind="input")] == 1000
    assert found[named("tokens_total", **CALL, kind="cached")] == 400
    assert found[named("call_seconds_count", **CALL)] == 2
    assert found[named("calls_under_way", **CALL)] == 0
    assert named("calls_unpriced_total", **CALL) not in found
    of_budget = {"scope": "workspace", "name": "", "period": "month"}
    assert found[named("budget_dollars", **of_budget)] == 5
    assert found[named("budget_spent_dollars", **of_budget)] == pytest.approx(0.0012)
    assert found[named("inbox_waiting")] == 0
    assert named("job_last_success_timestamp_seconds", job="prune") in found
    text = str(found)
    assert "U0MAYA" not in text
    assert "C0GENERAL" not in text
    assert '"ok": true' in await read(bot, "/healthz")
    assert found[named("questions_total", outcome="answered", strategy="rag")] >= 1
    assert found[named("questions_total", outcome="unauthorized", strategy="rag")] == 1
    assert found[named("question_seconds_count")] == 2
    assert found[named("question_first_word_seconds_count")] == 1
    assert found[named("inbox_oldest_seconds")] == 0
    assert found[named("slack_calls_total", method="chat.startStream", outcome="ok")] >= 1
    assert found[named("index_behind", index="vector")] == found[named("index_behind", index="lexical")] == 0
    assert found[named("loop_late_seconds_count")] >= 0


async def test_a_429_of_slack_and_the_runs_of_jobs_are_counted(bot: ConnectedBot, maya: Driver) -> None:
    await maya.fault("chat.startStream", "rate_limited", retry_after=0, times=1)
    await maya.post("C0GENERAL", f"{SWITCHBOARD} when do deploys run?")
    await bot.idle(maya)
    await bot.schedule.run_due(bot.core.clock() + timedelta(hours=1))
    found = await samples(bot)
    assert found[named("job_runs_total", job="lost-calls", outcome="done")] >= 1
    assert found[named("slack_rate_limited_total", method="chat.startStream")] == 1
    assert named("slack_calls_total", method="chat.startStream", outcome="refused") not in found
