"""What `switchboard tune` does and prints: training data, who lets their words in."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import sqlalchemy as sa
from rich.console import Console
from rich.markup import escape
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.audit import COMMAND_LINE
from bot.config import Settings
from bot.core import Core, open_core
from bot.errors import UnusableTraining
from bot.evaluation.golden_file import read_golden
from bot.evaluation.thumbs import SOURCE as THUMBS
from bot.models.cards import ModelCard
from bot.models.catalogue import load_catalogue
from bot.models.tokens import load_encodings
from bot.printing import print_json, print_table, table_of
from bot.storage.engine import open_existing
from bot.storage.evaluation_tables import evaluation_questions, evaluation_runs
from bot.storage.golden_table import golden_questions
from bot.tuning.consents import Consents
from bot.tuning.datasets import SHORT, Datasets, Made, made
from bot.tuning.figures import figures
from bot.tuning.gathering import Gathering
from bot.tuning.jsonl import check as check_file
from bot.tuning.plan import plan
from knowledge import access

NOBODY_ALLOWS = (
    "Nobody's words may be trained on: `tuning.consent` is off. Set it to “public” (what is said in public channels, "
    "but for people who take themselves out) or “opt-in” (people who say yes: `/switchboard privacy training on`)."
)
RULES = {
    "off": NOBODY_ALLOWS,
    "public": "What is said in public channels may be trained on (`tuning.consent` is public), but for who said no.",
    "opt-in": "Only the words of people who said yes may be trained on (`tuning.consent` is opt-in).",
}


async def make_data(
    settings: Settings, golden: Sequence[Path], readers: Sequence[str], model: str, out: Console, as_json: bool
) -> None:
    """Makes a data set and prints its report. Raises UnusableTraining, also where it cannot be trained on."""
    if settings.tuning.consent == "off":
        raise UnusableTraining(NOBODY_ALLOWS)
    held_out = [one.question for file in golden for one in (await asyncio.to_thread(read_golden, file)).questions]
    async with open_core(settings) as core:
        card = core.models.card(model) if model else None
        datasets = Datasets(core.engine, settings.data_dir)
        await datasets.sweep(core.clock())
        new = await _made(core, held_out, readers, card)
        if as_json:
            print_json(out, {"id": new.id, "report": new.report, "sentences": new.report.sentences()})
        else:
            for sentence in new.report.sentences():
                out.print(escape(sentence))
        folder = await datasets.keep(new, by=COMMAND_LINE, at=core.clock())
    if not as_json:
        out.print(
            f"\nData set [bold]{new.id[:SHORT]}[/] lies in {escape(str(folder))}, and its lineage in the database."
        )


@dataclass(frozen=True, slots=True)
class PlanOrder:
    """What a plan is asked for: the base model's name ("" for none), the evaluation, and what people's time costs."""

    model: str
    run: str
    epochs: int
    minutes: float | None
    hourly: Decimal | None


async def show_plan(settings: Settings, order: PlanOrder, out: Console, as_json: bool) -> None:
    """Prints the four questions with their answers, and what follows. Raises UnknownModel and RunNotFound."""
    async with open_core(settings) as core:
        found = await figures(
            core.engine,
            embedder=core.assistant.embedder,
            datasets=Datasets(core.engine, settings.data_dir),
            prices=core.prices,
            now=core.clock(),
            base=core.models.card(order.model) if order.model else None,
            run=order.run,
            epochs=order.epochs,
            minutes=order.minutes,
            hourly=order.hourly,
        )
    made_of = plan(found)
    if as_json:
        print_json(out, {"headline": made_of.headline, **asdict(made_of)})
        return
    out.print(f"[bold]{made_of.headline}[/]")
    for title, sentences in (
        ("Why", made_of.reasons),
        ("What is not known", made_of.missing),
        ("1. What would it be for?", made_of.use_case),
        ("2. How do the other ways do?", made_of.alternatives),
        ("3. What does it cost?", made_of.costs),
        ("4. What does it bring?", made_of.benefits),
    ):
        if sentences:
            out.print(f"\n[bold]{title}[/]")
        for sentence in sentences:
            out.print(f"  {escape(sentence)}")


async def list_data(settings: Settings, out: Console) -> None:
    """Prints the data sets that were made, newest first."""
    async with _database(settings) as engine:
        found = await Datasets(engine, settings.data_dir).all()
    if not found:
        out.print("There is no training data yet. `switchboard tune data` makes some.")
        return
    table = table_of("data set", "made", "by", "rows", "for", "whole")
    for one in found:
        whole = "yes" if one.withdrawn_at is None else f"no, words were withdrawn on {one.withdrawn_at:%Y-%m-%d}"
        when = one.made_at.astimezone(settings.report.zone).strftime("%Y-%m-%d %H:%M")
        table.add_row(one.id[:SHORT], when, escape(one.made_by), str(one.rows), " ".join(one.audience), whole)
    print_table(out, table)


async def lineage(settings: Settings, typed: str, out: Console) -> None:
    """Prints where each row of a data set is from. Raises UnusableTraining."""
    async with _database(settings) as engine:
        datasets = Datasets(engine, settings.data_dir)
        rows = await datasets.rows((await datasets.find(typed)).id)
    table = table_of("part", "from", "asked by", "answered by", "question")
    for part, members in rows.items():
        for row in members:
            table.add_row(part, row.lineage, escape(row.asker), escape(row.author or "the bot"), escape(row.question))
    print_table(out, table)


def check(settings: Settings, file: Path, model: str, out: Console, as_json: bool) -> bool:
    """Looks through a file of chat JSONL; whether it can be trained on. Raises UnusableTraining and UnknownModel."""
    load_encodings(settings.models_dir / "tiktoken")
    card = load_catalogue(settings.models.cards, settings.costs.currencies).get(model) if model else None
    found = check_file(file, card)
    if as_json:
        print_json(out, found)
        return not found.problems
    for sentence in (*found.problems, *found.notes):
        out.print(escape(sentence))
    about = "about " if found.estimated else ""
    out.print(f"{found.rows:,} rows, {about}{found.tokens:,} tokens.{'' if found.problems else ' All is well.'}")
    return not found.problems


async def consent(settings: Settings, person: str, say: str, out: Console) -> None:
    """Prints who lets their words be trained on, or keeps what a person says."""
    async with _database(settings) as engine:
        consents = Consents(engine, settings.tuning.consent)
        if person:
            gone = await consents.set(person, say == "on", by=COMMAND_LINE)
            out.print(f"{escape(person)}: {say}.")
            if gone:
                out.print(f"{gone} rows of training data were theirs and are deleted.")
            await Datasets(engine, settings.data_dir).sweep(datetime.now(UTC))
            return
        out.print(escape(RULES[consents.rule]))
        said = (await consents.now()).said
    for one, allowed in sorted(said.items()):
        out.print(f"{escape(one)}: {'on' if allowed else 'off'}")


async def _made(core: Core, held_out: list[str], readers: Sequence[str], card: ModelCard | None) -> Made:
    scopes = access.held(readers or [access.EVERYONE])
    closed = await core.channels.staying() | await core.allow_lists.channels()
    consented = await Consents(core.engine, core.settings.tuning.consent).now()
    gathering = Gathering(core.engine, core.bases, consented, scopes, closed)
    gathered = await gathering.run(await core.examples.all(scopes))
    golden = [*held_out, *await golden_of(core.engine)]
    return await made(gathered, golden, readers or [access.EVERYONE], core.assistant.embedder, card)


async def golden_of(engine: AsyncEngine) -> list[str]:
    """The questions of evaluations that were kept, and golden questions that people kept; evaluations on liked answers
    hold no golden ones: they are these rows."""
    evaluated = (
        sa.select(evaluation_questions.c.text)
        .join(evaluation_runs, evaluation_runs.c.id == evaluation_questions.c.run)
        .where(evaluation_runs.c.source != THUMBS)
    )
    kept = sa.select(golden_questions.c.question).where(golden_questions.c.retired_at.is_(None))
    async with engine.connect() as connection:
        return sorted((await connection.execute(sa.union(evaluated, kept))).scalars())


def _database(settings: Settings) -> AbstractAsyncContextManager[AsyncEngine]:
    return open_existing(settings.database_url, "There is no training data yet", "The database")
