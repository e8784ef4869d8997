"""Slack's own markup, as Markdown that can be read without Slack."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from deploy.workspace import BOT_TOKEN, Workspace
from knowledge.sources.slack.api import SlackApi
from knowledge.sources.slack.names import Names
from knowledge.sources.slack.text import markdown, title

MESSAGES = [
    ("*Deploys* run ~daily~ weekly", "**Deploys** run ~~daily~~ weekly"),
    ("ask <@U0MAYA> or <@U0LEO|leo>", "ask @Maya Chen or @Leo Brandt"),
    ("see <#C0HELP|help> and <#C0ENG>", "see #help and #engineering"),
    ("not for all: <#G0FIN>", "not for all: a private channel"),
    ("<https://docs.example/a|the page> and <https://docs.example/b>", "[the page](https://docs.example/a) and https://docs.example/b"),
    ("<mailto:ops@acme.example|ops@acme.example>", "ops@acme.example"),
    ("a &lt; b &amp;&amp; c &gt; d", "a < b && c > d"),
    ("<!here> stop, <!subteam^S1|@oncall>", "@here stop, @oncall"),
    ("• one\n• two", "- one\n- two"),
    ("run `kubectl *get* <@U0MAYA>` now", "run `kubectl *get* <@U0MAYA>` now"),
    ("like this: ```if a &lt; b:\n    <https://x.example>```", "like this: \n```\nif a < b:\n    https://x.example\n```"),
    ("2*3*4 and snake_case_name", "2*3*4 and snake_case_name"),
    ("who is <@U0GONE>?", "who is @somebody?"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "read"), MESSAGES)
async def test_a_message_reads_as_markdown(said: str, read: str) -> None:
    assert await rendered({"text": said}) == read


async def test_forwarded_words_and_the_names_of_files_belong_to_a_message() -> None:
    message = {
        "text": "Look at this",
        "attachments": [{"is_share": True, "text": "The port is 8443."}, {"title": "A preview", "text": "Unfurled"}],
        "files": [{"id": "F1", "name": "plan.pdf"}],
    }
    assert await rendered(message) == "Look at this\n\n> The port is 8443.\n\nShared: plan.pdf"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("**Deploys** fail on ~~prod~~ staging\nSince noon.", "Deploys fail on prod staging"),
        ("\n:tada:\n\nWhy is it [red](https://ci.example)?", "Why is it red?"),
        ("> # Quoted", "Quoted"),
        ("!!!", None),
        ("", None),
    ],
)
def test_a_title_is_the_first_line_with_words(text: str, expected: str | None) -> None:
    assert title(text) == expected


def test_a_long_title_ends_with_a_whole_word() -> None:
    assert title("information " * 20) == "information " * 6 + "…"


async def rendered(message: dict[str, Any]) -> str:
    async with Workspace(port=0) as workspace:
        names = Names(SlackApi(AsyncWebClient(BOT_TOKEN, base_url=workspace.api_url)))
        return await markdown(message, names)
