"""Slack's Web API: one module for each family of methods, one table of them all."""

from __future__ import annotations

from deploy.workspace.web_api import agents, auth, chat, conversations, files, reactions, streams, users, views
from deploy.workspace.web_api.call import Method

METHODS: dict[str, Method] = {
    **auth.METHODS,
    **users.METHODS,
    **conversations.METHODS,
    **chat.METHODS,
    **streams.METHODS,
    **agents.METHODS,
    **reactions.METHODS,
    **files.METHODS,
    **views.METHODS,
}
