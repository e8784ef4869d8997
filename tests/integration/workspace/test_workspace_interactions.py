"""Buttons, modals, commands, shortcuts and the Home tab, from a person to a real Bolt app and back."""

from __future__ import annotations

import re
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from deploy.workspace.driver import Driver, Refused

JSON = dict[str, Any]
pytestmark = pytest.mark.usefixtures("handler")


def plain(text: str) -> JSON:
    return {"type": "plain_text", "text": text}


def button(action_id: str, value: str = "1") -> JSON:
    return {"type": "button", "action_id": action_id, "text": plain(action_id), "value": value}


def modal(*blocks: JSON, title: str = "A modal", **more: Any) -> JSON:
    return {"type": "modal", "callback_id": "modal", "title": plain(title), "blocks": list(blocks), **more}


def text_input(block_id: str, **element: Any) -> JSON:
    field = {"type": "plain_text_input", "action_id": f"{block_id}_text", **element}
    return {"type": "input", "block_id": block_id, "label": plain(block_id), "element": field}


async def test_a_click_reaches_the_app_with_its_message_and_can_change_it(
    app: AsyncApp, client: AsyncWebClient, maya: Driver
) -> None:
    got: list[JSON] = []

    @app.action("choose")
    async def choose(ack: Any, body: JSON, client: AsyncWebClient) -> None:
        await ack()
        got.append(body)
        await client.chat_update(channel=body["channel"]["id"], ts=body["message"]["ts"], text="chosen", blocks=[])

    ts = await maya.post("C0GENERAL", "which?")
    blocks = [{"type": "actions", "elements": [button("choose", "blue")]}]
    await client.chat_postMessage(channel="C0GENERAL", thread_ts=ts, text="this", blocks=blocks)
    reply = await maya.wait_for_reply("C0GENERAL", ts)
    await maya.click(reply, "choose")
    changed = await maya.wait_for_reply("C0GENERAL", ts, lambda m: m["text"] == "chosen")
    assert "blocks" not in changed
    assert changed["edited"]["user"] == "U0SWITCH"
    (body,) = got
    assert body["type"] == "block_actions"
    assert body["user"]["id"] == "U0MAYA"
    assert body["container"] == {
        "type": "message",
        "message_ts": reply["ts"],
        "channel_id": "C0GENERAL",
        "thread_ts": ts,
        "is_ephemeral": False,
    }
    (action,) = body["actions"]
    assert (action["type"], action["value"], bool(action["block_id"])) == ("button", "blue", True)


async def test_a_menu_carries_the_chosen_option_and_the_state(
    app: AsyncApp, client: AsyncWebClient, maya: Driver
) -> None:
    got: list[JSON] = []

    @app.action("pick")
    async def pick(ack: Any, body: JSON) -> None:
        await ack()
        got.append(body)

    options = [{"text": plain("Red"), "value": "r"}, {"text": plain("Blue"), "value": "b"}]
    menu = {"type": "static_select", "action_id": "pick", "options": options, "initial_option": options[0]}
    section = {"type": "section", "block_id": "colours", "text": plain("Colour"), "accessory": menu}
    await client.chat_postMessage(channel="C0GENERAL", text="Colour", blocks=[section])
    message = await maya.wait_for_message("C0GENERAL")
    await maya.click(message, "pick", option="Blue")
    (body,) = got
    assert body["actions"][0]["selected_option"] == options[1]
    assert body["state"]["values"]["colours"]["pick"]["selected_option"] == options[0]


async def test_a_click_on_what_is_no_longer_there_is_refused_with_a_sentence(
    client: AsyncWebClient, maya: Driver
) -> None:
    answer = await client.chat_postMessage(
        channel="C0GENERAL", text="t", blocks=[{"type": "actions", "elements": [button("gone")]}]
    )
    message = await maya.wait_for_message("C0GENERAL")
    await client.chat_update(channel="C0GENERAL", ts=answer["ts"], text="t", blocks=[])
    with pytest.raises(Refused, match="no element 'gone'"):
        await maya.click(message, "gone")
    await client.chat_delete(channel="C0GENERAL", ts=answer["ts"])
    with pytest.raises(Refused, match="no longer there"):
        await maya.click(message, "gone")


