from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from aiohttp import web
from yarl import URL

from knowledge.sources.http import FetchFailed, Manners, PoliteClient, Reach, Unreachable, WaitAsked, shown


class Server:
    """Answers with the statuses and headers of its script in their order, and with the last one from then on."""

    def __init__(self) -> None:
        self.scripted: list[tuple[int, dict[str, str]]] = []
        self.requests: list[web.BaseRequest] = []
        self.url = URL()
        self.most_at_once = self._at_once = 0

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.requests.append(request)
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        await asyncio.get_running_loop().run_in_executor(None, int)  # time for others to come in
        self._at_once -= 1
        status, headers = self.scripted.pop(0) if len(self.scripted) > 1 else self.scripted[0]
        return web.Response(status=status, headers=headers, body=b"" if status == 304 else b"words")


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """On 127.0.0.1."""
    one = Server()
    runner = web.ServerRunner(web.Server(one.handle))
    await runner.setup()
    listener = web.TCPSite(runner, "127.0.0.1", 0)
    await listener.start()
    one.url = URL(f"http://127.0.0.1:{runner.addresses[0][1]}/")
    yield one
    await runner.cleanup()


class Clock:
    """Notes how long somebody would have slept."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.fixture
async def clock() -> Clock:
    """Nobody has slept yet."""
    return Clock()


Client = Callable[..., PoliteClient]


@pytest.fixture
async def client(server: Server, clock: Clock) -> AsyncIterator[Client]:
    """Opens a client whose home is the server."""
    opened: list[PoliteClient] = []

    def open_client(manners: Manners | None = None, token: str = "") -> PoliteClient:
        headers = {"Authorization": token} if token else None
        opened.append(PoliteClient(server.url, headers, manners or Manners(pause=0), clock.sleep))
        return opened[-1]

    yield open_client
    for one in opened:
        await one.close()


async def test_a_passing_failure_is_tried_again_after_a_growing_wait_that_is_never_the_same(
    server: Server, clock: Clock, client: Client
) -> None:
    random.seed(1)
    server.scripted = [(503, {}), (500, {}), (502, {}), (200, {})]
    reply = await client(Manners(pause=0, tries=4, backoff=8)).get(server.url)
    assert (reply.status, reply.body) == (200, b"words")
    first, second, third = clock.slept
    assert 4 <= first < 8 <= second < 16 <= third < 32
    assert second != 2 * first


async def test_a_retry_after_is_obeyed_as_seconds_or_as_a_date(server: Server, clock: Clock, client: Client) -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    server.scripted = [(429, {"Retry-After": "7"}), (503, {"Retry-After": moment}), (200, {})]
    assert (await client().get(server.url)).status == 200
    first, second = clock.slept
    assert 7.5 <= first <= 8
    assert 90 <= second <= 103


@pytest.mark.parametrize("nonsense", ["soon", "-5", "", "Mon, 99 Foo 2026"])
async def test_a_retry_after_that_makes_no_sense_counts_as_none(
    server: Server, clock: Clock, client: Client, nonsense: str
) -> None:
    server.scripted = [(429, {"Retry-After": nonsense}), (200, {})]
    assert (await client().get(server.url)).status == 200
    assert clock.slept[0] <= 1


async def test_a_server_that_wants_a_long_rest_gets_it(server: Server, clock: Clock, client: Client) -> None:
    server.scripted = [(429, {"Retry-After": "99999999999999999999"})]
    with pytest.raises(WaitAsked, match="it answers 429 and asks to be left alone for"):
        await client().get(server.url)
    assert len(server.requests) == 1
    assert clock.slept == []


async def test_failures_that_do_not_pass_are_told_after_the_last_try(server: Server, client: Client) -> None:
    server.scripted = [(503, {})]
    with pytest.raises(FetchFailed, match=r"/ cannot be read: it answers 503 \(3 tries\)\."):
        await client().get(server.url)
    assert len(server.requests) == 3


async def test_a_host_gets_a_pause_after_each_request(server: Server, clock: Clock, client: Client) -> None:
    server.scripted = [(200, {})]
    one = client(Manners(pause=0.2))
    one.pause(server.url, 30.0)
    await one.get(server.url)
    await one.get(server.url / "next")
    assert len(clock.slept) == 1
    assert 25 < clock.slept[0] <= 30


async def test_a_host_gets_one_request_at_a_time(server: Server, client: Client) -> None:
    server.scripted = [(200, {})]
    one = client()
    await asyncio.gather(*(one.get(server.url / str(number)) for number in range(8)))
    assert (len(server.requests), server.most_at_once) == (8, 1)


async def test_what_is_known_is_asked_for_conditionally(server: Server, client: Client) -> None:
    server.scripted = [(304, {})]
    reply = await client().get(server.url, etag='W/"1"', modified="Sat, 03 Jan 2026 10:00:00 GMT")
    (request,) = server.requests
    assert (reply.status, reply.body) == (304, b"")
    assert request.headers["If-None-Match"] == 'W/"1"'
    assert request.headers["If-Modified-Since"] == "Sat, 03 Jan 2026 10:00:00 GMT"
    assert request.headers["User-Agent"].startswith("Switchboard/")


async def test_redirects_are_followed_up_to_a_limit(server: Server, client: Client) -> None:
    server.scripted = [(302, {"Location": "/a"}), (301, {"Location": "b"}), (200, {})]
    reply = await client().follow(server.url)
    assert reply.url == server.url / "b"
    server.scripted = [(302, {"Location": "/a"})]
    with pytest.raises(FetchFailed, match="redirects for ever"):
        await client(Manners(pause=0, redirects=3)).follow(server.url)
    assert len(server.requests) == 3 + 4


async def test_a_secure_connection_that_cannot_be_trusted_is_told_with_the_way_out(
    server: Server, client: Client
) -> None:
    server.scripted = [(200, {})]
    with pytest.raises(FetchFailed, match=r"127\.0\.0\.1 offers no secure connection .* SSL_CERT_FILE\."):
        await client().get(server.url.with_scheme("https"))


async def test_only_web_addresses_are_asked_for(client: Client) -> None:
    for address in ("file:///etc/passwd", "ftp://example.org/", "gopher://example.org", "/relative"):
        with pytest.raises(FetchFailed, match="is no web address"):
            await client().get(URL(address))


@pytest.mark.parametrize(
    "address",
    [
        "http://10.0.0.1/",
        "http://192.168.1.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/",
        "http://[fe80::1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://0.0.0.0/",
        "http://100.64.0.1/",
        "http://localhost/",
        "http://127.0.0.1:1/",
    ],
)
async def test_private_addresses_are_not_connected_to(client: Client, address: str) -> None:
    with pytest.raises(FetchFailed, match="leads to a private address"):
        await client().get(URL(address))


@pytest.mark.parametrize("address", ["http://2130706433/", "http://127.1/", "http://0x7f.1/"])
async def test_addresses_in_disguise_are_not_connected_to(client: Client, address: str) -> None:
    with pytest.raises(FetchFailed):
        await client(Manners(pause=0, tries=1)).get(URL(address))


def test_a_public_name_that_later_leads_inside_is_refused() -> None:
    reach = Reach(URL("https://docs.example.org/"))
    reach.check("docs.example.org", 443, ["93.184.215.14"])
    with pytest.raises(Unreachable):
        reach.check("docs.example.org", 443, ["10.0.0.7"])
    with pytest.raises(Unreachable):
        reach.check("docs.example.org", 443, ["93.184.215.14", "127.0.0.1"])


def test_an_intranet_is_read_on_its_own_host_and_port_alone() -> None:
    reach = Reach(URL("http://wiki.corp/"))
    reach.check("wiki.corp", 80, ["10.0.0.7"])
    reach.check("wiki.corp", 443, ["10.0.0.7"])
    reach.check("example.org", 80, ["93.184.215.14"])
    for host, port, address in (("wiki.corp", 9200, "10.0.0.7"), ("db.corp", 80, "10.0.0.8"), ("wiki.corp", 80, "::")):
        with pytest.raises(Unreachable):
            reach.check(host, port, [address])


def test_a_cloud_machines_own_address_is_refused_even_as_a_start() -> None:
    with pytest.raises(Unreachable):
        Reach(URL("http://169.254.169.254/")).check_literal(URL("http://169.254.169.254/"))


async def test_a_secret_goes_home_and_nowhere_else(server: Server, client: Client) -> None:
    server.scripted = [(200, {})]
    one = client(token="Bearer s3cret")
    await one.get(server.url)
    assert server.requests[-1].headers["Authorization"] == "Bearer s3cret"
    assert "s3cret" not in repr(await one.get(server.url))
    home = PoliteClient(URL("http://wiki.corp/"), {"Authorization": "s3cret"})
    places = (
        "http://wiki.corp/a",
        "https://wiki.corp/a",
        "http://wiki.corp:81/",
        "https://www.wiki.corp/",
        "http://x/",
    )
    assert [home._is_home(URL(place)) for place in places] == [True, True, False, False, False]


def test_an_address_is_shown_without_what_may_be_secret() -> None:
    assert shown(URL("https://maya:pw@example.org/feed?token=1#x")) == "https://example.org/feed"
