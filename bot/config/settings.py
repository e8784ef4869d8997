"""All settings together, from what is passed, the environment and the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Self

from pydantic import BaseModel, Field, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from bot.config.sections import (
    Answers,
    Costs,
    Http,
    Jobs,
    Knowledge,
    Limits,
    Logs,
    Metrics,
    Models,
    Own,
    People,
    Privacy,
    Recall,
    Report,
    Retention,
    Section,
    Selection,
    Slack,
    Storage,
    Tuning,
    Workspace,
)
from bot.errors import ConfigError

PREFIX = "SWITCHBOARD_"


class Settings(BaseSettings):
    """All settings but the secrets. Read them with `load_settings`."""

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        use_attribute_docstrings=True,
    )
    _file: ClassVar[Path | None] = None

    data_dir: Path = Path("data")
    """Where the database and the indexes are kept."""
    models_dir: Path = Path(".models")
    """Where the embedding model and the tokenizer files are kept; `make setup` fills it."""
    slack: Slack = Slack()
    http: Http = Http()
    metrics: Metrics = Metrics()
    logs: Logs = Logs()
    workspace: Workspace = Workspace()
    storage: Storage = Storage()
    retention: Retention = Retention()
    jobs: Jobs = Jobs()
    knowledge: Knowledge = Knowledge()
    models: Models = Models()
    selection: Selection = Selection()
    answers: Answers = Answers()
    privacy: Privacy = Privacy()
    tuning: Tuning = Tuning()
    recall: Recall = Recall()
    people: People = People()
    report: Report = Report()
    limits: Limits = Limits()
    costs: Costs = Costs()
    workspaces: dict[Annotated[str, Field(pattern="^T[A-Z0-9]+$")], Own] = {}
    """With OAuth, by a workspace's id: what of slack, knowledge, selection and report is otherwise there, for example
    `[workspaces.T0123.report]` with a channel."""

    @model_validator(mode="after")
    def _workers_have_a_queue(self) -> Self:
        if self.jobs.workers and not self.database_url.startswith("postgresql"):
            raise ValueError(
                "jobs.workers needs PostgreSQL. Set SWITCHBOARD_STORAGE__URL, or leave the work to the bots"
            )
        return self

    @property
    def database_url(self) -> str:
        """The database's address; it may hold a password, so never log it."""
        return self.storage.url.get_secret_value() or f"sqlite+aiosqlite:///{self.data_dir / 'switchboard.db'}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is passed, then the environment, then the file."""
        file = TomlConfigSettingsSource(settings_cls, toml_file=cls._file)
        assert isinstance(env_settings, EnvSettingsSource)
        env_settings.env_vars = _from_files(env_settings.env_vars)
        return init_settings, env_settings, file


def fields_of(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str | None]]:
    """The settings below a section: the names that lead to each, and what it does."""
    for name, info in model.model_fields.items():
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            yield from fields_of(kind, (*path, name))
        else:
            yield (*path, name), info.description


def _from_files(variables: Mapping[str, str | None]) -> dict[str, str | None]:
    """The environment as pydantic reads it, with the database's address from the file that it names in its place."""
    name = f"{PREFIX}STORAGE__URL".lower()
    given = dict(variables)
    file = (given.pop(f"{name}_file", None) or "").strip()
    if file and not given.get(name):
        try:
            given[name] = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = type(error).__name__
            raise ConfigError(f"{name.upper()}_FILE names {file}, which could not be read: {reason}.") from error
    return given