async def test_a_modal_is_refused_with_errors_and_then_accepted(app: AsyncApp, maya: Driver) -> None:
    submitted: list[JSON] = []

    @app.command("/echo")
    async def open_modal(ack: Any, body: JSON, client: AsyncWebClient) -> None:
        await ack()
        view = modal(text_input("reason"), text_input("note", initial_value="as it was"), submit=plain("Send"))
        await client.views_open(trigger_id=body["trigger_id"], view={**view, "private_metadata": "kept"})

    @app.view("modal")
    async def submit(ack: Any, body: JSON) -> None:
        submitted.append(body["view"])
        value = body["view"]["state"]["values"]["reason"]["reason_text"]["value"]
        if value == "short":
            await ack(response_action="errors", errors={"reason": "Too short."})
        else:
            await ack()

    await maya.command("/echo")
    view = await maya.wait_for_view()
    assert view["title"]["text"] == "A modal"
    required = await maya.submit_view(view)
    assert required["errors"] == {"reason": "Please complete this required field."}
    assert submitted == []
    refused = await maya.submit_view(view, {"reason": "short"})
    assert refused == {"response_action": "errors", "errors": {"reason": "Too short."}}
    event = await maya.wait_for(lambda e: e["type"] == "view_errors" and e["errors"] == {"reason": "Too short."})
    assert event["view_id"] == view["id"]
    assert await maya.submit_view(view, {"reason": "long enough"}) == {}
    await maya.wait_for(lambda e: e["type"] == "view_close" and e["view_id"] == view["id"])
    assert submitted[-1]["private_metadata"] == "kept"
    assert submitted[-1]["state"]["values"]["note"]["note_text"]["value"] == "as it was"
    with pytest.raises(Refused, match="no longer open"):
        await maya.submit_view(view, {"reason": "again"})


async def test_a_submission_may_push_update_and_clear(app: AsyncApp, client: AsyncWebClient, maya: Driver) -> None:
    @app.view("modal")
    async def submit(ack: Any, body: JSON) -> None:
        step = body["view"]["title"]["text"]
        if step == "one":
            await ack(response_action="update", view=modal(text_input("b"), title="two", submit=plain("Go")))
        elif step == "two":
            await ack(response_action="push", view=modal(text_input("c"), title="three", submit=plain("Go")))
        else:
            await ack(response_action="clear")

    @app.shortcut("ask_about")
    async def begin(ack: Any, body: JSON, client: AsyncWebClient) -> None:
        await ack()
        view = modal(text_input("a"), title="one", submit=plain("Go"))
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    await maya.post("C0GENERAL", "a message")
    await maya.shortcut("ask_about", await maya.wait_for_message("C0GENERAL"))
    one = await maya.wait_for_view()
    await maya.submit_view(one, {"a": "x"})
    two = await maya.wait_for_view(lambda view: view["title"]["text"] == "two")
    assert (two["id"], two["hash"] == one["hash"]) == (one["id"], False)
    await maya.submit_view(two, {"b": "x"})
    three = await maya.wait_for_view(lambda view: view["title"]["text"] == "three")
    assert (three["previous_view_id"], three["root_view_id"]) == (two["id"], two["id"])
    await maya.submit_view(three, {"c": "x"})
    assert (await maya.wait_for(lambda e: e["type"] == "view_close"))["all"] is True


