"""`switchboard doctor`: asks every outside service whether it is well, and says what to do where one is not."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal

import structlog
from aiohttp import ClientError, ClientSession, ClientTimeout
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.exc import DBAPIError

from bot.app import MANIFEST
from bot.config import Settings
from bot.core import Core, open_core
from bot.costs.money import dollars
from bot.errors import AlreadyRunning, ConfigError, SwitchboardError
from bot.health import Check, checks, look_at
from bot.jobs.cron import parse_cron
from bot.lock import DataFolderLock
from bot.models.catalogue import load_catalogue
from bot.models.chains import check_chains
from bot.models.lifecycle import SOON
from bot.models.tokens import load_encodings
from bot.secrets import SlackSecrets, slack_secrets
from bot.selection.fits import Fits
from bot.selection.weights import load_weights
from bot.sources import SAVED
from bot.storage.engine import open_engine, ping
from bot.tenancy.registry import Registry
from bot.vault import Vault
from knowledge.access import parse_scope
from knowledge.errors import KnowledgeError

LOW_DISK = 1 << 30

log = structlog.get_logger("bot.doctor")


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one thing: "ok", "failed", or a "note" that stops nothing; `way_out` says what to do."""

    name: str
    state: Literal["ok", "failed", "note"]
    sentence: str
    way_out: str = ""

    def as_dict(self) -> dict[str, str]:
        """For JSON."""
        return dataclasses.asdict(self)


def check_settings(settings: Settings) -> None:
    """What only other rooms can check: schedules, readers, the models file. Raises ConfigError."""
    zone = settings.report.zone
    for key, cron in (("report.schedule", settings.report.schedule), ("knowledge.refresh", settings.knowledge.refresh)):
        try:
            parse_cron(cron, zone)
        except ConfigError as error:
            raise ConfigError(f"{key}: {error}") from error
    for folder in settings.knowledge.folders:
        for reader in folder.readers:
            try:
                parse_scope(reader)
            except KnowledgeError as error:
                raise ConfigError(f"knowledge.folders, {folder.path}: {error}") from error
    catalogue = load_catalogue(settings.models.cards, settings.costs.currencies)
    if settings.models.default != "auto":
        catalogue.get(settings.models.default)
    check_chains(catalogue, settings.models.chains)


async def examine(settings: Settings) -> list[Finding]:
    """Everything, one after the other; a failure never keeps the rest from being looked at."""
    findings = [await _guarded("configuration", lambda: _settings(settings))]
    findings += await _slack(settings)
    findings.append(await _guarded("disk", lambda: _disk(settings)))
    findings.append(await _guarded("database", lambda: _database(settings)))
    findings.append(await _guarded("tokenizer files", lambda: _tokenizers(settings)))
    findings += await _core(settings)
    return findings


async def _guarded(name: str, look: Callable[[], Awaitable[Finding]]) -> Finding:
    try:
        async with asyncio.timeout(60):
            return await look()
    except (SwitchboardError, KnowledgeError) as error:
        return Finding(name, "failed", str(error))
    except TimeoutError:
        return Finding(name, "failed", "Nothing was heard within a minute.", "See whether the service is up.")
    except Exception as error:  # the outermost door of one look: the rest is looked at all the same
        log.exception("look_failed", name=name)
        return Finding(name, "failed", f"It broke: {type(error).__name__}.", "The log line above says where.")


async def _settings(settings: Settings) -> Finding:
    check_settings(settings)
    return Finding("configuration", "ok", "All settings are sound.")


async def _slack(settings: Settings) -> list[Finding]:
    try:
        secrets = slack_secrets()
        mode = secrets.mode
    except ConfigError as error:
        return [Finding("slack", "failed", str(error))]
    if mode == "workspace":
        way = "docs/admin.md says how to connect to your own Slack."
        return [Finding("slack", "note", "No Slack token is set: `switchboard run` starts the local workspace.", way)]
    if secrets.many:
        return await _installed(settings)
    assert secrets.bot_token is not None
    client = AsyncWebClient(secrets.bot_token.get_secret_value(), base_url=settings.slack.base_url, timeout=15)
    findings = [await _call("slack token", lambda: _token(client))]
    if findings[0].state == "ok":
        if mode == "socket":
            findings.append(await _call("slack socket mode", lambda: _socket(client, secrets)))
        if settings.report.channel:
            findings.append(await _call("report channel", lambda: _channel(client, settings.report.channel)))
    return findings


