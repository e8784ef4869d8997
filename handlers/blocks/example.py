"""The modals behind "Save as example", `/examples add` and `/examples import`."""

from __future__ import annotations

import re
from datetime import date

from bot.learning.example_csv import MOST_ROWS, tags_in
from bot.learning.reviewed import LONGEST, MOST_TAGS, Draft, Reviewed
from handlers.blocks.parts import context, input_block, modal, option, plain, section
from handlers.markdown import escape, shorten
from handlers.shapes import JSON
from knowledge import access

CALLBACK = "save_example"
IMPORT = "import_examples"
QUESTION, ANSWER, TAGS, VALID_UNTIL = "question", "answer", "tags", "valid_until"
CHOICE, FILE = "choice", "file"
UPDATE, BOTH, LEAVE = "update", "both", "leave"
_SHOWN = 600
_DAY = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])")


def example_modal(
    draft: Draft, who: str, *, metadata: str, title: str = "Save as example", there: list[JSON] | None = None
) -> JSON:
    """What was written, to be put right before it is kept, with `there` above it; `who` will be able to read it."""
    tags = ", ".join(draft.tags)
    shown = draft.valid_until.isoformat() if draft.valid_until else None
    picker: JSON = {"type": "datepicker", "action_id": VALID_UNTIL, **({"initial_date": shown} if shown else {})}
    return modal(
        title,
        [
            *(there or []),
            input_block(QUESTION, "Question", _text(QUESTION, draft.question)),
            input_block(ANSWER, "Good answer", _text(ANSWER, draft.answer)),
            input_block(
                TAGS,
                "Tags",
                {**_text(TAGS, tags, multiline=False), "placeholder": plain("deploys, on call")},
                optional=True,
                hint=f"With commas between them, {MOST_TAGS} at most. /examples find looks for them too.",
            ),
            input_block(VALID_UNTIL, "Valid until", picker, optional=True, hint="I do not use it after this day."),
            context(f"I use it as an example in answers for {who}, and they can read it."),
        ],
        callback_id=CALLBACK,
        submit="Save",
        metadata=metadata,
    )


def like_it(there: Reviewed, *, may_change: bool) -> list[JSON]:
    """What stands there and asks the same, and what can be done."""
    others = [option("Keep both", BOTH), option("Leave it as it is", LEAVE, "What you wrote is not kept.")]
    choices = [option("Update that one", UPDATE, "Your words take the place of these."), *others]
    radio: JSON = {"type": "radio_buttons", "action_id": CHOICE, "options": choices if may_change else others}
    refused = [] if may_change else [context(f"<@{there.example.saved_by}> or an admin can update that one.")]
    return [
        section(
            f"*There is an example that asks the same*, reviewed by <@{there.example.saved_by}>:\n{_quoted(there)}"
        ),
        input_block(CHOICE, "What shall I do?", {**radio, "initial_option": radio["options"][0]}),
        *refused,
    ]


def changed_meanwhile(now: Reviewed) -> list[JSON]:
    """What somebody else made of it while this was written."""
    return [
        section(
            f"*<@{now.example.saved_by}> changed this example while you were writing.* It says now:\n{_quoted(now)}\n"
            "Below is what you wrote. Saving puts your words in its place."
        )
    ]


def import_modal(who: str, metadata: str) -> JSON:
    """Takes a CSV file."""
    element: JSON = {"type": "file_input", "action_id": FILE, "filetypes": ["csv"], "max_files": 1}
    return modal(
        "Import examples",
        [
            section(
                "A CSV file with the columns *question* and *answer*, and *tags* and *valid_until* if you like; the "
                f"first line names them. {MOST_ROWS:,} examples at most."
            ),
            input_block(FILE, "File", element),
            context(
                f"I use them in answers for {who}, and they can read them. One that asks the same as one that is there "
                "takes its place."
            ),
        ],
        callback_id=IMPORT,
        submit="Import",
        metadata=metadata,
    )


def written(payload: JSON) -> Draft:
    """What the person left in the modal."""
    values = payload["view"]["state"]["values"]

    def said(name: str, key: str = "value") -> str:
        return str(values.get(name, {}).get(name, {}).get(key) or "")

    day = _DAY.fullmatch(said(VALID_UNTIL, "selected_date"))
    last = date.fromisoformat(day[0]) if day else None
    return Draft.of(said(QUESTION), said(ANSWER), tags_in(said(TAGS)), last)


def chosen(payload: JSON) -> str:
    """What is to become of one that asks the same: UPDATE, BOTH or LEAVE; "" where nobody was asked."""
    state = payload["view"]["state"]["values"].get(CHOICE, {}).get(CHOICE, {})
    return str((state.get("selected_option") or {}).get("value") or "")


def file_in(payload: JSON) -> str:
    """The id of the file, "" where there is none."""
    files = payload["view"]["state"]["values"].get(FILE, {}).get(FILE, {}).get("files") or [{}]
    return str(files[0].get("id") or "")


def shown(text: str) -> str:
    """As much of a text as the modal takes."""
    return text[:LONGEST]


def readers_in_words(readers: frozenset[str]) -> str:
    """ "everyone", "the members of #channel" or "you alone"."""
    if access.EVERYONE in readers or access.OUTSIDERS in readers:
        return "everyone"
    channels = [f"<#{one.removeprefix('channel:')}>" for one in sorted(readers) if one.startswith("channel:")]
    return f"the members of {' and '.join(channels)}" if channels else "you alone"


def _quoted(one: Reviewed) -> str:
    asked, answer = (shorten(text, _SHOWN) for text in (one.example.question, one.example.answer))
    return "\n".join(f"> {line}" for line in f"*{escape(asked)}*\n{escape(answer)}".splitlines())


def _text(name: str, initial: str, *, multiline: bool = True) -> JSON:
    element: JSON = {"type": "plain_text_input", "action_id": name, "multiline": multiline, "max_length": LONGEST}
    return {**element, "initial_value": shown(initial)} if initial else element
