"""The slash commands, whose answers only the person sees."""

from __future__ import annotations

import pytest
from connected_bot import BOTH_DOORS, SWITCHBOARD, ConnectedBot
from model_server import ModelServer, unauthorized

from bot.audit import Audit
from deploy.workspace.driver import Driver
from deploy.workspace.state import JSON


async def told(person: Driver, words: str, channel: str = "C0GENERAL") -> JSON:
    """The ephemeral message that has these words."""
    return await person.wait_for_ephemeral(channel, lambda m: words in m["text"] or words in str(m.get("blocks")))


@BOTH_DOORS
async def test_ask_is_answered_to_the_asker_alone_also_where_the_bot_is_no_member(
    bot: ConnectedBot, maya: Driver, leo: Driver, server: ModelServer
) -> None:
    server.script("30 days. [1]")
    await maya.command("/ask", "how many vacation days are there?", channel="C0RANDOM")
    await told(maya, "You asked: how many vacation days are there?", "C0RANDOM")
    answer = await told(maya, "30 days.", "C0RANDOM")
    assert "https://docs.example/vacation.md" in str(answer["blocks"])
    assert await leo.history("C0RANDOM") == []


@BOTH_DOORS
async def test_ask_reads_what_the_asker_may_read(bot: ConnectedBot, maya: Driver, server: ModelServer) -> None:
    await maya.command("/ask", "what is the robot budget for 2027?")
    await told(maya, "test-model")
    assert "41,000 euros" in server.chats[-1].prompt


@BOTH_DOORS
async def test_ask_without_a_question_says_how_to_ask(bot: ConnectedBot, maya: Driver, server: ModelServer) -> None:
    await maya.command("/ask", "  ")
    await told(maya, "Write your question after the command")
    assert server.chats == []


@BOTH_DOORS
async def test_a_model_that_refuses_the_key_is_told_with_a_reference(
    bot: ConnectedBot, maya: Driver, server: ModelServer
) -> None:
    server.script(unauthorized())
    await maya.command("/model", "use test-model for me")
    await told(maya, "From now on")
    await maya.command("/ask", "when do deploys run?")
    answer = await told(maya, "eference")
    assert "test-model" in answer["text"]


@BOTH_DOORS
async def test_model_list_names_the_usable_models_and_what_answers_now(bot: ConnectedBot, maya: Driver) -> None:
    await maya.command("/model", "list")
    shown = str((await told(maya, "test-model"))["blocks"])
    assert "$1 / $2" in shown
    assert "'offline'" in shown
    assert "automatically" in shown
    assert "With a key for OpenAI (OPENAI_API_KEY): gpt-6-luna" in shown
    await maya.command("/model", "list languages:nl context:100k")
    narrowed = await told(maya, "`languages:nl context:100k`")
    assert "granite-3.1-8b" in str(narrowed["blocks"])
    assert "test-model" not in str(narrowed["blocks"])
    await maya.command("/model", "list contxt:100k")
    refused = await told(maya, "I cannot filter models by “contxt”")
    assert "Did you mean “context”?" in refused["text"]


@BOTH_DOORS
async def test_model_show_gives_the_whole_card(bot: ConnectedBot, maya: Driver) -> None:
    await maya.command("/model", "show test-model")
    shown = str((await told(maya, "A model for tests."))["blocks"])
    assert "8,192 tokens" in shown
    assert "*Licence:* unknown" in shown
    assert "/model use test-model" in shown


@BOTH_DOORS
async def test_an_unknown_model_gets_the_nearest_names(bot: ConnectedBot, maya: Driver) -> None:
    await maya.command("/model", "use tset-model")
    answer = await told(maya, "There is no model called")
    assert "test-model" in answer["text"]


@pytest.mark.parametrize(
    ("command", "text"),
    [("/model", "frobnicate"), ("/knowledge", "eat everything"), ("/cost", "yesterday"), ("/model", "use")],
)
@BOTH_DOORS
async def test_unknown_words_get_a_sentence_with_what_is_possible(
    bot: ConnectedBot, maya: Driver, command: str, text: str
) -> None:
    await maya.command(command, text)
    answer = await told(maya, f"`{command} ")
    assert answer["text"].startswith(("I do not know", "I did not understand"))


@BOTH_DOORS
async def test_my_model_answers_me_and_nobody_else_until_it_is_automatic_again(
    bot: ConnectedBot, maya: Driver, leo: Driver, server: ModelServer
) -> None:
    await maya.command("/model", "use OFFLINE for me")
    await told(maya, "*offline* answers for you")
    await maya.command("/ask", "when do deploys run?")
    await told(maya, "*offline* ·")
    assert server.chats == []
    await leo.command("/ask", "when do deploys run?")
    await told(leo, "*test-model* ·")
    await maya.command("/model", "auto")
    await told(maya, "automatically again for you")
    await maya.command("/ask", "how many vacation days are there?")
    await told(maya, "*test-model* ·")


