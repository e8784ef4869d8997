"""Lets go of what was said once it is old: texts go, counts and costs stay."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.holdings.registry import REGISTRY
from bot.storage.direct import transaction
from bot.storage.whole import plain_tables


@dataclass(frozen=True, slots=True)
class LetGo:
    """How many messages of threads went, and how many questions lost their texts."""

    messages: int = 0
    questions: int = 0


def let_go(url: str, now: datetime, *, conversations: int, questions: int) -> LetGo:
    """Removes messages of threads after so many days, and empties questions, answers and receipts after so many; 0
    keeps them for ever."""
    with transaction(url, "write") as connection:
        tables = plain_tables(connection).tables
        messages = emptied = 0
        if conversations:
            # Slack's ids of messages are seconds since 1970, which sort as texts do.
            oldest = f"{(now - timedelta(days=conversations)).timestamp():.6f}"
            old = tables["conversations"].c.ts < oldest
            messages = connection.execute(tables["conversations"].delete().where(old)).rowcount
        if questions:
            before = now - timedelta(days=questions)
            asked = tables["questions"]
            old = sa.and_(asked.c.asked_at < before, sa.or_(asked.c.text != "", asked.c.receipt.is_not(None)))
            ids = sa.select(asked.c.id).where(old)
            # Copies, where liked answers were evaluated or trained on.
            for name in ("evaluation_questions", "evaluation_cells", "tuning_rows"):
                (column,) = (tables[name].c[each] for each in REGISTRY[name].question.split())
                connection.execute(tables[name].delete().where(column.in_(ids)))
            connection.execute(tables["leanings"].delete().where(tables["leanings"].c.question_id.in_(ids)))
            shadows, kept = tables["shadows"], REGISTRY["shadows"].emptied or {}
            connection.execute(shadows.update().where(shadows.c.question_id.in_(ids)).values(kept))
            comments, answers = tables["feedback"], tables["model_answers"]
            connection.execute(comments.update().where(comments.c.given_at < before).values(comment=None))
            connection.execute(answers.delete().where(answers.c.answered_at < before))
            emptied = connection.execute(asked.update().where(old).values(REGISTRY["questions"].emptied or {})).rowcount
        return LetGo(messages, emptied)
