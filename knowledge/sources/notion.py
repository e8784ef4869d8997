"""Pages of a Notion workspace that were shared with an integration, through notion-client."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from knowledge.errors import DocumentUnreachable, SourceUnavailable
from knowledge.sources.hosted import HostedSource, Item, Page
from knowledge.sources.kinds import SourceContext, SourceOptions
from knowledge.sources.parsers.markdown import parse_text

if TYPE_CHECKING:
    from notion_client import Client

_ADDRESS = re.compile(r"https?://(?:www\.)?notion\.(?:so|site|com)/\S*")
_PAGE = 100


class NotionOptions(SourceOptions):
    """How Notion is asked; what is read is what was shared with the integration there."""

    token_env: str = "NOTION_TOKEN"  # noqa: S105 - the name of a variable
    """The environment variable of the integration's secret."""
    api: str = "https://api.notion.com"
    """The address of the API."""


class NotionKind:
    """A Notion workspace, as a kind of source."""

    name = "notion"
    options = NotionOptions

    def recognise(self, text: str) -> dict[str, object] | None:
        """Any address in Notion: it stands for all that was shared with the integration."""
        return {} if _ADDRESS.fullmatch(text) else None

    def open(self, name: str, readers: frozenset[str], options: NotionOptions, context: SourceContext) -> HostedSource:
        """The pages. Raises SourceUnavailable where the extra or the token is missing."""
        try:
            from notion_client import Client
        except ImportError:
            raise SourceUnavailable(
                f"The source “{name}” needs a library that is not here: pip install notion-client."
            ) from None
        token = context.secret(options.token_env)
        if token is None:
            raise SourceUnavailable(f"The source “{name}” needs a token: set {options.token_env} and start again.")
        client = Client(auth=token, base_url=options.api.rstrip("/"), timeout_ms=30_000)
        return HostedSource(name, self.name, readers, _Notion(client, options))


KIND = NotionKind()


@dataclass(slots=True)
class _Notion:
    """The service."""

    client: Client
    options: NotionOptions

    def items(self, since: datetime | None) -> Iterator[Item]:
        cursor: str | None = None
        newest_first = {"timestamp": "last_edited_time", "direction": "descending"}
        while True:
            found: Any = self.client.search(
                filter={"property": "object", "value": "page"}, sort=newest_first, page_size=_PAGE, start_cursor=cursor
            )
            for page in found["results"]:
                if since is not None and datetime.fromisoformat(page["last_edited_time"]) < since:
                    return
                if not _is_gone(page):
                    yield Item(page["id"], page["last_edited_time"], page["url"], page["id"])
            cursor = found.get("next_cursor")
            if not found.get("has_more") or not cursor:
                return

    def page(self, handle: str) -> Page | None:
        from notion_client import APIErrorCode, APIResponseError

        try:
            page: Any = self.client.pages.retrieve(handle)
            text: Any = self.client.pages.retrieve_markdown(handle)
        except APIResponseError as error:
            if error.code == APIErrorCode.ObjectNotFound:  # deleted, or no longer shared
                return None
            raise
        if _is_gone(page):
            return None
        content = parse_text(text["markdown"])
        title = _title(page) or content.title or "Untitled"
        return Page(title, content, datetime.fromisoformat(page["last_edited_time"]), None)

    def explain(self, error: Exception) -> SourceUnavailable | DocumentUnreachable | None:
        import httpx
        from notion_client import APIErrorCode, APIResponseError
        from notion_client.errors import is_notion_client_error

        if isinstance(error, APIResponseError) and error.code in {
            APIErrorCode.Unauthorized,
            APIErrorCode.RestrictedResource,
        }:
            return SourceUnavailable(
                f"Notion does not accept the secret in {self.options.token_env}, or it may not read pages. Copy it "
                "again from the integration's settings, and start again; what was read before is kept."
            )
        if isinstance(error, APIResponseError) and error.code == APIErrorCode.RateLimited:
            return SourceUnavailable("Notion takes no more requests for now. The next refresh goes on from here.")
        if is_notion_client_error(error) or isinstance(error, httpx.HTTPError):
            return SourceUnavailable(
                f"Notion did not answer as it should ({type(error).__name__}). The next refresh tries again."
            )
        return None

    def close(self) -> None:
        self.client.close()


def _is_gone(page: dict[str, Any]) -> bool:
    return bool(page.get("in_trash") or page.get("archived"))


def _title(page: dict[str, Any]) -> str:
    for value in page.get("properties", {}).values():
        if value.get("type") == "title":
            return "".join(part["plain_text"] for part in value["title"]).strip()
    return ""
