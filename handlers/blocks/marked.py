"""A person's answer that was marked: what may be made of it, who will read that, and what was made."""

from __future__ import annotations

from collections.abc import Collection

from bot.domain import PlaceKind
from bot.learning.marks import Made, Mark
from bot.learning.reviewed import LONGEST, Draft
from handlers.blocks.parts import button, context, input_block, modal, option, section
from handlers.markdown import escape, shorten
from handlers.shapes import JSON
from handlers.shapes import written as written_in

KEEP, PUT_OFF, EDIT, CHOICES = "keep_answer", "put_off_answer", "edit_answer", "chosen"
MODAL = "keep_answer"
QUESTION, ANSWER = "question", "answer"
ALONE = 200
"""From so many characters on an answer may well say enough to stand alone, as a document."""
FORGOTTEN = "The question is not there any more, so I keep nothing of its answer."
_OPTIONS: tuple[tuple[Made, str, str], ...] = (
    ("example", "An example", "I answer questions like this one in the same way."),
    ("golden", "A golden question", "My own answers are measured by it."),
    ("document", "A document", "I find this thread and quote it with its link."),
)
_NAMES: dict[Made, str] = {"example": "an example", "golden": "a golden question", "document": "a document"}


def proposed(mark: Mark, draft: Draft, kind: PlaceKind) -> tuple[str, list[JSON]]:
    """The review card while nobody has decided, as text and blocks."""
    whose = "their own answer" if mark.marked_by == mark.author else f"<@{mark.author}>’s answer"
    text = f"<@{mark.marked_by}> marked {whose}. Shall I keep it?"
    value = f"{mark.id}:{mark.times}"
    pressed = [{**button("Keep", KEEP, value), "style": "primary"}, button("Edit", EDIT, value)]
    return text, [
        section(f":white_check_mark: {text}"),
        section(f"*{escape(_line(draft.question, 300))}*\n{_quoted(draft.answer)}"),
        {"type": "actions", "block_id": CHOICES, "elements": [_boxes(draft)]},
        context(_readers(kind)),
        {"type": "actions", "block_id": "decide", "elements": [*pressed, button("Not now", PUT_OFF, value)]},
    ]


def decided(mark: Mark) -> tuple[str, list[JSON]]:
    """The card in one line, once it is decided."""
    if mark.state == "kept":
        made = _and([_NAMES[each] for each in made_of(mark)])
        text = f":white_check_mark: Kept by <@{mark.decided_by}>: {made}."
    elif mark.state == "put off":
        text = f"Not kept for now, says <@{mark.decided_by}>. “Mark as the answer” asks again."
    else:
        text = "The mark or the answer was taken away, so I keep nothing."
    return text, [context(text)]


def made_of(mark: Mark) -> list[Made]:
    """What was made of a marked answer."""
    there: dict[Made, bool] = {
        "example": mark.example_id is not None,
        "golden": mark.golden_id is not None,
        "document": mark.document is not None,
    }
    return [each for each, is_there in there.items() if is_there]


def edit_modal(draft: Draft, chosen: Collection[Made], kind: PlaceKind, metadata: str) -> JSON:
    """Question and answer, to be put right before they are kept."""
    texts = ((QUESTION, "Question", draft.question), (ANSWER, "Answer", draft.answer))
    inputs = [
        input_block(
            name,
            label,
            {
                **{"type": "plain_text_input", "action_id": name, "multiline": True, "max_length": LONGEST},
                **({"initial_value": text[:LONGEST]} if text else {}),
            },
        )
        for name, label, text in texts
    ]
    boxes = input_block(CHOICES, "Keep it as", _boxes(draft, chosen))
    note = "The document is the thread as it stands, without what you change here."
    return modal(
        "Keep this answer",
        [
            *inputs,
            boxes,
            context(_readers(kind), note),
        ],
        callback_id=MODAL,
        submit="Keep",
        metadata=metadata,
    )


def written(payload: JSON) -> Draft:
    """The words in the submitted modal."""
    question, answer = (str(written_in(payload, name).get("value") or "") for name in (QUESTION, ANSWER))
    return Draft.of(question, answer)


def chosen_in(state: JSON) -> list[Made]:
    """What is checked, in `state.values` of a card or a modal."""
    entry = (state.get(CHOICES) or {}).get(CHOICES) or {}
    values = {str(each.get("value")) for each in entry.get("selected_options") or ()}
    return [made for made, _, _ in _OPTIONS if made in values]


def mark_in(value: str) -> tuple[str, int]:
    """The mark's id that a button or a modal was made for, and how often its card had been opened then."""
    id, _, times = value.partition(":")
    return id, int(times) if times.isdecimal() else 0


def _boxes(draft: Draft, chosen: Collection[Made] | None = None) -> JSON:
    if chosen is None:
        chosen = [made for made, _, _ in _OPTIONS if made != "document" or len(draft.answer) >= ALONE]
    options = [option(name, made, description) for made, name, description in _OPTIONS]
    initial = [each for each in options if each["value"] in chosen]
    boxes: JSON = {"type": "checkboxes", "action_id": CHOICES, "options": options}
    return {**boxes, "initial_options": initial} if initial else boxes


def _readers(kind: PlaceKind) -> str:
    if kind is PlaceKind.CHANNEL:
        return (
            "The golden question and the document are for everyone; the example is for the members of this channel, "
            "and for everyone where an admin presses Keep."
        )
    return "All of it is only for those who can read here."


def _quoted(answer: str) -> str:
    return "\n".join(f">{line}" for line in escape(shorten(answer, 600)).splitlines())


def _line(text: str, limit: int) -> str:
    return shorten(" ".join(text.split()), limit)


def _and(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
