"""What a house does by the clock: refreshes, reports, learning, and looks at what ends."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.core import Core
from bot.costs.periods import Month, Span, Week
from bot.costs.posted import PostedReports
from bot.costs.report import WeeklyReport
from bot.evaluation.rolling_out import RollingOut
from bot.evaluation.shadow_scores import Scoring
from bot.evaluation.shadowing import Shadowing
from bot.evaluation.succession import Replaying
from bot.jobs.backup_job import NIGHTLY as BACKED_UP_AT
from bot.jobs.backup_job import backup_job
from bot.jobs.consistency_job import OFTEN as CHECKED_AT
from bot.jobs.consistency_job import consistency_job
from bot.jobs.follow_up_job import OFTEN as FOLLOWED_UP_AT
from bot.jobs.follow_up_job import follow_up_job
from bot.jobs.learning_job import NIGHTLY, learning_job
from bot.jobs.lost_job import OFTEN as LOST_AT
from bot.jobs.lost_job import lost_job
from bot.jobs.prune_job import prune_job
from bot.jobs.recall_job import OFTEN as RECALLED_AT
from bot.jobs.recall_job import recall_job
from bot.jobs.refresh_job import Refreshing, Tell
from bot.jobs.report_job import MONTHLY, days_job, report_job
from bot.jobs.report_job import NIGHTLY as DAYS_AT
from bot.jobs.retention_job import NIGHTLY as LET_GO_AT
from bot.jobs.retention_job import retention_job
from bot.jobs.retirement_job import DAILY, retirement_job
from bot.jobs.rollout_job import HOURLY, rollout_job
from bot.jobs.schedule import HandOver, Schedule
from bot.jobs.shadow_job import NIGHTLY as SCORED_AT
from bot.jobs.shadow_job import OFTEN, scoring_job, shadow_job
from bot.jobs.switch_job import switch_model
from bot.jobs.told import ToldProblems
from bot.jobs.training_job import MINUTELY, training_job
from bot.reporting import report_of
from bot.sources import imports_of
from bot.tuning.following import Following
from bot.tuning.runs import Runs
from handlers.audience import Places
from handlers.begun import Begun
from handlers.handing_off import FollowingUp
from handlers.identity import Identity
from handlers.posts import post_report, tell_channel
from handlers.recalling import Notes
from handlers.retiring import post_ending
from handlers.slack_client import SlackClient
from handlers.training_news import TrainingNews

REFRESH = "refresh"


def timetable(core: Core, client: SlackClient, places: Places, hand_over: HandOver | None = None) -> Schedule:
    """The schedule with all that the configuration asks for; nothing runs before it is started. `hand_over` gives what
    is due to workers (None: it runs here)."""
    settings = core.settings
    channel = settings.report.channel
    schedule = Schedule(core.engine, settings.report.zone, core.clock, hand_over, core.metrics, core.inbox.worker)

    async def tell(sentence: str) -> None:
        await tell_channel(client, channel, sentence)

    _add_refresh(schedule, core, tell if channel else None, hand_over)
    checks = consistency_job(core.knowledge, ToldProblems(core.engine), tell if channel else None)
    schedule.add("consistency", CHECKED_AT, checks, catch_up=False)
    schedule.add("lost-calls", LOST_AT, lost_job(core.ledger), catch_up=False)
    schedule.add("prune", "30 3 * * *", prune_job(core.inbox, core.replies, core.limits), catch_up=True)
    if settings.recall.per_day:
        notes = Notes(client, core, places, Begun(client, core.replies, Identity(client)))
        recall = recall_job(core.noticing, core.recalls, notes.tell, timedelta(days=settings.recall.days))
        schedule.add("recall", RECALLED_AT, recall, catch_up=False)
    following_up = FollowingUp(client, core, Begun(client, core.replies, Identity(client)), Identity(client))
    schedule.add("follow-ups", FOLLOWED_UP_AT, follow_up_job(following_up.run), catch_up=False)
    days = settings.retention
    if days.conversations or days.questions:
        retention = retention_job(settings.database_url, days, Following(core).sweep)
        schedule.add("retention", LET_GO_AT, retention, catch_up=True)
    if settings.storage.backups is not None:
        backups = backup_job(settings.database_url, settings.storage.backups, imports_of(settings))
        schedule.add("backup", BACKED_UP_AT, backups, catch_up=True)
    if settings.selection.learning:
        schedule.add("learning", NIGHTLY, learning_job(core.learning, core.models.usable), catch_up=True)
    audience = places.audience_of
    if settings.selection.shadow_share:
        schedule.add("shadows", OFTEN, shadow_job(Shadowing(core, audience)), catch_up=False)
    schedule.add("shadow-scores", SCORED_AT, scoring_job(Scoring(core, audience)), catch_up=True)
    rollouts = rollout_job(RollingOut(core), tell if channel else None, promote=settings.selection.rollout_by_rule)
    schedule.add("rollouts", HOURLY, rollouts, catch_up=False)
    if channel:
        news = TrainingNews(client, core.replies, channel)
        schedule.add("training", MINUTELY, training_job(Runs(core.engine), news.show), catch_up=False)
        retirement = retirement_job(
            core,
            Replaying(core, audience),
            lambda ending, replay: post_ending(client, core, channel, ending, replay),
        )
        schedule.add("retirement", DAILY, retirement, catch_up=True)
    schedule.add("days", DAYS_AT, days_job(core.ledger.days, settings.report.zone), catch_up=True)
    _add_reports(schedule, core, client, places)
    return schedule


def _add_refresh(schedule: Schedule, core: Core, tell: Tell | None, hand_over: HandOver | None) -> None:
    """All sources after each other here, or each by whichever worker is free."""
    refreshing = Refreshing(core.knowledge, ToldProblems(core.engine), tell, core.sources.told_to_all)
    checking = core.checking_examples

    async def all_here(fire_at: datetime) -> None:
        await refreshing.run(fire_at)
        await checking.run()
        await switch_model(core.knowledge)

    async def spread(fire_at: datetime) -> None:
        assert hand_over is not None
        await core.knowledge.forget_others()
        for source in core.knowledge.sources:
            await hand_over(f"{REFRESH} {source.name}", fire_at)

    async def one(fire_at: datetime, part: str) -> None:
        await refreshing.run(fire_at, [part])
        await checking.run()
        await switch_model(core.knowledge)

    schedule.add(REFRESH, core.settings.knowledge.refresh, spread if hand_over else all_here, catch_up=False)
    schedule.add_parts(REFRESH, one)


def _add_reports(schedule: Schedule, core: Core, client: SlackClient, places: Places) -> None:
    settings, posted = core.settings.report, PostedReports(core.engine, core.clock)
    if not settings.channel and not settings.channels:
        return

    async def post(channel: str, report: WeeklyReport, due: datetime) -> None:
        # A call that broke off may have been taken all the same: it is not repeated blindly, but looked for the next
        # time. Made when it is needed: the token may be another one by then.
        await post_report(client.careful(), channel, report, posted=posted, now=core.clock(), due=due)

    async def make(span: Span, channel: str) -> WeeklyReport:
        scopes = frozenset() if channel else await places.readers(settings.channel)
        return await report_of(core, span, channel, scopes=scopes)

    spans: list[tuple[str, str, type[Week] | type[Month]]] = [("report", settings.schedule, Week)]
    if settings.monthly:
        spans.append(("monthly-report", MONTHLY, Month))
    for name, cron, span in spans:
        work = report_job(span, settings.zone, make, post, settings.channel, settings.channels)
        schedule.add(name, cron, work, catch_up=True, resume=True)
