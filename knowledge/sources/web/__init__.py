"""Web sites, as a kind of source."""

from __future__ import annotations

import re

from pydantic import Field, field_validator, model_validator
from yarl import URL

from knowledge.errors import SourceUnavailable
from knowledge.sources.base import Source
from knowledge.sources.kinds import SourceContext, SourceOptions
from knowledge.sources.web.scope import Scope

_ADDRESS = re.compile(r"https?://[^\s/]+\S*", re.IGNORECASE)
_OTHERS = re.compile(r"\.git/?$|://[^/]*\.slack\.com/archives/|(?:\.rss|\.xml|\.atom|/feed/?)(?:\?|$)", re.IGNORECASE)


def checked_address(text: str) -> str:
    """A web address. Raises ValueError for anything else, and for one that holds a password."""
    try:
        url = URL(text.strip())
    except ValueError as error:
        raise ValueError("it is no web address. Write it with https://.") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError("it is no web address. Write it with https://.")
    if url.user is not None or url.password is not None:
        raise ValueError("a login does not belong into the address. Put the secret where token_env says.")
    return text.strip()


def secret_headers(name: str, token_env: str | None, header: str, context: SourceContext) -> dict[str, str]:
    """The header that a secret is sent in: "Bearer …" unless it says itself what it is, or goes in a header of its own.

    Raises SourceUnavailable where the secret is not set.
    """
    if token_env is None:
        return {}
    secret = context.secret(token_env)
    if not secret:
        raise SourceUnavailable(
            f"The secret {token_env} of the source “{name}” is not set. Set the environment variable {token_env}, or "
            f"{token_env}_FILE with the path of a file that holds it."
        )
    plain = header.lower() != "authorization" or " " in secret.strip()
    return {header: secret.strip() if plain else f"Bearer {secret.strip()}"}


class WebOptions(SourceOptions):
    """Which site, how far, and how gently."""

    url: str
    """Where to start. Only pages below this address are read."""
    prefix: str | None = Field(default=None, pattern="^/")
    """Path that pages have to lie below, where that is not the start's own: "/" for the whole host."""
    depth: int = Field(default=5, ge=0)
    """Most links between the start and a page; what a sitemap names counts as one."""
    pages: int = Field(default=2_000, ge=1)
    """Most pages that are asked for in one refresh."""
    pause: float = Field(default=0.2, ge=0)
    """Seconds between two requests; a longer Crawl-delay in robots.txt wins."""
    token_env: str | None = None
    """Name of the environment variable (or of a file: NAME_FILE) with the token of a private site."""
    token_header: str = "Authorization"  # noqa: S105 (the name of a header)
    """Header that the token is sent in, to the start's host alone; in Authorization as "Bearer …"."""

    _url = field_validator("url")(checked_address)

    @model_validator(mode="after")
    def _start_lies_below_the_prefix(self) -> WebOptions:
        scope = Scope(URL(self.url), self.prefix)
        if not scope.holds(scope.start):
            raise ValueError(f"The start does not lie below the prefix {self.prefix}. Name one that it lies below.")
        return self


class WebKind:
    """Web sites, as a kind of source."""

    name = "web"
    options = WebOptions

    def recognise(self, text: str) -> dict[str, object] | None:
        """A web address that is no feed, no git repository and no conversation in Slack."""
        return {"url": text} if _ADDRESS.fullmatch(text) and not _OTHERS.search(text) else None

    def open(self, name: str, readers: frozenset[str], options: WebOptions, context: SourceContext) -> Source:
        """The site. Raises SourceUnavailable where its secret is missing."""
        from knowledge.sources.http import Manners
        from knowledge.sources.web.crawl import Limits
        from knowledge.sources.web.source import WebSource

        return WebSource(
            name,
            Scope(URL(options.url), options.prefix),
            context.cache_dir,
            readers,
            Limits(options.depth, options.pages),
            secret_headers(name, options.token_env, options.token_header, context),
            Manners(pause=options.pause),
        )


KIND = WebKind()
