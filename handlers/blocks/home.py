"""The Home tab."""

from __future__ import annotations

from handlers.blocks.help import help_blocks
from handlers.blocks.parts import button, context, header, section
from handlers.markdown import escape
from handlers.shapes import JSON

CHANGE_MODEL = "change_model"


def home_view(model: str | None, cost: str | None, knowledge: list[JSON], choosing: str | None = None) -> JSON:
    """What it can do, the person's model, this week's cost and who chooses (where given), what it knows."""
    mine = f"*{escape(model)}* answers you." if model else "Each question gets the cheapest good model, automatically."
    blocks = [
        *help_blocks(),
        {"type": "divider"},
        header("Your model"),
        {**section(mine), "accessory": button("Change", CHANGE_MODEL, "home")},
    ]
    if choosing is not None:
        blocks.append(context(escape(choosing)))
    if cost is not None:
        blocks += [{"type": "divider"}, header("What it cost"), section(escape(cost))]
    blocks += [{"type": "divider"}, *knowledge]
    return {"type": "home", "blocks": blocks[:100]}
