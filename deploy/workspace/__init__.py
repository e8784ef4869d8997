"""A local workspace that speaks Slack's wire protocol, with a page that looks like it."""

from __future__ import annotations

from deploy.workspace.seed import demo_seed
from deploy.workspace.server import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET, Workspace
from deploy.workspace.slack import CLIENT_ID, CLIENT_SECRET, Slack
from deploy.workspace.state import BOT_USER
from deploy.workspace.tokens import Tokens

__all__ = [
    "APP_TOKEN",
    "BOT_TOKEN",
    "BOT_USER",
    "CLIENT_ID",
    "CLIENT_SECRET",
    "SIGNING_SECRET",
    "Slack",
    "Tokens",
    "Workspace",
    "demo_seed",
]