async def _installed(settings: Settings) -> list[Finding]:
    """Whether Slack takes the token of every workspace that installed the bot."""
    engine = open_engine(settings.database_url)
    try:
        kept = await Registry(engine, Vault.of_environment(), lambda: datetime.now(UTC)).installations()
    except (DBAPIError, OSError):
        return [Finding("slack", "note", "No workspace has installed the bot yet.", "`switchboard run` prints where.")]
    except SwitchboardError as error:
        return [Finding("slack", "failed", str(error))]
    finally:
        await engine.dispose()
    findings = []
    for each in kept:
        client = AsyncWebClient(each.bot_token, base_url=settings.slack.base_url, timeout=15)
        found = replace(await _call("slack token", partial(_token, client)), name=f"slack token of {each.id}")
        if each.problem and (found.state != "ok" or each.refused_at is None):
            found = Finding(found.name, "failed", each.problem)
        elif found.state == "failed":
            found = replace(found, way_out="Somebody has to install the bot in that workspace again.")
        findings.append(found)
    return findings or [Finding("slack", "ok", "SLACK_CLIENT_ID is set, and no workspace has installed the bot yet.")]


async def _call(name: str, look: Callable[[], Awaitable[Finding]]) -> Finding:
    try:
        return await look()
    except SlackApiError as error:
        return Finding(name, "failed", f"Slack answered {error.response['error']}.", _SLACK_WAYS.get(name, ""))
    except (OSError, TimeoutError) as error:
        return Finding(name, "failed", f"Slack cannot be reached: {type(error).__name__}.", "Check the network.")


_SLACK_WAYS = {
    "slack token": "Copy SLACK_BOT_TOKEN again from “OAuth & Permissions”, and install the app in the workspace.",
    "slack socket mode": "Switch Socket Mode on, and make an app-level token with the scope connections:write.",
    "report channel": "Set report.channel to the id of a channel, and invite the bot with /invite @Switchboard.",
}


async def _token(client: AsyncWebClient) -> Finding:
    answer = await client.auth_test()
    granted = set(str(answer.headers.get("x-oauth-scopes", "")).replace(" ", "").split(","))
    wanted: dict[str, Any] = json.loads(MANIFEST.read_text(encoding="utf-8"))["oauth_config"]["scopes"]
    missing = sorted(set(wanted["bot"]) - granted) if granted != {""} else []
    if missing:
        sentence = f"The token works, but lacks the scopes {', '.join(missing)}."
        return Finding(
            "slack token", "failed", sentence, "Update the app from deploy/slack/manifest.json and reinstall it."
        )
    return Finding("slack token", "ok", f"Connected to {answer['team']} as {answer['user']}.")


async def _socket(client: AsyncWebClient, secrets: SlackSecrets) -> Finding:
    assert secrets.app_token is not None
    await client.apps_connections_open(app_token=secrets.app_token.get_secret_value())
    return Finding("slack socket mode", "ok", "Socket Mode can be opened.")


async def _channel(client: AsyncWebClient, channel: str) -> Finding:
    found: dict[str, Any] = (await client.conversations_info(channel=channel))["channel"]
    if not found.get("is_member"):
        sentence = f"The bot is not in #{found['name']}, so it cannot post the report."
        return Finding("report channel", "failed", sentence, "Type /invite @Switchboard there.")
    return Finding("report channel", "ok", f"The report goes to #{found['name']}.")


