from __future__ import annotations

from pathlib import Path

import pytest

from bot.config import Knowledge, load_settings
from bot.errors import ConfigError
from bot.secrets import chroma_server


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("chroma:8000", "no address of a server; write http://host:8000"),
        ("https://", "no address of a server"),
        ("http://bot:s3cret@chroma:8000", "no password belongs in the address; set CHROMA_TOKEN"),
    ],
)
def test_an_address_of_a_chroma_server_that_cannot_be_one_is_refused_without_repeating_it(
    address: str, why: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SWITCHBOARD_KNOWLEDGE__CHROMA", address)
    with pytest.raises(ConfigError, match=f"knowledge.chroma: {why}") as caught:
        load_settings()
    assert "s3cret" not in str(caught.value)


def test_the_token_of_a_chroma_server_comes_from_the_environment_or_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert chroma_server(Knowledge().chroma) is None
    address = Knowledge(chroma="https://chroma.example:8000/").chroma
    without = chroma_server(address)
    assert without is not None
    assert (without.address, without.token) == ("https://chroma.example:8000", "")
    (tmp_path / "token").write_text("s3cret\n")
    monkeypatch.setenv("CHROMA_TOKEN_FILE", str(tmp_path / "token"))
    server = chroma_server(address)
    assert server is not None
    assert server.token == "s3cret"
