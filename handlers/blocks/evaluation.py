"""An evaluation's summary as a message."""

from __future__ import annotations

from bot.evaluation.summary import Summary
from handlers.blocks.parts import context, header, section
from handlers.markdown import escape
from handlers.shapes import JSON


def evaluation_blocks(summary: Summary) -> list[JSON]:
    """The headline, a list of sentences, and what was measured with the way to the page.

    `summary.where` becomes a link where it is an address, else the name of a file that comes beside the message.
    """
    blocks = [header(summary.title), section(f"*{escape(summary.headline)}*")]
    if summary.lines:
        blocks.append(section("\n".join(f"• {escape(line)}" for line in summary.lines)))
    blocks.append(context(*[line for line in (escape(summary.measured), _where(summary.where)) if line]))
    return blocks


def _where(where: str) -> str:
    if where.startswith(("https://", "http://")) and not set(where) & set("|<> "):
        return f"<{escape(where)}|The whole evaluation>"
    return f"The whole evaluation: {escape(where)}" if where else ""
