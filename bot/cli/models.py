"""Commands on the models of the catalogue."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from bot.cli.common import AsJson, ConfigFile, out, run_with
from bot.cli.evaluate import dollars_of


class NamesToo(TyperGroup):
    """A group in which a word that is no command is what its command `show` should show."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As click does it, with `show` put before the name."""
        return super().resolve_command(ctx, args if not args or args[0] in self.commands else ["show", *args])


group = typer.Typer(
    help="The models of the catalogue, and which of them can be used now.",
    cls=NamesToo,
    invoke_without_command=True,
)


@group.callback()
def models(context: typer.Context, config: ConfigFile = None) -> None:
    """The models of the catalogue, and which of them can be used now."""
    from bot.cataloguing import list_models

    context.obj = config
    if context.invoked_subcommand is None:
        run_with(config, lambda settings: list_models(settings, "", out, False))


@group.command("list")
def models_list(
    context: typer.Context,
    words: Annotated[list[str] | None, typer.Argument(help="task:text open:yes max_price:1 context:128k …")] = None,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """The models that fit: task, openness, price, context, languages and more; words of the name."""
    from bot.cataloguing import list_models

    run_with(config or context.obj, lambda settings: list_models(settings, " ".join(words or ()), out, as_json))


@group.command("show")
def models_show(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The name of its card, or its id.")],
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """All that is known of one model, with its sources; `switchboard models NAME` is the same."""
    from bot.cataloguing import show_model

    run_with(config or context.obj, lambda settings: show_model(settings, name, out, as_json))


@group.command("sync")
def models_sync(context: typer.Context, as_json: AsJson = False, config: ConfigFile = None) -> None:
    """Ask every server for its models: what is new, gone or about to be shut down. 1 where somebody should look."""
    from bot.cataloguing import sync_models

    matters = run_with(config or context.obj, lambda settings: sync_models(settings, out, as_json))
    raise typer.Exit(1 if matters else 0)


@group.command("regressions")
def models_regressions(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The model, a fine-tuned one for example.")],
    base: Annotated[str, typer.Option(help="The model that it was tuned from.")],
    budget: Annotated[str | None, typer.Option(help="US dollars that it may cost at most.")] = None,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Ask two models the same 40 general and 30 safety questions: what the first has lost. 1 where it is too much."""
    from bot.evaluating import regressions

    limit = dollars_of(budget, "--budget")
    has_lost = run_with(config or context.obj, lambda settings: regressions(settings, name, base, limit, out, as_json))
    raise typer.Exit(1 if has_lost else 0)
