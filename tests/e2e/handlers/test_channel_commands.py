"""What admins set for a channel with `/model value` and `/model local`."""

from __future__ import annotations

from pathlib import Path

import pytest
from connected_bot import SWITCHBOARD, ConnectedBot
from model_server import ModelServer

from bot.config import Models, Settings
from deploy.workspace.driver import Driver
from deploy.workspace.state import JSON


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """A second model, which runs elsewhere and would be better; nothing listens there."""
    cards = tmp_path / "cards.toml"
    with cards.open("a", encoding="utf-8") as file:
        file.write(
            '[[providers]]\nname = "cloud"\nbase_url = "http://198.51.100.1:9/v1/"\n'
            '[[models]]\nname = "cloud-model"\nprovider = "cloud"\ncontext_window = 8192\n'
            'rates = { input = "1", output = "2" }\nscores = { rag = 1.0, zero_shot = 1.0 }\n'
        )
    return settings.model_copy(update={"models": Models(default="auto", cards=cards)})


async def told(person: Driver, words: str, channel: str = "C0GENERAL") -> JSON:
    """The ephemeral message that has these words."""
    return await person.wait_for_ephemeral(channel, lambda m: words in m["text"] or words in str(m.get("blocks")))


async def test_what_quality_may_cost_is_told_in_money_and_changed_by_admins(
    bot: ConnectedBot, maya: Driver, leo: Driver
) -> None:
    await leo.command("/model", "value")
    shown = (await told(leo, "Here it is *balanced* (as configured)."))["text"]
    assert "• *balanced: a point of quality (0.01) is worth $0.002 and 2 s*" in shown
    assert "• frugal: a point of quality (0.01) is worth $0.0004 and 2 s" in shown
    await leo.command("/model", "value best")
    await told(leo, "Only an admin can change how answers are chosen in a whole channel.")
    await maya.command("/model", "value dirt-cheap")
    await told(maya, "I do not know the value “dirt-cheap”.")
    await maya.command("/model", "value Frugal here")
    await told(maya, "From now on, frugal: a point of quality (0.01) is worth $0.0004 and 2 s here.")
    await leo.command("/model", "value")
    await told(leo, "Here it is *frugal* (set for this channel).")
    await maya.command("/model", "value auto")
    await told(maya, "From now on, balanced:")


async def test_in_a_channel_that_stays_here_only_models_that_run_here_answer(
    bot: ConnectedBot, maya: Driver, leo: Driver, server: ModelServer
) -> None:
    await leo.command("/model", "local on")
    await told(leo, "Only an admin can say where a channel's questions may go.")
    await leo.command("/model", "local")
    await told(leo, "may be sent to every model that can be used")
    await maya.command("/model", "local on")
    await told(maya, "stay on this machine. *test-model*, *offline* may answer them.")
    server.script("Deploys run on Tuesdays. [1]")
    ts = await leo.post("C0GENERAL", f"{SWITCHBOARD} when do deploys run?")
    answer = await leo.wait_for_reply("C0GENERAL", ts)
    await leo.click(answer, "why")
    shown = str((await leo.wait_for_view())["blocks"])
    assert "• This channel's questions may not leave this machine. _cloud-model:" in shown
    assert "*cloud-model*" not in shown
    opened = len(leo.events)
    await leo.click(answer, "another_way")
    assert "cloud-model" not in str((await leo.wait_for_view(after=opened))["blocks"])


async def test_a_model_elsewhere_cannot_be_pinned_to_a_channel_that_stays_here(bot: ConnectedBot, maya: Driver) -> None:
    await maya.command("/model", "local on")
    await told(maya, "stay on this machine")
    await maya.command("/model", "use cloud-model here")
    await told(maya, "“cloud-model” runs elsewhere, so it cannot be asked. These run here: “test-model”, “offline”.")
    await maya.command("/model", "use cloud-model for me")
    await told(maya, "*cloud-model* answers for you")
    ts = await maya.post("C0GENERAL", f"{SWITCHBOARD} when do deploys run?")
    answered = await maya.wait_for_reply("C0GENERAL", ts)
    assert "*test-model* ·" in str(answered["blocks"])
    await maya.click(answered, "why")
    told_why = str((await maya.wait_for_view())["blocks"])
    assert "“cloud-model” is what you pinned for yourself, but cannot be asked here, so it was passed over" in told_why
    await maya.command("/model", "local off")
    await told(maya, "may be sent to every model that can be used")
