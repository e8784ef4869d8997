"""One polite HTTP client for sources: one request at a time for a host, a pause after each, and limits on everything.

Whatever fails in passing is tried again with growing waits, and a server that says how long to wait is obeyed. Only
public addresses are connected to; a host that was private from the first (an intranet) is the one exception.
"""

from __future__ import annotations

import asyncio
import ipaddress
import random
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from knowledge.errors import KnowledgeError

NAME = "Switchboard"
USER_AGENT = f"{NAME}/{version('switchboard')} (reads pages into a team's knowledge; obeys robots.txt)"
_TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class FetchFailed(KnowledgeError):
    """An address gave no answer that can be used. Another time it may."""


class WaitAsked(FetchFailed):
    """The server wants to be left alone for longer than is waited here: come back with the next refresh."""


@dataclass(frozen=True, slots=True)
class Manners:
    """How a host is treated. Times are in seconds; `most_bytes` counts a body after decompression.

    `longest_wait` is the longest Retry-After that is waited out at once. `seconds` is for one request, its body
    included.
    """

    pause: float = 0.2
    tries: int = 3
    backoff: float = 1.0
    longest_wait: float = 120.0
    seconds: float = 60.0
    most_bytes: int = 50_000_000
    redirects: int = 10


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered. `location` is where a redirect leads, absolute; `headers` know no upper case."""

    url: URL
    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    location: URL | None = None


class PoliteClient:
    """Asks for addresses. `home` is where the source starts; `headers` (which may hold a token) go to it alone."""

    def __init__(
        self,
        home: URL,
        headers: Mapping[str, str] | None = None,
        manners: Manners | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.manners = manners or Manners()
        self._home = home
        self._headers = dict(headers or {})
        self._sleep = sleep
        self._reach = Reach(home)
        self._session: aiohttp.ClientSession | None = None
        self._turns: dict[str, asyncio.Lock] = {}
        self._free_at: dict[str, float] = {}
        self._pauses: dict[str, float] = {}

    def pause(self, url: URL, seconds: float) -> None:
        """Sets the pause for the host of an address."""
        self._pauses[url.authority] = seconds

    async def get(
        self, url: URL, *, etag: str = "", modified: str = "", accept: str = "*/*", most_bytes: int | None = None
    ) -> Reply:
        """The answer of one address; redirects are not followed. With `etag` or `modified` it may be a 304.

        Raises FetchFailed where nothing came, or where the server fails after all tries.
        """
        if url.scheme not in ("http", "https") or not url.host:
            raise FetchFailed(f"{shown(url)} is no web address.")
        headers = {"Accept": accept}
        if etag:
            headers["If-None-Match"] = etag
        if modified:
            headers["If-Modified-Since"] = modified
        if self._is_home(url):
            headers |= self._headers
        host = url.authority
        async with self._turns.setdefault(host, asyncio.Lock()):
            for tried in range(1, self.manners.tries + 1):
                await self._sleep_until(self._free_at.get(host, 0.0))
                try:
                    reply = await self._ask(url, headers, most_bytes or self.manners.most_bytes)
                except _Passing as error:
                    await self._wait(url, str(error), tried, 0.0)
                else:
                    if reply.status not in _TRY_AGAIN:
                        return reply
                    await self._wait(
                        url, f"it answers {reply.status}", tried, _seconds(reply.headers.get("Retry-After"))
                    )
                finally:
                    self._free_at[host] = time.monotonic() + self._pauses.get(host, self.manners.pause)
        raise AssertionError("The last try ends in a reply or an error.")

    async def follow(
        self, url: URL, *, etag: str = "", modified: str = "", accept: str = "*/*", most_bytes: int | None = None
    ) -> Reply:
        """The answer behind an address and its redirects, wherever they lead. Raises FetchFailed."""
        at = url
        for _ in range(self.manners.redirects + 1):
            reply = await self.get(at, etag=etag, modified=modified, accept=accept, most_bytes=most_bytes)
            if reply.location is None:
                return reply
            at = reply.location
        raise FetchFailed(f"{shown(url)} redirects for ever. Name the address that it should lead to.")

    async def close(self) -> None:
        """Closes its connections."""
        if self._session is not None:
            await self._session.close()

    async def _ask(self, url: URL, headers: Mapping[str, str], most_bytes: int) -> Reply:
        try:
            self._reach.check_literal(url)
            async with self._opened().get(url, headers=headers, allow_redirects=False) as response:
                body = b"" if response.status in _REDIRECTS else await _body(response, url, most_bytes)
                location = _location(response, url)
                return Reply(url, response.status, response.headers, body, location)
        except TimeoutError as error:
            seconds = self.manners.seconds
            raise FetchFailed(f"{shown(url)} took more than {seconds:g} s and was given up.") from error
        except Unreachable as error:
            raise FetchFailed(f"{shown(url)}: {error}") from error
        except aiohttp.ClientSSLError as error:
            raise FetchFailed(
                f"{url.host} offers no secure connection that can be trusted. Its owner has to renew its certificate; "
                "an authority of your own is named by SSL_CERT_FILE."
            ) from error
        except aiohttp.ClientConnectorDNSError as error:
            if isinstance(error.os_error, Unreachable):
                raise FetchFailed(f"{shown(url)}: {error.os_error}") from error
            raise _Passing(f"the name {url.host} is not known") from error
        except aiohttp.ClientConnectorError as error:
            raise _Passing("nothing answers there") from error
        except (aiohttp.InvalidURL, aiohttp.ClientResponseError) as error:
            raise FetchFailed(f"{shown(url)} gives an answer that is no proper HTTP.") from error
        except (aiohttp.ClientError, ConnectionError) as error:
            raise _Passing("the connection broke off") from error

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(resolver=_CheckedResolver(self._reach)),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": USER_AGENT, "Accept-Encoding": "gzip, deflate"},
                timeout=aiohttp.ClientTimeout(total=self.manners.seconds, sock_connect=min(10, self.manners.seconds)),
            )
        return self._session

    def _is_home(self, url: URL) -> bool:
        """Whether a secret may go there: to where the source starts, or to the same host by https."""
        same = (url.scheme, url.host, url.port) == (self._home.scheme, self._home.host, self._home.port)
        return same or _is_upgrade(self._home, url)

    async def _sleep_until(self, moment: float) -> None:
        seconds = moment - time.monotonic()
        if seconds > 0:
            await self._sleep(seconds)

    async def _wait(self, url: URL, reason: str, tried: int, asked: float) -> None:
        if asked > self.manners.longest_wait:
            raise WaitAsked(f"{shown(url)}: {reason} and asks to be left alone for {asked:,.0f} s.")
        if tried == self.manners.tries:
            raise FetchFailed(f"{shown(url)} cannot be read: {reason} ({tried} tries).")
        longest = self.manners.backoff * 2 ** (tried - 1)
        await self._sleep(asked + random.uniform(longest / 2, longest))  # noqa: S311 (spreads load, guards nothing)


class Reach:
    """Which addresses may be connected to.

    Public ones. Those of a private network only for `home`, and only if its name led there from the first: a public
    name that later leads inside is an attempt to read what lies there.
    """

    def __init__(self, home: URL) -> None:
        self._home = home
        self._home_is_private: bool | None = None

    def check_literal(self, url: URL) -> None:
        """Raises Unreachable where an address is written as a number that may not be connected to."""
        try:
            ipaddress.ip_address(url.host or "")
        except ValueError:
            return
        self.check(url.host or "", url.port or 0, [url.host or ""])

    def check(self, host: str, port: int, addresses: list[str]) -> None:
        """Raises Unreachable where one of the addresses of a host may not be connected to."""
        private = any(not _is_public(address) for address in addresses)
        if host == self._home.raw_host and port in _ports(self._home):
            if self._home_is_private is None:
                self._home_is_private = private
            if self._home_is_private and all(_is_in_a_network(address) for address in addresses):
                return
        if private:
            raise Unreachable(f"{host} leads to a private address, which is not read. Only public addresses are.")


class Unreachable(OSError):
    """An address that may not be connected to."""


class _Passing(Exception):
    """What may be over at the next try; its text says what it was."""


class _CheckedResolver(AbstractResolver):
    """Names to addresses; what it returns is what is connected to, so the check holds for the connection."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._resolver: AbstractResolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        self._reach.check(host, port, [result["host"] for result in found])
        return found

    async def close(self) -> None:
        await self._resolver.close()


