from __future__ import annotations

from pathlib import Path

import pytest

from knowledge.embedding.minilm import MiniLM


@pytest.fixture(scope="session")
def encoder(models_dir: Path) -> MiniLM:
    """The embedding model, loaded once."""
    return MiniLM(models_dir)
