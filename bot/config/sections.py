"""The tables of the configuration file, each with its settings, their defaults and what they are for."""

from __future__ import annotations

import datetime
import difflib
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from bot.config.addresses import server_address
from bot.config.nearest import did_you_mean
from knowledge import access
from knowledge.errors import InvalidScope, UnknownSource
from knowledge.sources.kinds import SourceSpec, explained, kind_of

LOCAL = "local"
"""The embedding model on this machine, as the configuration calls it."""


class Section(BaseModel):
    """A table of the configuration file; a key that it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Slack(Section):
    """How the bot behaves in Slack."""

    base_url: str = "https://slack.com/api/"
    """Slack's Web API. Only another server that speaks Slack's protocol needs another address."""
    answer_channels: tuple[str, ...] = ()
    """Ids of channels in which every question is answered, not only those that mention the bot."""
    admins: tuple[str, ...] = ()
    """Ids of people who may change a channel's model and read costs, besides the workspace's own admins."""
    installable: tuple[str, ...] = ()
    """With OAuth: ids of the workspaces (T…) and organisations (E…) that may install the bot. Empty: any."""


class Http(Section):
    """Where Slack's events are received in HTTP mode, and the pages of an installation."""

    host: str = "127.0.0.1"
    """The address to listen on. 0.0.0.0 opens it to the network: put TLS in front."""
    port: int = Field(default=3000, ge=0, le=65535)
    """The port to listen on."""
    public_url: str = ""
    """With OAuth: the address under which people reach this server, such as https://switchboard.example.com."""


class Metrics(Section):
    """Where a Prometheus server reads what the calls cost and how the bot is."""

    host: str = "127.0.0.1"
    """The address to listen on. What stands there tells costs: open it to no network that may not know them."""
    port: int = Field(default=0, ge=0, le=65535)
    """The port of /metrics, /healthz and /readyz; 0: they are not served."""


class Logs(Section):
    """What the log says."""

    texts: bool = False
    """Whether log lines may hold what people, documents and models say: for finding a fault, not for every day."""


class Workspace(Section):
    """The local workspace, which runs when no Slack token is configured."""

    port: int = Field(default=8700, ge=0, le=65535)
    """Port of the page on 127.0.0.1."""


