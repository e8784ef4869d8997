"""The Home tab."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from handlers.blocks import knowledge as knowledge_blocks
from handlers.blocks.help import help_blocks
from handlers.blocks.parts import button, header, section
from handlers.markdown import escape
from handlers.shapes import JSON
from knowledge.reports import SourceStatus

CHANGE_MODEL = "change_model"


def home_view(model: str | None, statuses: Sequence[SourceStatus], cost: str | None, now: datetime) -> JSON:
    """What it can do, the person's model, this week's cost (where given), what it knows."""
    mine = f"*{escape(model)}* answers you." if model else "Each question gets the cheapest good model, automatically."
    blocks = [
        *help_blocks(),
        {"type": "divider"},
        header("Your model"),
        {**section(mine), "accessory": button("Change", CHANGE_MODEL, "home")},
    ]
    if cost is not None:
        blocks += [{"type": "divider"}, header("What it cost"), section(escape(cost))]
    blocks += [{"type": "divider"}, *knowledge_blocks.status(statuses, now)]
    return {"type": "home", "blocks": blocks[:100]}
