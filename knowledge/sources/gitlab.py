"""Issues of a project on GitLab, through python-gitlab. An issue with its comments is one document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from knowledge.documents import Block, BlockKind, Content
from knowledge.errors import DocumentUnreachable, SourceUnavailable
from knowledge.sources.base import Gone
from knowledge.sources.hosted import HostedSource, Item, Page
from knowledge.sources.kinds import SourceContext, SourceOptions
from knowledge.sources.turns import Turn, blocks_of

if TYPE_CHECKING:
    from gitlab import Gitlab

_ADDRESS = re.compile(r"(https?://[^/\s]+)/((?:[\w.-]+/)+[\w.-]+)/-/issues/?")
_PAGE = 50


class GitLabOptions(SourceOptions):
    """Which project's issues."""

    project: str
    """The project's path, group/name, or its number."""
    url: str = "https://gitlab.com"
    """The address of the GitLab server."""
    token_env: str = "GITLAB_TOKEN"  # noqa: S105 - the name of a variable
    """The environment variable of a token with the scope read_api; a public project needs none."""


class GitLabKind:
    """Issues on GitLab, as a kind of source."""

    name = "gitlab"
    options = GitLabOptions

    def recognise(self, text: str) -> dict[str, object] | None:
        """The address of a project's issues."""
        found = _ADDRESS.fullmatch(text)
        return {"url": found.group(1), "project": unquote(found.group(2))} if found else None

    def open(self, name: str, readers: frozenset[str], options: GitLabOptions, context: SourceContext) -> HostedSource:
        """The issues. Raises SourceUnavailable where the extra is not installed."""
        try:
            from gitlab import Gitlab
        except ImportError:
            raise SourceUnavailable(
                f"The source “{name}” needs a library that is not here: pip install python-gitlab."
            ) from None
        client = Gitlab(
            options.url,
            private_token=context.secret(options.token_env),
            timeout=30,
            per_page=_PAGE,
            retry_transient_errors=True,
            keep_base_url=True,  # pages are asked for where the first was, whatever the server calls itself
        )
        return HostedSource(name, self.name, readers, _GitLab(client, options))


KIND = GitLabKind()


@dataclass(slots=True)
class _GitLab:
    """The service."""

    client: Gitlab
    options: GitLabOptions

    def items(self, since: datetime | None) -> Iterator[Item | Gone]:
        wanted: dict[str, Any] = {"updated_after": since.isoformat()} if since else {}
        issues = self._project().issues.list(
            iterator=True, scope="all", order_by="updated_at", sort="asc", per_page=_PAGE, **wanted
        )
        for issue in issues:
            path = f"issues/{issue.iid}"
            if issue.confidential:
                # Fewer people may read it than the project's other issues.
                yield Gone(path)
            else:
                yield Item(path, issue.updated_at, issue.web_url, str(issue.iid))

    def page(self, handle: str) -> Page | None:
        import gitlab

        try:
            issue: Any = self._project().issues.get(int(handle))
        except gitlab.GitlabGetError as error:
            if error.response_code == 404:
                return None
            raise
        if issue.confidential:
            return None
        turns = [Turn(_name(issue.author), datetime.fromisoformat(issue.created_at), issue.description or "")]
        if issue.user_notes_count:
            turns += [
                Turn(_name(note.author), datetime.fromisoformat(note.created_at), note.body)
                for note in issue.notes.list(iterator=True, sort="asc", order_by="created_at", per_page=_PAGE)
                if not note.system and not getattr(note, "internal", False)
            ]
        labels = list(issue.labels)
        state = f"Issue #{issue.iid}, {issue.state}" + (f", {', '.join(labels)}" if labels else "")
        head = (Block(BlockKind.HEADING, issue.title, 1), Block(BlockKind.PARAGRAPH, state))
        updated = datetime.fromisoformat(issue.updated_at)
        content = Content((*head, *blocks_of(turns)), title=issue.title)
        return Page(issue.title, content, updated, _name(issue.author), frozenset(labels))

    def explain(self, error: Exception) -> SourceUnavailable | DocumentUnreachable | None:
        import gitlab
        import requests

        where = f"GitLab ({self.options.project} at {self.options.url})"
        if isinstance(error, gitlab.GitlabAuthenticationError):
            return SourceUnavailable(
                f"{where} does not accept the token in {self.options.token_env}: it is wrong or has expired. Make a "
                "new one with the scope read_api, set it, and start again; what was read before is kept."
            )
        if isinstance(error, gitlab.GitlabError):
            status = error.response_code
            if status == 404:
                return SourceUnavailable(
                    f"{where} is not there, or the token in {self.options.token_env} may not see it. Check the path "
                    "and the token's rights."
                )
            return SourceUnavailable(f"{where} answered with HTTP {status}. The next refresh tries again.")
        if isinstance(error, requests.RequestException):
            return SourceUnavailable(
                f"{where} cannot be reached ({type(error).__name__}). The next refresh tries again."
            )
        return None

    def close(self) -> None:
        self.client.session.close()

    def _project(self) -> Any:
        return self.client.projects.get(self.options.project, lazy=True)


def _name(author: dict[str, Any] | None) -> str:
    return str((author or {}).get("name") or (author or {}).get("username") or "somebody")
