"""A small OpenAI-compatible server for tests: it answers as scripted, fails in every way that real servers do, and
keeps a journal of what it was asked.

    async with ModelServer() as server:
        server.script(rate_limited(retry_after=1), answer("Blue whales are large. [1]"))
        ...  # point a client at server.url
        assert server.requests[0].body["model"] == "test-model"

Where nothing is scripted it echoes: it answers with words of the question and cites [1] where the prompt numbers
passages, the same for the same prompt.
"""

from __future__ import annotations

import asyncio
import json
import re
import zlib
from base64 import b64encode
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal

from aiohttp import web

Fault = Literal["silence", "stall", "cut", "cut_quietly", "empty", "invalid_json", "invalid_stream", "error_in_stream"]


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What the server does with one request.

    `text` None echoes the question; `pieces` are the chunks where they matter. `usage` true counts words, false
    sends none, a mapping is sent as it is. `delay` in seconds before the first byte, which `held` is waited for too;
    `gate` is waited for between the first chunk and the rest. `status` other than 200 answers `error` as JSON.
    `logprobs`: what each token of the answer gets, one number for all or one for each piece, where a request asks for
    log-probabilities; None sends none. `model`: which one it says answered; empty: the one that was asked for.
    """

    text: str | None = None
    pieces: Sequence[str] | None = None
    usage: bool | Mapping[str, Any] = True
    finish_reason: str | None = "stop"
    logprobs: float | Sequence[float | None] | None = None
    delay: float = 0.0
    held: asyncio.Event | None = None
    gate: asyncio.Event | None = None
    fault: Fault | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    error: Mapping[str, Any] = field(default_factory=dict)
    model: str = ""


def answer(text: str, **options: Any) -> Reply:
    """A whole answer. `options` are fields of Reply."""
    return Reply(text=text, **options)


def _refusal(status: int, message: str, code: str | None = None, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(status=status, headers=headers or {}, error={"message": message, "type": "error", "code": code})


def unauthorized() -> Reply:
    """401, in OpenAI's words, which repeat a part of the key."""
    return _refusal(401, "Incorrect API key provided: sk-secre*****word.", "invalid_api_key")


def forbidden() -> Reply:
    """403."""
    return _refusal(403, "Project does not have access to this model.", "model_not_allowed")


def not_found() -> Reply:
    """404 for the model."""
    return _refusal(404, "The model does not exist or you do not have access to it.", "model_not_found")


def rate_limited(retry_after: float | str | None = None) -> Reply:
    """429; `retry_after` goes out as the header as it is (seconds, or an HTTP date)."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return _refusal(429, "Rate limit reached.", "rate_limit_exceeded", headers)


def no_logprobs() -> Reply:
    """400 as OpenAI words it for models that give none."""
    return _refusal(400, "logprobs are not supported with this model.", "unsupported_parameter")


def out_of_credit() -> Reply:
    """429 that no waiting cures."""
    return _refusal(429, "You exceeded your current quota.", "insufficient_quota")


def server_error(status: int = 500) -> Reply:
    """5xx."""
    return _refusal(status, "The server had an error while processing your request.", None)


def context_overflow() -> Reply:
    """400 as OpenAI words a prompt that is too long."""
    message = "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens."
    return _refusal(400, message, "context_length_exceeded")


def silence() -> Reply:
    """Takes the request and says nothing, until the client goes or a minute is over."""
    return Reply(fault="silence")


def stall(text: str = "The answer is") -> Reply:
    """Sends `text` and then nothing more, with the connection held open."""
    return Reply(text=text, fault="stall")


def cut(text: str = "The answer is") -> Reply:
    """Sends `text`, then drops the connection."""
    return Reply(text=text, fault="cut")


def cut_quietly(text: str = "The answer is") -> Reply:
    """Sends `text`, then ends the stream properly but without the last chunks."""
    return Reply(text=text, fault="cut_quietly")


def empty() -> Reply:
    """A well-formed answer without any text."""
    return Reply(text="", fault="empty")


def invalid_json() -> Reply:
    """200 and a body that is no JSON."""
    return Reply(fault="invalid_json")


def invalid_stream() -> Reply:
    """A stream whose second chunk is broken JSON."""
    return Reply(text="The answer is", fault="invalid_stream")


def error_in_stream(text: str = "The answer is") -> Reply:
    """A stream that ends in an error object."""
    return Reply(text=text, fault="error_in_stream")


@dataclass(slots=True)
class Sent:
    """What went out as the answer to a request: what it calls the model, bytes of its body, the usage where one was
    sent, and whether all of it went out."""

    model: str = ""
    bytes: int = 0
    usage: Mapping[str, Any] | None = None
    whole: bool = False


@dataclass(frozen=True, eq=False)
class Request:
    """One request as it came. `gone` is set when the client went away before the answer was whole. `id`: what the
    answer calls it; `sent`: what was answered, as far as it went."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    id: str = "chatcmpl-0"
    sent: Sent = field(default_factory=Sent)

    @property
    def prompt(self) -> str:
        """All messages, joined."""
        return "\n\n".join(map(_words, self.body.get("messages", ())))

    @property
    def images(self) -> list[str]:
        """The addresses of the pictures in the messages, as data: URLs."""
        contents = [message.get("content") for message in self.body.get("messages", ())]
        parts = [part for content in contents if isinstance(content, list) for part in content]
        return [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]


