"""What the configuration comes to for one workspace of many."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr, ValidationError

from bot.config import Folder, Knowledge, Own, Report, Selection, Settings, Slack, Storage, load_settings
from bot.errors import ConfigError
from bot.tenancy.settings import check_shared, folder_of, schema_of, settings_of

SHARED = Settings(report=Report(time_zone="Europe/Berlin"))


def test_each_workspace_has_its_folder_and_its_database_file() -> None:
    one, other = settings_of(SHARED, "T0ONE"), settings_of(SHARED, "T0OTHER")
    assert one.data_dir == Path("data/workspaces/T0ONE")
    assert one.database_url == "sqlite+aiosqlite:///data/workspaces/T0ONE/switchboard.db"
    assert other.database_url != one.database_url
    elsewhere = SHARED.model_copy(update={"storage": Storage(url=SecretStr("sqlite+aiosqlite:///else/where.db"))})
    assert settings_of(elsewhere, "T0ONE").database_url == one.database_url


def test_on_postgresql_the_address_itself_binds_to_the_workspaces_schema() -> None:
    storage = Storage(url=SecretStr("postgresql+psycopg://bot:secret@db/switchboard?options=-cstatement_timeout%3D9s"))
    address = sa.make_url(settings_of(SHARED.model_copy(update={"storage": storage}), "T0ONE").database_url)
    assert address.query["options"] == "-cstatement_timeout=9s -csearch_path=workspace_t0one"
    assert address.password == "secret"


@pytest.mark.parametrize(
    "identifier", ["", "T", "t0one", "../T0ONE", "T0ONE/..", "T0ONE;DROP", "E0ORG", "T0ÄRGER", "T0\n"]
)
def test_what_is_no_workspaces_id_names_neither_a_folder_nor_a_schema(identifier: str) -> None:
    for name in (schema_of, lambda it: folder_of(SHARED, it), lambda it: settings_of(SHARED, it)):
        with pytest.raises(ValueError, match="is no workspace's id"):
            name(identifier)


def test_a_workspaces_own_table_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "switchboard.toml"
    file.write_text(
        "[report]\ntime_zone = 'Europe/Berlin'\n"
        "[workspaces.T0ONE.report]\nchannel = 'C0ONE'\n"
        "[[workspaces.T0ONE.knowledge.folders]]\npath = 'handbook'\n"
    )
    settings = load_settings(file)
    one, other = settings_of(settings, "T0ONE"), settings_of(settings, "T0OTHER")
    assert (one.report.channel, one.report.time_zone) == ("C0ONE", "Europe/Berlin")
    assert [spec.name for spec in one.knowledge.specs] == ["handbook"]
    assert (other.report, other.knowledge) == (settings.report, settings.knowledge)
    assert not one.workspaces


def test_the_table_of_what_is_no_workspace_is_refused() -> None:
    with pytest.raises(ValidationError, match="T\\[A-Z0-9\\]"):
        Settings(workspaces={"C0123": Own()})


@pytest.mark.parametrize(
    ("named", "changes"),
    [
        ("slack.admins", {"slack": Slack(admins=("U0MAYA",))}),
        ("slack.answer_channels", {"slack": Slack(answer_channels=("C0HELP",))}),
        ("selection.stay_local", {"selection": Selection(stay_local=("C0HELP",))}),
        ("report.channel", {"report": Report(channel="C0REPORTS")}),
        ("report.channels", {"report": Report(channels=("C0HELP",))}),
        (
            "readers of sources",
            {"knowledge": Knowledge(folders=(Folder(path=Path("finance"), readers=("channel:G0FIN",)),))},
        ),
    ],
)
def test_ids_of_one_workspace_are_refused_where_they_would_count_for_all(named: str, changes: dict[str, Any]) -> None:
    check_shared(SHARED)
    with pytest.raises(ConfigError) as refused:
        check_shared(SHARED.model_copy(update=changes))
    assert f"Move {named} to that workspace's own table" in str(refused.value)
