"""`/model trial`: another model answers a share of a channel's questions for a while, and how that goes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from bot.core import Core
from bot.errors import SwitchboardError, UnknownModel, UnusableWords
from bot.evaluation.trials import result_of
from bot.models.cards import ModelCard
from bot.selection.reasons import CONFIGURED
from handlers.blocks.trial import said, trial_blocks
from handlers.commands.typed import about_to_ask, whole_channel, with_reason
from handlers.markdown import escape
from handlers.origin import Origin
from handlers.permissions import Deed, Roles
from handlers.shapes import JSON

USAGE = (
    "An admin writes `/model trial NAME 20%`, and if they like `for 14 days` and `because …`; `/model trial` shows how "
    "it stands, `/model trial stop` ends it."
)
LONGEST = timedelta(days=366)
_SHARE = re.compile(r"(?P<share>-?\d+(?:[.,]\d+)?) ?%")
_LASTS = re.compile(r"for (?P<count>\d+|an?) (?P<unit>hour|day|week|month)s?", re.IGNORECASE)
_SHARED = frozenset({"channel", "workspace", CONFIGURED})
_UNITS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1), "month": timedelta(days=30)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What an admin typed. `share`: 0 to 1; `lasts` None: until it is stopped."""

    name: str
    share: float
    lasts: timedelta | None
    reason: str


def wanted(text: str) -> Wanted:
    """Takes the words apart. Raises UnusableWords with what can be typed."""
    words, reason = with_reason(text)
    words = re.sub(r"\s+here$", "", words, flags=re.IGNORECASE)
    share, lasts = _SHARE.search(words), _LASTS.search(words)
    rest = words
    for match in (share, lasts):
        rest = rest.replace(match[0], " ", 1) if match is not None else rest
    names = rest.split()
    if share is None:
        raise UnusableWords(f"Which share of the questions? Write it with a percent sign, for example `20%`. {USAGE}")
    percent = float(share["share"].replace(",", "."))
    if not 0 < percent < 100:
        raise UnusableWords(
            f"{share[0]} is no share that can be tried: write more than 0% and less than 100%. `/model use NAME here` "
            "gives a model all of a channel's questions."
        )
    if len(names) != 1:
        what = "Which model?" if not names else f"I did not understand “{' '.join(names[1:])}”."
        raise UnusableWords(f"{what} {USAGE}")
    return Wanted(name=names[0], share=percent / 100, lasts=_lasts(lasts), reason=reason)


def _lasts(match: re.Match[str] | None) -> timedelta | None:
    if match is None:
        return None
    count = 1 if match["count"].lower().startswith("a") else int(match["count"])
    if not 0 < count <= LONGEST / _UNITS[match["unit"].lower()]:
        raise UnusableWords(
            f"A trial lasts between an hour and a year, not “{match[0]}”. Leave it out to stop by hand."
        )
    return count * _UNITS[match["unit"].lower()]


class TrialCommand:
    """Starts, shows and stops trials."""

    def __init__(self, core: Core, roles: Roles) -> None:
        self._core = core
        self._roles = roles

    async def run(self, origin: Origin, text: str) -> tuple[str, list[JSON]]:
        """What follows `/model trial`, as text and as blocks.

        Raises UnknownModel, ModelError, NotAllowed or UnusableWords.
        """
        channel = whole_channel(origin, "A trial")
        words = text.strip()
        if not words:
            return await self._shown(channel)
        await self._roles.need(origin.person, Deed.TRY)
        if words.lower() == "stop":
            return await self._stopped(origin, channel)
        return await self._started(origin, channel, wanted(words)), []

    async def _started(self, origin: Origin, channel: str, typed: Wanted) -> str:
        card = await self._card(channel, typed.name)
        if running := await self._core.trials.running(channel):
            raise _runs(running.model)
        await self._need_another(origin, card)
        ends = self._core.clock() + typed.lasts if typed.lasts is not None else None
        begun = await self._core.trials.start(
            channel, card.name, typed.share, by=origin.person, reason=typed.reason, ends_at=ends
        )
        if begun is None:
            raise _runs("")  # another admin was faster
        why = f" (“{escape(begun.why)}”)" if begun.why else ""
        until = f" for {_days(typed.lasts)}" if typed.lasts is not None else ""
        ends_by = "It ends by itself, or with" if ends is not None else "It ends with"
        return (
            f"From now on *{escape(begun.model)}* answers {100 * begun.share:g}% of this channel's questions"
            f"{until}{why}, drawn by chance; the others are answered as before. Whoever fixed a model for a question, "
            f"a thread or themselves gets that one. {ends_by} `/model trial stop`; `/model trial` shows how it stands."
        )

    async def _need_another(self, origin: Origin, card: ModelCard) -> None:
        """Raises UnusableWords where the model answers the channel's questions anyway."""
        settings = (await self._core.switches.of(about_to_ask(origin, self._core.clock()))).settings
        shared = (setting for setting in settings if setting.pin.scope in _SHARED)
        held = next((setting.pin for setting in shared if setting.state in ("applies", "overruled")), None)
        if held is not None and self._core.models.card(str(held.model)).name == card.name:
            raise UnusableWords(
                f"“{card.name}” answers here anyway, so both sides would be the same. `/model why` tells who set it."
            )

    async def _card(self, channel: str, name: str) -> ModelCard:
        card = self._core.models.model(name).card
        if card.task != "chat":
            raise UnknownModel(name, tuple(usable.name for usable in self._core.models.usable()[:3]))
        await self._core.data_rules.check(channel, card)
        return card

    async def _stopped(self, origin: Origin, channel: str) -> tuple[str, list[JSON]]:
        if await self._core.trials.stop(channel, origin.person) is None:
            raise UnusableWords(f"No trial runs in this channel. {USAGE}")
        return await self._shown(channel)

    async def _shown(self, channel: str) -> tuple[str, list[JSON]]:
        trial = await self._core.trials.last(channel)
        if trial is None:
            return f"No trial runs in this channel. {USAGE}", []
        result, now = await result_of(self._core.engine, trial), self._core.clock()
        barred = "" if not trial.runs(now) else await self._paused(channel, trial.model)
        return said(result, now), trial_blocks(result, now, barred)

    async def _paused(self, channel: str, model: str) -> str:
        """Why the model cannot be asked now, "" where it can."""
        try:
            await self._core.data_rules.check(channel, self._core.models.model(model).card)
        except SwitchboardError as error:
            return str(error)
        return ""


def _runs(model: str) -> UnusableWords:
    which = f"of “{model}” " if model else ""
    return UnusableWords(f"A trial {which}runs here already. `/model trial stop` ends it.")


def _days(lasts: timedelta) -> str:
    days, hours = lasts.days, lasts.seconds // 3600
    return f"{days} day{'s' if days > 1 else ''}" if days else f"{hours} hour{'s' if hours > 1 else ''}"
