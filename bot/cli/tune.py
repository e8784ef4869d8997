"""Commands on fine-tuning."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.common import AsJson, ConfigFile, load_settings, out, run_with

group = typer.Typer(help="Fine-tuning: whether it is worth it, data with consent, and runs.", no_args_is_help=True)


@group.command("data")
def tune_data(
    golden: Annotated[
        list[Path] | None, typer.Option(help="Golden questions that stay out of it: JSONL or CSV; may be repeated.")
    ] = None,
    readers: Annotated[
        list[str] | None,
        typer.Option("--as", help="For whom the model is: everyone, channel:C… or user:U…; may be repeated."),
    ] = None,
    model: Annotated[str, typer.Option(help="What is to be tuned: its window holds, and its price is told.")] = "",
    list_them: Annotated[bool, typer.Option("--list", help="List the data sets that were made.")] = False,
    lineage: Annotated[
        str, typer.Option(help="Show where each row of this data set is from; “last” is the newest.")
    ] = "",
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Make training data from what people allow: examples, answers with 👍, answers taken of two."""
    from bot import fine_tuning

    if list_them:
        run_with(config, lambda settings: fine_tuning.list_data(settings, out))
    elif lineage:
        run_with(config, lambda settings: fine_tuning.lineage(settings, lineage, out))
    else:
        run_with(
            config,
            lambda settings: fine_tuning.make_data(settings, golden or (), readers or (), model, out, as_json),
        )


@group.command("check")
def tune_check(
    file: Annotated[Path, typer.Argument(help="Chat JSONL, as providers take it.")],
    model: Annotated[str, typer.Option(help="What is to be tuned: its window holds.")] = "",
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Look through a file of training data line by line. 1 where it cannot be trained on."""
    from bot import fine_tuning

    raise typer.Exit(0 if fine_tuning.check(load_settings(config), file, model, out, as_json) else 1)


@group.command("consent")
def tune_consent(
    person: Annotated[str, typer.Argument(help="A person's id (U…).")] = "",
    say: Annotated[str, typer.Argument(help="on or off.")] = "",
    config: ConfigFile = None,
) -> None:
    """Who lets their words be trained on; with a person and on or off, keep what they say."""
    from bot import fine_tuning

    if bool(person) != (say in ("on", "off")):
        raise typer.BadParameter("Write a person's id and on or off, for example U0MAYA off; or nothing, to see all.")
    run_with(config, lambda settings: fine_tuning.consent(settings, person, say, out))


@group.command("plan")
def tune_plan(
    model: Annotated[str, typer.Option(help="The base model that would be tuned.")] = "",
    run: Annotated[str, typer.Option(help="The evaluation whose figures count; “last” is the newest.")] = "last",
    epochs: Annotated[int, typer.Option(help="How often each row is trained on.", min=1, max=100)] = 3,
    minutes: Annotated[float | None, typer.Option(help="Minutes of a person for each row that lacks.", min=0)] = None,
    hourly: Annotated[str | None, typer.Option(help="US dollars for an hour of theirs.")] = None,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Whether fine-tuning is worth it, by the team's own figures."""
    from bot import fine_tuning
    from bot.cli.evaluate import dollars_of

    order = fine_tuning.PlanOrder(model, run, epochs, minutes, dollars_of(hourly, "--hourly"))
    run_with(config, lambda settings: fine_tuning.show_plan(settings, order, out, as_json))
