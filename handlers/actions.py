"""The buttons under an answer, and the modals behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.core import Core
from bot.domain import Question, StrategyName
from bot.errors import NotAllowed, SwitchboardError
from bot.learning.feedback import Reason
from bot.learning.labels import Signal
from bot.worker import is_fresh
from handlers.answering import Answering
from handlers.audience import Places
from handlers.blocks import another_way, clarify, comment
from handlers.blocks.answer import liked
from handlers.blocks.receipt import receipt_modal
from handlers.disclosing import Disclosing
from handlers.origin import Origin, metadata
from handlers.permissions import Role, Roles
from handlers.shapes import JSON, pressed

log = structlog.get_logger(__name__)

FORGOTTEN = "I do not know that answer any more, so there is nothing to show."


@dataclass(frozen=True, slots=True)
class Actions:
    """Thumbs, "Why this answer?", "Try another way". Every question id is checked before anything is shown."""

    AGAIN = "again"
    COMMENTED = "commented"
    CLARIFIED = "clarified"

    client: AsyncWebClient
    core: Core
    places: Places
    roles: Roles
    answering: Answering
    disclosing: Disclosing

    async def feedback(self, payload: JSON) -> None:
        """A thumb. A thumb down asks what was wrong; saying it is up to the person."""
        direction, _, question_id = pressed(payload).partition(":")
        value: Literal[1, -1] = 1 if direction == "up" else -1
        origin = Origin.of(payload)
        question = await self._question(question_id, origin.person)
        await self.core.feedback.give(question.id, origin.person, value)
        await self.core.labels.add(question.id, origin.person, Signal.UP if value == 1 else Signal.DOWN)
        log.info("feedback", question=question.id, value=value)
        if value == 1:
            may_save = await self.roles.role(origin.person) >= Role.MEMBER
            await origin.line(self.client).say(*liked(question.id, may_save=may_save))
            return
        await self._ask_why(origin, question.id, tell_close=True)

    async def change_feedback(self, payload: JSON) -> None:
        """Asks once more what was wrong."""
        origin = Origin.of(payload)
        question = await self._question(pressed(payload), origin.person)
        await self._ask_why(origin, question.id)

    async def take_back_feedback(self, payload: JSON) -> None:
        """Forgets the thumb and all that was said with it."""
        origin = Origin.of(payload)
        question = await self._question(pressed(payload), origin.person)
        await self.core.feedback.take_back(question.id, origin.person)
        await self.core.labels.take_back(question.id, origin.person, Signal.UP, Signal.DOWN)
        await origin.line(self.client).replace("Taken back: I know nothing of it any more.", [])

    async def commented(self, reference: str, payload: JSON) -> None:
        """What was wrong: a reason, the person's words, or neither."""
        origin = Origin.of(payload)
        question = await self._question(metadata(payload).get("question", ""), origin.person)
        reason, words = comment.written(payload)
        receipt = await self.core.assistant.receipt(question.id)
        cited = sorted({f"{each.source} {each.document}".strip() for each in receipt.citations}) if receipt else []
        is_new = await self.core.feedback.explain(question.id, origin.person, reason, words, documents=cited)
        await self.core.labels.add(question.id, origin.person, Signal.DOWN)
        if is_new or (reason is Reason.FORBIDDEN and not is_fresh()):  # one that was broken off may not have told it
            await self.disclosing.tell(question, receipt, origin.person)
        await self._thank(origin, question.id, reason)

    async def left_uncommented(self, payload: JSON) -> None:
        """The modal was closed: the thumb counts, and the ways on are the same."""
        origin = Origin.of(payload)
        question = await self._question(metadata(payload).get("question", ""), origin.person)
        await self._thank(origin, question.id, None)

    async def _thank(self, origin: Origin, question_id: str, reason: Reason | None) -> None:
        handed = await self.core.hand_offs.told(question_id)
        await origin.line(self.client).say(*comment.thanks(question_id, reason, handed))

    async def _ask_why(self, origin: Origin, question_id: str, *, tell_close: bool = False) -> None:
        given = await self.core.feedback.of(question_id, origin.person)
        view = comment.comment_modal(origin.metadata(question=question_id), given, tell_close=tell_close)
        await self.client.views_open(trigger_id=str(origin.trigger_id), view=view)

    async def why(self, payload: JSON) -> None:
        """Shows the receipt."""
        origin = Origin.of(payload)
        question = await self._question(pressed(payload), origin.person)
        told = await self.core.explanations.of(question.id)
        if told is None or told.receipt is None:
            await origin.line(self.client).say(FORGOTTEN)
            return
        scopes = (await self.places.alone(origin.person)).scopes
        receipt, left_out = await self.core.bases.receipt_for(told.receipt, scopes)
        thumbs = () if left_out else await self.core.feedback.on(question.id)
        own = await self.core.feedback.of(question.id, origin.person)
        view = receipt_modal(
            receipt, self.core.clock(), calls=told.calls, people=told.people, left_out=left_out, thumbs=thumbs, own=own
        )
        await self.client.views_open(trigger_id=str(origin.trigger_id), view=view)

    async def another_way(self, payload: JSON) -> None:
        """Offers the next best ways, and any other model and strategy."""
        origin = Origin.of(payload)
        question = await self._question(pressed(payload), origin.person)
        barred = await self.core.data_rules.barred(question.place.channel)
        names = [card.name for card in self.core.models.usable() if card.name not in barred]
        ways = [way for way in await self.core.explanations.other_ways(question.id) if way.model in names]
        view = another_way.another_way_modal(question.text, ways, names, origin.metadata(question=question.id))
        await self.client.views_open(trigger_id=str(origin.trigger_id), view=view)

    def stale(self, payload: JSON) -> dict[str, str]:
        """What is wrong with the modal's values by block, in words; empty where they can be used."""
        model, strategy = another_way.chosen(payload)
        errors: dict[str, str] = {}
        if strategy is not None and strategy not in set(StrategyName):
            errors["strategy"] = "I do not know that way any more. Choose another one."
        if model is not None:
            try:
                self.core.models.model(model)
            except SwitchboardError as error:
                errors["model"] = str(error)
        return errors

    async def again(self, reference: str, payload: JSON) -> None:
        """Asks the question once more; the answer comes where the first one stands."""
        origin = Origin.of(payload)
        question = await self._question(metadata(payload).get("question", ""), origin.person)
        model, strategy = another_way.chosen(payload)
        way = StrategyName(strategy) if strategy else None
        await self.answering.again(reference, question, origin.person, origin.line(self.client), model, way)

    async def clarified(self, reference: str, payload: JSON) -> None:
        """Somebody chose what a question means; the answer comes in the thread."""
        origin = Origin.of(payload)
        question_id, meant = clarify.pressed(payload)
        question = await self._question(question_id, origin.person)
        said = await self.core.assistant.answered(question.id) or ""
        await origin.replace(self.client, payload, *clarify.settled(said, origin.person, meant))
        await self.answering.clarified(reference, question, origin.person, meant)

    async def keep_this(self, payload: JSON) -> None:
        """Of two answers, the second one is taken."""
        await self._compared(payload, is_second=True)

    async def keep_first(self, payload: JSON) -> None:
        """Of two answers, the first one is taken."""
        await self._compared(payload, is_second=False)

    async def _compared(self, payload: JSON, *, is_second: bool) -> None:
        origin = Origin.of(payload)
        question = await self._question(pressed(payload), origin.person)
        first = await self.core.alternatives.first_of(question.id)
        if first is not None:  # labels it too, so it has to be readable as well
            await self._question(first, origin.person)
        taken = await self.core.alternatives.judge(question.id, origin.person, kept=is_second)
        log.info("compared", question=question.id, taken=taken)
        receipt = await self.core.assistant.receipt(taken)
        text, blocks = another_way.compared(origin.person, receipt, is_second=is_second)
        await origin.replace(self.client, payload, text, blocks)

    async def _question(self, question_id: str, person: str) -> Question:
        """The question, where the person may read its place. Raises NotAllowed."""
        question = await self.core.assistant.asked(question_id)
        if question is None:
            raise NotAllowed(FORGOTTEN)
        if not await self.places.may_read(person, question):
            raise NotAllowed("That answer was given in a place that you cannot read.")
        return question
