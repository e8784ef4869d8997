"""The shape of everything that comes from Slack and goes to it."""

from __future__ import annotations

from typing import Any, TypeAlias

JSON: TypeAlias = dict[str, Any]
