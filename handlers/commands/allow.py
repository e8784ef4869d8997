"""`/model allow`: which models may be used, in the workspace and in a channel, and what a change of it means."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress

from bot.core import Core
from bot.domain import Pin
from bot.errors import UnknownModel, UnusableWords
from bot.models.catalogue import OFFLINE
from bot.selection.allow_lists import FILTERS, AllowList, Scope, parsed
from bot.selection.data_rules import NO_CHANNEL
from handlers.commands.typed import channel_of, whole_channel, with_reason, with_scope
from handlers.markdown import escape
from handlers.origin import Origin
from handlers.permissions import Deed, Roles

USAGE = (
    "An admin writes `/model allow NAME NAME here because …` for this channel, or `workspace` in place of `here` for "
    f"everyone; besides names {FILTERS} can be written. `/model allow any here` takes the list back."
)
ANY = frozenset({"any", "all", "everything"})
SHOWN = 8


class AllowCommand:
    """Shows, sets and clears allow-lists."""

    def __init__(self, core: Core, roles: Roles) -> None:
        self._core = core
        self._roles = roles

    async def run(self, origin: Origin, text: str) -> str:
        """What follows `/model allow`. Raises NotAllowed, UnknownModel or UnusableWords."""
        words, reason = with_reason(text)
        if not words:
            return await self._told(origin)
        left, scope = with_scope(words)
        entries = left.replace(",", " ").split()
        if scope not in ("channel", "workspace") or not entries:
            raise UnusableWords(f"Say which models, and for what: `here` or `workspace`. {USAGE}")
        where: Scope = "channel" if scope == "channel" else "workspace"
        deed = Deed.ALLOW_IN_CHANNEL if where == "channel" else Deed.ALLOW_IN_WORKSPACE
        await self._roles.need(origin.person, deed)
        channel = whole_channel(origin, "An allow-list with `here`") if where == "channel" else NO_CHANNEL
        if {entry.lower() for entry in entries} <= ANY:
            return await self._cleared(where, channel, origin.person)
        kept = parsed(entries, self._core.models.catalogue)
        await self._core.allow_lists.set(where, channel, kept, by=origin.person, reason=reason)
        return await self._set(where, channel)

    async def _told(self, origin: Origin) -> str:
        lists = await self._core.allow_lists.of(channel_of(origin))
        if not lists:
            return f"Every model may be used here. {USAGE}"
        lines = [_line(one) for one in lists]
        usable, barred = self._core.models.usable(), await self._core.data_rules.barred(channel_of(origin))
        left = [card.name for card in usable if card.name not in barred]
        return "\n".join([*lines, f"Of those that can be used now these are left here: {_names(left)}.", USAGE])

    async def _cleared(self, where: Scope, channel: str, by: str) -> str:
        there = "in this channel" if where == "channel" else "in the workspace"
        if not await self._core.allow_lists.clear(where, channel, by=by):
            return f"There is no allow-list {there}, so nothing changes."
        others = await self._core.allow_lists.of(channel)
        rest = f" {_line(others[0])}" if where == "channel" and others else ""
        return f"Every model may be used {there} again, as far as this list goes.{rest}"

    async def _set(self, where: Scope, channel: str) -> str:
        """What holds now and what follows from it: nothing of that goes without saying."""
        barred = await self._core.data_rules.barred(channel)
        usable = self._core.models.usable()
        left = [card for card in usable if card.name not in barred]
        there = "in this channel" if where == "channel" else "in the workspace"
        lines = [f"From now on only {_names([card.name for card in left])} may be used {there}."]
        lines += [f"Left out: {_names(list(barred))}."] if barred else ["Nothing that can be used now is left out."]
        cards = self._core.models.catalogue.cards
        out = [card.name for card in cards if await self._core.data_rules.against(channel, card)]
        if all(card.provider == OFFLINE for card in left):
            lines.append(
                ":warning: Only the offline model is left, which quotes documents and reviewed answers and writes "
                "nothing of its own. Add a model that can be used now, or take the list back."
            )
        lines += [*self._configured(out), *await self._pinned(where, channel, out), *await self._tried(channel, out)]
        lines.append(f"`/model allow any {'here' if where == 'channel' else 'workspace'}` takes the list back.")
        return "\n".join(lines)

    def _configured(self, out: Collection[str]) -> list[str]:
        settings, lines = self._core.settings, []
        default = settings.models.default
        if default != "auto" and self._is_out(default, out):
            lines.append(
                f":warning: *{escape(default)}*, the configured model (`models.default`), is left out: the selector "
                "chooses among the others for each question. Add it to the list, or configure one that is on it."
            )
        judge = settings.selection.judge
        if judge and self._is_out(judge, out):
            lines.append(
                f":warning: *{escape(judge)}*, which compares shadow runs (`selection.judge`), is left out: there they "
                "are compared without it."
            )
        return lines

    def _is_out(self, name: str, out: Collection[str]) -> bool:
        with suppress(UnknownModel):  # a typing error in the configuration is told where the model is asked for
            return self._core.models.card(name).name in out
        return False

    async def _pinned(self, where: Scope, channel: str, out: Collection[str]) -> list[str]:
        pins = await self._core.pins.on(out, channel if where == "channel" else None)
        lines = []
        if pins:
            told = "; ".join(_pin(pin) for pin in pins[:SHOWN])
            more = f" and {len(pins) - SHOWN} more" if len(pins) > SHOWN else ""
            lines.append(
                f":warning: Passed over from now on, until they are changed or allowed again: {told}{more}. Questions "
                "there are answered by an allowed model, and the receipt says so."
            )
        if where == "channel":
            lines.append("Whoever fixed a model that is left out for themselves gets an allowed one here.")
        return lines

    async def _tried(self, channel: str, out: Collection[str]) -> list[str]:
        running = await self._core.trials.all_running()
        hit = [trial for trial in running if trial.model in out and channel in (NO_CHANNEL, trial.channel)]
        return [
            f":warning: The trial of *{escape(trial.model)}* in <#{trial.channel}> pauses: its model is left out. "
            "`/model trial stop` there ends it."
            for trial in hit
        ]


def _line(one: AllowList) -> str:
    title = "In the whole workspace" if one.scope == "workspace" else "In this channel"
    why = f": “{escape(one.why)}”" if one.why else ""
    entries = ", ".join(f"`{escape(entry)}`" for entry in one.entries)
    return f"{title} only {entries} may be used (and the offline model), says <@{one.by}>{why}."


def _pin(pin: Pin) -> str:
    whose = {
        "channel": "a channel's",
        "thread": "a thread's",
        "person": f"<@{pin.by}>'s own",
        "workspace": "the workspace's",
    }
    by = "" if pin.scope == "person" else f", by <@{pin.by}>"
    return f"*{escape(str(pin.model))}* ({whose[pin.scope]}{by})"


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(f"*{escape(name)}*" for name in names[:SHOWN]) + more
