"""Files that were shared in Slack: what came with a message, and the bytes of one, fetched from Slack alone."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from slack_sdk.web.async_client import AsyncWebClient

from bot.domain import Attachment
from bot.errors import FileUnread
from bot.files.names import shown_name
from handlers.shapes import JSON
from knowledge.errors import KnowledgeError
from knowledge.sources.slack.api import NotThere, SlackApi

INFO_SECONDS = 15.0
_GONE = frozenset({"tombstone", "hidden_by_limit"})


def attachments(message: JSON) -> tuple[Attachment, ...]:
    """The files that came with a message, under names that can be shown."""
    return tuple(_attachment(file) for file in message.get("files") or () if isinstance(file, dict))


def by_id(identifier: str) -> Attachment:
    """A file of which nothing is known yet but its id; Slack tells the rest when it is fetched."""
    return Attachment(name="the file", mimetype="", size=0, id=identifier)


class SlackFiles:
    """The port `bot.enclosing.FileStore` over the bot's own connection."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._api = SlackApi(client)

    async def fetch(self, attachment: Attachment, most_bytes: int) -> tuple[Attachment, bytes]:
        """The file as Slack knows it now, and its bytes. Raises FileUnread.

        Slack is asked first: a message may be worked on long after it came, and of a file that was shared from another
        workspace it holds the id alone.
        """
        name = attachment.name
        try:
            async with asyncio.timeout(INFO_SECONDS):
                file: JSON = (await self._api.call("files.info", file=attachment.id))["file"]
        except NotThere:
            raise FileUnread(f"{name} was deleted, or is not shown to me, so I could not read it.") from None
        except KnowledgeError as error:
            raise FileUnread(f"{name} could not be read. {error}") from None
        except TimeoutError:
            raise FileUnread(f"Slack did not tell me of {name} in time. Please ask again in a minute.") from None
        now = replace(_attachment(file), id=attachment.id)
        if file.get("mode") in _GONE or not (now.url or file.get("is_external")):
            raise FileUnread(f"{name} was deleted, or is not shown to me, so I could not read it.")
        if file.get("is_external"):
            raise FileUnread(f"{now.name} lies with another service, which I do not open. Upload the file itself.")
        if now.size > most_bytes:
            raise FileUnread(_too_large(now, most_bytes))
        try:
            return now, await self._api.download(str(now.url), now.name, most_bytes)
        except KnowledgeError as error:
            raise FileUnread(str(error)) from None


def _attachment(file: JSON) -> Attachment:
    length = file.get("duration_ms")
    return Attachment(
        name=shown_name(str(file.get("name") or file.get("title") or "")),
        mimetype=str(file.get("mimetype") or "application/octet-stream"),
        size=_whole(file.get("size")) or 0,
        url=file.get("url_private_download") or file.get("url_private"),
        id=str(file.get("id") or ""),
        duration_ms=_whole(length),
    )


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _too_large(file: Attachment, most_bytes: int) -> str:
    size = f"{file.size / 1e6:,.0f}" if file.size >= most_bytes + 500_000 else f"{file.size / 1e6:,.1f}"
    return f"{file.name} has {size} MB; I read files of up to {most_bytes / 1e6:,.0f} MB. Send a smaller one."
