"""GitLab's issues, from a server that answers as GitLab's API does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from service_server import TOKEN, ServiceServer, look, said, serving

from knowledge.errors import DocumentUnreachable, SourceUnavailable
from knowledge.sources.base import Past
from knowledge.sources.gitlab import KIND, GitLabOptions
from knowledge.sources.hosted import HostedSource
from knowledge.sources.kinds import SourceContext


@dataclass
class GitLabServer(ServiceServer):
    """One project, team/app."""

    issues: list[dict[str, Any]] = field(default_factory=list)
    notes: dict[int, list[dict[str, Any]]] = field(default_factory=dict)

    def issue(self, iid: int, title: str, description: str, *, updated: str = "2026-03-01", **more: Any) -> None:
        issue = {
            "id": 100 + iid,
            "iid": iid,
            "project_id": 1,
            "title": title,
            "description": description,
            "state": "opened",
            "confidential": False,
            "author": {"name": "Maya"},
            "labels": ["ops"],
            "user_notes_count": len(self.notes.get(iid, ())),
            "created_at": "2026-03-01T09:00:00Z",
            "updated_at": f"{updated}T09:00:00Z",
            "web_url": f"{self.url}/team/app/-/issues/{iid}",
            **more,
        }
        self.issues = [one for one in self.issues if one["iid"] != iid] + [issue]

    async def list_issues(self, request: web.Request) -> web.Response:
        if request.headers.get("PRIVATE-TOKEN") != TOKEN:
            return web.json_response({"message": "401 Unauthorized"}, status=401)
        since = request.query.get("updated_after", "")
        found = [one for one in self.issues if one["updated_at"] >= since[:10]]
        page, size = int(request.query.get("page", 1)), 2
        some = found[(page - 1) * size : page * size]
        more = len(found) > page * size
        link = {"Link": f'<{request.url.update_query(page=page + 1)}>; rel="next"'} if more else {}
        return web.json_response(some, headers=link)

    async def one_issue(self, request: web.Request) -> web.Response:
        iid = int(request.match_info["iid"])
        found = next((one for one in self.issues if one["iid"] == iid), None)
        return web.json_response(found or {"message": "404 Not found"}, status=200 if found else 404)

    async def list_notes(self, request: web.Request) -> web.Response:
        return web.json_response(self.notes.get(int(request.match_info["iid"]), []))


@pytest.fixture
async def gitlab() -> AsyncIterator[GitLabServer]:
    server = GitLabServer()
    project = "/api/v4/projects/{project}"
    routes = [
        web.get(f"{project}/issues", server.list_issues),
        web.get(f"{project}/issues/{{iid}}", server.one_issue),
        web.get(f"{project}/issues/{{iid}}/notes", server.list_notes),
    ]
    async with serving(routes, server):
        yield server


@pytest.fixture
async def source(gitlab: GitLabServer, context: SourceContext) -> AsyncIterator[HostedSource]:
    options = GitLabOptions(project="team/app", url=gitlab.url)
    opened = KIND.open("tracker", frozenset({"everyone"}), options, context)
    yield opened
    await opened.close()


def note(name: str, body: str, **more: Any) -> dict[str, Any]:
    return {"author": {"name": name}, "body": body, "created_at": "2026-03-02T09:00:00Z", "system": False, **more}


async def test_an_issue_with_its_comments_is_one_document(gitlab: GitLabServer, source: HostedSource) -> None:
    gitlab.notes[7] = [
        note("Leo", "Restart the runner."),
        note("GitLab", "closed", system=True),
        note("Maya", "the password is in the vault", internal=True),
    ]
    gitlab.issue(7, "Builds hang", "Since Monday.")
    run = await look(source)
    reading = await source.read(run.listings["issues/7"])
    text = said(reading)
    assert "**Maya** (2026-03-01): Since Monday." in text
    assert "**Leo** (2026-03-02): Restart the runner." in text
    assert "closed" not in text
    assert "vault" not in text
    assert reading.tags == frozenset({"ops"})


async def test_all_pages_are_listed_and_the_next_look_asks_for_changes_alone(
    gitlab: GitLabServer, source: HostedSource
) -> None:
    for iid in range(1, 6):
        gitlab.issue(iid, f"Issue {iid}", "words")
    first = await look(source)
    assert len(first.listings) == 5
    assert first.is_complete
    gitlab.issue(6, "New", "words", updated="2999-01-01")
    second = await look(source, first.past())
    assert list(second.listings) == ["issues/6"]
    assert not second.is_complete


async def test_an_issue_that_became_confidential_is_gone(gitlab: GitLabServer, source: HostedSource) -> None:
    gitlab.issue(1, "Leak", "words")
    first = await look(source)
    gitlab.issue(1, "Leak", "words", updated="2999-01-01", confidential=True)
    second = await look(source, first.past())
    assert second.gone == ["issues/1"]
    with pytest.raises(DocumentUnreachable):
        await source.read(first.listings["issues/1"])


async def test_a_refused_token_is_named_by_its_variable(gitlab: GitLabServer, tmp_path: object) -> None:
    context = SourceContext(None, lambda name: "an-expired-one")  # type: ignore[arg-type]
    options = GitLabOptions(project="team/app", url=gitlab.url)
    source = KIND.open("tracker", frozenset({"everyone"}), options, context)
    with pytest.raises(SourceUnavailable, match="GITLAB_TOKEN") as caught:
        await look(source, Past(None, {}))
    assert "an-expired-one" not in str(caught.value)
    await source.close()


def test_an_address_of_issues_is_recognised() -> None:
    found = KIND.recognise("https://git.example.org/group/team/app/-/issues")
    assert found == {"url": "https://git.example.org", "project": "group/team/app"}
    assert KIND.recognise("https://git.example.org/group/team/app") is None
