"""Issues and discussions of a repository on GitHub, through PyGithub. A conversation is one document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import Field

from knowledge.documents import Block, BlockKind, Content
from knowledge.errors import DocumentUnreachable, SourceUnavailable
from knowledge.sources.base import Gone
from knowledge.sources.hosted import HostedSource, Item, Page
from knowledge.sources.kinds import SourceContext, SourceOptions
from knowledge.sources.turns import Turn, blocks_of

if TYPE_CHECKING:
    from github import Github
    from github.Repository import Repository

_ADDRESS = re.compile(r"https?://github\.com/([\w.-]+/[\w.-]+?)/(?:issues|discussions)/?")
_PAGE = 50
_MOST_WAIT = 60.0  # seconds that a rate limit is waited for; a longer one is told, and the next refresh goes on
_LIST = """
query($owner: String!, $name: String!, $after: String) {
  repository(owner: $owner, name: $name) {
    discussions(first: %d, after: $after, orderBy: {field: UPDATED_AT, direction: DESC}) {
      pageInfo { endCursor hasNextPage }
      nodes { number updatedAt url }
    }
  }
}""" % (_PAGE,)  # noqa: UP031 - the braces are GraphQL's
_READ = """
query($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    discussion(number: $number) {
      title body createdAt updatedAt author { login } category { name } answer { id }
      comments(first: 100) {
        nodes {
          id body createdAt author { __typename login }
          replies(first: 50) { nodes { body createdAt author { __typename login } } }
        }
      }
    }
  }
}"""


class GitHubOptions(SourceOptions):
    """Which conversations of which repository."""

    repository: str = Field(pattern=r"^[\w.-]+/[\w.-]+$")
    """The repository, as owner/name."""
    issues: bool = True
    """Whether its issues are read; pull requests never are."""
    discussions: bool = True
    """Whether its discussions are read; they need a token."""
    token_env: str = "GITHUB_TOKEN"  # noqa: S105 - the name of a variable
    """The environment variable of a token that may read the repository; a public one's issues need none."""
    api: str = "https://api.github.com"
    """The address of the API; GitHub Enterprise has its own."""


class GitHubKind:
    """Issues and discussions on GitHub, as a kind of source."""

    name = "github"
    options = GitHubOptions

    def recognise(self, text: str) -> dict[str, object] | None:
        """The address of a repository's issues or discussions."""
        found = _ADDRESS.fullmatch(text)
        return {"repository": found.group(1)} if found else None

    def open(self, name: str, readers: frozenset[str], options: GitHubOptions, context: SourceContext) -> HostedSource:
        """The conversations. Raises SourceUnavailable where the extra is not installed."""
        try:
            from github import Auth, Github, GithubRetry
        except ImportError:
            raise SourceUnavailable(
                f"The source “{name}” needs a library that is not here: pip install PyGithub."
            ) from None
        token = context.secret(options.token_env)
        retry = GithubRetry(total=4, backoff_factor=0.5, secondary_rate_wait=5, max_rate_limit_wait=_MOST_WAIT)
        client = Github(
            auth=Auth.Token(token) if token else None,
            base_url=options.api.rstrip("/"),
            retry=retry,
            timeout=30,
            per_page=_PAGE,
            seconds_between_requests=None,
            lazy=True,  # else each object is asked for once more before it is used
        )
        return HostedSource(name, self.name, readers, _GitHub(client, options, with_token=token is not None))


KIND = GitHubKind()