async def _disk(settings: Settings) -> Finding:
    lock = DataFolderLock(settings.data_dir)
    try:
        lock.acquire()
        lock.release()
    except AlreadyRunning as error:
        return Finding("disk", "note", str(error).partition(". ")[0] + ".", "Indexes are looked at when it is stopped.")
    free = shutil.disk_usage(settings.data_dir).free
    if free < LOW_DISK:
        sentence = f"Only {free >> 20} MB are free beside {settings.data_dir}."
        return Finding("disk", "failed", sentence, "Make room, or move data_dir to a larger disk.")
    return Finding("disk", "ok", f"{settings.data_dir} can be written; {free >> 30} GB are free.")


async def _database(settings: Settings) -> Finding:
    engine = open_engine(settings.database_url)
    try:
        await ping(engine)
        return Finding("database", "ok", f"{engine.url.render_as_string(hide_password=True)} answers.")
    finally:
        await engine.dispose()


async def _tokenizers(settings: Settings) -> Finding:
    names = await asyncio.to_thread(load_encodings, settings.models_dir / "tiktoken")
    if len(names) < 2:
        sentence = "tiktoken's files are not all there: token counts are estimates, and marked so."
        return Finding("tokenizer files", "note", sentence, "Run `make setup` with a network.")
    return Finding("tokenizer files", "ok", "Tokens are counted exactly for OpenAI's models.")


async def _core(settings: Settings) -> list[Finding]:
    try:
        async with open_core(settings) as core:
            knowledge = await _guarded("knowledge", lambda: _knowledge(core))
            embedding = await _guarded("embedding model", lambda: _embedding(core))
            learning = await _guarded("learning", lambda: _learning(core))
            estimates = await _guarded("estimates", lambda: _estimates(core))
            budgets = await _guarded("budgets", lambda: _budgets(core))
            # What /readyz asks too; the others are looked at more closely here.
            asked = [check for check in checks(core) if check.name not in {"database", "knowledge", "embedding model"}]
            ready = [await _guarded(check.name, partial(_check, check)) for check in asked]
            return [knowledge, *ready, embedding, *await _models(core), estimates, learning, budgets]
    except AlreadyRunning:
        return await _running(settings)
    except (SwitchboardError, KnowledgeError) as error:
        return [Finding("knowledge", "failed", str(error))]


async def _check(check: Check) -> Finding:
    well, how = await look_at(check)
    return Finding(check.name, "ok" if well else "failed" if check.needed else "note", how)


async def _running(settings: Settings) -> list[Finding]:
    """What the Switchboard that holds the data folder says of itself at /readyz."""
    where = settings.metrics
    if not where.port:
        way = "Set metrics.port and start it again: then it tells here how it is."
        return [Finding("knowledge", "note", "Not looked at, since a running Switchboard holds the data folder.", way)]
    host = "127.0.0.1" if where.host in {"", "0.0.0.0", "::"} else where.host  # noqa: S104
    try:
        async with ClientSession(timeout=ClientTimeout(total=15)) as session:
            answer = await session.get(f"http://{host}:{where.port}/readyz")
            services: dict[str, dict[str, Any]] = (await answer.json())["services"]
    except (ClientError, TimeoutError, ValueError, KeyError) as error:
        sentence = f"The running Switchboard says nothing at port {where.port}: {type(error).__name__}."
        return [Finding("running", "failed", sentence, "See its log, and whether it has the same metrics.port.")]
    return [
        Finding(
            f"running: {name}",
            "ok" if one["ok"] else "failed" if one["needed"] else "note",
            f"{one['how']} ({'so' if one['ok'] else 'not well'} since {one['since']})",
        )
        for name, one in services.items()
    ]


async def _knowledge(core: Core) -> Finding:
    await core.knowledge.ping()
    sources = [source for source in await core.knowledge.status() if source.name != SAVED.name or source.documents]
    troubles = [f"{source.name}: {problem.sentence}" for source in sources for problem in source.problems]
    chunks = sum(source.chunks for source in sources)
    if troubles:
        way = "Mend or remove what is named, then `switchboard refresh`."
        return Finding("knowledge", "note", f"{chunks} chunks are indexed. {' '.join(troubles[:3])}", way)
    if not chunks:
        return Finding("knowledge", "note", "Nothing is indexed yet.", "`switchboard refresh` takes in the sources.")
    return Finding("knowledge", "ok", f"{chunks} chunks are indexed and can be searched.")


