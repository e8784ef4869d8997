"""What late interaction keeps of a text, and how close a question is to it."""

from __future__ import annotations

import numpy as np
import pytest

from knowledge.embedding.minilm import MiniLM
from knowledge.embedding.words import AXES, BYTES, axes, closeness, pack, unit

EVEN = np.ones(2, np.float32)


def tokens(seed: int, count: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.random.default_rng(seed).normal(size=(count, AXES)).astype(np.float32)


def test_the_axes_stand_at_right_angles_and_are_the_same_everywhere() -> None:
    product = axes().T @ axes()
    assert np.array_equal(product, 3 * AXES * np.eye(AXES))
    assert axes()[:6, 1].tolist() == axes()[:6, 1].tolist()
    assert np.array_equal(np.abs(axes()), np.ones((3 * AXES, AXES)))


def test_a_token_is_kept_in_32_bytes_and_is_nearest_to_itself() -> None:
    text = tokens(1, 5)
    assert len(pack(text)) == 5 * BYTES == 5 * 32
    alone = [pack(text[place : place + 1]) for place in range(5)]
    for place in range(5):
        close = closeness(unit(text[place : place + 1]), EVEN[:1], alone)
        assert close.argmax() == place
        assert close[place] > 0.75  # rounding shortens what is kept


def test_each_token_of_a_question_looks_for_its_own_nearest() -> None:
    question, others = tokens(2, 2), tokens(3, 4)
    both = pack(np.concatenate([others[:2], question]))
    one = pack(np.concatenate([others[2:], question[:1]]))
    close = closeness(unit(question), EVEN, [one, both])
    assert close[1] > 0.75 > close[0]


def test_a_token_counts_by_its_weight() -> None:
    question = tokens(4, 2)
    first, second = pack(question[:1]), pack(question[1:])
    close = closeness(unit(question), np.array([9, 1], np.float32), [first, second])
    assert close[0] > 0.8 > 0.3 > close[1]


@pytest.mark.parametrize("texts", [[b""], [b"", b""]])
def test_texts_without_tokens_are_close_to_nothing(texts: list[bytes]) -> None:
    assert closeness(unit(tokens(5, 2)), EVEN, texts).tolist() == [0.0] * len(texts)


def test_an_empty_text_between_others_moves_nothing() -> None:
    question = tokens(6, 2)
    close = closeness(unit(question), EVEN, [pack(tokens(7, 3)), b"", pack(question), b""])
    assert close[[1, 3]].tolist() == [0.0, 0.0]
    assert close[2] > 0.75


async def test_the_encoder_gives_vectors_and_words_together(encoder: MiniLM) -> None:
    texts = ["Rotate the signing key every year.", "", "Lunch is at noon in the canteen. " * 200]
    vectors, packed = await encoder.embed_closely(texts)
    assert np.allclose(vectors, await encoder.embed(texts), atol=1e-5)
    # Of the first: rotate, signing, key, every, year; signs and words that every text has are left out.
    assert len(packed[0]) == 5 * BYTES
    assert packed[1] == b""
    assert len(packed[2]) < encoder.max_tokens * BYTES


async def test_a_question_keeps_all_its_tokens_with_their_words(encoder: MiniLM) -> None:
    vector, words = await encoder.embed_query_closely("How is kubelet rotated?")
    assert np.allclose(vector, await encoder.embed_query("How is kubelet rotated?"), atol=1e-5)
    assert set(words.words) == {"How", "is", "kubelet", "rotated", "?"}
    assert words.vectors.shape == (len(words.words), AXES)
    assert np.allclose(np.linalg.norm(words.vectors, axis=1), 1, atol=1e-5)


async def test_a_question_is_closer_to_what_answers_it_in_other_words(encoder: MiniLM) -> None:
    _, packed = await encoder.embed_closely(["The certificate is replaced each spring.", "The canteen opens at noon."])
    _, words = await encoder.embed_query_closely("How often is the cert renewed?")
    close = closeness(words.vectors, np.ones(len(words.words), np.float32), packed)
    assert close[0] > close[1]


@pytest.mark.parametrize("text", ["", " ", "word " * 5_000, "\x00\ud7ff 🎉"])
async def test_odd_questions_have_as_many_words_as_tokens(text: str, encoder: MiniLM) -> None:
    _, words = await encoder.embed_query_closely(text)
    assert words.vectors.shape == (len(words.words), AXES)
    assert len(words.words) <= encoder.max_tokens
