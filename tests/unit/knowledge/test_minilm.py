from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

from knowledge.documents import Vector
from knowledge.embedding import prepare as preparing
from knowledge.embedding import weights
from knowledge.embedding.graph import build_graph
from knowledge.embedding.minilm import BATCH_TOKENS, MiniLM, batch_by_length
from knowledge.errors import ModelMissing

TEXTS = [
    "How do I rotate the database password?",
    "Postgres credentials are rotated by the vault job every Sunday night.",
    "The canteen serves pasta on Tuesdays.",
    "Lunch is at noon; vegetarians find their dishes on the left.",
    "Pods are evicted when the node runs out of memory. " * 12,
    "Wie setze ich mein Passwort zurück?",
    "def rollback(release): return deploy(release.previous)",
]


@pytest.fixture(scope="module")
def full_precision() -> ort.InferenceSession:
    tensors = weights.read_tensors(weights.find_model() / "model.safetensors")
    model = build_graph(tensors, quantised=False)
    return ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def exact(session: ort.InferenceSession, encoder: MiniLM, text: str) -> Vector:
    ids = np.array([encoder._tokenizer.encode(text).ids], np.int64)
    vector: Vector = session.run(None, {"ids": ids, "mask": np.ones_like(ids)})[0][0]
    return vector


async def test_int8_stays_close_to_full_precision(encoder: MiniLM, full_precision: ort.InferenceSession) -> None:
    vectors = await encoder.embed(TEXTS)
    cosines = [float(row @ exact(full_precision, encoder, text)) for row, text in zip(vectors, TEXTS, strict=True)]
    assert min(cosines) >= 0.98


async def test_vectors_are_of_unit_length_in_the_order_of_the_texts(encoder: MiniLM) -> None:
    vectors = await encoder.embed(TEXTS)
    assert vectors.shape == (len(TEXTS), encoder.dimensions)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    for row, text in zip(vectors, TEXTS, strict=True):
        assert float(row @ await encoder.embed_query(text)) > 0.98


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("changing postgres credentials", 1),
        ("what is for lunch today", 3),
        ("node out of memory", 4),
        ("undo a deploy", 6),
    ],
)
async def test_the_neighbour_of_a_question_is_what_it_is_about(encoder: MiniLM, question: str, answer: int) -> None:
    cosines = await encoder.embed(TEXTS) @ await encoder.embed_query(question)
    assert int(cosines.argmax()) == answer


async def test_nothing_empty_and_overlong_texts_are_embedded(encoder: MiniLM) -> None:
    assert (await encoder.embed([])).shape == (0, encoder.dimensions)
    vectors = await encoder.embed(["", "words " * 40_000, "\x00\ud7ff 🎉"])
    assert np.isfinite(vectors).all()


async def test_many_questions_and_batches_at_once_do_not_mix(encoder: MiniLM) -> None:
    alone = [await encoder.embed_query(text) for text in TEXTS]
    together = await asyncio.gather(encoder.embed(TEXTS * 20), *(encoder.embed_query(text) for text in TEXTS))
    assert all(np.allclose(one, other) for one, other in zip(alone, together[1:], strict=True))


def test_tokens_are_counted_without_the_models_own_marks(encoder: MiniLM) -> None:
    assert encoder.count_tokens("hello world") == 2
    assert encoder.count_all_tokens(["", "hello", "word " * 1000]) == [0, 1, 1000]


def test_batches_hold_every_text_once_and_stay_small() -> None:
    lengths = [3, 256, 17, 200, 5, 256, 90, 90, 90, 90, 90, 4] * 5
    batches = batch_by_length(lengths)
    assert sorted(position for batch in batches for position in batch) == list(range(len(lengths)))
    assert all(max(lengths[p] for p in batch) * len(batch) <= BATCH_TOKENS for batch in batches)
    assert len(batches) < len(lengths) / 2


def test_preparing_builds_once_and_then_does_nothing(tmp_path: Path) -> None:
    told: list[str] = []
    preparing.prepare(tmp_path / "models", told.append)
    assert len(told) == 4
    made = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "models").iterdir()}
    assert set(made) == {"minilm-int8.onnx", "minilm-tokenizer.json", "minilm.json"}
    preparing.prepare(tmp_path / "models", told.append)
    assert len(told) == 4
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "models").iterdir()} == made
    with (tmp_path / "models" / "minilm-int8.onnx").open("r+b") as model:
        model.truncate(1000)
    assert not preparing.is_prepared(tmp_path / "models")


def test_an_unprepared_folder_says_how_to_prepare_it(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="make setup"):
        MiniLM(tmp_path)


def test_weights_that_are_not_the_published_ones_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    package = tmp_path / "packages" / weights.PACKAGE
    (package / "model").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('must not be imported')")
    (package / "model" / "model.safetensors").write_bytes(b"something else")
    monkeypatch.syspath_prepend(tmp_path / "packages")
    assert preparing.main(["--models-dir", str(tmp_path / "models")]) == 1
    error = capsys.readouterr().err
    assert "is not the published file" in error
    assert "make setup" in error
    assert not (tmp_path / "models").exists()
    assert weights.PACKAGE not in sys.modules


def test_a_missing_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "PACKAGE", "no_such_package_of_weights")
    with pytest.raises(ModelMissing, match=r"no_such_package_of_weights .*not installed.*make setup"):
        weights.find_model()


def test_the_runtime_keeps_no_records_of_its_use(models_dir: Path, tmp_path: Path) -> None:
    code = (
        "import asyncio, sys; from pathlib import Path; from knowledge.embedding.minilm import MiniLM\n"
        "asyncio.run(MiniLM(Path(sys.argv[1])).embed_query('hello'))"
    )
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    command = [sys.executable, "-c", code, str(models_dir)]
    subprocess.run(command, env=environment | {"HOME": str(tmp_path)}, check=True)
    assert list(tmp_path.iterdir()) == []
