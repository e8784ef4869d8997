"""The examples as `/examples` lists them."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import date

from bot.learning.reviewed import Reviewed
from handlers.blocks.parts import button, fitting, section
from handlers.markdown import escape, shorten
from handlers.shapes import JSON, parsed

EDIT, RETIRE, RESTORE, CONFIRM, PAGE = (
    "edit_example",
    "retire_example",
    "restore_example",
    "confirm_example",
    "page_of_examples",
)
A_PAGE = 10
USAGE = (
    "You can write `/examples`, `/examples find WORDS`, `/examples flagged`, `/examples mine`, `/examples retired`, "
    "`/examples add` or `/examples import`."
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which examples are listed: "all", "find" with words, "flagged", "mine" or "retired"; `page` counts from 0."""

    which: str = "all"
    words: str = ""
    page: int = 0

    @classmethod
    def of(cls, value: str) -> Wanted:
        """From a button."""
        kept = parsed(value)
        return cls(**kept) if isinstance(kept, dict) and kept.keys() == {"which", "words", "page"} else cls()


def example_list(
    wanted: Wanted, found: Sequence[Reviewed], theirs: Collection[str], today: date
) -> tuple[str, list[JSON]]:
    """One page as a text and as blocks. `found`: all of them; `theirs`: ids of those that the person may change."""
    if not found:
        return _nothing(wanted), [section(_nothing(wanted))]
    pages = -(-len(found) // A_PAGE)
    page = min(max(wanted.page, 0), pages - 1)
    some = found[page * A_PAGE :][:A_PAGE]
    text = f"{_title(wanted, len(found))}{f', page {page + 1} of {pages}' if pages > 1 else ''}"
    blocks = [section(f"*{escape(text)}*")]
    for one in some:
        blocks.append(section(_entry(one, today)))
        if one.example.id in theirs:
            blocks.append({"type": "actions", "elements": _buttons(one)})
    turn = [
        button(name, f"{PAGE}_{name.casefold()}", json.dumps(asdict(Wanted(wanted.which, wanted.words, to))))
        for name, to in (("Newer", page - 1), ("Older", page + 1))
        if 0 <= to < pages
    ]
    return text, [*fitting(blocks), *([{"type": "actions", "elements": turn}] if turn else [])]


def retired(one: Reviewed) -> tuple[str, list[JSON]]:
    """What is said once it is retired, with a button to undo it."""
    text = f"Retired: “{escape(shorten(_line(one.example.question), 150))}”. I do not use it any more."
    undo = button("Bring it back", RESTORE, one.example.id)
    return text, [section(text), {"type": "actions", "elements": [undo]}]


def _entry(one: Reviewed, today: date) -> str:
    example = one.example
    facts = [f"reviewed by <@{example.saved_by}>"] if example.saved_by else []
    facts += [f"answer by <@{example.author}>"] if example.author and example.author != example.saved_by else []
    facts += (
        [f"used {_times(one.hits)}", f":thumbsup: {one.up} :thumbsdown: {one.down}"] if one.hits else ["not used yet"]
    )
    facts += [" ".join(f"`{escape(tag)}`" for tag in example.tags)] if example.tags else []
    lines = [f"*{escape(shorten(_line(example.question), 200))}*", escape(shorten(_line(example.answer), 200))]
    lines.append(" · ".join(facts))
    if one.retired is not None:
        why = f": {escape(one.retired.why)}" if one.retired.why else ""
        lines.append(f":file_folder: retired by <@{one.retired.by}> on {one.retired.at:%d %B %Y}{why}")
    elif one.has_ended(today):
        lines.append(f":hourglass: ended on {one.valid_until:%d %B %Y}: I do not use it")
    elif one.valid_until is not None:
        lines.append(f"valid until {one.valid_until:%d %B %Y}")
    if one.flag is not None and one.retired is None:
        lines.append(f":warning: {escape(shorten(one.flag.why, 500))}")
    return "\n".join(lines)


def _buttons(one: Reviewed) -> list[JSON]:
    id = one.example.id
    if one.retired is not None:
        return [button("Bring it back", RESTORE, id)]
    flagged = [button("It is right", CONFIRM, id)] if one.flag is not None else []
    return [*flagged, button("Edit", EDIT, id), button("Retire", RETIRE, id)]


def _line(text: str) -> str:
    """The first line that says something."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number:,} times"


def _title(wanted: Wanted, number: int) -> str:
    noun = "example" if number == 1 else "examples"
    return {
        "find": f"{number:,} {noun} with “{wanted.words}”",
        "flagged": f"{number:,} {noun} that may be out of date",
        "mine": f"{number:,} {noun} that you saved or reviewed",
        "retired": f"{number:,} retired {noun}",
    }.get(wanted.which, f"{number:,} {noun} that you may read")


def _nothing(wanted: Wanted) -> str:
    return {
        "find": f"No example that you may read has “{escape(wanted.words)}” in it. `/examples` lists all.",
        "flagged": "No example that you may read is flagged: nothing that I know speaks against them.",
        "mine": "You have saved and reviewed no example yet. “Save as example” in a message's menu does.",
        "retired": "No example that you may read is retired.",
    }.get(
        wanted.which,
        "There is no example that you may read yet. Give a good answer 👍 and press “Save as example”, use “Save as "
        "example” in a message's menu, or write one: `/examples add`.",
    )
