"""Model cards: in one line, in full, and as a picker."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from bot.evaluation.sides import share_range
from bot.learning.comparisons import Preference
from bot.models.cards import ModelCard
from bot.models.listing import Shown, making_of, price_in_words, reads, use_of, window
from handlers.blocks.parts import context, fitting, header, input_block, modal, option, section, select
from handlers.markdown import escape
from handlers.shapes import JSON

PICK = "pick_model"
AUTOMATIC = "auto"
SCOPES = {
    "person": "For me, everywhere",
    "thread": "For this thread",
    "channel": "For everyone in this channel",
    "workspace": "For everyone in the workspace",
}
CARDS_SHOWN = 20


def line(shown: Shown) -> str:
    """One mrkdwn line: name, price, window, what it reads, whether its weights are open, when it ends."""
    card = shown.card
    size = f"{window(card.context_window)} window" if card.context_window else "window unknown"
    parts = [f"*{escape(card.name)}*", price_in_words(shown), size, reads(card) if card.modality else "reads unknown"]
    parts += ["open weights"] if card.openness.weights else []
    parts += [f"until {card.shutdown}"] if card.shutdown else []
    return " · ".join(parts)


def details(shown: Shown, price_list: str = "", votes: Preference | None = None) -> list[JSON]:
    """The whole card; what nobody knows says so. `price_list`: where prices come from that the card does not state;
    `votes`: how often it was preferred to others in `/compare`."""
    card = shown.card
    blocks = [header(card.title or card.name)]
    if card.summary:
        blocks.append(section(escape(card.summary)))
    blocks += [section(_table(facts)) for facts in (use_of(shown, price_list), making_of(card))]
    blocks.append(section("\n".join((_scores(card), _votes(votes)))))
    state = "Ready to use." if shown.usable else _lacks(shown)
    link = f" · <{escape(card.url)}|Where the facts stand>" if card.url else ""
    how = f" · `/model use {escape(card.name)}`" if card.task == "chat" else ""
    blocks.append(context(f"{state}{how}{link}"))
    return fitting(blocks)


def _table(facts: Sequence[tuple[str, str]]) -> str:
    return "\n".join(f"*{name}:* {escape(value)}" for name, value in facts)


def _scores(card: ModelCard) -> str:
    links = (f"<{escape(one.url)}|{escape(one.benchmark)}> {one.value} ({one.date})" for one in card.published)
    return f"*Published scores:* {', '.join(links) or 'none known here'}"


def _votes(votes: Preference | None) -> str:
    if votes is None:
        return "*Votes:* none yet; `/compare` asks models side by side"
    found = share_range(votes.won, votes.of)
    between = f", likely {found.low:.0%} to {found.high:.0%}" if found and found.low is not None else ""
    return f"*Votes:* preferred in {votes.won:g} of {votes.of} pairs with others{between}"


def _lacks(shown: Shown) -> str:
    return escape(str(shown.need.error)) if shown.need else "It cannot be called yet."


def picker(
    usable: Sequence[Shown],
    current: str,
    scopes: Sequence[str],
    metadata: str,
    *,
    now: str = "",
    barred: Collection[str] = (),
) -> JSON:
    """The modal: what answers now, a menu of the models, for whom the choice is and why, and the cards to read.

    `barred`: names of models that may not be asked where it was opened.
    """
    automatic = option("Automatic", AUTOMATIC, "The cheapest good way, chosen anew for each question")
    options = [automatic, *(_entry(shown, shown.card.name in barred) for shown in usable[:99])]
    initial = next((entry for entry in options if entry["value"] == current), automatic)
    choices = [option(SCOPES[scope], scope) for scope in scopes]
    radio = {"type": "radio_buttons", "action_id": "scope", "options": choices, "initial_option": choices[0]}
    reason = {"type": "plain_text_input", "action_id": "reason", "max_length": 300}
    blocks = [
        *([section(now), context("`/model why` tells what else is fixed, by whom and why.")] if now else []),
        input_block("model", "Model", select("model", options, initial=initial)),
        input_block("scope", "Use it", radio),
        input_block("reason", "Why", reason, optional=True, hint="Others see it, for example in /model why."),
        {"type": "divider"},
    ]
    for shown in usable[:CARDS_SHOWN]:
        barred_here = " · _not allowed here_" if shown.card.name in barred else ""
        summary = f"\n{escape(shown.card.summary)}" if shown.card.summary else ""
        blocks.append(section(line(shown) + barred_here + summary))
    if len(usable) > CARDS_SHOWN:
        blocks.append(context(f"And {len(usable) - CARDS_SHOWN} more in the menu; `/model list` compares them all."))
    return modal("Choose a model", blocks, callback_id=PICK, submit="Use it", metadata=metadata)


def _entry(shown: Shown, is_barred: bool) -> JSON:
    told = "not allowed here · " if is_barred else ""
    return option(shown.card.title or shown.card.name, shown.card.name, f"{told}{_brief(shown)}")


def _brief(shown: Shown) -> str:
    """What a menu has room for."""
    return f"{price_in_words(shown)} · {window(shown.card.context_window)} · {reads(shown.card)}"
