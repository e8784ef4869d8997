"""Changes the embedding model where another one is wanted than the one that answers."""

from __future__ import annotations

import structlog

from knowledge.errors import EmbeddingUnavailable
from knowledge.knowledge_base import KnowledgeBase

log = structlog.get_logger("bot.jobs")


async def switch_model(knowledge: KnowledgeBase) -> bool:
    """Whether the model was switched. An endpoint that fails is told in the log, and asked again the next time."""
    wanted = knowledge.next_model
    if wanted is None:
        return False
    log.info("embedding_model_is_filled", model=wanted, answering=knowledge.embedder.name)
    try:
        return await knowledge.switch_model()
    except EmbeddingUnavailable as error:
        log.warning(
            "embedding_model_not_switched", model=wanted, problem=str(error), next="the next refresh tries again"
        )
        return False
