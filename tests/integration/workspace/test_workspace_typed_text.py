"""What people type and what Slack makes of it."""

from __future__ import annotations

import pytest

from deploy.workspace import demo_seed
from deploy.workspace.typed import mentions_bot, slack_text


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("@maya: hello", "<@U0MAYA>: hello"),
        ("(@Leo.)", "(<@U0LEO>.)"),
        ("maya@example.org", "maya@example.org"),
        ("@nobody and #nothing", "@nobody and #nothing"),
        ("see #general, please", "see <#C0GENERAL|general>, please"),
        ("a < b & c > d", "a &lt; b &amp; c &gt; d"),
        (
            "<@U0SWITCH> <#C0HELP|help> <https://example.org|here>",
            "<@U0SWITCH> <#C0HELP|help> <https://example.org|here>",
        ),
        ("https://example.org/@maya#general", "<https://example.org/@maya#general>"),
        ("`@maya <b>` @maya", "`@maya &lt;b&gt;` <@U0MAYA>"),
        ("```\n@maya\n``` #help", "```\n@maya\n``` <#C0HELP|help>"),
        ("x" * 40_001, "x" * 40_000),
    ],
)
def test_typed_text_is_stored_as_slack_stores_it(typed: str, sent: str) -> None:
    assert slack_text(typed, demo_seed()) == sent


def test_the_bot_is_mentioned_outside_of_code_only() -> None:
    assert mentions_bot("hello <@U0SWITCH>")
    assert not mentions_bot("hello `<@U0SWITCH>`")
    assert not mentions_bot("hello <@U0MAYA>")
