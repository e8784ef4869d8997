"""Prepares the embedding model: `python -m knowledge.embedding.prepare --models-dir DIR`.

Builds `minilm-int8.onnx` from the published weights that an installed package carries and copies the tokenizer beside
it. Does nothing where both are there; a run that is stopped half way leaves nothing that looks whole.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from knowledge.embedding import weights
from knowledge.errors import KnowledgeError, StorageFull

MODEL_FILE = "minilm-int8.onnx"
TOKENIZER_FILE = "minilm-tokenizer.json"
STAMP_FILE = "minilm.json"
BUILD = 2  # raised whenever the graph changes, so that models built before are built again


def is_prepared(models_dir: Path) -> bool:
    """Whether the model that this version builds is there, whole."""
    try:
        stamp = json.loads((models_dir / STAMP_FILE).read_text("utf-8"))
        return bool(stamp == _stamp(models_dir))
    except (OSError, ValueError):
        return False


def prepare(models_dir: Path, tell: Callable[[str], None]) -> None:
    """Builds the model into `models_dir` unless it is there. `tell` is given a line for each step.

    Raises ModelMissing where the weights are absent or not the published ones, StorageFull where they cannot be
    written.
    """
    if is_prepared(models_dir):
        return
    source = weights.find_model()
    tell("Embedding model 1/4: checking the published weights (91 MB)")
    weights.check_file(source / "model.safetensors", weights.WEIGHTS_SHA256)
    weights.check_file(source / "tokenizer.json", weights.TOKENIZER_SHA256)
    tell("Embedding model 2/4: building the int8 graph")
    model = _build(source / "model.safetensors")
    tell(f"Embedding model 3/4: writing {len(model) / 1e6:.0f} MB to {models_dir}")
    try:
        models_dir.mkdir(parents=True, exist_ok=True)
        (models_dir / STAMP_FILE).unlink(missing_ok=True)
        _write(models_dir / MODEL_FILE, model)
        _write(models_dir / TOKENIZER_FILE, (source / "tokenizer.json").read_bytes())
        _write(models_dir / STAMP_FILE, json.dumps(_stamp(models_dir), indent=2).encode())
    except OSError as error:
        raise StorageFull(
            f"The embedding model could not be written to {models_dir} ({error.strerror}). "
            "Make room or name another folder, and try again."
        ) from error
    tell("Embedding model 4/4: ready")


def _build(path: Path) -> bytes:
    # onnx is needed here alone: what runs the model does not load it.
    from knowledge.embedding.graph import build_graph

    model: bytes = build_graph(weights.read_tensors(path), quantised=True).SerializeToString()
    return model


def _stamp(models_dir: Path) -> dict[str, object]:
    sizes = {name: (models_dir / name).stat().st_size for name in (MODEL_FILE, TOKENIZER_FILE)}
    return {"build": BUILD, "weights": weights.WEIGHTS_SHA256, "bytes": sizes}


def _write(path: Path, content: bytes) -> None:
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def main(arguments: list[str] | None = None) -> int:
    """The command. Returns 0, or 1 after a sentence that says what is missing."""
    parser = argparse.ArgumentParser(
        prog="python -m knowledge.embedding.prepare", description="Prepare the embedding model."
    )
    parser.add_argument("--models-dir", type=Path, required=True, help="the folder that keeps the models")
    options = parser.parse_args(arguments)
    try:
        prepare(options.models_dir, lambda line: print(line, flush=True))
    except KnowledgeError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
