"""Models of speech and of pictures, against a server that fails in every way that real ones do."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from model_server import (
    ModelServer,
    Reply,
    drawn,
    invalid_json,
    not_found,
    rate_limited,
    refused_content,
    server_error,
    unauthorized,
)
from sample_files import m4a, opus, png, wav
from words_embedder import WordsEmbedder

from bot.errors import (
    ModelAnswerUnusable,
    ModelError,
    ModelNotFound,
    ModelRateLimited,
    ModelUnauthorized,
    ModelUnavailable,
)
from bot.models.cards import ModelCard
from bot.models.catalogue import Catalogue, Provider, load_catalogue
from bot.models.drawing import NO_USAGE, DrawingModel
from bot.models.registry import Models
from bot.models.transcription import UNKNOWN_LENGTH, TranscriptionModel


@pytest.fixture
async def server() -> Any:
    async with ModelServer() as running:
        yield running


def card(task: str, **fields: Any) -> ModelCard:
    return ModelCard.model_validate({"name": f"house-{task}", "provider": "house", "task": task, **fields})


@pytest.fixture
async def models(server: ModelServer) -> Any:
    shipped = load_catalogue()
    house = Provider(name="house", title="House", base_url=server.url, local=True)
    cards = [card("transcription"), card("image"), shipped.get("offline")]
    opened = Models(Catalogue(cards, [house, shipped.providers["offline"]]), keys={}, embedder=WordsEmbedder())
    yield opened
    await opened.close()


@pytest.fixture
def ear(models: Models) -> TranscriptionModel:
    return models.transcription()


@pytest.fixture
def brush(models: Models) -> DrawingModel:
    return models.drawing()


async def test_a_recording_goes_out_under_a_name_of_its_content_and_comes_back_as_words(
    server: ModelServer, ear: TranscriptionModel
) -> None:
    for data, name in ((wav(), "voice.wav"), (m4a(), "voice.m4a"), (opus(), "voice.ogg"), (b"ID3", "voice.mp3")):
        transcript = await ear.transcribe(data, 2_500)
        assert transcript.text == "How do I roll back a release?"
        assert server.requests[-1].body == {"model": "house-transcription", "filename": name, "bytes": data}


async def test_the_servers_seconds_hold_before_the_files_own_and_tokens_are_kept_beside_them(
    server: ModelServer, ear: TranscriptionModel
) -> None:
    tokens = {
        "type": "tokens",
        "input_tokens": 25,
        "output_tokens": 9,
        "input_token_details": {"text_tokens": 0, "audio_tokens": 25},
    }
    server.script_transcripts(
        {"text": "a", "usage": {"type": "duration", "seconds": 3}}, {"text": "b", "usage": tokens}, {"text": "c"}
    )
    first, second, third = [(await ear.transcribe(wav(), 2_500)).usage for _ in range(3)]
    assert (first.audio_ms, first.prompt_tokens, first.estimated) == (3_000, 0, False)
    assert (second.audio_ms, second.prompt_tokens, second.completion_tokens) == (2_500, 25, 9)
    assert (second.input_audio_tokens, second.estimated) == (25, False)
    assert (third.audio_ms, third.prompt_tokens, third.estimated) == (2_500, 0, True)
    assert first.request_id == "req-1"


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        {"type": "duration", "seconds": -4},
        {"type": "duration", "seconds": 1e12},
        {"type": "duration", "seconds": "many"},
        {"type": "duration", "seconds": True},
        {"type": "tokens", "input_tokens": -1, "output_tokens": 5},
        "a lot",
    ],
)
async def test_a_length_that_nobody_tells_is_unknown_and_never_free(
    server: ModelServer, ear: TranscriptionModel, usage: Any
) -> None:
    server.script_transcripts({"text": "hello", "usage": usage})
    transcript = await ear.transcribe(b"ID3", None)
    assert transcript.text == "hello"
    assert transcript.usage.audio_ms == 0
    assert transcript.unpriced == UNKNOWN_LENGTH


FAULTS = [
    (server_error(), ModelUnavailable),
    (rate_limited(1), ModelRateLimited),
    (unauthorized(), ModelUnauthorized),
    (not_found(), ModelNotFound),
    (invalid_json(), ModelAnswerUnusable),
]


@pytest.mark.parametrize(("reply", "kind"), [*FAULTS, ({"words": 1}, ModelAnswerUnusable), ({"text": 7}, ModelError)])
async def test_what_goes_wrong_with_speech_becomes_ours(
    server: ModelServer, ear: TranscriptionModel, reply: Any, kind: type[ModelError]
) -> None:
    server.script_transcripts(reply)
    with pytest.raises(kind, match="house-transcription"):
        await ear.transcribe(wav(), 2_500)


async def test_a_picture_comes_back_with_what_it_took(server: ModelServer, brush: DrawingModel) -> None:
    server.script_pictures(png())
    made = await brush.draw("a red fox")
    assert brush.picture(made) == png()
    assert (made.usage.prompt_tokens, made.usage.completion_tokens) == (12, 1056)
    assert (made.usage.output_image_tokens, made.usage.images, made.unpriced) == (1056, 1, "")
    asked = server.requests[-1].body
    assert asked == {"model": "house-image", "prompt": "a red fox", "n": 1, "size": "1024x1024"}


async def test_a_picture_without_usage_is_one_picture_of_unknown_price(
    server: ModelServer, brush: DrawingModel
) -> None:
    server.script_pictures({"data": [{"b64_json": b64encode(png()).decode()}]})
    made = await brush.draw("a red fox")
    assert (made.usage.images, made.unpriced) == (1, NO_USAGE)


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        ({"data": []}, "sent no picture"),
        ({"data": [{"url": "http://elsewhere.example/x.png"}]}, "sent an address instead of a picture"),
        ({"data": [{"b64_json": "no base64!"}]}, "is no answer"),
        ({"data": "x"}, "sent no picture"),
        (drawn(b""), "sent no picture"),
    ],
)
async def test_what_is_no_picture_is_told_and_no_address_is_followed(
    server: ModelServer, brush: DrawingModel, sent: Any, why: str
) -> None:
    server.script_pictures(sent)
    made = await brush.draw("a red fox")
    with pytest.raises(ModelAnswerUnusable, match=why):
        brush.picture(made)
    assert len(server.requests) == 1


@pytest.mark.parametrize(("reply", "kind"), FAULTS)
async def test_what_goes_wrong_with_pictures_becomes_ours(
    server: ModelServer, brush: DrawingModel, reply: Reply, kind: type[ModelError]
) -> None:
    server.script_pictures(reply)
    with pytest.raises(kind, match="house-image"):
        await brush.draw("a red fox")


async def test_what_the_provider_will_not_draw_is_told_in_its_own_words(
    server: ModelServer, brush: DrawingModel
) -> None:
    server.script_pictures(refused_content())
    with pytest.raises(
        ModelError, match=r"will not draw this: Your request was rejected by the safety system. Describe"
    ):
        await brush.draw("something bad")


def test_without_such_a_model_a_sentence_says_what_to_set() -> None:
    models = Models(load_catalogue(), keys={}, embedder=WordsEmbedder())
    with pytest.raises(ModelNotFound, match=r"no model that writes down what is said. An admin can set OPENAI_API_KEY"):
        models.transcription()
    with pytest.raises(ModelNotFound, match=r"no model that draws. An admin can set OPENAI_API_KEY.*models\.image"):
        models.drawing()
    with pytest.raises(ModelNotFound, match="no model on this machine that draws"):
        models.drawing(here=True)
    with pytest.raises(ModelNotFound, match=r"“gpt-transcribe” is no model that draws. There are: gpt-image"):
        models.drawing("gpt-transcribe")
    with pytest.raises(ModelUnauthorized, match="set OPENAI_API_KEY"):
        models.transcription("gpt-transcribe")
