"""Slack's Web API as a source needs it: patient where Slack asks to wait, and in words where it refuses."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import aiohttp

from knowledge.errors import DocumentUnreachable, DocumentUnreadable, SourceUnavailable

if TYPE_CHECKING:
    from slack_sdk.errors import SlackApiError
    from slack_sdk.web.async_client import AsyncWebClient

JSON = dict[str, Any]

GONE = frozenset(
    {"channel_not_found", "not_in_channel", "thread_not_found", "message_not_found"}
    | {"file_not_found", "file_deleted", "user_not_found", "user_not_visible"}
)
"""What Slack calls things that are not there, or not there for the bot."""
_PASSING = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"})
_TRIES = 4
_MOST_WAIT = 900.0  # seconds that one call waits in all; after that the next refresh goes on
_PAGE = 200  # messages; what Slack recommends, and it may give fewer
_FILES_PAGE = 100


class NotThere(Exception):
    """Slack knows nothing of a channel, message or file, or does not show it to the bot."""


class SlackApi:
    """The calls that sources make, over the bot's own connection."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._me: tuple[str, str] | None = None

    async def me(self) -> tuple[str, str]:
        """The bot's user id, and the workspace's address with a slash at its end."""
        if self._me is None:
            told = await self.call("auth.test")
            self._me = str(told["user_id"]), str(told["url"])
        return self._me

    async def call(self, method: str, **arguments: Any) -> JSON:
        """One call, tried again where that helps. Raises NotThere and SourceUnavailable."""
        from slack_sdk.errors import SlackApiError

        waited, tries = 0.0, 0
        while True:
            try:
                answer = await self._client.api_call(method, http_verb="GET", params=arguments)
                data: JSON = answer.data  # type: ignore[assignment]
                return data
            except SlackApiError as error:
                said = _word(error)
                if said in GONE:
                    raise NotThere(said) from None
                wait = _retry_after(error)
                if wait is None and said not in _PASSING and error.response.status_code < 500:
                    raise SourceUnavailable(_refusal(said, error)) from None
            except (aiohttp.ClientError, OSError, TimeoutError):
                wait = None
            if wait is None:
                tries += 1
                wait = 0.5 * 2**tries
            if tries >= _TRIES or waited + wait > _MOST_WAIT:
                raise SourceUnavailable(
                    f"Slack does not answer for now ({method}). What is known is kept, and the next refresh goes on "
                    "from here."
                )
            # Not all at the same moment, where several wait.
            await asyncio.sleep(wait * random.uniform(1.0, 1.2))  # noqa: S311 - not a secret
            waited += wait

    async def history(self, channel: str, *, oldest: str, latest: str) -> AsyncIterator[tuple[list[JSON], bool]]:
        """The messages between two times, both left out, newest first; each page says whether more come."""
        while True:
            page = await self.call("conversations.history", channel=channel, oldest=oldest, latest=latest, limit=_PAGE)
            messages: list[JSON] = page["messages"]
            more = bool(page.get("has_more")) and bool(messages)
            yield messages, more
            if not more:
                return
            latest = str(messages[-1]["ts"])

    async def message(self, channel: str, ts: str) -> JSON | None:
        """One message of the channel as its history shows it; None where there is none."""
        page = await self.call(
            "conversations.history", channel=channel, oldest=ts, latest=ts, inclusive="true", limit=1
        )
        return next((message for message in page["messages"] if message["ts"] == ts), None)

    async def thread(self, channel: str, ts: str) -> list[JSON]:
        """All messages of a thread, oldest first. Raises NotThere where it is gone."""
        found: list[JSON] = []
        cursor = ""
        while True:
            page = await self.call("conversations.replies", channel=channel, ts=ts, limit=_PAGE, cursor=cursor)
            begun = bool(found)
            found += [message for message in page["messages"] if not (begun and message["ts"] == ts)]
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return found

    async def files(self, channel: str, since: float) -> AsyncIterator[JSON]:
        """The files that were shared in the channel since a Unix time in seconds."""
        number = 1
        while True:
            page = await self.call(
                "files.list", channel=channel, ts_from=str(int(since)), count=_FILES_PAGE, page=number
            )
            for file in page["files"]:
                yield file
            if number >= int(page["paging"]["pages"]):
                return
            number += 1

    async def download(self, url: str, name: str, most_bytes: int) -> bytes:
        """The bytes of a private file. Raises DocumentUnreadable, and DocumentUnreachable where another try may help.

        The token goes to Slack alone: an address elsewhere is not asked at all, nor is one that it leads on to.
        """
        if not await self._is_slacks(url):
            raise DocumentUnreadable(f"{name} does not lie with Slack, so it is not read.")
        headers = {"Authorization": f"Bearer {self._client.token}"}
        timeout = aiohttp.ClientTimeout(total=120)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.get(url, headers=headers, allow_redirects=False) as response,
            ):
                if response.status in (301, 302, 303, 307, 308, 401, 403):
                    raise DocumentUnreachable(f"Slack does not hand out {name}: the app needs the scope files:read.")
                if response.status != 200:
                    raise DocumentUnreachable(f"Slack does not hand out {name} for now (HTTP {response.status}).")
                data = bytearray()
                async for piece in response.content.iter_chunked(1 << 16):
                    data += piece
                    if len(data) > most_bytes:
                        raise DocumentUnreadable(too_large(name, most_bytes))
                return bytes(data)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise DocumentUnreachable(f"{name} could not be fetched from Slack ({type(error).__name__}).") from None

    async def _is_slacks(self, url: str) -> bool:
        from yarl import URL

        try:
            asked = URL(url)
        except ValueError:
            return False
        if not asked.is_absolute():
            return False
        home = URL((await self.me())[1])
        return asked.origin() in (home.origin(), URL("https://files.slack.com"))


def too_large(name: str, most_bytes: int) -> str:
    """What is said of a file that is not read for its size."""
    return f"{name} is larger than {most_bytes / 1e6:,.0f} MB and is not read. Split it and share it again."


def _word(error: SlackApiError) -> str:
    return str(error.response.get("error") or "")


def _retry_after(error: SlackApiError) -> float | None:
    """The seconds that Slack asks to wait; None where it asks for nothing."""
    if error.response.status_code != 429 and _word(error) != "ratelimited":
        return None
    told = {str(key).lower(): value for key, value in error.response.headers.items()}.get("retry-after", "30")
    try:
        return max(float(told if isinstance(told, str) else told[0]), 0.0)
    except ValueError:
        return 30.0


def _refusal(said: str, error: SlackApiError) -> str:
    if said == "missing_scope":
        needed = error.response.get("needed") or "one that it lacks"
        return (
            f"Slack asks for the scope {needed}. Update the app from its manifest, install it again, and the next "
            "refresh goes on."
        )
    if said in {"invalid_auth", "token_revoked", "token_expired", "account_inactive", "not_authed"}:
        return (
            f"Slack does not accept the bot's token any more ({said}). Install the app again and set SLACK_BOT_TOKEN; "
            "what was read is kept."
        )
    return f"Slack refuses to show the channel ({said or 'no reason given'}). The next refresh tries again."
