"""Pages and blog posts of a Confluence space, cloud or data centre, through atlassian-python-api.

Who may read a page cannot be told in terms of Slack, so a page that is closed to a part of the space, by itself or by
a page above it, is left out. A restriction changes no page's version: hence all pages are listed every time, which
takes one request for each hundred of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import Field

from knowledge.errors import DocumentUnreachable, SourceUnavailable
from knowledge.sources.hosted import HostedSource, Item, Page
from knowledge.sources.kinds import SourceContext, SourceOptions
from knowledge.sources.parsers import html

if TYPE_CHECKING:
    from atlassian import Confluence

_ADDRESS = re.compile(r"(https?://[^/\s]+(?:/[\w.-]+)*?)/(?:spaces|display)/([\w~.-]+)(?:/.*)?")
_PAGE = 100
_RESTRICTIONS = "restrictions.read.restrictions.user,restrictions.read.restrictions.group"


class ConfluenceOptions(SourceOptions):
    """Which space of which Confluence."""

    url: str
    """The address of Confluence: https://team.atlassian.net/wiki, or that of your own server."""
    space: str = Field(pattern=r"^[\w~.-]+$")
    """The key of the space."""
    token_env: str = "CONFLUENCE_TOKEN"  # noqa: S105 - the name of a variable
    """The environment variable of a data centre's access token, or of the cloud's `mail address:API token`."""


class ConfluenceKind:
    """A Confluence space, as a kind of source."""

    name = "confluence"
    options = ConfluenceOptions

    def recognise(self, text: str) -> dict[str, object] | None:
        """The address of a space, or of a page in it."""
        found = _ADDRESS.fullmatch(text)
        return {"url": found.group(1), "space": found.group(2)} if found else None

    def open(
        self, name: str, readers: frozenset[str], options: ConfluenceOptions, context: SourceContext
    ) -> HostedSource:
        """The space. Raises SourceUnavailable where the extra or the token is missing."""
        try:
            from atlassian import Confluence
        except ImportError:
            raise SourceUnavailable(
                f"The source “{name}” needs a library that is not here: pip install atlassian-python-api."
            ) from None
        token = context.secret(options.token_env)
        if token is None:
            raise SourceUnavailable(f"The source “{name}” needs a token: set {options.token_env} and start again.")
        user, _, key = token.rpartition(":")  # as in HTTP's Basic; no token has a colon of its own
        if not user and "atlassian.net" in options.url:
            raise SourceUnavailable(
                f"In the cloud, {options.token_env} holds the account's mail address, a colon and its API token; "
                "the address is missing. Add it and start again."
            )
        login: dict[str, Any] = {"username": user, "password": key} if user else {"token": key}
        client = Confluence(  # type: ignore[no-untyped-call]
            options.url.rstrip("/"),
            cloud=bool(user),
            timeout=30,
            backoff_and_retry=True,
            max_backoff_seconds=30,
            max_backoff_retries=4,
            **login,
        )
        return HostedSource(name, self.name, readers, _Space(client, options), whole_every=timedelta(0))


KIND = ConfluenceKind()


@dataclass(slots=True)
class _Space:
    """The service."""

    client: Confluence
    options: ConfluenceOptions

    def items(self, since: datetime | None) -> Iterator[Item]:
        pages = list(self._pages())
        closed = {page["id"] for page in pages if _is_restricted(page)}
        for page in pages:
            above = {ancestor["id"] for ancestor in page.get("ancestors", ())}
            if page["id"] not in closed and above.isdisjoint(closed):
                version = f"{page['version']['number']}:{page['title']}"
                yield Item(page["id"], version, self._link(page), page["id"])

    def page(self, handle: str) -> Page | None:
        import requests

        expand = f"body.view,version,history,metadata.labels,{_RESTRICTIONS}"
        try:
            found: Any = self.client.get(f"rest/api/content/{handle}", params={"expand": expand})
        except requests.HTTPError as error:
            if _status(error) == 404:
                return None
            raise
        if _is_restricted(found):
            return None
        content = html.parse(found["body"]["view"]["value"].encode(), found["title"])
        labels = found.get("metadata", {}).get("labels", {}).get("results", ())
        return Page(
            found["title"],
            content,
            datetime.fromisoformat(found["version"]["when"]),
            found.get("history", {}).get("createdBy", {}).get("displayName"),
            frozenset(label["name"] for label in labels),
        )

    def explain(self, error: Exception) -> SourceUnavailable | DocumentUnreachable | None:
        import requests
        from atlassian.errors import ApiError

        where = f"Confluence ({self.options.space} at {self.options.url})"
        if isinstance(error, requests.HTTPError) and _status(error) in {401, 403}:
            return SourceUnavailable(
                f"{where} does not accept the token in {self.options.token_env}: it is wrong, has expired, or may not "
                "read the space. Make a new one, set it, and start again; what was read before is kept."
            )
        if isinstance(error, requests.HTTPError):
            return SourceUnavailable(f"{where} answered with HTTP {_status(error)}. The next refresh tries again.")
        if isinstance(error, requests.RequestException):
            return SourceUnavailable(
                f"{where} cannot be reached ({type(error).__name__}). The next refresh tries again."
            )
        if isinstance(error, ApiError):
            return SourceUnavailable(f"{where} refused a request ({type(error).__name__}). Check the space's key.")
        return None

    def close(self) -> None:
        self.client.close()

    def _pages(self) -> Iterator[dict[str, Any]]:
        query = f'space = "{self.options.space}" and type in (page, blogpost) order by id'
        wanted = {"cql": query, "limit": _PAGE, "expand": f"version,ancestors,{_RESTRICTIONS}"}
        start = 0
        while True:
            found: Any = self.client.get("rest/api/content/search", params={**wanted, "start": start})
            yield from found["results"]
            if not found["results"] or not found.get("_links", {}).get("next"):
                return
            start += len(found["results"])

    def _link(self, page: dict[str, Any]) -> str:
        return f"{self.options.url.rstrip('/')}{page['_links']['webui']}"


def _is_restricted(page: dict[str, Any]) -> bool:
    closed_to = page.get("restrictions", {}).get("read", {}).get("restrictions", {})
    return any(closed_to.get(kind, {}).get("results") for kind in ("user", "group"))


def _status(error: Any) -> int | None:
    return error.response.status_code if error.response is not None else None