class Storage(Section):
    """Where state is kept."""

    url: SecretStr = SecretStr("")
    """SQLAlchemy address of the database, for example postgresql+psycopg://bot@db/switchboard. Empty: SQLite in
    data_dir. An address with a password belongs in the environment."""
    backups: Path | None = None
    """A folder that gets a backup each night, of which the last seven are kept. None: nobody makes one by itself."""

    @field_validator("url")
    @classmethod
    def _is_anserver_address(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if not text:
            return value
        try:
            driver = make_url(text).drivername
        except ArgumentError:
            raise ValueError("no database address; write sqlite+aiosqlite:///… or postgresql+psycopg://…") from None
        if driver not in {"sqlite+aiosqlite", "postgresql+psycopg"}:
            raise ValueError(f"the driver {driver} is not supported; use sqlite+aiosqlite or postgresql+psycopg")
        return value


class Jobs(Section):
    """Who does the work by the clock: refreshes, reports, learning."""

    workers: bool = False
    """Whether workers do it (`switchboard work`, on as many machines as you like), and not the bots themselves. Needs
    PostgreSQL and the extra `workers`."""
    at_once: int = Field(default=2, ge=1, le=64)
    """How many pieces of work one worker does at once."""


class Retention(Section):
    """For how many days what was said is kept; 0: for ever."""

    conversations: int = Field(default=0, ge=0)
    """Messages of threads, which are the memory of a conversation."""
    questions: int = Field(default=0, ge=0)
    """The texts of questions, answers, receipts and comments. Counts and costs stay."""


class Folder(Section):
    """A folder of documents."""

    path: Path
    """The folder; a relative one is looked for where Switchboard is started."""
    name: str = ""
    """What the source is called; the folder's own name where empty."""
    readers: tuple[str, ...] = ("everyone",)
    """Who may read its documents: everyone (full members), outsiders (guests and other companies too), channel:C0123,
    user:U0123."""
    link_base: str | None = None
    """Address that a document's path is added to for its link."""
    owner: str = ""
    """Id of the person who is asked where somebody needs one; `/knowledge owner` names another."""


class SourceTable(BaseModel):
    """A source of any kind: what stands beside kind, name and readers are the kind's own options."""

    model_config = ConfigDict(extra="allow", frozen=True)

    kind: str
    name: str
    readers: tuple[str, ...] = ("everyone",)
    owner: str = ""

    @property
    def spec(self) -> SourceSpec:
        """The same for the kinds of sources."""
        return SourceSpec(self.name, self.kind, access.parse_scopes(self.readers), self.model_extra or {})

    @model_validator(mode="after")
    def _is_known(self) -> Self:
        try:
            known = kind_of(self.kind).options
            known.model_validate(dict(self.spec.options))
        except (UnknownSource, InvalidScope) as error:
            raise ValueError(str(error)) from None
        except ValidationError as error:
            extra = next((str(item["loc"][-1]) for item in error.errors() if item["type"] == "extra_forbidden"), "")
            nearest = difflib.get_close_matches(extra, [*known.model_fields, "readers"], n=1)
            hint = f" Did you mean {nearest[0]}?" if nearest else ""
            raise ValueError(f"the source “{self.name}”: {explained(error)}{hint}") from None
        return self


class Knowledge(Section):
    """What the bot knows."""

    folders: tuple[Folder, ...] = (Folder(path=Path("docs"), name="docs"),)
    """Folders of Markdown, text, HTML, PDF, docx, pptx, xlsx and CSV files."""
    sources: tuple[SourceTable, ...] = ()
    """Sources of other kinds, each a table with kind, name, readers and the options of its kind."""
    refresh: str = "*/30 * * * *"
    """When the sources are looked through for changes, as a cron expression."""
    passages: int = Field(default=6, ge=1, le=30)
    """How many passages a question may use."""
    embedding: str = LOCAL
    """The model that knowledge is searched with: local (all-MiniLM-L6-v2 on this machine), or the name of an embedding
    model of the catalogue, such as text-embedding-3-small. Another model is filled beside the one that answers."""
    chroma: str = ""
    """The address of a Chroma server for the vector index, such as http://chroma:8000, one index for all processes.
    Empty: Chroma runs in each process. Its token, where it wants one, is CHROMA_TOKEN in the environment."""

    @field_validator("chroma")
    @classmethod
    def _is_a_server(cls, value: str) -> str:
        return server_address(value, 8000, "CHROMA_TOKEN")

    @property
    def owners(self) -> dict[str, str]:
        """The ids of the owners that stand here, by the names of their sources."""
        named = [(folder.name or folder.path.expanduser().name, folder.owner) for folder in self.folders]
        named += [(source.name, source.owner) for source in self.sources]
        return {name: owner for name, owner in named if owner}

    @property
    def specs(self) -> list[SourceSpec]:
        """All configured sources: the folders, then the others."""
        folders = [
            SourceSpec(
                folder.name or folder.path.expanduser().name,
                "folder",
                frozenset(folder.readers),
                {"path": folder.path, "link_base": folder.link_base},
            )
            for folder in self.folders
        ]
        return [*folders, *(source.spec for source in self.sources)]


class Chains(Section):
    """Names of models that step in, in their order, by what they are needed for."""

    answer: tuple[str, ...] = ()
    """Where the model that was to answer cannot. Empty: the selector's next best."""
    vision: tuple[str, ...] = ()
    """The same for questions with images, before those of answer."""
    rewrite: tuple[str, ...] = ()
    """Which models make a follow-up question whole for the search. Empty: the cheapest that costs little."""
    judge: tuple[str, ...] = ()
    """Which models judge where selection.judge cannot."""


class Models(Section):
    """Which models answer."""

    default: str = "auto"
    """The name of the only model that answers where nobody pinned one, or auto: the selector weighs all usable ones."""
    cards: Path | None = None
    """A TOML file of your own model cards and providers, added to the shipped ones."""
    transcription: str = "auto"
    """The model that writes down voice messages, or auto: the first of the catalogue that can be called."""
    image: str = "auto"
    """The model that draws, or auto: the first of the catalogue that can be called."""
    hedge_after: float = Field(default=0.0, ge=0, le=60)
    """Seconds of a model's silence after which the next one is asked as well; whichever speaks first is shown. 0
    switches that off."""
    chains: Chains = Chains()


class Selection(Section):
    """How the selector weighs quality against money and time, and where questions may go."""

    value: Literal["frugal", "balanced", "best"] = "balanced"
    """What a point of quality (0.01) is worth: $0.0004 (frugal), $0.002 (balanced) or $0.01 (best). `/model value` sets
    another one for a channel."""
    stay_local: tuple[str, ...] = ()
    """Ids of channels whose questions may not leave this machine: only models that run here answer there. `/model local
    on` does the same for a channel."""
    clarify: bool = False
    """Whether one question is asked back, with buttons, where an answer is unlikely to be good and two or three
    documents may be meant."""
    escalate: bool = False
    """Whether, where two ways are nearly equal or the best is unlikely to be good, the cheaper model drafts unseen and
    a dearer one answers only where the draft is unsure."""
    learning: bool = True
    """Whether what people make of the answers changes how later ones are chosen. Labels are kept either way."""
    shadow_share: float = Field(default=0.02, ge=0, le=1)
    """The share of questions that one other option answers as well, never shown, to measure what choosing costs in
    quality. 0 switches that off."""
    shadow_budget: Decimal = Field(default=Decimal("1.0"), ge=0)
    """US dollars a week that these answers and their judging may cost at most."""
    shadow_private: bool = False
    """Whether questions in direct messages and those whose answer one person alone sees are among them."""
    rollout_by_rule: bool = False
    """Whether a model that is rolled out goes further by itself once its figures speak for it. It is rolled back by
    itself either way."""
    judge: str = ""
    """The model that judges these answers, without knowing which is which; empty: no model does."""


class Answers(Section):
    """How long answers and their memory are, and what they may link to."""

    max_tokens: int = Field(default=1200, ge=16)
    """Tokens that an answer may have at most."""
    history_tokens: int = Field(default=2000, ge=0)
    """Tokens of the thread that are remembered."""
    links: tuple[Annotated[str, Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$")], ...] = ()
    """Domains whose addresses may be links in answers, with all that are below them, such as wiki.team.example. Else
    an answer links to its sources and to what the question itself names."""


class Privacy(Section):
    """What is taken out of texts before anything reads or keeps them. Secrets always are."""

    personal_data: Literal["keep", "mask"] = "keep"
    """Whether mail addresses, phone numbers, IBANs, card numbers, IP addresses and national ids are masked too."""


class Tuning(Section):
    """Fine-tuning of models on what the team said."""

    consent: Literal["off", "public", "opt-in"] = "off"
    """Whose words may be trained on: nobody's (off), everybody's in public channels unless they take themselves out
    (public), or those of people who said that theirs may (opt-in)."""
    python: str = ""
    """The Python that trains on this machine, which has torch, trl and peft. Empty: the one that runs the bot."""
    mlflow: str = ""
    """The address of an MLflow server that training runs are logged to, such as http://mlflow:5000. Empty: none. Its
    password or token stands in the environment, as MLflow's own client reads it."""
    experiment: str = Field(default="switchboard", min_length=1, max_length=200)
    """The name of the experiment there."""

    @field_validator("mlflow")
    @classmethod
    def _is_a_server(cls, value: str) -> str:
        return server_address(value, 5000, "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD")


class Recall(Section):
    """Notes in the threads of earlier answers whose source has changed."""

    per_day: int = Field(default=5, ge=0)
    """How many notes a channel, or a person alone, gets a day at most; the rest are counted in one message. 0: none."""
    days: int = Field(default=90, ge=1)
    """Answers that are older than so many days are left alone."""


class People(Section):
    """People who are asked where somebody needs one."""

    follow_up_hours: float = Field(default=4, ge=0)
    """Working hours (Monday to Friday, 9 to 17, in report.time_zone) after which an owner is asked once more where
    nobody wrote. 0: never."""


class Report(Section):
    """The weekly cost report."""

    channel: str = ""
    """Id of the channel that it is posted in; empty: none is posted."""
    schedule: str = "0 9 * * mon"
    """When, as a cron expression with names for days."""
    time_zone: str = "UTC"
    """The zone of every schedule and of what a day, a week and a month are, for example Europe/Berlin."""
    monthly: bool = False
    """Whether the month before is reported too, on the first of each month at 9:00."""
    channels: tuple[str, ...] = ()
    """Ids of channels that get a report of their own costs, at the same times."""
    persons: bool = False
    """Whether the report says who spent how much."""

    @field_validator("time_zone")
    @classmethod
    def _exists(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"there is no time zone {value!r}{did_you_mean(value, available_timezones())}")
        return value

    @property
    def zone(self) -> ZoneInfo:
        """The time zone itself."""
        return ZoneInfo(self.time_zone)


class ExchangeRate(Section):
    """What one of a currency costs."""

    dollars: Decimal = Field(gt=0, allow_inf_nan=False)
    """In US dollars."""
    date: datetime.date
    """The day on which it did."""


class Limits(Section):
    """How many questions are begun with within a minute; 0: no limit. Whoever asks more is told when to ask again."""

    person: int = Field(default=10, ge=0)
    """Of one person."""
    channel: int = Field(default=60, ge=0)
    """In one channel, whoever asks."""


class Costs(Section):
    """What things cost."""

    currencies: dict[Annotated[str, Field(pattern="^[A-Z]{3}$")], ExchangeRate] = {}
    """What other currencies are worth that model cards state rates in, for example
    `EUR = { dollars = 1.08, date = 2026-11-01 }`."""


class Own(Section):
    """What is otherwise in one workspace than in the others; what is not set is as it is for all."""

    slack: Slack = Slack()
    knowledge: Knowledge = Knowledge()
    selection: Selection = Selection()
    report: Report = Report()
