"""Slack channels, as a kind of source."""

from __future__ import annotations

import re
from typing import Self

from pydantic import Field, model_validator

from knowledge.database import Database
from knowledge.errors import SourceUnavailable
from knowledge.sources.base import Source
from knowledge.sources.kinds import DATABASE, SourceContext, SourceOptions
from knowledge.sources.slack.api import SlackApi
from knowledge.sources.slack.saved import SavedSource
from knowledge.sources.slack.source import SlackSource

_NAME = re.compile(r"#[^\s#<>@,.!]{1,80}")
_LINKED = re.compile(r"<#([CG][A-Z0-9]{2,})(?:\|[^>]*)?>")
_ADDRESS = re.compile(r"<?https?://[\w.-]+(?::\d+)?/archives/([CG][A-Z0-9]{2,})(?:[/?][^\s>]*)?>?")


class SlackOptions(SourceOptions):
    """Which channel, or what people saved from Slack."""

    channel: str = Field(default="", pattern=r"^(?:#?[^\s#<>@,.!]{1,80})?$")
    """The channel: #name, or its id. The bot has to be in it. A private channel is found by its members alone."""
    days: int = Field(default=365, ge=1, le=36_500)
    """How many days back a thread may have begun."""
    files: bool = True
    """Whether the files and canvases that were shared there are read too."""
    saved: bool = False
    """Instead of a channel: the messages that people saved with “Add to knowledge”."""

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.saved == bool(self.channel):
            raise ValueError("name a channel (#name or its id), or set saved = true")
        return self


class SlackKind:
    """Slack channels, and what people saved from Slack."""

    name = "slack"
    options = SlackOptions

    def recognise(self, text: str) -> dict[str, object] | None:
        """A channel as #name, as Slack links it in a message, or as the address of the channel or of one of its
        messages."""
        said = text.strip()
        if found := _LINKED.fullmatch(said) or _ADDRESS.fullmatch(said):
            return {"channel": found.group(1)}
        return {"channel": said.lower()} if _NAME.fullmatch(said) else None

    def open(self, name: str, readers: frozenset[str], options: SlackOptions, context: SourceContext) -> Source:
        """The channel; `readers` are those of a public one. Raises SourceUnavailable where the bot is not connected,
        or where there is no database that says what was saved."""
        from slack_sdk.web.async_client import AsyncWebClient

        client = context.services.get("slack")
        if not isinstance(client, AsyncWebClient):
            raise SourceUnavailable(
                "Slack channels are read while the bot is connected to Slack: start it with `switchboard run`. What "
                "was read before is kept."
            )
        api = SlackApi(client)
        if options.saved:
            database = context.services.get(DATABASE)
            if not isinstance(database, Database):
                raise SourceUnavailable(f"What was saved as “{name}” is in a database, and none is open here.")
            return SavedSource(name, api, context.cache_dir, database)
        channel = options.channel
        if not channel.startswith("#") and not re.fullmatch(r"[CG][A-Z0-9]{2,}", channel):
            channel = f"#{channel}"
        return SlackSource(name, channel, readers, api, context.cache_dir, days=options.days, with_files=options.files)


KIND = SlackKind()
