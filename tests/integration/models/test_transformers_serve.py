"""The client against `transformers serve` with a tiny Llama made on the spot: real generation by a server of others.

Optional: torch and transformers are no dependencies of this project; where they are not installed it is skipped.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import socket
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bot.domain import Message, Prompt, StrategyName, TextDelta, Usage
from bot.models.client import OpenAIModel, Timeouts

MISSING = [name for name in ("torch", "transformers", "uvicorn") if importlib.util.find_spec(name) is None]
pytestmark = pytest.mark.skipif(
    bool(MISSING), reason=f"the optional server needs {', '.join(MISSING)}: install torch and transformers[serving]"
)

MAKE_MODEL = """
import sys
from tokenizers import Tokenizer, models, pre_tokenizers, decoders, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
core = Tokenizer(models.BPE(unk_token="<unk>"))
core.pre_tokenizer, core.decoder = pre_tokenizers.ByteLevel(), decoders.ByteLevel()
special = ["<unk>", "<s>", "</s>"]
alphabet = pre_tokenizers.ByteLevel.alphabet()
core.train_from_iterator(["hello world"], trainers.BpeTrainer(special_tokens=special, initial_alphabet=alphabet))
tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, unk_token="<unk>", bos_token="<s>", eos_token="</s>")
tokenizer.chat_template = "{% for m in messages %}{{ m['content'] }}\\n{% endfor %}"
config = LlamaConfig(vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
                     num_attention_heads=2, bos_token_id=1, eos_token_id=2, max_position_embeddings=512)
LlamaForCausalLM(config).save_pretrained(sys.argv[1])
tokenizer.save_pretrained(sys.argv[1])
"""


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[tuple[str, str]]:
    """The server's address and the name of its model."""
    model = tmp_path / "tiny"
    environment = {**os.environ, "HF_HUB_CACHE": str(tmp_path / "hub"), "HF_HUB_OFFLINE": "1"}
    making = await asyncio.create_subprocess_exec(sys.executable, "-c", MAKE_MODEL, str(model), env=environment)
    assert await making.wait() == 0
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    serve = [str(Path(sys.executable).with_name("transformers")), "serve", "--host", "127.0.0.1", "--port", str(port)]
    server = await asyncio.create_subprocess_exec(
        *serve, "--device", "cpu", str(model), env=environment, stdout=PIPE, stderr=STDOUT
    )
    try:
        async with asyncio.timeout(120):
            assert server.stdout is not None
            while b"Uvicorn running" not in (line := await server.stdout.readline()):
                assert line, "the server ended before it listened"
        yield f"http://127.0.0.1:{port}/v1", str(model)
    finally:
        server.terminate()
        await server.communicate()


async def test_a_server_of_others_generates_through_the_same_client(
    served: tuple[str, str], connect: Callable[..., OpenAIModel]
) -> None:
    url, name = served
    model = connect(provider={"base_url": url}, card={"id": name}, timeouts=Timeouts(first=120))
    prompt = Prompt(strategy=StrategyName.ZERO_SHOT, question="Hello?", messages=(Message("user", "Hello?"),))
    pieces = [piece async for piece in model.stream(prompt, max_tokens=16)]
    usage = pieces[-1]
    assert isinstance(usage, Usage)
    assert 0 < usage.completion_tokens <= 16
    assert "".join(piece.text for piece in pieces if isinstance(piece, TextDelta))
