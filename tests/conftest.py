"""What all tests share: no way to a paid model, prepared models, databases of both kinds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import structlog

ROOT = Path(__file__).resolve().parent.parent
pytest_plugins = ["databases", "chromium", "chroma_server", "machines"]
os.environ["TIKTOKEN_CACHE_DIR"] = str(ROOT / ".models" / "tiktoken")
os.environ["ORT_DISABLE_TELEMETRY"] = "1"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--screenshots", type=Path, help="A folder for the browser tour's screenshots.")


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """The prepared embedding model and tokenizer files."""
    folder = ROOT / ".models"
    assert folder.is_dir(), "The models are not prepared: run `make setup`."
    return folder


@pytest.fixture(autouse=True, scope="session")
def _logs_apart_from_output() -> None:
    """Sends structlog's lines through logging, where pytest keeps them, and not to stdout."""
    structlog.configure(logger_factory=structlog.stdlib.LoggerFactory())


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No key, token or setting of this machine reaches a test."""
    for name in list(os.environ):
        if name.startswith(("SWITCHBOARD_", "SLACK_")) or name.endswith(("_API_KEY", "_API_TOKEN", "HF_TOKEN")):
            monkeypatch.delenv(name)
