"""Tracebacks without what exceptions say: their words may hold what somebody wrote, or a statement's values."""

from __future__ import annotations

import traceback


def places(error: BaseException) -> str:
    """Where an exception came from and went through, each with its kind and its code alone, as Python orders them."""
    return "\n".join(_parts(error, set()))


def _parts(error: BaseException, seen: set[int]) -> list[str]:
    seen.add(id(error))
    parts: list[str] = []
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and id(before) not in seen:
        how = "led on purpose to" if error.__cause__ else "was being handled when this came"
        parts += [*_parts(before, seen), f"… which {how}:"]
    parts.append("".join(traceback.format_tb(error.__traceback__)) + _named(error))
    if isinstance(error, BaseExceptionGroup):
        for number, one in enumerate(error.exceptions, 1):
            parts += [f"{number} of {len(error.exceptions)}:", *_parts(one, seen)]
    return parts


def _named(error: BaseException) -> str:
    driver = getattr(error, "orig", None)  # SQLAlchemy's errors wrap the driver's
    codes = [_code(one) for one in (error, driver) if isinstance(one, BaseException)]
    known = ", ".join(code for code in codes if code)
    return f"{type(error).__module__}.{type(error).__qualname__}" + (f" ({known})" if known else "")


def _code(error: BaseException) -> str:
    """What a system, a database or a service calls the fault, which holds no words of anybody."""
    if isinstance(error, OSError) and error.strerror and error.errno is not None:
        return f"{error.errno} {error.strerror}"
    for name in ("sqlite_errorname", "sqlstate", "status_code", "kind"):
        value = getattr(error, name, None)
        if isinstance(value, str | int) and value:
            return str(value)
    return ""