async def _embedding(core: Core) -> Finding:
    wanted = core.knowledge.wanted
    await wanted.embed_query("Is anybody there?")
    if core.knowledge.disagreement is not None:
        return Finding("embedding model", "failed", core.knowledge.disagreement)
    if core.knowledge.next_model is not None:
        answering = core.knowledge.embedder.name
        sentence = f"{wanted.name} answers, and has not read everything yet; until then {answering} is searched with."
        return Finding("embedding model", "note", sentence, "`switchboard refresh` goes on with it.")
    return Finding("embedding model", "ok", f"{wanted.name} answers.")


async def _learning(core: Core) -> Finding:
    standing = await core.learning.standing()
    if standing.state == "estimates" and standing.entry is None and not standing.off:
        way = "Evaluate golden questions in four groups or more; docs/learning.md says how many it takes."
        return Finding("learning", "note", standing.sentence, way)
    way = "`switchboard learning` shows every change of who chooses." if standing.entry else ""
    return Finding("learning", "ok", standing.sentence, way)


async def _budgets(core: Core) -> Finding:
    wrong = await core.budgets.verify(core.clock())
    if not wrong:
        number = len(await core.budgets.all())
        how_many = (
            "No budget is set" if not number else "1 budget is set" if number == 1 else f"{number} budgets are set"
        )
        return Finding("budgets", "ok", f"{how_many}{', counted as the ledger has it' if number else ''}.")
    each = (
        f"Of {one.standing.budget.named(one.standing.budget.key)} are counted "
        f"{dollars(one.standing.spent)} spent and {dollars(one.standing.held)} held; the ledger's rows come to "
        f"{dollars(one.counted.spent)} and {dollars(one.counted.held)}."
        for one in wrong
    )
    return Finding("budgets", "failed", " ".join(each), "Set it once more as it is: that counts it anew.")


async def _estimates(core: Core) -> Finding:
    fit = await Fits(core.engine).current()
    shipped = load_weights()
    if fit.weights is None or fit.at is None:
        held = "" if fit.at is None else " Fitted on your golden questions, they were not better."
        return Finding("estimates", "ok", f"The selector's estimates are those that are shipped.{held}")
    day = fit.at.astimezone(core.settings.report.zone).date()
    made = f"fitted on {fit.weights.questions - shipped.questions:,} of your golden questions on {day}"
    now = core.knowledge.embedder.name
    if fit.weights.index and fit.weights.index != now:
        sentence = (
            f"The estimates that were {made} are left out, since knowledge was searched with “{fit.weights.index}” "
            f"then and is with “{now}” now; those that are shipped hold."
        )
        return Finding("estimates", "note", sentence, "`switchboard evaluate` fits them again.")
    return Finding("estimates", "ok", f"The selector's estimates were {made}.")


async def _endings(core: Core) -> list[Finding]:
    """The models in use that end within 90 days, or ended."""
    in_use = {provider.name for provider, _ in core.models.endpoints()}
    ends = await core.lifecycle.shutdowns(core.models.catalogue)
    last = (core.clock() + SOON).date()
    findings = []
    for card in core.models.catalogue.cards:
        end = ends.get(card.name)
        if end is None or end.day > last or card.provider not in in_use:
            continue
        verb = "ended" if end.day <= core.clock().date() else "ends"
        way = f"Move to “{end.successor}”." if end.successor else "Choose another: `/model list` shows them."
        findings.append(Finding(f"model: {card.name}", "note", f"It {verb} on {end.day}, {end.sentence}.", way))
    return findings


async def _models(core: Core) -> list[Finding]:
    findings = [
        Finding(f"model server: {name}", "ok" if well else "failed", sentence)
        for name, well, sentence in await core.models.ping_all()
    ]
    if len(core.models.usable()) == 1:
        way = "Set OPENAI_API_KEY or another provider's key, or start Ollama; docs/models.md lists them."
        findings.append(
            Finding("models", "note", "Only the offline model can be used: it quotes, it does not write.", way)
        )
    return [*findings, *await _endings(core)]
