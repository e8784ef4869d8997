"""/model: which models there are, and which one answers for me, in this thread, in this channel."""

from __future__ import annotations

from slack_sdk.web.async_client import AsyncWebClient

from bot.core import Core
from bot.errors import SwitchboardError
from bot.models.listing import Shown
from bot.selection.data_rules import NO_CHANNEL
from bot.selection.pins import Scope
from handlers.answering import Answering, Asked
from handlers.blocks import model_card
from handlers.blocks.model_card import AUTOMATIC
from handlers.commands import model_list
from handlers.commands.allow import AllowCommand
from handlers.commands.channel import ChannelCommand
from handlers.commands.switching import Switching
from handlers.commands.trial import TrialCommand
from handlers.commands.why import told_why
from handlers.markdown import escape
from handlers.origin import Origin, metadata
from handlers.permissions import Roles
from handlers.shapes import JSON

USAGE = (
    "`/model` opens the picker. You can also write `/model list` (with `task:text open:yes` …), `/model show NAME`, "
    "`/model use NAME for me`, `/model use NAME here` (this channel, admins) or `workspace` (admins), with `because …` "
    "if you like, and `/model auto [for me | here | workspace]`; in a thread, mention me: “@Switchboard model use NAME "
    "thread”. `/model why` tells what answers you here and who set it, `/model allow` which models may be used, "
    "`/model trial` how a trial goes, `/model value` what quality may cost in this channel, `/model local` whether its "
    "questions may leave this machine."
)


class ModelCommand:
    """The command, its picker, and the same words in a mention."""

    def __init__(self, client: AsyncWebClient, core: Core, roles: Roles, answering: Answering) -> None:
        self._client = client
        self._core = core
        self._roles = roles
        self._answering = answering
        self._channel = ChannelCommand(core, roles)
        self._switching = Switching(core, roles)
        self._allow = AllowCommand(core, roles)
        self._trial = TrialCommand(core, roles)

    async def run(self, origin: Origin, text: str) -> None:
        """What follows `/model`."""
        verb, _, rest = text.strip().partition(" ")
        line = origin.line(self._client)
        match verb.lower():
            case "":
                await self.open_picker(origin)
            case "list":
                await line.say("Models", model_list.listing(self._core, rest, await self._told(origin)))
            case "show" if rest.strip():
                await line.say(*await model_list.details(self._core, rest))
            case "value":
                await line.say(await self._channel.value(origin, rest))
            case "local":
                await line.say(await self._channel.local(origin, rest))
            case "use" | "auto":
                await line.say(await self._switching.run(origin, verb.lower(), rest))
            case "why":
                await line.say(*await told_why(self._core, origin))
            case "allow":
                await line.say(await self._allow.run(origin, rest))
            case "trial":
                await line.say(*await self._trial.run(origin, rest))
            case _:
                await line.say(f"I do not know “/model {escape(text.strip())}”. {USAGE}")

    async def in_message(self, asked: Asked, arguments: str) -> None:
        """ "model use NAME thread" written to the bot: answered in the thread. Without a scope it is for the thread.
        "model why" tells what holds in it."""
        verb, _, rest = arguments.strip().partition(" ")
        origin = Origin(person=asked.person, workspace=asked.workspace, channel=asked.channel, thread=asked.thread)
        if verb.lower().startswith("why"):
            await self._answering.say(asked.reference, asked.channel, asked.thread, *await told_why(self._core, origin))
            return
        done = await self._switching.run(origin, verb.lower(), rest, scope="thread")
        await self._answering.say(asked.reference, asked.channel, asked.thread, done)

    async def open_picker(self, origin: Origin) -> None:
        """Opens the modal with the cards."""
        current = await self._pinned(origin, "person")
        scopes = ["person"]
        if await self._roles.is_admin(origin.person):
            in_channel = origin.channel is not None and not origin.channel.startswith("D")
            scopes += [*(["channel"] if in_channel else []), "workspace"]
        now, _ = await told_why(self._core, origin)
        barred = await self._core.data_rules.barred(origin.channel or NO_CHANNEL)
        view = model_card.picker(
            self._usable(), current or AUTOMATIC, scopes, origin.metadata(), now=now, barred=barred
        )
        await self._client.views_open(trigger_id=str(origin.trigger_id), view=view)

    def stale(self, payload: JSON) -> dict[str, str]:
        """What is wrong with the picker's values by block, in words; empty where they can be used."""
        model, scope, _ = _picked(payload)
        if scope not in model_card.SCOPES:
            return {"scope": "Choose for whom it is."}
        if model == AUTOMATIC:
            return {}
        try:
            self._core.models.model(model)
        except SwitchboardError as error:
            return {"model": str(error)}
        return {}

    async def picked(self, payload: JSON) -> None:
        """The picker was submitted."""
        model, scope, reason = _picked(payload)
        origin = Origin.of(payload)
        origin = Origin(
            person=origin.person,
            workspace=origin.workspace,
            channel=metadata(payload).get("channel"),
            response_url=origin.response_url,
        )
        verb, name = ("auto", "") if model == AUTOMATIC else ("use", model)
        words = " ".join(part for part in (name, "me" if scope == "person" else scope) if part)
        because = f" because {reason}" if reason and name else ""
        await origin.line(self._client).say(await self._switching.run(origin, verb, words + because))

    async def _told(self, origin: Origin) -> str:
        """What answers now."""
        mine, here = await self._pinned(origin, "person"), await self._pinned(origin, "channel")
        told = [f"yours is *{escape(mine)}*"] if mine else []
        told += [f"this channel's is *{escape(here)}*"] if here else []
        return (
            f"Now {' and '.join(told)}." if told else "Now each question gets the cheapest good model, automatically."
        )

    async def _pinned(self, origin: Origin, scope: Scope) -> str | None:
        pin = await self._core.pins.get(scope, origin.person if scope == "person" else origin.channel or "")
        return pin.model if pin is not None else None

    def _usable(self) -> list[Shown]:
        return [model_list.show(self._core, card) for card in self._core.models.usable()]


def _picked(payload: JSON) -> tuple[str, str, str]:
    """The model, for whom, and the reason."""
    values = payload["view"]["state"]["values"]
    model = (values.get("model", {}).get("model", {}).get("selected_option") or {}).get("value")
    scope = (values.get("scope", {}).get("scope", {}).get("selected_option") or {}).get("value")
    reason = values.get("reason", {}).get("reason", {}).get("value")
    return str(model or AUTOMATIC), str(scope or "person"), str(reason or "").strip()
