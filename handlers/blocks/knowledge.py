"""What the bot knows: its sources, what a search found, what a refresh did."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from handlers.blocks import words
from handlers.blocks.parts import context, fitting, header, section
from handlers.markdown import escape, shorten
from handlers.shapes import JSON
from knowledge.documents import Passage
from knowledge.reports import Problem, RefreshReport, SourceReport, SourceStatus

PROBLEMS_SHOWN = 5


def status(statuses: Sequence[SourceStatus], now: datetime) -> list[JSON]:
    """Each source with its documents and what could not be read."""
    if not statuses:
        return [
            section("I have no sources yet. An admin names folders under `knowledge.folders` in the configuration.")
        ]
    blocks = [header("What I know")]
    for source in statuses[:20]:
        refreshed = f"refreshed {words.age(source.refreshed, now)}" if source.refreshed else "not read yet"
        counts = f"{source.documents:,} documents, {source.chunks:,} passages · {refreshed}"
        blocks.append(section(f"*{escape(source.name)}* ({escape(source.kind)})\n{counts}"))
        blocks += _problems(source.problems)
    return fitting(blocks)


def found(text: str, passages: Sequence[Passage], now: datetime) -> list[JSON]:
    """The passages, best first."""
    if not passages:
        return [section(f"I found nothing about “{escape(shorten(text, 200))}” that you may read.")]
    blocks = [section(f"*What I found about “{escape(shorten(text, 200))}”*")]
    for number, passage in enumerate(passages, 1):
        title = escape(shorten(passage.title, 120))
        name = f"<{passage.url}|{title}>" if passage.url else f"*{title}*"
        updated = f" · updated {words.age(passage.updated, now)}" if passage.updated else ""
        trail = f"\n_{escape(' › '.join(passage.heading))}_" if passage.heading else ""
        blocks.append(section(f"{number}. {name}{updated}{trail}\n{escape(shorten(passage.text, 500))}"))
    return fitting(blocks)


def refreshed(report: RefreshReport) -> list[JSON]:
    """What a refresh did, source by source."""
    blocks = [section(f"The knowledge is up to date, after {words.seconds(report.seconds)}.")]
    for source in report.sources[:20]:
        blocks.append(section(f"*{escape(source.source)}*: {_changes(source)}"))
        blocks += _problems(source.problems)
    return fitting(blocks)


def _changes(source: SourceReport) -> str:
    counts = (
        (source.added, "new"),
        (source.changed, "changed"),
        (source.removed, "gone"),
        (source.unchanged, "unchanged"),
    )
    return ", ".join(f"{count:,} {word}" for count, word in counts if count) or "nothing there"


def _problems(problems: Sequence[Problem]) -> list[JSON]:
    lines = [
        f"⚠️ {escape(shorten(f'{p.path}: {p.sentence}' if p.path else p.sentence, 300))}"
        for p in problems[:PROBLEMS_SHOWN]
    ]
    if len(problems) > PROBLEMS_SHOWN:
        lines.append(f"and {len(problems) - PROBLEMS_SHOWN} more")
    return [context(*lines)] if lines else []
