"""How far a source has come with its channel, as it is kept between refreshes."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Walk:
    """A walk down the history that is under way: what was said before it began, down to `low`, has been listed."""

    began: str
    low: str


@dataclass(frozen=True, slots=True)
class State:
    """`asked` and `channel`: the name that was asked for and the id that it had; a renamed channel stays the same.

    `walks` counts the walks through the whole history, `whole` is when the last one began that missed nothing (None
    where one was interrupted), `readers` those whom the documents were listed for.
    """

    asked: str = ""
    channel: str = ""
    readers: str = ""
    walks: int = 0
    whole: str | None = None
    walk: Walk | None = None

    @classmethod
    def read(cls, text: str | None, asked: str) -> State:
        """The state that was kept for the same channel, or a first one."""
        try:
            kept = json.loads(text or "{}")
            walk = Walk(**kept["walk"]) if kept.get("walk") else None
            state = cls(**{**kept, "walk": walk})
        except (ValueError, TypeError, KeyError):
            return cls(asked=asked)
        return state if state.asked == asked else cls(asked=asked)

    def written(self) -> str:
        """The text that `read` takes."""
        return json.dumps(asdict(self))

    def is_whole_due(self, now: datetime, every: timedelta) -> bool:
        """Whether the whole history has to be walked through."""
        return self.whole is None or now - datetime.fromisoformat(self.whole) >= every

    def unfinished(self, now: datetime, within: timedelta) -> Walk | None:
        """The walk to go on with; one that began too long ago is not worth it."""
        if self.walk is None or now - datetime.fromisoformat(self.walk.began) >= within:
            return None
        return self.walk
