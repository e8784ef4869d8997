"""all-MiniLM-L6-v2 in int8 on the CPU, by onnxruntime."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from tokenizers import Tokenizer

from knowledge.documents import Vector
from knowledge.embedding import words
from knowledge.embedding.prepare import BUILD, MODEL_FILE, TOKENIZER_FILE, is_prepared
from knowledge.errors import ModelMissing

DIMENSIONS = 384
MAX_TOKENS = 256
# Measured: texts of like length, about this many tokens at once, go through fastest and need least memory.
BATCH_TOKENS = 660
_MAX_WORKERS = 4
_MARKS = 2  # the model sets one token before a text and one after it
_COMMON = (
    "a an and are as at be but by for if in into is it no not of on or such that the their then there these they this "
    "to was will with what who whom whose when where which why how do does did can could should would may might must "
    "have has had am were been being i me my mine we us our ours you your yours he she him her his its about from "
    "please tell any some so than up out over don t s ll re ve m d"
)
_Batch = tuple[Vector, list[bytes]]


class MiniLM:
    """The encoder. One session serves all threads, each run on one core; questions have a thread of their own."""

    name = f"all-MiniLM-L6-v2/int8/{BUILD}"
    dimensions = DIMENSIONS
    max_tokens = MAX_TOKENS

    def __init__(self, models_dir: Path) -> None:
        """Loads the model (about 0.1 s). Raises ModelMissing where `knowledge.embedding.prepare` has not run."""
        if not is_prepared(models_dir):
            raise ModelMissing(
                f"The embedding model is not in {models_dir}. Run `make setup`, or "
                f"`python -m knowledge.embedding.prepare --models-dir {models_dir}`."
            )
        tokens = models_dir / TOKENIZER_FILE
        self._tokenizer, self._telling = _open_tokenizer(tokens.resolve(), tokens.stat().st_mtime_ns)
        model = models_dir / MODEL_FILE
        self._session = _open_session(model.resolve(), model.stat().st_mtime_ns)
        workers = max(1, min(os.cpu_count() or 1, _MAX_WORKERS))
        self._bulk = ThreadPoolExecutor(workers, thread_name_prefix="embed")
        self._questions = ThreadPoolExecutor(1, thread_name_prefix="embed-question")

    async def embed(self, texts: Sequence[str]) -> Vector:
        """One row for each text. Texts longer than 256 tokens are read up to there."""
        vectors, _ = await self._embed(texts, self._run)
        return vectors

    async def embed_closely(self, texts: Sequence[str]) -> tuple[Vector, list[bytes]]:
        """One row and the packed words of each text, read up to 256 tokens."""
        return await self._embed(texts, self._run_closely)

    async def _embed(
        self, texts: Sequence[str], run: Callable[[list[list[int]]], _Batch]
    ) -> tuple[Vector, list[bytes]]:
        vectors = np.empty((len(texts), DIMENSIONS), np.float32)
        packed = [b""] * len(texts)
        if not texts:
            return vectors, packed
        loop = asyncio.get_running_loop()
        tokens = await loop.run_in_executor(self._bulk, self._encode, texts)
        batches = batch_by_length([len(ids) for ids in tokens])
        runs = [loop.run_in_executor(self._bulk, run, [tokens[i] for i in batch]) for batch in batches]
        for batch, (rows, some) in zip(batches, await asyncio.gather(*runs), strict=True):
            vectors[batch] = rows
            for place, one in zip(batch, some, strict=False):
                packed[place] = one
        return vectors, packed

    async def embed_query(self, text: str) -> Vector:
        """The vector of one question."""
        return await asyncio.get_running_loop().run_in_executor(self._questions, self._embed_one, text)

    async def embed_query_closely(self, text: str) -> tuple[Vector, words.QuestionWords]:
        """The vector of one question, and its words."""
        return await asyncio.get_running_loop().run_in_executor(self._questions, self._embed_one_closely, text)

    def count_tokens(self, text: str) -> int:
        """How many tokens the text has, without the two marks at its ends."""
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def count_all_tokens(self, texts: Sequence[str]) -> list[int]:
        """The same for many texts at once."""
        return [
            len(encoding.ids) for encoding in self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        ]

    async def close(self) -> None:
        """Waits for what runs and frees the threads."""
        await asyncio.to_thread(self._bulk.shutdown)
        await asyncio.to_thread(self._questions.shutdown)

    def _encode(self, texts: Sequence[str]) -> list[list[int]]:
        return [_cut(encoding.ids) for encoding in self._tokenizer.encode_batch_fast(list(texts))]

    def _embed_one(self, text: str) -> Vector:
        vectors, _ = self._run(self._encode([text]))
        row: Vector = vectors[0]
        return row

    def _embed_one_closely(self, text: str) -> tuple[Vector, words.QuestionWords]:
        encoding = self._tokenizer.encode(text)
        vectors, tokens = self._outputs([_cut(encoding.ids)])
        spans = _spans(encoding)[: len(tokens[0]) - _MARKS]
        inner = tokens[0, 1 : len(spans) + 1]
        return vectors[0], words.QuestionWords(words.unit(inner), tuple(text[start:end] for start, end in spans))

    def _run(self, tokens: list[list[int]]) -> _Batch:
        vectors: Vector = self._session.run(["vectors"], _inputs(tokens))[0]
        return vectors, []

    def _run_closely(self, tokens: list[list[int]]) -> _Batch:
        vectors, every = self._outputs(tokens)
        packed = []
        for ids, rows in zip(tokens, every, strict=True):
            kept = self._telling[ids]
            packed.append(words.pack(rows[: len(ids)][kept]))
        return vectors, packed

    def _outputs(self, tokens: list[list[int]]) -> tuple[Vector, Vector]:
        vectors, every = self._session.run(["vectors", "tokens"], _inputs(tokens))
        return vectors, every


def _inputs(tokens: list[list[int]]) -> dict[str, NDArray[np.int64]]:
    """A batch, padded to its longest."""
    longest = max(len(row) for row in tokens)
    ids = np.zeros((len(tokens), longest), np.int64)
    mask = np.zeros_like(ids)
    for number, row in enumerate(tokens):
        ids[number, : len(row)] = row
        mask[number, : len(row)] = 1
    return {"ids": ids, "mask": mask}


def _spans(encoding: Any) -> list[tuple[int, int]]:
    """For each token but the marks at the ends where its word begins and ends in the text."""
    numbers = encoding.word_ids[1:-1]
    return [encoding.word_to_chars(number) for number in numbers]


@cache
def _open_tokenizer(path: Path, _changed: int) -> tuple[Tokenizer, NDArray[np.bool_]]:
    """The tokenizer and its telling tokens: nobody changes them, so all encoders of a process have the same."""
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.no_truncation()  # it counts too; `_cut` shortens what is embedded
    return tokenizer, _telling_tokens(tokenizer)


def _telling_tokens(tokenizer: Tokenizer) -> NDArray[np.bool_]:
    """Which tokens are kept of a text: not its marks, signs and commonest words."""
    vocabulary, common = tokenizer.get_vocab(), set(_COMMON.split())
    telling = np.zeros(max(vocabulary.values()) + 1, np.bool_)
    for token, number in vocabulary.items():
        telling[number] = token.removeprefix("##").isalnum() and token not in common
    return telling


def _cut(ids: list[int]) -> list[int]:
    """The first tokens of a text that is too long, with its end mark."""
    return ids if len(ids) <= MAX_TOKENS else [*ids[: MAX_TOKENS - 1], ids[-1]]


def batch_by_length(lengths: Sequence[int]) -> list[list[int]]:
    """Positions grouped so that texts of like length go together, up to BATCH_TOKENS a group with the padding."""
    batches: list[list[int]] = []
    for position in sorted(range(len(lengths)), key=lengths.__getitem__):
        # Sorted upwards, so the newest is the longest of its batch and sets what all are padded to.
        if batches and (len(batches[-1]) + 1) * lengths[position] <= BATCH_TOKENS:
            batches[-1].append(position)
        else:
            batches.append([position])
    return batches


@cache
def _open_session(path: Path, _changed: int) -> ort.InferenceSession:
    """The model, which serves all encoders of a process as it serves all threads."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises its own types for a damaged file, without a common base
        raise ModelMissing(f"{path} is damaged. Delete it and run `make setup` again.") from error
