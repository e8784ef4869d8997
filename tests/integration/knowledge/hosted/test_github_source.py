"""GitHub's issues and discussions, from a server that answers as GitHub's API does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from service_server import TOKEN, ServiceServer, look, said, serving

from knowledge.errors import DocumentUnreachable, SourceUnavailable
from knowledge.sources.github import KIND, GitHubOptions
from knowledge.sources.hosted import HostedSource
from knowledge.sources.kinds import SourceContext

DAY = timedelta(days=1)
START = datetime(2026, 3, 1, 9, tzinfo=UTC)


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class GitHubServer(ServiceServer):
    """One repository, team/app."""

    issues: list[dict[str, Any]] = field(default_factory=list)
    comments: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    discussions: list[dict[str, Any]] = field(default_factory=list)

    def issue(self, number: int, title: str, body: str, *, updated: datetime = START, **more: Any) -> dict[str, Any]:
        issue = {
            "number": number,
            "title": title,
            "body": body,
            "state": "open",
            "user": {"login": "maya", "type": "User"},
            "labels": [{"name": "bug"}],
            "comments": len(self.comments.get(number, ())),
            "created_at": stamp(START),
            "updated_at": stamp(updated),
            "html_url": f"https://github.com/team/app/issues/{number}",
            "url": f"{self.url}/repos/team/app/issues/{number}",
            **more,
        }
        self.issues = [one for one in self.issues if one["number"] != number] + [issue]
        return issue

    async def list_issues(self, request: web.Request) -> web.Response:
        since = request.query.get("since", "")
        found = sorted((one for one in self.issues if one["updated_at"] >= since), key=lambda one: one["updated_at"])
        page, size = int(request.query.get("page", 1)), 2
        some = found[(page - 1) * size : page * size]
        more = len(found) > page * size
        link = {"Link": f'<{request.url.update_query(page=page + 1)}>; rel="next"'} if more else {}
        return web.json_response(some, headers=link)

    async def one_issue(self, request: web.Request) -> web.Response:
        number = int(request.match_info["number"])
        for issue in self.issues:
            if issue["number"] == number:
                return web.json_response(issue)
        return web.json_response({"message": "This issue was deleted"}, status=410)

    async def list_comments(self, request: web.Request) -> web.Response:
        return web.json_response(self.comments.get(int(request.match_info["number"]), []))

    async def graphql(self, request: web.Request) -> web.Response:
        asked = await request.json()
        number = asked["variables"].get("number")
        if number is not None:
            found = next((one for one in self.discussions if one["number"] == number), None)
            return web.json_response({"data": {"repository": {"discussion": found}}})
        page = {"endCursor": None, "hasNextPage": False}
        nodes = sorted(self.discussions, key=lambda one: str(one["updatedAt"]), reverse=True)
        return web.json_response({"data": {"repository": {"discussions": {"pageInfo": page, "nodes": nodes}}}})


@pytest.fixture
async def github() -> AsyncIterator[GitHubServer]:
    server = GitHubServer()
    routes = [
        web.get("/repos/team/app/issues", server.list_issues),
        web.get("/repos/team/app/issues/{number}", server.one_issue),
        web.get("/repos/team/app/issues/{number}/comments", server.list_comments),
        web.post("/graphql", server.graphql),
    ]
    async with serving(routes, server):
        yield server


@pytest.fixture
async def source(github: GitHubServer, context: SourceContext) -> AsyncIterator[HostedSource]:
    options = GitHubOptions(repository="team/app", api=github.url)
    opened = KIND.open("tracker", frozenset({"channel:C1"}), options, context)
    yield opened
    await opened.close()


def comment(login: str, body: str, kind: str = "User") -> dict[str, Any]:
    return {"user": {"login": login, "type": kind}, "body": body, "created_at": stamp(START + DAY)}


async def test_an_issue_is_one_document_told_turn_by_turn(github: GitHubServer, source: HostedSource) -> None:
    github.comments[7] = [comment("leo", "Raise the *limit*.\n\n## Steps\n- one"), comment("ci", "passed", "Bot")]
    github.issue(7, "Uploads fail", "Uploads above 5 MB fail.")
    run = await look(source)
    listing = run.listings["issues/7"]
    assert listing.readers == frozenset({"channel:C1"})
    assert listing.url == "https://github.com/team/app/issues/7"
    reading = await source.read(listing)
    assert (reading.title, reading.author, reading.updated) == ("Uploads fail", "maya", START)
    assert reading.tags == frozenset({"bug"})
    text = said(reading)
    assert "**maya** (2026-03-01): Uploads above 5 MB fail." in text
    assert "**leo** (2026-03-02): Raise the *limit*." in text
    assert "**Steps**" in text
    assert "passed" not in text


async def test_all_pages_are_listed_and_pull_requests_are_not(github: GitHubServer, source: HostedSource) -> None:
    for number in range(1, 6):
        github.issue(number, f"Issue {number}", "words", updated=START + number * DAY)
    github.issue(6, "A change", "words", pull_request={"url": "…"})
    run = await look(source)
    assert sorted(run.listings) == [f"issues/{number}" for number in range(1, 6)]
    assert run.is_complete


async def test_the_next_look_asks_for_what_changed_since_and_claims_nothing_about_the_rest(
    github: GitHubServer, source: HostedSource
) -> None:
    github.issue(1, "Old", "words")
    first = await look(source)
    github.issue(2, "New", "words", updated=datetime.now(UTC) + DAY)
    second = await look(source, first.past())
    assert list(second.listings) == ["issues/2"]
    assert not second.is_complete


async def test_once_a_day_everything_is_listed_so_that_what_is_gone_shows(
    github: GitHubServer, source: HostedSource
) -> None:
    github.issue(1, "Old", "words")
    first = await look(source)
    github.issues.clear()
    source._clock = lambda: datetime.now(UTC) + 2 * DAY
    again = await look(source, first.past())
    assert again.is_complete
    assert again.listings == {}


async def test_a_discussion_names_its_answer(github: GitHubServer, source: HostedSource) -> None:
    node = {"createdAt": stamp(START), "author": {"__typename": "User", "login": "leo"}}
    noise = {"createdAt": stamp(START), "author": {"__typename": "Bot", "login": "ci"}, "body": "Stale soon."}
    reply = {"body": "Thanks!", "createdAt": stamp(START), "author": None}
    github.discussions.append(
        {
            "number": 3,
            "title": "How do we rotate keys?",
            "body": "I could not find it.",
            "createdAt": stamp(START),
            "updatedAt": stamp(START),
            "url": "https://github.com/team/app/discussions/3",
            "author": {"login": "maya"},
            "category": {"name": "Q&A"},
            "answer": {"id": "D1"},
            "comments": {
                "nodes": [
                    {**node, "id": "D1", "body": "Run the script.", "replies": {"nodes": [reply, noise]}},
                    {**noise, "id": "D2", "replies": {"nodes": []}},
                ]
            },
        }
    )
    run = await look(source)
    reading = await source.read(run.listings["discussions/3"])
    assert "**leo, the answer** (2026-03-01): Run the script." in said(reading)
    assert "**somebody** (2026-03-01): Thanks!" in said(reading)
    assert "Stale soon" not in said(reading)


async def test_an_issue_that_was_deleted_since_is_out_of_reach_and_no_other_is(
    github: GitHubServer, source: HostedSource
) -> None:
    github.issue(1, "Old", "words")
    run = await look(source)
    github.issues.clear()
    with pytest.raises(DocumentUnreachable, match="gone"):
        await source.read(run.listings["issues/1"])


async def test_an_expired_token_is_named_by_its_variable_and_never_shown(
    github: GitHubServer, source: HostedSource
) -> None:
    github.issue(1, "Old", "words")
    run = await look(source)
    github.refuse = lambda: web.json_response({"message": f"Bad credentials {TOKEN}"}, status=401)
    with pytest.raises(SourceUnavailable, match="GITHUB_TOKEN") as caught:
        await source.read(run.listings["issues/1"])
    assert TOKEN not in str(caught.value)
    with pytest.raises(SourceUnavailable, match="expired"):
        await look(source)


async def test_a_long_rate_limit_ends_the_look_and_says_when_it_goes_on(
    github: GitHubServer, source: HostedSource
) -> None:
    reset = int((datetime.now(UTC) + timedelta(hours=1)).timestamp())
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset)}
    github.refuse = lambda: web.json_response(
        {"message": "API rate limit exceeded for 10.0.0.1."}, status=403, headers=headers
    )
    with pytest.raises(SourceUnavailable, match="no more requests for now"):
        await look(source)


def test_an_address_of_issues_is_recognised() -> None:
    assert KIND.recognise("https://github.com/team/app/issues") == {"repository": "team/app"}
    assert KIND.recognise("https://github.com/team/app") is None
