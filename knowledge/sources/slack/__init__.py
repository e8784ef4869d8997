"""Slack channels as sources: threads, files and canvases, and what people saved from Slack one by one."""

from __future__ import annotations

from knowledge.sources.slack.kind import KIND
from knowledge.sources.slack.saved import SavedSource, paths_of, take_in_saved
from knowledge.sources.slack.source import SlackSource

__all__ = ["KIND", "SavedSource", "SlackSource", "paths_of", "take_in_saved"]
