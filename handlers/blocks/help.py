"""What the bot can do: the answer of /switchboard, and the top of the Home tab."""

from __future__ import annotations

from handlers.blocks.parts import context, header, section
from handlers.shapes import JSON

TEXT = "What I can do"


def help_blocks() -> list[JSON]:
    """The help, as short as it can be."""
    return [
        header(TEXT),
        section(
            "*Ask me.* Mention me in a channel, write to me directly, or use `/ask` for an answer that only you see. "
            "In a thread with me, just go on asking. I answer from the team's documents where they help, with sources."
        ),
        section(
            "*More than text.* Send files, pictures or a voice message with your question: I read them for this "
            "question alone. “draw a red fox” gets you a picture."
        ),
        section(
            "*Under each answer:* 👍 👎 count in the weekly report, with a reason if you like; “Why this answer?” "
            "shows what I chose and the price; “Try another way” asks again in the next best way."
        ),
        section(
            "`/ask QUESTION` – a private answer; `model:NAME` before a question asks that model, in every place\n"
            "`/compare QUESTION` – models side by side, with a vote: `models:a,b`, `strategies:a,b`, `blind:`\n"
            "`/model` – see and switch models: `list`, `show NAME`, `use NAME`, `auto`, `why`, `allow`, `trial`, "
            "`value`, `local`\n"
            "`/tune` – how models are rolled out; admins take them further or back\n"
            "`/knowledge` – what I know: `search TEXT`, `add ADDRESS`, `refresh`, `forget NAME`\n"
            "`/examples` – good answers that I learn from: `find WORDS`, `flagged`, `mine`, `add`, `import`\n"
            "`/switchboard` – `owner @name`: who is asked here when somebody needs a person; `coverage`: what found no "
            "answer; `recall off`: no notes here when the source of an answer changes\n"
            "`/cost` – what the models cost: `today`, `week`, `month`, `last:7d`, `by:model`, `me`, `csv`, `budget`"
        ),
        section(
            "*On any message* (⋮ menu): “Ask about this”, “Add to knowledge”, “Save as example”, “Draw this”, and on a "
            "person's answer “Mark as the answer”, or just ✅."
        ),
        context(
            "`/switchboard privacy` – whether what you write may train a model. "
            "I read only what everyone who sees the answer may read. In a direct message that is what you may read."
        ),
    ]
