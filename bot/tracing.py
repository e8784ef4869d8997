"""Traces for OpenTelemetry, by the GenAI semantic conventions: what a question did, in what order, and how long.

OpenTelemetry's own variables switch them on and steer them: OTEL_EXPORTER_OTLP_ENDPOINT (gRPC), OTEL_SERVICE_NAME,
OTEL_TRACES_SAMPLER and the rest. Without an endpoint nothing of it is loaded and a span costs a function call.

    with tracing.span("search", {"switchboard.passages": 6}) as span:
        ...
        span.note({"switchboard.found": 3})
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.metadata import version
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from bot.errors import ConfigError

if TYPE_CHECKING:  # it takes a quarter of a second to load, and only for those who export
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span as OtelSpan
    from opentelemetry.trace import Tracer

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
FLUSH_SECONDS = 5
"""How long the last spans may take to leave at the end."""

Value = str | int | float | bool | Sequence[str]
Kind = Literal["internal", "client", "consumer"]


class Span:
    """One step of the way. As a context manager it is also what later spans of its task begin under.

    This one does nothing: it stands for every span while nothing is exported.
    """

    __slots__ = ()

    @property
    def trace(self) -> str:
        """The id of the trace, 32 hexadecimal digits; "" where there is none."""
        return ""

    def note(self, attributes: Mapping[str, Value]) -> None:
        """Adds attributes."""

    def failed(self, kind: str) -> None:
        """Marks the step as failed, by the kind of the error: its words may hold what somebody wrote."""

    def end(self) -> None:
        """Ends a span that was begun by `begin`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


_OFF = Span()
_tracer: Tracer | None = None
_here: ContextVar[_Recorded | None] = ContextVar("span", default=None)


class _Recorded(Span):
    """A span that is exported. `_above`: the one that it stands in, once it is a place itself."""

    __slots__ = ("_above", "span")

    def __init__(self, span: OtelSpan) -> None:
        self.span = span
        self._above: _Recorded | None = None

    @property
    def trace(self) -> str:
        return f"{self.span.get_span_context().trace_id:032x}"

    def note(self, attributes: Mapping[str, Value]) -> None:
        self.span.set_attributes(attributes)

    def failed(self, kind: str) -> None:
        from opentelemetry.trace import Status, StatusCode

        self.span.set_attribute("error.type", kind)
        self.span.set_status(Status(StatusCode.ERROR))

    def end(self) -> None:
        self.span.end()

    def __enter__(self) -> Self:
        self._above = _current()
        _here.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, Exception):
            self.failed(type(error).__name__)
        self.span.end()
        _here.set(_current())


def _current() -> _Recorded | None:
    """The innermost place of this task that has not ended: a generator's may have, where another task closed it."""
    here = _here.get()
    while here is not None and not here.span.is_recording():
        here = here._above
    return here


def span(name: str, attributes: Mapping[str, Value] | None = None, *, kind: Kind = "internal") -> Span:
    """A step that begins now and ends with the block. An exception that leaves the block marks it as failed."""
    return begin(name, attributes, kind=kind)


def begin(name: str, attributes: Mapping[str, Value] | None = None, *, kind: Kind = "internal") -> Span:
    """A step that begins now, under which nothing else begins, until `end`."""
    if _tracer is None:
        return _OFF
    from opentelemetry.context import Context
    from opentelemetry.trace import SpanKind, set_span_in_context

    here = _current()
    context = set_span_in_context(here.span, Context()) if here else Context()
    return _Recorded(_tracer.start_span(name, context, kind=SpanKind[kind.upper()], attributes=attributes))


def trace_id() -> str:
    """The id of the trace that this task is in; "" where there is none."""
    return ids()[0]


def ids() -> tuple[str, str]:
    """The ids of the trace and of the span that this task is in, each "" where there is none."""
    here = _current()
    return ("", "") if here is None else (here.trace, f"{here.span.get_span_context().span_id:016x}")


def shows_content() -> bool:
    """Whether what people and models write is to be exported too, by OpenTelemetry's own switch for it."""
    wanted = os.environ.get(CONTENT, "").strip().lower()
    return _tracer is not None and wanted in {"true", "span_only", "span_and_event"}


@contextmanager
def exporting() -> Iterator[None]:
    """Exports spans while the block runs, where the environment names a receiver; what is left goes out at its end.

    Raises ConfigError where the environment asks for a protocol that is not spoken here.
    """
    global _tracer
    off = _set("OTEL_SDK_DISABLED").lower() == "true" or _set("OTEL_TRACES_EXPORTER") not in {"", "otlp"}
    if off or not any(map(_set, ENDPOINTS)):
        yield
        return
    provider = _provider()
    before, _tracer = _tracer, provider.get_tracer("switchboard", version("switchboard"))
    try:
        yield
    finally:
        _tracer = before
        provider.force_flush(FLUSH_SECONDS * 1000)
        provider.shutdown()


def _set(variable: str) -> str:
    return os.environ.get(variable, "").strip()


def _provider() -> TracerProvider:
    for name in ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"):
        if _set(name) not in {"grpc", ""}:
            raise ConfigError(
                f"{name} is {_set(name)}, and traces are exported by grpc alone. Take the variable away, and name the "
                "receiver's gRPC port, which is 4317 nearly everywhere."
            )
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    name = _set("OTEL_SERVICE_NAME") or "switchboard"
    resource = Resource.create({"service.name": name, "service.version": version("switchboard")})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider
