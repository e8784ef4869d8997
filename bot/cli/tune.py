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


@group.command("run")
def tune_run(
    base: Annotated[str, typer.Option(help="What is tuned: a model of the catalogue, or a folder with one.")],
    data: Annotated[str, typer.Option(help="The data set, by its hash.")] = "last",
    by: Annotated[str, typer.Option("--with", help="local, hosted or command.")] = "local",
    command: Annotated[Path | None, typer.Option(help="With command: the YAML file that says it.")] = None,
    method: Annotated[str, typer.Option(help="lora, qlora or full.")] = "lora",
    objective: Annotated[str, typer.Option(help="sft (answers) or dpo (preferences).")] = "sft",
    epochs: Annotated[int, typer.Option(help="How often each row is trained on.", min=1, max=100)] = 3,
    batch: Annotated[int, typer.Option(help="Rows at once.", min=1)] = 8,
    accumulate: Annotated[int, typer.Option(help="So many batches make a step.", min=1)] = 1,
    learning_rate: Annotated[float, typer.Option(help="The learning rate.", min=0)] = 2e-4,
    rank: Annotated[int, typer.Option(help="LoRA's rank.", min=1)] = 8,
    max_tokens: Annotated[int, typer.Option(help="A longer row is cut.", min=16)] = 1024,
    seed: Annotated[int, typer.Option(help="The same seed gives the same run.")] = 1,
    save_steps: Annotated[int, typer.Option(help="A checkpoint every so many steps.", min=1)] = 20,
    patience: Annotated[int, typer.Option(help="Looks without progress before it ends early; 0: never.", min=0)] = 3,
    template: Annotated[Path | None, typer.Option(help="A chat template, for a base that has none.")] = None,
    config: ConfigFile = None,
) -> None:
    """Train on a data set, here, at a server, or by a command; leads the run to its end."""
    from bot import training
    from bot.tuning.tuner import Parameters

    chosen = {"--with": (by, ("local", "hosted", "command")), "--method": (method, ("lora", "qlora", "full"))}
    for option, (value, there) in {**chosen, "--objective": (objective, ("sft", "dpo"))}.items():
        if value not in there:
            raise typer.BadParameter(f"{option} is one of {', '.join(there)}, not “{value}”.")
    parameters = Parameters(
        method=method,  # type: ignore[arg-type]
        objective=objective,  # type: ignore[arg-type]
        epochs=epochs,
        batch=batch,
        accumulate=accumulate,
        learning_rate=learning_rate,
        rank=rank,
        alpha=2 * rank,
        max_tokens=max_tokens,
        seed=seed,
        save_steps=save_steps,
        patience=patience,
        template=str(template.absolute()) if template else "",
    )
    order = training.RunOrder(by=by, data=data, base=base, command=command, parameters=parameters)
    run_with(config, lambda settings: training.begin(settings, order, out))


Run = Annotated[str, typer.Argument(help="The run's id, or “last”.")]


@group.command("resume")
def tune_resume(run: Run, config: ConfigFile = None) -> None:
    """Lead a run to its end that was left, by Ctrl+C or a kill."""
    from bot import training

    run_with(config, lambda settings: training.resume(settings, run, out))


@group.command("runs")
def tune_runs(as_json: AsJson = False, config: ConfigFile = None) -> None:
    """The runs that were ordered, newest first."""
    from bot import training

    run_with(config, lambda settings: training.list_runs(settings, out, as_json))


@group.command("show")
def tune_show(run: Run, as_json: AsJson = False, config: ConfigFile = None) -> None:
    """One run with its parameters, figures and cost."""
    from bot import training

    run_with(config, lambda settings: training.show(settings, run, out, as_json))


@group.command("compare")
def tune_compare(one: Run, other: Run, config: ConfigFile = None) -> None:
    """Two runs side by side: what differs, and what came of them."""
    from bot import training

    run_with(config, lambda settings: training.compare(settings, (one, other), out))


@group.command("cancel")
def tune_cancel(run: Run, config: ConfigFile = None) -> None:
    """End a run before its end."""
    from bot import training

    run_with(config, lambda settings: training.cancel(settings, run, out))


@group.command("import")
def tune_import(
    result: Annotated[str, typer.Argument(help="A folder with the model, or the name that a server gave it.")],
    base: Annotated[str, typer.Option(help="What it was tuned on.")],
    data: Annotated[str, typer.Option(help="The data set that it was tuned on, by its hash.")] = "last",
    config: ConfigFile = None,
) -> None:
    """Take in a model that was trained elsewhere."""
    from bot import training

    run_with(config, lambda settings: training.take_in(settings, result, base, data, out))


@group.command("register")
def tune_register(
    run: Run,
    name: Annotated[str, typer.Option(help="What the model is to be called.")],
    provider: Annotated[str, typer.Option(help="The provider of the catalogue that serves it.")],
    kind: Annotated[str, typer.Option(help="The kind of question that it is for, in a few words.")],
    model_id: Annotated[str, typer.Option("--id", help="What its server calls it; the result where empty.")] = "",
    config: ConfigFile = None,
) -> None:
    """Give what came of a run a model card of its own."""
    from bot import training

    run_with(config, lambda settings: training.register(settings, run, name, provider, kind, model_id, out))


@group.command("retire")
def tune_retire(
    run: Run,
    because: Annotated[str, typer.Option(help="Why, for the audit log.")] = "",
    config: ConfigFile = None,
) -> None:
    """Take the model of a run out of the catalogue."""
    from bot import training

    run_with(config, lambda settings: training.retire(settings, run, because, out))


@group.command("stage")
def tune_stage(
    name: Annotated[str, typer.Argument(help="The model; without one, how all roll-outs stand.")] = "",
    stage: Annotated[str, typer.Argument(help="shadow, canary, full, back or retire.")] = "",
    share: Annotated[float, typer.Option(help="Of a canary: percent of the questions.", min=0.1, max=50)] = 10,
    channel: Annotated[str, typer.Option("--in", help="Of a canary: a channel's id (C…); else all channels.")] = "",
    because: Annotated[str, typer.Option(help="A reason that stands beside it.")] = "",
    config: ConfigFile = None,
) -> None:
    """Roll a model out: unseen, on a share of the questions, everywhere, and back. `/tune` does the same in Slack."""
    from bot import staging

    run_with(config, lambda settings: staging.stage(settings, name, stage, share / 100, channel, because, out))
