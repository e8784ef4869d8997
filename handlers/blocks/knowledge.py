"""What the bot knows: its sources, what a search found, what a refresh did."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from handlers.blocks import words
from handlers.blocks.parts import button, context, fitting, header, section
from handlers.known import KnownSource
from handlers.markdown import escape, shorten
from handlers.shapes import JSON
from knowledge import access
from knowledge.documents import Also, Passage
from knowledge.reports import Problem, RefreshReport, SourceReport

REFRESH = "refresh_source"
FORGET = "forget_source"
PROBLEMS_SHOWN = 5
KINDS = {
    "confluence": "Confluence",
    "drive": "Google Drive",
    "feed": "feed",
    "folder": "folder",
    "git": "git repository",
    "github": "GitHub conversations",
    "gitlab": "GitLab conversations",
    "import": "imported file",
    "notion": "Notion",
    "slack": "Slack channel",
    "web": "web site",
}
USAGE = (
    "`/knowledge` – the sources, `/knowledge status NAME` – one of them\n"
    "`/knowledge search TEXT` – what is found; narrow it with `in:NAME`, `since:2026-01`, `lang:de`\n"
    "`/knowledge add ADDRESS` or `add #channel` – a web site, a repository, a feed, a channel\n"
    "`/knowledge refresh [NAME]` – look for changes now\n"
    "`/knowledge forget NAME` – remove a source"
)


def kind(name: str) -> str:
    """A kind of source in words; a plug-in's is its own name."""
    return KINDS.get(name, name)


def readers(scopes: frozenset[str]) -> str:
    """Who finds a source's documents, as mrkdwn."""
    if access.EVERYONE in scopes:
        return "for everyone"
    named = [f"<#{s[8:]}>" if s.startswith("channel:") else f"<@{s[5:]}>" for s in sorted(scopes)]
    return f"only for {', '.join(named[:5])}" + (f" and {len(named) - 5} more" if len(named) > 5 else "")


def status(
    sources: Sequence[KnownSource],
    now: datetime,
    *,
    upcoming: datetime | None = None,
    embedding: str = "",
    is_refreshing: bool = False,
    lacking: Sequence[str] = (),
) -> list[JSON]:
    """Each source with its documents, when it was read and will be, and what could not be read; what search lacks."""
    blocks = [header("What I know"), *([context(*(f"⚠️ {escape(each)}" for each in lacking))] if lacking else [])]
    if not sources:
        blocks.append(section("I have no sources yet. Add one with `/knowledge add`, followed by an address."))
    for source in sources[:20]:
        blocks.append(_source(source, now))
        blocks += _problems(source.status.problems)
    if len(sources) > 20:
        blocks.append(context(f"and {len(sources) - 20} more: `/knowledge status NAME`"))
    told = "I am looking for changes right now." if is_refreshing else ""
    if upcoming is not None and not is_refreshing:
        told = f"I look for changes again {words.until(upcoming, now)}."
    lines = [line for line in (f"{told} {embedding}".strip(),) if line]
    return fitting([*blocks, context(*lines)] if lines else blocks)


def details(source: KnownSource, now: datetime, upcoming: datetime | None, embedding: str) -> list[JSON]:
    """One source with all its problems that fit."""
    blocks = [_source(source, now), *_problems(source.status.problems, shown=30)]
    took = f"The last look took {words.seconds(source.status.seconds)}. " if source.status.seconds is not None else ""
    again = f"The next is {words.until(upcoming, now)}. " if upcoming else ""
    where = "It stands in the configuration." if source.is_configured else "It was added while I ran."
    return fitting([*blocks, context(f"{took}{again}{embedding} {where}")])


def found(text: str, passages: Sequence[Passage], now: datetime) -> list[JSON]:
    """The passages, best first."""
    if not passages:
        return [section(f"I found nothing about “{escape(shorten(text, 200))}” that you may read.")]
    blocks = [section(f"*What I found about “{escape(shorten(text, 200))}”*")]
    for number, passage in enumerate(passages, 1):
        title = escape(shorten(passage.title, 120))
        name = f"<{passage.url}|{title}>" if passage.url else f"*{title}*"
        updated = f" · updated {words.age(passage.updated, now)}" if passage.updated else ""
        headings = [heading for heading in passage.heading if heading != passage.title]
        trail = f"\n_{escape(' › '.join(headings))}_" if headings else ""
        also = f"\nAlso in {', '.join(_also(other) for other in passage.also[:3])}" if passage.also else ""
        about = f"{number}. {name} · {escape(passage.source)}{updated}{trail}"
        blocks.append(section(f"{about}\n{escape(shorten(passage.text, 500))}{also}"))
    return fitting(blocks)


def refreshed(report: RefreshReport) -> list[JSON]:
    """What a refresh did, source by source."""
    blocks = [section(f"The knowledge is up to date, after {words.seconds(report.seconds)}.")]
    for source in report.sources[:20]:
        blocks.append(section(f"*{escape(source.source)}*: {_changes(source)}"))
        blocks += _problems(source.problems)
    return fitting(blocks)


def added(source: KnownSource, sentence: str) -> list[JSON]:
    """What the first reading of a source found."""
    return fitting([section(sentence), *_problems(source.status.problems)])


def forget_question(source: KnownSource) -> list[JSON]:
    """Asks before a source is forgotten."""
    name = source.status.name
    press = {**button("Forget it", FORGET, name), "style": "danger"}
    text = (
        f"Shall I forget *{escape(name)}* with its {words.counted(source.status.documents, 'document')}? Answers will "
        "not use it any more; nothing is changed where it comes from."
    )
    return [section(text), {"type": "actions", "elements": [press]}]


def _source(source: KnownSource, now: datetime) -> JSON:
    there = source.status
    counts = f"{words.counted(there.documents, 'document')}, {words.counted(there.chunks, 'passage')}"
    read = f"read {words.since(there.refreshed, now)}" if there.refreshed else "not read yet"
    block = section(
        f"*{escape(there.name)}* · {escape(kind(there.kind))} · {readers(source.readers)}\n{counts} · {read}"
    )
    return {**block, "accessory": button("Refresh", REFRESH, there.name)} if source.may_change else block


def _also(other: Also) -> str:
    title = escape(shorten(other.title, 80))
    return f"<{other.url}|{title}>" if other.url else title


def _changes(source: SourceReport) -> str:
    counts = (
        (source.added, "new"),
        (source.changed, "changed"),
        (source.removed, "gone"),
        (source.unchanged, "unchanged"),
    )
    return ", ".join(f"{count:,} {word}" for count, word in counts if count) or "nothing there"


def _problems(problems: Sequence[Problem], *, shown: int = PROBLEMS_SHOWN) -> list[JSON]:
    lines = [f"⚠️ {escape(shorten(_problem(each), 300))}" for each in problems[:shown]]
    if len(problems) > shown:
        lines.append(f"and {len(problems) - shown} more")
    return [context(*lines[start : start + 10]) for start in range(0, len(lines), 10)]


def _problem(problem: Problem) -> str:
    return problem.sentence if problem.path in problem.sentence else f"{problem.path}: {problem.sentence}"
