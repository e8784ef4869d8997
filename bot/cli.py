"""The command line: `switchboard run`, `ask`, `explain`, `search`, `knowledge`, `refresh`, `report`, `models` …"""

from __future__ import annotations

import asyncio
import signal
import sys
import uuid
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import ContextVar
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any, TypeVar

import structlog
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from typer.core import TyperGroup

from bot import tracing
from bot.config import Settings
from bot.config import explain as explained_settings
from bot.config import load_settings as read_settings
from bot.errors import SwitchboardError
from bot.logs import configure_logs, show_texts
from knowledge.errors import KnowledgeError

T = TypeVar("T")


class NamesToo(TyperGroup):
    """A group in which a word that is no command is what its command `show` should show."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As click does it, with `show` put before the name."""
        return super().resolve_command(ctx, args if not args or args[0] in self.commands else ["show", *args])


log = structlog.get_logger("bot.cli")
out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)

app = typer.Typer(
    help="A Slack assistant that picks the cheapest way to a good answer, and shows how, why and at what price.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
knowledge_app = typer.Typer(help="What the bot knows: its sources, and files to import.", invoke_without_command=True)
config_app = typer.Typer(help="The configuration.", no_args_is_help=True)
app.add_typer(knowledge_app, name="knowledge")
app.add_typer(config_app, name="config")
learning_app = typer.Typer(
    help="Who chooses how questions are answered, and what people made of the answers.", invoke_without_command=True
)
app.add_typer(learning_app, name="learning")
models_app = typer.Typer(
    help="The models of the catalogue, and which of them can be used now.",
    cls=NamesToo,
    invoke_without_command=True,
)
app.add_typer(models_app, name="models")
costs_app = typer.Typer(help="The ledger: prices that were corrected, and what providers say.", no_args_is_help=True)
app.add_typer(costs_app, name="costs")

budget_app = typer.Typer(help="What may be spent, by whom, until when.", no_args_is_help=True)
app.add_typer(budget_app, name="budget")

workspaces_app = typer.Typer(help="The workspaces that installed the bot by OAuth.", no_args_is_help=True)
app.add_typer(workspaces_app, name="workspaces")
keys_app = typer.Typer(help="The keys that secrets in the database are encrypted with.", no_args_is_help=True)
app.add_typer(keys_app, name="keys")
audit_app = typer.Typer(help="Who changed what.", invoke_without_command=True)
app.add_typer(audit_app, name="audit")

_workspace: ContextVar[str] = ContextVar("workspace", default="")
"""The option that stands before every command."""

ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config", envvar="SWITCHBOARD_CONFIG", help="The configuration file.", show_default="switchboard.toml"
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.callback()
def of_workspace(
    workspace: Annotated[
        str | None, typer.Option(help="Of many workspaces the one that a command is for, by its id (T…).")
    ] = None,
) -> None:
    """A Slack assistant that picks the cheapest way to a good answer, and shows how, why and at what price."""
    _workspace.set(workspace or "")


def main() -> None:
    """Runs the command line. What goes wrong on purpose is one sentence and exit status 1."""
    configure_logs()
    try:
        with tracing.exporting():
            app(standalone_mode=True)
    except (SwitchboardError, KnowledgeError) as error:
        err.print(f"[red]{escape(str(error))}[/]")
        sys.exit(1)
    except Exception:
        correlation = uuid.uuid4().hex[:8]
        log.exception("command_failed", correlation_id=correlation)
        err.print(f"[red]Something broke that should not have. The log line above has the id {correlation}.[/]")
        sys.exit(1)


@app.command()
def run(config: ConfigFile = None) -> None:
    """Start the bot: in Slack where tokens are set, else in a local workspace with a page."""
    from bot import running

    asyncio.run(_until_stopped(lambda stop: running.run(load_settings(config), out, stop)))


@app.command()
def work(config: ConfigFile = None) -> None:
    """Do the work by the clock that the bots hand over: refreshes, reports, learning (jobs.workers)."""
    from bot import working

    asyncio.run(_until_stopped(lambda stop: working.work(load_settings(config), out, stop)))


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="What you want to know.")],
    channel: Annotated[
        str | None, typer.Option(help="Ask as if in this channel: its members are the audience.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="Answer with this model.")] = None,
    strategy: Annotated[str | None, typer.Option(help="zero_shot, few_shot, rag or fine_tuned.")] = None,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Ask a question here and see the answer, its sources and its receipt."""
    from bot.console import ask as answer

    done = _run(config, lambda settings: answer(settings, question, channel, model, strategy, out, err, as_json))
    raise typer.Exit(0 if done else 1)


@app.command()
def explain(
    answer: Annotated[str, typer.Argument(metavar="[ID]", help="The answer's id, or how it begins.")] = "",
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Why an answer was given and what it really took; without an id, the last ten answers."""
    from bot import explaining

    if answer.strip():
        _run(config, lambda settings: explaining.explain(settings, answer, out, as_json))
    else:
        _run(config, lambda settings: explaining.list_last(settings, out, as_json))


@app.command()
def refresh(config: ConfigFile = None) -> None:
    """Look through the knowledge sources and take in what changed."""
    from bot.console import refresh as refreshed

    _run(config, lambda settings: refreshed(settings, out, err))


@app.command()
def report(
    weeks_ago: Annotated[int, typer.Option(help="0 is the week that is under way.", min=0)] = 1,
    csv: Annotated[bool, typer.Option("--csv", help="Every call of that week as CSV.")] = False,
    config: ConfigFile = None,
) -> None:
    """What the models cost in a week."""
    from bot.console import report as reported

    _run(config, lambda settings: reported(settings, weeks_ago, csv, out))


@models_app.callback()
def models(context: typer.Context, config: ConfigFile = None) -> None:
    """The models of the catalogue, and which of them can be used now."""
    from bot.cataloguing import list_models

    context.obj = config
    if context.invoked_subcommand is None:
        _run(config, lambda settings: list_models(settings, "", out, False))


@models_app.command("list")
def models_list(
    context: typer.Context,
    words: Annotated[list[str] | None, typer.Argument(help="task:text open:yes max_price:1 context:128k …")] = None,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """The models that fit: task, openness, price, context, languages and more; words of the name."""
    from bot.cataloguing import list_models

    _run(config or context.obj, lambda settings: list_models(settings, " ".join(words or ()), out, as_json))


@models_app.command("show")
def models_show(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The name of its card, or its id.")],
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """All that is known of one model, with its sources; `switchboard models NAME` is the same."""
    from bot.cataloguing import show_model

    _run(config or context.obj, lambda settings: show_model(settings, name, out, as_json))


@models_app.command("sync")
def models_sync(context: typer.Context, as_json: AsJson = False, config: ConfigFile = None) -> None:
    """Ask every server for its models: what is new, gone or about to be shut down. 1 where somebody should look."""
    from bot.cataloguing import sync_models

    matters = _run(config or context.obj, lambda settings: sync_models(settings, out, as_json))
    raise typer.Exit(1 if matters else 0)


BudgetWords = Annotated[
    list[str],
    typer.Argument(help="For example: workspace 200 a month hard because …; also C…, U… or purpose NAME."),
]


@budget_app.command("list")
def budget_list(as_json: AsJson = False, config: ConfigFile = None) -> None:
    """How far each budget is used, until when, and who set it and why."""
    from bot.budgeting import list_budgets

    _run(config, lambda settings: list_budgets(settings, out, as_json))


@budget_app.command("set")
def budget_set(words: BudgetWords, config: ConfigFile = None) -> None:
    """Set or change a budget: whose, how many US dollars, a day, week or month, hard or soft, because …"""
    from bot.budgeting import set_typed

    _run(config, lambda settings: set_typed(settings, words, out))


@budget_app.command("drop")
def budget_drop(words: BudgetWords, config: ConfigFile = None) -> None:
    """End a budget; the ledger keeps what was spent."""
    from bot.budgeting import drop_typed

    _run(config, lambda settings: drop_typed(settings, words, out))


@knowledge_app.callback()
def knowledge(context: typer.Context, config: ConfigFile = None) -> None:
    """The sources with their documents, chunks and problems."""
    from bot.console import knowledge_status

    context.obj = config
    if context.invoked_subcommand is None:
        _run(config, lambda settings: knowledge_status(settings, out))


@knowledge_app.command("import")
def knowledge_import(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="JSONL or CSV: id, text, title, url, readers, updated.")],
    name: Annotated[str, typer.Option(help="What the source is called; the file's own name where empty.")] = "",
    readers: Annotated[
        list[str] | None,
        typer.Option(help="Who may read records that name no readers: everyone, channel:C…, user:U…; may be repeated."),
    ] = None,
) -> None:
    """Import a file of documents; the same file again takes in what changed in it."""
    from bot.console import import_file

    _run(context.obj, lambda settings: import_file(settings, file, name or file.stem, readers, out, err))


@knowledge_app.command("forget")
def knowledge_forget(
    context: typer.Context, name: Annotated[str, typer.Argument(help="A source that was added or imported.")]
) -> None:
    """Remove a source and all that came from it."""
    from bot.console import forget_source

    _run(context.obj, lambda settings: forget_source(settings, name, out))


@app.command()
def search(
    text: Annotated[str, typer.Argument(help="What to look for.")] = "",
    k: Annotated[int, typer.Option(help="How many passages; in a batch, how many documents.", min=1, max=1000)] = 6,
    readers: Annotated[
        list[str] | None,
        typer.Option("--as", help="Search as everyone, channel:C… or user:U…; may be repeated. Everyone where none."),
    ] = None,
    batch: Annotated[Path | None, typer.Option(help="Questions instead of a text: JSONL with id and text.")] = None,
    trec: Annotated[Path | None, typer.Option(help="Where a batch's run goes, in TREC's form.")] = None,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Search what is known, as somebody may read it."""
    from bot import searching

    if (batch is None) == (not text.strip()) or (batch is None) != (trec is None):
        raise typer.BadParameter("Write a text, or --batch QUESTIONS.jsonl with --trec RUN.txt.")
    if batch is not None and trec is not None:
        _run(config, lambda settings: searching.search_batch(settings, batch, trec, k, readers, err))
    else:
        _run(config, lambda settings: searching.search(settings, text, k, readers, out, as_json))


@app.command()
def evaluate(
    golden: Annotated[Path | None, typer.Argument(help="Golden questions: JSONL or CSV.")] = None,
    from_thumbs: Annotated[bool, typer.Option("--from-thumbs", help="Questions whose answers got 👍 instead.")] = False,
    models: Annotated[str, typer.Option(help="Models, with commas between; all usable ones where empty.")] = "",
    strategies: Annotated[str, typer.Option(help="Strategies, with commas between; all where empty.")] = "",
    scorers: Annotated[
        str, typer.Option(help="exact, contains, f1, citation_recall, supported, similarity; all where empty.")
    ] = "",
    judge: Annotated[str | None, typer.Option(help="A model that judges the answers; its calls are counted.")] = None,
    budget: Annotated[str | None, typer.Option(help="US dollars that the run may cost in all.")] = None,
    limit: Annotated[int | None, typer.Option(help="At most so many, each group with its share.", min=1)] = None,
    parallel: Annotated[int, typer.Option(help="Questions under way at once.", min=1, max=64)] = 4,
    readers: Annotated[
        list[str] | None,
        typer.Option("--as", help="Answer for everyone, channel:C… or user:U…; may be repeated. Everyone where none."),
    ] = None,
    name: Annotated[str, typer.Option(help="What the run is called.")] = "",
    fresh: Annotated[bool, typer.Option("--fresh", help="Ask again also where an answer was kept.")] = False,
    resume: Annotated[str | None, typer.Option(help="Go on with this run; “last” is the newest.")] = None,
    show: Annotated[str | None, typer.Option(help="Show this run again; “last” is the newest.")] = None,
    list_them: Annotated[bool, typer.Option("--list", help="List the runs that were kept.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write the report as a page into this file.")] = None,
    compare: Annotated[str | None, typer.Option(help="Compare with this run; “last” is the newest one before.")] = None,
    post: Annotated[str | None, typer.Option(help="Post a summary to this channel, by its id (C…).")] = None,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Answer golden questions by every strategy and model, and show how good, dear and fast each way is."""
    from bot import evaluating
    from bot.evaluation.planning import Order
    from bot.outlets import Outlets

    if [golden is not None, from_thumbs, resume is not None, show is not None, list_them].count(True) != 1:
        raise typer.BadParameter("Name a file of golden questions, or one of --from-thumbs, --resume, --show, --list.")
    is_new = golden is not None or from_thumbs
    if not is_new and any((models, strategies, scorers, judge, limit, readers, name)):
        raise typer.BadParameter("A run that was kept stays as it was begun: only --budget and --parallel may change.")
    order = Order(
        file=golden,
        models=_names(models),
        strategies=_names(strategies),
        scorers=_names(scorers),
        judge=judge,
        budget=_dollars(budget),
        limit=limit,
        parallel=parallel,
        readers=tuple(readers or ()),
        name=name.strip(),
        fresh=fresh,
    )
    to = Outlets(out=out, err=err, as_json=as_json, html=html, post=post, compare=compare)
    if list_them:
        _run(config, lambda settings: evaluating.list_runs(settings, out, as_json))
    elif show is not None:
        _run(config, lambda settings: evaluating.show(settings, show, to))
    elif resume is not None:
        _run(config, lambda settings: evaluating.resume(settings, resume, order, to))
    else:
        _run(config, lambda settings: evaluating.evaluate(settings, order, to))


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _dollars(text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        amount = Decimal(text.strip().removeprefix("$"))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount < 0:
        raise typer.BadParameter(f"“{text}” is no budget. Write US dollars, for example --budget 0.50.")
    return amount


@learning_app.callback()
def learning(context: typer.Context, config: ConfigFile = None) -> None:
    """Who chooses, the labels by signal, and every change of who chooses."""
    from bot import learned

    context.obj = config
    if context.invoked_subcommand is None:
        _run(config, lambda settings: learned.show(settings, out))


@learning_app.command("undo")
def learning_undo(
    context: typer.Context, id: Annotated[int, typer.Argument(help="The number of the newest change.")]
) -> None:
    """Undo the newest change of who chooses; that is a change too, and can be undone."""
    from bot import learned

    _run(context.obj, lambda settings: learned.undo(settings, id, out))


@costs_app.command("reprice")
def costs_reprice(
    since: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The first day, for example 2026-11-01.")],
    model: Annotated[str | None, typer.Option(help="Calls of this model alone.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
    config: ConfigFile = None,
) -> None:
    """Price calls again from their counts, by the prices of their day as they are known now."""
    from bot import accounting

    _run(config, lambda settings: accounting.reprice_calls(settings, since.date(), model, dry_run, out))


@costs_app.command("reconcile")
def costs_reconcile(
    file: Annotated[Path, typer.Argument(help="A provider's export of usage or costs: CSV or JSON.")],
    provider: Annotated[str, typer.Option(help="Whose export it is, as the models' cards name it.")],
    tolerance: Annotated[float, typer.Option(help="The part by which figures may differ.", min=0, max=1)] = 0.01,
    config: ConfigFile = None,
) -> None:
    """Hold the ledger against a provider's export, by model and day; status 1 where they differ."""
    from bot import accounting

    share = Decimal(str(tolerance))
    agrees = _run(config, lambda settings: accounting.reconcile_file(settings, file, provider, share, out))
    raise typer.Exit(0 if agrees else 1)


Day = typer.Option(formats=["%Y-%m-%d"], help="A day, for example 2026-11-01.")


@audit_app.callback()
def audit(
    context: typer.Context,
    since: Annotated[datetime | None, Day] = None,
    who: Annotated[str, typer.Option(help="A person's Slack id, a job, or “command line”.")] = "",
    what: Annotated[str, typer.Option(help="Words of the action, for example “budget”.")] = "",
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Who changed what, the newest first; status 1 where the log is not what was written."""
    from bot import auditing

    context.obj = config
    if context.invoked_subcommand is None:
        day = since.date() if since else None
        whole = _run(config, lambda settings: auditing.show(settings, day, who, what, out, as_json))
        raise typer.Exit(0 if whole else 1)


@audit_app.command("drop")
def audit_drop(context: typer.Context, before: Annotated[datetime, Day]) -> None:
    """Take out entries that are older than a day; the log keeps that it was done."""
    from bot import auditing

    _run(context.obj, lambda settings: auditing.drop(settings, before.date(), out))


@workspaces_app.command("list")
def workspaces_list(as_json: AsJson = False, config: ConfigFile = None) -> None:
    """Who installed the bot, who left, and when the data of those goes."""
    from bot.workspaces import list_all

    _run(config, lambda settings: list_all(settings, out, as_json))


@workspaces_app.command("remove")
def workspaces_remove(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="Of a workspace (T…) or an organisation (E…).")],
    now: Annotated[bool, typer.Option("--now", help="Delete its data in minutes, not after 30 days.")] = False,
    config: ConfigFile = None,
) -> None:
    """Take the app out of a workspace; the bot closes what it has open of it."""
    from bot.workspaces import remove

    _run(config, lambda settings: remove(settings, identifier, out, now=now))


@keys_app.command("new")
def keys_new() -> None:
    """Print a new key: put it first in SWITCHBOARD_KEYS, then `switchboard keys rotate`."""
    from bot.keeping import print_new

    print_new(out)


@keys_app.command("rotate")
def keys_rotate(config: ConfigFile = None) -> None:
    """Encrypt everything that is kept encrypted anew, with the first key of SWITCHBOARD_KEYS."""
    from bot.keeping import rotate_all

    _run(config, lambda settings: rotate_all(settings, out))


@app.command()
def migrate(config: ConfigFile = None) -> None:
    """Bring the database up to date, and end: a step of its own where several bots start at once."""
    from bot.migrating import migrate as bring_up_to_date

    _run(config, lambda settings: bring_up_to_date(settings, out))


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The file to write, for example monday.zip.")],
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Back everything up into one file, as it is now; the bot may run meanwhile."""
    from bot.safekeeping import make_backup

    _run(config, lambda settings: make_backup(settings, file, out, as_json))


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A file that `switchboard backup` wrote.")],
    replace: Annotated[bool, typer.Option("--replace", help="Put it in the place of what is there.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    config: ConfigFile = None,
) -> None:
    """Restore a backup into an empty database, SQLite or PostgreSQL; stop the bot first."""
    from bot.safekeeping import restore_backup

    def sure(question: str) -> bool:
        return yes or typer.confirm(question)

    _run(config, lambda settings: restore_backup(settings, file, replace, sure, out))


@app.command()
def forget(
    user: Annotated[str | None, typer.Option(help="A person, by the id in Slack (U…).")] = None,
    channel: Annotated[str | None, typer.Option(help="A channel, by its id (C…).")] = None,
    document: Annotated[str | None, typer.Option(help="A document: SOURCE/PATH.")] = None,
    name: Annotated[list[str] | None, typer.Option(help="What the person is called too; may be repeated.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be removed.")] = False,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Remove a person, a channel or a document from all that is stored, and print the proof; the bot may run."""
    from bot import forgetting

    typed: dict[Any, str | None] = {"user": user, "channel": channel, "document": document}
    given = [(kind, text) for kind, text in typed.items() if text]
    if len(given) != 1:
        raise typer.BadParameter("Name one: --user U…, --channel C… or --document SOURCE/PATH.")
    kind, text = given[0]
    clean = _run(config, lambda settings: forgetting.forget(settings, kind, text, name or (), dry_run, out, as_json))
    raise typer.Exit(0 if clean else 1)


@app.command()
def export(
    file: Annotated[Path, typer.Argument(help="The file to write, for example maya.zip.")],
    user: Annotated[str, typer.Option(help="The person, by the id in Slack (U…).")],
    config: ConfigFile = None,
) -> None:
    """Write everything that is stored on a person into one file, for that person; the bot may run."""
    from bot import forgetting

    _run(config, lambda settings: forgetting.export(settings, user, file, out))


@config_app.command("check")
def config_check(config: ConfigFile = None) -> None:
    """Check the configuration and show every setting with its value and where it comes from."""
    from bot.doctor import check_settings

    settings = load_settings(config)
    check_settings(settings)
    table = Table(box=None, pad_edge=False)
    for title in ("setting", "value", "from"):
        table.add_column(title, overflow="fold")
    for row in explained_settings(settings, config):
        table.add_row(row.key, escape(row.value), row.origin)
    out.print(table)
    out.print("\nThe configuration is sound.")


@app.command()
def doctor(as_json: AsJson = False, config: ConfigFile = None) -> None:
    """Ping every outside service, explain every setting, and say what to do about each failure."""
    from bot.doctor import examine
    from bot.printing import print_json

    settings = load_settings(config)
    findings = asyncio.run(examine(settings))
    if as_json:
        print_json(out, [finding.as_dict() for finding in findings])
    else:
        _print_findings(settings, findings, config)
    raise typer.Exit(1 if any(finding.state == "failed" for finding in findings) else 0)


def _print_findings(settings: Settings, findings: Any, config: Path | None) -> None:
    marks = {"ok": "[green]✓[/]", "failed": "[red]✗[/]", "note": "[yellow]·[/]"}
    for finding in findings:
        out.print(f"{marks[finding.state]} [bold]{finding.name}[/]  {escape(finding.sentence)}")
        if finding.way_out:
            out.print(f"    → {escape(finding.way_out)}")
    out.print("\nSettings")
    for row in explained_settings(settings, config):
        out.print(f"  [bold]{row.key}[/] = {escape(row.value) or '(empty)'}  [dim]({row.origin})[/]")
        out.print(f"    [dim]{escape(row.help)}[/]")


def load_settings(config: Path | None) -> Settings:
    """The configuration, which says from here on what the log may hold too. Raises what `bot.config` raises."""
    settings = read_settings(config)
    show_texts(settings.logs.texts)
    return settings


def _run(config: Path | None, work: Callable[[Settings], Coroutine[Any, Any, T]]) -> T:
    settings = load_settings(config)
    if workspace := _workspace.get():
        from bot.tenancy.settings import is_workspace, settings_of

        if not is_workspace(workspace):
            raise typer.BadParameter(f"{workspace} is no workspace's id; they begin with T.")
        settings = settings_of(settings, workspace)
    return asyncio.run(work(settings))


async def _until_stopped(work: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    signals = (signal.SIGINT, signal.SIGTERM)

    def stopped() -> None:
        stop.set()
        for number in signals:  # who cannot wait sends it again
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    for number in signals:
        loop.add_signal_handler(number, stopped)
    await work(stop)
