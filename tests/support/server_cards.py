"""The catalogue file of a bot whose models are a test's own server."""

from __future__ import annotations

PROVIDER = """
[[providers]]
name = "testing"
title = "Test server"
base_url = "{url}"
local = true
"""


def card(name: str, *, input: str | None = "1", output: str = "10", more: str = "") -> str:
    """A model of the server with its prices for a million tokens (input None: unknown); `more` are lines of TOML."""
    rates = "" if input is None else f'rates = {{ input = "{input}", output = "{output}" }}\n'
    return f'\n[[models]]\nname = "{name}"\nprovider = "testing"\ncontext_window = 16000\n{rates}{more}'


JUDGE, UNPRICED = card("judge"), card("unpriced", input=None)
SHORT_ANSWERS = card("test-model", more="max_output = 500\n")


def cards(url: str, *models: str) -> str:
    """The whole file."""
    return PROVIDER.format(url=url) + "".join(models)
