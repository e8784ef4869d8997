"""What the commands print: an answer with its sources and receipt, knowledge, models and costs."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from bot.audit import COMMAND_LINE
from bot.config import Settings
from bot.core import Core, open_core
from bot.costs.export import as_csv
from bot.costs.money import dollars
from bot.costs.periods import Week
from bot.costs.report_words import as_text
from bot.domain import (
    Answer,
    AnswerEvent,
    Audience,
    Clarify,
    Failed,
    Finished,
    Place,
    PlaceKind,
    Progress,
    Question,
    StrategyName,
    TextDelta,
)
from bot.errors import SourceExists, UnusableQuestion
from bot.printing import print_json
from bot.reporting import report_of
from bot.selection import figures
from bot.sources import SAVED, imported
from knowledge import access
from knowledge.reports import RefreshProgress, RefreshReport
from knowledge.sources.records import KIND as RECORDS

CONSOLE_USER = "console"


async def ask(
    settings: Settings,
    text: str,
    channel: str | None,
    model: str | None,
    strategy: str | None,
    out: Console,
    err: Console,
    as_json: bool,
) -> bool:
    """Answers one question after taking in what changed in the sources; False where there was no answer."""
    async with open_core(settings) as core:
        await _take_in(core, err)
        question = _question(core, text, channel, model, strategy)
        answer = await _shown(core.assistant.answer(question), out if not as_json else err, quiet=as_json)
        if isinstance(answer, Failed):
            err.print(f"[red]{escape(answer.sentence)}[/]")
            return False
        if as_json:
            print_json(out, dataclasses.asdict(answer))
        else:
            _print_sources(answer, out)
        return True


async def refresh(settings: Settings, out: Console, err: Console) -> None:
    """Takes in what changed and prints what was done, source by source."""
    async with open_core(settings) as core:
        _print_report(await _take_in(core, err), out)
        if wanted := core.knowledge.next_model:
            with err.status(f"Embedding everything with {wanted}"):
                await core.knowledge.switch_model()
                await core.knowledge.mended()  # a process that ends leaves an index half built
            out.print(f"Knowledge is searched with {escape(wanted)} now.")


async def report(settings: Settings, weeks_ago: int, csv: bool, out: Console) -> None:
    """Prints the cost report of a week, or its calls as CSV."""
    async with open_core(settings) as core:
        week = Week.before(core.clock() - timedelta(weeks=weeks_ago - 1), settings.report.zone)
        if csv:
            out.file.write(as_csv(await core.ledger.rows(week.since, week.until)))
        else:
            name = {0: "this week", 1: "last week"}.get(weeks_ago, f"the week {weeks_ago} weeks ago")
            found = await report_of(core, week, scopes=None)
            out.print(escape(as_text(found, name)))


async def knowledge_status(settings: Settings, out: Console) -> None:
    """Prints how each source stands."""
    async with open_core(settings) as core:
        for source in await core.knowledge.status():
            if source.name == SAVED.name and not source.documents:
                continue
            when = (
                source.refreshed.astimezone(settings.report.zone).isoformat(" ", "minutes")
                if source.refreshed
                else "never"
            )
            out.print(
                f"[bold]{escape(source.name)}[/] ({source.kind}): {source.documents} documents, "
                f"{source.chunks} chunks, refreshed {when}"
            )
            for problem in source.problems:
                out.print(f"  [yellow]{escape(problem.path)}[/]: {escape(problem.sentence)}")


async def import_file(
    settings: Settings, file: Path, name: str, readers: Sequence[str] | None, out: Console, err: Console
) -> None:
    """Keeps the records of a file as a source, and takes in what changed in them."""
    async with open_core(settings) as core:
        scopes = access.parse_scopes(readers) if readers else None
        known = {added.spec.name: added for added in await core.sources.all()}.get(name)
        if known is not None and (known.is_configured or known.spec.kind != RECORDS.name):
            raise SourceExists(f"“{name}” is another source already ({known.spec.kind}). Choose another --name.")
        spec = await imported(file, name, scopes or (known.spec.readers if known else access.PUBLIC))
        if known is None:
            await core.sources.add(spec, CONSOLE_USER, file)
        else:
            await core.sources.change(spec, by=COMMAND_LINE, file=file)
        _print_report(await _take_in(core, err, [name]), out)


async def forget_source(settings: Settings, name: str, out: Console) -> None:
    """Removes a source that was added or imported."""
    async with open_core(settings) as core:
        await core.sources.forget(name, by=COMMAND_LINE)
        out.print(f"“{escape(name)}” and all that came from it are forgotten.")


def _print_report(report: RefreshReport, out: Console) -> None:
    for source in report.sources:
        if source.source == SAVED.name and not source.seen:
            continue  # nothing was ever saved, and nobody asked for this source
        out.print(
            f"{escape(source.source)}: {source.seen} documents ({source.added} new, {source.changed} changed, "
            f"{source.removed} removed), {source.chunks} chunks embedded, {source.seconds:.2f} s"
        )
        for problem in source.problems:
            out.print(f"[yellow]{escape(source.source)}[/] {escape(problem.path)}: {escape(problem.sentence)}")


async def _take_in(core: Core, err: Console, names: Sequence[str] | None = None) -> RefreshReport:
    with err.status("Looking through the knowledge sources") as status:

        def show(progress: RefreshProgress) -> None:
            status.update(f"{progress.source}: {progress.done} of {progress.total} changed documents taken in")

        return await core.knowledge.refresh(names, progress=show)


def _question(core: Core, text: str, channel: str | None, model: str | None, strategy: str | None) -> Question:
    known = [name.value for name in StrategyName]
    if strategy is not None and strategy not in known:
        raise UnusableQuestion(f"There is no strategy “{strategy}”. Choose one of {', '.join(known)}.")
    return Question(
        id=uuid.uuid4().hex[:12],
        text=text,
        asker=CONSOLE_USER,
        place=Place(workspace="console", channel=channel or CONSOLE_USER, kind=PlaceKind.CONSOLE),
        audience=Audience.of_channel(channel) if channel else Audience.everyone(),
        asked_at=core.clock(),
        model=core.models.card(model).name if model else None,
        strategy=StrategyName(strategy) if strategy else None,
    )


async def _shown(events: AsyncIterator[AnswerEvent], out: Console, *, quiet: bool) -> Answer | Failed:
    result: Answer | Failed | None = None
    async for event in events:  # to its end, since leaving early is how a person stops an answer
        if isinstance(event, TextDelta) and not quiet:
            out.print(escape(event.text), end="")
        elif isinstance(event, Progress) and event.state == "done" and event.detail and not quiet:
            out.print(f"[dim]{escape(event.detail)}[/]")
        elif isinstance(event, Finished):
            result = event.answer
        elif isinstance(event, Failed):
            result = event
        elif isinstance(event, Clarify):  # nobody could press a button here, so it is never asked; said all the same
            result = Failed(event.question_id, event.sentence)
    assert result is not None, "an answer's events end with Finished or Failed"
    return result


def _print_sources(answer: Answer, out: Console) -> None:
    out.print("\n")
    for citation in answer.citations:
        age = f", updated {_age(citation.updated)}" if citation.updated else ""
        link = f"  {citation.url}" if citation.url else ""
        out.print(f"[bold]\\[{citation.number}][/] {escape(citation.title)}{age}[dim]{escape(link)}[/]")
    if answer.note:
        out.print(escape(answer.note))
    if answer.ask:
        out.print(f"You could ask {escape(answer.ask)} in Slack, who reviewed the nearest example.")
    receipt = answer.receipt
    option = receipt.choice.option
    cost = dollars(receipt.price.amount) if receipt.price.amount is not None else "price unknown"
    by = figures.nobody(receipt.choice).capitalize() or f"{option.model} · {option.strategy}"
    out.print(f"\n[dim]{by} · {cost} · {receipt.seconds:.1f} s[/]")
    for reason in receipt.choice.reasons:
        out.print(f"[dim]  {escape(reason)}[/]")
    out.print(f"[dim]  `switchboard explain {receipt.question_id}` tells more[/]")


def _age(moment: datetime) -> str:
    days = (datetime.now(UTC) - moment).days
    return "today" if days < 1 else "yesterday" if days < 2 else f"{days} days ago"