def shown(url: URL) -> str:
    """An address that may be printed: without a login and without a query, either of which may hold a secret."""
    bare = url.with_user(None) if url.is_absolute() else url
    return bare.with_query(None).with_fragment(None).human_repr()


def _is_upgrade(old: URL, new: URL) -> bool:
    return (
        (old.scheme, new.scheme) == ("http", "https")
        and old.host == new.host
        and old.is_default_port()
        and new.is_default_port()
    )


def _ports(home: URL) -> set[int]:
    return {home.port or 0, 443} if home.scheme == "http" and home.is_default_port() else {home.port or 0}


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The address; an IPv4 address that is wrapped in an IPv6 one is unwrapped."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address.sixtofour or address
    return address


def _is_public(text: str) -> bool:
    address = _ip(text)
    return address.is_global and not address.is_multicast


def _is_in_a_network(text: str) -> bool:
    """Whether a machine of a network may have it: link-local ones hold the secrets of cloud machines."""
    address = _ip(text)
    return not (address.is_link_local or address.is_multicast or address.is_unspecified)


async def _body(response: aiohttp.ClientResponse, url: URL, most_bytes: int) -> bytes:
    too_large = FetchFailed(f"{shown(url)} has more than {most_bytes / 1e6:,.1f} MB, which is not read.")
    if (response.content_length or 0) > most_bytes:
        raise too_large
    body = bytearray()
    async for part in response.content.iter_chunked(65_536):
        body += part
        if len(body) > most_bytes:
            raise too_large
    return bytes(body)


def _location(response: aiohttp.ClientResponse, url: URL) -> URL | None:
    if response.status not in _REDIRECTS or "Location" not in response.headers:
        return None
    try:
        return url.join(URL(response.headers["Location"]))
    except ValueError as error:
        raise FetchFailed(f"{shown(url)} redirects to what is no web address.") from error


def _seconds(retry_after: str | None) -> float:
    """How long a Retry-After header asks to wait; 0 where it is missing or makes no sense."""
    if retry_after is None:
        return 0.0
    if retry_after.strip().isdigit():
        return float(retry_after)
    try:
        moment = parsedate_to_datetime(retry_after)
    except ValueError:
        return 0.0
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