@dataclass(slots=True)
class _GitHub:
    """The service."""

    client: Github
    options: GitHubOptions
    with_token: bool

    def items(self, since: datetime | None) -> Iterator[Item | Gone]:
        if self.options.issues:
            yield from self._issues(since)
        if self.options.discussions and self.with_token:
            yield from self._discussions(since)

    def page(self, handle: str) -> Page | None:
        kind, _, number = handle.partition("/")
        return self._issue(int(number)) if kind == "issues" else self._discussion(int(number))

    def explain(self, error: Exception) -> SourceUnavailable | DocumentUnreachable | None:
        import github
        import requests

        where = f"GitHub ({self.options.repository})"
        if isinstance(error, github.GithubException) and error.status == 401:
            return SourceUnavailable(
                f"{where} does not accept the token in {self.options.token_env}: it is wrong or has expired. Make a "
                "new one that may read the repository, set it, and start again; what was read before is kept."
            )
        if isinstance(error, github.RateLimitExceededException):
            return SourceUnavailable(
                f"{where} takes no more requests for now. The next refresh goes on from here; a token in "
                f"{self.options.token_env} raises the limit."
            )
        if isinstance(error, github.UnknownObjectException):
            return SourceUnavailable(
                f"{where} is not there, or the token in {self.options.token_env} may not see it. Check the name and "
                "the token's rights."
            )
        if isinstance(error, github.GithubException):
            return SourceUnavailable(f"{where} answered with HTTP {error.status}. The next refresh tries again.")
        if isinstance(error, requests.RequestException):
            return SourceUnavailable(
                f"{where} cannot be reached ({type(error).__name__}). The next refresh tries again."
            )
        return None

    def close(self) -> None:
        self.client.close()

    def _repository(self) -> Repository:
        return self.client.get_repo(self.options.repository)

    def _issues(self, since: datetime | None) -> Iterator[Item]:
        wanted: dict[str, Any] = {"since": since} if since else {}
        for issue in self._repository().get_issues(state="all", sort="updated", direction="asc", **wanted):
            if "pull_request" not in issue.raw_data:
                path = f"issues/{issue.number}"
                yield Item(path, issue.updated_at.isoformat(), issue.html_url, path)

    def _discussions(self, since: datetime | None) -> Iterator[Item]:
        after: str | None = None
        while True:
            found = self._query(_LIST, after=after)["discussions"]
            for node in found["nodes"]:
                updated = datetime.fromisoformat(node["updatedAt"])
                if since is not None and updated < since:
                    return  # newest first
                path = f"discussions/{node['number']}"
                yield Item(path, node["updatedAt"], node["url"], path)
            if not found["pageInfo"]["hasNextPage"]:
                return
            after = found["pageInfo"]["endCursor"]

    def _issue(self, number: int) -> Page | None:
        import github

        try:
            issue = self._repository().get_issue(number)
            issue.complete()
        except github.GithubException as error:
            if error.status in {404, 410}:
                return None
            raise
        turns = [Turn(issue.user.login, issue.created_at, issue.body or "")]
        if issue.comments:
            turns += [
                Turn(comment.user.login, comment.created_at, comment.body or "")
                for comment in issue.get_comments()
                if comment.user.type != "Bot"
            ]
        labels = [label.name for label in issue.labels]
        state = f"Issue #{number}, {issue.state}" + (f", {', '.join(labels)}" if labels else "")
        content = _content(issue.title, state, turns)
        return Page(issue.title, content, issue.updated_at, issue.user.login, frozenset(labels))

    def _discussion(self, number: int) -> Page | None:
        found = self._query(_READ, number=number)["discussion"]
        if found is None:
            return None
        turns = [_turn(found)]
        answer = (found["answer"] or {}).get("id")
        for comment in _people(found["comments"]["nodes"]):
            first = _turn(comment)
            turns.append(
                Turn(f"{first.speaker}, the answer", first.said, first.text) if comment["id"] == answer else first
            )
            turns += [_turn(reply) for reply in _people(comment["replies"]["nodes"])]
        category = found["category"]["name"]
        content = _content(found["title"], f"Discussion #{number}, {category}", turns)
        updated = datetime.fromisoformat(found["updatedAt"])
        return Page(found["title"], content, updated, turns[0].speaker, frozenset({category}))

    def _query(self, query: str, **variables: object) -> dict[str, Any]:
        owner, _, name = self.options.repository.partition("/")
        _, answer = self.client.requester.graphql_query(query, {"owner": owner, "name": name, **variables})
        found: dict[str, Any] = answer["data"]["repository"]
        return found


def _people(nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What people wrote, and no bot."""
    return [node for node in nodes if (node["author"] or {}).get("__typename") != "Bot"]


def _turn(node: dict[str, Any]) -> Turn:
    speaker = (node["author"] or {}).get("login", "somebody")  # the account may be gone
    return Turn(speaker, datetime.fromisoformat(node["createdAt"]), node["body"] or "")


def _content(title: str, state: str, turns: list[Turn]) -> Content:
    said = blocks_of(turns)
    return Content((Block(BlockKind.HEADING, title, 1), Block(BlockKind.PARAGRAPH, state), *said), title=title)