class ModelServer:
    """The server. `models` are the ids that /v1/models lists; `reply` is what an unscripted request gets, or what
    `answering` makes of it.

    With `api_key` every request must carry it. `port` 0 takes a free one. Embeddings are of words, `dimensions` long:
    texts that share words are near each other. `about` adds fields to a model's entry in the list, `page` splits the
    list as Anthropic's does, `listing` is sent instead of it: a refusal, or any JSON.
    """

    def __init__(
        self,
        models: Sequence[str] = ("test-model",),
        *,
        api_key: str | None = None,
        reply: Reply | None = None,
        port: int = 0,
        dimensions: int = 64,
    ) -> None:
        self.models = tuple(models)
        self.reply = reply or Reply()
        self.answering: Callable[[Request], Reply] | None = None
        self.requests: list[Request] = []
        self.url = ""
        self.about: dict[str, dict[str, Any]] = {}
        self.page: int | None = None
        self.listing: Reply | Any | None = None
        self._api_key = api_key
        self._port = port
        self._script: deque[Reply] = deque()
        self.dimensions = dimensions
        self._embeddings: deque[Reply | Sequence[Sequence[float]]] = deque()
        self.changed = asyncio.Condition()
        self._transcripts: deque[Reply | Mapping[str, Any]] = deque()
        self._pictures: deque[Reply | Mapping[str, Any]] = deque()
        self._closing = asyncio.Event()
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> ModelServer:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_get("/v1/models", self._list)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_post("/v1/embeddings", self._embed)
        app.router.add_post("/v1/audio/transcriptions", self._transcribe)
        app.router.add_post("/v1/images/generations", self._draw)
        self._add_routes(app)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/v1"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        if self._runner is not None:
            await self._runner.cleanup()

    def _add_routes(self, app: web.Application) -> None:
        """What a server of a test's own answers besides."""

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self.url.split(":")[2].split("/")[0])

    @property
    def chats(self) -> list[Request]:
        """The requests for completions, in their order."""
        return [request for request in self.requests if request.path.endswith("/chat/completions")]

    def script(self, *replies: Reply | str) -> None:
        """Queues replies, one a completion request; a string is an answer."""
        self._script.extend(answer(reply) if isinstance(reply, str) else reply for reply in replies)

    def script_embeddings(self, *replies: Reply | Sequence[Sequence[float]]) -> None:
        """Queues replies, one an embedding request: a refusal or a fault, or the very vectors."""
        self._embeddings.extend(replies)

    def script_transcripts(self, *replies: Reply | Mapping[str, Any] | str) -> None:
        """Queues replies, one a recording: a refusal or a fault, the body as it is, or the words that are heard."""
        self._transcripts.extend({"text": reply} if isinstance(reply, str) else reply for reply in replies)

    def script_pictures(self, *replies: Reply | Mapping[str, Any] | bytes) -> None:
        """Queues replies, one a picture: a refusal or a fault, the body as it is, or the picture's bytes."""
        self._pictures.extend(drawn(reply) if isinstance(reply, bytes) else reply for reply in replies)

    @property
    def embedded(self) -> list[str]:
        """Every text that a vector was asked for, in the order of the requests."""
        asked = [request.body["input"] for request in self.requests if request.path.endswith("/embeddings")]
        return [text for texts in asked for text in texts]

    async def until_asked(self, times: int = 1, *, within: float = 10.0) -> None:
        """Waits until so many completions were asked for. Raises TimeoutError after `within` seconds."""
        async with asyncio.timeout(within), self.changed:
            await self.changed.wait_for(lambda: len(self.chats) >= times)

    async def _list(self, request: web.Request) -> web.Response:
        await self._note(request, {})
        if refused := self._refuse(request):
            return refused
        if isinstance(self.listing, Reply):
            return web.json_response({"error": self.listing.error}, status=self.listing.status)
        if self.listing is not None:
            return web.json_response(self.listing)
        names = list(self.models)
        start = names.index(request.query["after_id"]) + 1 if "after_id" in request.query else 0
        shown = names[start : start + (self.page or len(names))]
        data = [
            {"id": name, "object": "model", "owned_by": "test", "created": 0, **self.about.get(name, {})}
            for name in shown
        ]
        more = {"has_more": start + len(shown) < len(names), "last_id": shown[-1] if shown else None}
        return web.json_response({"object": "list", "data": data, **(more if self.page else {})})

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        noted = await self._note(request, body)
        if refused := self._refuse(request):
            return refused
        usual = self.answering(noted) if self.answering else self.reply
        reply = self._script.popleft() if self._script else usual
        noted.sent.model = reply.model or body.get("model", "")
        try:
            return await self._answer(request, noted, reply)
        except (asyncio.CancelledError, ConnectionError):
            noted.gone.set()
            raise

    async def _embed(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        noted = await self._note(request, body)
        if refused := self._refuse(request):
            return refused
        reply = self._embeddings.popleft() if self._embeddings else Reply()
        if isinstance(reply, Reply):
            if reply.status != 200 or reply.fault:
                return await self._answer(request, noted, reply)
            rows: Sequence[Sequence[float]] = [word_vector(text, self.dimensions) for text in body["input"]]
        else:
            rows = reply
        # Last row first: a client has to go by `index`.
        data = [{"object": "embedding", "index": n, "embedding": list(row)} for n, row in enumerate(rows)][::-1]
        tokens = sum(len(text.split()) for text in body["input"])
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return whole(noted, {"object": "list", "data": data, "model": body["model"], "usage": usage})

    async def _transcribe(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        file = form["file"]
        assert isinstance(file, web.FileField)
        told = {"model": form["model"], "filename": file.filename, "bytes": file.file.read()}
        noted = await self._note(request, told)
        return await self._scripted(request, noted, self._transcripts, {"text": "How do I roll back a release?"})

    async def _draw(self, request: web.Request) -> web.StreamResponse:
        noted = await self._note(request, await request.json())
        return await self._scripted(request, noted, self._pictures, {"data": []})

    async def _scripted(
        self,
        request: web.Request,
        noted: Request,
        script: deque[Reply | Mapping[str, Any]],
        usual: Mapping[str, Any],
    ) -> web.StreamResponse:
        if refused := self._refuse(request):
            return refused
        reply = script.popleft() if script else usual
        if isinstance(reply, Reply):
            return await self._answer(request, noted, reply)
        return web.json_response(dict(reply), headers={"x-request-id": f"req-{len(self.requests)}"})

    async def _note(self, request: web.Request, body: dict[str, Any]) -> Request:
        headers = dict(request.headers)
        noted = Request(request.method, request.path, headers, body, id=f"chatcmpl-{len(self.requests) + 1}")
        async with self.changed:
            self.requests.append(noted)
            self.changed.notify_all()
        return noted

    def _refuse(self, request: web.Request) -> web.Response | None:
        if self._api_key is None or request.headers.get("Authorization") == f"Bearer {self._api_key}":
            return None
        return web.json_response({"error": unauthorized().error}, status=401)

    async def _answer(self, request: web.Request, noted: Request, reply: Reply) -> web.StreamResponse:
        if reply.delay:
            await self._wait(reply.delay)
        if reply.held is not None:
            await reply.held.wait()
        if reply.fault == "silence":
            await self._wait(60.0)
            return web.Response(status=504)
        if reply.status != 200:
            return web.json_response({"error": reply.error}, status=reply.status, headers=reply.headers)
        if reply.fault == "invalid_json":
            return web.Response(text='{"choices": [{"mess', content_type="application/json")
        text = echo(noted) if reply.text is None else reply.text
        if noted.body.get("stream"):
            return await self._stream(request, noted, reply, text)
        return whole(noted, _completion(noted, text, reply))

    async def _stream(self, request: web.Request, noted: Request, reply: Reply, text: str) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", **reply.headers})
        await response.prepare(request)
        pieces = list(reply.pieces) if reply.pieces is not None else re.findall(r"\S+\s*|\s+", text)
        await _send(response, noted, _chunk(noted, {"role": "assistant", "content": ""}))
        for number, piece in enumerate(pieces):
            said = _chunk(noted, {"content": piece})
            await _send(response, noted, _with_logprobs(said, noted, reply, number, piece))
            if number == 0 and reply.gate is not None:
                await reply.gate.wait()
            if number == 0 and reply.fault == "invalid_stream":
                await response.write(b'data: {"choices": [{"del\n\n')
        async for chunk in self._ending(request, noted, reply, text):
            await _send(response, noted, chunk)
        if reply.fault != "cut":
            await response.write_eof()
            noted.sent.whole = True
        return response

    async def _ending(
        self, request: web.Request, noted: Request, reply: Reply, text: str
    ) -> AsyncIterator[dict[str, Any] | str]:
        if reply.fault == "stall":
            await self._wait(60.0)
        if reply.fault == "cut" and request.transport is not None:
            request.transport.abort()
        if reply.fault == "error_in_stream":
            yield {"error": {"message": "The engine stopped.", "type": "server_error", "code": None}}
        if reply.fault in {"stall", "cut", "cut_quietly", "error_in_stream"}:
            return
        yield _chunk(noted, {}, reply.finish_reason)
        wanted = noted.body.get("stream_options", {}).get("include_usage")
        if reply.usage and (wanted or isinstance(reply.usage, Mapping)):
            yield {**_chunk(noted, None), "choices": [], "usage": _usage(noted, text, reply)}
        yield "[DONE]"

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            return


def drawn(picture: bytes, **usage: Any) -> dict[str, Any]:
    """The answer with a picture in it, as OpenAI's models of images send it; `usage` instead of the usual."""
    counts = {"input_tokens": 12, "output_tokens": 1056, "input_tokens_details": {"text_tokens": 12, "image_tokens": 0}}
    return {"created": 0, "data": [{"b64_json": b64encode(picture).decode()}], "usage": usage or counts}


def refused_content() -> Reply:
    """400 as OpenAI words it for what its rules forbid to draw."""
    return _refusal(400, "Your request was rejected by the safety system.", "moderation_blocked")


def word_vector(text: str, dimensions: int) -> list[float]:
    """A vector that says which words a text has (hashed), the same in every process."""
    vector = [0.0] * dimensions
    for word in re.findall(r"\w+", text.lower()):
        vector[zlib.crc32(word.encode()) % dimensions] += 1.0
    return vector if any(vector) else [1.0] * dimensions


def _words(message: Mapping[str, Any]) -> str:
    content = message.get("content", "")
    if isinstance(content, list):
        return "\n".join(part["text"] for part in content if part["type"] == "text")
    return str(content)


def echo(request: Request) -> str:
    """A deterministic answer: the last message's last line, with [1] where the prompt numbers passages."""
    messages = request.body.get("messages") or [{"content": ""}]
    lines = [line.strip() for line in _words(messages[-1]).splitlines() if line.strip()]
    mark = " [1]" if re.search(r"(^|\n)\W{0,3}\[?1[\].):]", request.prompt) else ""
    return f"You asked: {lines[-1][:300] if lines else 'nothing'}{mark}"


def _usage(request: Request, text: str, reply: Reply) -> dict[str, Any]:
    if isinstance(reply.usage, Mapping):
        return dict(reply.usage)
    asked, said = len(request.prompt.split()), len(text.split())
    return {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}


def _head(request: Request, kind: str) -> dict[str, Any]:
    return {"id": request.id, "object": kind, "created": 0, "model": request.sent.model}


def _chunk(request: Request, delta: Mapping[str, Any] | None, finish: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {**_head(request, "chat.completion.chunk"), "choices": [choice]}


def _with_logprobs(chunk: dict[str, Any], request: Request, reply: Reply, number: int, piece: str) -> dict[str, Any]:
    """The chunk with its token's log-probability in OpenAI's form, where it was asked for and is scripted."""
    if not request.body.get("logprobs") or reply.logprobs is None:
        return chunk
    logprob = reply.logprobs if isinstance(reply.logprobs, int | float) else reply.logprobs[number]
    token = {"token": piece, "logprob": logprob, "bytes": list(piece.encode()), "top_logprobs": []}
    chunk["choices"][0]["logprobs"] = {"content": [token], "refusal": None}
    return chunk


def _completion(request: Request, text: str, reply: Reply) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": reply.finish_reason}
    usage = {"usage": _usage(request, text, reply)} if reply.usage else {}
    return {**_head(request, "chat.completion"), "choices": [choice], **usage}


async def _send(response: web.StreamResponse, noted: Request, chunk: Mapping[str, Any] | str) -> None:
    data = f"data: {chunk if isinstance(chunk, str) else json.dumps(chunk)}\n\n".encode()
    await response.write(data)
    noted.sent.bytes += len(data)
    if isinstance(chunk, Mapping) and "usage" in chunk:
        noted.sent.usage = chunk["usage"]


def whole(noted: Request, body: Mapping[str, Any]) -> web.Response:
    """An answer in one piece, noted as sent."""
    response = web.json_response(body)
    noted.sent.bytes, noted.sent.usage, noted.sent.whole = len(response.body or b""), body.get("usage"), True  # type: ignore[arg-type]
    return response
