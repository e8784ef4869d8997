"""Logging: one line an event, with a correlation id where there is one, and never a secret."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

# Slack, OpenAI-style, Hugging Face and Groq keys, bearer headers, and passwords inside addresses.
SECRETS = re.compile(
    r"(?P<prefix>\b(?:xox[a-z]-|xapp-|sk-|hf_|gsk_))[A-Za-z0-9_\-]{6,}"
    r"|(?<=Bearer )[A-Za-z0-9._\-]{4,}"
    r"|(?<=://)(?P<user>[^/\s:@]+):[^@\s/]+(?=@)"
)


def mask(text: str) -> str:
    """`text` with everything that looks like a secret cut to its prefix."""
    return SECRETS.sub(lambda m: f"{m['prefix'] or m['user'] or ''}…masked", text)


def _mask_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = mask(value)
        elif not isinstance(value, int | float | bool | None):
            event[key] = mask(repr(value))
    return event


def configure_logs(*, level: int = logging.INFO) -> None:
    """Sends structlog's and the libraries' lines to stderr: coloured on a terminal, JSON elsewhere."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    terminal = sys.stderr.isatty()
    last: list[Any] = [structlog.dev.ConsoleRenderer()] if terminal else [structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _mask_event,
            *last,
        ],
    )
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    for own in ("bot", "handlers", "knowledge"):
        logging.getLogger(own).setLevel(level)
