"""What is said where an answer held something that somebody should not know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from bot.domain import Citation, PlaceKind, Question
from handlers.markdown import escape, shorten


def text(person: str, question: Question, seen: Sequence[Citation], hidden: Sequence[Citation]) -> str:
    """`seen`: what was cited and whoever reads this may read too; of what is `hidden` only the source is named."""
    alone = question.private or question.place.kind is PlaceKind.DM
    where = "that they alone saw" if alone else f"in <#{question.place.channel}>"
    lines = [f":lock: <@{person}> says that an answer {where} told something that they should not know."]
    titles = dict.fromkeys(
        f"• “{escape(shorten(each.title, 150))}” of the source {escape(each.source)}" for each in seen
    )
    sources = Counter({each.document or each.title: each.source for each in hidden}.values())
    counted = [
        f"• {_counted(number)} of the source {escape(source)} that you may not read"
        for source, number in sorted(sources.items())
    ]
    told = [*titles, *counted]
    lines += ["It cited:", *told] if told else ["It cited no document."]
    lines.append("Check who may read them: each source says so under `readers`, and `/knowledge` lists the sources.")
    return "\n".join([*lines, f"(reference {question.id})"])


def _counted(number: int) -> str:
    return "one document" if number == 1 else f"{number} documents"
