"""/model: which models there are, and which one answers for me, in this thread, in this channel."""

from __future__ import annotations

from slack_sdk.web.async_client import AsyncWebClient

from bot.core import Core
from bot.domain import Audience, Place, PlaceKind, Question
from bot.errors import NotAllowed, SwitchboardError, UnknownModel
from bot.models.listing import Shown
from bot.selection.pins import Scope, thread_key
from handlers.answering import Answering, Asked
from handlers.blocks import model_card
from handlers.blocks.model_card import AUTOMATIC
from handlers.commands import model_list
from handlers.commands.channel import ChannelCommand
from handlers.markdown import escape
from handlers.origin import Origin, metadata
from handlers.permissions import Roles
from handlers.shapes import JSON

USAGE = (
    "`/model` opens the picker. You can also write `/model list` (with `task:text open:yes` …), `/model show NAME`, "
    "`/model use NAME for me`, `/model use NAME here` (this channel, admins), `/model auto [for me | here]`; "
    "in a thread, mention me: “@Switchboard model use NAME thread”. `/model value` shows what quality may cost in this "
    "channel, `/model local` whether its questions may leave this machine."
)
_SCOPES: dict[str, Scope] = {
    "": "person",
    "for me": "person",
    "me": "person",
    "here": "channel",
    "for this channel": "channel",
    "channel": "channel",
    "thread": "thread",
    "this thread": "thread",
    "for this thread": "thread",
}
_WORDS = {"person": "for you, everywhere", "channel": "for everyone in this channel", "thread": "in this thread"}


class ModelCommand:
    """The command, its picker, and the same words in a mention."""

    def __init__(self, client: AsyncWebClient, core: Core, roles: Roles, answering: Answering) -> None:
        self._client = client
        self._core = core
        self._roles = roles
        self._answering = answering
        self._channel = ChannelCommand(core, roles)

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
                await line.say(*model_list.details(self._core, rest))
            case "value":
                await line.say(await self._channel.value(origin, rest))
            case "local":
                await line.say(await self._channel.local(origin, rest))
            case "use" | "auto":
                await line.say(await self._switch(origin, verb.lower(), rest))
            case _:
                await line.say(f"I do not know “/model {escape(text.strip())}”. {USAGE}")

    async def in_message(self, asked: Asked, arguments: str) -> None:
        """ "model use NAME thread" written to the bot: answered in the thread. Without a scope it is for the thread."""
        verb, _, rest = arguments.strip().partition(" ")
        name, scope = _name_and_scope(verb.lower(), rest)
        origin = Origin(person=asked.person, workspace=asked.workspace, channel=asked.channel, thread=asked.thread)
        words = " ".join(part for part in (name, scope or "thread") if part)
        await self._answering.say(asked.channel, asked.thread, await self._switch(origin, verb.lower(), words))

    async def open_picker(self, origin: Origin) -> None:
        """Opens the modal with the cards."""
        current = await self._pinned(origin, "person")
        scopes = ["person", *(["channel"] if origin.channel and not origin.channel.startswith("D") else [])]
        view = model_card.picker(self._usable(), current or AUTOMATIC, scopes, origin.metadata())
        await self._client.views_open(trigger_id=str(origin.trigger_id), view=view)

    def stale(self, payload: JSON) -> dict[str, str]:
        """What is wrong with the picker's values by block, in words; empty where they can be used."""
        model, scope = _picked(payload)
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
        model, scope = _picked(payload)
        origin = Origin.of(payload)
        origin = Origin(
            person=origin.person,
            workspace=origin.workspace,
            channel=metadata(payload).get("channel"),
            response_url=origin.response_url,
        )
        verb, words = ("auto", scope) if model == AUTOMATIC else ("use", f"{model} {scope}")
        words = words.removesuffix("person").strip()
        await origin.line(self._client).say(await self._switch(origin, verb, words))

    async def _switch(self, origin: Origin, verb: str, rest: str) -> str:
        """Sets or clears a pin and says so. Raises UnknownModel, ModelUnauthorized, NotAllowed."""
        name, words = _name_and_scope(verb, rest)
        scope = _SCOPES.get(words)
        if scope is None or (verb == "use" and not name):
            return f"I did not understand that. {USAGE}"
        key = await self._key(scope, origin)
        if verb == "auto":
            await self._core.pins.clear(scope, key)
            return f"Models are chosen automatically again {_WORDS[scope]}."
        card = self._core.models.model(name).card
        if card.task != "chat":
            raise UnknownModel(name, tuple(shown.card.name for shown in self._usable()[:3]))
        if scope != "person" and origin.channel is not None:
            await self._core.data_rules.check(origin.channel, card)
        await self._core.pins.set(scope, key, model=card.name, by=origin.person)
        return f"From now on *{escape(card.name)}* answers {_WORDS[scope]}. `/model auto` undoes it."

    async def _key(self, scope: Scope, origin: Origin) -> str:
        if scope == "person":
            return origin.person
        if origin.channel is None:
            raise NotAllowed("I do not know which channel you mean. Type the command in the channel itself.")
        if scope == "thread":
            if origin.thread is None:
                raise NotAllowed(
                    "Slack does not tell me which thread a command was typed in. Write in the thread instead: "
                    "“@Switchboard model use NAME thread”."
                )
            return thread_key(origin.channel, origin.thread)
        await self._roles.need_admin(origin.person, "change the model of a whole channel")
        return origin.channel

    async def _told(self, origin: Origin) -> str:
        """What answers now."""
        mine, here = await self._pinned(origin, "person"), await self._pinned(origin, "channel")
        told = [f"yours is *{escape(mine)}*"] if mine else []
        told += [f"this channel's is *{escape(here)}*"] if here else []
        return (
            f"Now {' and '.join(told)}." if told else "Now each question gets the cheapest good model, automatically."
        )

    async def _pinned(self, origin: Origin, scope: Scope) -> str | None:
        return await pinned_model(self._core, scope, origin.person, origin.channel or "")

    def _usable(self) -> list[Shown]:
        return [model_list.show(self._core, card) for card in self._core.models.usable()]


async def pinned_model(core: Core, scope: Scope, person: str, channel: str) -> str | None:
    """The model that is pinned for a person or a channel, None where it is chosen automatically."""
    place = Place(workspace="", channel=channel, kind=PlaceKind.CHANNEL)
    somebody = Question(id="", text="", asker=person, place=place, audience=Audience.everyone(), asked_at=core.clock())
    return next((pin.model for pin in await core.pins.of(somebody) if pin.scope == scope), None)


def _name_and_scope(verb: str, rest: str) -> tuple[str, str]:
    words = " ".join(rest.split())
    if verb == "auto":
        return "", words.lower()
    name, _, scope = words.partition(" ")
    return name, scope.lower()


def _picked(payload: JSON) -> tuple[str, str]:
    values = payload["view"]["state"]["values"]
    model = (values.get("model", {}).get("model", {}).get("selected_option") or {}).get("value")
    scope = (values.get("scope", {}).get("scope", {}).get("selected_option") or {}).get("value")
    return str(model or AUTOMATIC), str(scope or "person")
