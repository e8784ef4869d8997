"""Connects the handlers to Bolt: each kind of payload to the one that understands it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Any

import structlog
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.core import Core
from handlers import origin
from handlers.accepting import Accepting
from handlers.actions import Actions
from handlers.adding import Adding
from handlers.agent import Agent
from handlers.answer_cards import AnswerCards
from handlers.answering import Answering
from handlers.audience import SILENT, Places
from handlers.blocks import adding as adding_blocks
from handlers.blocks import (
    another_way,
    ask_about,
    clarify,
    comment,
    comparison,
    example,
    example_list,
    hand_off,
    marked,
    model_card,
    rollout,
)
from handlers.blocks.answer import ANOTHER_WAY, FEEDBACK, SAVE_LIKED, WHY
from handlers.blocks.home import CHANGE_MODEL
from handlers.blocks.knowledge import FORGET, REFRESH
from handlers.blocks.recall import ASK_AGAIN
from handlers.blocks.report import ACCEPT
from handlers.blocks.retirement import SWITCH
from handlers.blocks.saved import REMOVE
from handlers.bolt import Bolt
from handlers.commands.ask import AskCommand
from handlers.commands.compare import CompareCommand
from handlers.commands.cost import CostCommand
from handlers.commands.examples import ExamplesCommand
from handlers.commands.knowledge import KnowledgeCommand
from handlers.commands.model import ModelCommand
from handlers.commands.switchboard import SwitchboardCommand
from handlers.commands.tune import TuneCommand
from handlers.disclosing import Disclosing
from handlers.doors import Doors, by_press
from handlers.drawing import Drawings
from handlers.examples import ExampleModals
from handlers.following import CHANNEL_EVENTS, FILE_EVENTS, Following
from handlers.handing_off import HandingOff
from handlers.home import Home
from handlers.identity import Identity
from handlers.inbound import AT_ONCE, EVENT, Inbound, Work
from handlers.keeping_answers import KeepingAnswers
from handlers.known import Known
from handlers.marking import Marking, is_no_other_reaction
from handlers.messages import Messages
from handlers.origin import Origin
from handlers.permissions import DOORS, Roles
from handlers.recalling import AskingAgain
from handlers.retiring import Retiring
from handlers.saving import Saving
from handlers.shapes import ACCOUNTS, JSON, pressed
from handlers.shortcuts import Shortcuts
from handlers.waiting import WaitingRoom

log = structlog.get_logger(__name__)


def register(
    app: Bolt, core: Core, next_refresh: Callable[[datetime], datetime | None], places: Places | None = None
) -> Inbound:
    """Registers every listener. `next_refresh` tells when the sources are looked through after a moment; `places` hear
    of every event first, so that whoever else uses them knows of it too.

    The caller starts what is returned after connecting, stops it first, and drains what is under way before closing.
    """
    client = app.client
    places, identity = places or Places(client), Identity(client)
    roles = Roles(client, core.settings.slack.admins)
    answering = Answering(client, core, places, identity)
    model = ModelCommand(client, core, roles, answering)
    agent = Agent(client, answering)
    drawings = Drawings(client, core, places, answering.begun)
    handing = HandingOff(client, core, roles, places, answering.begun, identity)
    messages = Messages(core, answering, identity, model.in_message, drawings, handing.said)
    known = Known(core, roles, places)
    home = Home(client, core, roles, agent, known, next_refresh)
    adding = Adding(client, core, roles, places, known, next_refresh)
    knowledge = KnowledgeCommand(client, core, roles, known, adding, next_refresh)
    actions = Actions(client, core, places, roles, answering, Disclosing(client, core, places, answering.begun))
    shortcuts = Shortcuts(client, answering, identity)
    examples = ExampleModals(client, core, places, identity, roles)
    listed = ExamplesCommand(client, core, roles, examples)
    saving = Saving(client, core, identity)
    cards = AnswerCards(client, core, places, answering.begun, identity)
    marking = Marking(client, core, roles, places, identity, cards)
    keeping = KeepingAnswers(client, core, places, cards, examples, saving)
    following = Following(core, identity, app.under_way.run)
    ask = AskCommand(client, answering, identity, drawings)
    compare = CompareCommand(client, core, places, answering, identity)
    tune = TuneCommand(client, core, roles)
    again = AskingAgain(client, core, places, answering)
    events: dict[str, Work] = {
        "app_mention": messages.mention,
        "message": _in_turn(following.message, messages.message, marking.changed),
        "reaction_added": marking.reacted,
        "reaction_removed": marking.unreacted,
        "app_home_opened": home.opened,
        "assistant_thread_started": agent.thread_started,
        "app_context_changed": agent.context_changed,
        **dict.fromkeys(ACCOUNTS, _heard),
        "agent_session_stopped": agent.session_stopped,
        **dict.fromkeys(CHANNEL_EVENTS, following.channel),
        **dict.fromkeys(FILE_EVENTS, following.file),
    }
    inbound = Inbound(
        core.inbox,
        app.under_way,
        {
            EVENT: _by_type(events),
            ask.KIND: _by_role(roles, "/ask", ask.run),
            compare.KIND: _by_role(roles, "/compare", compare.run),
            actions.AGAIN: _by_role(roles, f"modal {another_way.CALLBACK}", actions.again),
            actions.COMMENTED: _by_role(roles, f"modal {comment.COMMENT}", actions.commented),
            actions.CLARIFIED: _by_role(roles, f"button {clarify.ACTION}", actions.clarified),
            handing.KIND: _by_role(roles, f"button {hand_off.WANT}", handing.pressed),
            handing.PASSED: _by_role(roles, f"button {hand_off.PASS_ON}", handing.pass_on),
            again.KIND: _by_role(roles, f"button {ASK_AGAIN}", again.run),
            marking.KIND: _by_role(roles, "shortcut mark_answer", marking.chosen),
            keeping.KEPT: _by_role(roles, f"button {marked.KEEP}", keeping.keep),
            keeping.PUT_OFF: _by_role(roles, f"button {marked.PUT_OFF}", keeping.put_off),
            keeping.EDITED: _by_role(roles, f"modal {marked.MODAL}", keeping.edited),
            shortcuts.ASK: _by_role(roles, f"modal {ask_about.CALLBACK}", shortcuts.asked_about),
        },
        partial(origin.tell, client, answering.begun),
        spoken=answering.begun,
        room=WaitingRoom(AT_ONCE, client, messages.asks),
        hear=answering.hear_stops,
        concerns=is_no_other_reaction,
    )
    doors = Doors(app, inbound, roles)
    app.middleware(_hearing(places))
    app.middleware(inbound.middleware)
    doors.kept_command("/ask", ask.KIND, ask.heard)
    doors.kept_command("/compare", compare.KIND, compare.heard)
    doors.command("/model", model.run)
    doors.command("/knowledge", knowledge.run)
    doors.command("/examples", listed.run)
    doors.command("/cost", CostCommand(client, core, roles).run)
    doors.command("/switchboard", SwitchboardCommand(client, core, roles).run)
    doors.command("/tune", tune.run)
    doors.action(re.compile(rf"{rollout.ACTION}_\w+"), tune.pressed, rollout.ACTION)
    doors.action(FEEDBACK, actions.feedback)
    doors.action(WHY, actions.why)
    doors.action(ANOTHER_WAY, actions.another_way)
    doors.action(another_way.KEEP_THIS, actions.keep_this)
    doors.action(another_way.KEEP_FIRST, actions.keep_first)
    # The first button of a question that is pressed counts, whoever presses another one after.
    pattern = re.compile(rf"{clarify.ACTION}_\d+")
    doors.kept_action(pattern, actions.CLARIFIED, lambda body: f"clarify:{clarify.pressed(body)[0]}")
    for action, kind in ((hand_off.WANT, handing.KIND), (hand_off.PASS_ON, handing.PASSED)):
        doors.kept_action(re.compile(action), kind, by_press)
    doors.kept_action(re.compile(ASK_AGAIN), again.KIND, lambda body: f"recall:{pressed(body)}")
    for action, kind in ((marked.KEEP, keeping.KEPT), (marked.PUT_OFF, keeping.PUT_OFF)):
        doors.kept_action(re.compile(action), kind, by_press)
    doors.action(marked.EDIT, keeping.edit)
    doors.action(re.compile(rf"{comparison.ACTION}_\w+"), compare.voted, comparison.ACTION)
    doors.action(comment.CHANGE, actions.change_feedback)
    doors.action(comment.TAKE_BACK, actions.take_back_feedback)
    doors.action(SAVE_LIKED, examples.from_thumb)
    doors.action(example_list.EDIT, examples.edit_pressed)
    doors.action(example_list.RETIRE, examples.retire_pressed)
    doors.action(example_list.RESTORE, examples.restore_pressed)
    doors.action(example_list.CONFIRM, examples.confirm_pressed)
    doors.action(re.compile(rf"{example_list.PAGE}_\w+"), listed.turned, example_list.PAGE)
    doors.action(CHANGE_MODEL, lambda payload: model.open_picker(Origin.of(payload)))
    doors.action(REFRESH, lambda body: (home if "view" in body else knowledge).refresh_pressed(body))
    doors.action(FORGET, knowledge.forget_pressed)
    doors.action(REMOVE, saving.remove)
    doors.action(SWITCH, Retiring(client, core, roles).switch)
    doors.action(ACCEPT, Accepting(client, core, roles).pressed)
    doors.shortcut("add_to_knowledge", saving.add)
    doors.shortcut("ask_about", shortcuts.ask_about)
    doors.shortcut("save_example", examples.from_message)
    doors.shortcut("draw_this", drawings.draw_this)
    doors.kept_shortcut("mark_answer", marking.KIND)
    doors.kept_modal(marked.MODAL, keeping.EDITED, keeping.wrong)
    doors.kept_modal(comment.COMMENT, actions.COMMENTED)
    doors.closed(comment.COMMENT, actions.left_uncommented)
    doors.modal(model_card.PICK, model.picked, model.stale)
    doors.modal(adding_blocks.CALLBACK, adding.submitted, adding.wrong)
    doors.modal(example.CALLBACK, examples.submitted, examples.wrong)
    doors.modal(example.IMPORT, examples.imported)
    doors.kept_modal(another_way.CALLBACK, actions.AGAIN, actions.stale)
    doors.kept_modal(ask_about.CALLBACK, shortcuts.ASK)
    doors.everything_else()
    return inbound


def _by_role(roles: Roles, door: str, work: Work) -> Work:
    assert door in DOORS, f"{door} has no role: say in handlers.permissions who may come in"

    async def checked(reference: str, payload: JSON) -> None:
        await roles.need_at(door, Origin.of(payload).person)
        await work(reference, payload)

    return checked


async def _heard(reference: str, body: JSON) -> None:
    """Places have heard of it, and nothing else follows."""


def _by_type(events: dict[str, Work]) -> Work:
    async def work(reference: str, body: JSON) -> None:
        handler = events.get(body["event"].get("type", ""))
        if handler is None:
            log.debug("event_without_listener", type=body["event"].get("type"))
        else:
            await handler(reference, body)

    return work


def _hearing(places: Places) -> Callable[..., Awaitable[BoltResponse]]:
    """Who may read what is known before anything that came later is answered."""

    async def hear(req: AsyncBoltRequest, next: Any) -> BoltResponse:
        try:
            await places.told(req.body)
        except SILENT as error:  # then the minute has to pass
            log.warning("event_not_understood", error=type(error).__name__)
        passed: BoltResponse = await next()
        return passed

    return hear


def _in_turn(*works: Work) -> Work:
    async def in_turn(reference: str, body: JSON) -> None:
        for work in works:
            await work(reference, body)

    return in_turn
