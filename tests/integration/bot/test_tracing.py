"""Spans, as a receiver of OpenTelemetry's protocol gets them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncGenerator

import pytest
from otlp_receiver import exported

from bot import tracing
from bot.errors import ConfigError


async def test_what_begins_within_a_block_hangs_below_it_also_across_tasks_and_generators(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def pieces() -> AsyncGenerator[int, None]:
        with tracing.span("reading"):
            yield 1
            yield 2

    async def other() -> None:
        with tracing.span("other task"):
            pass

    with exported(monkeypatch) as received:
        with tracing.span("question", {"switchboard.question.id": "q1"}) as span:
            trace = span.trace
            reading = pieces()
            await anext(reading)
            # Whoever closes a generator from elsewhere keeps a place of their own.
            await asyncio.create_task(reading.aclose())
            await asyncio.create_task(other())
            assert tracing.trace_id() == trace
        with pytest.raises(ValueError, match="secret words"), tracing.span("broken"):
            raise ValueError("secret words")
    assert tracing.trace_id() == ""

    (question,) = received.named("question")
    assert question.trace == trace
    assert question.attributes == {"switchboard.question.id": "q1"}
    assert {"reading", "other task"} <= received.under(question)
    (broken,) = received.named("broken")
    assert (broken.parent, broken.failed, broken.attributes) == ("", True, {"error.type": "ValueError"})
    assert received.resource["service.name"] == "switchboard"


def test_without_a_receiver_nothing_is_loaded_and_nothing_is_kept() -> None:
    code = (
        "import sys; from bot import tracing\n"
        "with tracing.exporting(), tracing.span('question') as span: assert span.trace == tracing.trace_id() == ''\n"
        "assert not any(name.startswith('opentelemetry') for name in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_protocol_that_is_not_spoken_is_refused_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
    with pytest.raises(ConfigError, match="4317"), tracing.exporting():
        pass


def test_the_standard_switch_turns_it_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    with exported(monkeypatch) as received, tracing.span("question"):
        assert tracing.trace_id() == ""
    assert received.spans == []
