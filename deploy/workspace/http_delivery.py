"""Signed HTTP requests to the app, as an app without Socket Mode gets them."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Sequence
from urllib.parse import urlencode

import aiohttp

from deploy.workspace.app_link import ACK_SECONDS, RETRY_SECONDS, Kind
from deploy.workspace.errors import NotDelivered
from deploy.workspace.state import JSON


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Slack's `v0` signature: HMAC-SHA256 over version, timestamp and body."""
    signed = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


class HttpDelivery:
    """A Delivery to three addresses, which are often one. Failed events come again after `retry_seconds`."""

    def __init__(
        self,
        secret: str,
        events_url: str,
        commands_url: str = "",
        interactivity_url: str = "",
        *,
        retry_seconds: Sequence[float] = RETRY_SECONDS,
        ack_seconds: float = ACK_SECONDS,
    ) -> None:
        self._secret = secret
        self._events_url = events_url
        self._urls: dict[Kind, str] = {
            "slash_commands": commands_url or events_url,
            "interactive": interactivity_url or events_url,
        }
        self._retry_seconds = retry_seconds
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ack_seconds))

    async def verify(self) -> None:
        """Slack's challenge for an address that is new to it; NotDelivered where it is not answered."""
        challenge = hashlib.sha256(self._events_url.encode()).hexdigest()
        body = {"type": "url_verification", "token": "local", "challenge": challenge}
        answer = await self._post(self._events_url, json.dumps(body).encode(), "application/json", {})
        if challenge not in answer.decode(errors="replace"):
            raise NotDelivered("challenge_failed")

    async def event(self, payload: JSON) -> None:
        body = json.dumps(payload).encode()
        headers: dict[str, str] = {}
        for number, pause in enumerate((*self._retry_seconds, None), 1):
            try:
                await self._post(self._events_url, body, "application/json", headers)
                return
            except NotDelivered as failure:
                if pause is None or failure.reason == "no_retry":
                    raise
                headers = {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": failure.reason}
                await asyncio.sleep(pause)

    async def interaction(self, kind: Kind, payload: JSON) -> JSON | None:
        fields = payload if kind == "slash_commands" else {"payload": json.dumps(payload)}
        try:
            answer = await self._post(
                self._urls[kind], urlencode(fields).encode(), "application/x-www-form-urlencoded", {}
            )
        except NotDelivered as failure:
            timed_out = failure.reason == "http_timeout"
            raise NotDelivered("operation_timeout" if timed_out else "dispatch_failed") from failure
        return _acknowledgement(answer)

    async def close(self) -> None:
        await self._session.close()

    async def _post(self, url: str, body: bytes, content_type: str, headers: dict[str, str]) -> bytes:
        timestamp = str(int(time.time()))
        signed = {
            "Content-Type": content_type,
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature(self._secret, timestamp, body),
            **headers,
        }
        try:
            async with self._session.post(url, data=body, headers=signed, allow_redirects=False) as response:
                answer = await response.read()
                if response.status < 300:
                    return answer
                refused = response.headers.get("X-Slack-No-Retry") == "1"
                raise NotDelivered("no_retry" if refused else "http_error")
        except TimeoutError as late:
            raise NotDelivered("http_timeout") from late
        except aiohttp.ClientError as broken:
            raise NotDelivered("connection_failed") from broken


def _acknowledgement(answer: bytes) -> JSON | None:
    """What an acknowledgement carries: JSON, plain text for the person, or nothing."""
    text = answer.decode(errors="replace").strip()
    if not text:
        return None
    try:
        decoded = json.loads(text)
    except ValueError:
        return {"text": text}
    return decoded if isinstance(decoded, dict) else {"text": text}
