"""What the workspace refuses, one class for each way of saying no."""

from __future__ import annotations

from typing import Any


class WorkspaceError(Exception):
    """Base of everything that the workspace raises on purpose."""


class ApiError(WorkspaceError):
    """A Web API call that Slack would answer with `{ok: false, error}`; `details` are merged into that answer."""

    def __init__(self, error: str, **details: Any) -> None:
        super().__init__(error)
        self.error = error
        self.details = details


class ActError(WorkspaceError):
    """Something that a person may not or cannot do; the message is the sentence that the page shows."""


class NotDelivered(WorkspaceError):
    """The app took no notice of what was sent to it; `reason` is Slack's word for how."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