async def test_a_view_is_updated_by_hash_and_pushed_three_deep(
    app: AsyncApp, client: AsyncWebClient, maya: Driver
) -> None:
    triggers: list[str] = []

    @app.action("more")
    async def more(ack: Any, body: JSON) -> None:
        await ack()
        triggers.append(body["trigger_id"])

    @app.command("/echo")
    async def begin(ack: Any, body: JSON) -> None:
        await ack()
        triggers.append(body["trigger_id"])

    actions = {"type": "actions", "elements": [button("more")]}
    await maya.command("/echo")
    opened = await client.views_open(trigger_id=triggers[-1], view=modal(actions, external_id="mine"))
    first = opened["view"]
    updated = await client.views_update(external_id="mine", hash=first["hash"], view=modal(actions, title="New"))
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await client.views_update(view_id=first["id"], hash=first["hash"], view=modal(actions))
    for _ in range(2):
        await maya.click(updated["view"], "more")
        await client.views_push(trigger_id=triggers[-1], view=modal(actions))
    await maya.click(updated["view"], "more")
    with pytest.raises(SlackApiError, match="push_limit_reached"):
        await client.views_push(trigger_id=triggers[-1], view=modal(actions))
    with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
        await client.views_open(trigger_id=triggers[-1], view=modal(actions))
    with pytest.raises(SlackApiError, match="invalid_trigger_id"):
        await client.views_open(trigger_id="1.2.never", view=modal(actions))
    with pytest.raises(SlackApiError, match="not_found"):
        await client.views_update(view_id="V0NONE", view=modal(actions))


@pytest.mark.parametrize("trigger_seconds", [0.0])
async def test_a_trigger_that_is_too_old_opens_nothing(app: AsyncApp, client: AsyncWebClient, maya: Driver) -> None:
    triggers: list[str] = []

    @app.command("/echo")
    async def begin(ack: Any, body: JSON) -> None:
        await ack()
        triggers.append(body["trigger_id"])

    await maya.command("/echo")
    with pytest.raises(SlackApiError, match="expired_trigger_id"):
        await client.views_open(trigger_id=triggers[0], view=modal({"type": "divider"}))


async def test_an_updated_modal_keeps_what_was_chosen(app: AsyncApp, client: AsyncWebClient, maya: Driver) -> None:
    submitted: list[JSON] = []
    options = [{"text": plain("One"), "value": "1"}, {"text": plain("Two"), "value": "2"}]
    radios = {"type": "radio_buttons", "action_id": "pick", "options": options, "initial_option": options[0]}
    chooser = {"type": "actions", "block_id": "chooser", "elements": [radios]}

    @app.command("/echo")
    async def begin(ack: Any, body: JSON, client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=modal(chooser, submit=plain("Go")))

    @app.action("pick")
    async def pick(ack: Any, body: JSON, client: AsyncWebClient) -> None:
        await ack()
        view = modal(chooser, {"type": "divider"}, submit=plain("Go"))
        await client.views_update(view_id=body["view"]["id"], hash=body["view"]["hash"], view=view)

    @app.view("modal")
    async def submit(ack: Any, view: JSON) -> None:
        submitted.append(view["state"]["values"])
        await ack()

    await maya.command("/echo")
    view = await maya.wait_for_view()
    await maya.click(view, "pick", option="Two")
    updated = await maya.wait_for_view(lambda view: len(view["blocks"]) == 2)
    await maya.submit_view(updated)
    assert submitted == [{"chooser": {"pick": {"type": "radio_buttons", "selected_option": options[1]}}}]


