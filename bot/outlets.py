"""Where an evaluation's report goes: the terminal, JSON, a page, a channel."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import aiohttp
from rich.console import Console
from rich.markup import escape
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.config import Settings
from bot.core import Core
from bot.costs.money import dollars
from bot.costs.report import count
from bot.errors import ConfigError, UnusableGolden
from bot.evaluation import compare, shown
from bot.evaluation.agreement import Agreement, Judged, with_people
from bot.evaluation.concluding import worth_of
from bot.evaluation.flips import flips
from bot.evaluation.matrix import Way
from bot.evaluation.report import EvaluationReport, evaluation_report
from bot.evaluation.run import Run
from bot.evaluation.runs import Record
from bot.evaluation.scorers import JUDGE
from bot.evaluation.summary import Summary
from bot.printing import print_json
from bot.secrets import slack_secrets
from deploy.workspace.server import BOT_TOKEN
from handlers.errors import cause
from handlers.markdown import escape as as_slack_text
from handlers.posts import tell_channel

_WIDE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlets:
    """`out` takes the report, `err` what is told beside it. `html`: the file for the page; `post`: a channel's id for
    the summary; `compare`: the run to compare with, by name."""

    out: Console
    err: Console
    as_json: bool = False
    html: Path | None = None
    post: str | None = None
    compare: str | None = None

    def tell(self, sentences: Sequence[str]) -> None:
        """Sentences that are no part of what is kept: beside the JSON, or below the table."""
        for each in sentences:
            (self.err if self.as_json else self.out).print(escape(each))


async def hand_out(core: Core, record: Record, to: Outlets, earlier: Record | None) -> None:
    """Reckons the report and gives it to every outlet. Raises UnusableGolden where the page cannot be written."""
    report = await _reckoned(record, earlier)
    run = record.run
    people = await with_people(core.engine, _judged(record)) if run.judge else None
    if to.as_json:
        document = shown.as_json(record, report) | {"agreement_with_people": asdict(people) if people else None}
        print_json(to.out, document)
    else:
        _print(record, report, people, to.out)
    for detail, number in shown.troubles(record):
        to.err.print(f"[yellow]{number:,} × {escape(detail)}[/]")
    _print_end(run, to.err if to.as_json else to.out)
    if to.html is not None:
        await asyncio.to_thread(_write, to.html, report.page())
        to.err.print(f"The page is {escape(str(to.html))}.")
    if to.post:
        where = to.html.name if to.html else f"switchboard evaluate --show {shlex.quote(run.name)}"
        to.err.print(escape(await _posted(core.settings, to.post, report.summary(where))))


async def _reckoned(record: Record, earlier: Record | None) -> EvaluationReport:
    choices: dict[str, Way | None] = {}
    rows = []
    for row in record.matrix.rows:
        if texts := record.otherwise.get(row.id):
            choices |= texts
            rows.append(replace(row, text=next(iter(texts))))  # as it was asked, without greetings
    return await asyncio.to_thread(
        evaluation_report,
        record.run,
        record.matrix,
        worth_of(record.run),
        earlier=(earlier.run, earlier.matrix) if earlier else None,
        absent=record.absent,
        flips=await flips(rows, choices.get) if rows else (),
        decision_ms=record.decision_ms,
    )


def wide(out: Console) -> Console:
    """Where tables go: a file or a pipe has no edge at which lines would have to be broken."""
    return out if out.is_terminal else Console(file=out.file, width=_WIDE, highlight=False)


def typed(run: Run) -> str:
    """The run's name as it is typed on a command line."""
    return escape(shlex.quote(run.name))


def _print(record: Record, report: EvaluationReport, people: Agreement | None, out: Console) -> None:
    run = record.run
    out.print(f"{count(run.questions, 'golden question')} of {escape(run.source)}\n")
    wide(out).print(shown.table(shown.lines(report)))
    out.print()
    for each in (*shown.said(report), *shown.remarks(record), *_of_judge(run, people)):
        out.print(escape(each))
    if report.comparison is not None:
        out.print()
        for each in compare.sentences(report.comparison):
            out.print(escape(each))


def _judged(record: Record) -> list[Judged]:
    """The judge's scores. An answer that is itself what is expected proves nothing and is left out."""
    found: list[Judged] = []
    for golden in record.golden:
        for way in record.matrix.ways:
            cell = record.matrix.cells.get((golden.id, way))
            if cell is not None and JUDGE in cell.scores and cell.answer not in golden.answers:
                found.append(Judged(golden.question, cell.answer, cell.scores[JUDGE]))
    return found


def _of_judge(run: Run, people: Agreement | None) -> list[str]:
    if not run.judge:
        return []
    if people is None:
        return [f"{run.judge} judged. Nobody gave these very answers a thumb, so how far it agrees is not known."]
    kappa = "" if people.kappa is None else f", Cohen's kappa {people.kappa:.2f}"
    noun = "answer" if people.n == 1 else "answers"
    return [f"{run.judge} judged. It agrees with people on {people.share:.0%} of {people.n} {noun}{kappa}."]


def _print_end(run: Run, out: Console) -> None:
    name = typed(run)
    of = f" of {dollars(run.budget)}" if run.budget is not None else ""
    out.print(f"\nThis run is called {escape(run.name)}; it cost {dollars(run.spent)}{of}. See it again: ", end="")
    out.print(f"`switchboard evaluate --show {name}`.")
    if run.finished is None:
        out.print(
            f"It is not finished, so nothing is learned from it. Go on with `switchboard evaluate --resume {name}`, "
            "where the budget ended with a greater --budget; what is done is not paid for again."
        )


def _write(file: Path, page: str) -> None:
    try:
        file.write_text(page, encoding="utf-8")
    except OSError as error:
        raise UnusableGolden(
            f"The page cannot be written to {file}: {error.strerror}. The run is kept: "
            "`switchboard evaluate --show last --html FILE` writes it elsewhere."
        ) from error


async def _posted(settings: Settings, channel: str, summary: Summary) -> str:
    """Posts the summary to Slack, or to the local workspace where no token is set; says in a sentence how it went."""
    try:
        secrets = slack_secrets()
        token = secrets.bot_token
        if token is None:
            _ = secrets.mode  # raises where Slack's other tokens are set
    except ConfigError as error:
        return f"The summary was not posted: {error}"
    base = settings.slack.base_url if token else f"http://127.0.0.1:{settings.workspace.port}/api/"
    client = AsyncWebClient(token.get_secret_value() if token else BOT_TOKEN, base_url=base, timeout=15)
    try:
        await tell_channel(client, channel, as_slack_text(summary.text))
    except SlackApiError as error:
        return f"The summary was not posted to {channel}. {cause(error)}"
    except (aiohttp.ClientError, OSError, TimeoutError):
        if token is None:
            return (
                "The summary was not posted: no Slack token is set, and no local workspace answers on port "
                f"{settings.workspace.port}."
            )
        return f"The summary was not posted: {base} did not answer. Try again with --show last --post {channel}."
    return f"The summary was posted to {channel}."
