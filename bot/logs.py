"""Logging: one line an event, with a correlation id and a trace where there is one, and never a secret.

What people, documents and models say is left out too, unless it is asked for: each field is declared below, one that
is not is dropped, exceptions are named by their kinds and places, and of a library's line its template alone is shown.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

from bot import tracing
from bot.tracebacks import places
from knowledge.secrets import SECRETS

_NAMES = (
    "added address advice again answering answers attempts blind budget by call callback_id calls changed channel",
    "chunks command correlation_id cost count day days documents enterprise entry error event_id events",
    "exception exception_kind file files fire_at gone house how images index installation job kind labels left",
    "level limit logger made mark messages model models module name new next of old others outcome part passages",
    "person place problem problems question questions readers recall reference remote removed replies revision run",
    "seconds service share signal sounds source span_id stage state status stopped subtype successor taken team texts",
    "thread timestamp trace_id ts type until url user value version way ways where whose why worker workspace",
)
FIELDS = frozenset(name for line in _NAMES for name in line.split())
"""What a line may always hold: ids, kinds, numbers, and sentences about the program itself (`problem`, `why`)."""
TEXTS = frozenset({"arguments", "errors", "path", "paths", "reason", "said"})
"""What may hold words of people, documents or models: shown where the configuration says so."""
_EVENT = re.compile(r"[a-z][a-z0-9_.]*")


def mask(text: str) -> str:
    """`text` with everything that looks like a secret masked."""
    return SECRETS.text(text)


def _mask_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = mask(value)
        elif not isinstance(value, int | float | bool | None):
            event[key] = mask(repr(value))
    return event


class _Words:
    """Whether texts are shown; `show_texts` decides."""

    shown = False


def show_texts(shown: bool) -> None:
    """Whether lines hold what people, documents and models say, from now on."""
    _Words.shown = shown


def _trace(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    trace, span = tracing.ids()
    return {**event, "trace_id": trace, "span_id": span} if trace else event


def _without_words(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    record: logging.LogRecord | None = event.get("_record")
    error = _error(event.get("exc_info"))
    if event.get("_from_structlog") is False and record is not None:
        arguments = event.pop("positional_args", ())
        event["logger"], event["where"] = record.name, f"{record.module}:{record.lineno}"
        if _Words.shown:
            event["event"] = str(event["event"]) % arguments if arguments else event["event"]
        elif not arguments:  # it was put together before it came here, and holds who knows what
            event["event"] = "library_line"
    elif not _Words.shown and not _EVENT.fullmatch(str(event.get("event", ""))):
        event["event"] = "unnamed_event"
    if _Words.shown:
        return event
    if error is not None:
        event["exception"], event["exception_kind"] = places(error), type(error).__name__
    return {key: value for key, value in event.items() if key in FIELDS or key == "event" or key.startswith("_")}


def _error(info: Any) -> BaseException | None:
    if info is True:
        return sys.exc_info()[1]
    if isinstance(info, tuple):
        info = info[1]
    return info if isinstance(info, BaseException) else None


def configure_logs(*, level: int = logging.INFO, to: TextIO | None = None) -> None:
    """Sends structlog's and the libraries' lines to stderr, or where it is said: coloured on a terminal, else JSON."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _trace,
    ]
    terminal = (to or sys.stderr).isatty()
    last: list[Any] = [structlog.dev.ConsoleRenderer()] if terminal else [structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        use_get_message=False,
        pass_foreign_args=True,
        processors=[
            _without_words,
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _mask_event,
            *last,
        ],
    )
    handler = logging.StreamHandler(to)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    for own in ("bot", "handlers", "knowledge"):
        logging.getLogger(own).setLevel(level)
