"""“Keep”, “Edit” and “Not now” on the review card of a person's answer: whoever presses first decides."""

from __future__ import annotations

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.core import Core
from bot.domain import PlaceKind, Question
from bot.errors import NotAllowed, UnusableExamples
from bot.learning.marks import Made, Mark
from bot.learning.reviewed import Draft
from handlers.answer_cards import AnswerCards
from handlers.audience import Places
from handlers.blocks import marked
from handlers.errors import code
from handlers.examples import ExampleModals
from handlers.marking import ELSEWHERE
from handlers.origin import Origin, metadata
from handlers.saving import Saving
from handlers.shapes import JSON, pressed
from knowledge import access

log = structlog.get_logger(__name__)

NOTHING_CHECKED = "Nothing is checked. Check what I shall keep, or press “Not now”."
TWO_NOW = (
    "There was an example that asks the same, so there are two now, and I use both. Where one is enough, `/examples` "
    "retires the other."
)


class KeepingAnswers:
    """Raises NotAllowed, UnusableExamples and SlackApiError."""

    KEPT, PUT_OFF, EDITED = "keep_answer", "put_off_answer", "edited_answer"

    def __init__(
        self,
        client: AsyncWebClient,
        core: Core,
        places: Places,
        cards: AnswerCards,
        examples: ExampleModals,
        saving: Saving,
    ) -> None:
        self._client = client
        self._core = core
        self._places = places
        self._cards = cards
        self._examples = examples
        self._saving = saving

    async def keep(self, _reference: str, payload: JSON) -> None:
        """The button: keeps the words as they stand in the thread now."""
        origin = Origin.of(payload)
        mark, question = await self._of(pressed(payload), origin)
        draft = await self._cards.draft(mark, question) if mark.state == "open" else None
        if draft is not None:
            chosen = marked.chosen_in((payload.get("state") or {}).get("values") or {})
            await self._keep(mark, draft, chosen, origin)
        elif mark.state == "open":
            await self._core.marks.withdraw(mark.id)
        await self._finish(mark.id, origin)

    async def edited(self, _reference: str, payload: JSON) -> None:
        """The modal: keeps the words that stand there."""
        origin = Origin.of(payload)
        mark, _ = await self._of(metadata(payload).get("mark", ""), origin)
        if mark.state == "open":
            chosen = marked.chosen_in(payload["view"]["state"]["values"])
            await self._keep(mark, marked.written(payload), chosen, origin)
        await self._finish(mark.id, origin)

    async def edit(self, payload: JSON) -> None:
        """Opens the modal, with what is checked on the card."""
        origin = Origin.of(payload)
        mark, question = await self._of(pressed(payload), origin)
        draft = await self._cards.draft(mark, question) if mark.state == "open" else None
        if draft is None:
            await self._cards.show(mark.id)
            return
        chosen = marked.chosen_in((payload.get("state") or {}).get("values") or {})
        place = await self._places.place(origin.workspace, mark.channel)
        view = marked.edit_modal(draft, chosen, place.kind, origin.metadata(mark=f"{mark.id}:{mark.times}"))
        await self._client.views_open(trigger_id=str(origin.trigger_id), view=view)

    async def put_off(self, _reference: str, payload: JSON) -> None:
        """Nothing is kept for now."""
        origin = Origin.of(payload)
        mark, _ = await self._of(pressed(payload), origin)
        await self._core.marks.put_off(mark, origin.person)
        await self._cards.show(mark.id)

    def wrong(self, payload: JSON) -> dict[str, str]:
        """What is wrong with the modal by block, in words; empty where it can be kept."""
        found: dict[str, str] = {}
        for name, phrase in marked.written(payload).wrong(self._core.examples.today()):
            found.setdefault(name, f"It {phrase}.")
        return found

    async def _of(self, value: str, origin: Origin) -> tuple[Mark, Question]:
        """The mark that was meant, as it was when its card was opened. Raises NotAllowed."""
        id, times = marked.mark_in(value)
        mark = await self._core.marks.get(id)
        question = await self._core.assistant.asked(mark.question_id) if mark is not None else None
        if mark is None or question is None or not question.text:
            raise NotAllowed(marked.FORGOTTEN)
        if not await self._places.may_read(origin.person, question):
            raise NotAllowed(ELSEWHERE)
        if mark.times != times:
            raise NotAllowed("This card was opened anew meanwhile. Please look at it again.")
        return mark, question

    async def _keep(self, mark: Mark, draft: Draft, chosen: list[Made], origin: Origin) -> None:
        if not chosen:
            raise NotAllowed(NOTHING_CHECKED)
        for _, phrase in draft.wrong(self._core.examples.today()):
            raise UnusableExamples(f"I cannot keep it so: it {phrase}. “Edit” puts it right.")
        source, readers = await self._link(mark), await self._examples.readers(origin)
        place = await self._places.place(origin.workspace, mark.channel)
        here = access.PUBLIC if place.kind is PlaceKind.CHANNEL else frozenset({access.channel(mark.channel)})
        made = {each: readers if each == "example" else here for each in chosen}
        like = await self._core.examples.like(draft.question, readers) if "example" in made else None
        if not await self._core.marks.keep(mark, origin.person, draft, made, source=source):
            return
        log.info("answer_kept", mark=mark.id, made=chosen, person=origin.person)
        if like is not None:
            await origin.line(self._client).say(TWO_NOW)

    async def _finish(self, id: str, origin: Origin) -> None:
        """What follows from a decision, also where an earlier attempt stopped after it."""
        mark = await self._core.marks.get(id)
        problem = ""
        if mark is not None and mark.document == "wanted":
            problem = await self._saving.keep_thread(mark.channel, mark.thread, str(mark.decided_by))
            await self._core.marks.documented(id, kept=not problem)
        await self._cards.show(id)
        if problem:
            await origin.line(self._client).say(f"I could not keep the thread as a document. {problem}")

    async def _link(self, mark: Mark) -> str:
        try:
            told = await self._client.chat_getPermalink(channel=mark.channel, message_ts=mark.ts)
        except SlackApiError as error:
            log.info("no_permalink", error=code(error), mark=mark.id)
            return ""
        return str(told["permalink"])
