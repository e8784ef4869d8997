"""The configuration: `switchboard.toml` and the environment, checked before anything starts.

Every setting can also be given as an environment variable: `report.channel` is `SWITCHBOARD_REPORT__CHANNEL`. The
environment wins. Secrets come from the environment or from files alone (see `bot.secrets`).
"""

from bot.config.explaining import Explained, explain
from bot.config.reading import load_settings
from bot.config.sections import (
    LOCAL,
    Chains,
    ExchangeRate,
    Folder,
    Http,
    Jobs,
    Knowledge,
    Limits,
    Metrics,
    Models,
    Own,
    Report,
    Retention,
    Section,
    Selection,
    Slack,
    Storage,
    Workspace,
)
from bot.config.settings import Settings

__all__ = [
    "LOCAL",
    "Chains",
    "ExchangeRate",
    "Explained",
    "Folder",
    "Http",
    "Jobs",
    "Knowledge",
    "Limits",
    "Metrics",
    "Models",
    "Own",
    "Report",
    "Retention",
    "Section",
    "Selection",
    "Settings",
    "Slack",
    "Storage",
    "Workspace",
    "explain",
    "load_settings",
]
