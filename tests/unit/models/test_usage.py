from __future__ import annotations

from typing import Any

import pytest
from openai.types import CompletionUsage

from bot.domain import Usage
from bot.models.usage import read_usage

COUNTED = Usage(prompt_tokens=12, completion_tokens=3, estimated=True)


def read(**fields: Any) -> Usage:
    return read_usage(CompletionUsage.construct(**fields), lambda: COUNTED)


def test_every_kind_of_token_is_read_as_a_part_of_the_whole() -> None:
    usage = read(
        prompt_tokens=100,
        completion_tokens=50,
        prompt_tokens_details={"cached_tokens": 40, "cache_write_tokens": 10, "audio_tokens": 5, "image_tokens": 6},
        completion_tokens_details={"reasoning_tokens": 20, "audio_tokens": 7},
    )
    assert usage == Usage(
        prompt_tokens=100,
        completion_tokens=50,
        cached_tokens=40,
        cache_written_tokens=10,
        input_audio_tokens=5,
        input_image_tokens=6,
        reasoning_tokens=20,
        output_audio_tokens=7,
    )


def test_the_other_names_of_images_and_speech_are_known() -> None:
    sent = {"input_tokens": 9, "output_tokens": 4, "input_tokens_details": {"image_tokens": 8}}
    usage = read_usage(sent, lambda: COUNTED)
    assert (usage.prompt_tokens, usage.completion_tokens, usage.input_image_tokens) == (9, 4, 8)


def test_numbers_sent_as_text_are_numbers() -> None:
    usage = read(prompt_tokens="100", completion_tokens=50.0)
    assert (usage.prompt_tokens, usage.completion_tokens, usage.estimated, usage.note) == (100, 50, False, "")


@pytest.mark.parametrize("wrong", [-5, 10**12, "many", True, 1.5, [3]])
def test_what_cannot_be_is_counted_here_and_said(wrong: Any) -> None:
    usage = read(prompt_tokens=100, completion_tokens=wrong)
    assert (usage.prompt_tokens, usage.completion_tokens, usage.estimated) == (12, 3, True)
    assert f"cannot be: {wrong} tokens" in usage.note


@pytest.mark.parametrize("sent", [None, {}, {"prompt_tokens": 5}, "usage"])
def test_a_missing_usage_is_counted_here(sent: Any) -> None:
    assert read_usage(sent, lambda: COUNTED) == COUNTED


def test_a_part_greater_than_its_whole_is_cut_to_it() -> None:
    usage = read(prompt_tokens=10, completion_tokens=1, prompt_tokens_details={"cached_tokens": 99})
    assert usage.cached_tokens == 10
    assert "99 cached tokens of 10" in usage.note
