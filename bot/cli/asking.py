"""Commands that ask: a question, why it was answered so, what is known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.common import AsJson, ConfigFile, err, out, run_with

app = typer.Typer()


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

    done = run_with(config, lambda settings: answer(settings, question, channel, model, strategy, out, err, as_json))
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
        run_with(config, lambda settings: explaining.explain(settings, answer, out, as_json))
    else:
        run_with(config, lambda settings: explaining.list_last(settings, out, as_json))


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
        run_with(config, lambda settings: searching.search_batch(settings, batch, trec, k, readers, err))
    else:
        run_with(config, lambda settings: searching.search(settings, text, k, readers, out, as_json))
