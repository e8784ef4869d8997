"""The modal behind a thumb down, and what follows it."""

from __future__ import annotations

from bot.learning.feedback import Given, Reason
from bot.people.hand_offs import HandOff
from handlers.blocks.hand_off import asked_already, want
from handlers.blocks.parts import button, context, input_block, modal, option, plain, section
from handlers.shapes import JSON

COMMENT = "comment"
REASON = "reason"
CHANGE, TAKE_BACK = "change_feedback", "take_back_feedback"
_DESCRIBED = {
    Reason.WRONG: ("It is wrong", ""),
    Reason.OUTDATED: ("It is outdated", ""),
    Reason.INCOMPLETE: ("Something is missing", ""),
    Reason.TOO_LONG: ("It is too long", ""),
    Reason.FORBIDDEN: (
        "I should not know this",
        "Admins and the source's owner hear of it at once.",
    ),
}


def comment_modal(metadata: str, given: Given | None = None, *, tell_close: bool = False) -> JSON:
    """Asks what was wrong; all of it may stay empty. `given`: what the person said before; `tell_close`: whether Slack
    shall tell of one who closes it."""
    options = [option(title, reason.value, hint) for reason, (title, hint) in _DESCRIBED.items()]
    radio: JSON = {"type": "radio_buttons", "action_id": REASON, "options": options}
    words: JSON = {
        "type": "plain_text_input",
        "action_id": COMMENT,
        "multiline": True,
        "max_length": 2000,
        "placeholder": plain("What would have been right, or where it stands", 150),
    }
    if given is not None and given.reason is not None:
        radio["initial_option"] = next(each for each in options if each["value"] == given.reason.value)
    if given is not None and given.comment:
        words["initial_value"] = given.comment[:2000]
    blocks = [
        input_block(REASON, "What was wrong?", radio, optional=True),
        input_block(COMMENT, "In your words", words, optional=True),
        context(
            "Your 👎 counts already. Who may see this answer sees the reason, but neither your name nor your words."
        ),
    ]
    view = modal("Thank you", blocks, callback_id=COMMENT, submit="Send", metadata=metadata)
    return {**view, "notify_on_close": True} if tell_close else view


def thanks(question_id: str, reason: Reason | None, handed: HandOff | None) -> tuple[str, list[JSON]]:
    """What the person reads then, with the way to a person, and those to take it back. `handed`: who was asked already
    because of that answer."""
    text = "Thank you. That helps me to choose better next time."
    if reason is Reason.FORBIDDEN:
        text = "Thank you. I have told those who look after this, and it stands in the audit log."
    person = [] if handed else [want(question_id, prominent=True)]
    asked = [context(asked_already(handed))] if handed else []
    buttons = [*person, button("Change", CHANGE, question_id), button("Take it back", TAKE_BACK, question_id)]
    return text, [section(text), *asked, {"type": "actions", "elements": buttons}]


def written(payload: JSON) -> tuple[Reason | None, str]:
    """What the person chose and wrote."""
    values = payload["view"]["state"]["values"]
    chosen = (values.get(REASON, {}).get(REASON, {}).get("selected_option") or {}).get("value")
    words = str(values.get(COMMENT, {}).get(COMMENT, {}).get("value") or "").strip()
    return (Reason(chosen) if chosen in set(Reason) else None), words
