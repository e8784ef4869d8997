"""The least that a Bolt app can do: it streams one text back. What Switchboard is measured against.

`python echo_app.py API_URL`; the token and the signing secret are in the environment as for any app.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient


def echo_app(api_url: str) -> AsyncApp:
    """An app with one listener that answers a mention in its thread."""
    client = AsyncWebClient(os.environ["SLACK_BOT_TOKEN"], base_url=api_url)
    app = AsyncApp(client=client, signing_secret=os.environ["SLACK_SIGNING_SECRET"])

    async def mention(event: dict[str, Any], body: dict[str, Any]) -> None:
        stream = await client.chat_stream(
            channel=event["channel"],
            thread_ts=event["ts"],
            recipient_team_id=body["team_id"],
            recipient_user_id=event["user"],
        )
        await stream.append(markdown_text=f"You said: {event['text']}")
        await stream.stop()

    async def message() -> None:
        """Nothing is done about other messages."""

    app.event("app_mention")(mention)
    app.event("message")(message)
    return app


async def main() -> None:
    """Serves until it is ended."""
    app = echo_app(sys.argv[1])

    async def events(request: web.Request) -> web.Response:
        answer: web.Response = await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))
        return answer

    server = web.Application()
    server.router.add_post("/slack/events", events)
    runner = web.AppRunner(server, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"listening on http://127.0.0.1:{runner.addresses[0][1]}/slack/events", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
