"""Reads a Slack channel as a refresh would, and writes messages of long ago."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from deploy.workspace.state import JSON
from knowledge.reports import Problem
from knowledge.sources.base import Checkpoint, Gone, Listing, Past, Reading, Source


@dataclass
class Run:
    """What a source listed and how it reads, kept as a refresh would keep it; `past` is what the next one gets."""

    state: str | None = None
    versions: dict[str, str] = field(default_factory=dict)
    readings: dict[str, Reading] = field(default_factory=dict)
    readers: dict[str, frozenset[str]] = field(default_factory=dict)
    urls: dict[str, str | None] = field(default_factory=dict)
    read: list[str] = field(default_factory=list)

    async def follow(self, source: Source, *, pages: int | None = None) -> None:
        """Takes in what the source lists; stops dead at the checkpoint number `pages`."""
        self.read = []
        listings = source.listings(Past(self.state, dict(self.versions)))
        async for listed in listings:
            match listed:
                case Listing(path, version, readers, url):
                    if self.versions.get(path) != version:
                        self.readings[path] = await source.read(listed)
                        self.read.append(path)
                    self.versions[path], self.readers[path], self.urls[path] = version, readers, url
                case Gone(path):
                    for kept in (self.versions, self.readings, self.readers, self.urls):
                        kept.pop(path, None)
                case Checkpoint(state):
                    self.state = state
                    if pages is not None:
                        pages -= 1
                        if pages == 0:
                            return
                case Problem():
                    raise AssertionError(listed)

    @property
    def titles(self) -> list[str]:
        return sorted(reading.title for reading in self.readings.values())

    def text(self, path: str) -> str:
        return "\n".join(block.text for block in self.readings[path].content.blocks)

    @property
    def everything(self) -> str:
        return "\n".join(self.text(path) for path in self.readings)


def old(text: str, *, user: str = "U0LEO", days: float = 1, number: int = 0, **more: object) -> JSON:
    """A message that was written so many days ago; `number` keeps those of one time apart."""
    moment = datetime.now(UTC) - timedelta(days=days)
    return {"user": user, "text": text, "ts": f"{int(moment.timestamp())}.{number:06d}", **more}


def state_of(run: Run) -> dict[str, object]:
    kept: dict[str, object] = json.loads(run.state or "{}")
    return kept
