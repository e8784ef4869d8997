"""The bot as a process, as `python -m bot` is, that kills itself at a moment which its environment names.

DIES_ON: words of a message. DIES_AT: "noted" before that message goes out, "posted" once Slack has taken it, or
"written" once it is written down where it stands. At SIGUSR1 it does what is due by a clock on which each second since
HURRIED_SINCE is five minutes.
"""

from __future__ import annotations

import asyncio
import os
import signal
from datetime import UTC, datetime
from typing import Any

from bot.cli import main
from bot.jobs.schedule import Schedule
from bot.replies import Replies
from handlers.slack_client import SlackClient

_AT, _ON = os.environ.get("DIES_AT", ""), os.environ.get("DIES_ON", "")
_start, _call, _note = Schedule.start, SlackClient.api_call, Replies.note
_posted: list[str] = []


def _die(at: str) -> None:
    if at == _AT:
        os.kill(os.getpid(), signal.SIGKILL)


async def _called(self: SlackClient, api_method: str, **arguments: Any) -> Any:
    is_it = api_method == "chat.postMessage" and bool(_ON) and _ON in str(arguments)
    if is_it:
        _die("noted")
    answer = await _call(self, api_method, **arguments)
    if is_it:
        _posted.append(str(answer["ts"]))
        _die("posted")
    return answer


async def _noted(self: Replies, question_id: str, name: str, ts: str) -> None:
    await _note(self, question_id, name, ts)
    if ts in _posted:
        _die("written")


async def _started(self: Schedule) -> None:
    await _start(self)

    def hurry() -> None:
        now = datetime.now(UTC)
        self._spawn(self.run_due(now + 300 * (now - datetime.fromisoformat(os.environ["HURRIED_SINCE"]))))

    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, hurry)


if __name__ == "__main__":
    Schedule.start = _started  # type: ignore[method-assign]
    SlackClient.api_call = _called  # type: ignore[method-assign]
    Replies.note = _noted  # type: ignore[method-assign]
    main()
