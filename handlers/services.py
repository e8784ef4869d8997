"""What the handlers need, made by the composition root."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from bot.assistant import Assistant
from bot.config import Settings
from bot.conversations import Conversations
from bot.costs.ledger import Ledger
from bot.costs.prices import PriceBook
from bot.inbox import Inbox
from bot.learning.examples import Examples
from bot.learning.feedback import Feedback
from bot.models.registry import Models
from bot.selection.pins import Pins
from knowledge.knowledge_base import KnowledgeBase


class Services(Protocol):
    """The parts that the handlers translate for. `clock` gives the moment now, in UTC."""

    @property
    def assistant(self) -> Assistant: ...
    @property
    def inbox(self) -> Inbox: ...
    @property
    def conversations(self) -> Conversations: ...
    @property
    def models(self) -> Models: ...
    @property
    def prices(self) -> PriceBook: ...
    @property
    def pins(self) -> Pins: ...
    @property
    def examples(self) -> Examples: ...
    @property
    def feedback(self) -> Feedback: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def knowledge(self) -> KnowledgeBase: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def clock(self) -> Callable[[], datetime]: ...
