"""`/model use` and `/model auto`: which model answers for me, in this thread, in this channel, in the workspace."""

from __future__ import annotations

from bot.core import Core
from bot.domain import Pin
from bot.errors import NotAllowed, UnknownModel, UnusableWords
from bot.models.cards import ModelCard
from bot.selection.data_rules import NO_CHANNEL
from bot.selection.pins import EVERYWHERE, Scope, thread_key
from handlers.blocks.why import because
from handlers.commands.typed import about_to_ask, channel_of, with_reason, with_scope
from handlers.markdown import escape
from handlers.origin import Origin
from handlers.permissions import Deed, Roles

FOR_WHOM = "`for me`, `thread`, `here` (this channel, admins) or `workspace` (everyone, admins)"
_WORDS = {
    "person": "for you, everywhere",
    "channel": "for everyone in this channel",
    "thread": "in this thread",
    "workspace": "for everyone in the workspace",
}
_KEEP = {
    "channel": " Whoever fixed a model for themselves or in a thread keeps it.",
    "workspace": " Channels, threads and people with a model of their own keep it.",
}


class Switching:
    """Sets and clears pins. Anybody may for themselves and in threads, admins for channels and the workspace."""

    def __init__(self, core: Core, roles: Roles) -> None:
        self._core = core
        self._roles = roles

    async def run(self, origin: Origin, verb: str, text: str, scope: Scope = "person") -> str:
        """Does what follows "use" or "auto" and says so; `scope` where the words name none.

        Raises UnknownModel, ModelError, NotAllowed or UnusableWords.
        """
        words, reason = with_reason(text)
        left, said = with_scope(words)
        name, _, rest = left.partition(" ")
        if verb == "auto":
            rest = left
        if rest:
            raise UnusableWords(f"I do not know for whom “{rest}” is. Write {FOR_WHOM}.")
        key = await self._key(said or scope, origin)
        if verb == "auto":
            return await self._cleared(origin, said or scope, key)
        if not name:
            raise UnusableWords(
                f"I did not understand which model. Write `/model use NAME` and {FOR_WHOM}. `/model list` lists them."
            )
        return await self._set(origin, said or scope, key, name, reason)

    async def _set(self, origin: Origin, scope: Scope, key: str, name: str, reason: str) -> str:
        card = self._core.models.model(name).card
        if card.task != "chat":
            raise UnknownModel(name, tuple(usable.name for usable in self._core.models.usable()[:3]))
        here = origin.channel or NO_CHANNEL
        await self._core.data_rules.check(here if scope in ("thread", "channel") else NO_CHANNEL, card)
        await self._core.pins.set(scope, key, model=card.name, by=origin.person, reason=reason)
        why = f" (“{escape(reason)}”)" if reason else ""
        undo = "/model auto" if scope == "person" else f"/model auto {'here' if scope == 'channel' else scope}"
        said = f"From now on *{escape(card.name)}* answers {_WORDS[scope]}{why}. `{undo}` undoes it."
        said += _KEEP.get(scope, "")
        if scope == "channel" and (trial := await self._core.trials.running(key)) and trial.model == card.name:
            said += (
                " A trial of the same model runs here, so both its sides are alike now: `/model trial stop` ends it."
            )
        return said + await self._not_here(origin, scope, card)

    async def _not_here(self, origin: Origin, scope: Scope, card: ModelCard) -> str:
        """That it does not hold where it was typed: a rule of the channel or a stronger setting stands there."""
        if origin.channel is None:
            return ""
        if why := await self._core.data_rules.against(origin.channel, card):
            return f" Not here, though: {why[:1].lower()}{why[1:]}"
        held = (await self._core.switches.of(about_to_ask(origin, self._core.clock()))).holding
        if held is None or held.pin.scope == scope:
            return ""
        return f" Here *{escape(str(held.pin.model))}* still answers you: it {because(held.pin, origin.person)}."

    async def _cleared(self, origin: Origin, scope: Scope, key: str) -> str:
        before = await self._core.pins.get(scope, key)
        await self._core.pins.clear(scope, key, by=origin.person)
        held = (await self._core.switches.of(about_to_ask(origin, self._core.clock()))).holding
        now = "" if held is None else _still(held.pin, origin.person)
        if before is None:
            return f"No model was fixed {_WORDS[scope]}, so nothing changes.{now}"
        return f"Models are chosen automatically again {_WORDS[scope]}.{now}"

    async def _key(self, scope: Scope, origin: Origin) -> str:
        if scope == "person":
            return origin.person
        if scope == "workspace":
            await self._roles.need(origin.person, Deed.MODEL_OF_WORKSPACE)
            return EVERYWHERE
        channel = channel_of(origin)
        if scope == "thread":
            if origin.thread is None:
                raise NotAllowed(
                    "Slack does not tell me which thread a command was typed in. Write in the thread instead: "
                    "“@Switchboard model use NAME thread”."
                )
            return thread_key(channel, origin.thread)
        await self._roles.need(origin.person, Deed.MODEL_OF_CHANNEL)
        return channel


def _still(pin: Pin, person: str) -> str:
    return f" Here that is *{escape(str(pin.model))}* now: it {because(pin, person)}."
