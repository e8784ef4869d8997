"""All workspaces that installed the bot: who comes, who goes, whose token changes, and the house of each."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog
from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.config import Settings
from bot.errors import NotInstalled, SwitchboardError
from bot.house import House, open_house
from bot.tenancy import place
from bot.tenancy.client import GONE, TenantClient
from bot.tenancy.houses import Houses
from bot.tenancy.oauth import NotGranted, OAuth
from bot.tenancy.registry import ACCESS_TAKEN, Grant, Installation, Registry
from bot.tenancy.settings import is_workspace, settings_of
from bot.tenancy.whose import Whose
from handlers.bolt import Bolt

if TYPE_CHECKING:
    from bot.costs.metrics import Metrics
    from bot.jobs.queue import Queue

log = structlog.get_logger("bot.tenancy")

AHEAD = timedelta(hours=2)
"""So long before its end a token is renewed: what goes wrong until then can be tried again. Slack's last 12 hours."""
LEASE = timedelta(seconds=60)
"""So long nobody else renews a token that one process has begun to renew."""


class Tenancy:
    """Shared by the door, the pages of an installation and the clock. Every process of several has one."""

    def __init__(
        self,
        settings: Settings,
        engine: AsyncEngine,
        registry: Registry,
        oauth: OAuth,
        clock: Callable[[], datetime],
        drain_seconds: float,
        *,
        queue: Queue | None = None,
        answers: bool = True,
    ) -> None:
        """`queue` and `answers` as every house gets them."""
        self.settings = settings
        self.registry = registry
        self.oauth = oauth
        self.houses = Houses(self._open)
        self.metrics: dict[str, Metrics] = {}
        self.engine = engine
        self._clock = clock
        self._open_house = partial(open_house, clock=clock, drain_seconds=drain_seconds, queue=queue, answers=answers)
        self._worker = uuid.uuid4().hex
        self._leaving: set[asyncio.Task[None]] = set()

    async def house(self, whose: Whose) -> House:
        """The house that a payload is for. Raises NotInstalled, and what opening it raises."""
        installation = self.houses.installations().get(whose.workspace)
        if installation is None:
            installation = await self.registry.serving(whose.workspace, whose.enterprise)
        if installation is None:
            raise NotInstalled(whose.workspace, self.install_url)
        return await self.houses.house(whose.workspace, installation)

    @property
    def install_url(self) -> str:
        """Where people install the bot; "" where nobody told."""
        public = self.settings.http.public_url.rstrip("/")
        return f"{public}/slack/install" if public else ""

    async def install(self, grant: Grant) -> bool:
        """Keeps a grant and opens the workspace's house, or gives an open one its new token; whether it was known."""
        known = {tenant.installation for tenant in await self.registry.tenants() if tenant.deleted_at is None}
        installation = await self.registry.install(grant)
        log.info("installed", installation=grant.id, by=grant.installed_by, again=grant.id in known)
        self._take_up(installation)
        if not installation.is_organisation:
            self.houses.open_in_background(installation.id, installation)
        return grant.id in known

    async def uninstalled(self, identifier: str, how: str) -> None:
        """Slack says that an installation is gone. Raises SlackApiError and OSError where it cannot be asked whether.

        A token that still works is another one: the bot was installed again before this came.
        """
        installation = await self.registry.installation(identifier)
        if installation is None or not await self.oauth.refusal(installation):
            log.info("uninstall_not_meant", installation=identifier, how=how)
            return
        await self._remove(installation, how)

    async def access_taken(self, workspace: str) -> None:
        """An organisation took the bot's access to one of its workspaces away."""
        if await self.registry.leave(workspace, ACCESS_TAKEN):
            log.info("access_taken", left=workspace)
            self._leave(self.houses.close(workspace, at_once=True))

    async def look(self) -> None:
        """Brings this process in line with the registry: houses to open and close, tokens to swap and to renew, data
        whose time is over."""
        installations = {each.id: each for each in await self.registry.installations()}
        for step in (self._close_and_swap, self._judge_refused, self._open_all, self._renew, self._delete):
            await step(installations)

    async def settled(self) -> None:
        """Waits until the houses of all who left are closed."""
        while self._leaving:
            await asyncio.wait(set(self._leaving))

    async def close(self) -> None:
        """Closes every house, each as it drains."""
        await self.settled()
        await self.houses.close_all()

    @asynccontextmanager
    async def _open(self, workspace: str, installation: Installation) -> AsyncIterator[House]:
        await self.registry.opened(workspace, installation)
        await place.make_room(self.engine, self.settings, workspace)
        metrics = self._metrics(workspace)
        client = TenantClient(
            installation.bot_token,
            base_url=self.settings.slack.base_url,
            session=self.oauth.session,
            refused=partial(self._refused, workspace),
            metrics=metrics,
            team_id=installation.named(workspace),
        )
        bolt = Bolt(client=client, request_verification_enabled=False)  # the door verifies
        own = settings_of(self.settings, workspace)
        async with self._open_house(own, bolt, metrics=metrics, workspace=workspace) as house:
            yield house

    def _metrics(self, workspace: str) -> Metrics | None:
        """The workspace's counters, where the configuration asks for some; they go on when its house is opened anew."""
        if not self.settings.metrics.port:
            return None
        from bot.costs.metrics import Metrics  # its library takes a tenth of a second to load

        return self.metrics.setdefault(workspace, Metrics())

    async def _refused(self, workspace: str, token: str, word: str) -> str | None:
        """Slack refused a house's token: the newer one, where another process or a person brought it, or it is renewed
        now. Where Slack says that it is gone, so is the installation."""
        before = self.houses.installations().get(workspace)
        found = await self.registry.installation(before.id) if before is not None else None
        if found is not None and found.bot_token == token and word == "token_expired":
            found = await self._renewed(found)
        if found is None or found.bot_token == token:
            if found is not None and word != "token_expired":
                await self._judge(found)
            return None
        self._take_up(found)
        return found.bot_token

    async def _judge(self, installation: Installation) -> None:
        """Asks Slack about a token: one that is gone is deleted, one that is refused is kept, to be taken again."""
        try:
            word = await self.oauth.refusal(installation)
        except (SlackApiError, ClientError, OSError, TimeoutError):
            return
        if word in GONE:
            self._leave(self._remove(installation, f"Slack refused its token: {word}"))
        elif word:
            where = f" at {self.install_url}" if self.install_url else ""
            problem = (
                f"Slack refuses its token ({word}) since {self._clock():%Y-%m-%d %H:%M} UTC. If the app has a list of "
                f"allowed IP addresses, put this machine's on it; else somebody has to install the bot again{where}. "
                "The token is kept, and used again as soon as Slack takes it."
            )
            if await self.registry.refused(installation, problem):
                log.error("token_refused", installation=installation.id, problem=problem)
        elif await self.registry.accepted(installation):
            log.info("token_accepted_again", installation=installation.id)

    async def _judge_refused(self, installations: dict[str, Installation]) -> None:
        for installation in installations.values():
            if installation.refused_at is not None:
                await self._judge(installation)

    async def _remove(self, installation: Installation, how: str) -> None:
        """Deletes its token, and closes its houses in the background: Slack waits for the first alone."""
        gone = await self.registry.uninstall(installation.id, how)
        if gone is None:
            return
        log.warning("uninstalled", installation=installation.id, how=how)
        served = {name for name, each in self.houses.installations().items() if each.id == installation.id}
        for workspace in served.union(gone):
            self._leave(self.houses.close(workspace, at_once=True))

    def _leave(self, work: Coroutine[Any, Any, None]) -> None:
        """In a task of its own: a house cannot wait for its own end."""
        task = asyncio.create_task(work)
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    def _take_up(self, installation: Installation) -> None:
        """Gives the houses that it serves the token of this installation."""
        for name, each in self.houses.installations().items():
            if each.id == installation.id and each.version != installation.version:
                self.houses.use(name, installation)
                log.info("token_taken_up", house=name, version=installation.version)

    async def _close_and_swap(self, installations: dict[str, Installation]) -> None:
        for workspace, before in self.houses.installations().items():
            found = installations.get(before.id)
            if found is None:
                await self.houses.close(workspace, at_once=True)
            else:
                self._take_up(found)
        taken = {t.id for t in await self.registry.tenants() if t.left_at is not None}
        for workspace in taken & self.houses.installations().keys():
            await self.houses.close(workspace, at_once=True)

    async def _open_all(self, installations: dict[str, Installation]) -> None:
        wanted = {name: each for name, each in installations.items() if is_workspace(name)}
        for tenant in await self.registry.tenants():
            serving = installations.get(tenant.installation)
            if serving is not None and tenant.left_at is None:
                wanted.setdefault(tenant.id, serving)
        for workspace, installation in wanted.items():
            self.houses.open_in_background(workspace, installation)

    async def _renew(self, installations: dict[str, Installation]) -> None:
        for installation in installations.values():
            end = installation.expires_at
            if end is not None and end - AHEAD <= self._clock():
                newer = await self._renewed(installation)
                if newer is not None:
                    self._take_up(newer)

    async def _renewed(self, installation: Installation) -> Installation | None:
        """The installation with a new token; None where another process renews it now, or Slack does not.

        Where this process ends between Slack's answer and the note of it, the next one asks with the same older token,
        which Slack may still take; the token in use is good until its own end all the same.
        """
        if installation.refresh_token is None or not await self.registry.claim(installation, self._worker, LEASE):
            return None
        try:
            token, refresh, end = await self.oauth.renewed(installation)
        except NotGranted as error:
            where = f" at {self.install_url}" if self.install_url else ""
            problem = f"Slack does not renew its token ({error}). Somebody has to install the bot again{where}."
            await self.registry.not_renewed(installation, problem)
            log.error("token_not_renewed", installation=installation.id, problem=problem)
            return None
        except (SlackApiError, ClientError, OSError, TimeoutError) as error:
            log.warning("token_not_renewed", installation=installation.id, problem=type(error).__name__)
            return None
        if await self.registry.renewed(installation, token, refresh, end):
            log.info("token_renewed", installation=installation.id, until=end.isoformat())
        return await self.registry.installation(installation.id)

    async def _delete(self, _installations: dict[str, Installation]) -> None:
        open_now = self.houses.installations()
        for tenant in await self.registry.due_for_deletion():
            if tenant.id in open_now:
                continue
            async with self.registry.deleting(tenant.id) as connection:
                if connection is not None:
                    await place.remove(connection, self.settings, tenant.id)
                    log.warning("data_deleted", left=tenant.id)
        for tenant in await self.registry.tenants():
            if tenant.deleted_at is not None and tenant.id not in open_now:
                await place.remove_folder(self.settings, tenant.id)  # another process has not this machine's


async def look_often(tenancy: Tenancy, seconds: float) -> None:
    """Looks again and again until it is cancelled."""
    while True:
        try:
            await tenancy.look()
        except SwitchboardError as error:
            log.error("look_failed", problem=str(error))
        except Exception:  # the outermost door of this task
            log.exception("look_failed")
        await asyncio.sleep(seconds)
