"""A way to speak to one person alone, wherever they are."""

from __future__ import annotations

from functools import partial
from urllib.parse import urlsplit

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from handlers.errors import REFUSED_BLOCKS, code
from handlers.shapes import JSON

log = structlog.get_logger(__name__)


class PrivateLine:
    """Tries the interaction's own `response_url`, then an ephemeral message, then a DM, at last without blocks."""

    def __init__(
        self,
        client: AsyncWebClient,
        person: str,
        *,
        channel: str | None = None,
        thread: str | None = None,
        response_url: str | None = None,
    ) -> None:
        self._client = client
        self.person = person
        self.channel = channel
        self.thread = thread
        self.response_url = response_url if _is_slacks(response_url, client.base_url) else None
        self._uses_left = 5 if self.response_url else 0  # Slack takes no more within its 30 minutes

    async def say(self, text: str, blocks: list[JSON] | None = None) -> None:
        """Tells the person. Raises SlackApiError where no way is left."""
        if await self._respond(text, blocks):
            return
        if self.channel and await self._whisper(text, blocks):
            return
        await self.direct(text, blocks)

    async def replace(self, text: str, blocks: list[JSON] | None = None) -> None:
        """Puts this in place of the message that was clicked; where that cannot be done, says it.

        Raises SlackApiError where no way is left.
        """
        if not await self._respond(text, blocks, replace=True):
            await self.say(text, blocks)

    async def direct(self, text: str, blocks: list[JSON] | None = None) -> None:
        """Sends a DM. Raises SlackApiError where that is refused."""
        opened = await self._client.conversations_open(users=self.person)
        post = partial(
            self._client.chat_postMessage,
            channel=opened["channel"]["id"],
            text=text,
            unfurl_links=False,
            unfurl_media=False,
        )
        try:
            await post(blocks=blocks)
        except SlackApiError as error:
            if code(error) not in REFUSED_BLOCKS:
                raise
            await post()

    async def _respond(self, text: str, blocks: list[JSON] | None, *, replace: bool = False) -> bool:
        if self._uses_left <= 0 or self.response_url is None:
            return False
        self._uses_left -= 1
        try:
            answer = await AsyncWebhookClient(self.response_url, session=self._client.session).send(
                text=text,
                blocks=blocks,
                response_type="ephemeral",
                replace_original=replace,
                unfurl_links=False,
                unfurl_media=False,
            )
        except (aiohttp.ClientError, TimeoutError) as error:
            log.warning("response_url_failed", problem=type(error).__name__)
            return False
        if answer.status_code != 200:
            log.warning("response_url_refused", status=answer.status_code)
        return answer.status_code == 200

    async def _whisper(self, text: str, blocks: list[JSON] | None) -> bool:
        try:
            await self._client.chat_postEphemeral(
                channel=str(self.channel), user=self.person, thread_ts=self.thread, text=text, blocks=blocks
            )
        except SlackApiError as error:
            log.warning("ephemeral_refused", error=error.response.get("error"), channel=self.channel)
            return False
        return True


def _is_slacks(url: str | None, api: str) -> bool:
    """Whether an address to answer at is Slack's own: nothing is sent anywhere else, whatever a payload says."""
    try:
        host, own = urlsplit(url or ""), urlsplit(api)
        if (host.scheme, host.netloc) == (own.scheme, own.netloc):
            return True
        return host.scheme == "https" and (host.hostname or "").endswith((".slack.com", ".slack-gov.com"))
    except ValueError:
        return False
