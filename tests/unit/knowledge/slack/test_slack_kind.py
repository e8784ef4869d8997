"""How a Slack channel is named, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.access import PUBLIC
from knowledge.database import Database
from knowledge.errors import SourceUnavailable
from knowledge.sources.base import Past
from knowledge.sources.kinds import SourceContext, SourceSpec, kinds, open_source
from knowledge.sources.slack import KIND, SavedSource, SlackSource
from knowledge.sources.slack.state import State, Walk
from knowledge.sources.unavailable import UnavailableSource

TODAY = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "channel"),
    [
        ("#engineering", "#engineering"),
        (" #Engineering ", "#engineering"),
        ("<#C0ENG|engineering>", "C0ENG"),
        ("<#C0ENG>", "C0ENG"),
        ("https://acme.slack.com/archives/C0ENG", "C0ENG"),
        ("<https://acme.slack.com/archives/C0ENG/p1763700000000100?thread_ts=1763700000.000100>", "C0ENG"),
        ("http://127.0.0.1:8700/archives/C0ENG", "C0ENG"),
    ],
)
def test_a_channel_is_recognised_in_what_a_person_wrote(text: str, channel: str) -> None:
    assert KIND.recognise(text) == {"channel": channel}


@pytest.mark.parametrize(
    "text", ["https://docs.example/handbook", "/srv/docs", "engineering", "#two words", "archives/C0ENG"]
)
def test_anything_else_is_left_to_other_kinds(text: str) -> None:
    assert KIND.recognise(text) is None


def context(client: AsyncWebClient | None, folder: Path, **services: object) -> SourceContext:
    return SourceContext(folder, lambda name: None, {"slack": client, **services} if client else {})


@pytest.mark.parametrize("name", ["#engineering", "engineering", "C0ENG"])
def test_a_configured_channel_is_opened(name: str, tmp_path: Path) -> None:
    spec = SourceSpec("robots", "slack", PUBLIC, {"channel": name, "days": 30, "files": False})
    source = open_source(spec, context(AsyncWebClient("xoxb-1"), tmp_path))
    assert isinstance(source, SlackSource)
    assert (source.name, source.kind) == ("robots", "slack")
    assert source.channel_id == ("C0ENG" if name == "C0ENG" else None)


async def test_what_was_saved_is_a_source_of_its_own(sqlite_engine: AsyncEngine, tmp_path: Path) -> None:
    spec, client = SourceSpec("saved from Slack", "slack", PUBLIC, {"saved": True}), AsyncWebClient("xoxb-1")
    opened = open_source(spec, context(client, tmp_path, database=Database(sqlite_engine)))
    assert isinstance(opened, SavedSource)
    without = open_source(spec, context(client, tmp_path))
    with pytest.raises(SourceUnavailable, match="“saved from Slack” is in a database, and none is open here"):
        _ = [listed async for listed in without.listings(Past(None, {}))]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({}, "name a channel"),
        ({"channel": "#a", "saved": True}, "name a channel"),
        ({"channel": "#a", "days": 0}, "days: "),
        ({"channel": "#a", "day": 3}, "no option day"),
        ({"channel": "two words"}, "channel: "),
    ],
)
async def test_wrong_options_are_named(options: dict[str, object], reason: str, tmp_path: Path) -> None:
    source = open_source(SourceSpec("robots", "slack", PUBLIC, options), context(AsyncWebClient("x"), tmp_path))
    assert isinstance(source, UnavailableSource)
    with pytest.raises(SourceUnavailable, match=reason):
        _ = [listed async for listed in source.listings(Past(None, {}))]


async def test_without_a_connection_the_source_says_what_to_start(tmp_path: Path) -> None:
    source = open_source(SourceSpec("robots", "slack", PUBLIC, {"channel": "#a"}), context(None, tmp_path))
    with pytest.raises(SourceUnavailable, match="while the bot is connected to Slack"):
        _ = [listed async for listed in source.listings(Past(None, {}))]


def test_the_kind_is_registered() -> None:
    assert kinds()["slack"] is KIND


def test_a_state_survives_being_written_and_belongs_to_one_channel() -> None:
    state = State("#a", "C1", "everyone", 3, TODAY.isoformat(), Walk(TODAY.isoformat(), "1.0"))
    assert State.read(state.written(), "#a") == state
    assert State.read(state.written(), "#b") == State(asked="#b")
    assert State.read("no json", "#a") == State.read(None, "#a") == State(asked="#a")


def test_an_old_walk_is_begun_anew() -> None:
    state = State(walk=Walk(TODAY.isoformat(), "1.0"))
    assert state.unfinished(TODAY + timedelta(hours=1), timedelta(hours=24)) == state.walk
    assert state.unfinished(TODAY + timedelta(hours=25), timedelta(hours=24)) is None
    assert state.is_whole_due(TODAY, timedelta(hours=24))
    assert not State(whole=TODAY.isoformat()).is_whole_due(TODAY + timedelta(hours=1), timedelta(hours=24))
