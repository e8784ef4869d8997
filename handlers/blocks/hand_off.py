"""A person is needed: who is asked, in which words, and the button for it."""

from __future__ import annotations

from bot.people.hand_offs import HandOff, Why
from handlers.blocks.parts import button, context, section
from handlers.markdown import escape, shorten
from handlers.shapes import JSON

WANT = "need_a_person"
PASS_ON = "pass_on"  # noqa: S105
LABEL = "I need a person"
_QUESTION = 300


def want(question_id: str, *, prominent: bool = False) -> JSON:
    """The button."""
    quiet = button(LABEL, WANT, question_id)
    return {**quiet, "style": "primary"} if prominent else quiet


def asked(
    owner: str, wanted_by: str, question: str, why: Why, what: str, again: str, passed_over: str = ""
) -> tuple[str, list[JSON]]:
    """What stands in the thread, as text and blocks. `what`: the channel or the source that is owned; `again`: when the
    owner is asked once more, "" for never; `passed_over`: who was not asked, and why."""
    text = f"<@{owner}>, <@{wanted_by}> needs a person here: “{escape(_short(question))}”"
    owned = f"<#{what}>" if why == "channel" else f"the source “{escape(what)}”"
    once_more = f" If nobody writes here, I ask once more {again}." if again else ""
    return text, [
        section(f":wave: {text}"),
        context(f"{passed_over} <@{owner}> looks after {owned}.{once_more}".strip()),
    ]


def asked_again(owner: str, wanted_by: str) -> str:
    """The one reminder."""
    return f"<@{owner}>, <@{wanted_by}> still waits for a person here. I will not ask again."


def asked_already(handed: HandOff) -> str:
    """Who was asked, and when, for somebody who wants a person too."""
    who = f"<@{handed.owner}> was" if handed.owner else "The people who look after me were"
    when = f"<!date^{int(handed.wanted_at.timestamp())}^{{date_short_pretty}} {{time}}|before>"
    return f"{who} asked already, {when}."


def asked_admins(wanted_by: str, link: str, question: str) -> str:
    """For the admins' channel. `question`: "" where its readers may not see it."""
    words = f": “{escape(_short(question))}”" if question else ""
    where = f"<{link}|in this thread>" if link else "in a thread that you may not be able to see"
    way_out = "Nobody looks after that place: `/switchboard owner @name` there changes it."
    return f"<@{wanted_by}> needs a person {where}{words}. {way_out}"


def passing_on(owner: str, question: str, question_id: str) -> tuple[str, list[JSON]]:
    """Asks whether a question that nobody else saw may be shown to the owner."""
    text = f"Nobody but you has seen this. Shall I show your question to <@{owner}>?"
    quoted = section(f">{escape(_short(question))}")
    press = {**button("Pass it on", PASS_ON, question_id), "style": "primary"}
    return text, [section(text), quoted, {"type": "actions", "elements": [press]}]


def passed_on(wanted_by: str, question: str) -> tuple[str, list[JSON]]:
    """For the owner alone."""
    text = f"<@{wanted_by}> needs a person, and wanted you to see this question: “{escape(_short(question))}”"
    return text, [section(f":wave: {text}"), context(f"Please write to <@{wanted_by}> directly.")]


def _short(question: str) -> str:
    return shorten(" ".join(question.split()), _QUESTION)
