"""What admins set for a channel: how quality is weighed there, and whether its questions may leave this machine."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.audit import Action, Change, record
from bot.errors import NotAllowed
from bot.selection.value import Value
from bot.storage.tables import channel_settings
from bot.storage.upsert import insert


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSettings:
    """What holds in a channel. `is_own`: the value was set for this channel and is not the configured one; `recall`:
    whether its threads are told of sources that changed."""

    value: Value
    is_own: bool
    stay_local: bool
    recall: bool = True


class Channels:
    """Settings by channel. `value` and `stay_local` (ids of channels) are the configured ones, of all channels."""

    def __init__(
        self,
        engine: AsyncEngine,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        value: Value = Value.BALANCED,
        stay_local: Collection[str] = (),
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._value = value
        self._stay_local = frozenset(stay_local)

    async def of(self, channel: str) -> ChannelSettings:
        """What holds in a channel: its own settings, else the configured ones."""
        query = sa.select(channel_settings.c.value, channel_settings.c.stay_local, channel_settings.c.recall).where(
            channel_settings.c.channel == channel
        )
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).first()
        own, stays, recall = (row.value, row.stay_local, row.recall) if row is not None else (None, False, True)
        return ChannelSettings(
            value=Value(own) if own else self._value,
            is_own=own is not None,
            stay_local=stays or channel in self._stay_local,
            recall=recall,
        )

    async def staying(self) -> frozenset[str]:
        """The ids of all channels whose questions may not leave this machine."""
        query = sa.select(channel_settings.c.channel).where(channel_settings.c.stay_local)
        async with self._engine.connect() as connection:
            return self._stay_local | frozenset((await connection.execute(query)).scalars())

    async def set_value(self, channel: str, value: Value | None, by: str) -> None:
        """Weighs quality in a channel so; None: as configured."""
        await self._set(channel, by, {"value": value.value if value else None}, {"stay_local": False})

    async def set_local(self, channel: str, stay_local: bool, by: str) -> None:
        """Keeps a channel's questions on this machine, or lets them leave.

        Raises NotAllowed where the configuration keeps them here.
        """
        if not stay_local and channel in self._stay_local:
            raise NotAllowed(
                "The configuration keeps this channel's questions on this machine: it is named in "
                "`selection.stay_local`, and has to be taken out there."
            )
        await self._set(channel, by, {"stay_local": stay_local}, {})

    async def set_recall(self, channel: str, recall: bool, by: str) -> None:
        """Tells a channel's threads of sources that changed, or does not."""
        await self._set(channel, by, {"recall": recall}, {"stay_local": False})

    async def _set(self, channel: str, by: str, changed: dict[str, object], at_first: dict[str, object]) -> None:
        stamp: dict[str, object] = {"set_by": by, "set_at": self._clock()}
        (name, value), *_ = changed.items()
        query = sa.select(channel_settings.c[name]).where(channel_settings.c.channel == channel)
        async with self._engine.begin() as connection:
            before = (await connection.execute(query)).scalar()
            statement = insert(connection, channel_settings).values(channel=channel, **at_first, **changed, **stamp)
            await connection.execute(
                statement.on_conflict_do_update(index_elements=["channel"], set_={**changed, **stamp})
            )
            words = [f"{name} {'as configured' if one is None else one}" for one in (before, value)]
            change = Change(action=Action.CHANNEL_SET, subject=f"channel {channel}", before=words[0], after=words[1])
            await record(connection, change, by=by, at=self._clock())
