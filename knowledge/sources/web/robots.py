"""What robots.txt allows, as RFC 9309 wants it read."""

from __future__ import annotations

from collections.abc import Sequence

from protego import Protego
from yarl import URL

from knowledge.errors import SourceUnavailable
from knowledge.sources.http import NAME, FetchFailed, PoliteClient, shown

_MOST_BYTES = 512_000
_LONGEST_DELAY = 60.0


class Robots:
    """The rules of one host for this program."""

    def __init__(self, text: str) -> None:
        self._rules = Protego.parse(text)

    def permits(self, url: URL) -> bool:
        """Whether the page may be read."""
        return bool(self._rules.can_fetch(str(url), NAME))

    @property
    def delay(self) -> float:
        """Seconds that the host wants between two requests."""
        return float(self._rules.crawl_delay(NAME) or 0.0)

    @property
    def sitemaps(self) -> Sequence[str]:
        """Addresses of its sitemaps."""
        return list(self._rules.sitemaps)


async def read_robots(client: PoliteClient, origin: URL) -> Robots:
    """The rules of a host; one that has none allows everything.

    Raises SourceUnavailable where they cannot be read now (nobody knows then what is allowed), and where they ask for
    a pace that comes to no end.
    """
    url = origin / "robots.txt"
    try:
        reply = await client.follow(url, accept="text/plain", most_bytes=_MOST_BYTES)
    except FetchFailed as error:
        raise SourceUnavailable(
            f"{error} Without {shown(url)} nobody knows what may be read; the next refresh tries again, and what is "
            "known is kept."
        ) from error
    robots = Robots(reply.body.decode("utf-8-sig", "replace") if reply.status == 200 else "")
    if robots.delay > _LONGEST_DELAY:
        raise SourceUnavailable(
            f"{shown(url)} asks for {robots.delay:,.0f} s between two pages, too long to read a site. Ask its owner "
            f"for a shorter Crawl-delay for the user agent “{NAME}”."
        )
    return robots
