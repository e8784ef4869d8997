"""What stands under an answer: its sources, one line on how it was made, and the buttons."""

from __future__ import annotations

from datetime import datetime

from bot.domain import Answer, Citation, Failed, Receipt
from bot.selection import figures
from handlers.blocks import words
from handlers.blocks.hand_off import want
from handlers.blocks.parts import button, context, plain, section
from handlers.markdown import escape, shorten
from handlers.shapes import JSON

FEEDBACK = "feedback"
WHY = "why"
ANOTHER_WAY = "another_way"
SAVE_LIKED = "save_liked"
SOURCES_SIZE = 3000
"""Characters that all sources may take, so that they fit into a message beside a long answer."""


def tail(answer: Answer, now: datetime) -> list[JSON]:
    """The blocks under the text."""
    ask = [context(f"You could ask *{escape(answer.ask)}*, who reviewed the nearest example.")] if answer.ask else []
    note = [context(escape(answer.note))] if answer.note else []
    files = [context("\n".join(escape(line) for line in answer.about_files))] if answer.about_files else []
    told = [*note, *files, *sources(answer.citations, now), *ask]
    return [
        *told,
        context(how(answer.receipt)),
        *buttons(answer.question_id, unanswered=answer.receipt.outcome == "nothing_found"),
    ]


def failed_tail(failed: Failed, question_id: str) -> list[JSON]:
    """The blocks under a sentence that says why there is no answer."""
    how_far = [context(how(failed.receipt))] if failed.receipt else []
    ask = [context(f"*{escape(failed.ask)}* set this budget and can raise it.")] if failed.ask else []
    reference = [] if question_id in failed.sentence else [context(f"Reference {question_id}")]
    person = {"type": "actions", "elements": [want(question_id, prominent=True)]}
    return [*how_far, *ask, *reference, person]


def sources(citations: tuple[Citation, ...], now: datetime) -> list[JSON]:
    """Numbered links with title and age; what does not fit is counted."""
    lines: list[str] = []
    for citation in citations:
        line = _source(citation, now)
        if (len(lines) == 9 and len(citations) > 10) or len("".join([*lines, line])) > SOURCES_SIZE:
            break
        lines.append(line)
    if left := len(citations) - len(lines):
        lines.append(f"and {left} more")
    return [context(*lines)] if lines else []


def how(receipt: Receipt) -> str:
    """One mrkdwn line: model · strategy · cost · seconds."""
    option = receipt.choice.option
    if nobody := figures.nobody(receipt.choice):
        return f"{nobody.capitalize()} · {words.money(receipt.price.amount)} · {words.seconds(receipt.seconds)}"
    return " · ".join(
        (
            f"*{escape(option.model)}*",
            words.STRATEGIES[option.strategy],
            words.money(receipt.price.amount),
            words.seconds(receipt.seconds),
        )
    )


def buttons(question_id: str, *, unanswered: bool = False) -> list[JSON]:
    """Thumbs, and the ways on from here; to a person first where there is no answer."""
    feedback = {
        "type": "feedback_buttons",
        "action_id": FEEDBACK,
        "positive_button": {
            "text": plain("Good answer"),
            "accessibility_label": "This answer helped",
            "value": f"up:{question_id}",
        },
        "negative_button": {
            "text": plain("Bad answer"),
            "accessibility_label": "This answer did not help",
            "value": f"down:{question_id}",
        },
    }
    ways = [button("Why this answer?", WHY, question_id), button("Try another way", ANOTHER_WAY, question_id)]
    return [
        {"type": "context_actions", "elements": [feedback]},
        {
            "type": "actions",
            "elements": [want(question_id, prominent=True), *ways] if unanswered else [*ways, want(question_id)],
        },
    ]


def liked(question_id: str, *, may_save: bool) -> tuple[str, list[JSON]]:
    """The thanks for a thumb up; who may keep examples is offered to."""
    text = "Thank you, I will remember that this helped."
    offer = {"type": "actions", "elements": [button("Save as example", SAVE_LIKED, question_id)]}
    return text, [section(text), *([offer] if may_save else [])]


def _source(citation: Citation, now: datetime) -> str:
    title = escape(shorten(" ".join(citation.title.split()), 120)).replace("|", "¦")
    name = f"<{address(citation.url)}|{title}>" if citation.url else f"*{title}*"
    updated = f" · updated {words.age(citation.updated, now)}" if citation.updated else ""
    return f"[{citation.number}] {name}{updated}"


def address(url: str) -> str:
    """A URL that cannot end its own link early."""
    return escape(url).replace("|", "%7C").replace(" ", "%20").replace("&gt;", "%3E").replace("&lt;", "%3C")


def question_of(message: JSON) -> str | None:
    """The id of the question that a message of the bot answers, None where it answers none."""
    for block in message.get("blocks") or ():
        for element in block.get("elements") or ():
            if element.get("action_id") in (WHY, ANOTHER_WAY) and element.get("value"):
                return str(element["value"])
    return None
