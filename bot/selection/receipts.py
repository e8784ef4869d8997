"""Receipts as JSON and back, as the table of questions keeps them."""

from __future__ import annotations

import math
from typing import Any

from pydantic import TypeAdapter

from bot.domain import Receipt

_RECEIPT = TypeAdapter(Receipt)


def to_json(receipt: Receipt) -> dict[str, Any]:
    """The receipt as plain JSON values; decimals stay exact, as text.

    Evidence that is no number (of a store with nothing in it) is left out: JSON has no word for it.
    """
    plain: dict[str, Any] = _RECEIPT.dump_python(receipt, mode="json")
    features = receipt.choice.features
    plain["choice"]["features"] = {name: value for name, value in features.items() if math.isfinite(value)}
    return plain


def from_json(plain: dict[str, Any]) -> Receipt:
    """The receipt that `to_json` made plain."""
    return _RECEIPT.validate_python(plain)
