"""Which servers keep what they are asked on this machine."""

from __future__ import annotations

import pytest

from bot.models.catalogue import OFFLINE, Provider, load_catalogue


@pytest.mark.parametrize(
    ("address", "local", "stays"),
    [
        ("http://127.0.0.1:8080/v1/", False, True),
        ("http://localhost:8080/v1/", False, True),
        ("http://[::1]:8080/v1/", False, True),
        ("http://10.0.0.7:8000/v1/", True, True),
        ("http://10.0.0.7:8000/v1/", False, False),
        ("http://gpu.internal/v1/", True, True),
        ("http://gpu.internal/v1/", False, False),
        ("https://8.8.8.8/v1/", True, False),
        ("https://localhost.example.com/v1/", False, False),
        ("http://127.0.0.1@models.example.com/v1/", False, False),
        ("", True, False),
    ],
)
def test_an_address_stays_here_if_it_is_this_machine_or_its_owner_calls_it_local(
    address: str, local: bool, stays: bool
) -> None:
    assert Provider(name="house", base_url=address, local=local).stays_here is stays


def test_of_the_shipped_providers_those_on_this_machine_stay_here() -> None:
    here = {name for name, provider in load_catalogue().providers.items() if provider.stays_here}
    assert {OFFLINE, "ollama"} <= here
    assert not here & {"openai", "anthropic", "azure"}
