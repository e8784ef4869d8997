"""What tracing costs, in short; `make prove-tracing` measures it over more questions."""

from __future__ import annotations

import pytest
from prove_tracing import prove

pytestmark = pytest.mark.proof


async def test_every_question_is_exported_whole() -> None:
    figures = await prove(2)
    assert figures["spans_a_question"] == 5
