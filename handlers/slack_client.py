"""Slack's Web API as the bot calls it: each call is a span of its trace and is counted, and so is each 429."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from aiohttp import ClientHandlerType, ClientRequest, ClientResponse, ClientSession, ClientTimeout
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot import tracing, worker
from bot.errors import SlackRefused

if TYPE_CHECKING:
    from bot.costs.metrics import Metrics

SECONDS = 15
"""How long a call of Slack's Web API may take."""
SHUT_OUT = frozenset({"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"})
"""Slack's errors that say: with this token nothing is answered any more."""


def slack_session() -> ClientSession:
    """What all clients of a process share, else every call would open a connection of its own. Close it."""
    return ClientSession(timeout=ClientTimeout(total=SECONDS), middlewares=(_still_ours,))


async def _still_ours(request: ClientRequest, send: ClientHandlerType) -> ClientResponse:
    """Around every request to Slack, its repetitions too: what another worker may have taken up is not spoken for."""
    worker.check()
    return await send(request)


class SlackClient(AsyncWebClient):
    """`metrics` counts the calls; without it they are only traced. `careful`: a call that broke off may have been
    taken all the same and is not repeated."""

    def __init__(self, token: str | None, *, metrics: Metrics | None, careful: bool = False, **options: Any) -> None:
        limited = _Limited(metrics, max_retry_count=3)
        always: list[AsyncRetryHandler] = [] if careful else [AsyncConnectionErrorRetryHandler()]
        never: list[AsyncRetryHandler] = [] if careful else [AsyncServerErrorRetryHandler(max_retry_count=2)]
        super().__init__(token, retry_handlers=[*always, limited, *never], **options)
        self._metrics = metrics
        self._shut_out = ""

    def careful(self) -> Self:
        """The same, with calls that are not repeated where they broke off."""
        return type(self)(self.token, metrics=self._metrics, careful=True, base_url=self.base_url, session=self.session)

    async def how(self) -> str:
        """One sentence on what Slack said last. Raises SlackRefused once it takes the token no more."""
        if self._shut_out:
            raise SlackRefused(
                f"Slack refuses the bot token: {self._shut_out}. Copy SLACK_BOT_TOKEN again from “OAuth & "
                "Permissions”, and start again."
            )
        return "It takes the token."

    async def api_call(self, api_method: str, **arguments: Any) -> AsyncSlackResponse:
        """One call with its tries; see AsyncWebClient."""
        outcome = "unreachable"
        with tracing.span(f"slack {api_method}", {"rpc.method": api_method}, kind="client") as span:
            try:
                answer: AsyncSlackResponse = await super().api_call(api_method, **arguments)
                outcome, self._shut_out = "ok", ""
                return answer
            except SlackApiError as error:
                if not isinstance(error.response.data, dict):  # a proxy's page, say: nobody after this can read it
                    error.response.data = {"ok": False, "error": ""}
                outcome, said = "refused", str(error.response.get("error", ""))
                self._shut_out = said if said in SHUT_OUT else ""
                span.note({"slack.error": said})
                raise
            finally:
                if self._metrics is not None:
                    self._metrics.slack_answered(api_method, outcome)


class _Limited(AsyncRateLimitErrorRetryHandler):
    """Waits as Slack asks, and counts it."""

    def __init__(self, metrics: Metrics | None, *, max_retry_count: int) -> None:
        super().__init__(max_retry_count=max_retry_count)
        self._metrics = metrics

    async def prepare_for_next_attempt_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> None:
        """Before a call is repeated."""
        if self._metrics is not None:
            self._metrics.slack_limited(request.url.rstrip("/").rpartition("/")[2])
        await super().prepare_for_next_attempt_async(state=state, request=request, response=response, error=error)
