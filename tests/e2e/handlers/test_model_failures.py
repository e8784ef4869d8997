"""Whatever the model's server does, the thread gets an answer or a sentence with its reference."""

from __future__ import annotations

import re

import model_server
import pytest
from connected_bot import SWITCHBOARD, ConnectedBot
from model_server import ModelServer, Reply
from structlog.testing import capture_logs

from deploy.workspace.driver import Driver

FAILURES = {
    "a wrong key": model_server.unauthorized(),
    "a model that is not there": model_server.not_found(),
    "a rate limit": model_server.rate_limited(retry_after=0.1),
    "a server error": model_server.server_error(),
    "a cut stream": model_server.cut(),
    "an empty answer": model_server.empty(),
    "invalid JSON": model_server.invalid_json(),
    "a context overflow": model_server.context_overflow(),
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES.keys())
async def test_a_failing_model_ends_in_a_sentence_whose_reference_the_log_has(
    bot: ConnectedBot, maya: Driver, server: ModelServer, failure: Reply
) -> None:
    server.reply = failure
    with capture_logs() as lines:
        ts = await maya.post("C0GENERAL", f"{SWITCHBOARD} when do deploys run?")
        reply = await maya.wait_for_reply("C0GENERAL", ts, lambda m: "eference" in m["text"])
        await bot.idle(maya)
    reference = re.search(r"[Rr]eference ([0-9a-f]{12})", reply["text"])
    assert reference is not None, reply["text"]
    assert "Traceback" not in reply["text"]
    assert [line for line in lines if line.get("question") == reference[1] and line["log_level"] == "warning"]
    assert await bot.core.inbox.waiting() == []


async def test_after_a_failure_the_thread_goes_on(bot: ConnectedBot, maya: Driver, server: ModelServer) -> None:
    server.script(model_server.unauthorized(), "On Tuesdays. [1]")
    ts = await maya.post("C0GENERAL", f"{SWITCHBOARD} when do deploys run?")
    failed = await maya.wait_for_reply("C0GENERAL", ts)
    await bot.idle(maya)
    await maya.post("C0GENERAL", "Try again: when do deploys run?", thread=ts)
    reply = await maya.wait_for_message(
        "C0GENERAL", thread=ts, after=failed["ts"], predicate=lambda m: m["text"].startswith("On Tuesdays.")
    )
    assert reply["user"] == "U0SWITCH"
