"""The command that evaluates strategies and models on golden questions."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.common import AsJson, ConfigFile, err, out, run_with

app = typer.Typer()


@app.command()
def evaluate(
    golden: Annotated[Path | None, typer.Argument(help="Golden questions: JSONL or CSV.")] = None,
    from_thumbs: Annotated[bool, typer.Option("--from-thumbs", help="Questions whose answers got 👍 instead.")] = False,
    from_team: Annotated[bool, typer.Option("--from-team", help="The golden questions that people kept.")] = False,
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

    is_new = golden is not None or from_thumbs or from_team
    ways = [golden is not None, from_thumbs, from_team, resume is not None, show is not None, list_them]
    if ways.count(True) != 1:
        others = "--from-thumbs, --from-team, --resume, --show, --list"
        raise typer.BadParameter(f"Name a file of golden questions, or one of {others}.")
    if not is_new and any((models, strategies, scorers, judge, limit, readers, name)):
        raise typer.BadParameter("A run that was kept stays as it was begun: only --budget and --parallel may change.")
    order = Order(
        file=golden,
        from_team=from_team,
        models=_names(models),
        strategies=_names(strategies),
        scorers=_names(scorers),
        judge=judge,
        budget=dollars_of(budget, "--budget"),
        limit=limit,
        parallel=parallel,
        readers=tuple(readers or ()),
        name=name.strip(),
        fresh=fresh,
    )
    to = Outlets(out=out, err=err, as_json=as_json, html=html, post=post, compare=compare)
    if list_them:
        run_with(config, lambda settings: evaluating.list_runs(settings, out, as_json))
    elif show is not None:
        run_with(config, lambda settings: evaluating.show(settings, show, to))
    elif resume is not None:
        run_with(config, lambda settings: evaluating.resume(settings, resume, order, to))
    else:
        run_with(config, lambda settings: evaluating.evaluate(settings, order, to))


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def dollars_of(text: str | None, option: str) -> Decimal | None:
    """US dollars as they were typed. Raises BadParameter."""
    if text is None:
        return None
    try:
        amount = Decimal(text.strip().removeprefix("$"))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount < 0:
        raise typer.BadParameter(f"“{text}” is no amount. Write US dollars, for example {option} 0.50.")
    return amount
