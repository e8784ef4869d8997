"""Lets a model write an answer that nobody sees until it is known how sure the model was of it."""

from __future__ import annotations

from contextlib import aclosing

import structlog

from bot.domain import Price, Prompt, Question
from bot.errors import ModelError
from bot.gate import Gate, Tab
from bot.models.base import Model
from bot.models.certainty import uncertainty
from bot.selection.escalation import Draft
from bot.strategies.citing import Citing

log = structlog.get_logger("bot.drafting")


async def drafted(gate: Gate, question: Question, model: Model, prompt: Prompt, *, max_tokens: int, tab: Tab) -> Draft:
    """The whole draft; where the model fails, why there is none. `tab` grows with the call, stopped or not.

    `prompt` asks for log-probabilities where they are to be known.
    """
    citing, said, own = Citing(prompt), list[str](), Tab()
    failure = ""
    try:
        stream = gate.stream(question, model, prompt, max_tokens=max_tokens, tab=own, purpose="draft")
        async with aclosing(stream) as pieces:
            async for piece in pieces:
                said.append(citing.feed(piece))
        said.append(citing.close())
        if not "".join(said).strip():
            failure = f"“{model.card.name}” answered with nothing."
    except ModelError as error:
        log.warning("draft_failed", question=question.id, model=model.card.name, kind=error.kind)
        failure = str(error)
    finally:
        tab.add(own.usage, own.price)
    return Draft(
        text="" if failure else "".join(said).strip(),
        citations=citing.citations,
        numbered=bool(prompt.passages),
        uncertainty=uncertainty(own.logprobs),
        price=Price(amount=own.amount, version=own.version),
        failure=failure,
        cited=citing.cited,
    )