async def test_a_closed_modal_is_told_to_an_app_that_asked_for_it(
    app: AsyncApp, client: AsyncWebClient, maya: Driver
) -> None:
    closed: list[JSON] = []

    @app.command("/echo")
    async def begin(ack: Any, body: JSON, client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(
            trigger_id=body["trigger_id"], view=modal(text_input("a"), notify_on_close=True, submit=plain("Go"))
        )

    @app.view_closed("modal")
    async def on_close(ack: Any, body: JSON) -> None:
        await ack()
        closed.append(body)

    await maya.command("/echo")
    await maya.close_view(await maya.wait_for_view())
    assert [body["is_cleared"] for body in closed] == [False]


async def test_an_external_select_asks_the_app(app: AsyncApp, client: AsyncWebClient, maya: Driver) -> None:
    @app.options("model")
    async def offer(ack: Any, payload: JSON) -> None:
        await ack(options=[{"text": plain(payload["value"] + "-large"), "value": "large"}])

    menu = {"type": "external_select", "action_id": "model", "min_query_length": 0}
    section = {"type": "section", "text": plain("Model"), "accessory": menu}
    await client.chat_postMessage(channel="C0GENERAL", text="Model", blocks=[section])
    options = await maya.options(await maya.wait_for_message("C0GENERAL"), "model", "mistral")
    assert [option["text"]["text"] for option in options] == ["mistral-large"]


async def test_a_command_answers_privately_and_through_its_response_url(
    app: AsyncApp, maya: Driver, leo: Driver
) -> None:
    got: list[JSON] = []

    @app.command("/echo")
    async def echo(ack: Any, body: JSON, respond: Any) -> None:
        got.append(body)
        await ack(f"You said {body['text']}.")
        await respond(text="For everybody", response_type="in_channel")
        await respond(text="More for you")

    await maya.command("/echo", "good morning", channel="C0RANDOM")
    await maya.wait_for_ephemeral("C0RANDOM", lambda m: m["text"] == "You said good morning.")
    await maya.wait_for_ephemeral("C0RANDOM", lambda m: m["text"] == "More for you")
    seen = [message["text"] for message in await leo.history("C0RANDOM")]
    assert seen == ["For everybody"]
    (body,) = got
    assert (body["command"], body["text"]) == ("/echo", "good morning")
    assert (body["channel_name"], body["user_name"]) == ("random", "maya")
    assert body["is_enterprise_install"] == "false"


async def test_a_command_can_be_typed_into_the_message_box(app: AsyncApp, maya: Driver) -> None:
    @app.command("/echo")
    async def echo(ack: Any, body: JSON) -> None:
        await ack(body["text"])

    assert await maya.post("C0GENERAL", "/echo one two") == ""
    assert (await maya.wait_for_ephemeral("C0GENERAL"))["text"] == "one two"
    with pytest.raises(Refused, match="/nothing is not a valid command"):
        await maya.post("C0GENERAL", "/nothing")
    ts = await maya.post("C0GENERAL", "a thread")
    with pytest.raises(Refused, match="not supported in threads"):
        await maya.post("C0GENERAL", "/echo one", thread=ts)


async def test_a_command_gets_names_and_links_resolved_where_it_asks_for_that(app: AsyncApp, maya: Driver) -> None:
    got: list[str] = []

    @app.command(re.compile("/(echo|quote)"))
    async def keep(ack: Any, body: JSON) -> None:
        await ack()
        got.append(body["text"])

    for command in ("/echo", "/quote"):
        await maya.command(command, "@leo & #help https://example.org")
    assert got == ["@leo & #help https://example.org", "<@U0LEO|leo> &amp; <#C0HELP|help> <https://example.org>"]


async def test_an_ephemeral_message_is_replaced_and_deleted_by_its_response_url(
    app: AsyncApp, client: AsyncWebClient, maya: Driver
) -> None:
    @app.action("replace")
    async def replace(ack: Any, respond: Any) -> None:
        await ack()
        blocks = [{"type": "actions", "elements": [button("delete")]}]
        await respond(text="replaced", blocks=blocks, replace_original=True)

    @app.action("delete")
    async def delete(ack: Any, body: JSON, respond: Any) -> None:
        await ack()
        assert "message" not in body
        await respond(delete_original=True)

    blocks = [{"type": "actions", "elements": [button("replace")]}]
    await client.chat_postEphemeral(channel="C0GENERAL", user="U0MAYA", text="first", blocks=blocks)
    first = await maya.wait_for_ephemeral("C0GENERAL")
    await maya.click(first, "replace")
    second = await maya.wait_for_ephemeral("C0GENERAL", lambda m: m["text"] == "replaced")
    assert second["ts"] == first["ts"]
    await maya.click(second, "delete")
    await maya.wait_for(lambda e: e["type"] == "message_deleted" and e["ts"] == first["ts"])
    assert await maya.history("C0GENERAL") == []


async def test_a_response_url_answers_five_times(app: AsyncApp, maya: Driver) -> None:
    answers: list[tuple[int, str]] = []

    @app.command("/echo")
    async def echo(ack: Any, respond: Any) -> None:
        await ack()
        for number in range(6):
            answer = await respond(text=f"answer {number}")
            answers.append((answer.status_code, answer.body))

    await maya.command("/echo")
    await maya.wait_for_call("response_url", text="answer 4")
    await maya.wait_for_call("response_url", after=len(await maya.calls()) - 1)
    assert [status for status, _ in answers[:5]] == [200] * 5
    refused = [call for call in await maya.calls("response_url") if not call["ok"]]
    assert [call["error"] for call in refused] == ["used_url"]


async def test_a_message_shortcut_carries_the_message(app: AsyncApp, maya: Driver) -> None:
    got: list[JSON] = []

    @app.shortcut("ask_about")
    async def about(ack: Any, body: JSON, respond: Any) -> None:
        await ack()
        got.append(body)
        await respond(text="noted")

    ts = await maya.post("C0GENERAL", "remember this")
    await maya.shortcut("ask_about", await maya.wait_for_message("C0GENERAL"))
    assert (await maya.wait_for_ephemeral("C0GENERAL"))["text"] == "noted"
    (body,) = got
    assert body["type"] == "message_action"
    assert (body["message"]["text"], body["message_ts"]) == ("remember this", ts)
    with pytest.raises(Refused, match="no shortcut 'unknown'"):
        await maya.shortcut("unknown", {"channel": "C0GENERAL", "ts": ts})


@pytest.mark.parametrize("ack_seconds", [0.1])
async def test_an_interaction_without_acknowledgement_ends_in_a_sentence(maya: Driver) -> None:
    with pytest.raises(Refused, match='/echo failed with the error "operation_timeout"'):
        await maya.command("/echo")
    assert (await maya.wait_for(lambda e: e["type"] == "command_reply_failed"))["text"].startswith("/echo failed")


async def test_the_home_tab_is_published_to_one_person(app: AsyncApp, maya: Driver, leo: Driver) -> None:
    @app.event("app_home_opened")
    async def opened(event: JSON, client: AsyncWebClient) -> None:
        if event["tab"] == "home":
            blocks = [{"type": "section", "text": plain(f"Hello {event['user']}")}]
            await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": blocks})

    await maya.open_home()
    home = await maya.wait_for_home()
    assert home["blocks"][0]["text"]["text"] == "Hello U0MAYA"
    assert (await maya.boot())["home"]["id"] == home["id"]
    assert (await leo.boot())["home"] is None
    await maya.open_home()
    await maya.quiet()
    assert (await maya.sent("app_home_opened"))[1]["event"]["view"]["id"] == home["id"]


async def test_feedback_buttons_say_which_one_was_pressed(app: AsyncApp, client: AsyncWebClient, maya: Driver) -> None:
    got: list[JSON] = []

    @app.action("rate")
    async def rate(ack: Any, action: JSON) -> None:
        await ack()
        got.append(action)

    element = {
        "type": "feedback_buttons",
        "action_id": "rate",
        "positive_button": {"text": plain("Good"), "value": "up"},
        "negative_button": {"text": plain("Bad"), "value": "down"},
    }
    blocks = [{"type": "context_actions", "elements": [element]}]
    await client.chat_postMessage(channel="C0GENERAL", text="answer", blocks=blocks)
    await maya.click(await maya.wait_for_message("C0GENERAL"), "rate", value="down")
    assert [(action["type"], action["value"]) for action in got] == [("feedback_buttons", "down")]
