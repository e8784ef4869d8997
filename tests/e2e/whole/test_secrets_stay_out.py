"""Three secrets through every door of the whole bot, and then a look at each byte that it left behind."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from made_up_secrets import made_up
from model_server import ModelServer
from running_process import opened_slack, running
from sample_files import png

from deploy.workspace.driver import Driver
from deploy.workspace.state import JSON

SECRETS = {
    kind: secret for kind, _, secret in made_up() if kind in ("GitHub token", "Stripe key", "Stripe webhook secret")
}
ALL = " and ".join(SECRETS.values())
HELP = "C0HELP"


async def test_no_byte_of_a_secret_that_somebody_sent_is_in_a_table_an_index_a_log_or_a_call(
    tmp_path: Path, models_dir: Path
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "deploying.md").write_text("# Rolling back a release\nRun `undo` to roll back a release.\n")
    async with opened_slack() as slack:
        env = slack.environment(tmp_path, models_dir, SWITCHBOARD_LOGS__TEXTS="true")
        with (tmp_path / "bot.log").open("wb") as log:
            async with running(tmp_path, env, log) as process:
                await _said(slack.maya, slack.models)
                process.send_signal(signal.SIGTERM)
                async with asyncio.timeout(40):
                    assert await process.wait() == 0
        state = await slack.maya.control("state")
        shown = json.dumps([m for said in state["messages"].values() for m in said if m["user"] == "U0SWITCH"])
        asked = json.dumps([str(request.body) for request in slack.models.requests])
    tables = "\n".join(_columns(tmp_path / "data" / "switchboard.db"))
    assert "roll back a release with [secret: GitHub token]" in tables
    assert "roll back a release with [secret: GitHub token]" in asked
    assert "compares 2 answers:\\n>How do I roll back a release with [secret: GitHub token]" in shown
    assert "strategy:guess Why does [secret: GitHub token]" in tables
    assert "saved from Slack" in tables
    places = {"tables": tables, "log": (tmp_path / "bot.log").read_text(), "models": asked, "said in Slack": shown}
    places |= {str(file): file.read_bytes().decode("latin-1") for file in _files(tmp_path / "data")}
    found = [(kind, place) for kind, secret in SECRETS.items() for place, text in places.items() if secret in text]
    assert found == []


async def _said(maya: Driver, models: ModelServer) -> None:
    models.script_pictures(png(64, 64))
    question = f"How do I roll back a release with {ALL}?"
    ts = await maya.post(HELP, f"<@U0SWITCH> {question}", files={"notes.txt": f"Take {ALL}.".encode()})
    answer = await maya.wait_for_reply(HELP, ts, _has_buttons)
    await maya.post(HELP, f"I mean the release of {ALL}.", thread=ts)
    await maya.wait_for_reply(HELP, ts, lambda m: m["ts"] > answer["ts"] and _has_buttons(m))
    await maya.command("/ask", question, channel=HELP)
    await maya.wait_for_ephemeral(HELP, _has_buttons)
    drawn = await maya.post(HELP, f"<@U0SWITCH> draw a robot that holds {ALL}")
    await maya.wait_for_reply(HELP, drawn, lambda m: bool(m.get("files")))
    await maya.shortcut("add_to_knowledge", {"channel": HELP, "ts": ts})
    await maya.wait_for_ephemeral(HELP, lambda m: "Added to knowledge" in m["text"])
    await maya.shortcut("ask_about", {"channel": HELP, "ts": ts})
    view = await maya.wait_for_view()
    await maya.submit_view(view, {"question": f"And with {ALL}?", "where": "thread"})
    await maya.command("/compare", question, channel=HELP)
    await maya.command("/knowledge", f"search {question}", channel=HELP)
    await maya.click(answer, "feedback", value=_down(answer))
    # One that cannot be understood and stays in the inbox as it failed.
    failed = await maya.post(HELP, f"<@U0SWITCH> strategy:guess Why does {ALL} not work?")
    await maya.wait_for_reply(HELP, failed)
    await maya.quiet()


def _has_buttons(message: JSON) -> bool:
    return "actions" in str(message.get("blocks"))


def _down(message: JSON) -> str:
    return str(
        next(
            element["negative_button"]["value"]
            for block in message["blocks"]
            for element in block.get("elements", ())
            if element.get("action_id") == "feedback"
        )
    )


def _columns(file: Path) -> Iterator[str]:
    with sqlite3.connect(file) as database:
        for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in database.execute(f'SELECT * FROM "{table}"'):  # noqa: S608
                yield f"{table}: {[_plain(value) for value in row]}"


def _plain(value: Any) -> Any:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _files(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]
