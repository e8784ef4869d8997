"""Answers side by side: their headings, and the vote on them."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain import Receipt
from bot.learning.comparisons import Compared, Comparison
from handlers import shapes
from handlers.blocks import words
from handlers.blocks.parts import button, context, section
from handlers.markdown import escape, shorten
from handlers.shapes import JSON

ACTION = "compare_vote"
"""How the action ids of the buttons begin; no two in one block may be the same."""
ALIKE, REVEAL = "alike", "reveal"
LETTERS = "ABCD"


def asked(person: str, question: str, count: int, *, blind: bool) -> str:
    """The message that the answers come under."""
    names = ", without their names" if blind else ""
    return f"<@{person}> compares {count} answers{names}:\n>{escape(shorten(question, 2000))}"


def heading(comparison: Comparison, place: int) -> str:
    """Markdown above an answer: its letter, and what answers where that may be told."""
    named = "" if comparison.blind else f" · {_way(comparison.answers[place], markup='**')}"
    return f"**{LETTERS[place]}**{named}\n\n"


def ballot(
    comparison: Comparison, receipts: Sequence[Receipt | None], votes: Sequence[int], alike: int, *, named: bool
) -> tuple[str, list[JSON]]:
    """Time and cost of each answer, the votes and the buttons, as text and blocks. `named`: names may be told."""
    lines = []
    for place, (answer, receipt) in enumerate(zip(comparison.answers, receipts, strict=True)):
        parts = [f"*{LETTERS[place]}*"]
        parts += [_way(answer, markup="*")] if named else []
        parts += _facts(receipt)
        parts += [_counted(votes[place])] if votes[place] else []
        lines.append(" · ".join(parts))
    text = "Which answer is best?"
    blocks = [section(f"*{text}*\n" + "\n".join(lines))]
    there = [place for place, receipt in enumerate(receipts) if _answered(receipt)]
    if len(there) < 2:
        return "There are not two answers to compare.", [*blocks, context("There are not two answers to vote on.")]
    elements = [button(LETTERS[place], f"{ACTION}_{place}", f"{comparison.id}:{place}") for place in there] + [
        button("They are alike", f"{ACTION}_{ALIKE}", f"{comparison.id}:{ALIKE}")
    ]
    if not named:
        elements.append(button("Show the names", f"{ACTION}_{REVEAL}", f"{comparison.id}:{REVEAL}"))
    return text, [*blocks, {"type": "actions", "elements": elements}, context(_told(sum(votes) + alike, alike, named))]


def told_after(comparison: Comparison, choice: int | None) -> str:
    """What a voter hears alone."""
    chosen = f"You find *{LETTERS[choice]}* best." if choice is not None else "You find them alike."
    if not comparison.blind:
        return f"{chosen} Vote again to change it."
    names = "; ".join(f"{LETTERS[place]} was {_way(each, markup='*')}" for place, each in enumerate(comparison.answers))
    return f"{chosen} {names}."


def pressed(payload: JSON) -> tuple[str, str]:
    """The comparison's id, and the place, "alike" or "reveal"."""
    identifier, _, choice = shapes.pressed(payload).partition(":")
    return identifier, choice


def _told(count: int, alike: int, named: bool) -> str:
    voted = f"{_counted(count)}{f', {alike} for “alike”' if alike else ''}" if count else "No votes yet"
    rest = "" if named else " You see the names once you have voted."
    return f"{voted}. Votes count on the models’ cards and in how later questions are answered.{rest}"


def _facts(receipt: Receipt | None) -> list[str]:
    if receipt is None or not _answered(receipt):
        return ["could not answer"]
    return [words.money(receipt.price.amount), words.seconds(receipt.seconds)]


def _answered(receipt: Receipt | None) -> bool:
    return receipt is not None and receipt.outcome in ("answered", "nothing_found", "stopped")


def _way(answer: Compared, *, markup: str) -> str:
    return f"{markup}{escape(answer.model)}{markup} · {words.STRATEGIES[answer.strategy]}"


def _counted(votes: int) -> str:
    return "1 vote" if votes == 1 else f"{votes} votes"
