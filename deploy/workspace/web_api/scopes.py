"""What a bot token may be allowed, and which of it each method asks for."""

from __future__ import annotations

from collections.abc import Sequence

from deploy.workspace.errors import ApiError

_READ = ("channels:read", "groups:read", "im:read", "mpim:read")
_HISTORY = ("channels:history", "groups:history", "im:history", "mpim:history")

ANY_OF: dict[str, tuple[str, ...]] = {
    "assistant.search.context": ("search:read.public",),
    "assistant.threads.setStatus": ("assistant:write", "chat:write"),
    "assistant.threads.setSuggestedPrompts": ("assistant:write",),
    "assistant.threads.setTitle": ("assistant:write",),
    "agents.sessions.rename": ("chat:write",),
    "agents.sessions.setStatus": ("chat:write",),
    "bots.info": ("users:read",),
    "chat.appendStream": ("chat:write",),
    "chat.delete": ("chat:write",),
    "chat.postEphemeral": ("chat:write",),
    "chat.postMessage": ("chat:write",),
    "chat.startStream": ("chat:write",),
    "chat.stopStream": ("chat:write",),
    "chat.update": ("chat:write",),
    "conversations.history": _HISTORY,
    "conversations.info": _READ,
    "conversations.join": ("channels:join",),
    "conversations.leave": ("channels:manage", "groups:write"),
    "conversations.list": _READ,
    "conversations.members": _READ,
    "conversations.open": ("im:write", "mpim:write"),
    "conversations.replies": _HISTORY,
    "files.completeUploadExternal": ("files:write",),
    "files.delete": ("files:write",),
    "files.getUploadURLExternal": ("files:write",),
    "files.info": ("files:read",),
    "files.list": ("files:read",),
    "reactions.add": ("reactions:write",),
    "reactions.get": ("reactions:read",),
    "reactions.remove": ("reactions:write",),
    "team.info": ("team:read",),
    "users.conversations": _READ,
    "users.info": ("users:read",),
    "users.list": ("users:read",),
    "users.lookupByEmail": ("users:read.email",),
}

EVERY_SCOPE = tuple(sorted({"app_mentions:read", "commands"}.union(*ANY_OF.values())))


def check_scope(method: str, granted: Sequence[str]) -> None:
    """Raise Slack's `missing_scope` where a method needs what the token was not granted."""
    needed = ANY_OF.get(method)
    if needed and not set(needed) & set(granted):
        raise ApiError("missing_scope", needed=",".join(needed), provided=",".join(granted))