@BOTH_DOORS
async def test_a_channels_model_is_for_admins_to_switch(
    bot: ConnectedBot, maya: Driver, leo: Driver, server: ModelServer
) -> None:
    await leo.command("/model", "use offline here")
    await told(leo, "Only an admin can change the model of a whole channel.")
    await maya.command("/model", "use offline here")
    await told(maya, "for everyone in this channel")
    ts = await leo.post("C0GENERAL", f"{SWITCHBOARD} when do deploys run?")
    assert "*offline* ·" in str((await leo.wait_for_reply("C0GENERAL", ts))["blocks"])
    assert server.chats == []


@BOTH_DOORS
async def test_a_command_cannot_know_its_thread_and_says_what_can(bot: ConnectedBot, maya: Driver) -> None:
    await maya.command("/model", "use offline thread")
    await told(maya, "@Switchboard model use NAME thread")


@BOTH_DOORS
async def test_the_picker_switches_the_model(bot: ConnectedBot, maya: Driver) -> None:
    await maya.command("/model")
    view = await maya.wait_for_view()
    assert "A model for tests." in str(view["blocks"])
    await maya.submit_view(view, {"model": "offline", "scope": "person"})
    await told(maya, "*offline* answers for you")


@BOTH_DOORS
async def test_a_model_that_vanished_while_the_picker_was_open_is_refused_in_it(
    bot: ConnectedBot, maya: Driver
) -> None:
    await maya.command("/model")
    view = await maya.wait_for_view()
    gone = {"text": {"type": "plain_text", "text": "gone"}, "value": "a-model-of-last-year"}
    values = {"model": {"model": {"type": "static_select", "selected_option": gone}}}
    answer = await maya.act("submit_view", view_id=view["id"], state={"values": values})
    assert answer["response_action"] == "errors"
    assert "There is no model called" in answer["errors"]["model"]


@BOTH_DOORS
async def test_costs_of_all_are_for_admins_and_ones_own_for_everybody(
    bot: ConnectedBot, maya: Driver, leo: Driver
) -> None:
    await maya.command("/ask", "when do deploys run?")
    await told(maya, "*test-model* ·")
    await leo.command("/cost", "month")
    await told(leo, "Only an admin can see what the models cost (`/cost me` shows what yours did).")
    await leo.command("/cost")
    await told(leo, "This week no model was called for you, so it cost nothing.")
    await maya.command("/cost", "today by model")
    answer = await told(maya, "Today cost")
    assert "test-model" in str(answer["blocks"])
    await maya.command("/cost", "last:7d by:me")
    await told(maya, "The last 7 days, your questions cost")
    await bot.idle(maya)
    await maya.open_home()
    shown = str((await maya.wait_for_home())["blocks"])
    assert "This month, your questions cost $0.0" in shown
    await leo.open_home()
    assert "This month no model was called for you" in str((await leo.wait_for_home())["blocks"])


@BOTH_DOORS
async def test_the_rows_come_as_csv_into_the_direct_messages(bot: ConnectedBot, maya: Driver) -> None:
    await maya.command("/ask", "when do deploys run?")
    await told(maya, "*test-model* ·")
    await maya.command("/cost", "month csv")
    message = await maya.wait_for_message(maya.dm, lambda m: bool(m.get("files")))
    rows = (await maya.file(message["files"][0])).decode()
    assert rows.startswith("started_at,question_id,")
    assert "test-model" in rows


@BOTH_DOORS
async def test_help_names_every_command(bot: ConnectedBot, maya: Driver) -> None:
    await maya.command("/switchboard")
    shown = str((await told(maya, "What I can do"))["blocks"])
    assert all(command in shown for command in ("/ask", "/model", "/knowledge", "/cost"))


@BOTH_DOORS
async def test_anybody_can_keep_their_words_out_of_training(bot: ConnectedBot, leo: Driver) -> None:
    await leo.command("/switchboard", "privacy")
    await told(leo, "Nothing anybody writes trains a model here")
    await leo.command("/switchboard", "privacy training maybe")
    await told(leo, "`/switchboard privacy training off` keeps your words out of training")
    await leo.command("/switchboard", "privacy training off")
    await told(leo, "Nothing you write trains a model, as you said.")
    (entry,) = await Audit(bot.core.engine).entries()
    assert (entry.who, entry.action, entry.after) == ("U0LEO", "training consent", "off")
