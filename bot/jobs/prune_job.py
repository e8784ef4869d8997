"""Forgets events that were finished long ago, and who asked how much a moment ago."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from bot.inbox import Inbox
from bot.jobs.schedule import Work
from bot.limits import Limits
from bot.replies import Replies

KEPT = timedelta(days=14)
"""Slack delivers an event again for hours, not weeks: nothing that is forgotten comes back."""

log = structlog.get_logger("bot.jobs")


def prune_job(inbox: Inbox, replies: Replies, limits: Limits) -> Work:
    """Work that forgets what was received two weeks before its firing, where the replies to it stand, and questions
    that count for no limit any more."""

    async def work(fire_at: datetime) -> None:
        events = await inbox.prune(fire_at - KEPT)
        await limits.prune()
        log.info("inbox_pruned", events=events, replies=await replies.prune(fire_at - KEPT))

    return work
