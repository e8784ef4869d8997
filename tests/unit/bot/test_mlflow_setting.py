from __future__ import annotations

from pathlib import Path

import pytest

from bot.config import load_settings
from bot.errors import ConfigError
from bot.secrets import mlflow_headers


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("./runs", "no address of a server; write http://host:5000"),
        ("http://bot:s3cret@mlflow:5000", "no password belongs in the address; set MLFLOW_TRACKING_USERNAME and"),
    ],
)
def test_an_address_of_an_mlflow_server_that_cannot_be_one_is_refused_without_repeating_it(
    address: str, why: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SWITCHBOARD_TUNING__MLFLOW", address)
    with pytest.raises(ConfigError, match=f"tuning.mlflow: {why}") as caught:
        load_settings()
    assert "s3cret" not in str(caught.value)


def test_who_asks_an_mlflow_server_is_told_as_its_own_client_tells_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert mlflow_headers() == {}
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "t0ken")
    assert mlflow_headers() == {"Authorization": "Bearer t0ken"}
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "Aladdin")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "open sesame")
    assert mlflow_headers() == {"Authorization": "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}
