"""Where the report of an evaluation goes: a page, a comparison, a channel."""

from __future__ import annotations

import io
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from evaluation_bench import Bench
from model_server import answer
from rich.console import Console

from bot import evaluating
from bot.config import Workspace as WorkspaceSettings
from bot.errors import RunNotFound, UnusableGolden
from bot.outlets import Outlets
from deploy.workspace import BOT_TOKEN, Workspace
from deploy.workspace.driver import Driver

REPORTS = "C0REPORTS"


@pytest.fixture
async def workspace(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Workspace]:
    for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET"):
        monkeypatch.delenv(name, raising=False)
    async with Workspace(port=0) as running:
        yield running


def at_port(bench: Bench, port: int) -> None:
    bench.settings = bench.settings.model_copy(update={"workspace": WorkspaceSettings(port=port)})


async def posted(workspace: Workspace) -> str:
    async with Driver(workspace.url, as_user="U0MAYA") as maya:
        return str((await maya.wait_for_message(REPORTS))["text"])


async def as_text(bench: Bench, name: str = "last", **outlets: Any) -> str:
    """What a person reads in the terminal of a run that was kept."""
    out = Console(file=io.StringIO(), width=200, soft_wrap=True)
    await evaluating.show(bench.settings, name, Outlets(out=out, err=Console(file=io.StringIO()), **outlets))
    return str(out.file.getvalue())  # type: ignore[attr-defined]


async def test_the_terminal_names_the_best_value_and_whether_choosing_pays(bench: Bench) -> None:
    await bench.evaluate()
    told = await as_text(bench)
    assert "A point of quality (0.01) is worth $0.002" in told
    assert "cannot tell the ways apart" in told
    assert "questions in 3 groups cannot tell whether choosing pays: it takes 4 groups at least." in told
    assert "±" not in told


async def test_the_page_is_one_file_with_the_selectors_own_report(bench: Bench, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    await bench.evaluate(outlets={"html": page}, name="<first>")
    text = page.read_text("utf-8")
    assert "&lt;first&gt;" in text
    assert "Asked otherwise" in text
    assert "test-model" in text
    assert "The page is" in bench.told


async def test_a_page_that_cannot_be_written_says_so_and_the_run_is_kept(bench: Bench, tmp_path: Path) -> None:
    with pytest.raises(UnusableGolden, match=r"The page cannot be written to .*: No such file or directory"):
        await bench.evaluate(outlets={"html": tmp_path / "nowhere" / "report.html"})
    assert (await bench.shown())["run"]["finished"] is not None


async def test_a_new_run_is_compared_with_the_one_before(bench: Bench) -> None:
    bench.server.reply = answer("I do not know.")
    await bench.evaluate(name="first")
    (bench.folder / "docs" / "holidays.md").write_text("# Holidays\n\nThere are 31 days.\n", "utf-8")
    document = await bench.evaluate(name="second", outlets={"compare": "last"})
    comparison = document["comparison"]
    assert (comparison["earlier"]["name"], comparison["questions"]) == ("first", 4)
    assert any("index" in change["what"] or "known" in change["what"] for change in comparison["changes"])
    assert "Changed since “first”" in await as_text(bench, "second", compare="first")
    assert (await bench.shown("second"))["comparison"] is None
    with pytest.raises(RunNotFound, match="cannot be compared with itself"):
        await bench.shown("second", compare="last")
    with pytest.raises(RunNotFound, match="There is no run “third”"):
        await bench.evaluate(outlets={"compare": "third"})


async def test_the_summary_is_posted_to_the_local_workspace(bench: Bench, workspace: Workspace) -> None:
    at_port(bench, int(workspace.url.rpartition(":")[2]))
    await bench.evaluate(name="R&D", outlets={"post": REPORTS})
    text = await posted(workspace)
    assert text.startswith("Evaluation “R&amp;D”: ")
    assert len(text.splitlines()) <= 12
    assert "4 questions in 3 groups × 3 ways." in text
    assert f"The summary was posted to {REPORTS}." in bench.told


async def test_the_summary_is_posted_to_slack_with_the_bots_token(
    bench: Bench, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", BOT_TOKEN)
    monkeypatch.setenv("SLACK_APP_TOKEN", "xapp-any")
    slack = bench.settings.slack.model_copy(update={"base_url": workspace.api_url})
    bench.settings = bench.settings.model_copy(update={"slack": slack})
    await bench.evaluate(outlets={"post": REPORTS})
    assert "Evaluation “" in await posted(workspace)
    await bench.shown(post="C0NOWHERE")
    assert "The summary was not posted to C0NOWHERE. I cannot see that channel." in bench.told


async def test_a_summary_that_cannot_be_posted_says_why_and_stops_nothing(
    bench: Bench, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        at_port(bench, taken.getsockname()[1])
        document = await bench.evaluate(outlets={"post": REPORTS})
    assert document["run"]["finished"] is not None
    assert "The summary was not posted: no Slack token is set, and no local workspace answers" in bench.told
    monkeypatch.setenv("SLACK_APP_TOKEN", "xapp-any")
    await bench.shown(post=REPORTS)
    assert "The summary was not posted: SLACK_BOT_TOKEN is missing." in bench.told
