from __future__ import annotations

from pathlib import Path

import pytest

from bot.config import explain, load_settings
from bot.errors import ConfigError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "switchboard.toml"


def refused(file: Path, text: str) -> str:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_settings(file)
    return str(caught.value)


def test_without_a_file_every_setting_has_its_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load_settings()
    assert settings.workspace.port == 8700
    assert settings.database_url == "sqlite+aiosqlite:///data/switchboard.db"
    assert {row.origin for row in explain(settings)} == {"default"}


def test_the_environment_wins_over_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text('[report]\nchannel = "C1"\ntime_zone = "Europe/Berlin"\n', encoding="utf-8")
    monkeypatch.setenv("SWITCHBOARD_REPORT__CHANNEL", "C2")
    settings = load_settings(file)
    assert (settings.report.channel, settings.report.time_zone) == ("C2", "Europe/Berlin")
    origins = {row.key: row.origin for row in explain(settings, file)}
    assert origins["report.channel"] == "SWITCHBOARD_REPORT__CHANNEL"
    assert origins["report.time_zone"] == str(file)


def test_the_databases_address_can_stand_in_a_file(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("[storage]\n", encoding="utf-8")
    address = tmp_path / "address"
    address.write_text("postgresql+psycopg://bot:geheim@db/x\n", encoding="utf-8")
    monkeypatch.setenv("SWITCHBOARD_STORAGE__URL_FILE", str(address))
    settings = load_settings(file)
    assert settings.database_url == "postgresql+psycopg://bot:geheim@db/x"
    rows = {row.key: row for row in explain(settings, file)}
    assert (rows["storage.url"].origin, "geheim" in rows["storage.url"].value) == (
        "SWITCHBOARD_STORAGE__URL_FILE",
        False,
    )
    address.unlink()
    with pytest.raises(ConfigError, match=r"SWITCHBOARD_STORAGE__URL_FILE names .*, which could not be read"):
        load_settings(file)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ('[report]\nchanel = "C1"\n', "There is no setting report.chanel. Did you mean report.channel?"),
        ("[reprot]\n", "There is no setting reprot. Did you mean report?"),
        ('[[knowledge.folders]]\npath = "d"\nreader = ["everyone"]\n', "Did you mean knowledge.folders.0.readers?"),
        ('[report]\ntime_zone = "Europe/Berln"\n', "Did you mean Europe/Berlin?"),
        ("[http]\nport = 99999\n", "http.port: input should be less than or equal to 65535."),
        ('[storage]\nurl = "mysql://x/y"\n', "use sqlite+aiosqlite or postgresql+psycopg"),
        ("[http\n", "is not valid TOML"),
    ],
)
def test_a_mistake_is_refused_with_the_way_out(file: Path, text: str, hint: str) -> None:
    assert hint in refused(file, text)


def test_all_mistakes_are_named_at_once(file: Path) -> None:
    assert len(refused(file, '[http]\nport = "x"\n[answers]\nmax_tokens = 1\n').splitlines()) == 2


def test_a_misspelt_variable_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHBOARD_REPORT__CHANEL", "C1")
    assert "Did you mean SWITCHBOARD_REPORT__CHANNEL?" in refused(file, "")


def test_secrets_in_the_file_are_refused_without_being_shown(file: Path) -> None:
    told = refused(file, '[slack]\nbot_token = "xoxb-verysecret"\n[storage]\nurl = "postgresql+psycopg://a:pw9@h/d"\n')
    assert "Set SLACK_BOT_TOKEN in the environment" in told
    assert "Set SWITCHBOARD_STORAGE__URL in the environment" in told
    assert "verysecret" not in told
    assert "pw9" not in told


def test_a_database_password_is_masked_everywhere(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHBOARD_STORAGE__URL", "postgresql+psycopg://bot:pw9@h/d")
    file.write_text("")
    settings = load_settings(file)
    assert "pw9" not in repr(settings) + str(explain(settings, file))
    assert settings.database_url.endswith("pw9@h/d")


def test_a_named_file_that_is_missing_is_an_error(file: Path) -> None:
    with pytest.raises(ConfigError, match=r"Copy switchboard\.example\.toml"):
        load_settings(file)


def test_sources_of_any_kind_stand_beside_the_folders(file: Path) -> None:
    file.write_text(
        '[[knowledge.sources]]\nkind = "web"\nname = "site"\nreaders = ["channel:C1"]\nurl = "https://a.example/"\n'
    )
    folder, site = load_settings(file).knowledge.specs
    assert (folder.name, folder.kind) == ("docs", "folder")
    assert (site.name, site.kind, site.readers) == ("site", "web", frozenset({"channel:C1"}))
    assert site.options == {"url": "https://a.example/"}


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ('kind = "wbe"\nname = "a"', "there is no kind of source called “wbe”"),
        ('kind = "web"\nname = "a"', "the source “a”: the option url is missing"),
        ('kind = "web"\nname = "a"\nurl = "https://a.example/"\ndepht = 3', "no option depht. Did you mean depth?"),
        ('kind = "web"\nname = "a"\nurl = "https://a.example/"\nreader = ["everyone"]', "Did you mean readers?"),
        ('kind = "web"\nname = "a"\nurl = "https://a.example/"\nreaders = ["all"]', "“all” does not say who may read"),
        ('kind = "web"\nurl = "https://a.example/"', "knowledge.sources.0.name"),
    ],
)
def test_a_mistake_in_a_source_is_named_with_the_way_out(file: Path, lines: str, told: str) -> None:
    assert told in refused(file, f"[[knowledge.sources]]\n{lines}\n")
