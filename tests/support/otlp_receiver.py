"""A receiver of OpenTelemetry's traces over gRPC, as a collector has one: it keeps the spans that come."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import (
    TraceServiceServicer,
    add_TraceServiceServicer_to_server,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from bot import tracing


@dataclass(frozen=True, slots=True)
class Seen:
    """One span as it came over the wire."""

    name: str
    id: str
    parent: str
    trace: str
    failed: bool
    attributes: dict[str, Any]


@dataclass(slots=True)
class Received:
    """What came so far."""

    spans: list[Seen] = field(default_factory=list)
    resource: dict[str, Any] = field(default_factory=dict)

    def named(self, name: str) -> list[Seen]:
        """The spans of that name."""
        return [span for span in self.spans if span.name == name]

    def under(self, span: Seen) -> set[str]:
        """The names of all that happened within a span, at any depth."""
        children = [one for one in self.spans if one.parent == span.id and one.trace == span.trace]
        return {one.name for one in children}.union(*map(self.under, children))


class _Servicer(TraceServiceServicer):
    def __init__(self, received: Received) -> None:
        self._received = received

    def Export(self, request: ExportTraceServiceRequest, context: object) -> ExportTraceServiceResponse:
        for resource in request.resource_spans:
            self._received.resource = _plain(resource.resource.attributes)
            self._received.spans += [_seen(span) for scope in resource.scope_spans for span in scope.spans]
        return ExportTraceServiceResponse()


@contextmanager
def exported(patch: pytest.MonkeyPatch) -> Iterator[Received]:
    """Runs a receiver and has the traces of the block sent to it; all are there once the block is left."""
    received, server = Received(), grpc.server(ThreadPoolExecutor(max_workers=2))
    add_TraceServiceServicer_to_server(_Servicer(received), server)  # type: ignore[no-untyped-call]
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
    try:
        with tracing.exporting():
            yield received
    finally:
        patch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT")
        server.stop(None).wait()


def _seen(span: Span) -> Seen:
    failed = span.status.code == Status.StatusCode.STATUS_CODE_ERROR
    attributes = _plain(span.attributes)
    return Seen(span.name, span.span_id.hex(), span.parent_span_id.hex(), span.trace_id.hex(), failed, attributes)


def _plain(attributes: Any) -> dict[str, Any]:
    return {each.key: _value(each.value) for each in attributes}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    return [_value(one) for one in value.array_value.values] if kind == "array_value" else getattr(value, kind)
