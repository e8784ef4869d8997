"""Answers that grow while they are read."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from playwright.async_api import Page, expect
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

pytestmark = pytest.mark.asyncio(loop_scope="module")  # with the browser

Chunk = dict[str, Any]


def task(number: str, title: str, status: str, **more: str) -> Chunk:
    return {"type": "task_update", "id": number, "title": title, "status": status, **more}


class Answer:
    """A stream of the app under one question."""

    def __init__(self, client: AsyncWebClient, channel: str, thread_ts: str) -> None:
        self._client = client
        self._channel = channel
        self._thread_ts = thread_ts
        self._ts = ""

    async def start(self) -> None:
        begun = await self._client.chat_startStream(
            channel=self._channel, thread_ts=self._thread_ts, recipient_team_id="T0LOCAL", recipient_user_id="U0MAYA"
        )
        self._ts = begun["ts"]

    async def add(self, *chunks: Chunk) -> None:
        body = {"channel": self._channel, "ts": self._ts, "chunks": list(chunks)}
        await self._client.api_call("chat.appendStream", json=body)

    async def write(self, text: str) -> None:
        await self.add({"type": "markdown_text", "text": text})

    async def stop(self) -> None:
        await self._client.chat_stopStream(channel=self._channel, ts=self._ts)


async def ask(page: Page) -> str:
    await page.get_by_test_id("composer").fill("@switchboard why?")
    await page.get_by_test_id("send").click()
    question = page.get_by_role("main").get_by_test_id("message").last
    await question.hover()
    await question.get_by_test_id("reply").click()
    await expect(page.get_by_test_id("thread-pane")).to_be_visible()
    return str(await question.get_attribute("data-ts"))


async def set_status(client: AsyncWebClient, thread_ts: str, status: str, *loading: str) -> None:
    body = {"channel_id": "C0HELP", "thread_ts": thread_ts, "status": status, "loading_messages": list(loading)}
    await client.api_call("assistant.threads.setStatus", json=body)


async def test_an_answer_grows_with_its_tasks(page: Page, client: AsyncWebClient) -> None:
    thread_ts = await ask(page)
    pane = page.get_by_test_id("thread-pane")
    await set_status(client, thread_ts, "is searching…")
    await expect(pane.get_by_test_id("status")).to_contain_text("Switchboard is searching…")
    answer = Answer(client, "C0HELP", thread_ts)
    await answer.start()
    await expect(pane.get_by_test_id("status")).to_have_count(0)
    await answer.add(task("1", "Search", "in_progress"), task("2", "Write", "pending"))
    tasks = pane.get_by_test_id("task")
    await expect(tasks.nth(0)).to_have_attribute("data-status", "in_progress")
    await expect(tasks.nth(0).locator(".spinner")).to_be_visible()
    await expect(tasks.nth(1)).to_have_attribute("data-status", "pending")
    await answer.add(task("1", "Search", "complete", output="12 passages"), task("2", "Write", "in_progress"))
    await answer.write("The arm is **reset in two steps** and then")
    message = pane.get_by_test_id("message").last
    await expect(message.locator("strong")).to_have_text("reset in two steps")
    await expect(message).to_have_attribute("data-streaming", "true")
    await answer.write(" starts again.")
    await answer.add(task("2", "Write", "error"))
    await answer.stop()
    await expect(message).to_have_attribute("data-streaming", "false")
    await expect(message.locator(".markdown")).to_have_text("The arm is reset in two steps and then starts again.")
    await expect(tasks.nth(1)).to_have_attribute("data-status", "error")


async def test_half_written_marks_do_not_show(page: Page, client: AsyncWebClient) -> None:
    thread_ts = await ask(page)
    answer = Answer(client, "C0HELP", thread_ts)
    await answer.start()
    await answer.write("Read the **whole hand")
    words = page.get_by_test_id("thread-pane").get_by_test_id("message").last.locator(".markdown")
    await expect(words).to_have_text("Read the whole hand")
    await answer.write("book** [first](https://exa")
    await expect(words).to_have_text("Read the whole handbook first")
    await answer.write("mple.com) [[1]](https://exa")
    await expect(words).to_have_text("Read the whole handbook first [1]")
    await answer.stop()


async def test_stop_ends_the_stream_and_tells_the_app(page: Page, client: AsyncWebClient, app: AsyncApp) -> None:
    stopped: asyncio.Queue[str] = asyncio.Queue()

    async def note(event: dict[str, Any]) -> None:
        stopped.put_nowait(event["thread_ts"])

    app.event("agent_session_stopped")(note)
    thread_ts = await ask(page)
    await expect(page.get_by_test_id("stop")).to_have_count(0)
    answer = Answer(client, "C0HELP", thread_ts)
    await answer.start()
    await answer.write("A long answer")
    await page.get_by_test_id("stop").click()
    assert await asyncio.wait_for(stopped.get(), 10) == thread_ts
    await expect(page.get_by_test_id("stop")).to_have_count(0)


async def test_a_prompt_is_asked_and_its_answer_opens_beside_it(
    page: Page, client: AsyncWebClient, app: AsyncApp
) -> None:
    async def opened(event: dict[str, Any]) -> None:
        prompts = [{"title": "What can you do?", "message": "Tell me what you can do"}]
        body = {"channel_id": event["channel"], "title": "Try this", "prompts": prompts}
        await client.api_call("assistant.threads.setSuggestedPrompts", json=body)

    async def answer(event: dict[str, Any]) -> None:
        if "bot_id" not in event:
            await client.chat_postMessage(channel=event["channel"], thread_ts=event["ts"], text="Quite a lot")

    app.event("app_home_opened")(opened)
    app.event("message")(answer)
    await page.locator("[data-testid=sidebar-item][data-channel=D0MAYA]").click()
    await expect(page.get_by_test_id("prompts")).to_contain_text("Try this")
    await page.get_by_test_id("prompts").get_by_role("button", name="What can you do?").click()
    await expect(page.get_by_role("main").get_by_test_id("message").first).to_contain_text("Tell me what you can do")
    await expect(page.get_by_test_id("thread-pane")).to_contain_text("Quite a lot")
