"""Real training, which needs torch: `make test-finetune` makes the environment for it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from training_house import plain_questions

from bot.strategies.wording import MANNERS

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / "build" / "finetune" / "bin" / "python"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without torch these are skipped, and only where somebody asked for them is that told."""
    for item in items:
        if "tests/finetune" in str(item.path).replace("\\", "/"):
            item.add_marker(pytest.mark.finetune)
            if not PYTHON.is_file():
                item.add_marker(pytest.mark.skip(reason="there is no build/finetune: `make test-finetune` makes it"))


@pytest.fixture(scope="session")
def python() -> str:
    """The Python that has torch."""
    return str(PYTHON)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[[bool], Path]:
    """Makes a Llama that knows nothing, with a chat template or without."""
    made: dict[bool, Path] = {}
    texts = [MANNERS, *(f"{text} With tool number {n}, by hand." for n, text in enumerate(plain_questions(80)))]

    def make(template: bool) -> Path:
        if template not in made:
            made[template] = tmp_path_factory.mktemp("tiny") / "base"
            script = [str(PYTHON), str(ROOT / "tests" / "support" / "tiny_llama.py"), str(made[template])]
            plain = [] if template else ["--plain"]
            subprocess.run([*script, *plain], input="\n".join(texts), text=True, check=True, capture_output=True)
        return made[template]

    return make
